#include "router/router.h"

#include "router/dispatch.h"
#include "router/holding.h"
#include "router/horizon.h"
#include "router/inside.h"
#include "router/pages.h"
#include "router/partitions.h"
#include "router/queries.h"
#include "router/results.h"
#include "router/walks.h"

#define DUE_PER_STEP 512U
#define EVICT_PER_STEP 4096U
#define SERVE_PER_STEP 4096U
#define LOADS_MAX 64U
#define MOVES_MAX 8U
#define MOVE_DELAY_MS 10000
#define LEAVE_WAIT_MS 2000
#define PAIRS_PER_SITE 16U

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
                                   .batch_requests_max = 4000,
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

static void build(struct router *router, struct arena *arena, const struct router_options *options)
{
    router->options = filled(options);
    router->trace = options->trace;
    if (options->trace == NULL) {
        router->trace = ARENA_NEW(arena, struct trace); /* zeroed: silent */
    }
    router->evict_cursor = UINT32_MAX;
    router->serve_cursor = UINT32_MAX;
    router->stop_ms = NO_DEADLINE;
    random_init(&router->random, options->seed);
    init_matching(router, arena);
    init_ownership(router, arena);
    init_tables(router, arena);
}

struct router *router_open(struct arena *arena, const struct router_options *options)
{
    struct router *router = ARENA_NEW(arena, struct router);
    if (router == NULL) {
        struct router scratch = {0};
        build(&scratch, arena, options);
        return NULL;
    }
    build(router, arena, options);
    return router;
}

static void stored(struct router *router, const struct event *event)
{
    if (partitions_is_claim(event->stored.token)) {
        partitions_claimed(router, event);
    } else {
        results_stored(router, event);
    }
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
        pages_loaded(router, event);
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
    partitions_run(router);
    dispatch(router, event);
    partitions_run(router);
    holding_expire(router);
    dispatch_expire(router);
    ledger_due(router, DUE_PER_STEP);
    run_refusals(router);
    if (horizon_is_evicting(router)) {
        horizon_evict(router, EVICT_PER_STEP);
    }
    if (walks_is_serving(router)) {
        walks_serve(router, SERVE_PER_STEP);
    }
    dispatch_run(router);
    partitions_look(router);
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
    if (horizon_is_evicting(router) || walks_is_serving(router) || dispatch_has_work(router)) {
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
