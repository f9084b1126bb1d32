#ifndef BROKER_DRAFT_H
#define BROKER_DRAFT_H

/* A submitted ticket completed by the plan: pure. */

#include "proto/message.h"
#include "proto/plan.h"
#include "proto/requirements.h"

struct draft {
    const struct plan_queue *queue;
    struct requirements requirements;
    uint32_t priority;
    enum reason_code reason; /* not REASON_NONE: refused, with the field that is wrong */
    struct bytes field;      /* of a name that is unknown: the name */
};

/* A queue that the submitter names must exist, and lie in the pool it names. Where no queue is
 * named, the first rule that matches says which, then the plan's default. The rule fills in what
 * else was left out, unless the submitter named another queue than the rule's. */
void draft_make(struct draft *draft, const struct plan *plan, const struct submit *submit);

#endif
