#include "broker/followers.h"

#include "broker/loads.h"
#include "lib/check.h"
#include "lib/list.h"
#include "lib/map.h"
#include "lib/slab.h"
#include "lib/timers.h"

#define READ_EVERY_MS INT64_C(30000)
#define READ_AGAIN_MS INT64_C(1000) /* the store could not be read */
#define LOADS_MAX 32u               /* on their way at the same time */

struct follower {
    uint64_t peer;
    uint32_t watch;
    uint32_t rev;
    bool is_told; /* at least once */
};

/* A ticket that somebody follows. */
struct watch {
    struct ticket_id ticket;
    struct list followers;
    uint32_t serial;
    uint32_t hinted_rev; /* an owner spoke of it while the row was being read */
    bool is_loading;
};

struct followers {
    struct follower *rows;
    struct list_link *links;
    struct slab slab;
    struct watch *watches;
    struct slab watch_slab;
    struct map by_ticket;
    struct timers timers; /* by watch: when to read */
    uint32_t loading_count;
    uint32_t serial;
    uint64_t refused_total;
};

static struct map_key key_of(const void *context, uint32_t row)
{
    const struct followers *followers = context;
    struct ticket_id id = followers->watches[row].ticket;
    return (struct map_key){.a = id.hi, .b = id.lo};
}

static void
init(struct followers *followers, struct arena *arena, const struct followers_options *options)
{
    uint32_t capacity = options->followers_max;
    followers->rows = ARENA_ARRAY(arena, struct follower, capacity);
    followers->links = ARENA_ARRAY(arena, struct list_link, capacity);
    slab_init(&followers->slab, arena, capacity);
    followers->watches = ARENA_ARRAY(arena, struct watch, capacity);
    slab_init(&followers->watch_slab, arena, capacity);
    timers_init(&followers->timers, arena, capacity);
    map_init(
        &followers->by_ticket,
        arena,
        &(struct map_options){
            .capacity = capacity, .seed = options->seed, .key_of = key_of, .context = followers});
}

struct followers *followers_open(struct arena *arena, const struct followers_options *options)
{
    struct followers scratch = {0};
    struct followers *followers = ARENA_NEW(arena, struct followers);
    init(followers == NULL ? &scratch : followers, arena, options);
    return followers;
}

static bool find_watch(const struct followers *followers, struct ticket_id id, uint32_t *watch)
{
    return map_find(&followers->by_ticket, (struct map_key){.a = id.hi, .b = id.lo}, watch);
}

/* Reads at once; a read that is under way may be older than what it is wanted for. */
static void want_read(struct followers *followers, const struct turn *turn, uint32_t watch)
{
    timers_set(&followers->timers, watch, turn->now_ms);
}

static void drop_follower(struct followers *followers, uint32_t row)
{
    uint32_t number = followers->rows[row].watch;
    struct watch *watch = &followers->watches[number];
    list_remove(&watch->followers, followers->links, row);
    slab_give(&followers->slab, row);
    if (watch->followers.count > 0) {
        return;
    }
    followers->loading_count -= watch->is_loading ? 1U : 0U;
    struct map_key key = {.a = watch->ticket.hi, .b = watch->ticket.lo};
    map_remove(&followers->by_ticket, key);
    timers_clear(&followers->timers, number);
    slab_give(&followers->watch_slab, number);
}

static uint32_t get_watch(struct followers *followers, struct ticket_id ticket)
{
    uint32_t watch = 0;
    if (find_watch(followers, ticket, &watch)) {
        return watch;
    }
    /* There are as many watches as followers, and none without one: there is room. */
    vt_err err = slab_take(&followers->watch_slab, &watch);
    CHECK(err == VT_OK);
    followers->watches[watch] =
        (struct watch){.ticket = ticket, .serial = loads_serial(++followers->serial)};
    err = map_put(&followers->by_ticket, (struct map_key){.a = ticket.hi, .b = ticket.lo}, watch);
    CHECK(err == VT_OK);
    return watch;
}

static uint32_t
find_follower(const struct followers *followers, struct ticket_id ticket, uint64_t peer)
{
    uint32_t watch = 0;
    if (!find_watch(followers, ticket, &watch)) {
        return LIST_NONE;
    }
    uint32_t row = list_first(&followers->watches[watch].followers);
    while (row != LIST_NONE && followers->rows[row].peer != peer) {
        row = list_next(followers->links, row);
    }
    return row;
}

static void follow(struct followers *followers,
                   const struct turn *turn,
                   uint64_t peer,
                   const struct follow *wanted)
{
    uint32_t row = find_follower(followers, wanted->ticket, peer);
    if (row == LIST_NONE) {
        if (slab_take(&followers->slab, &row) != VT_OK) {
            followers->refused_total++;
            return;
        }
        uint32_t watch = get_watch(followers, wanted->ticket);
        followers->rows[row] = (struct follower){.peer = peer, .watch = watch};
        list_push_back(&followers->watches[watch].followers, followers->links, row);
    }
    followers->rows[row].rev = wanted->rev;
    followers->rows[row].is_told = false;
    want_read(followers, turn, followers->rows[row].watch);
}

