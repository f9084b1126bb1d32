#include "broker/queries.h"

#include "broker/loads.h"
#include "lib/bits.h"
#include "lib/check.h"
#include "lib/slab.h"
#include "lib/timers.h"

#define ROUTERS_MS INT64_C(2000)
#define AGENTS_ABLE_MS INT64_C(300) /* a figure is not worth more waiting */
#define LOAD_MS INT64_C(10000)

enum query_state {
    QUERY_ASKS_OWNER,  /* TICKET: how many agents are able; then the store is read */
    QUERY_IS_LOADING,  /* TICKET */
    QUERY_ASKS_ROUTERS /* QUEUES, AGENTS */
};

struct query_row {
    struct address from;
    struct query query;
    enum query_state state;
    uint32_t serial;
    uint32_t agents_able;
    uint64_t waiting; /* bit per router that has not ended */
    vt_err error;
};

struct queries {
    struct query_row *rows;
    struct slab slab;
    struct timers timers;
    const struct owners *owners;
    uint32_t serial;
};

static void
init(struct queries *queries, struct arena *arena, const struct queries_options *options)
{
    queries->owners = options->owners;
    queries->rows = ARENA_ARRAY(arena, struct query_row, options->queries_max);
    slab_init(&queries->slab, arena, options->queries_max);
    timers_init(&queries->timers, arena, options->queries_max);
}

struct queries *queries_open(struct arena *arena, const struct queries_options *options)
{
    struct queries scratch = {0};
    struct queries *queries = ARENA_NEW(arena, struct queries);
    init(queries == NULL ? &scratch : queries, arena, options);
    return queries;
}

static struct reply *
add_reply(const struct turn *turn, struct address to, uint64_t ref, enum reply_row row)
{
    struct header like = {.kind = MESSAGE_REPLY, .origin = turn->incarnation};
    struct reply *reply = message_add(turn->out, to, &like);
    reply->ref = ref;
    reply->row = row;
    return reply;
}

void queries_end(const struct turn *turn, struct address to, uint64_t ref, vt_err error)
{
    add_reply(turn, to, ref, ROW_END)->end.error = error;
}

static void finish(struct queries *queries, const struct turn *turn, uint32_t row, vt_err error)
{
    queries_end(turn, queries->rows[row].from, queries->rows[row].query.ref, error);
    timers_clear(&queries->timers, row);
    slab_give(&queries->slab, row);
}

/* The number by which routers answer: the row, and a serial against late answers. */
static uint64_t router_ref(const struct queries *queries, uint32_t row)
{
    return ((uint64_t) queries->rows[row].serial << 32) | row;
}

static void ask_router(const struct queries *queries,
                       const struct turn *turn,
                       uint32_t row,
                       uint32_t router,
                       uint64_t cursor)
{
    struct header like = {.kind = MESSAGE_QUERY, .origin = turn->incarnation};
    struct query *asked = message_add(turn->out, owners_address(queries->owners, router), &like);
    *asked = queries->rows[row].query;
    asked->ref = router_ref(queries, row);
    asked->cursor = cursor;
}

static void load(struct queries *queries, const struct turn *turn, uint32_t row)
{
    struct query_row *query = &queries->rows[row];
    query->state = QUERY_IS_LOADING;
    query->waiting = 0;
    timers_set(&queries->timers, row, turn->now_ms + LOAD_MS);
    struct loads_name name = {.use = LOADS_QUERIES, .row = row, .serial = query->serial};
    loads_ask_ticket(turn, name, query->query.ticket);
}

static void ask_owner(struct queries *queries, const struct turn *turn, uint32_t row)
{
    struct query_row *query = &queries->rows[row];
    struct address owner = {0};
    if (!owners_find(queries->owners, id_partition(query->query.ticket), &owner)) {
        load(queries, turn, row);
        return;
    }
    uint32_t router = owners_find_row(queries->owners, owner.peer);
    query->state = QUERY_ASKS_OWNER;
    query->waiting = UINT64_C(1) << router;
    timers_set(&queries->timers, row, turn->now_ms + AGENTS_ABLE_MS);
    ask_router(queries, turn, row, router, 0);
}

