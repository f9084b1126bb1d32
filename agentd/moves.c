#include "agentd/moves.h"

#include "agentd/inside.h"
#include "lib/check.h"

static void trace_move(struct agentd *a, const struct work_row *row, const char *event)
{
    trace_event(a->trace, TRACE_DEBUG, event);
    trace_id(a->trace, "ticket", row->ticket);
    trace_u64(a->trace, "attempt", row->attempt);
    trace_u64(a->trace, "agent", row->agent_id);
    trace_end(a->trace);
}

static struct header
header_of(const struct agentd *a, enum message_kind kind, const struct work_row *row)
{
    return (struct header){.kind = kind, .part = row->part, .session = a->uplink.session};
}

/* Before the row's state changes: it says what the slot counts as. */
static void free_slot(struct agentd *a, struct work_row *row)
{
    if (!row->has_slot) {
        return;
    }
    bool is_reserved = row->state == WORK_ASKED || row->state == WORK_ACCEPTED;
    slots_free(&a->slots, row->agent, is_reserved ? SLOT_RESERVED : SLOT_WORKING, a->now_ms);
    row->has_slot = false;
}

static void add_write(struct agentd *a, uint32_t row, enum journal_op op)
{
    const struct work_row *ticket = work_get(&a->work, row);
    struct journal_item item = {.op = op, .subject = row, .ticket = ticket->ticket};
    if (op == JOURNAL_PUT_WORKING) {
        struct journal_working working = {
            .part = ticket->part, .attempt = ticket->attempt, .agent = ticket->agent_id};
        item.value_size = journal_write_working(&working, item.value);
    }
    if (op == JOURNAL_PUT_OUTCOME) {
        item.outcome = ticket->blob;
    }
    journal_add(&a->journal, &item);
}

static void say_accept(struct agentd *a, uint32_t row)
{
    struct work_row *ticket = work_get(&a->work, row);
    int64_t next_ms = a->now_ms + backoff_next_ms(&ticket->backoff, &a->random);
    timers_set(&a->work.timers, row, next_ms < ticket->deadline_ms ? next_ms : ticket->deadline_ms);
    if (!uplink_is_up(&a->uplink)) {
        return;
    }
    struct header header = header_of(a, MESSAGE_ACCEPT, ticket);
    struct accept *accept = message_add(a->out, uplink_address(&a->uplink), &header);
    *accept = (struct accept){
        .offer = ticket->offer,
        .ticket = ticket->ticket,
        .attempt = ticket->attempt,
        .agent = ticket->agent_id,
        .epoch = ticket->epoch != 0 ? ticket->epoch : parts_epoch(&a->parts, ticket->part),
    };
}

static void say_outcome(struct agentd *a, uint32_t row)
{
    struct work_row *ticket = work_get(&a->work, row);
    timers_set(&a->work.timers, row, a->now_ms + backoff_next_ms(&ticket->backoff, &a->random));
    if (!uplink_is_up(&a->uplink)) {
        return;
    }
    struct header header = header_of(a, MESSAGE_OUTCOME, ticket);
    struct outcome *outcome = message_add(a->out, uplink_address(&a->uplink), &header);
    *outcome = ticket->outcome;
}

void moves_accept(struct agentd *a, uint32_t row)
{
    struct work_row *ticket = work_get(&a->work, row);
    work_set_state(&a->work, row, WORK_ACCEPTED);
    backoff_init(&ticket->backoff, a->options.accept_min_ms, a->options.accept_max_ms);
    a->accepted_total++;
    trace_move(a, ticket, "offer.accepted");
    say_accept(a, row);
}

void moves_journal(struct agentd *a, uint32_t row)
{
    struct work_row *ticket = work_get(&a->work, row);
    CHECK(ticket->state == WORK_ACCEPTED);
    CHECK(ticket->has_slot);
    slots_start(&a->slots, ticket->agent, a->now_ms);
    work_set_state(&a->work, row, WORK_JOURNALLING);
    ticket->deadline_ms = NO_DEADLINE;
    add_write(a, row, JOURNAL_PUT_WORKING);
}

