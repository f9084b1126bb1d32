#include "router/router.h"

#include "lib/check.h"
#include "proto/plan.h"
#include "router/confirms.h"
#include "router/dispatch.h"
#include "router/holding.h"
#include "router/horizon.h"
#include "router/inside.h"
#include "router/queries.h"
#include "router/results.h"
#include "router/sends.h"

#define TOKEN_CLAIM UINT64_C(3)
#define TOKEN_KIND_SHIFT 56U
#define DUE_PER_STEP 512U
#define EVICT_PER_STEP 4096U
#define ACTIONS_PER_STEP 64U
#define LOADS_MAX 64U
#define MOVES_MAX 8U
#define MOVE_DELAY_MS 10000
#define LEAVE_WAIT_MS 2000
#define PAIRS_PER_SITE 16U
#define SAFETY_MARGIN_US INT64_C(15000000) /* younger rows may still be on their way to us */

struct router_options router_options_default(void)
{
    return (struct router_options){.tickets_max = 1000000,
                                   .classes_max = 65536,
                                   .profiles_max = 16384,
                                   .agents_max = 65536,
                                   .sites_max = 4096,
                                   .offers_max = 65536,
                                   .brokers_max = 64,
                                   .routers_max = 256,
                                   .parts_max = 4096,
                                   .queues_max = 4096,
                                   .batch_requests_max = 1000,
                                   .batch_texts_bytes = 8U << 20,
                                   .site_silence_ms = 15000,
                                   .refusal_ms = 15000,
                                   .check_ms = 60000};
}

static uint32_t or_u32(uint32_t value, uint32_t fallback)
{
    return value == 0 ? fallback : value;
}

static int64_t or_ms(int64_t value, int64_t fallback)
{
    return value == 0 ? fallback : value;
}

static struct router_options filled(const struct router_options *given)
{
    struct router_options usual = router_options_default();
    struct router_options options = *given;
    options.tickets_max = or_u32(given->tickets_max, usual.tickets_max);
    options.classes_max = or_u32(given->classes_max, usual.classes_max);
    options.profiles_max = or_u32(given->profiles_max, usual.profiles_max);
    options.agents_max = or_u32(given->agents_max, usual.agents_max);
    options.sites_max = or_u32(given->sites_max, usual.sites_max);
    options.offers_max = or_u32(given->offers_max, usual.offers_max);
    options.brokers_max = or_u32(given->brokers_max, usual.brokers_max);
    options.routers_max = or_u32(given->routers_max, usual.routers_max);
    options.parts_max = or_u32(given->parts_max, usual.parts_max);
    options.queues_max = or_u32(given->queues_max, usual.queues_max);
    options.batch_requests_max = or_u32(given->batch_requests_max, usual.batch_requests_max);
    options.batch_texts_bytes = or_u32(given->batch_texts_bytes, usual.batch_texts_bytes);
    options.site_silence_ms = or_ms(given->site_silence_ms, usual.site_silence_ms);
    options.refusal_ms = or_ms(given->refusal_ms, usual.refusal_ms);
    options.check_ms = or_ms(given->check_ms, usual.check_ms);
    return options;
}

static void init_matching(struct router *router, struct arena *arena)
{
    const struct router_options *options = &router->options;
    struct matching_options matching = {.tickets_max = options->tickets_max,
                                        .classes_max = options->classes_max,
                                        .profiles_max = options->profiles_max,
                                        .queues_max = options->queues_max,
                                        .agents_max = options->agents_max,
                                        .sites_max = options->sites_max,
                                        .seed = random_u64(&router->random)};
    matching_init(&router->matching, arena, &matching);
}

