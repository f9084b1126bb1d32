#include "router/partitions.h"

#include "lib/check.h"
#include "router/dispatch.h"
#include "router/horizon.h"
#include "router/inside.h"
#include "router/walks.h"

#define TOKEN_CLAIM UINT64_C(3)
#define TOKEN_KIND_SHIFT 56U
#define ACTIONS_PER_STEP 64U
#define LOOK_MS 1000
#define LOOK_LEAVING_MS 10

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
    router->parts[part] =
        (struct inside_part){.check_ms = NO_DEADLINE, .since_us = inside_store_us(router)};
    loads_open(&router->loads, part, epoch);
    loads_all(&router->loads, part);
    forwards_owns_changed(router);
}

static void drop(struct router *router, uint32_t part, uint64_t epoch)
{
    trace_part(router, "partition.dropped", part, epoch);
    loads_close(&router->loads, part);
    commits_drop_part(&router->commits, part);
    walks_drop_part(router, part);
    router->parts[part] = (struct inside_part){.check_ms = NO_DEADLINE};
    forwards_owns_changed(router);
}

static void leave(struct router *router, uint32_t part, uint64_t epoch)
{
    trace_part(router, "partition.leaving", part, epoch);
    router->parts[part].is_serving = false;
    router->next_parts_ms = router->now_ms;
    dispatch_withdraw_part(router, part);
    walks_pause_part(router, part);
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

void partitions_run(struct router *router)
{
    struct ownership_action action;
    for (uint32_t i = 0; i < ACTIONS_PER_STEP && effects_room(router->out) > 8U; i++) {
        if (!ownership_next(&router->ownership, router->now_ms, &action)) {
            return;
        }
        act(router, &action);
    }
}

bool partitions_is_claim(uint64_t token)
{
    return token >> TOKEN_KIND_SHIFT == TOKEN_CLAIM;
}

void partitions_claimed(struct router *router, const struct event *event)
{
    uint32_t part = (uint32_t) event->stored.token;
    CHECK(event->stored.count == 1);
    ownership_store_claimed(
        &router->ownership, part, event->stored.results[0].status, router->now_ms);
}

static void look_at(struct router *router, uint32_t part)
{
    struct inside_part *row = &router->parts[part];
    enum ownership_state state = ownership_state(&router->ownership, part);
    if (state == OWNERSHIP_LEAVING) {
        router->next_parts_ms = router->now_ms + LOOK_LEAVING_MS;
        if (commits_count(&router->commits, part) == 0) {
            ownership_left(&router->ownership, part);
        }
    } else if (state == OWNERSHIP_ACTIVE && row->check_ms <= router->now_ms) {
        row->check_ms = NO_DEADLINE;
        loads_check(&router->loads, part);
    }
}

void partitions_look(struct router *router)
{
    if (router->now_ms < router->next_parts_ms) {
        return;
    }
    router->next_parts_ms = router->now_ms + LOOK_MS;
    for (uint32_t part = 0; part < router->options.parts_max; part++) {
        look_at(router, part);
    }
    horizon_page_in(router);
}
