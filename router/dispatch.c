#include "router/dispatch.h"

#include "lib/bits.h"
#include "lib/check.h"
#include "proto/plan.h"
#include "router/confirms.h"
#include "router/horizon.h"
#include "router/inside.h"
#include "router/sends.h"
#include "router/walks.h"

#define OFFER_TTL_DEFAULT_MS 20000
#define DECISIONS_MAX 512U /* of one step */

static struct ticket *ticket_at(const struct router *router, uint32_t ticket)
{
    return tickets_get(&router->matching.tickets, ticket);
}

static const struct plan_queue *queue_of(const struct router *router, uint32_t ticket)
{
    uint32_t queue = matching_class_of(&router->matching, ticket).queue;
    return router->plan == NULL ? NULL : plan_find_queue_id(router->plan, queue);
}

static struct figures_queue *figures_of(struct router *router, uint32_t ticket)
{
    return figures_get(&router->figures, router->ledger.rows[ticket].queue);
}

static void trace_offer(struct router *router, const char *event, const struct offers_row *offer)
{
    trace_event(router->trace, TRACE_DEBUG, event);
    trace_id(router->trace, "ticket", ticket_at(router, offer->ticket)->id);
    trace_u64(router->trace, "attempt", offer->attempt);
    trace_bytes(router->trace,
                "agent",
                bytes_of(roster_get(&router->matching.roster, offer->agent)->name,
                         roster_get(&router->matching.roster, offer->agent)->name_size));
    trace_ms(router->trace, "after", router->now_ms - offer->made_ms);
    trace_end(router->trace);
}

static void describe(struct router *router, uint32_t ticket, struct offer *entry)
{
    const struct plan_queue *queue = queue_of(router, ticket);
    struct class_key key = matching_class_of(&router->matching, ticket);
    struct requirements requirements;
    const struct ticket *row = ticket_at(router, ticket);
    entry->priority = row->priority;
    entry->waited_ms = (inside_store_us(router) - row->queued_us) / 1000;
    entry->waited_ms = entry->waited_ms < 0 ? 0 : entry->waited_ms;
    if (queue != NULL) {
        entry->queue_name = queue->name;
    }
    if (requirements_read(key.requirements, &requirements) == VT_OK) {
        entry->channel = requirements.channel;
        if (!sends_copy(router, requirements.language, &entry->language)) {
            entry->language = (struct bytes){0};
        }
    }
}

static void make_offer(struct router *router, uint32_t ticket, uint32_t agent)
{
    struct ticket *row = ticket_at(router, ticket);
    const struct roster_agent *to = roster_get(&router->matching.roster, agent);
    const struct plan_queue *queue = queue_of(router, ticket);
    int64_t ttl_ms = queue == NULL ? OFFER_TTL_DEFAULT_MS : queue->offer_ttl_ms;
    uint32_t site = sites_find(&router->sites, to->site);
    CHECK(site != SITES_NONE);
    struct offers_row offer = {.epoch = ownership_epoch(&router->ownership, row->part),
                               .session = sites_get(&router->sites, site)->session,
                               .ticket = ticket,
                               .attempt = row->attempt + 1U,
                               .agent = agent,
                               .agent_id = to->id,
                               .site = site,
                               .part = row->part,
                               .made_ms = router->now_ms};
    row->link = offers_add(&router->offers, &offer, router->now_ms + ttl_ms);
    ledger_stage(router, ticket, STAGE_OFFERED);
    roster_take(&router->matching.roster, agent, router->now_ms);
    struct offer *entry = sends_to_site(router, site, row->part, MESSAGE_OFFER);
    if (entry != NULL) {
        entry->offer = offers_get(&router->offers, row->link)->number;
        entry->ticket = row->id;
        entry->attempt = offer.attempt;
        entry->agent = offer.agent_id;
        entry->ttl_ms = ttl_ms;
        describe(router, ticket, entry);
    }
    trace_offer(router, "offer.made", &offer);
}

