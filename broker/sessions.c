#include "broker/sessions.h"

#include "broker/sites.h"
#include "lib/check.h"

static struct map_key peer_key(const void *context, uint32_t row)
{
    const struct sessions *sessions = context;
    return (struct map_key){.a = sessions->sites[row].peer};
}

static struct map_key name_key(const void *context, uint32_t row)
{
    const struct sessions *sessions = context;
    return (struct map_key){.a = sessions->sites[row].name};
}

static struct map_key id_key(const void *context, uint32_t row)
{
    const struct sessions *sessions = context;
    return (struct map_key){.a = sessions->sites[row].id};
}

static void
init(struct sessions *sessions, struct arena *arena, const struct sessions_options *options)
{
    uint32_t sites_max = options->sites_max;
    struct map_options map = {.capacity = sites_max, .seed = options->seed, .context = sessions};
    sessions->sites_max = sites_max;
    sessions->owners = options->owners;
    sessions->batches = options->batches;
    sessions->sites = ARENA_ARRAY(arena, struct site, sites_max);
    slab_init(&sessions->slab, arena, sites_max);
    map.key_of = peer_key;
    map_init(&sessions->by_peer, arena, &map);
    map.key_of = name_key;
    map_init(&sessions->by_name, arena, &map);
    map.key_of = id_key;
    map_init(&sessions->by_id, arena, &map);
    timers_init(&sessions->timers, arena, sites_max);
    sessions->dirty = ARENA_ARRAY(arena, uint64_t, BITS_WORDS(sites_max));
    rolls_init(&sessions->rolls,
               arena,
               &(struct rolls_options){.agents_max = options->agents_max,
                                       .held_max = options->held_max,
                                       .names_max = 2U * sites_max,
                                       .seed = options->seed});
}

struct sessions *sessions_open(struct arena *arena, const struct sessions_options *options)
{
    struct sessions scratch = {0};
    struct sessions *sessions = ARENA_NEW(arena, struct sessions);
    init(sessions == NULL ? &scratch : sessions, arena, options);
    return sessions;
}

uint32_t sites_find_peer(const struct sessions *sessions, uint64_t peer)
{
    uint32_t row = SITES_NONE;
    map_find(&sessions->by_peer, (struct map_key){.a = peer}, &row);
    return row;
}

uint32_t sites_find_name(const struct sessions *sessions, struct bytes name)
{
    uint32_t number = 0;
    uint32_t row = SITES_NONE;
    if (intern_find(&sessions->rolls.strings.strings, name, &number)) {
        map_find(&sessions->by_name, (struct map_key){.a = number}, &row);
    }
    return row;
}

uint32_t sites_find_id(const struct sessions *sessions, uint32_t id)
{
    uint32_t row = SITES_NONE;
    if (id != 0) {
        map_find(&sessions->by_id, (struct map_key){.a = id}, &row);
    }
    return row;
}

struct address sites_address(const struct site *site)
{
    return (struct address){.link = LINK_SITES, .peer = site->peer};
}

void sites_set_dirty(struct sessions *sessions, uint32_t row)
{
    bits_set(sessions->dirty, row);
}

void sites_set_timer(struct sessions *sessions, uint32_t row)
{
    const struct site *site = &sessions->sites[row];
    bool is_down = site->state == SITE_IS_DOWN;
    int64_t deadline_ms = site->heard_ms + (is_down ? SITES_MEMORY_MS : SITES_SILENCE_MS);
    if (site->state == SITE_WANTS_IDS && site->retry_ms != 0) {
        deadline_ms = turn_earlier(deadline_ms, site->retry_ms);
    }
    if ((site->state == SITE_IS_UP || is_down) && site->tries_left > 0) {
        deadline_ms = turn_earlier(deadline_ms, site->announce_ms);
    }
    timers_set(&sessions->timers, row, deadline_ms);
}

struct header sites_header(const struct turn *turn, const struct site *site, enum message_kind kind)
{
    return (struct header){
        .kind = kind, .site = site->id, .session = site->session, .origin = turn->incarnation};
}

void sites_say_again(const struct turn *turn, struct address to, uint32_t floor)
{
    struct header like = {.kind = MESSAGE_HELLO_AGAIN, .origin = turn->incarnation};
    struct hello_again *again = message_add(turn->out, to, &like);
    again->floor = floor;
}

void sites_go_down(struct sessions *sessions, const struct turn *turn, uint32_t row)
{
    struct site *site = &sessions->sites[row];
    CHECK(site->state != SITE_IS_DOWN);
    bool was_up = site->state == SITE_IS_UP;
    map_remove(&sessions->by_peer, (struct map_key){.a = site->peer});
    rolls_clear_agents(&sessions->rolls, &site->roll);
    rolls_clear_held(&sessions->rolls, &site->roll);
    site->state = SITE_IS_DOWN;
    site->heard_ms = turn->now_ms;
    site->due = 0;
    site->tries_left = 0;
    if (was_up) {
        sessions->up_count--;
        trace_event(turn->trace, TRACE_INFO, "site.down");
        trace_bytes(turn->trace, "site", shared_get(&sessions->rolls.strings, site->name));
        trace_u64(turn->trace, "id", site->id);
        trace_end(turn->trace);
        announce_to_all(sessions, turn, row);
        site->tries_left = 2;
    }
    sites_set_timer(sessions, row);
}