static void init_ownership(struct router *router, struct arena *arena)
{
    struct ownership_options ownership = {.seed = random_u64(&router->random),
                                          .incarnation = router->options.incarnation,
                                          .parts_max = router->options.parts_max,
                                          .routers_max = router->options.routers_max,
                                          .loads_max = LOADS_MAX,
                                          .moves_max = MOVES_MAX,
                                          .move_delay_ms = MOVE_DELAY_MS,
                                          .leave_wait_ms = LEAVE_WAIT_MS};
    ownership_init(&router->ownership, arena, &ownership);
}

static void init_tables(struct router *router, struct arena *arena)
{
    const struct router_options *options = &router->options;
    uint64_t pairs = (uint64_t) options->sites_max * PAIRS_PER_SITE;
    offers_init(
        &router->offers, arena, &(struct offers_options){options->offers_max, options->sites_max});
    sites_init(&router->sites,
               arena,
               &(struct sites_options){.seed = random_u64(&router->random),
                                       .sites_max = options->sites_max,
                                       .pairs_max = (uint32_t) pairs,
                                       .tickets_max = options->tickets_max,
                                       .silence_ms = options->site_silence_ms});
    commits_init(&router->commits,
                 arena,
                 &(struct commits_options){.seed = random_u64(&router->random),
                                           .requests_max = options->batch_requests_max,
                                           .texts_bytes = options->batch_texts_bytes});
    loads_init(&router->loads,
               arena,
               &(struct loads_options){.seed = random_u64(&router->random),
                                       .parts_max = options->parts_max,
                                       .tickets_max = 4096U + 2U * options->batch_requests_max});
    figures_init(&router->figures, arena, options->queues_max, random_u64(&router->random));
    forwards_init(router, arena);
    ledger_init(router, arena);
    router->parts = ARENA_ARRAY(arena, struct inside_part, options->parts_max);
    router->claims = ARENA_ARRAY(arena, struct store_request, options->parts_max);
}

struct router *router_open(struct arena *arena, const struct router_options *options)
{
    struct router scratch = {0};
    struct router *router = ARENA_NEW(arena, struct router);
    if (router == NULL) {
        router = &scratch;
    }
    router->options = filled(options);
    router->trace = options->trace;
    if (options->trace == NULL) {
        router->trace = ARENA_NEW(arena, struct trace); /* zeroed: silent */
    }
    router->evict_cursor = UINT32_MAX;
    router->stop_ms = NO_DEADLINE;
    random_init(&router->random, options->seed);
    init_matching(router, arena);
    init_ownership(router, arena);
    init_tables(router, arena);
    return arena_is_measuring(arena) ? NULL : router;
}

static void trace_part(struct router *router, const char *event, uint32_t part, uint64_t epoch)
{
    trace_event(router->trace, TRACE_INFO, event);
    trace_u64(router->trace, "part", part);
    trace_u64(router->trace, "epoch", epoch);
    trace_end(router->trace);
}

static void store_claim(struct router *router, uint32_t part, uint64_t epoch)
{
    struct store_request *request = &router->claims[part];
    *request = (struct store_request){.kind = STORE_CLAIM, .part = part, .epoch = epoch};
    request->claim.owner = router->options.name;
    struct effect *effect = effects_add(router->out, EFFECT_STORE);
    effect->store.token = (TOKEN_CLAIM << TOKEN_KIND_SHIFT) | part;
    effect->store.requests = request;
    effect->store.count = 1;
}

static void load(struct router *router, uint32_t part, uint64_t epoch)
{
    router->parts[part] = (struct inside_part){.check_ms = NO_DEADLINE};
    loads_open(&router->loads, part, epoch);
    loads_all(&router->loads, part);
    forwards_owns_changed(router);
}

static void drop(struct router *router, uint32_t part, uint64_t epoch)
{
    trace_part(router, "partition.dropped", part, epoch);
    loads_close(&router->loads, part);
    commits_drop_part(&router->commits, part);
    ledger_drop_part(router, part);
    router->parts[part] = (struct inside_part){.check_ms = NO_DEADLINE};
    forwards_owns_changed(router);
}