static bool may_offer(const struct router *router)
{
    return sends_has_room(router) && !offers_is_full(&router->offers) &&
           commits_is_healthy(&router->commits) && !router->is_stopping &&
           !walks_is_serving(router); /* what is still held back may be better */
}

bool dispatch_has_work(const struct router *router)
{
    return (router->ledger.dirty_agents.count != 0 || router->ledger.dirty_tickets.count != 0) &&
           !offers_is_full(&router->offers) && commits_is_healthy(&router->commits) &&
           !router->is_stopping;
}

/* From a waiting ticket and who should get it to a pair of which each is the other's best: where
 * that agent should rather get a better ticket, that one comes first, and may be better off with
 * another agent. Each turn finds a better ticket, so it ends. */
static void offer_best(struct router *router, uint32_t ticket, uint32_t agent)
{
    uint32_t better = matching_ticket_for(&router->matching, agent);
    while (better != ticket) {
        uint32_t last = agent;
        ticket = better;
        agent = matching_agent_for(&router->matching, ticket);
        better = agent == last ? ticket : matching_ticket_for(&router->matching, agent);
    }
    if (!horizon_drops(router, ticket)) {
        make_offer(router, ticket, agent);
    }
}

/* An agent that became free: as long as something waits that it could take. Somebody else may be
 * the better one for it. */
static void serve_agent(struct router *router, uint32_t agent)
{
    struct ledger *ledger = &router->ledger;
    bool is_there = roster_next(&router->matching.roster, agent) == agent;
    uint32_t ticket =
        is_there ? matching_ticket_for(&router->matching, agent) : (uint32_t) MATCHING_NONE;
    if (ticket == MATCHING_NONE) {
        list_remove(&ledger->dirty_agents, ledger->agent_links, agent);
        bits_clear(ledger->is_agent_dirty, agent);
        return;
    }
    offer_best(router, ticket, matching_agent_for(&router->matching, ticket));
}

/* A ticket that may find somebody now. */
static void serve_ticket(struct router *router, uint32_t ticket)
{
    struct ledger *ledger = &router->ledger;
    uint32_t agent = MATCHING_NONE;
    if (ticket_at(router, ticket)->stage == STAGE_WAITING) {
        agent = matching_agent_for(&router->matching, ticket);
    }
    if (agent == MATCHING_NONE) {
        list_remove(&ledger->dirty_tickets, ledger->dirty_links, ticket);
        ledger->rows[ticket].is_dirty = 0;
        return;
    }
    offer_best(router, ticket, agent);
}

void dispatch_run(struct router *router)
{
    struct ledger *ledger = &router->ledger;
    for (uint32_t i = 0; i < DECISIONS_MAX && may_offer(router); i++) {
        if (ledger->dirty_agents.count != 0) {
            serve_agent(router, list_first(&ledger->dirty_agents));
        } else if (ledger->dirty_tickets.count != 0) {
            serve_ticket(router, list_first(&ledger->dirty_tickets));
        } else {
            return;
        }
    }
}

/* The slot is free again as far as we know, and the ticket is nobody's. */
static void end_offer(struct router *router, uint32_t offer, enum offer_end end)
{
    struct offers_row row = *offers_get(&router->offers, offer);
    figures_of(router, row.ticket)->offers_total[end]++;
    offers_remove(&router->offers, offer);
    ledger_stage(router, row.ticket, STAGE_HELD_BACK);
    if (!matching_agent_give(&router->matching, row.agent, router->now_ms)) {
        ledger_touch_agent(router, row.agent);
    }
}

static void
release_offer(struct router *router, const struct offers_row *offer, enum release_why why)
{
    struct release release = {.ticket = ticket_at(router, offer->ticket)->id,
                              .attempt = offer->attempt,
                              .agent = offer->agent_id,
                              .offer = offer->number,
                              .why = why};
    sends_release(router, offer->site, offer->part, &release);
}

