#include "router/ledger.h"

#include "lib/bits.h"
#include "lib/check.h"
#include "proto/plan.h"
#include "router/confirms.h"
#include "router/dispatch.h"
#include "router/horizon.h"
#include "router/inside.h"
#include "router/lifecycle.h"
#include "router/sends.h"

#define GRACE_DEFAULT_MS 300000
#define FAILS_DEFAULT_MAX 8U
#define TRY_AGAIN_MS 200
#define DUE_SOONEST_MS 50
#define DUE_CHECK_MS 5000

void ledger_init(struct router *router, struct arena *arena)
{
    struct ledger *ledger = &router->ledger;
    ledger->rows = ARENA_ARRAY(arena, struct ledger_row, router->options.tickets_max);
    ledger->dirty_links = ARENA_ARRAY(arena, struct list_link, router->options.tickets_max);
    ledger->agent_links = ARENA_ARRAY(arena, struct list_link, router->options.agents_max);
    ledger->is_agent_dirty = ARENA_ARRAY(arena, uint64_t, BITS_WORDS(router->options.agents_max));
    timers_init(&ledger->timers, arena, router->options.tickets_max);
}

static struct ticket *ticket_at(const struct router *router, uint32_t ticket)
{
    return tickets_get(&router->matching.tickets, ticket);
}

static const struct plan_queue *queue_of(const struct router *router, uint32_t ticket)
{
    if (router->plan == NULL) {
        return NULL;
    }
    uint32_t queue = matching_class_of(&router->matching, ticket).queue;
    return plan_find_queue_id(router->plan, queue);
}

void ledger_touch_ticket(struct router *router, uint32_t ticket)
{
    struct ledger *ledger = &router->ledger;
    if (!ledger->rows[ticket].is_dirty) {
        ledger->rows[ticket].is_dirty = 1;
        list_push_back(&ledger->dirty_tickets, ledger->dirty_links, ticket);
    }
}

void ledger_touch_agent(struct router *router, uint32_t agent)
{
    struct ledger *ledger = &router->ledger;
    if (!bits_test(ledger->is_agent_dirty, agent)) {
        bits_set(ledger->is_agent_dirty, agent);
        list_push_back(&ledger->dirty_agents, ledger->agent_links, agent);
    }
}

void ledger_stage(struct router *router, uint32_t ticket, enum stage stage)
{
    struct figures_queue *queue = figures_get(&router->figures, router->ledger.rows[ticket].queue);
    enum stage old = (enum stage) ticket_at(router, ticket)->stage;
    if (old == stage) {
        return;
    }
    queue->stages[old]--;
    queue->stages[stage]++;
    if (old == STAGE_WAITING) {
        matching_leave(&router->matching, ticket, stage);
    } else if (stage == STAGE_WAITING) {
        matching_wait(&router->matching, ticket);
    } else {
        tickets_set_stage(&router->matching.tickets, ticket, stage);
    }
}

void ledger_bind(struct router *router, uint32_t ticket, uint32_t agent_id, uint32_t site_id)
{
    struct ledger_row *row = &router->ledger.rows[ticket];
    CHECK(row->site == 0);
    uint32_t site = site_id == 0 ? SITES_NONE : sites_put(&router->sites, site_id);
    if (site != SITES_NONE) {
        row->site = site + 1U;
        sites_add_ticket(&router->sites, site, ticket);
    }
    ticket_at(router, ticket)->agent = agent_id;
    uint32_t agent =
        row->holder != 0 ? row->holder - 1U : roster_find(&router->matching.roster, agent_id);
    if (agent == ROSTER_NONE) {
        return;
    }
    if (row->holder == 0) {
        roster_take(&router->matching.roster, agent, router->now_ms);
        row->holder = agent + 1U;
    }
    roster_get(&router->matching.roster, agent)->working++;
}

