#include "agentd/owner.h"

#include "agentd/inside.h"
#include "agentd/moves.h"
#include "lib/check.h"

static void trace_ignored(struct agentd *a,
                          const struct header *header,
                          struct ticket_id ticket,
                          const char *why)
{
    trace_event(a->trace, TRACE_DEBUG, "owner.ignored");
    trace_text(a->trace, "kind", message_kind_text(header->kind));
    trace_u64(a->trace, "part", header->part);
    trace_id(a->trace, "ticket", ticket);
    trace_text(a->trace, "why", why);
    trace_end(a->trace);
}

/* DECLINE of an offer that has no row. */
static void decline(struct agentd *a,
                    const struct header *header,
                    const struct offer *offer,
                    enum decline_reason reason)
{
    uint32_t agent = desk_find(&a->desk, offer->agent);
    a->declined_total++;
    trace_event(a->trace, TRACE_DEBUG, "offer.declined");
    trace_id(a->trace, "ticket", offer->ticket);
    trace_u64(a->trace, "attempt", offer->attempt);
    trace_u64(a->trace, "agent", offer->agent);
    trace_text(a->trace, "reason", reason == DECLINE_BUSY ? "busy" : "unavailable");
    trace_end(a->trace);
    if (!uplink_is_up(&a->uplink)) {
        return;
    }
    struct header like = {
        .kind = MESSAGE_DECLINE, .part = header->part, .session = a->uplink.session};
    struct decline *answer = message_add(a->out, uplink_address(&a->uplink), &like);
    *answer = (struct decline){
        .offer = offer->offer,
        .ticket = offer->ticket,
        .attempt = offer->attempt,
        .agent = offer->agent,
        .epoch = header->epoch,
        .reason = reason,
        .free = agent == WORK_AGENT_NONE ? 0 : slots_free_count(&a->slots, agent),
    };
}

static void set_offer(struct agentd *a,
                      struct work_row *ticket,
                      const struct header *header,
                      const struct offer *offer)
{
    ticket->offer = offer->offer;
    ticket->epoch = header->epoch;
    ticket->deadline_ms = a->now_ms + offer->ttl_ms + a->options.reservation_extra_ms;
}

static void fill_row(struct work_row *ticket, uint32_t part, uint32_t attempt, uint32_t agent_id)
{
    ticket->part = part;
    ticket->attempt = attempt;
    ticket->agent_id = agent_id;
}

/* A row of `ticket` with a reserved slot of the agent. VT_UNAVAILABLE: the agent is not known or
 * takes nothing now.  VT_FULL: no slot or no row is free. */
VT_MUST_USE static vt_err
reserve(struct agentd *a, struct ticket_id ticket, uint32_t agent_id, uint32_t *row)
{
    uint32_t agent = desk_find(&a->desk, agent_id);
    if (agent == WORK_AGENT_NONE) {
        return VT_UNAVAILABLE;
    }
    vt_err err = slots_reserve(&a->slots, agent, a->now_ms);
    if (err != VT_OK) {
        return err;
    }
    err = work_add(&a->work, ticket, WORK_ASKED, row);
    if (err != VT_OK) {
        slots_free(&a->slots, agent, SLOT_RESERVED, a->now_ms);
        return err;
    }
    work_get(&a->work, *row)->agent = agent;
    work_get(&a->work, *row)->has_slot = true;
    return VT_OK;
}

static void take_offer(struct agentd *a, const struct header *header, const struct offer *offer)
{
    uint32_t row = WORK_NONE;
    if (a->stage != STAGE_READY || a->journal.is_failing) {
        decline(a, header, offer, DECLINE_UNAVAILABLE);
        return;
    }
    vt_err err = reserve(a, offer->ticket, offer->agent, &row);
    if (err != VT_OK) {
        decline(a, header, offer, err == VT_FULL ? DECLINE_BUSY : DECLINE_UNAVAILABLE);
        return;
    }
    struct work_row *ticket = work_get(&a->work, row);
    fill_row(ticket, header->part, offer->attempt, offer->agent);
    set_offer(a, ticket, header, offer);
    if (a->options.agents[ticket->agent].answers == ANSWERS_AUTO) {
        moves_accept(a, row);
        return;
    }
    timers_set(&a->work.timers, row, a->now_ms + offer->ttl_ms);
    desk_send_offer(a, offer, ticket->agent);
}

/* The same attempt is offered to the same agent again: by a repeat, or by a new owner. */
static void
renew_offer(struct agentd *a, const struct header *header, const struct offer *offer, uint32_t row)
{
    struct work_row *ticket = work_get(&a->work, row);
    set_offer(a, ticket, header, offer);
    if (ticket->state == WORK_ACCEPTED) {
        moves_accept(a, row);
        return;
    }
    timers_set(&a->work.timers, row, a->now_ms + offer->ttl_ms);
}

