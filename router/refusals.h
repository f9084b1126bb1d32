#ifndef ROUTER_REFUSALS_H
#define ROUTER_REFUSALS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/list.h"
#include "lib/slab.h"
#include "lib/timers.h"

struct arena;

/* Pairs (ticket, agent) that are not to be offered for a while: the agent declined, let the offer
 * expire or gave the ticket back. Bounded: when the table or a ticket's share is full, the pair
 * that would end first makes room.
 */
#define REFUSALS_PER_TICKET_MAX 16u

struct refusal {
    uint32_t ticket; /* row in tickets */
    uint32_t agent;  /* row in roster */
    int64_t until_ms;
};

struct refusals {
    struct refusal *rows;
    struct list_link *ticket_links;
    struct list_link *agent_links;
    struct list *by_ticket; /* by row in tickets */
    struct list *by_agent;  /* by row in roster */
    struct slab slab;
    struct timers timers;
    uint64_t dropped_total;
};

struct refusals_options {
    uint32_t refusals_max;
    uint32_t tickets_max;
    uint32_t agents_max;
};

void refusals_init(struct refusals *refusals,
                   struct arena *arena,
                   const struct refusals_options *options);

/* Adds the pair or moves its end. True: another pair was dropped for it, *dropped; it may be
 * offered again at once, so the caller evaluates it as one that refusals_pop_due() gave. */
bool refusals_add(struct refusals *refusals,
                  const struct refusal *refusal,
                  struct refusal *dropped);

bool refusals_has(const struct refusals *refusals, uint32_t ticket, uint32_t agent);

/* Whether the agent (the ticket) is in any pair; cheap. */
static inline bool refusals_has_agent(const struct refusals *refusals, uint32_t agent)
{
    return refusals->by_agent[agent].count != 0;
}

static inline bool refusals_has_ticket(const struct refusals *refusals, uint32_t ticket)
{
    return refusals->by_ticket[ticket].count != 0;
}

/* Takes out one pair whose time is over. The caller then tries the ticket again (if it is still
 * STAGE_WAITING) with matching_agent_for(). */
bool refusals_pop_due(struct refusals *refusals, int64_t now_ms, struct refusal *due);

/* When the next pair ends, or NO_DEADLINE. */
int64_t refusals_next_ms(const struct refusals *refusals);

void refusals_clear_ticket(struct refusals *refusals, uint32_t ticket);
void refusals_clear_agent(struct refusals *refusals, uint32_t agent);

uint32_t refusals_count(const struct refusals *refusals);

#endif
