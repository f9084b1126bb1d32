#include "tests/unit/oracle.h"

static bool has_skills(const struct oracle_agent *agent, const struct oracle_ticket *ticket)
{
    for (uint32_t i = 0; i < ORACLE_SKILLS; i++) {
        if (agent->has[i] < ticket->need[i]) {
            return false;
        }
    }
    return true;
}

static bool has_queue(const struct oracle *oracle, const struct oracle_agent *agent, uint32_t queue)
{
    uint32_t name = oracle->queue_names[queue];
    return name != ORACLE_NONE && (agent->queues == 0 || (agent->queues >> name & 1u) != 0);
}

bool oracle_may(const struct oracle *oracle, uint32_t ticket, uint32_t agent)
{
    const struct oracle_ticket *asks = &oracle->tickets[ticket];
    const struct oracle_agent *offers = &oracle->agents[agent];
    if (asks->language != 0 && (offers->languages >> asks->language & 1u) == 0) {
        return false;
    }
    if (asks->wants_person && !offers->is_person) {
        return false;
    }
    return has_queue(oracle, offers, asks->queue) && has_skills(offers, asks);
}

static bool is_up(const struct oracle *oracle, uint32_t agent)
{
    const struct oracle_agent *a = &oracle->agents[agent];
    return a->is_in && !a->is_leaving && oracle->site_is_up[a->site];
}

bool oracle_is_free(const struct oracle *oracle, uint32_t agent)
{
    const struct oracle_agent *a = &oracle->agents[agent];
    return is_up(oracle, agent) && a->is_available && a->told > 0 && a->used < a->capacity;
}

bool oracle_has_refused(const struct oracle *oracle, uint32_t ticket, uint32_t agent)
{
    const struct oracle_ticket *t = &oracle->tickets[ticket];
    for (uint32_t i = 0; i < t->refusal_count; i++) {
        if (t->refusals[i].agent == agent) {
            return true;
        }
    }
    return false;
}

static bool can_get(const struct oracle *oracle, uint32_t ticket, uint32_t agent)
{
    return oracle_is_free(oracle, agent) && oracle_may(oracle, ticket, agent) &&
           !oracle_has_refused(oracle, ticket, agent);
}

static bool agent_is_before(const struct oracle *oracle, uint32_t a, uint32_t b)
{
    const struct oracle_agent *one = &oracle->agents[a];
    const struct oracle_agent *other = &oracle->agents[b];
    if (one->used != other->used) {
        return one->used < other->used;
    }
    if (one->idle_since_ms != other->idle_since_ms) {
        return one->idle_since_ms < other->idle_since_ms;
    }
    return a < b;
}

uint32_t oracle_agent_for(const struct oracle *oracle, uint32_t ticket)
{
    uint32_t preferred = oracle->tickets[ticket].preferred;
    if (preferred != ORACLE_NONE && can_get(oracle, ticket, preferred)) {
        return preferred;
    }
    uint32_t best = ORACLE_NONE;
    for (uint32_t agent = 0; agent < ORACLE_AGENTS; agent++) {
        if (can_get(oracle, ticket, agent) &&
            (best == ORACLE_NONE || agent_is_before(oracle, agent, best))) {
            best = agent;
        }
    }
    return best;
}

static bool id_is_before(struct ticket_id a, struct ticket_id b)
{
    return a.hi != b.hi ? a.hi < b.hi : a.lo < b.lo;
}

static bool ticket_is_before(const struct oracle *oracle, uint32_t a, uint32_t b)
{
    const struct oracle_ticket *one = &oracle->tickets[a];
    const struct oracle_ticket *other = &oracle->tickets[b];
    if (one->priority != other->priority) {
        return one->priority > other->priority;
    }
    if (one->created_us != other->created_us) {
        return one->created_us < other->created_us;
    }
    return id_is_before(one->id, other->id);
}

uint32_t oracle_ticket_for(const struct oracle *oracle, uint32_t agent)
{
    uint32_t best = ORACLE_NONE;
    for (uint32_t ticket = 0; ticket < ORACLE_TICKETS; ticket++) {
        if (oracle->tickets[ticket].stage == ORACLE_WAITING && can_get(oracle, ticket, agent) &&
            (best == ORACLE_NONE || ticket_is_before(oracle, ticket, best))) {
            best = ticket;
        }
    }
    return best;
}

uint32_t oracle_agents_able(const struct oracle *oracle, uint32_t ticket)
{
    uint32_t able = 0;
    for (uint32_t agent = 0; agent < ORACLE_AGENTS; agent++) {
        able += is_up(oracle, agent) && oracle_may(oracle, ticket, agent);
    }
    return able;
}

struct oracle_figures oracle_figures(const struct oracle *oracle, uint32_t queue)
{
    struct oracle_figures figures = {.oldest_queued_us = INT64_MAX};
    for (uint32_t i = 0; i < ORACLE_TICKETS; i++) {
        const struct oracle_ticket *ticket = &oracle->tickets[i];
        if (ticket->stage != ORACLE_WAITING || ticket->queue != queue) {
            continue;
        }
        figures.waiting++;
        figures.unservable += oracle_agents_able(oracle, i) == 0;
        if (ticket->queued_us < figures.oldest_queued_us) {
            figures.oldest_queued_us = ticket->queued_us;
        }
    }
    for (uint32_t agent = 0; agent < ORACLE_AGENTS; agent++) {
        if (is_up(oracle, agent) && has_queue(oracle, &oracle->agents[agent], queue)) {
            figures.agents_up++;
            figures.agents_free += oracle_is_free(oracle, agent);
        }
    }
    return figures;
}

bool oracle_unrefuse(struct oracle *oracle, uint32_t ticket, uint32_t agent)
{
    struct oracle_ticket *t = &oracle->tickets[ticket];
    for (uint32_t i = 0; i < t->refusal_count; i++) {
        if (t->refusals[i].agent == agent) {
            t->refusals[i] = t->refusals[--t->refusal_count];
            return true;
        }
    }
    return false;
}

void oracle_forget_agent(struct oracle *oracle, uint32_t agent)
{
    for (uint32_t ticket = 0; ticket < ORACLE_TICKETS; ticket++) {
        (void) oracle_unrefuse(oracle, ticket, agent);
    }
}

uint32_t oracle_due_count(const struct oracle *oracle)
{
    uint32_t count = 0;
    for (uint32_t ticket = 0; ticket < ORACLE_TICKETS; ticket++) {
        const struct oracle_ticket *t = &oracle->tickets[ticket];
        for (uint32_t i = 0; i < t->refusal_count; i++) {
            count += t->refusals[i].until_ms <= oracle->now_ms;
        }
    }
    return count;
}