void moves_start(struct agentd *a, uint32_t row)
{
    struct work_row *ticket = work_get(&a->work, row);
    work_set_state(&a->work, row, WORK_WORKING);
    trace_move(a, ticket, "work.started");
    desk_send_work(a, row);
}

void moves_await(struct agentd *a, uint32_t row)
{
    struct work_row *ticket = work_get(&a->work, row);
    work_set_state(&a->work, row, WORK_AWAITING);
    backoff_init(&ticket->backoff, a->options.accept_min_ms, a->options.accept_max_ms);
    timers_set(&a->work.timers, row, a->now_ms);
}

void moves_finish(struct agentd *a, uint32_t row, const struct outcome *outcome)
{
    struct work_row *ticket = work_get(&a->work, row);
    /* A reservation that ends in an outcome frees its slot here: as work it would count wrongly. */
    if (ticket->state == WORK_ASKED || ticket->state == WORK_ACCEPTED) {
        free_slot(a, ticket);
    }
    work_keep_outcome(&a->work, row, outcome);
    work_set_state(&a->work, row, WORK_ENDING);
    ticket->deadline_ms = NO_DEADLINE;
    a->outcomes_total[outcome->what]++;
    add_write(a, row, JOURNAL_PUT_OUTCOME);
}

void moves_give_back(struct agentd *a, uint32_t row, const char *reason)
{
    const struct work_row *ticket = work_get(&a->work, row);
    trace_event(a->trace, TRACE_WARN, "work.given_back");
    trace_id(a->trace, "ticket", ticket->ticket);
    trace_text(a->trace, "reason", reason);
    trace_end(a->trace);
    moves_finish(a,
                 row,
                 &(struct outcome){.what = OUTCOME_GIVE_BACK,
                                   .ticket = ticket->ticket,
                                   .attempt = ticket->attempt,
                                   .agent = ticket->agent_id,
                                   .seen = ticket->seen,
                                   .note = bytes_of_text(reason)});
}

void moves_forget(struct agentd *a, uint32_t row)
{
    struct work_row *ticket = work_get(&a->work, row);
    CHECK(ticket->state == WORK_ASKED || ticket->state == WORK_ACCEPTED);
    free_slot(a, ticket);
    work_remove(&a->work, row);
}

void moves_drop(struct agentd *a, uint32_t row)
{
    struct work_row *ticket = work_get(&a->work, row);
    bool is_ended = ticket->state == WORK_ENDED;
    CHECK(is_ended || ticket->state == WORK_AWAITING || ticket->state == WORK_WORKING);
    free_slot(a, ticket);
    work_set_state(&a->work, row, WORK_DROPPING);
    add_write(a, row, is_ended ? JOURNAL_DROP_OUTCOME : JOURNAL_DROP_WORKING);
}

void moves_decline(struct agentd *a, uint32_t row, enum decline_reason reason)
{
    const struct work_row *ticket = work_get(&a->work, row);
    a->declined_total++;
    trace_move(a, ticket, "offer.declined");
    if (!uplink_is_up(&a->uplink)) {
        return;
    }
    struct header header = header_of(a, MESSAGE_DECLINE, ticket);
    struct decline *decline = message_add(a->out, uplink_address(&a->uplink), &header);
    *decline = (struct decline){.offer = ticket->offer,
                                .ticket = ticket->ticket,
                                .attempt = ticket->attempt,
                                .agent = ticket->agent_id,
                                .epoch = ticket->epoch,
                                .reason = reason,
                                .free = slots_free_count(&a->slots, ticket->agent)};
}

static void reservation_due(struct agentd *a, uint32_t row)
{
    struct work_row *ticket = work_get(&a->work, row);
    if (ticket->state == WORK_ASKED) {
        moves_decline(a, row, DECLINE_EXPIRED);
        desk_send_drop(a, row, RELEASE_WITHDRAWN);
    } else if (a->now_ms < ticket->deadline_ms) {
        say_accept(a, row);
        return;
    }
    a->expired_total++;
    trace_move(a, ticket, "reservation.expired");
    moves_forget(a, row);
}