void followers_follow(struct followers *followers,
                      const struct turn *turn,
                      uint64_t peer,
                      const struct message *message)
{
    for (uint32_t i = 0; i < message->count; i++) {
        follow(followers, turn, peer, &message->follow[i]);
    }
}

void followers_update(struct followers *followers,
                      const struct turn *turn,
                      const struct update *update)
{
    uint32_t watch = 0;
    if (find_watch(followers, update->ticket, &watch)) {
        followers->watches[watch].hinted_rev = update->rev;
        want_read(followers, turn, watch);
    }
}

static bool is_closed(enum ticket_state state)
{
    return state == TICKET_NONE || state == TICKET_DONE || state == TICKET_CANCELLED ||
           state == TICKET_DEAD;
}

static void tell(struct follower *follower, const struct turn *turn, const struct update *news)
{
    if (follower->is_told && news->rev <= follower->rev) {
        return;
    }
    struct header like = {.kind = MESSAGE_UPDATE, .origin = turn->incarnation};
    struct address to = {.link = LINK_CLIENTS, .peer = follower->peer};
    struct update *update = message_add(turn->out, to, &like);
    *update = *news;
    follower->rev = news->rev;
    follower->is_told = true;
}

/* Everybody hears; whoever follows a ticket that is closed, or that does not exist, heard its last.
 * Those for whom the step has no room are told by the next read. */
static void
tell_all(struct followers *followers, const struct turn *turn, uint32_t watch, struct update news)
{
    uint32_t row = list_first(&followers->watches[watch].followers);
    while (row != LIST_NONE) {
        uint32_t next = list_next(followers->links, row);
        if (!turn_has_room(turn, 1)) {
            want_read(followers, turn, watch);
            return;
        }
        tell(&followers->rows[row], turn, &news);
        if (is_closed(news.state)) {
            drop_follower(followers, row);
        }
        row = next;
    }
}

void followers_loaded(struct followers *followers,
                      const struct turn *turn,
                      uint64_t token,
                      const struct event *event)
{
    struct loads_name name = loads_name_of(token);
    if (!slab_is_taken(&followers->watch_slab, name.row) ||
        followers->watches[name.row].serial != name.serial ||
        !followers->watches[name.row].is_loading) {
        return;
    }
    struct watch *watch = &followers->watches[name.row];
    watch->is_loading = false;
    followers->loading_count--;
    if (event->loaded.error != VT_OK) {
        timers_set(&followers->timers, name.row, turn->now_ms + READ_AGAIN_MS);
        return;
    }
    struct update news = {.ticket = watch->ticket, .state = TICKET_NONE};
    if (event->loaded.page->row_count > 0) {
        const struct ticket_row *row = &event->loaded.page->rows[0];
        news.rev = row->rev;
        news.state = row->state;
        news.attempt = row->attempt;
    }
    /* A hint that came while this was read may be of a later change. */
    bool is_behind = watch->hinted_rev > news.rev && news.rev != 0;
    int64_t next_ms = is_behind ? turn->now_ms : turn->now_ms + READ_EVERY_MS;
    watch->hinted_rev = 0;
    timers_set(&followers->timers, name.row, next_ms);
    tell_all(followers, turn, name.row, news);
}

void followers_drop_client(struct followers *followers, uint64_t peer)
{
    if (slab_used(&followers->slab) == 0) {
        return;
    }
    for (uint32_t row = 0; row < slab_high_water(&followers->slab); row++) {
        if (slab_is_taken(&followers->slab, row) && followers->rows[row].peer == peer) {
            drop_follower(followers, row);
        }
    }
}

void followers_run(struct followers *followers, const struct turn *turn)
{
    uint32_t number = 0;
    while (turn_has_room(turn, 1) && followers->loading_count < LOADS_MAX &&
           timers_pop_due(&followers->timers, turn->now_ms, &number)) {
        struct watch *watch = &followers->watches[number];
        if (watch->is_loading) {
            continue; /* its answer sets the timer again */
        }
        watch->is_loading = true;
        followers->loading_count++;
        struct loads_name name = {.use = LOADS_FOLLOWERS, .row = number, .serial = watch->serial};
        loads_ask_ticket(turn, name, watch->ticket);
    }
}

int64_t followers_deadline_ms(const struct followers *followers)
{
    if (followers->loading_count >= LOADS_MAX) {
        return NO_DEADLINE;
    }
    return timers_next_ms(&followers->timers);
}

uint32_t followers_count(const struct followers *followers)
{
    return slab_used(&followers->slab);
}

uint64_t followers_refused_total(const struct followers *followers)
{
    return followers->refused_total;
}
