#include "router/results.h"

#include "lib/check.h"
#include "router/confirms.h"
#include "router/dispatch.h"
#include "router/inside.h"
#include "router/lifecycle.h"
#include "router/sends.h"

static uint32_t find(const struct router *router, struct ticket_id id)
{
    return tickets_find(&router->matching.tickets, id);
}

static struct ticket *ticket_at(const struct router *router, uint32_t ticket)
{
    return tickets_get(&router->matching.tickets, ticket);
}

static void verdict(struct router *router,
                    const struct store_request *request,
                    const struct commit *commit,
                    enum verdict_kind kind)
{
    struct verdict *entry = sends_to_site(router, commit->site, request->part, MESSAGE_VERDICT);
    if (entry == NULL) {
        return;
    }
    *entry = (struct verdict){.what = commit->what,
                              .verdict = kind,
                              .ticket = request->ticket,
                              .attempt = request->move.attempt,
                              .agent = request->move.agent};
}

/* While it is in the store nothing else is decided about the ticket. */
static void mark_moving(struct router *router, const struct store_request *request)
{
    uint32_t ticket = find(router, request->ticket);
    if (ticket == TICKETS_NONE || ticket_at(router, ticket)->attempt != request->move.attempt) {
        return;
    }
    const struct ticket *row = ticket_at(router, ticket);
    if (row->stage == STAGE_ASSIGNED || row->stage == STAGE_VERIFY) {
        timers_clear(&router->ledger.timers, ticket);
        ledger_stage(router, ticket, STAGE_MOVING);
    } else if (row->stage == STAGE_WAITING && request->kind == STORE_COMPLETE) {
        ledger_stage(router, ticket, STAGE_HELD_BACK); /* late, but it may still count */
        timers_set(&router->ledger.timers, ticket, router->now_ms + router->options.refusal_ms);
    }
}

/* Agents' numbers are easily guessed: one of another site's agents is nobody's to end. */
static bool is_anothers(const struct router *router, uint32_t site, uint32_t agent)
{
    return agent != ROSTER_NONE &&
           roster_get(&router->matching.roster, agent)->site != sites_get(&router->sites, site)->id;
}

void results_outcome(struct router *router, uint32_t site, const struct message *message)
{
    uint64_t epoch = ownership_epoch(&router->ownership, message->header.part);
    for (uint32_t i = 0; i < message->count; i++) {
        const struct outcome *outcome = &message->outcome[i];
        uint32_t agent = roster_find(&router->matching.roster, outcome->agent);
        bool is_person = agent == ROSTER_NONE
                             ? outcome->agent_is_person
                             : roster_get(&router->matching.roster, agent)->is_person;
        struct store_request request =
            lifecycle_outcome_request(&message->header, outcome, is_person);
        request.epoch = epoch;
        struct commit commit = {
            .asker = COMMIT_AGENT, .site = site, .what = outcome->what, .verdict = VERDICT_ACK};
        if (is_anothers(router, site, agent)) {
            verdict(router, &request, &commit, VERDICT_FORBIDDEN);
        } else if (commits_add(&router->commits, &request, &commit) == VT_OK) {
            mark_moving(router, &request);
        }
    }
}

bool results_cancel(struct router *router, uint32_t part, const struct forward *forward)
{
    struct store_request request = {.kind = STORE_CANCEL,
                                    .part = part,
                                    .epoch = ownership_epoch(&router->ownership, part),
                                    .ticket = forward->row.id};
    request.move.note = forward->text;
    struct commit commit = {.asker = COMMIT_OWNER};
    return commits_add(&router->commits, &request, &commit) == VT_OK;
}

/* The agent gave it back: somebody else first. */
static void refuse_giver(struct router *router, const struct store_request *request)
{
    uint32_t ticket = find(router, request->ticket);
    uint32_t agent = roster_find(&router->matching.roster, request->move.agent);
    struct refusal dropped;
    if (ticket == TICKETS_NONE || agent == ROSTER_NONE) {
        return;
    }
    if (matching_refuse(&router->matching,
                        ticket,
                        agent,
                        router->now_ms + router->options.refusal_ms,
                        &dropped)) {
        ledger_touch_ticket(router, dropped.ticket);
    }
}