static void awaiting_due(struct agentd *a, uint32_t row)
{
    const struct work_row *ticket = work_get(&a->work, row);
    /* Without its desk the payload would have nowhere to go; moves_await() is next when it is
     * back. */
    if (a->stage != STAGE_READY || ticket->agent == WORK_AGENT_NONE ||
        desk_is_lost(&a->desk, ticket->agent)) {
        return;
    }
    say_accept(a, row);
}

void moves_due(struct agentd *a, uint32_t row)
{
    switch (work_get(&a->work, row)->state) {
    case WORK_ASKED:
    case WORK_ACCEPTED:
        reservation_due(a, row);
        return;
    case WORK_AWAITING:
        awaiting_due(a, row);
        return;
    case WORK_ENDED:
        say_outcome(a, row);
        return;
    case WORK_JOURNALLING:
    case WORK_WORKING:
    case WORK_ENDING:
    case WORK_DROPPING:
        return;
    }
}

void moves_write_epoch(struct agentd *a, uint32_t part)
{
    if (!parts_take_write(&a->parts, part)) {
        return;
    }
    struct journal_item item = {.op = JOURNAL_PUT_EPOCH, .subject = part};
    item.value_size = journal_write_epoch(parts_epoch(&a->parts, part), item.value);
    journal_add(&a->journal, &item);
}

static void working_written(struct agentd *a, uint32_t row)
{
    const struct work_row *ticket = work_get(&a->work, row);
    CHECK(ticket->state == WORK_JOURNALLING);
    if (ticket->is_released) {
        work_set_state(&a->work, row, WORK_AWAITING);
        moves_drop(a, row);
    } else if (desk_is_lost(&a->desk, ticket->agent)) {
        moves_await(a, row);
    } else {
        moves_start(a, row);
    }
}

static void outcome_written(struct agentd *a, uint32_t row)
{
    struct work_row *ticket = work_get(&a->work, row);
    CHECK(ticket->state == WORK_ENDING);
    backoff_init(&ticket->backoff, a->options.outcome_min_ms, a->options.outcome_max_ms);
    free_slot(a, ticket);
    work_set_state(&a->work, row, WORK_ENDED);
    trace_move(a, ticket, "work.ended");
    say_outcome(a, row);
}

void moves_written(struct agentd *a, const struct journal_item *item)
{
    switch (item->op) {
    case JOURNAL_PUT_BOOT:
        uplink_booted(a);
        return;
    case JOURNAL_PUT_EPOCH:
        parts_written(&a->parts, item->subject);
        moves_write_epoch(a, item->subject);
        return;
    case JOURNAL_PUT_WORKING:
        working_written(a, item->subject);
        return;
    case JOURNAL_PUT_OUTCOME:
        outcome_written(a, item->subject);
        return;
    case JOURNAL_DROP_WORKING:
    case JOURNAL_DROP_OUTCOME:
        /* WORK_NONE: a leftover of the journal that never was a row. */
        if (item->subject != WORK_NONE) {
            work_remove(&a->work, item->subject);
        }
        return;
    }
}

static void find_agent(struct agentd *a, uint32_t row)
{
    struct work_row *ticket = work_get(&a->work, row);
    if (ticket->state != WORK_AWAITING || ticket->agent != WORK_AGENT_NONE) {
        return;
    }
    ticket->agent = desk_find(&a->desk, ticket->agent_id);
    if (ticket->agent == WORK_AGENT_NONE) {
        moves_give_back(a, row, "its agent is not at this site any more");
        return;
    }
    slots_restore(&a->slots, ticket->agent, a->now_ms);
    ticket->has_slot = true;
}

void moves_resume(struct agentd *a)
{
    for (uint32_t row = work_next(&a->work, 0); row != WORK_NONE;
         row = work_next(&a->work, row + 1)) {
        struct work_row *ticket = work_get(&a->work, row);
        find_agent(a, row);
        if (ticket->state == WORK_ACCEPTED || ticket->state == WORK_AWAITING ||
            ticket->state == WORK_ENDED) {
            backoff_reset(&ticket->backoff);
            timers_set(&a->work.timers, row, a->now_ms);
        }
    }
}