void sites_forget(struct sessions *sessions, uint32_t row)
{
    struct site *site = &sessions->sites[row];
    CHECK(site->state == SITE_IS_DOWN);
    if (site->id != 0) {
        map_remove(&sessions->by_id, (struct map_key){.a = site->id});
    }
    map_remove(&sessions->by_name, (struct map_key){.a = site->name});
    shared_give(&sessions->rolls.strings, site->name);
    shared_give(&sessions->rolls.strings, site->contractor);
    timers_clear(&sessions->timers, row);
    bits_clear(sessions->dirty, row);
    slab_give(&sessions->slab, row);
}

/* What a site says besides HELLO is stamped here: nothing of its header is believed but which part
 * it is for and where it stands in that owner's numbering. */
static void carry_up(struct sessions *sessions,
                     const struct turn *turn,
                     struct site *site,
                     const struct message *message)
{
    struct header like = sites_header(turn, site, message->header.kind);
    like.part = message->header.part;
    like.epoch = message->header.epoch;
    like.seq = message->header.seq;
    like.flags = message->header.flags;
    uint64_t routers = owners_routers(sessions->owners);
    struct address to = {0};
    if (like.part != PART_ALL) {
        bool is_known = owners_find(sessions->owners, like.part, &to);
        routers = is_known ? UINT64_C(1) << owners_find_row(sessions->owners, to.peer) : 0;
    }
    sessions->dropped_total += routers == 0 ? 1U : 0U;
    struct bytes carried = turn_copy(turn, message->carried);
    for (; routers != 0; routers &= routers - 1U) {
        to = owners_address(sessions->owners, bits_lowest(routers));
        struct message *copy = message_send(turn->out, to, &like);
        copy->carried = carried;
        copy->carried_count = message->carried_count;
        sessions->carried_total++;
    }
}

/* What a site answers to an owner's HELD_ASK: the only list that is not HELLO's, and that of one
 * epoch. */
static void carry_held(struct sessions *sessions,
                       const struct turn *turn,
                       const struct site *site,
                       const struct message *message)
{
    struct address to = {0};
    if (message->header.epoch == 0 || !owners_find(sessions->owners, message->header.part, &to)) {
        sessions->dropped_total++;
        return;
    }
    struct header like = sites_header(turn, site, MESSAGE_HELD);
    like.part = message->header.part;
    like.epoch = message->header.epoch;
    like.seq = message->header.seq;
    like.flags = message->header.flags;
    struct message *carried = message_send(turn->out, to, &like);
    carried->held = ARENA_ARRAY(&turn->out->scratch, struct held, message->count);
    carried->count = message->count;
    for (uint32_t i = 0; i < message->count; i++) {
        carried->held[i] = message->held[i];
    }
    sessions->carried_total++;
}

static bool changes_held(enum message_kind kind)
{
    return kind == MESSAGE_ACCEPT || kind == MESSAGE_CONFIRM || kind == MESSAGE_RELEASE ||
           kind == MESSAGE_OUTCOME || kind == MESSAGE_VERDICT;
}

static void ping(const struct turn *turn, const struct site *site)
{
    struct header like = sites_header(turn, site, MESSAGE_PING);
    message_send(turn->out, sites_address(site), &like);
}

void sessions_hear_site(struct sessions *sessions,
                        const struct turn *turn,
                        uint64_t peer,
                        const struct message *message)
{
    enum message_kind kind = message->header.kind;
    if (kind == MESSAGE_HELLO) {
        hello_begin(sessions, turn, peer, message);
        return;
    }
    uint32_t row = sites_find_peer(sessions, peer);
    if (row == SITES_NONE) {
        if (!sessions->is_draining && kind != MESSAGE_AGENT && kind != MESSAGE_HELD) {
            sites_say_again(turn, (struct address){.link = LINK_SITES, .peer = peer}, 0);
        }
        return;
    }
    struct site *site = &sessions->sites[row];
    site->heard_ms = turn->now_ms;
    if (kind == MESSAGE_HELD && site->state == SITE_IS_UP) {
        carry_held(sessions, turn, site, message);
    } else if (kind == MESSAGE_AGENT || kind == MESSAGE_HELD) {
        hello_go_on(sessions, turn, row, message);
    } else if (kind == MESSAGE_PING) {
        ping(turn, site);
    } else if (message_is_carried_kind(kind) && site->state == SITE_IS_UP) {
        site->has_changed = site->has_changed || changes_held(kind);
        carry_up(sessions, turn, site, message);
    }
}