static void receive_offer(struct agentd *a, const struct header *header, const struct offer *offer)
{
    uint32_t row = work_find(&a->work, offer->ticket);
    if (row == WORK_NONE) {
        take_offer(a, header, offer);
        return;
    }
    const struct work_row *ticket = work_get(&a->work, row);
    if (ticket->state != WORK_ASKED && ticket->state != WORK_ACCEPTED) {
        /* Work or an outcome of an earlier attempt is still here. Two attempts at once would
         * share the ticket's places in the journal; the owner hears of it by HELD and settles it.
         */
        decline(a, header, offer, DECLINE_BUSY);
    } else if (offer->attempt < ticket->attempt) {
        trace_ignored(a, header, offer->ticket, "an older attempt");
    } else if (offer->attempt == ticket->attempt && offer->agent == ticket->agent_id) {
        renew_offer(a, header, offer, row);
    } else {
        if (ticket->state == WORK_ASKED) {
            desk_send_drop(a, row, RELEASE_WITHDRAWN);
        }
        moves_forget(a, row);
        take_offer(a, header, offer);
    }
}

/* The ticket was assigned here, but nothing is reserved for it (any more). */
static void
confirm_unreserved(struct agentd *a, const struct header *header, const struct confirm *confirm)
{
    uint32_t row = WORK_NONE;
    vt_err err = a->stage != STAGE_READY ? VT_UNAVAILABLE
                                         : reserve(a, confirm->ticket, confirm->agent, &row);
    bool fits = err == VT_OK;
    if (!fits && work_add(&a->work, confirm->ticket, WORK_ASKED, &row) != VT_OK) {
        /* Not even a row for the give-back: the owner misses the ticket in HELD and requeues. */
        trace_ignored(a, header, confirm->ticket, "the table is full");
        return;
    }
    fill_row(work_get(&a->work, row), header->part, confirm->attempt, confirm->agent);
    if (!fits) {
        moves_give_back(a, row, "no slot of its agent is free any more");
        return;
    }
    if (!work_keep_confirm(&a->work, row, confirm)) {
        moves_give_back(a, row, "the ticket is larger than allowed");
        return;
    }
    work_set_state(&a->work, row, WORK_ACCEPTED);
    moves_journal(a, row);
}

/* CONFIRM of the attempt that the row stands for. */
static void confirm_row(struct agentd *a, const struct confirm *confirm, uint32_t row)
{
    struct work_row *ticket = work_get(&a->work, row);
    bool takes = ticket->state == WORK_ACCEPTED ||
                 (ticket->state == WORK_AWAITING && a->stage == STAGE_READY &&
                  ticket->agent != WORK_AGENT_NONE && !desk_is_lost(&a->desk, ticket->agent));
    if (ticket->state == WORK_ENDED) {
        /* The owner has not heard of the end. */
        timers_set(&a->work.timers, row, a->now_ms);
        return;
    }
    if (!takes) {
        return;
    }
    if (!work_keep_confirm(&a->work, row, confirm)) {
        moves_give_back(a, row, "the ticket is larger than allowed");
    } else if (ticket->state == WORK_ACCEPTED) {
        moves_journal(a, row);
    } else {
        moves_start(a, row);
    }
}

/* A newer attempt was assigned here while an older one of the same ticket is still around.
 * False: it stays, and the CONFIRM has to wait. */
static bool clear_older(struct agentd *a, uint32_t row)
{
    const struct work_row *ticket = work_get(&a->work, row);
    switch (ticket->state) {
    case WORK_ASKED:
        desk_send_drop(a, row, RELEASE_NOT_YOURS);
        moves_forget(a, row);
        return true;
    case WORK_ACCEPTED:
        moves_forget(a, row);
        return true;
    case WORK_WORKING:
        desk_send_drop(a, row, RELEASE_NOT_YOURS);
        moves_drop(a, row);
        return true;
    case WORK_AWAITING:
        moves_drop(a, row);
        return true;
    case WORK_JOURNALLING:
    case WORK_ENDING:
    case WORK_ENDED:
    case WORK_DROPPING:
        break;
    }
    return false;
}

static void receive_confirm(struct agentd *a,
                            const struct header *header,
                            const struct confirm *confirm,
                            enum parts_news news)
{
    uint32_t row = work_find(&a->work, confirm->ticket);
    if (row == WORK_NONE) {
        if (news == PARTS_LATE) {
            /* Overtaken by what this owner said since: it may well be finished work. */
            trace_ignored(a, header, confirm->ticket, "late");
            return;
        }
        confirm_unreserved(a, header, confirm);
        return;
    }
    const struct work_row *ticket = work_get(&a->work, row);
    if (confirm->attempt < ticket->attempt) {
        trace_ignored(a, header, confirm->ticket, "an older attempt");
        return;
    }
    if (confirm->attempt == ticket->attempt && confirm->agent == ticket->agent_id) {
        confirm_row(a, confirm, row);
        return;
    }
    if (!clear_older(a, row)) {
        trace_ignored(a, header, confirm->ticket, "an older attempt is not settled");
        return;
    }
    confirm_unreserved(a, header, confirm);
}

