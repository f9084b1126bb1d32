#include "proto/codec_wire.h"

/* REPLY: one message of the wire, one sub-message for each sort of row. */

static void fill_ticket(const struct reply *reply, struct codec_scratch *scratch)
{
    Ventanilla__TicketRow *ticket = &scratch->ticket;
    codec_wire_fill_row(&reply->ticket.row, &scratch->row);
    ventanilla__ticket_row__init(ticket);
    ticket->row = &scratch->row;
    ticket->queue_name = codec_wire_data(reply->ticket.queue_name);
    ticket->answer = codec_wire_data(reply->ticket.answer);
    ticket->agents_able_plus_one = reply->ticket.agents_able + 1; /* not known wraps to 0 */
    scratch->reply.ticket = ticket;
}

static void fill_history(const struct history_row *row, struct codec_scratch *scratch)
{
    Ventanilla__HistoryRow *history = &scratch->history;
    ventanilla__history_row__init(history);
    history->seq = row->seq;
    history->stream = row->stream;
    history->kind = (uint32_t) row->kind;
    history->attempt = row->attempt;
    history->epoch = row->epoch;
    history->at_us = row->at_us;
    history->agent_name = codec_wire_data(row->agent_name);
    history->detail = codec_wire_data(row->detail);
    scratch->reply.history = history;
}

static void fill_queue(const struct queue_figures *figures, struct codec_scratch *scratch)
{
    Ventanilla__QueueRow *queue = &scratch->queue;
    ventanilla__queue_row__init(queue);
    queue->queue = figures->queue;
    queue->pool_name = codec_wire_data(figures->pool_name);
    queue->name = codec_wire_data(figures->name);
    queue->waiting = figures->waiting;
    queue->scheduled = figures->scheduled;
    queue->offered = figures->offered;
    queue->assigned = figures->assigned;
    queue->parked = figures->parked;
    queue->unservable = figures->unservable;
    queue->oldest_wait_ms = figures->oldest_wait_ms;
    queue->agents_up = figures->agents_up;
    queue->agents_free = figures->agents_free;
    queue->entered_total = figures->entered_total;
    queue->answered_total = figures->answered_total;
    queue->completed_total = figures->completed_total;
    queue->cancelled_total = figures->cancelled_total;
    queue->requeued_total = figures->requeued_total;
    queue->dead_total = figures->dead_total;
    queue->wait_sum_ms = figures->wait_sum_ms;
    scratch->reply.queue = queue;
}

static void fill_agent(const struct agent_figures *figures, struct codec_scratch *scratch)
{
    Ventanilla__AgentRow *agent = &scratch->agent_row;
    ventanilla__agent_row__init(agent);
    agent->agent = figures->agent;
    agent->site_name = codec_wire_data(figures->site_name);
    agent->name = codec_wire_data(figures->name);
    agent->is_up = figures->is_up;
    agent->is_person = figures->is_person;
    agent->capacity = figures->capacity;
    agent->busy = figures->busy;
    agent->offered = figures->offered;
    agent->completed_total = figures->completed_total;
    agent->idle_ms = figures->idle_ms;
    scratch->reply.agent = agent;
}

static void fill_end(const struct reply *reply, struct codec_scratch *scratch)
{
    ventanilla__end_row__init(&scratch->end);
    scratch->end.error = (uint32_t) reply->end.error;
    scratch->end.cursor = reply->end.cursor;
    scratch->reply.end = &scratch->end;
}

static const ProtobufCMessage *fill_reply(const void *entry, struct codec_scratch *scratch)
{
    const struct reply *reply = entry;
    ventanilla__reply__init(&scratch->reply);
    scratch->reply.ref = reply->ref;
    scratch->reply.row = (uint32_t) reply->row;
    switch (reply->row) {
    case ROW_END:
        fill_end(reply, scratch);
        break;
    case ROW_TICKET:
        fill_ticket(reply, scratch);
        break;
    case ROW_HISTORY:
        fill_history(&reply->history, scratch);
        break;
    case ROW_QUEUE:
        fill_queue(&reply->queue, scratch);
        break;
    case ROW_AGENT:
        fill_agent(&reply->agent, scratch);
        break;
    case ROW_METRIC:
    case ROW_CHECK:
        return NULL; /* never leave their process */
    }
    return &scratch->reply.base;
}

static vt_err read_end(const Ventanilla__EndRow *wire, struct reply *reply)
{
    if (wire == NULL) {
        return VT_CORRUPT;
    }
    if (wire->error >= VT_ERR_COUNT) {
        return VT_INVALID;
    }
    reply->end.error = (vt_err) wire->error;
    reply->end.cursor = wire->cursor;
    return VT_OK;
}

/* A router answers for `agents_able` alone: of the row it names the id, without requirements. */
static vt_err read_ticket_row(const Ventanilla__Row *wire, struct ticket_row *row)
{
    if (wire != NULL && wire->requirements.len == 0) {
        return codec_wire_ticket(wire->id_high, wire->id_low, &row->id);
    }
    return codec_wire_read_row(wire, row);
}