static void ask_routers(struct queries *queries, const struct turn *turn, uint32_t row)
{
    struct query_row *query = &queries->rows[row];
    query->state = QUERY_ASKS_ROUTERS;
    query->waiting = owners_owning(queries->owners);
    if (query->waiting == 0) {
        finish(queries, turn, row, VT_UNAVAILABLE);
        return;
    }
    timers_set(&queries->timers, row, turn->now_ms + ROUTERS_MS);
    for (uint64_t left = query->waiting; left != 0; left &= left - 1U) {
        ask_router(queries, turn, row, bits_lowest(left), query->query.cursor);
    }
}

void queries_ask(struct queries *queries,
                 const struct turn *turn,
                 struct address from,
                 const struct query *query)
{
    /* Of hundreds in one message the last ones may find no room to ask every router. */
    uint32_t row = 0;
    if (!turn_has_room(turn, OWNERS_ROUTERS_MAX + 2U) || slab_take(&queries->slab, &row) != VT_OK) {
        queries_end(turn, from, query->ref, VT_FULL);
        return;
    }
    queries->rows[row] = (struct query_row){.from = from,
                                            .query = *query,
                                            .serial = loads_serial(++queries->serial),
                                            .agents_able = UINT32_MAX,
                                            .error = VT_OK};
    if (query->what == QUERY_TICKET) {
        ask_owner(queries, turn, row);
    } else {
        ask_routers(queries, turn, row);
    }
}

static void copy_texts(const struct turn *turn, struct reply *reply)
{
    switch (reply->row) {
    case ROW_QUEUE:
        reply->queue.pool_name = turn_copy(turn, reply->queue.pool_name);
        reply->queue.name = turn_copy(turn, reply->queue.name);
        return;
    case ROW_AGENT:
        reply->agent.site_name = turn_copy(turn, reply->agent.site_name);
        reply->agent.name = turn_copy(turn, reply->agent.name);
        return;
    case ROW_END:
    case ROW_TICKET:
    case ROW_HISTORY:
    case ROW_METRIC:
    case ROW_CHECK:
        return;
    }
}

static void router_ended(
    struct queries *queries, const struct turn *turn, uint32_t row, uint32_t router, vt_err error)
{
    struct query_row *query = &queries->rows[row];
    query->waiting &= ~(UINT64_C(1) << router);
    if (query->error == VT_OK) {
        query->error = error;
    }
    if (query->waiting != 0) {
        return;
    }
    if (query->state == QUERY_ASKS_OWNER) {
        load(queries, turn, row);
    } else {
        finish(queries, turn, row, query->error);
    }
}

static void one_reply(struct queries *queries,
                      const struct turn *turn,
                      uint32_t router,
                      const struct reply *reply)
{
    uint32_t row = (uint32_t) reply->ref;
    if (!slab_is_taken(&queries->slab, row) || router_ref(queries, row) != reply->ref ||
        (queries->rows[row].waiting & (UINT64_C(1) << router)) == 0) {
        return;
    }
    struct query_row *query = &queries->rows[row];
    if (query->state == QUERY_ASKS_OWNER) {
        if (reply->row == ROW_TICKET) {
            query->agents_able = reply->ticket.agents_able;
        }
        if (reply->row == ROW_TICKET || reply->row == ROW_END) {
            router_ended(queries, turn, row, router, VT_OK);
        }
        return;
    }
    if (reply->row == ROW_END && reply->end.cursor != 0) {
        ask_router(queries, turn, row, router, reply->end.cursor);
        timers_set(&queries->timers, row, turn->now_ms + ROUTERS_MS);
        return;
    }
    if (reply->row == ROW_END) {
        router_ended(queries, turn, row, router, reply->end.error);
        return;
    }
    struct reply *passed = add_reply(turn, query->from, query->query.ref, reply->row);
    *passed = *reply;
    passed->ref = query->query.ref;
    copy_texts(turn, passed);
}

