#include "router/holding.h"

#include "lib/check.h"
#include "router/confirms.h"
#include "router/dispatch.h"
#include "router/forwards.h"
#include "router/inside.h"
#include "router/results.h"
#include "router/sends.h"

#define DISAGREE_MS 3000 /* a digest may differ this long while messages are on their way */
#define SILENT_MS 10000  /* BEATs of a partition come every second while something is held there */

static struct ticket *ticket_at(const struct router *router, uint32_t ticket)
{
    return tickets_get(&router->matching.tickets, ticket);
}

static void trace_site(struct router *router, const char *event, uint32_t site)
{
    trace_event(router->trace, TRACE_INFO, event);
    trace_bytes(router->trace, "site", sites_name(&router->sites, site));
    trace_u64(router->trace, "boot", sites_get(&router->sites, site)->session.boot);
    trace_u64(router->trace, "connect", sites_get(&router->sites, site)->session.connect);
    trace_end(router->trace);
}

static void down(struct router *router, uint32_t site)
{
    if (!sites_get(&router->sites, site)->is_up) {
        return;
    }
    trace_site(router, "site.down", site);
    sites_set_down(&router->sites, site);
    roster_site_down(&router->matching.roster, sites_get(&router->sites, site)->id);
    dispatch_withdraw_site(router, site);
    for (uint32_t ticket = sites_first_ticket(&router->sites, site); ticket != LIST_NONE;
         ticket = sites_next_ticket(&router->sites, ticket)) {
        if (ticket_at(router, ticket)->stage == STAGE_ASSIGNED) {
            ledger_verify(router, ticket);
        }
    }
}

static void touch_agents(struct router *router, uint32_t site)
{
    const struct roster *roster = &router->matching.roster;
    uint32_t id = sites_get(&router->sites, site)->id;
    for (uint32_t agent = roster_site_first(roster, id); agent != ROSTER_NONE;
         agent = roster_site_next(roster, agent)) {
        ledger_touch_agent(router, agent);
    }
}

/* Every partition of which the site has a ticket that it has not confirmed to hold. */
static void ask_unverified(struct router *router, uint32_t site)
{
    for (uint32_t ticket = sites_first_ticket(&router->sites, site); ticket != LIST_NONE;
         ticket = sites_next_ticket(&router->sites, ticket)) {
        const struct ticket *row = ticket_at(router, ticket);
        if (row->stage == STAGE_VERIFY) {
            sends_held_ask(router, site, row->part);
        }
    }
}

static void returns(struct router *router, uint32_t site)
{
    trace_site(router, "site.up", site);
    sites_set_up(&router->sites, site, router->now_ms);
    roster_site_up(&router->matching.roster, sites_get(&router->sites, site)->id);
    ask_unverified(router, site);
    touch_agents(router, site);
}

static void clear_marks(struct router *router, uint32_t site, uint32_t part)
{
    for (uint32_t ticket = sites_first_ticket(&router->sites, site); ticket != LIST_NONE;
         ticket = sites_next_ticket(&router->sites, ticket)) {
        struct ticket *row = ticket_at(router, ticket);
        if (part == PART_ALL || row->part == part) {
            row->flags = (uint8_t) (row->flags & ~(uint32_t) TICKETS_MARK);
        }
    }
}

/* What memory says this site should hold and the list did not name. `seq` is the highest number
 * the site had received when it wrote the list; a CONFIRM it cannot know of is not missed. */
static void judge_missing(struct router *router, uint32_t site, uint32_t part, uint64_t seq)
{
    uint32_t next = LIST_NONE;
    for (uint32_t ticket = sites_first_ticket(&router->sites, site); ticket != LIST_NONE;
         ticket = next) {
        next = sites_next_ticket(&router->sites, ticket);
        const struct ticket *row = ticket_at(router, ticket);
        bool is_meant = part == PART_ALL || row->part == part;
        bool is_held = (row->flags & TICKETS_MARK) != 0;
        bool is_judged = row->stage == STAGE_ASSIGNED || row->stage == STAGE_VERIFY;
        bool is_active = ownership_state(&router->ownership, row->part) == OWNERSHIP_ACTIVE;
        is_judged = is_judged && is_active;
        if (is_meant && !is_held && is_judged && router->ledger.rows[ticket].confirm_seq <= seq) {
            ledger_requeue(router, ticket, REQUEUE_NEVER_CONFIRMED);
        }
    }
}

static bool is_offered(const struct router *router, const struct ticket *row, uint32_t agent)
{
    if (row->stage != STAGE_OFFERED && row->stage != STAGE_ASSIGNING) {
        return false;
    }
    return offers_get(&router->offers, row->link)->agent_id == agent;
}

