#include <stdlib.h>
#include <string.h>

#include "agentd/agentd.h"
#include "broker/broker.h"
#include "lib/check.h"
#include "router/router.h"
#include "tests/scenario/world_inside.h"

/* Opening, crashing and stopping the cores. */

#define LEASE_MS 6000
#define DRAIN_MS 10000
#define ALIGNMENT 64u

static void write_trace(void *context, enum trace_level level, const char *line, uint32_t size)
{
    struct world_node *node = context;
    (void) level;
    (void) size;
    world_line(node->world, node->name, line);
}

/* ------------------------------------------------------------------ opening */

static struct core open_broker(struct world_node *node, struct arena *arena)
{
    struct broker_options options;
    broker_options_default(&options);
    options.seed = node->incarnation * 7919;
    options.incarnation = node->incarnation;
    options.name = bytes_of_text(node->name);
    options.ring_entries = 4096;
    options.sites_max = 64;
    options.agents_max = 256;
    options.held_max = 1024;
    options.trace = &node->trace;
    struct broker *broker = broker_open(arena, &options);
    return broker == NULL ? (struct core){0} : broker_core(broker);
}

static struct core open_router(struct world_node *node, struct arena *arena)
{
    struct router_options options = router_options_default();
    options.seed = node->incarnation * 6007;
    options.incarnation = node->incarnation;
    options.name = bytes_of_text(node->name);
    options.tickets_max = 1024;
    options.classes_max = 256;
    options.profiles_max = 256;
    options.agents_max = 256;
    options.sites_max = 64;
    options.offers_max = 256;
    options.trace = &node->trace;
    struct router *router = router_open(arena, &options);
    return router == NULL ? (struct core){0} : router_core(router);
}

static struct core open_site(struct world_node *node, struct arena *arena)
{
    struct agentd_agent agents[WORLD_AGENTS_MAX];
    struct agentd_options options;
    agentd_options_default(&options);
    for (uint32_t i = 0; i < node->agent_count; i++) {
        const struct world_agent *agent = &node->agents[i];
        agents[i] = (struct agentd_agent){
            .name = bytes_of_text(agent->name),
            .profile = world_profile(agent->profile, &node->world->scratch),
            .capacity = agent->capacity == 0 ? 1 : agent->capacity,
            .is_person = agent->is_person,
            .answers = agent->is_person ? ANSWERS_DESK : ANSWERS_AUTO,
        };
    }
    options.seed = node->incarnation * 5003;
    options.site = bytes_of_text(node->name);
    options.agents = agents;
    options.agent_count = node->agent_count;
    options.broker_count = node->world->broker_count;
    options.trace = &node->trace;
    struct agentd *agentd = agentd_open(arena, &options);
    return agentd == NULL ? (struct core){0} : agentd_core(agentd);
}

static struct core open_core(struct world_node *node, struct arena *arena)
{
    switch (node->sort) {
    case SORT_BROKER:
        return open_broker(node, arena);
    case SORT_ROUTER:
        return open_router(node, arena);
    case SORT_SITE:
        break;
    }
    return open_site(node, arena);
}

static void tell_later(struct world_node *node, enum pending_kind kind)
{
    struct pending *pending = world_add_pending(node->world, kind, 0);
    pending->node = (uint32_t) (node - node->world->nodes);
    pending->incarnation = node->incarnation;
}

void world_start(struct world *world, uint32_t number)
{
    struct world_node *node = &world->nodes[number];
    CHECK(!node->is_up);
    node->incarnation = ++world->incarnations;
    trace_init(&node->trace, TRACE_DEBUG, write_trace, node);

    struct arena measure;
    struct arena arena;
    arena_init_measuring(&measure);
    (void) open_core(node, &measure);
    uint64_t size = (measure.used + ALIGNMENT) & ~(uint64_t) (ALIGNMENT - 1u);
    free(node->memory);
    node->memory = world_allocate(size);
    arena_init(&arena, node->memory, size);
    node->core = open_core(node, &arena);
    CHECK(node->core.step != NULL);
    node->is_up = true;
    node->has_stopped = false;
    if (node->sort != SORT_SITE) {
        world_forget_node(world, number); /* what is left of an earlier start */
        node->is_registered = true;
        tell_later(node, PENDING_PLAN);
        tell_later(node, PENDING_LEASE);
        world_tell_members(world);
    }
}

static uint32_t add_node(struct world *world, enum node_sort sort, const char *name)
{
    CHECK(world->node_count < NODES_MAX);
    uint32_t number = world->node_count++;
    world->nodes[number] = (struct world_node){.world = world, .sort = sort, .name = name};
    return number;
}

uint32_t world_add_broker(struct world *world, const char *name)
{
    uint32_t number = add_node(world, SORT_BROKER, name);
    world->site_of_broker[world->broker_count++] = number;
    world_start(world, number);
    return number;
}

uint32_t world_add_router(struct world *world, const char *name)
{
    uint32_t number = add_node(world, SORT_ROUTER, name);
    world_start(world, number);
    return number;
}

uint32_t world_add_site(struct world *world,
                        const char *name,
                        const struct world_agent *agents,
                        uint32_t agent_count)
{
    CHECK(agent_count <= WORLD_AGENTS_MAX);
    uint32_t number = add_node(world, SORT_SITE, name);
    struct world_node *node = &world->nodes[number];
    memcpy(node->agents, agents, agent_count * sizeof *agents);
    node->agent_count = agent_count;
    node->journal = store_memory_open();
    world_start(world, number);
    return number;
}

/* ------------------------------------------------------------------ ending */

void world_forget_node(struct world *world, uint32_t number)
{
    struct world_node *node = &world->nodes[number];
    bool was_there = node->is_registered;
    node->is_registered = false;
    for (uint32_t i = 0; i < world->owner_count;) {
        if (world->owners[i].node == number) {
            world->owners[i] = world->owners[--world->owner_count];
            was_there = true;
        } else {
            i++;
        }
    }
    if (was_there) {
        world_tell_members(world);
    }
}

void world_crash(struct world *world, uint32_t number)
{
    struct world_node *node = &world->nodes[number];
    CHECK(node->is_up);
    node->is_up = false;
    world_break_connections(world, number);
    world_desk_forget(node);
    if (node->sort != SORT_SITE) {
        struct pending *pending = world_add_pending(world, PENDING_FORGET, LEASE_MS);
        pending->node = number;
        pending->incarnation = node->incarnation;
    }
}

void world_stop(struct world *world, uint32_t number)
{
    struct event event = {.kind = EVENT_STOP, .stop = {.deadline_ms = world->now_ms + DRAIN_MS}};
    world_step(&world->nodes[number], &event);
}

bool world_has_stopped(const struct world *world, uint32_t number)
{
    return world->nodes[number].has_stopped;
}

void world_cut(struct world *world, uint32_t number)
{
    world->nodes[number].is_cut = true;
}

void world_mend(struct world *world, uint32_t number)
{
    world->nodes[number].is_cut = false;
}