static void leave(struct router *router, uint32_t part, uint64_t epoch)
{
    trace_part(router, "partition.leaving", part, epoch);
    router->parts[part].is_serving = false;
    router->next_parts_ms = router->now_ms;
    dispatch_withdraw_part(router, part);
    ledger_pause_part(router, part);
}

static void release(struct router *router, uint32_t part, uint64_t epoch)
{
    trace_part(router, "partition.released", part, epoch);
    struct effect *effect = effects_add(router->out, EFFECT_RELEASE);
    effect->release.part = part;
    effect->release.epoch = epoch;
}

static void act(struct router *router, const struct ownership_action *action)
{
    switch (action->what) {
    case OWNERSHIP_DO_CLAIM:
        effects_add(router->out, EFFECT_CLAIM)->claim_part = action->part;
        return;
    case OWNERSHIP_DO_STORE_CLAIM:
        store_claim(router, action->part, action->epoch);
        return;
    case OWNERSHIP_DO_LOAD:
        trace_part(router, "partition.claimed", action->part, action->epoch);
        load(router, action->part, action->epoch);
        return;
    case OWNERSHIP_DO_LEAVE:
        leave(router, action->part, action->epoch);
        return;
    case OWNERSHIP_DO_DROP:
        drop(router, action->part, action->epoch);
        return;
    case OWNERSHIP_DO_RELEASE:
        release(router, action->part, action->epoch);
        return;
    case OWNERSHIP_DO_ALARM:
        trace_event(router->trace, TRACE_ERROR, "partition.refused");
        trace_u64(router->trace, "part", action->part);
        trace_text(router->trace, "reason", "the registry is older than the store: raise gen");
        trace_end(router->trace);
        return;
    }
}

/* Before anything else of a step: a lease that is over ends everything that it allowed. */
static void run_ownership(struct router *router)
{
    struct ownership_action action;
    for (uint32_t i = 0; i < ACTIONS_PER_STEP && effects_room(router->out) > 8U; i++) {
        if (!ownership_next(&router->ownership, router->now_ms, &action)) {
            return;
        }
        act(router, &action);
    }
}

static void loaded_all(struct router *router, uint32_t part)
{
    struct inside_part *row = &router->parts[part];
    row->check_ms = router->now_ms + router->options.check_ms;
    ownership_loaded(&router->ownership, part);
    if (ownership_state(&router->ownership, part) == OWNERSHIP_ACTIVE) {
        router->activations++;
        row->is_serving = true;
        ledger_serve_part(router, part);
        holding_ask_all(router, part);
    }
    trace_part(router, "partition.loaded", part, ownership_epoch(&router->ownership, part));
}

static void count_found(struct router *router, const struct ticket_row *row, int64_t store_now_us)
{
    bool is_old = row->queued_us < store_now_us - SAFETY_MARGIN_US;
    bool is_open = row->state == TICKET_QUEUED || row->state == TICKET_SCHEDULED ||
                   row->state == TICKET_ASSIGNED || row->state == TICKET_PARKED;
    const struct inside_part *part = &router->parts[row->part];
    if (is_open && is_old && !part->has_horizon && part->in_store == 0 &&
        tickets_find(&router->matching.tickets, row->id) == TICKETS_NONE) {
        router->counters.safety_net_found_total++;
        trace_event(router->trace, TRACE_ERROR, "safety_net.found");
        trace_id(router->trace, "ticket", row->id);
        trace_end(router->trace);
    }
}

static void take_rows(struct router *router, enum loads_what what, const struct load_page *page)
{
    for (uint32_t i = 0; i < page->row_count; i++) {
        if (what == LOADS_CHECK) {
            count_found(router, &page->rows[i], page->store_now_us);
        }
        ledger_take(router, &page->rows[i]);
    }
}

