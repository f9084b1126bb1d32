#include "proto/plan.h"

#include <stddef.h>

const struct plan_queue *plan_find_queue(const struct plan *plan, struct bytes name)
{
    uint32_t low = 0;
    uint32_t high = plan->queue_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = bytes_compare(plan->queues[middle].name, name);
        if (order == 0) {
            return &plan->queues[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

static const struct plan_queue *find_one_by_one(const struct plan *plan, uint32_t id)
{
    for (uint32_t i = 0; i < plan->queue_count; i++) {
        if (plan->queues[i].id == id) {
            return &plan->queues[i];
        }
    }
    return NULL;
}

const struct plan_queue *plan_find_queue_id(const struct plan *plan, uint32_t id)
{
    if (plan->queues_by_id == NULL) {
        return find_one_by_one(plan, id);
    }
    uint32_t low = 0;
    uint32_t high = plan->queue_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct plan_queue *queue = &plan->queues[plan->queues_by_id[middle]];
        if (queue->id == id) {
            return queue;
        }
        if (queue->id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

const struct plan_pool *plan_find_pool(const struct plan *plan, struct bytes name)
{
    for (uint32_t i = 0; i < plan->pool_count; i++) {
        if (bytes_equal(plan->pools[i].name, name)) {
            return &plan->pools[i];
        }
    }
    return NULL;
}

const struct plan_pool *plan_find_part(const struct plan *plan, uint32_t part)
{
    for (uint32_t i = 0; i < plan->pool_count; i++) {
        if (plan->pools[i].part == part) {
            return &plan->pools[i];
        }
    }
    return NULL;
}

bool plan_has_skill(const struct plan *plan, struct bytes name)
{
    uint32_t low = 0;
    uint32_t high = plan->any_skill ? 0 : plan->skill_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = bytes_compare(plan->skills[middle], name);
        if (order == 0) {
            return true;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return plan->any_skill;
}

static bool
has_attribute(const struct attribute *attributes, uint32_t count, const struct attribute *wanted)
{
    for (uint32_t i = 0; i < count; i++) {
        if (bytes_equal(attributes[i].value, wanted->value) &&
            bytes_equal(attributes[i].name, wanted->name)) {
            return true;
        }
    }
    return false;
}

static bool
all_hold(const struct plan_rule *rule, const struct attribute *attributes, uint32_t count)
{
    for (uint32_t i = 0; i < rule->when_count; i++) {
        if (!has_attribute(attributes, count, &rule->when[i])) {
            return false;
        }
    }
    return true;
}

const struct plan_rule *
plan_match(const struct plan *plan, const struct attribute *attributes, uint32_t count)
{
    for (uint32_t i = 0; i < plan->rule_count; i++) {
        if (all_hold(&plan->rules[i], attributes, count)) {
            return &plan->rules[i];
        }
    }
    return NULL;
}
