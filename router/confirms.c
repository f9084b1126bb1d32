#include "router/confirms.h"

#include "lib/check.h"
#include "proto/plan.h"
#include "router/dispatch.h"
#include "router/inside.h"
#include "router/sends.h"

static struct ticket *ticket_at(const struct router *router, uint32_t ticket)
{
    return tickets_get(&router->matching.tickets, ticket);
}

static void send(struct router *router, uint32_t ticket, struct bytes body)
{
    struct ledger_row *beside = &router->ledger.rows[ticket];
    const struct ticket *row = ticket_at(router, ticket);
    struct class_key key = matching_class_of(&router->matching, ticket);
    const struct plan_queue *queue =
        router->plan == NULL ? NULL : plan_find_queue_id(router->plan, key.queue);
    struct bytes body_copy;
    struct bytes requirements;
    if (beside->site == 0 || !sends_copy(router, body, &body_copy) ||
        !sends_copy(router, key.requirements, &requirements)) {
        return; /* the holder asks again */
    }
    uint32_t site = beside->site - 1U;
    struct confirm *entry = sends_to_site(router, site, row->part, MESSAGE_CONFIRM);
    if (entry == NULL) {
        return;
    }
    *entry = (struct confirm){.ticket = row->id,
                              .attempt = row->attempt,
                              .agent = row->agent,
                              .msgs = row->msgs,
                              .priority = row->priority,
                              .fails = row->fails,
                              .created_us = row->created_us,
                              .requirements = requirements,
                              .body = body_copy};
    if (queue != NULL) {
        entry->queue_name = queue->name;
    }
    beside->confirm_seq = sends_last_seq(router, site, row->part);
}

static void count_answer(struct router *router, uint32_t ticket)
{
    struct figures_queue *queue = figures_get(&router->figures, router->ledger.rows[ticket].queue);
    int64_t wait_ms = (inside_store_us(router) - ticket_at(router, ticket)->queued_us) / 1000;
    queue->answered_total++;
    queue->wait_sum_ms += wait_ms < 0 ? 0 : wait_ms;
    queue->offers_total[OFFER_ACCEPTED]++;
}

static void trace_assigned(struct router *router, const struct offers_row *offer)
{
    trace_event(router->trace, TRACE_DEBUG, "ticket.assigned");
    trace_id(router->trace, "ticket", ticket_at(router, offer->ticket)->id);
    trace_u64(router->trace, "attempt", offer->attempt);
    trace_bytes(router->trace,
                "agent",
                bytes_of(roster_get(&router->matching.roster, offer->agent)->name,
                         roster_get(&router->matching.roster, offer->agent)->name_size));
    trace_end(router->trace);
}

void confirms_assigned(struct router *router,
                       const struct commit *commit,
                       const struct ticket_row *row,
                       struct bytes body)
{
    const struct offers_row *found =
        offers_find(&router->offers, commit->offer, commit->offer_number);
    if (found == NULL) {
        ledger_take_over(router, row);
        return;
    }
    struct offers_row offer = *found;
    uint32_t ticket = offer.ticket;
    const struct site *site = sites_get(&router->sites, offer.site);
    bool is_live = site->is_up && session_equal(site->session, offer.session);
    trace_assigned(router, &offer);
    count_answer(router, ticket);
    offers_remove(&router->offers, commit->offer);
    ledger_stage(router, ticket, STAGE_HELD_BACK);
    if (matching_ticket_update(&router->matching, ticket, row) != VT_OK) {
        router->parts[offer.part].is_short = true; /* its class does until it ends */
        ticket_at(router, ticket)->attempt = row->attempt;
        ticket_at(router, ticket)->rev = row->rev;
    }
    router->ledger.rows[ticket].holder = offer.agent + 1U; /* the offer's slot is now its own */
    ledger_bind(router, ticket, row->agent, row->site);
    if (is_live) {
        ledger_stage(router, ticket, STAGE_ASSIGNED);
        send(router, ticket, body);
    } else {
        ledger_verify(router, ticket);
        sends_held_ask(router, offer.site, offer.part);
    }
    struct update update = {row->id, row->rev, row->state, row->attempt};
    sends_update(router, offer.part, &update);
}