static void judge_held(struct router *router, uint32_t site, const struct held *held)
{
    uint32_t ticket = tickets_find(&router->matching.tickets, held->ticket);
    if (ownership_state(&router->ownership, held->part) != OWNERSHIP_ACTIVE) {
        return; /* not ours to judge, or not yet */
    }
    struct ticket *row = ticket == TICKETS_NONE ? NULL : ticket_at(router, ticket);
    bool is_bound = row != NULL && router->ledger.rows[ticket].site == site + 1U;
    if (is_bound && row->attempt == held->attempt && row->agent == held->agent) {
        row->flags |= TICKETS_MARK;
        ledger_verified(router, ticket);
        if (held->state == HELD_ACCEPTED && row->stage == STAGE_ASSIGNED) {
            confirms_again(router, ticket);
        }
        return;
    }
    if (row != NULL && is_offered(router, row, held->agent)) {
        row->flags |= TICKETS_MARK; /* it may be assigned before the list is whole */
        return;
    }
    if (held->state == HELD_ENDED) {
        return; /* its outcome is answered by itself */
    }
    struct release release = {.ticket = held->ticket,
                              .attempt = held->attempt,
                              .agent = held->agent,
                              .why = RELEASE_NOT_YOURS};
    sends_release(router, site, held->part, &release);
}

static void remove_stale_agents(struct router *router, uint32_t site)
{
    struct matching *matching = &router->matching;
    uint32_t id = sites_get(&router->sites, site)->id;
    uint32_t agent = roster_site_stale(&matching->roster, id);
    while (agent != ROSTER_NONE) {
        matching_agent_remove(matching, agent);
        uint32_t next = roster_site_stale(&matching->roster, id);
        if (next == agent) {
            return;
        }
        agent = next;
    }
}

/* The broker repeats SITE_UP until it hears from us for this session: so say something. */
static void greet(struct router *router, uint32_t site)
{
    for (uint32_t part = 0; part < router->options.parts_max; part++) {
        if (ownership_state(&router->ownership, part) == OWNERSHIP_ACTIVE) {
            sends_held_ask(router, site, part);
            return;
        }
    }
}

static void whole(struct router *router, uint32_t site)
{
    bool is_first = !sites_get(&router->sites, site)->is_complete;
    if (is_first) {
        remove_stale_agents(router, site);
        if (sites_get(&router->sites, site)->stamp == router->activations) {
            judge_missing(router, site, PART_ALL, UINT64_MAX);
        } /* else its list came partly before the rows it is to be compared with: it is asked again
           */
    }
    returns(router, site);
    greet(router, site);
}

static void site_up(struct router *router, uint64_t broker, const struct message *message)
{
    uint32_t site = SITES_NONE;
    if (message->count != 1) {
        return;
    }
    enum sites_standing standing =
        sites_begin(&router->sites, message, broker, router->now_ms, &site);
    switch (standing) {
    case SITES_LIVE:
        greet(router, site);
        return;
    case SITES_STALE:
    case SITES_OLDER:
        sends_about_session(router, broker, &message->header, MESSAGE_SITE_STALE);
        return;
    case SITES_CLONE:
        router->counters.clones_total++;
        trace_event(router->trace, TRACE_ERROR, "site.cloned");
        trace_bytes(router->trace, "site", message->site_up[0].name);
        trace_end(router->trace);
        return;
    case SITES_RETURNS:
    case SITES_UNKNOWN:
        break;
    }
    if (site == SITES_NONE) {
        trace_event(router->trace, TRACE_WARN, "site.refused");
        trace_text(router->trace, "reason", "the table of sites is full");
        trace_end(router->trace);
        return;
    }
    clear_marks(router, site, PART_ALL);
    sites_get(&router->sites, site)->stamp = router->activations;
    roster_site_begin(&router->matching.roster, message->header.site);
    if (sites_is_whole(&router->sites, site)) {
        whole(router, site);
    }
}

static void agents_came(struct router *router, uint32_t site, const struct message *message)
{
    if (!sites_get(&router->sites, site)->is_assembling) {
        return;
    }
    for (uint32_t i = 0; i < message->count; i++) {
        const struct agent *agent = &message->agent[i];
        uint32_t row = ROSTER_NONE;
        vt_err error = matching_agent_put(
            &router->matching, message->header.site, agent, router->now_ms, &row);
        if (error != VT_OK) {
            trace_event(router->trace, TRACE_WARN, "agent.refused");
            trace_bytes(router->trace, "agent", agent->name);
            trace_text(router->trace, "reason", err_text(error));
            trace_end(router->trace);
            continue;
        }
        ledger_bind_agent(router, site, row);
        struct roster_hint told = {
            .free = agent->free, .is_available = true, .idle_ms = agent->idle_ms};
        roster_hint(&router->matching.roster, row, &told, router->now_ms);
    }
    if (sites_got_agents(&router->sites, site, message->count)) {
        whole(router, site);
    }
}

