#include "tests/scenario/world.h"

#include <stdlib.h>
#include <string.h>

#include "lib/check.h"
#include "tests/scenario/world_inside.h"

/* Time and events: what is due next is given to the core it is for, and what that core wants done
 * is put in for later. */

#define STORE_MS 2
#define REGISTRY_MS 1
#define WALL_START_US INT64_C(1700000000000000)
#define STEPS_AT_ONCE_MAX 1000u

void *world_allocate(uint64_t size)
{
    void *memory = calloc(1, (size_t) size);
    CHECK(memory != NULL);
    return memory;
}

struct world *world_open(void)
{
    struct world *world = world_allocate(sizeof *world);
    world->now_ms = 0;
    world->store = store_memory_open();
    world->plan = world_example_plan();
    arena_init(&world->scratch, world_allocate(SCRATCH_BYTES), SCRATCH_BYTES);
    arena_init(
        &world->effects.scratch, world_allocate(EFFECTS_SCRATCH_BYTES), EFFECTS_SCRATCH_BYTES);
    world->effects.list = world_allocate(EFFECTS_MAX * sizeof(struct effect));
    text_init(&world->trace, world_allocate(TRACE_BYTES), TRACE_BYTES);
    return world;
}

static void free_pending(struct pending *pending)
{
    free(pending->header);
    free(pending->body);
    free(pending->results);
}

void world_close(struct world *world)
{
    if (world == NULL) {
        return;
    }
    for (uint32_t i = 0; i < world->node_count; i++) {
        free(world->nodes[i].memory);
        store_memory_close(world->nodes[i].journal);
    }
    for (uint32_t i = 0; i < world->pending_count; i++) {
        free_pending(&world->pending[i]);
    }
    store_memory_close(world->store);
    free(world->scratch.memory);
    free(world->effects.scratch.memory);
    free(world->effects.list);
    free(world->trace.data);
    free(world);
}

struct store_memory *world_store(struct world *world)
{
    return world->store;
}

int64_t world_now_ms(const struct world *world)
{
    return world->now_ms;
}

static int64_t wall_us(const struct world *world)
{
    return WALL_START_US + world->now_ms * 1000;
}

struct pending *world_add_pending(struct world *world, enum pending_kind kind, int64_t after_ms)
{
    CHECK(world->pending_count < PENDING_MAX);
    struct pending *pending = &world->pending[world->pending_count++];
    *pending =
        (struct pending){.kind = kind, .due_ms = world->now_ms + after_ms, .order = world->order++};
    return pending;
}

/* ------------------------------------------------------------------ effects */

static void ask_store(struct world_node *node, const struct effect *effect)
{
    struct world *world = node->world;
    struct store_memory *store = node->sort == SORT_SITE ? node->journal : world->store;
    uint32_t count = effect->store.count;
    struct store_result *results = world_allocate((count + 1) * sizeof *results);
    store_memory_write(store, effect->store.requests, results, count, wall_us(world));

    struct pending *pending = world_add_pending(world, PENDING_STORED, STORE_MS);
    pending->token = effect->store.token;
    pending->results = results;
    pending->count = count;
    pending->node = (uint32_t) (node - world->nodes);
    pending->incarnation = node->incarnation;
}

static void ask_page(struct world_node *node, const struct effect *effect)
{
    struct pending *pending = world_add_pending(node->world, PENDING_LOADED, STORE_MS);
    pending->token = effect->load.token;
    pending->load = effect->load.request;
    pending->node = (uint32_t) (node - node->world->nodes);
    pending->incarnation = node->incarnation;
}

static uint32_t find_owner(const struct world *world, uint32_t part)
{
    uint32_t at = 0;
    while (at < world->owner_count && world->owners[at].part != part) {
        at++;
    }
    return at;
}

static void claim(struct world_node *node, uint32_t part)
{
    struct world *world = node->world;
    uint32_t self = (uint32_t) (node - world->nodes);
    struct pending *pending = world_add_pending(world, PENDING_CLAIMED, REGISTRY_MS);
    pending->part = part;
    pending->node = self;
    pending->incarnation = node->incarnation;
    if (find_owner(world, part) < world->owner_count) {
        pending->error = VT_CONFLICT;
        return;
    }
    CHECK(world->owner_count < ARRAY_LENGTH(world->owners));
    pending->epoch = ++world->epoch;
    world->owners[world->owner_count++] =
        (struct ownership_key){.part = part, .node = self, .epoch = pending->epoch};
    world_tell_members(world);
}