void ledger_bind_agent(struct router *router, uint32_t site, uint32_t agent)
{
    struct roster *roster = &router->matching.roster;
    uint32_t id = roster_get(roster, agent)->id;
    for (uint32_t ticket = sites_first_ticket(&router->sites, site); ticket != LIST_NONE;
         ticket = sites_next_ticket(&router->sites, ticket)) {
        struct ledger_row *row = &router->ledger.rows[ticket];
        if (row->holder == 0 && ticket_at(router, ticket)->agent == id) {
            roster_take(roster, agent, router->now_ms);
            roster_get(roster, agent)->working++;
            row->holder = agent + 1U;
        }
    }
}

static void unbind(struct router *router, uint32_t ticket)
{
    struct ledger_row *row = &router->ledger.rows[ticket];
    if (row->site != 0) {
        sites_remove_ticket(&router->sites, row->site - 1U, ticket);
    }
    if (row->holder != 0) {
        uint32_t agent = row->holder - 1U;
        roster_get(&router->matching.roster, agent)->working--;
        if (!matching_agent_give(&router->matching, agent, router->now_ms)) {
            ledger_touch_agent(router, agent);
        }
    }
    row->site = 0;
    row->holder = 0;
    row->confirm_seq = 0;
}

struct ticket_row ledger_row_of(const struct router *router, uint32_t ticket)
{
    static const enum ticket_state states[STAGE_COUNT] = {[STAGE_SCHEDULED] = TICKET_SCHEDULED,
                                                          [STAGE_WAITING] = TICKET_QUEUED,
                                                          [STAGE_HELD_BACK] = TICKET_QUEUED,
                                                          [STAGE_OFFERED] = TICKET_QUEUED,
                                                          [STAGE_ASSIGNING] = TICKET_QUEUED,
                                                          [STAGE_ASSIGNED] = TICKET_ASSIGNED,
                                                          [STAGE_VERIFY] = TICKET_ASSIGNED,
                                                          [STAGE_MOVING] = TICKET_ASSIGNED,
                                                          [STAGE_PARKED] = TICKET_PARKED};
    const struct ticket *from = ticket_at(router, ticket);
    const struct class_key key = matching_class_of(&router->matching, ticket);
    uint32_t site = router->ledger.rows[ticket].site;
    return (struct ticket_row){.id = from->id,
                               .part = from->part,
                               .queue = key.queue,
                               .priority = from->priority,
                               .state = states[from->stage],
                               .attempt = from->attempt,
                               .fails = from->fails,
                               .agent = from->agent,
                               .site = site == 0 ? 0 : sites_get(&router->sites, site - 1U)->id,
                               .msgs = from->msgs,
                               .rev = from->rev,
                               .person_requested = key.person == CLASS_PERSON,
                               .created_us = from->created_us,
                               .queued_us = from->queued_us,
                               .due_us = from->stage == STAGE_SCHEDULED ? from->queued_us : 0,
                               .requirements = key.requirements};
}

struct store_request
ledger_request(const struct router *router, uint32_t ticket, enum store_kind kind)
{
    const struct ticket *from = ticket_at(router, ticket);
    struct store_request request = {.kind = kind,
                                    .part = from->part,
                                    .epoch = ownership_epoch(&router->ownership, from->part),
                                    .ticket = from->id};
    request.move.attempt = from->attempt;
    request.move.agent = from->agent;
    return request;
}

/* Asked by nobody but us: true if it will be in the store's next batch. */
static bool ask(struct router *router, const struct store_request *request)
{
    struct commit commit = {.asker = COMMIT_OWNER};
    return commits_add(&router->commits, request, &commit) == VT_OK;
}

void ledger_wait(struct router *router, uint32_t ticket)
{
    const struct ticket *row = ticket_at(router, ticket);
    const struct plan_queue *queue = queue_of(router, ticket);
    uint32_t fails_max = queue == NULL ? FAILS_DEFAULT_MAX : queue->max_fails;
    timers_clear(&router->ledger.timers, ticket);
    if (!router->parts[row->part].is_serving) {
        ledger_stage(router, ticket, STAGE_HELD_BACK);
        return;
    }
    if (fails_max != 0 && row->fails >= fails_max) {
        struct store_request request = ledger_request(router, ticket, STORE_DEAD);
        request.move.max_fails = fails_max;
        ledger_stage(router, ticket, STAGE_HELD_BACK);
        if (!ask(router, &request)) {
            timers_set(&router->ledger.timers, ticket, router->now_ms + TRY_AGAIN_MS);
        }
        return;
    }
    ledger_stage(router, ticket, STAGE_WAITING);
    ledger_touch_ticket(router, ticket);
}