void dispatch_withdraw(struct router *router, uint32_t ticket, enum release_why why)
{
    uint32_t offer = ticket_at(router, ticket)->link;
    const struct offers_row *row = offers_get(&router->offers, offer);
    CHECK(row->ticket == ticket);
    release_offer(router, row, why);
    end_offer(router, offer, OFFER_WITHDRAWN);
}

void dispatch_forget(struct router *router, uint32_t ticket)
{
    end_offer(router, ticket_at(router, ticket)->link, OFFER_WITHDRAWN);
}

static void refuse(struct router *router, uint32_t ticket, uint32_t agent)
{
    struct refusal dropped;
    int64_t until_ms = router->now_ms + router->options.refusal_ms;
    if (matching_refuse(&router->matching, ticket, agent, until_ms, &dropped)) {
        ledger_touch_ticket(router, dropped.ticket);
    }
}

void dispatch_withdraw_site(struct router *router, uint32_t site)
{
    uint32_t next = OFFERS_NONE;
    for (uint32_t offer = offers_site_first(&router->offers, site); offer != OFFERS_NONE;
         offer = next) {
        next = offers_next(&router->offers, offer);
        const struct offers_row *row = offers_get(&router->offers, offer);
        uint32_t ticket = row->ticket;
        if (!row->is_accepted) {
            dispatch_withdraw(router, ticket, RELEASE_WITHDRAWN);
            ledger_wait(router, ticket);
        }
    }
}

void dispatch_withdraw_part(struct router *router, uint32_t part)
{
    for (uint32_t offer = offers_walk(&router->offers, 0); offer != OFFERS_NONE;
         offer = offers_walk(&router->offers, offer + 1U)) {
        const struct offers_row *row = offers_get(&router->offers, offer);
        if (row->part == part && !row->is_accepted) {
            dispatch_withdraw(router, row->ticket, RELEASE_WITHDRAWN);
        }
    }
}

bool dispatch_offer_allows(const struct router *router, uint32_t ticket, bool person_requested)
{
    const struct offers_row *offer = offers_get(&router->offers, ticket_at(router, ticket)->link);
    return !person_requested || roster_get(&router->matching.roster, offer->agent)->is_person;
}

void dispatch_expire(struct router *router)
{
    uint32_t offer = OFFERS_NONE;
    while (sends_has_room(router) && offers_pop_due(&router->offers, router->now_ms, &offer)) {
        struct offers_row row = *offers_get(&router->offers, offer);
        trace_offer(router, "offer.expired", &row);
        release_offer(router, &row, RELEASE_WITHDRAWN);
        end_offer(router, offer, OFFER_EXPIRED);
        if (roster_next(&router->matching.roster, row.agent) == row.agent) {
            refuse(router, row.ticket, row.agent);
        }
        ledger_wait(router, row.ticket);
    }
}

static void assign(struct router *router, uint32_t ticket, uint32_t offer)
{
    const struct offers_row *row = offers_get(&router->offers, offer);
    const struct roster_agent *agent = roster_get(&router->matching.roster, row->agent);
    struct store_request request = ledger_request(router, ticket, STORE_ASSIGN);
    request.move.attempt = row->attempt;
    request.move.agent = row->agent_id;
    request.move.site = agent->site;
    request.move.agent_is_person = agent->is_person;
    struct commit commit = {
        .asker = COMMIT_ACCEPT, .offer = offer, .offer_number = row->number, .site = row->site};
    if (commits_add(&router->commits, &request, &commit) == VT_OK) {
        offers_accept(&router->offers, offer, sites_get(&router->sites, row->site)->session);
        ledger_stage(router, ticket, STAGE_ASSIGNING);
    }
}