static vt_err read_ticket(const Ventanilla__TicketRow *wire, struct reply *reply)
{
    if (wire == NULL) {
        return VT_CORRUPT;
    }
    reply->ticket.agents_able = wire->agents_able_plus_one - 1;
    vt_err err = read_ticket_row(wire->row, &reply->ticket.row);
    if (err == VT_OK) {
        err = codec_wire_text(wire->queue_name, NAME_BYTES_MAX, &reply->ticket.queue_name);
    }
    if (err == VT_OK) {
        err = codec_wire_text(wire->answer, BODY_BYTES_MAX, &reply->ticket.answer);
    }
    return err;
}

static vt_err read_history(const Ventanilla__HistoryRow *wire, struct history_row *row)
{
    if (wire == NULL) {
        return VT_CORRUPT;
    }
    if (wire->kind < HISTORY_SUBMITTED || wire->kind > HISTORY_NOTE) {
        return VT_INVALID;
    }
    row->seq = wire->seq;
    row->stream = wire->stream;
    row->kind = (enum history_kind) wire->kind;
    row->attempt = wire->attempt;
    row->epoch = wire->epoch;
    row->at_us = wire->at_us;
    vt_err err = codec_wire_text(wire->agent_name, NAME_BYTES_MAX, &row->agent_name);
    if (err == VT_OK) {
        err = codec_wire_text(wire->detail, BODY_BYTES_MAX, &row->detail);
    }
    return err;
}

static void take_queue_figures(const Ventanilla__QueueRow *wire, struct queue_figures *figures)
{
    figures->queue = wire->queue;
    figures->waiting = wire->waiting;
    figures->scheduled = wire->scheduled;
    figures->offered = wire->offered;
    figures->assigned = wire->assigned;
    figures->parked = wire->parked;
    figures->unservable = wire->unservable;
    figures->oldest_wait_ms = wire->oldest_wait_ms;
    figures->agents_up = wire->agents_up;
    figures->agents_free = wire->agents_free;
    figures->entered_total = wire->entered_total;
    figures->answered_total = wire->answered_total;
    figures->completed_total = wire->completed_total;
    figures->cancelled_total = wire->cancelled_total;
    figures->requeued_total = wire->requeued_total;
    figures->dead_total = wire->dead_total;
    figures->wait_sum_ms = wire->wait_sum_ms;
}

static vt_err read_queue(const Ventanilla__QueueRow *wire, struct queue_figures *figures)
{
    if (wire == NULL) {
        return VT_CORRUPT;
    }
    take_queue_figures(wire, figures);
    vt_err err = codec_wire_text(wire->pool_name, NAME_BYTES_MAX, &figures->pool_name);
    if (err == VT_OK) {
        err = codec_wire_text(wire->name, NAME_BYTES_MAX, &figures->name);
    }
    return err;
}

static vt_err read_agent(const Ventanilla__AgentRow *wire, struct agent_figures *figures)
{
    if (wire == NULL) {
        return VT_CORRUPT;
    }
    figures->agent = wire->agent;
    figures->is_up = wire->is_up != 0;
    figures->is_person = wire->is_person != 0;
    figures->capacity = wire->capacity;
    figures->busy = wire->busy;
    figures->offered = wire->offered;
    figures->completed_total = wire->completed_total;
    figures->idle_ms = wire->idle_ms;
    vt_err err = codec_wire_text(wire->site_name, NAME_BYTES_MAX, &figures->site_name);
    if (err == VT_OK) {
        err = codec_wire_text(wire->name, NAME_BYTES_MAX, &figures->name);
    }
    return err;
}

static vt_err read_reply(const void *from, void *entry, struct arena *arena)
{
    (void) arena;
    const Ventanilla__Reply *wire = from;
    struct reply *reply = entry;
    if (wire->row > ROW_AGENT) {
        return VT_INVALID;
    }
    reply->ref = wire->ref;
    reply->row = (enum reply_row) wire->row;
    switch (reply->row) {
    case ROW_END:
        return read_end(wire->end, reply);
    case ROW_TICKET:
        return read_ticket(wire->ticket, reply);
    case ROW_HISTORY:
        return read_history(wire->history, &reply->history);
    case ROW_QUEUE:
        return read_queue(wire->queue, &reply->queue);
    case ROW_AGENT:
        return read_agent(wire->agent, &reply->agent);
    case ROW_METRIC:
    case ROW_CHECK:
        break;
    }
    return VT_INVALID;
}

const struct codec_kind codec_reply_kind = {.wire = &ventanilla__reply__descriptor,
                                            .count_min = 1,
                                            .count_max = MESSAGE_ENTRIES_MAX,
                                            .fill = fill_reply,
                                            .read = read_reply};
