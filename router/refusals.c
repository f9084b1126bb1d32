#include "router/refusals.h"

#include "lib/arena.h"
#include "lib/check.h"

#define NONE UINT32_MAX

void refusals_init(struct refusals *refusals,
                   struct arena *arena,
                   const struct refusals_options *options)
{
    CHECK(options->refusals_max >= 1);
    *refusals = (struct refusals){0};
    refusals->rows = ARENA_ARRAY(arena, struct refusal, options->refusals_max);
    refusals->ticket_links = ARENA_ARRAY(arena, struct list_link, options->refusals_max);
    refusals->agent_links = ARENA_ARRAY(arena, struct list_link, options->refusals_max);
    refusals->by_ticket = ARENA_ARRAY(arena, struct list, options->tickets_max);
    refusals->by_agent = ARENA_ARRAY(arena, struct list, options->agents_max);
    slab_init(&refusals->slab, arena, options->refusals_max);
    timers_init(&refusals->timers, arena, options->refusals_max);
}

/* At most REFUSALS_PER_TICKET_MAX steps. */
static uint32_t find(const struct refusals *refusals, uint32_t ticket, uint32_t agent)
{
    uint32_t row = list_first(&refusals->by_ticket[ticket]);
    while (row != LIST_NONE && refusals->rows[row].agent != agent) {
        row = list_next(refusals->ticket_links, row);
    }
    return row;
}

static void forget(struct refusals *refusals, uint32_t row)
{
    const struct refusal *refusal = &refusals->rows[row];
    list_remove(&refusals->by_ticket[refusal->ticket], refusals->ticket_links, row);
    list_remove(&refusals->by_agent[refusal->agent], refusals->agent_links, row);
    timers_clear(&refusals->timers, row);
    slab_give(&refusals->slab, row);
}

static uint32_t ends_first_of_ticket(const struct refusals *refusals, uint32_t ticket)
{
    uint32_t best = list_first(&refusals->by_ticket[ticket]);
    for (uint32_t row = best; row != LIST_NONE; row = list_next(refusals->ticket_links, row)) {
        if (refusals->rows[row].until_ms < refusals->rows[best].until_ms) {
            best = row;
        }
    }
    return best;
}

/* The row that must go for one more of this ticket, or NONE. */
static uint32_t row_to_drop(const struct refusals *refusals, uint32_t ticket)
{
    if (refusals->by_ticket[ticket].count == REFUSALS_PER_TICKET_MAX) {
        return ends_first_of_ticket(refusals, ticket);
    }
    if (slab_used(&refusals->slab) == refusals->slab.capacity) {
        return heap_first(&refusals->timers.heap);
    }
    return NONE;
}

bool refusals_add(struct refusals *refusals, const struct refusal *refusal, struct refusal *dropped)
{
    CHECK(refusal->until_ms != NO_DEADLINE);
    uint32_t row = find(refusals, refusal->ticket, refusal->agent);
    if (row != LIST_NONE) {
        refusals->rows[row].until_ms = refusal->until_ms;
        timers_set(&refusals->timers, row, refusal->until_ms);
        return false;
    }

    uint32_t loser = row_to_drop(refusals, refusal->ticket);
    if (loser != NONE) {
        *dropped = refusals->rows[loser];
        forget(refusals, loser);
        refusals->dropped_total++;
    }
    vt_err err = slab_take(&refusals->slab, &row);
    CHECK(err == VT_OK);
    refusals->rows[row] = *refusal;
    list_push_back(&refusals->by_ticket[refusal->ticket], refusals->ticket_links, row);
    list_push_back(&refusals->by_agent[refusal->agent], refusals->agent_links, row);
    timers_set(&refusals->timers, row, refusal->until_ms);
    return loser != NONE;
}

bool refusals_has(const struct refusals *refusals, uint32_t ticket, uint32_t agent)
{
    return find(refusals, ticket, agent) != LIST_NONE;
}

bool refusals_pop_due(struct refusals *refusals, int64_t now_ms, struct refusal *due)
{
    if (timers_next_ms(&refusals->timers) > now_ms) {
        return false;
    }
    uint32_t row = heap_first(&refusals->timers.heap);
    if (row == HEAP_NONE) {
        return false;
    }
    *due = refusals->rows[row];
    forget(refusals, row);
    return true;
}

int64_t refusals_next_ms(const struct refusals *refusals)
{
    return timers_next_ms(&refusals->timers);
}

void refusals_clear_ticket(struct refusals *refusals, uint32_t ticket)
{
    while (refusals->by_ticket[ticket].count > 0) {
        forget(refusals, list_first(&refusals->by_ticket[ticket]));
    }
}

void refusals_clear_agent(struct refusals *refusals, uint32_t agent)
{
    while (refusals->by_agent[agent].count > 0) {
        forget(refusals, list_first(&refusals->by_agent[agent]));
    }
}

uint32_t refusals_count(const struct refusals *refusals)
{
    return slab_used(&refusals->slab);
}