void ledger_verify(struct router *router, uint32_t ticket)
{
    const struct plan_queue *queue = queue_of(router, ticket);
    int64_t grace_ms = queue == NULL ? GRACE_DEFAULT_MS : queue->grace_ms;
    ledger_stage(router, ticket, STAGE_VERIFY);
    timers_set(&router->ledger.timers, ticket, router->now_ms + grace_ms);
}

void ledger_verified(struct router *router, uint32_t ticket)
{
    if (ticket_at(router, ticket)->stage == STAGE_VERIFY) {
        timers_clear(&router->ledger.timers, ticket);
        ledger_stage(router, ticket, STAGE_ASSIGNED);
    }
}

static int64_t due_ms(const struct router *router, int64_t due_us)
{
    int64_t wait_ms = (due_us - inside_store_us(router) + 999) / 1000;
    return router->now_ms + (wait_ms < DUE_SOONEST_MS ? DUE_SOONEST_MS : wait_ms);
}

/* The ticket is HELD_BACK or of another stage without a place in the backlog, and its fields are
 * those of the row. */
static void settle(struct router *router, uint32_t ticket, const struct ticket_row *row)
{
    switch (row->state) {
    case TICKET_QUEUED:
        unbind(router, ticket);
        ledger_wait(router, ticket);
        return;
    case TICKET_SCHEDULED:
        unbind(router, ticket);
        ledger_stage(router, ticket, STAGE_SCHEDULED);
        timers_set(&router->ledger.timers, ticket, due_ms(router, row->due_us));
        return;
    case TICKET_ASSIGNED:
        unbind(router, ticket);
        ledger_bind(router, ticket, row->agent, row->site);
        ledger_verify(router, ticket);
        return;
    case TICKET_PARKED:
        unbind(router, ticket);
        timers_clear(&router->ledger.timers, ticket);
        ledger_stage(router, ticket, STAGE_PARKED);
        return;
    case TICKET_NONE:
    case TICKET_DONE:
    case TICKET_CANCELLED:
    case TICKET_DEAD:
        ledger_forget(router, ticket);
        return;
    }
}

void ledger_forget(struct router *router, uint32_t ticket)
{
    struct ledger *ledger = &router->ledger;
    const struct ticket *row = ticket_at(router, ticket);
    CHECK(row->stage != STAGE_OFFERED);
    CHECK(row->stage != STAGE_ASSIGNING);
    unbind(router, ticket);
    timers_clear(&ledger->timers, ticket);
    if (ledger->rows[ticket].is_dirty) {
        list_remove(&ledger->dirty_tickets, ledger->dirty_links, ticket);
    }
    figures_get(&router->figures, ledger->rows[ticket].queue)->stages[row->stage]--;
    ledger->rows[ticket] = (struct ledger_row){0};
    matching_ticket_remove(&router->matching, ticket);
}

static void add(struct router *router, const struct ticket_row *row)
{
    uint32_t ticket = TICKETS_NONE;
    if (!horizon_admits(router, row)) {
        return;
    }
    vt_err error = matching_ticket_add(&router->matching, row, &ticket);
    if (error == VT_FULL && horizon_make_room(router, row)) {
        error = matching_ticket_add(&router->matching, row, &ticket);
    }
    if (error != VT_OK) {
        horizon_left_out(router, row, error);
        return;
    }
    struct ledger_row *beside = &router->ledger.rows[ticket];
    *beside = (struct ledger_row){.queue = figures_put(&router->figures, row->queue)};
    figures_get(&router->figures, beside->queue)->stages[STAGE_HELD_BACK]++;
    settle(router, ticket, row);
}

static bool stays_assigned(const struct ticket *ticket, const struct ticket_row *row)
{
    return row->state == TICKET_ASSIGNED && row->attempt == ticket->attempt &&
           row->agent == ticket->agent &&
           (ticket->stage == STAGE_ASSIGNED || ticket->stage == STAGE_VERIFY);
}

