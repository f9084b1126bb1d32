#include "router/backlog.h"

#include "lib/arena.h"
#include "lib/check.h"
#include "router/tickets.h"

/* Of tickets that are in: their ranks are here, side by side, so that walking a tree of a million
 * loads no rows but those of equal rank.
 */
static int compare_by_rank(const void *context, uint32_t a, uint32_t b)
{
    const struct backlog *backlog = context;
    uint64_t rank_a = backlog->ranks[a];
    uint64_t rank_b = backlog->ranks[b];
    if (rank_a != rank_b) {
        return rank_a < rank_b ? -1 : 1;
    }
    return rank_compare_tickets(&backlog->tickets->rows[a], &backlog->tickets->rows[b]);
}

static int compare_by_wait(const void *context, uint32_t a, uint32_t b)
{
    const struct tickets *tickets = context;
    int64_t since_a = tickets->rows[a].queued_us;
    int64_t since_b = tickets->rows[b].queued_us;
    if (since_a != since_b) {
        return since_a < since_b ? -1 : 1;
    }
    return (a > b) - (a < b);
}

static struct map_key key_of_id(uint32_t queue)
{
    return (struct map_key){.a = queue};
}

static struct map_key key_of_row(const void *context, uint32_t row)
{
    const struct backlog *backlog = context;
    return key_of_id(backlog->queues[row].queue);
}

void backlog_init(struct backlog *backlog,
                  struct arena *arena,
                  const struct backlog_options *options)
{
    *backlog = (struct backlog){.tickets = options->tickets};
    backlog->ranks = ARENA_ARRAY(arena, uint64_t, options->tickets_max);
    backlog->by_rank =
        (struct tree_kind){.nodes = ARENA_ARRAY(arena, struct tree_node, options->tickets_max),
                           .compare = compare_by_rank,
                           .context = backlog,
                           .seed = options->seed};
    backlog->by_wait =
        (struct tree_kind){.nodes = ARENA_ARRAY(arena, struct tree_node, options->tickets_max),
                           .compare = compare_by_wait,
                           .context = options->tickets,
                           .seed = options->seed};
    backlog->in_time_links = ARENA_ARRAY(arena, struct list_link, options->tickets_max);
    backlog->classes = ARENA_ARRAY(arena, struct tree, options->classes_max);
    backlog->class_queues = ARENA_ARRAY(arena, uint32_t, options->classes_max);
    backlog->class_links = ARENA_ARRAY(arena, struct list_link, options->classes_max);
    heads_init(&backlog->heads, arena, options->classes_max);
    backlog->queues = ARENA_ARRAY(arena, struct backlog_queue, options->queues_max);
    slab_init(&backlog->queue_slab, arena, options->queues_max);
    map_init(&backlog->queues_by_id,
             arena,
             &(struct map_options){.capacity = options->queues_max,
                                   .seed = options->seed,
                                   .key_of = key_of_row,
                                   .context = backlog});
}

static vt_err find_or_add_queue(struct backlog *backlog, uint32_t queue, uint32_t *row)
{
    if (map_find(&backlog->queues_by_id, key_of_id(queue), row)) {
        return VT_OK;
    }
    vt_err err = slab_take(&backlog->queue_slab, row);
    if (err != VT_OK) {
        return err;
    }
    backlog->queues[*row] = (struct backlog_queue){.queue = queue};
    err = map_put(&backlog->queues_by_id, key_of_id(queue), *row);
    CHECK(err == VT_OK);
    return VT_OK;
}

vt_err backlog_open_class(struct backlog *backlog, uint32_t class, uint32_t queue)
{
    uint32_t row = 0;
    vt_err err = find_or_add_queue(backlog, queue, &row);
    if (err != VT_OK) {
        return err;
    }
    tree_init(&backlog->classes[class]);
    backlog->class_queues[class] = row;
    list_push_back(&backlog->queues[row].classes, backlog->class_links, class);
    return VT_OK;
}

static uint32_t queue_count(const struct backlog_queue *queue)
{
    return queue->in_time.count + tree_count(&queue->by_wait);
}

void backlog_close_class(struct backlog *backlog, uint32_t class)
{
    CHECK(tree_count(&backlog->classes[class]) == 0);
    uint32_t row = backlog->class_queues[class];
    struct backlog_queue *queue = &backlog->queues[row];
    list_remove(&queue->classes, backlog->class_links, class);
    if (queue->classes.count == 0) {
        CHECK(queue_count(queue) == 0);
        bool was_in = map_remove(&backlog->queues_by_id, key_of_id(queue->queue));
        CHECK(was_in);
        slab_give(&backlog->queue_slab, row);
    }
}

