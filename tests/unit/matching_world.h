#ifndef TESTS_UNIT_MATCHING_WORLD_H
#define TESTS_UNIT_MATCHING_WORLD_H

/* Random lives of tickets and agents, led twice: in router/matching and in the oracle. Whatever the
 * one decides is compared with the other at once.
 */
#include "tests/unit/unit.h"

#include "lib/random.h"
#include "proto/plan.h"
#include "router/matching.h"
#include "tests/unit/oracle.h"

/* One kind of help desk. */
struct shape {
    const char *name;
    uint32_t decision_count; /* at least */
    uint32_t queue_count;
    uint32_t skill_count;
    uint32_t skill_percent; /* that an agent has a skill */
    uint32_t need_percent;  /* that a ticket asks for one */
    uint32_t level_max;
    uint32_t language_count;
    uint32_t agent_count;
    uint32_t ticket_count;
    uint32_t capacity_max;
    uint32_t priority_count;
    uint32_t refusals_max;
    uint32_t decline_percent;
    uint32_t refusal_ms;
};

struct world {
    const struct shape *shape;
    struct arena arena;
    struct matching matching;
    struct oracle oracle;
    struct random random;
    struct plan_queue queues[ORACLE_QUEUES];
    struct plan plan;
    uint64_t next_id;
    uint64_t decision_count;
    uint64_t found_count;
    uint64_t dropped_count;
};

/* The seed is the run's; close the arena afterwards. */
void matching_world_open(struct world *world, const struct shape *shape);

/* One change of one kind, with the decisions that follow from it. */
void matching_world_change(struct world *world);

/* Two decisions for a random waiting ticket and a random agent. */
void matching_world_look(struct world *world);

#endif