static void release_holder(struct router *router, uint32_t ticket, enum release_why why)
{
    const struct ticket *row = ticket_at(router, ticket);
    uint32_t site = router->ledger.rows[ticket].site;
    if (row->stage == STAGE_OFFERED || row->stage == STAGE_ASSIGNING) {
        dispatch_withdraw(router, ticket, why);
    } else if (site != 0) {
        struct release release = {
            .ticket = row->id, .attempt = row->attempt, .agent = row->agent, .why = why};
        sends_release(router, site - 1U, row->part, &release);
    }
}

static void trace_move(struct router *router, const struct store_request *request)
{
    static const char *const events[] = {[STORE_DUE] = "ticket.due",
                                         [STORE_COMPLETE] = "ticket.completed",
                                         [STORE_PARK] = "ticket.parked",
                                         [STORE_REQUEUE] = "ticket.requeued",
                                         [STORE_CANCEL] = "ticket.cancelled",
                                         [STORE_DEAD] = "ticket.died"};
    static const char *const causes[] = {[REQUEUE_GIVE_BACK] = "given_back",
                                         [REQUEUE_GRACE_OVER] = "grace_over",
                                         [REQUEUE_NEVER_CONFIRMED] = "never_confirmed",
                                         [REQUEUE_HANDOFF] = "handoff",
                                         [REQUEUE_NEW_MSGS] = "new_messages",
                                         [REQUEUE_UNPARKED] = "unparked"};
    trace_event(router->trace,
                request->kind == STORE_DEAD ? TRACE_WARN : TRACE_DEBUG,
                events[request->kind]);
    trace_id(router->trace, "ticket", request->ticket);
    trace_u64(router->trace, "attempt", request->move.attempt);
    if (request->kind == STORE_REQUEUE) {
        trace_text(router->trace, "cause", causes[request->move.cause]);
    }
    trace_end(router->trace);
}

/* DONE without a row, or DUPLICATE with the row as it is. */
static void
done(struct router *router, const struct store_request *request, const struct store_result *result)
{
    uint32_t ticket = find(router, request->ticket);
    if (result->status == STORE_DUPLICATE) {
        ledger_take_over(router, &result->row);
        return;
    }
    if (request->kind == STORE_NOTE) {
        return;
    }
    trace_move(router, request);
    if (request->kind == STORE_CANCEL && ticket != TICKETS_NONE) {
        release_holder(router, ticket, RELEASE_CANCELLED);
    }
    bool is_given_back = request->kind == STORE_REQUEUE && request->move.cause == REQUEUE_GIVE_BACK;
    if (is_given_back) {
        refuse_giver(router, request);
    }
    ledger_commit(router, request);
}

/* The outcome's text must not be lost, and a ticket must not stay with an agent who has ended. */
static bool follow_up(struct router *router,
                      const struct store_request *request,
                      const struct commit *commit,
                      enum lifecycle_ruling ruling)
{
    struct store_request next = *request;
    struct commit after = *commit;
    if (ruling == LIFECYCLE_KEEP_TEXT) {
        next.kind = STORE_NOTE;
        after.verdict = VERDICT_STALE;
    } else {
        next.kind = STORE_REQUEUE;
        next.move.cause = REQUEUE_NEW_MSGS;
        after.verdict = VERDICT_NEW_MSGS;
    }
    next.move.note = (struct bytes){0};
    return commits_add(&router->commits, &next, &after) == VT_OK;
}

static void take_result_row(struct router *router,
                            const struct store_request *request,
                            const struct store_result *result)
{
    if (result->status == STORE_REFUSED || result->status == STORE_DUPLICATE) {
        ledger_take_over(router, &result->row);
        return;
    }
    uint32_t ticket = find(router, request->ticket);
    if (result->status == STORE_ABSENT && ticket != TICKETS_NONE) {
        release_holder(router, ticket, RELEASE_NOT_YOURS);
        ledger_forget(router, ticket);
    }
}