static struct backlog_queue *queue_of(struct backlog *backlog, uint32_t class)
{
    return &backlog->queues[backlog->class_queues[class]];
}

static void add_by_wait(struct backlog *backlog, struct backlog_queue *queue, uint32_t ticket)
{
    struct ticket *row = tickets_get(backlog->tickets, ticket);
    uint32_t last = list_last(&queue->in_time);
    if (last == LIST_NONE || backlog->tickets->rows[last].queued_us <= row->queued_us) {
        row->flags &= (uint8_t) ~TICKETS_BY_TREE;
        list_push_back(&queue->in_time, backlog->in_time_links, ticket);
    } else {
        row->flags |= TICKETS_BY_TREE;
        tree_insert(&backlog->by_wait, &queue->by_wait, ticket);
    }
}

static void remove_by_wait(struct backlog *backlog, struct backlog_queue *queue, uint32_t ticket)
{
    if ((tickets_get(backlog->tickets, ticket)->flags & TICKETS_BY_TREE) != 0) {
        tree_remove(&backlog->by_wait, &queue->by_wait, ticket);
    } else {
        list_remove(&queue->in_time, backlog->in_time_links, ticket);
    }
}

void backlog_add(struct backlog *backlog, uint32_t ticket)
{
    const struct ticket *row = tickets_get(backlog->tickets, ticket);
    struct tree *class = &backlog->classes[row->class];
    backlog->ranks[ticket] = rank_ticket(row);
    tree_insert(&backlog->by_rank, class, ticket);
    if (tree_first(class) == ticket) {
        heads_set(&backlog->heads, row->class, backlog->ranks[ticket]);
    }
    add_by_wait(backlog, queue_of(backlog, row->class), ticket);
    backlog->waiting_count++;
}

void backlog_remove(struct backlog *backlog, uint32_t ticket)
{
    const struct ticket *row = tickets_get(backlog->tickets, ticket);
    struct tree *class = &backlog->classes[row->class];
    bool was_first = tree_first(class) == ticket;
    tree_remove(&backlog->by_rank, class, ticket);
    if (was_first) {
        uint32_t first = tree_first(class);
        heads_set(
            &backlog->heads, row->class, first == TREE_NONE ? RANK_LAST : backlog->ranks[first]);
    }
    remove_by_wait(backlog, queue_of(backlog, row->class), ticket);
    backlog->waiting_count--;
}

uint32_t backlog_first(const struct backlog *backlog, uint32_t class)
{
    return tree_first(&backlog->classes[class]);
}

uint32_t backlog_after(const struct backlog *backlog, uint32_t ticket)
{
    const struct tree *class = &backlog->classes[tickets_get(backlog->tickets, ticket)->class];
    return tree_after(&backlog->by_rank, class, ticket);
}

uint32_t backlog_class_count(const struct backlog *backlog, uint32_t class)
{
    return tree_count(&backlog->classes[class]);
}

static const struct backlog_queue *find_queue(const struct backlog *backlog, uint32_t queue)
{
    static const struct backlog_queue nobody = {0};
    uint32_t row = 0;
    bool is_known = map_find(&backlog->queues_by_id, key_of_id(queue), &row);
    return is_known ? &backlog->queues[row] : &nobody;
}

uint32_t backlog_queue_count(const struct backlog *backlog, uint32_t queue)
{
    return queue_count(find_queue(backlog, queue));
}

uint32_t backlog_queue_oldest(const struct backlog *backlog, uint32_t queue)
{
    const struct backlog_queue *found = find_queue(backlog, queue);
    uint32_t in_time = list_first(&found->in_time);
    uint32_t by_tree = tree_first(&found->by_wait);
    if (in_time == LIST_NONE || by_tree == TREE_NONE) {
        return in_time == LIST_NONE ? by_tree : in_time;
    }
    return compare_by_wait(backlog->tickets, in_time, by_tree) < 0 ? in_time : by_tree;
}

uint32_t backlog_queue_first_class(const struct backlog *backlog, uint32_t queue)
{
    return list_first(&find_queue(backlog, queue)->classes);
}

uint32_t backlog_queue_next_class(const struct backlog *backlog, uint32_t class)
{
    return list_next(backlog->class_links, class);
}

uint32_t backlog_count(const struct backlog *backlog)
{
    return backlog->waiting_count;
}