static bool
stays_offered(const struct router *router, uint32_t ticket, const struct ticket_row *row)
{
    const struct ticket *from = ticket_at(router, ticket);
    return from->stage == STAGE_OFFERED && row->state == TICKET_QUEUED &&
           row->attempt == from->attempt &&
           dispatch_offer_allows(router, ticket, row->person_requested);
}

static void take(struct router *router, uint32_t ticket, const struct ticket_row *row)
{
    const struct ticket *from = ticket_at(router, ticket);
    bool is_kept = stays_offered(router, ticket, row) || stays_assigned(from, row);
    if (!is_kept && (from->stage == STAGE_OFFERED || from->stage == STAGE_ASSIGNING)) {
        dispatch_withdraw(router, ticket, RELEASE_WITHDRAWN);
    }
    if (!is_kept && from->stage == STAGE_WAITING) {
        ledger_stage(router, ticket, STAGE_HELD_BACK);
    }
    if (!lifecycle_is_open(row->state)) {
        ledger_forget(router, ticket);
        return;
    }
    if (matching_ticket_update(&router->matching, ticket, row) != VT_OK) {
        if (is_kept) {
            return; /* its old class does until the offer or the work ends */
        }
        horizon_left_out(router, row, VT_UNAVAILABLE);
        ledger_forget(router, ticket);
        return;
    }
    if (!is_kept) {
        settle(router, ticket, row);
    }
}

/* Whoever lost a ticket is not preferred for it; who parked it or got a message is. */
static void prefer(struct router *router, struct ticket_id id, const struct ticket_row *row)
{
    uint32_t ticket = tickets_find(&router->matching.tickets, id);
    if (ticket != TICKETS_NONE && row->state == TICKET_QUEUED && row->fails != 0) {
        ticket_at(router, ticket)->agent = 0;
    }
}

void ledger_take(struct router *router, const struct ticket_row *row)
{
    uint32_t ticket = tickets_find(&router->matching.tickets, row->id);
    if (ticket == TICKETS_NONE) {
        if (lifecycle_is_open(row->state)) {
            add(router, row);
            prefer(router, row->id, row);
        }
        return;
    }
    const struct ticket *from = ticket_at(router, ticket);
    if (row->rev <= from->rev || from->stage == STAGE_ASSIGNING || from->stage == STAGE_MOVING) {
        return;
    }
    take(router, ticket, row);
    prefer(router, row->id, row);
}

void ledger_take_over(struct router *router, const struct ticket_row *row)
{
    uint32_t ticket = tickets_find(&router->matching.tickets, row->id);
    if (ticket == TICKETS_NONE) {
        ledger_take(router, row);
        return;
    }
    take(router, ticket, row);
    prefer(router, row->id, row);
}

void ledger_note(struct router *router, const struct ticket_row *row)
{
    uint32_t ticket = tickets_find(&router->matching.tickets, row->id);
    if (ticket == TICKETS_NONE) {
        ledger_take(router, row);
        return;
    }
    const struct ticket *from = ticket_at(router, ticket);
    bool is_newer = row->rev > from->rev;
    bool is_idle = from->stage == STAGE_PARKED || from->stage == STAGE_WAITING;
    if (is_newer && is_idle && row->state == TICKET_QUEUED) {
        take(router, ticket, row); /* one that was parked prefers its last agent */
        return;
    }
    struct ticket_row merged = ledger_row_of(router, ticket);
    /* What is in flight may have been committed before this message, whose rev counts it: taken
     * now it would be counted twice, and a ticket that was parked and woken would stay parked. */
    bool is_in_flight = from->stage == STAGE_MOVING || from->stage == STAGE_ASSIGNING;
    router->ledger.rows[ticket].is_behind |= is_newer && is_in_flight ? 1U : 0U;
    merged.msgs = row->msgs > merged.msgs ? row->msgs : merged.msgs;
    merged.rev = is_newer && !is_in_flight ? row->rev : merged.rev;
    merged.person_requested = merged.person_requested || row->person_requested;
    if (from->stage == STAGE_WAITING || from->stage == STAGE_OFFERED) {
        take(router, ticket, &merged);
    } else if (matching_ticket_update(&router->matching, ticket, &merged) != VT_OK) {
        router->parts[merged.part].is_short = true;
    }
}