/* Counts a message of a list. False: with the last one it is much shorter than what the site said
 * by BEAT, so a message before it, which was full, was lost. */
static bool may_be_whole(struct sites_pair *pair, const struct message *message)
{
    bool is_first = (message->header.flags & HEADER_FIRST) != 0;
    bool is_last = (message->header.flags & HEADER_LAST) != 0;
    if (pair == NULL) {
        return is_first;
    }
    uint32_t count = (is_first ? 0 : pair->list_count) + message->count;
    pair->list_count = is_last ? 0 : count;
    return is_first || count + MESSAGE_ENTRIES_MAX / 2U > pair->beat_count;
}

/* An answer to HELD_ASK: what the site holds of one partition, for the owner of that epoch. */
static void answer_came(struct router *router, uint32_t site, const struct message *message)
{
    const struct header *header = &message->header;
    if (header->epoch != ownership_epoch(&router->ownership, header->part)) {
        return;
    }
    if ((header->flags & HEADER_FIRST) != 0) {
        clear_marks(router, site, header->part);
    }
    for (uint32_t i = 0; i < message->count; i++) {
        judge_held(router, site, &message->held[i]);
    }
    struct sites_pair *pair = sites_pair(&router->sites, site, header->part, header->epoch);
    bool is_whole = may_be_whole(pair, message);
    if ((header->flags & HEADER_LAST) == 0 || !is_whole) {
        return; /* still at odds, it is asked again */
    }
    judge_missing(router, site, header->part, header->seq);
    if (pair != NULL) {
        pair->agreed_ms = router->now_ms;
    }
}

/* SITE_UP's list names no epoch. */
static void held_came(struct router *router, uint32_t site, const struct message *message)
{
    if (message->header.epoch != 0) {
        answer_came(router, site, message);
        return;
    }
    if (!sites_get(&router->sites, site)->is_assembling) {
        return; /* the list of a SITE_UP that was said once more */
    }
    for (uint32_t i = 0; i < message->count; i++) {
        judge_held(router, site, &message->held[i]);
    }
    if (sites_got_held(&router->sites, site, message->count)) {
        whole(router, site);
    }
}

static void avail_came(struct router *router, const struct message *message)
{
    for (uint32_t i = 0; i < message->count; i++) {
        const struct avail *avail = &message->avail[i];
        uint32_t agent = roster_find(&router->matching.roster, avail->agent);
        if (agent == ROSTER_NONE ||
            roster_get(&router->matching.roster, agent)->site != message->header.site) {
            continue;
        }
        struct roster_hint told = {
            .free = avail->free, .is_available = avail->is_available, .idle_ms = avail->idle_ms};
        roster_hint(&router->matching.roster, agent, &told, router->now_ms);
        ledger_touch_agent(router, agent);
    }
}

/* What memory says the site holds of the partition. */
static struct beat expected(const struct router *router, uint32_t site, uint32_t part)
{
    struct beat beat = {0};
    for (uint32_t ticket = sites_first_ticket(&router->sites, site); ticket != LIST_NONE;
         ticket = sites_next_ticket(&router->sites, ticket)) {
        const struct ticket *row = ticket_at(router, ticket);
        struct held held = {
            .part = row->part, .ticket = row->id, .attempt = row->attempt, .agent = row->agent};
        if (row->part == part) {
            beat.held_count++;
            beat.digest += held_digest(&held);
        }
    }
    return beat;
}

static void agree(struct router *router, uint32_t site, uint32_t part)
{
    for (uint32_t ticket = sites_first_ticket(&router->sites, site); ticket != LIST_NONE;
         ticket = sites_next_ticket(&router->sites, ticket)) {
        if (ticket_at(router, ticket)->part == part) {
            ledger_verified(router, ticket);
        }
    }
}

/* A site says nothing of a partition in which it holds nothing. Where it should hold something and
 * has not agreed for long, the CONFIRM may have been lost: it is asked. */
