#ifndef PROTO_PLAN_H
#define PROTO_PLAN_H

/* The plan as the cores see it: an immutable snapshot that the host made from the plan document,
 * with the numbers the store gave to pools (partitions) and queues. Swapped whole, by EVENT_PLAN.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/bytes.h"
#include "proto/message.h"

#define PLAN_POOLS_MAX 256u
#define PLAN_QUEUES_MAX 4096u
#define PLAN_RULES_MAX 4096u
#define PLAN_SKILLS_MAX 4096u
#define PLAN_CONDITIONS_MAX 8u

struct plan_pool {
    uint32_t part; /* partition: the pool's only shard for now */
    struct bytes name;
};

struct plan_queue {
    uint32_t id; /* given by the store, never reused */
    uint32_t part;
    struct bytes name;
    int64_t grace_ms;      /* a silent site keeps its work this long [300 s] */
    int64_t offer_ttl_ms;  /* [20 s] */
    uint32_t max_fails;    /* [8] */
    uint32_t priority;     /* where neither submitter nor rule says [50] */
    struct bytes language; /* where the submitter says none; empty: any */
};

/* The first rule whose conditions all hold (attribute equals value) fills what the submitter left
 * out, if he named no queue, or this one: what a rule says of skills and priority belongs to its
 * queue. The same goes for a pool that he named and that does not have the rule's queue.
 */
struct plan_rule {
    struct attribute when[PLAN_CONDITIONS_MAX];
    uint32_t when_count;
    uint32_t queue;                  /* index into queues */
    struct skill skills[SKILLS_MAX]; /* sorted by name */
    uint32_t skill_count;
    struct bytes language;
    uint32_t priority; /* PRIORITY_ABSENT: not set */
};

struct plan {
    uint64_t revision;
    const struct plan_pool *pools;
    uint32_t pool_count;
    const struct plan_queue *queues; /* sorted by name */
    uint32_t queue_count;
    const uint32_t *queues_by_id; /* indices into queues, by rising id; NULL: one by one */
    const struct bytes *skills;   /* sorted; the only allowed ones unless any_skill */
    uint32_t skill_count;
    bool any_skill;
    const struct plan_rule *rules;
    uint32_t rule_count;
    uint32_t default_queue; /* index into queues */
};

/* NULL: no such queue. */
const struct plan_queue *plan_find_queue(const struct plan *plan, struct bytes name);
const struct plan_queue *plan_find_queue_id(const struct plan *plan, uint32_t id);
const struct plan_pool *plan_find_pool(const struct plan *plan, struct bytes name);
const struct plan_pool *plan_find_part(const struct plan *plan, uint32_t part);
bool plan_has_skill(const struct plan *plan, struct bytes name);

/* What the plan makes of a submit's attributes: the first matching rule, or NULL. */
const struct plan_rule *
plan_match(const struct plan *plan, const struct attribute *attributes, uint32_t count);

#endif
