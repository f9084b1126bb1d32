#include "broker/draft.h"

#include <string.h>

static void refuse(struct draft *draft, enum reason_code reason, struct bytes field)
{
    draft->reason = reason;
    draft->field = field;
}

static bool is_in_pool(const struct plan_queue *queue, const struct plan_pool *pool)
{
    return pool == NULL || queue->part == pool->part;
}

/* The default queue, or where a pool was named without it, the pool's first by name. */
static const struct plan_queue *fallback(const struct plan *plan, const struct plan_pool *pool)
{
    if (plan->default_queue < plan->queue_count &&
        is_in_pool(&plan->queues[plan->default_queue], pool)) {
        return &plan->queues[plan->default_queue];
    }
    for (uint32_t i = 0; i < plan->queue_count; i++) {
        if (is_in_pool(&plan->queues[i], pool)) {
            return &plan->queues[i];
        }
    }
    return NULL;
}

static void choose_queue(struct draft *draft,
                         const struct plan *plan,
                         const struct submit *submit,
                         const struct plan_rule *rule)
{
    const struct plan_pool *pool = NULL;
    if (submit->pool.size > 0) {
        pool = plan_find_pool(plan, submit->pool);
        if (pool == NULL) {
            refuse(draft, REASON_POOL_UNKNOWN, submit->pool);
            return;
        }
    }
    if (submit->queue.size > 0) {
        draft->queue = plan_find_queue(plan, submit->queue);
    } else if (rule != NULL && is_in_pool(&plan->queues[rule->queue], pool)) {
        draft->queue = &plan->queues[rule->queue];
    } else {
        draft->queue = fallback(plan, pool);
    }
    if (draft->queue == NULL || !is_in_pool(draft->queue, pool)) {
        refuse(draft,
               REASON_QUEUE_UNKNOWN,
               submit->queue.size > 0 ? submit->queue : bytes_of_text("queue"));
    }
}

static void set_skills(struct requirements *to, const struct skill *skills, uint32_t count)
{
    memcpy(to->skills, skills, count * sizeof *skills);
    to->skill_count = count;
}

static void choose_skills(struct draft *draft,
                          const struct plan *plan,
                          const struct submit *submit,
                          const struct plan_rule *rule)
{
    if (submit->skill_count == 0 && rule != NULL) {
        set_skills(&draft->requirements, rule->skills, rule->skill_count);
        return;
    }
    set_skills(&draft->requirements, submit->skills, submit->skill_count);
    for (uint32_t i = 0; i < submit->skill_count && !plan->any_skill; i++) {
        if (!plan_has_skill(plan, submit->skills[i].name)) {
            refuse(draft, REASON_SKILL_UNKNOWN, submit->skills[i].name);
            return;
        }
    }
}

static void
choose_rest(struct draft *draft, const struct submit *submit, const struct plan_rule *rule)
{
    draft->requirements.channel = submit->channel;
    draft->requirements.language = submit->language;
    draft->priority = submit->priority;
    if (rule != NULL && draft->requirements.language.size == 0) {
        draft->requirements.language = rule->language;
    }
    if (rule != NULL && draft->priority == PRIORITY_ABSENT) {
        draft->priority = rule->priority;
    }
    if (draft->requirements.language.size == 0) {
        draft->requirements.language = draft->queue->language;
    }
    if (draft->priority == PRIORITY_ABSENT) {
        draft->priority = draft->queue->priority;
    }
}

void draft_make(struct draft *draft, const struct plan *plan, const struct submit *submit)
{
    *draft = (struct draft){.reason = REASON_NONE};
    if (submit->defect != REASON_NONE) {
        refuse(draft, submit->defect, submit->defect_field);
        return;
    }
    const struct plan_rule *rule = plan_match(plan, submit->attributes, submit->attribute_count);
    choose_queue(draft, plan, submit, rule);
    if (draft->reason != REASON_NONE) {
        return;
    }
    if (rule != NULL && draft->queue != &plan->queues[rule->queue]) {
        rule = NULL;
    }
    choose_skills(draft, plan, submit, rule);
    choose_rest(draft, submit, rule);
}