static void ask_silent(struct router *router, uint32_t site)
{
    for (uint32_t ticket = sites_first_ticket(&router->sites, site); ticket != LIST_NONE;
         ticket = sites_next_ticket(&router->sites, ticket)) {
        const struct ticket *row = ticket_at(router, ticket);
        uint64_t epoch = ownership_epoch(&router->ownership, row->part);
        const struct sites_pair *pair = sites_pair(&router->sites, site, row->part, epoch);
        if (pair != NULL && router->now_ms - pair->agreed_ms > SILENT_MS) {
            sends_held_ask(router, site, row->part);
        }
    }
}

static void beat_came(struct router *router, uint32_t site, const struct message *message)
{
    uint32_t part = message->header.part;
    if (part == PART_ALL) {
        ask_silent(router, site);
        return;
    }
    if (message->count != 1 || ownership_state(&router->ownership, part) != OWNERSHIP_ACTIVE) {
        return;
    }
    struct sites_pair *pair =
        sites_pair(&router->sites, site, part, ownership_epoch(&router->ownership, part));
    struct beat beat = expected(router, site, part);
    bool is_same =
        beat.held_count == message->beat[0].held_count && beat.digest == message->beat[0].digest;
    if (is_same) {
        agree(router, site, part);
    }
    if (pair == NULL) {
        return;
    }
    pair->beat_count = message->beat[0].held_count;
    if (is_same) {
        pair->agreed_ms = router->now_ms;
    } else if (router->now_ms - pair->agreed_ms > DISAGREE_MS) {
        sends_held_ask(router, site, part);
    }
}

static void site_down(struct router *router, const struct message *message)
{
    uint32_t site = sites_find(&router->sites, message->header.site);
    if (site != SITES_NONE && sites_get(&router->sites, site)->has_session &&
        session_equal(sites_get(&router->sites, site)->session, message->header.session)) {
        down(router, site);
    }
}

/* Kinds whose partition must be ours for the message to mean anything. */
static bool is_about_part(enum message_kind kind)
{
    return kind == MESSAGE_ACCEPT || kind == MESSAGE_DECLINE || kind == MESSAGE_OUTCOME;
}

static void
from_live(struct router *router, uint64_t broker, uint32_t site, const struct message *message)
{
    if (is_about_part(message->header.kind) &&
        !ownership_is_served(&router->ownership, message->header.part)) {
        forwards_not_owner(router, broker, message->header.part);
        return;
    }
    if (message->header.kind == MESSAGE_AGENT) {
        agents_came(router, site, message);
    } else if (message->header.kind == MESSAGE_HELD) {
        held_came(router, site, message);
    } else if (message->header.kind == MESSAGE_AVAIL) {
        avail_came(router, message);
    } else if (message->header.kind == MESSAGE_ACCEPT) {
        dispatch_accept(router, site, message);
    } else if (message->header.kind == MESSAGE_DECLINE) {
        dispatch_decline(router, site, message);
    } else if (message->header.kind == MESSAGE_OUTCOME) {
        results_outcome(router, site, message);
    } else if (message->header.kind == MESSAGE_BEAT) {
        beat_came(router, site, message);
    }
}

void holding_received(struct router *router, uint64_t broker, const struct message *message)
{
    if (message->header.kind == MESSAGE_SITE_UP) {
        site_up(router, broker, message);
        return;
    }
    if (message->header.kind == MESSAGE_SITE_DOWN) {
        site_down(router, message);
        return;
    }
    switch (sites_hear(&router->sites, &message->header, broker, router->now_ms)) {
    case SITES_UNKNOWN:
        sends_about_session(router, broker, &message->header, MESSAGE_SITE_ASK);
        return;
    case SITES_STALE:
        sends_about_session(router, broker, &message->header, MESSAGE_SITE_STALE);
        return;
    case SITES_OLDER:
        return;
    case SITES_CLONE:
        router->counters.clones_total++;
        return;
    case SITES_RETURNS:
        returns(router, sites_find(&router->sites, message->header.site));
        break;
    case SITES_LIVE:
        break;
    }
    from_live(router, broker, sites_find(&router->sites, message->header.site), message);
}

void holding_expire(struct router *router)
{
    uint32_t site = SITES_NONE;
    while (sends_has_room(router) && sites_pop_silent(&router->sites, router->now_ms, &site)) {
        down(router, site);
    }
}

void holding_ask_all(struct router *router, uint32_t part)
{
    for (uint32_t site = sites_next(&router->sites, 0); site != SITES_NONE;
         site = sites_next(&router->sites, site + 1U)) {
        if (sites_get(&router->sites, site)->is_up &&
            sites_first_ticket(&router->sites, site) != LIST_NONE) {
            sends_held_ask(router, site, part);
        }
    }
}