void ledger_catch_up(struct router *router, struct ticket_id id)
{
    uint32_t ticket = tickets_find(&router->matching.tickets, id);
    if (ticket != TICKETS_NONE && router->ledger.rows[ticket].is_behind) {
        router->ledger.rows[ticket].is_behind = 0;
        confirms_again(router, ticket);
    }
}

static void
count_commit(struct router *router, uint32_t ticket, const struct store_request *request)
{
    const struct ledger_row *beside = &router->ledger.rows[ticket];
    struct figures_queue *queue = figures_get(&router->figures, beside->queue);
    queue->completed_total += request->kind == STORE_COMPLETE ? 1U : 0U;
    queue->cancelled_total += request->kind == STORE_CANCEL ? 1U : 0U;
    queue->requeued_total += request->kind == STORE_REQUEUE ? 1U : 0U;
    queue->dead_total += request->kind == STORE_DEAD ? 1U : 0U;
    if (request->kind == STORE_COMPLETE && beside->holder != 0) {
        roster_get(&router->matching.roster, beside->holder - 1U)->completed_total++;
    }
}

void ledger_commit(struct router *router, const struct store_request *request)
{
    uint32_t ticket = tickets_find(&router->matching.tickets, request->ticket);
    struct ticket_row row = {.id = request->ticket, .attempt = request->move.attempt};
    if (ticket != TICKETS_NONE) {
        row = ledger_row_of(router, ticket);
        count_commit(router, ticket, request);
    }
    lifecycle_apply(request, &row);
    if (row.state == TICKET_QUEUED) {
        row.queued_us = inside_store_us(router);
    }
    struct update update = {row.id, ticket == TICKETS_NONE ? 0 : row.rev, row.state, row.attempt};
    if (ticket == TICKETS_NONE) {
        if (lifecycle_is_open(row.state)) {
            confirms_read(router, request->ticket, request->part);
        }
    } else {
        take(router, ticket, &row);
    }
    if (request->kind == STORE_REQUEUE && lifecycle_is_loss(request->move.cause)) {
        prefer(router, row.id, &row);
    }
    sends_update(router, request->part, &update);
}

void ledger_requeue(struct router *router, uint32_t ticket, enum requeue_cause cause)
{
    struct store_request request = ledger_request(router, ticket, STORE_REQUEUE);
    request.move.cause = cause;
    if (ask(router, &request)) {
        timers_clear(&router->ledger.timers, ticket);
        ledger_stage(router, ticket, STAGE_MOVING);
        return;
    }
    ledger_stage(router, ticket, STAGE_VERIFY);
    timers_set(&router->ledger.timers, ticket, router->now_ms + TRY_AGAIN_MS);
}

static void one_due(struct router *router, uint32_t ticket)
{
    const struct ticket *row = ticket_at(router, ticket);
    if (row->stage == STAGE_SCHEDULED) {
        struct store_request request = ledger_request(router, ticket, STORE_DUE);
        bool is_asked = ask(router, &request);
        timers_set(&router->ledger.timers,
                   ticket,
                   router->now_ms + (is_asked ? DUE_CHECK_MS : TRY_AGAIN_MS));
    } else if (row->stage == STAGE_VERIFY) {
        trace_event(router->trace, TRACE_INFO, "grace.over");
        trace_id(router->trace, "ticket", row->id);
        trace_end(router->trace);
        ledger_requeue(router, ticket, REQUEUE_GRACE_OVER);
    } else if (row->stage == STAGE_HELD_BACK) {
        ledger_wait(router, ticket);
    }
}

void ledger_due(struct router *router, uint32_t count)
{
    uint32_t ticket = TICKETS_NONE;
    for (uint32_t i = 0; i < count; i++) {
        if (!timers_pop_due(&router->ledger.timers, router->now_ms, &ticket)) {
            return;
        }
        one_due(router, ticket);
    }
}