void confirms_refused(struct router *router, const struct commit *commit)
{
    const struct offers_row *offer =
        offers_find(&router->offers, commit->offer, commit->offer_number);
    router->counters.refused_assigns_total++;
    if (offer != NULL) {
        dispatch_withdraw(router, offer->ticket, RELEASE_TAKEN);
    }
}

void confirms_read(struct router *router, struct ticket_id id, uint32_t part)
{
    struct loads_ticket wanted = {
        .id = id, .part = part, .epoch = ownership_epoch(&router->ownership, part)};
    if (loads_ticket(&router->loads, &wanted) != VT_OK) {
        /* Too much is unknown to be remembered: read the partition again, from the start. */
        ownership_fenced(&router->ownership, part, wanted.epoch, router->now_ms);
    }
}

void confirms_again(struct router *router, uint32_t ticket)
{
    struct ledger_row *beside = &router->ledger.rows[ticket];
    const struct ticket *row = ticket_at(router, ticket);
    if (beside->is_confirm_asked) {
        return;
    }
    struct loads_ticket wanted = {.id = row->id,
                                  .part = row->part,
                                  .epoch = ownership_epoch(&router->ownership, row->part),
                                  .wants_confirm = true};
    beside->is_confirm_asked = loads_ticket(&router->loads, &wanted) == VT_OK;
}

/* An assignment whose outcome was unknown is decided by its row. */
static bool settle_assigning(struct router *router,
                             uint32_t ticket,
                             const struct ticket_row *row,
                             struct bytes body)
{
    const struct ticket *from = ticket_at(router, ticket);
    if (from->stage != STAGE_ASSIGNING) {
        return false;
    }
    const struct offers_row *offer = offers_get(&router->offers, from->link);
    struct commit commit = {.asker = COMMIT_ACCEPT,
                            .offer = from->link,
                            .offer_number = offer->number,
                            .site = offer->site};
    if (row->state == TICKET_ASSIGNED && row->attempt == offer->attempt &&
        row->agent == offer->agent_id) {
        confirms_assigned(router, &commit, row, body);
        return true;
    }
    confirms_refused(router, &commit);
    return false;
}

/* The store has no such ticket in this partition. */
static void forget_absent(struct router *router, uint32_t ticket)
{
    enum stage stage = (enum stage) ticket_at(router, ticket)->stage;
    if (stage == STAGE_OFFERED || stage == STAGE_ASSIGNING) {
        dispatch_withdraw(router, ticket, RELEASE_NOT_YOURS);
    }
    ledger_forget(router, ticket);
}

void confirms_lost(struct router *router, const struct loads_job *job)
{
    uint32_t ticket = tickets_find(&router->matching.tickets, job->ticket);
    if (!job->wants_confirm) {
        ownership_fenced(&router->ownership, job->part, job->epoch, router->now_ms);
    } else if (ticket != TICKETS_NONE) {
        router->ledger.rows[ticket].is_confirm_asked = 0; /* its holder asks again */
    }
}

void confirms_loaded(struct router *router,
                     const struct loads_job *job,
                     const struct load_page *page)
{
    uint32_t ticket = tickets_find(&router->matching.tickets, job->ticket);
    if (ticket != TICKETS_NONE) {
        router->ledger.rows[ticket].is_confirm_asked = 0;
    }
    if (page->row_count == 0 || page->rows[0].part != job->part) {
        if (ticket != TICKETS_NONE) {
            forget_absent(router, ticket);
        }
        return;
    }
    const struct ticket_row *row = &page->rows[0];
    if (job->wants_confirm) {
        const struct ticket *from = ticket == TICKETS_NONE ? NULL : ticket_at(router, ticket);
        if (from != NULL && (from->stage == STAGE_ASSIGNED || from->stage == STAGE_VERIFY) &&
            row->state == TICKET_ASSIGNED && row->attempt == from->attempt &&
            row->agent == from->agent) {
            send(router, ticket, page->body);
        }
        ledger_take(router, row);
        return;
    }
    if (ticket == TICKETS_NONE || !settle_assigning(router, ticket, row, page->body)) {
        ledger_take_over(router, row);
    }
    ledger_catch_up(router, job->ticket);
}