void queries_reply(struct queries *queries,
                   const struct turn *turn,
                   uint32_t router,
                   const struct message *message)
{
    for (uint32_t i = 0; i < message->count && turn_has_room(turn, 1); i++) {
        one_reply(queries, turn, router, &message->reply[i]);
    }
}

static void
send_ticket(const struct query_row *query, const struct turn *turn, const struct load_page *page)
{
    struct reply *reply = add_reply(turn, query->from, query->query.ref, ROW_TICKET);
    reply->ticket.row = page->rows[0];
    reply->ticket.row.requirements = turn_copy(turn, page->rows[0].requirements);
    reply->ticket.row.agent_name = turn_copy(turn, page->rows[0].agent_name);
    reply->ticket.row.site_name = turn_copy(turn, page->rows[0].site_name);
    reply->ticket.answer = turn_copy(turn, page->answer);
    reply->ticket.agents_able = query->agents_able;
    const struct plan_queue *queue =
        turn->plan == NULL ? NULL : plan_find_queue_id(turn->plan, page->rows[0].queue);
    if (queue != NULL) {
        reply->ticket.queue_name = turn_copy(turn, queue->name);
    }
    for (uint32_t i = 0; i < page->history_count && turn_has_room(turn, 2); i++) {
        reply = add_reply(turn, query->from, query->query.ref, ROW_HISTORY);
        reply->history = page->history[i];
        reply->history.agent_name = turn_copy(turn, page->history[i].agent_name);
        reply->history.detail = turn_copy(turn, page->history[i].detail);
    }
}

void queries_loaded(struct queries *queries,
                    const struct turn *turn,
                    uint64_t token,
                    const struct event *event)
{
    struct loads_name name = loads_name_of(token);
    if (!slab_is_taken(&queries->slab, name.row) || queries->rows[name.row].serial != name.serial ||
        queries->rows[name.row].state != QUERY_IS_LOADING) {
        return;
    }
    if (event->loaded.error != VT_OK) {
        finish(queries, turn, name.row, event->loaded.error);
        return;
    }
    if (event->loaded.page->row_count == 0) {
        finish(queries, turn, name.row, VT_NOT_FOUND);
        return;
    }
    send_ticket(&queries->rows[name.row], turn, event->loaded.page);
    finish(queries, turn, name.row, VT_OK);
}

void queries_drop_client(struct queries *queries, uint64_t peer)
{
    for (uint32_t row = 0; row < slab_high_water(&queries->slab); row++) {
        const struct query_row *query = &queries->rows[row];
        if (slab_is_taken(&queries->slab, row) && query->from.link == LINK_CLIENTS &&
            query->from.peer == peer) {
            timers_clear(&queries->timers, row);
            slab_give(&queries->slab, row);
        }
    }
}

/* Its answers end at once, by the row's timer in this step or the next. */
void queries_router_down(struct queries *queries, uint32_t router)
{
    for (uint32_t row = 0; row < slab_high_water(&queries->slab); row++) {
        struct query_row *query = &queries->rows[row];
        if (!slab_is_taken(&queries->slab, row) ||
            (query->waiting & (UINT64_C(1) << router)) == 0) {
            continue;
        }
        query->waiting &= ~(UINT64_C(1) << router);
        query->error = VT_UNAVAILABLE;
        if (query->waiting == 0) {
            timers_set(&queries->timers, row, 0);
        }
    }
}

void queries_run(struct queries *queries, const struct turn *turn)
{
    uint32_t row = 0;
    while (turn_has_room(turn, 1) && timers_pop_due(&queries->timers, turn->now_ms, &row)) {
        const struct query_row *query = &queries->rows[row];
        if (query->state == QUERY_ASKS_OWNER) {
            load(queries, turn, row);
        } else if (query->state == QUERY_ASKS_ROUTERS && query->waiting == 0) {
            finish(queries, turn, row, query->error);
        } else {
            finish(queries, turn, row, VT_TIMEOUT);
        }
    }
}

int64_t queries_deadline_ms(const struct queries *queries)
{
    return timers_next_ms(&queries->timers);
}