/* The rows of a page behind the horizon are within it from now on. */
static void move_horizon(struct router *router, uint32_t part, const struct load_page *page)
{
    struct inside_part *row = &router->parts[part];
    if (!page->has_more || page->row_count == 0) {
        row->has_horizon = false;
        return;
    }
    const struct ticket_row *last = &page->rows[page->row_count - 1U];
    row->horizon = (struct service_key){last->priority, last->created_us, last->id};
}

static void loaded(struct router *router, const struct event *event)
{
    const struct loads_job job = *loads_begin(&router->loads, event);
    const struct load_page *page = event->loaded.page;
    enum loads_end end = loads_end(&router->loads, event);
    if (end == LOADS_OBSOLETE || event->loaded.error != VT_OK) {
        return;
    }
    router->store_us = page->store_now_us;
    router->store_at_ms = router->now_ms;
    if (job.what == LOADS_TICKET) {
        confirms_loaded(router, &job, page);
        return;
    }
    if (job.what == LOADS_MORE) {
        move_horizon(router, job.part, page);
        horizon_paged(router, job.part, page);
    }
    take_rows(router, job.what, page);
    if (end == LOADS_ENDED && job.what == LOADS_ALL) {
        loaded_all(router, job.part);
    } else if (end == LOADS_ENDED && job.what == LOADS_RECENT) {
        forwards_read(router, job.part);
    } else if (end == LOADS_ENDED && job.what == LOADS_CHECK) {
        router->parts[job.part].check_ms = router->now_ms + router->options.check_ms;
    }
}

static void stored(struct router *router, const struct event *event)
{
    if (event->stored.token >> TOKEN_KIND_SHIFT != TOKEN_CLAIM) {
        results_stored(router, event);
        return;
    }
    uint32_t part = (uint32_t) event->stored.token;
    CHECK(event->stored.count == 1);
    ownership_store_claimed(
        &router->ownership, part, event->stored.results[0].status, router->now_ms);
}

static void received(struct router *router, const struct event *event)
{
    const struct message *message = event->received.message;
    if (message->header.kind == MESSAGE_QUERY) {
        queries_received(router, event->received.from, message);
    } else if (event->received.from.link != LINK_BROKERS) {
        return;
    } else if (message->header.kind == MESSAGE_FORWARD) {
        forwards_received(router, event->received.from.peer, message);
    } else {
        holding_received(router, event->received.from.peer, message);
    }
}

static void plan_came(struct router *router, const struct plan *plan)
{
    router->plan = plan;
    matching_plan(&router->matching, plan);
    ownership_plan(&router->ownership, plan);
    struct roster *roster = &router->matching.roster;
    for (uint32_t agent = roster_next_free(roster, 0); agent != ROSTER_NONE;
         agent = roster_next_free(roster, agent + 1U)) {
        ledger_touch_agent(router, agent);
    }
}

static void stop(struct router *router, const struct event *event)
{
    router->stop_ms = router->is_stopping ? router->now_ms : event->stop.deadline_ms;
    router->is_stopping = true;
    ownership_stop(&router->ownership);
}

static void dispatch(struct router *router, const struct event *event)
{
    switch (event->kind) {
    case EVENT_TIME:
        return;
    case EVENT_MESSAGE:
        received(router, event);
        return;
    case EVENT_LINK_DOWN:
        return; /* brokers are dialled again by the next OWNS; silence and HELD tell the rest */
    case EVENT_STORED:
        stored(router, event);
        return;
    case EVENT_LOADED:
        loaded(router, event);
        return;
    case EVENT_MEMBERS:
        forwards_members(router, event->members);
        ownership_members(&router->ownership, event->members, router->now_ms);
        return;
    case EVENT_CLAIMED:
        ownership_claimed(&router->ownership, event);
        return;
    case EVENT_LEASE:
        ownership_lease(&router->ownership, event->lease.deadline_ms);
        return;
    case EVENT_PLAN:
        plan_came(router, event->plan);
        return;
    case EVENT_STOP:
        stop(router, event);
        return;
    }
}