static void
receive_release(struct agentd *a, const struct header *header, const struct release *release)
{
    uint32_t row = work_find(&a->work, release->ticket);
    if (row == WORK_NONE) {
        return;
    }
    struct work_row *ticket = work_get(&a->work, row);
    if (ticket->attempt != release->attempt ||
        (release->offer != 0 && release->offer != ticket->offer)) {
        trace_ignored(a, header, release->ticket, "another attempt or offer");
        return;
    }
    trace_event(a->trace, TRACE_DEBUG, "work.released");
    trace_id(a->trace, "ticket", ticket->ticket);
    trace_u64(a->trace, "attempt", ticket->attempt);
    trace_text(a->trace, "state", work_state_text(ticket->state));
    trace_end(a->trace);
    switch (ticket->state) {
    case WORK_ASKED:
        desk_send_drop(a, row, release->why);
        moves_forget(a, row);
        return;
    case WORK_ACCEPTED:
        moves_forget(a, row);
        return;
    case WORK_JOURNALLING:
        ticket->is_released = true;
        return;
    case WORK_AWAITING:
        moves_drop(a, row);
        return;
    case WORK_WORKING:
        desk_send_drop(a, row, release->why);
        moves_drop(a, row);
        return;
    case WORK_ENDING:
    case WORK_ENDED:
    case WORK_DROPPING:
        /* What is finished is told, and answered by VERDICT. */
        return;
    }
}

static void
receive_verdict(struct agentd *a, const struct header *header, const struct verdict *verdict)
{
    static const char *const texts[] = {"ack", "stale", "new_messages", "forbidden"};
    uint32_t row = work_find(&a->work, verdict->ticket);
    if (row == WORK_NONE) {
        return;
    }
    const struct work_row *ticket = work_get(&a->work, row);
    if (ticket->state != WORK_ENDED || ticket->attempt != verdict->attempt ||
        ticket->outcome.what != verdict->what) {
        trace_ignored(a, header, verdict->ticket, "no such outcome waits");
        return;
    }
    trace_event(a->trace,
                verdict->verdict == VERDICT_FORBIDDEN ? TRACE_WARN : TRACE_DEBUG,
                "outcome.answered");
    trace_id(a->trace, "ticket", ticket->ticket);
    trace_u64(a->trace, "attempt", ticket->attempt);
    trace_text(a->trace, "verdict", texts[verdict->verdict]);
    trace_end(a->trace);
    moves_drop(a, row);
}

static void receive_note(struct agentd *a, const struct header *header, const struct note_in *note)
{
    uint32_t row = work_find(&a->work, note->ticket);
    if (row == WORK_NONE) {
        return;
    }
    struct work_row *ticket = work_get(&a->work, row);
    if (ticket->state != WORK_WORKING || ticket->attempt != note->attempt ||
        note->msgs <= ticket->seen) {
        trace_ignored(a, header, note->ticket, "not in hand, or shown before");
        return;
    }
    /* After a gap the agent has not read everything: the number stays, and the owner's guard
     * brings the ticket back with all messages. */
    if (note->msgs == ticket->seen + 1) {
        ticket->seen = note->msgs;
    }
    desk_send_note(a, row, note);
}

static void
receive_entry(struct agentd *a, const struct message *m, uint32_t i, enum parts_news news)
{
    enum message_kind kind = m->header.kind;
    if (kind == MESSAGE_OFFER) {
        receive_offer(a, &m->header, &m->offer[i]);
    } else if (kind == MESSAGE_CONFIRM) {
        receive_confirm(a, &m->header, &m->confirm[i], news);
    } else if (kind == MESSAGE_RELEASE) {
        receive_release(a, &m->header, &m->release[i]);
    } else if (kind == MESSAGE_VERDICT) {
        receive_verdict(a, &m->header, &m->verdict[i]);
    } else if (kind == MESSAGE_NOTE_IN) {
        receive_note(a, &m->header, &m->note_in[i]);
    }
}

void owner_receive(struct agentd *a, const struct message *message)
{
    if (message->header.part >= PARTS_MAX) {
        return;
    }
    enum parts_news news = parts_hear(&a->parts, &message->header);
    if (news == PARTS_DEPOSED) {
        trace_event(a->trace, TRACE_INFO, "owner.deposed");
        trace_text(a->trace, "kind", message_kind_text(message->header.kind));
        trace_u64(a->trace, "part", message->header.part);
        trace_u64(a->trace, "epoch", message->header.epoch);
        trace_end(a->trace);
        return;
    }
    moves_write_epoch(a, message->header.part);
    if (message->header.kind == MESSAGE_HELD_ASK) {
        parts_ask(&a->parts, message->header.part);
        return;
    }
    for (uint32_t i = 0; i < message->count; i++) {
        receive_entry(a, message, i, news);
    }
}