static void release(struct world_node *node, const struct effect *effect)
{
    struct world *world = node->world;
    uint32_t at = find_owner(world, effect->release.part);
    if (at < world->owner_count && world->owners[at].epoch == effect->release.epoch) {
        world->owners[at] = world->owners[--world->owner_count];
        world_tell_members(world);
    }
}

static void carry_out(struct world_node *node, const struct effect *effect)
{
    struct world *world = node->world;
    struct end self = {.node = (uint32_t) (node - world->nodes)};
    switch (effect->kind) {
    case EFFECT_SEND:
        self.address = effect->send.to;
        if (effect->send.to.link == LINK_DESK) {
            world_desk_receive(node, (uint32_t) effect->send.to.peer, effect->send.message);
        } else if (effect->send.to.link != LINK_LOCAL) {
            world_send(world, self, effect->send.message);
        }
        break;
    case EFFECT_STORE:
        ask_store(node, effect);
        break;
    case EFFECT_LOAD:
        ask_page(node, effect);
        break;
    case EFFECT_CLAIM:
        claim(node, effect->claim_part);
        break;
    case EFFECT_RELEASE:
        release(node, effect);
        break;
    case EFFECT_HANG_UP:
        self.address = effect->hang_up;
        world_hang_up(world, self);
        break;
    case EFFECT_STOPPED:
        node->has_stopped = true;
        break;
    }
}

/* Memory that was only lent is spoiled, so that a core which kept a view of it is found out. */
static void spoil(struct arena *arena)
{
    uint64_t used = arena->used;
    arena_reset(arena);
    memset(arena->memory, 0xdd, used);
}

void world_step(struct world_node *node, struct event *event)
{
    struct world *world = node->world;
    event->now_ms = world->now_ms;
    event->wall_us = wall_us(world);
    world->effects.count = 0;
    node->core.step(node->core.self, event, &world->effects);
    for (uint32_t i = 0; i < world->effects.count; i++) {
        carry_out(node, &world->effects.list[i]);
    }
    spoil(&world->effects.scratch);
}

/* ------------------------------------------------------------------ events */

static void tell_stored(struct world_node *node, const struct pending *pending)
{
    struct arena *arena = &node->world->scratch;
    struct store_result *results = ARENA_ARRAY(arena, struct store_result, pending->count + 1);
    for (uint32_t i = 0; i < pending->count; i++) {
        results[i] = pending->results[i];
        results[i].row.requirements = bytes_copy(arena, results[i].row.requirements);
        results[i].body = bytes_copy(arena, results[i].body);
    }
    struct event event = {.kind = EVENT_STORED};
    event.stored.token = pending->token;
    event.stored.results = results;
    event.stored.count = pending->count;
    world_step(node, &event);
}

static void tell_loaded(struct world_node *node, const struct pending *pending)
{
    struct world *world = node->world;
    struct store_memory *store = node->sort == SORT_SITE ? node->journal : world->store;
    struct load_page page;
    struct event event = {.kind = EVENT_LOADED};
    event.loaded.token = pending->token;
    event.loaded.error =
        store_memory_load(store, &pending->load, &page, &world->scratch, wall_us(world));
    event.loaded.page = &page;
    world_step(node, &event);
}

static void tell_registered(struct world_node *node)
{
    struct world *world = node->world;
    struct node list[NODES_MAX];
    struct membership members = {
        .nodes = list, .owners = world->owners, .owner_count = world->owner_count};
    for (uint32_t i = 0; i < world->node_count; i++) {
        const struct world_node *other = &world->nodes[i];
        if (other->sort != SORT_SITE && other->is_registered) {
            list[members.node_count++] =
                (struct node){.kind = other->sort == SORT_BROKER ? NODE_BROKER : NODE_ROUTER,
                              .state = NODE_ACTIVE,
                              .number = i,
                              .weight = 1,
                              .incarnation = other->incarnation,
                              .name = bytes_of_text(other->name)};
        }
    }
    struct event event = {.kind = EVENT_MEMBERS, .members = &members};
    world_step(node, &event);
}