void sessions_carry_down(struct sessions *sessions,
                         const struct turn *turn,
                         uint32_t router,
                         const struct message *message)
{
    uint32_t row = sites_find_id(sessions, message->header.site);
    if (row == SITES_NONE || sessions->sites[row].state != SITE_IS_UP) {
        sessions->dropped_total++;
        return;
    }
    struct site *site = &sessions->sites[row];
    if (session_equal(message->header.session, site->session)) {
        site->acked |= UINT64_C(1) << router;
    }
    site->has_changed = site->has_changed || changes_held(message->header.kind);
    struct message *copy = message_send(turn->out, sites_address(site), &message->header);
    copy->carried = turn_copy(turn, message->carried);
    copy->carried_count = message->carried_count;
    sessions->carried_total++;
}

void sessions_link_down(struct sessions *sessions, const struct turn *turn, uint64_t peer)
{
    uint32_t row = sites_find_peer(sessions, peer);
    if (row != SITES_NONE) {
        sites_go_down(sessions, turn, row);
    }
}

void sessions_router_up(struct sessions *sessions, uint32_t router)
{
    for (uint32_t row = 0; row < slab_high_water(&sessions->slab); row++) {
        struct site *site = &sessions->sites[row];
        if (slab_is_taken(&sessions->slab, row) && site->state == SITE_IS_UP) {
            site->due |= UINT64_C(1) << router;
            sites_set_dirty(sessions, row);
        }
    }
}

void sessions_router_down(struct sessions *sessions, uint32_t router)
{
    uint64_t others = ~(UINT64_C(1) << router);
    for (uint32_t row = 0; row < slab_high_water(&sessions->slab); row++) {
        struct site *site = &sessions->sites[row];
        site->due &= others;
        site->told &= others;
        site->acked &= others;
    }
}

void sessions_drain(struct sessions *sessions)
{
    sessions->is_draining = true;
    for (uint32_t row = 0; row < slab_high_water(&sessions->slab); row++) {
        if (slab_is_taken(&sessions->slab, row)) {
            sites_set_dirty(sessions, row);
        }
    }
}

static void on_timer(struct sessions *sessions, const struct turn *turn, uint32_t row)
{
    struct site *site = &sessions->sites[row];
    if (site->state == SITE_IS_DOWN && site->heard_ms + SITES_MEMORY_MS <= turn->now_ms) {
        sites_forget(sessions, row);
        return;
    }
    if (site->state != SITE_IS_DOWN && site->heard_ms + SITES_SILENCE_MS <= turn->now_ms) {
        sites_go_down(sessions, turn, row);
        return;
    }
    if (site->state == SITE_WANTS_IDS && site->retry_ms <= turn->now_ms) {
        site->retry_ms = 0;
        sites_set_dirty(sessions, row);
    }
    announce_again(sessions, turn, row);
    sites_set_timer(sessions, row);
}

/* False: the step has no more room. */
static bool work(struct sessions *sessions, const struct turn *turn, uint32_t row)
{
    struct site *site = &sessions->sites[row];
    if (!turn_has_room(turn, 2)) {
        return false;
    }
    if (site->state == SITE_WANTS_IDS) {
        hello_ask_store(sessions, turn, row);
    }
    if (site->state == SITE_IS_UP && !site->is_welcomed) {
        hello_welcome(sessions, turn, row);
    }
    if (sessions->is_draining && site->state != SITE_IS_DOWN && !site->is_sent_away) {
        struct header like = sites_header(turn, site, MESSAGE_GOAWAY);
        message_send(turn->out, sites_address(site), &like);
        site->is_sent_away = true;
    }
    return announce_run(sessions, turn, row);
}

void sessions_run(struct sessions *sessions, const struct turn *turn)
{
    uint32_t row = 0;
    while (timers_pop_due(&sessions->timers, turn->now_ms, &row)) {
        on_timer(sessions, turn, row);
    }
    uint32_t words = BITS_WORDS(sessions->sites_max);
    for (row = bits_next(sessions->dirty, words, 0); row != BITS_NONE;
         row = bits_next(sessions->dirty, words, row + 1U)) {
        if (!work(sessions, turn, row)) {
            return;
        }
        bits_clear(sessions->dirty, row);
    }
}

int64_t sessions_deadline_ms(const struct sessions *sessions, int64_t now_ms)
{
    if (!bits_is_empty(sessions->dirty, BITS_WORDS(sessions->sites_max))) {
        return now_ms;
    }
    return timers_next_ms(&sessions->timers);
}

struct sessions_figures sessions_figures(const struct sessions *sessions)
{
    return (struct sessions_figures){.sites_up = sessions->up_count,
                                     .agents = slab_used(&sessions->rolls.agent_slab),
                                     .refused_total = sessions->refused_total,
                                     .carried_total = sessions->carried_total,
                                     .dropped_total = sessions->dropped_total};
}
