#include "router/matching.h"

#include "lib/bits.h"
#include "lib/check.h"
#include "proto/plan.h"

/* Gates that hang on the single agent or ticket and not on profile and class go here: contracts,
 * capacity per channel. Today there is none but the refusals.
 */
static bool is_open_pair(const struct matching *matching, uint32_t ticket, uint32_t agent)
{
    return !refusals_has(&matching->refusals, ticket, agent);
}

struct side {
    const struct matching *matching;
    uint32_t asker; /* the ticket that looks for an agent, or the agent that looks for a ticket */
    bool has_refusals;
};

/* The first free agent of a profile that has not refused the ticket. The walk is as long as the
 * ticket's refusals at most. */
static uint32_t agent_of_profile(const void *context, uint32_t profile, uint64_t *rank)
{
    const struct side *side = context;
    const struct roster *roster = &side->matching->roster;
    uint32_t agent = roster_first_free(roster, profile);
    while (side->has_refusals && agent != ROSTER_NONE &&
           !is_open_pair(side->matching, side->asker, agent)) {
        agent = roster_after_free(roster, agent);
    }
    if (agent == ROSTER_NONE) {
        return HEADS_NONE;
    }
    *rank = rank_agent(&roster->agents[agent]);
    return agent;
}

static int compare_agents(const void *context, uint32_t a, uint32_t b)
{
    const struct roster *roster = &((const struct side *) context)->matching->roster;
    return rank_compare_agents(&roster->agents[a], &roster->agents[b]);
}

static bool can_have(const struct matching *matching, uint32_t ticket, uint32_t agent)
{
    return matching->roster.agents[agent].is_free && matching_may(matching, ticket, agent) &&
           is_open_pair(matching, ticket, agent);
}

uint32_t matching_agent_for(const struct matching *matching, uint32_t ticket)
{
    const struct ticket *row = tickets_get(&matching->tickets, ticket);
    if (row->agent != 0) {
        uint32_t preferred = roster_find(&matching->roster, row->agent);
        if (preferred != ROSTER_NONE && can_have(matching, ticket, preferred)) {
            return preferred;
        }
    }

    struct side side = {.matching = matching,
                        .asker = ticket,
                        .has_refusals = refusals_has_ticket(&matching->refusals, ticket)};
    return heads_best(
        &matching->roster.heads,
        &(struct heads_search){.among = eligibility_profiles(&matching->eligibility, row->class),
                               .item = agent_of_profile,
                               .compare = compare_agents,
                               .context = &side});
}

/* The first ticket of a class that the agent has not refused, likewise. */
static uint32_t ticket_of_class(const void *context, uint32_t class, uint64_t *rank)
{
    const struct side *side = context;
    const struct backlog *backlog = &side->matching->backlog;
    uint32_t ticket = backlog_first(backlog, class);
    if (!side->has_refusals) {
        *rank = backlog->heads.ranks[class];
        return ticket;
    }
    while (ticket != BACKLOG_NONE && !is_open_pair(side->matching, ticket, side->asker)) {
        ticket = backlog_after(backlog, ticket);
    }
    if (ticket == BACKLOG_NONE) {
        return HEADS_NONE;
    }
    *rank = rank_ticket(&side->matching->tickets.rows[ticket]);
    return ticket;
}

static int compare_tickets(const void *context, uint32_t a, uint32_t b)
{
    const struct tickets *tickets = &((const struct side *) context)->matching->tickets;
    return rank_compare_tickets(&tickets->rows[a], &tickets->rows[b]);
}

uint32_t matching_ticket_for(const struct matching *matching, uint32_t agent)
{
    const struct roster_agent *row = roster_get(&matching->roster, agent);
    if (!row->is_free) {
        return MATCHING_NONE;
    }
    struct side side = {.matching = matching,
                        .asker = agent,
                        .has_refusals = refusals_has_agent(&matching->refusals, agent)};
    return heads_best(
        &matching->backlog.heads,
        &(struct heads_search){.among = eligibility_classes(&matching->eligibility, row->profile),
                               .item = ticket_of_class,
                               .compare = compare_tickets,
                               .context = &side});
}

bool matching_may(const struct matching *matching, uint32_t ticket, uint32_t agent)
{
    return eligibility_may(&matching->eligibility,
                           tickets_get(&matching->tickets, ticket)->class,
                           roster_get(&matching->roster, agent)->profile);
}

static uint32_t words_in_use(const struct matching *matching)
{
    return BITS_WORDS(profiles_high_water(&matching->profiles));
}

uint32_t matching_agents_able(const struct matching *matching, uint32_t class)
{
    const uint64_t *may = eligibility_profiles(&matching->eligibility, class);
    uint32_t word_count = words_in_use(matching);
    uint32_t able = 0;
    for (uint32_t word = 0; word < word_count; word++) {
        for (uint64_t rest = may[word] & matching->roster.up_profiles[word]; rest != 0;
             rest &= rest - 1U) {
            able += matching->roster.up_counts[word * 64U + bits_lowest(rest)];
        }
    }
    return able;
}

/* Agents of the profiles that name the queue, or none. */
static void count_agents(const struct matching *matching,
                         struct bytes queue_name,
                         struct matching_figures *figures)
{
    const struct roster *roster = &matching->roster;
    uint32_t term = terms_find(&matching->terms, TERM_QUEUE, queue_name);
    uint32_t word_count = words_in_use(matching);
    for (uint32_t word = 0; word < word_count; word++) {
        uint64_t serving = matching->profiles.every_queue[word];
        if (term != TERMS_NONE) {
            serving |= terms_set(&matching->terms, term, 0)[word];
        }
        for (serving &= roster->up_profiles[word]; serving != 0; serving &= serving - 1U) {
            uint32_t profile = word * 64U + bits_lowest(serving);
            figures->agents_up += roster->up_counts[profile];
            figures->agents_free += tree_count(&roster->free_of_profile[profile]);
        }
    }
}

struct matching_figures matching_queue_figures(const struct matching *matching, uint32_t queue)
{
    const struct backlog *backlog = &matching->backlog;
    struct matching_figures figures = {.waiting = backlog_queue_count(backlog, queue),
                                       .oldest_queued_us = INT64_MAX};
    uint32_t oldest = backlog_queue_oldest(backlog, queue);
    if (oldest != BACKLOG_NONE) {
        figures.oldest_queued_us = tickets_get(&matching->tickets, oldest)->queued_us;
    }
    for (uint32_t class = backlog_queue_first_class(backlog, queue); class != BACKLOG_NONE;
         class = backlog_queue_next_class(backlog, class)) {
        uint32_t count = backlog_class_count(backlog, class);
        if (count > 0 && matching_agents_able(matching, class) == 0) {
            figures.unservable += count;
        }
    }
    const struct plan_queue *planned =
        matching->plan == NULL ? NULL : plan_find_queue_id(matching->plan, queue);
    if (planned != NULL) {
        count_agents(matching, planned->name, &figures);
    }
    return figures;
}