static bool is_holder(const struct ticket *row, const struct accept *accept)
{
    return (row->stage == STAGE_ASSIGNED || row->stage == STAGE_VERIFY ||
            row->stage == STAGE_MOVING) &&
           row->attempt == accept->attempt && row->agent == accept->agent;
}

/* An answer of the site that the offer went to. */
static bool is_live(const struct router *router,
                    uint32_t site,
                    const struct ticket *row,
                    const struct accept *accept)
{
    if (row->stage != STAGE_OFFERED && row->stage != STAGE_ASSIGNING) {
        return false;
    }
    const struct offers_row *offer = offers_get(&router->offers, row->link);
    return offer->site == site && offer->number == accept->offer && offer->epoch == accept->epoch &&
           offer->attempt == accept->attempt && offer->agent_id == accept->agent;
}

static void
one_accept(struct router *router, uint32_t site, uint32_t part, const struct accept *accept)
{
    uint32_t ticket = tickets_find(&router->matching.tickets, accept->ticket);
    const struct ticket *row = ticket == TICKETS_NONE ? NULL : ticket_at(router, ticket);
    if (row != NULL && is_holder(row, accept)) {
        ledger_verified(router, ticket);
        confirms_again(router, ticket);
        return;
    }
    if (row != NULL && is_live(router, site, row, accept)) {
        if (row->stage == STAGE_OFFERED) {
            assign(router, ticket, row->link);
        }
        return;
    }
    enum ownership_state state = ownership_state(&router->ownership, part);
    if (accept->epoch > ownership_epoch(&router->ownership, part) || state == OWNERSHIP_LOAD) {
        return; /* deposed, or the rows that would tell are not read yet */
    }
    struct release release = {.ticket = accept->ticket,
                              .attempt = accept->attempt,
                              .agent = accept->agent,
                              .offer = accept->offer,
                              .why = RELEASE_TAKEN};
    sends_release(router, site, part, &release);
}

void dispatch_accept(struct router *router, uint32_t site, const struct message *message)
{
    for (uint32_t i = 0; i < message->count; i++) {
        one_accept(router, site, message->header.part, &message->accept[i]);
    }
}

static void hint(struct router *router, uint32_t agent, const struct decline *decline)
{
    struct roster_hint told = {.free = decline->free,
                               .is_available = decline->reason != DECLINE_UNAVAILABLE,
                               .idle_ms = -1};
    roster_hint(&router->matching.roster, agent, &told, router->now_ms);
    ledger_touch_agent(router, agent);
}

static void one_decline(struct router *router, uint32_t site, const struct decline *decline)
{
    uint32_t ticket = tickets_find(&router->matching.tickets, decline->ticket);
    struct accept same = {.offer = decline->offer,
                          .attempt = decline->attempt,
                          .agent = decline->agent,
                          .epoch = decline->epoch};
    if (ticket == TICKETS_NONE || !is_live(router, site, ticket_at(router, ticket), &same) ||
        ticket_at(router, ticket)->stage != STAGE_OFFERED) {
        return;
    }
    uint32_t offer = ticket_at(router, ticket)->link;
    struct offers_row row = *offers_get(&router->offers, offer);
    trace_offer(router, "offer.declined", &row);
    end_offer(router, offer, OFFER_DECLINED);
    if (roster_next(&router->matching.roster, row.agent) == row.agent) {
        /* A full or absent agent is not asked again before it says so: no refusal is needed. */
        bool is_asked_later = decline->reason == DECLINE_UNAVAILABLE ||
                              (decline->reason == DECLINE_BUSY && decline->free == 0);
        hint(router, row.agent, decline);
        if (!is_asked_later) {
            refuse(router, ticket, row.agent);
        }
    }
    ledger_wait(router, ticket);
}

void dispatch_decline(struct router *router, uint32_t site, const struct message *message)
{
    for (uint32_t i = 0; i < message->count; i++) {
        one_decline(router, site, &message->decline[i]);
    }
}