void world_tell_members(struct world *world)
{
    for (uint32_t i = 0; i < world->node_count; i++) {
        if (world->nodes[i].sort != SORT_SITE && world->nodes[i].is_up) {
            struct pending *pending = world_add_pending(world, PENDING_MEMBERS, REGISTRY_MS);
            pending->node = i;
            pending->incarnation = world->nodes[i].incarnation;
        }
    }
}

static void tell(struct world_node *node, const struct pending *pending)
{
    struct event event = {0};
    switch (pending->kind) {
    case PENDING_MESSAGE:
        world_deliver(node->world, pending);
        break;
    case PENDING_LINK_DOWN:
        event = (struct event){.kind = EVENT_LINK_DOWN, .link_down = pending->from};
        world_step(node, &event);
        break;
    case PENDING_STORED:
        tell_stored(node, pending);
        break;
    case PENDING_LOADED:
        tell_loaded(node, pending);
        break;
    case PENDING_MEMBERS:
        tell_registered(node);
        break;
    case PENDING_LEASE:
        event = (struct event){.kind = EVENT_LEASE, .lease = {.deadline_ms = NO_DEADLINE}};
        world_step(node, &event);
        break;
    case PENDING_PLAN:
        event = (struct event){.kind = EVENT_PLAN, .plan = &node->world->plan};
        world_step(node, &event);
        break;
    case PENDING_CLAIMED:
        event = (struct event){
            .kind = EVENT_CLAIMED,
            .claimed = {.part = pending->part, .error = pending->error, .epoch = pending->epoch}};
        world_step(node, &event);
        break;
    case PENDING_FORGET:
        world_forget_node(node->world, pending->node);
        break;
    case PENDING_DESK:
        world_desk_act(node, pending);
        break;
    }
}

/* What was meant for a node that has crashed since then is gone with it. */
static void happen(struct world *world, struct pending *pending)
{
    if (pending->node == CLIENT) {
        world_deliver(world, pending);
    } else {
        struct world_node *node = &world->nodes[pending->node];
        bool is_for_registry = pending->kind == PENDING_FORGET;
        bool is_there = node->is_up && node->incarnation == pending->incarnation;
        if (is_there || (is_for_registry && node->incarnation == pending->incarnation)) {
            tell(node, pending);
        }
    }
    free_pending(pending);
    spoil(&world->scratch);
}

/* ------------------------------------------------------------------ time */

static uint32_t first_pending(const struct world *world)
{
    uint32_t first = 0;
    for (uint32_t i = 1; i < world->pending_count; i++) {
        const struct pending *a = &world->pending[i];
        const struct pending *b = &world->pending[first];
        if (a->due_ms < b->due_ms || (a->due_ms == b->due_ms && a->order < b->order)) {
            first = i;
        }
    }
    return first;
}

static int64_t wanted_ms(const struct world_node *node)
{
    return node->is_up && !node->has_stopped ? node->core.deadline_ms(node->core.self)
                                             : NO_DEADLINE;
}

static uint32_t first_node(const struct world *world)
{
    uint32_t first = 0;
    for (uint32_t i = 1; i < world->node_count; i++) {
        if (wanted_ms(&world->nodes[i]) < wanted_ms(&world->nodes[first])) {
            first = i;
        }
    }
    return first;
}

static void happen_first(struct world *world)
{
    uint32_t first = first_pending(world);
    struct pending pending = world->pending[first];
    world->pending[first] = world->pending[--world->pending_count];
    world->now_ms = pending.due_ms;
    happen(world, &pending);
}

void world_run(struct world *world, int64_t ms)
{
    int64_t end_ms = world->now_ms + ms;
    uint32_t at_once = 0;
    for (;;) {
        struct world_node *node = &world->nodes[first_node(world)];
        int64_t core_ms = wanted_ms(node);
        int64_t due_ms =
            world->pending_count == 0 ? NO_DEADLINE : world->pending[first_pending(world)].due_ms;
        int64_t next_ms = core_ms < due_ms ? core_ms : due_ms;
        if (next_ms > end_ms) {
            break;
        }
        at_once = next_ms > world->now_ms ? 0 : at_once + 1;
        CHECK(at_once < STEPS_AT_ONCE_MAX); /* a core that always wants to be asked again */
        if (due_ms <= core_ms) {
            happen_first(world);
            continue;
        }
        struct event event = {.kind = EVENT_TIME};
        world->now_ms = core_ms > world->now_ms ? core_ms : world->now_ms;
        world_step(node, &event);
    }
    world->now_ms = end_ms;
}