static void by_agent(struct router *router,
                     const struct store_request *request,
                     const struct commit *commit,
                     const struct store_result *result)
{
    enum lifecycle_ruling ruling = lifecycle_judge(request, result, LIFECYCLE_BY_AGENT);
    if (ruling == LIFECYCLE_DONE && result->status != STORE_REFUSED &&
        result->status != STORE_ABSENT) {
        done(router, request, result);
        verdict(router, request, commit, commit->verdict);
        return;
    }
    take_result_row(router, request, result);
    switch (ruling) {
    case LIFECYCLE_DONE:
        verdict(router, request, commit, commit->verdict);
        return;
    case LIFECYCLE_STALE:
        verdict(router, request, commit, VERDICT_STALE);
        return;
    case LIFECYCLE_NEW_MSGS:
        verdict(router, request, commit, VERDICT_NEW_MSGS);
        return;
    case LIFECYCLE_KEEP_TEXT:
    case LIFECYCLE_REQUEUE_FIRST:
        if (follow_up(router, request, commit, ruling)) {
            mark_moving(router, request);
        } /* else no answer: the site sends its outcome again */
        return;
    case LIFECYCLE_SILENT:
    case LIFECYCLE_RETRY:
    case LIFECYCLE_REREAD:
    case LIFECYCLE_BEHIND:
        return;
    }
}

static void by_accept(struct router *router,
                      const struct store_request *request,
                      const struct commit *commit,
                      const struct store_result *result)
{
    if (result->status == STORE_DONE) {
        confirms_assigned(router, commit, &result->row, result->body);
        return;
    }
    bool is_ours =
        result->status == STORE_DUPLICATE ||
        (result->status == STORE_REFUSED && result->row.state == TICKET_ASSIGNED &&
         result->row.attempt == request->move.attempt && result->row.agent == request->move.agent);
    if (is_ours) {
        confirms_read(router, request->ticket, request->part);
        return;
    }
    confirms_refused(router, commit);
    take_result_row(router, request, result);
}

static void by_owner(struct router *router,
                     const struct store_request *request,
                     const struct store_result *result)
{
    if (result->status == STORE_DONE) {
        done(router, request, result);
        return;
    }
    take_result_row(router, request, result);
}

static void decided(struct router *router,
                    const struct store_request *request,
                    const struct commit *commit,
                    const struct store_result *result)
{
    switch (commit->asker) {
    case COMMIT_AGENT:
        by_agent(router, request, commit, result);
        return;
    case COMMIT_ACCEPT:
        by_accept(router, request, commit, result);
        return;
    case COMMIT_OWNER:
        by_owner(router, request, result);
        return;
    }
}

static void one(struct router *router,
                struct commits_batch *batch,
                uint32_t i,
                const struct store_result *result)
{
    const struct store_request *request = &batch->requests[i];
    bool is_ours = request->epoch == ownership_epoch(&router->ownership, request->part);
    if (result->status == STORE_FENCED) {
        router->counters.fenced_total++;
        ownership_fenced(&router->ownership, request->part, request->epoch, router->now_ms);
        return;
    }
    if (!is_ours) {
        return; /* the partition went meanwhile; whoever has it now reads the row */
    }
    /* A cancellation is nobody's to repeat once it was TAKEN, and asking twice does no harm. */
    bool is_repeatable = request->kind == STORE_CANCEL && result->status == STORE_UNCERTAIN;
    if (result->status == STORE_FULL || result->status == STORE_FAILED || is_repeatable) {
        commits_keep(batch, i);
        return;
    }
    if (result->status == STORE_UNCERTAIN) {
        router->counters.uncertain_total++;
        confirms_read(router, request->ticket, request->part);
        return;
    }
    decided(router, request, &batch->commits[i], result);
    ledger_catch_up(router, request->ticket);
}

void results_stored(struct router *router, const struct event *event)
{
    struct commits_batch *batch = commits_begin(&router->commits, event);
    bool was_healthy = commits_is_healthy(&router->commits);
    for (uint32_t i = 0; i < batch->count; i++) {
        one(router, batch, i, &event->stored.results[i]);
    }
    commits_end(&router->commits, router->now_ms);
    if (was_healthy && !commits_is_healthy(&router->commits)) {
        trace_event(router->trace, TRACE_WARN, "store.failed");
        trace_u64(router->trace, "requests", batch->count);
        trace_end(router->trace);
    }
}