static void run_refusals(struct router *router)
{
    struct refusal due;
    for (uint32_t i = 0; i < DUE_PER_STEP; i++) {
        if (!refusals_pop_due(&router->matching.refusals, router->now_ms, &due)) {
            return;
        }
        ledger_touch_ticket(router, due.ticket);
    }
}

/* Partitions in special states; there are few at a time, and this runs once a step. */
static void run_parts(struct router *router)
{
    if (router->now_ms < router->next_parts_ms) {
        return;
    }
    router->next_parts_ms = NO_DEADLINE;
    for (uint32_t part = 0; part < router->options.parts_max; part++) {
        struct inside_part *row = &router->parts[part];
        enum ownership_state state = ownership_state(&router->ownership, part);
        if (state == OWNERSHIP_LEAVING) {
            router->next_parts_ms = router->now_ms + 10;
            if (commits_count(&router->commits, part) == 0) {
                ownership_left(&router->ownership, part);
            }
        } else if (state == OWNERSHIP_ACTIVE && row->check_ms <= router->now_ms) {
            row->check_ms = NO_DEADLINE;
            loads_check(&router->loads, part);
        }
    }
    int64_t soon_ms = router->now_ms + 1000;
    router->next_parts_ms = router->next_parts_ms < soon_ms ? router->next_parts_ms : soon_ms;
    horizon_page_in(router);
}

static void run_stop(struct router *router)
{
    if (!router->is_stopping || router->is_stopped) {
        return;
    }
    bool is_over = router->now_ms >= router->stop_ms;
    bool is_idle =
        ownership_is_empty(&router->ownership) && !router->commits.is_out && !router->loads.is_out;
    bool is_quiet = !router->commits.is_out; /* what is in the store thread comes back first */
    if (is_idle || (is_over && is_quiet)) {
        router->is_stopped = true;
        effects_add(router->out, EFFECT_STOPPED);
    }
}

static void step(void *self, const struct event *event, struct effects *out)
{
    struct router *router = self;
    router->out = out;
    router->now_ms = event->now_ms;
    router->wall_us = event->wall_us;
    run_ownership(router);
    dispatch(router, event);
    run_ownership(router);
    holding_expire(router);
    dispatch_expire(router);
    ledger_due(router, DUE_PER_STEP);
    run_refusals(router);
    if (horizon_is_evicting(router)) {
        horizon_evict(router, EVICT_PER_STEP);
    }
    dispatch_run(router);
    run_parts(router);
    forwards_owns(router);
    if (!router->is_stopped) {
        commits_send(&router->commits, router->now_ms, out);
        loads_send(&router->loads, router->now_ms, out);
    }
    run_stop(router);
    router->out = NULL;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t deadline_ms(const void *self)
{
    const struct router *router = self;
    if (router->is_stopped) {
        return NO_DEADLINE;
    }
    if (horizon_is_evicting(router) || dispatch_has_work(router)) {
        return router->now_ms;
    }
    int64_t next_ms = ownership_deadline_ms(&router->ownership);
    next_ms = sooner(next_ms, commits_deadline_ms(&router->commits));
    next_ms = sooner(next_ms, loads_deadline_ms(&router->loads));
    next_ms = sooner(next_ms, offers_next_ms(&router->offers));
    next_ms = sooner(next_ms, sites_next_ms(&router->sites));
    next_ms = sooner(next_ms, timers_next_ms(&router->ledger.timers));
    next_ms = sooner(next_ms, refusals_next_ms(&router->matching.refusals));
    next_ms = sooner(next_ms, router->forwards.owns_ms);
    next_ms = sooner(next_ms, router->next_parts_ms);
    next_ms = router->is_stopping ? sooner(next_ms, router->stop_ms) : next_ms;
    return next_ms < router->now_ms ? router->now_ms : next_ms;
}

struct core router_core(struct router *router)
{
    return (struct core){.self = router, .step = step, .deadline_ms = deadline_ms};
}
