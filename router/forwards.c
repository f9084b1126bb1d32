#include "router/forwards.h"

#include <string.h>

#include "lib/arena.h"
#include "router/inside.h"
#include "router/results.h"
#include "router/sends.h"

#define OWNS_MS 1000

void forwards_init(struct router *router, struct arena *arena)
{
    struct forwards *forwards = &router->forwards;
    forwards->brokers_max = router->options.brokers_max;
    forwards->brokers = ARENA_ARRAY(arena, struct forwards_broker, forwards->brokers_max);
    forwards->streams = ARENA_ARRAY(arena,
                                    struct forwards_stream,
                                    (uint64_t) forwards->brokers_max * router->options.parts_max);
}

static uint32_t find(const struct forwards *forwards, uint64_t node)
{
    for (uint32_t i = 0; i < forwards->broker_count; i++) {
        if (forwards->brokers[i].node == node) {
            return i;
        }
    }
    return UINT32_MAX;
}

static struct forwards_stream *stream_at(struct router *router, uint32_t broker, uint32_t part)
{
    return &router->forwards.streams[(uint64_t) broker * router->options.parts_max + part];
}

static void read_recent(struct router *router)
{
    for (uint32_t part = 0; part < router->options.parts_max; part++) {
        if (ownership_is_served(&router->ownership, part)) {
            (void) loads_recent(&router->loads, part, inside_store_us(router));
        }
    }
}

static void put(struct router *router, const struct node *node)
{
    struct forwards *forwards = &router->forwards;
    uint32_t row = find(forwards, node->number);
    if (row == UINT32_MAX && forwards->broker_count == forwards->brokers_max) {
        return;
    }
    if (row == UINT32_MAX) {
        row = forwards->broker_count++;
        memset(stream_at(router, row, 0),
               0,
               (size_t) router->options.parts_max * sizeof(struct forwards_stream));
        forwards->brokers[row] = (struct forwards_broker){node->number, node->incarnation};
        sends_owns(router, node->number);
    } else if (forwards->brokers[row].incarnation != node->incarnation) {
        forwards->brokers[row].incarnation = node->incarnation;
        read_recent(router);
        sends_owns(router, node->number);
    }
}

static bool is_there(const struct membership *membership, uint32_t number)
{
    for (uint32_t i = 0; i < membership->node_count; i++) {
        if (membership->nodes[i].kind == NODE_BROKER && membership->nodes[i].number == number) {
            return true;
        }
    }
    return false;
}

/* The last broker moves into the row of one that went. */
static void remove_gone(struct router *router, const struct membership *membership)
{
    struct forwards *forwards = &router->forwards;
    uint32_t i = 0;
    while (i < forwards->broker_count) {
        if (is_there(membership, forwards->brokers[i].node)) {
            i++;
            continue;
        }
        forwards->broker_count--;
        forwards->brokers[i] = forwards->brokers[forwards->broker_count];
        memmove(stream_at(router, i, 0),
                stream_at(router, forwards->broker_count, 0),
                (size_t) router->options.parts_max * sizeof(struct forwards_stream));
        read_recent(router);
    }
}

void forwards_members(struct router *router, const struct membership *membership)
{
    remove_gone(router, membership);
    for (uint32_t i = 0; i < membership->node_count; i++) {
        if (membership->nodes[i].kind == NODE_BROKER) {
            put(router, &membership->nodes[i]);
        }
    }
}

void forwards_not_owner(struct router *router, uint64_t broker, uint32_t part)
{
    struct owns *entry = sends_to_broker(router, broker, part, MESSAGE_NOT_OWNER);
    if (entry != NULL) {
        entry->part = part;
        entry->epoch = ownership_known_epoch(&router->ownership, part);
    }
}

static void note_in(struct router *router, const struct forward *forward)
{
    uint32_t ticket = tickets_find(&router->matching.tickets, forward->row.id);
    if (ticket == TICKETS_NONE) {
        return;
    }
    const struct ticket *row = tickets_get(&router->matching.tickets, ticket);
    uint32_t site = router->ledger.rows[ticket].site;
    struct bytes text;
    if (site == 0 || !sends_copy(router, forward->text, &text)) {
        return;
    }
    struct note_in *entry = sends_to_site(router, site - 1U, row->part, MESSAGE_NOTE_IN);
    if (entry != NULL) {
        *entry = (struct note_in){.ticket = row->id,
                                  .attempt = row->attempt,
                                  .agent = row->agent,
                                  .msgs = forward->row.msgs,
                                  .text = text};
    }
}

static void ticket_came(struct router *router, const struct forward *forward)
{
    bool is_new = tickets_find(&router->matching.tickets, forward->row.id) == TICKETS_NONE;
    if (is_new && forward->row.rev <= 1) {
        uint32_t queue = figures_put(&router->figures, forward->row.queue);
        figures_get(&router->figures, queue)->entered_total++;
    }
    if (is_new) {
        bool is_later = forward->row.state == TICKET_SCHEDULED;
        trace_event(router->trace, TRACE_DEBUG, is_later ? "ticket.scheduled" : "ticket.queued");
        trace_id(router->trace, "ticket", forward->row.id);
        trace_end(router->trace);
    }
    ledger_take(router, &forward->row);
}

/* Told again under our epoch, though stored before it: it may have been completed long since, so
 * its row decides. Taken as it is told it would be offered to an agent in vain. */
static bool is_old_news(const struct router *router, const struct ticket_row *row)
{
    return row->queued_us < router->parts[row->part].since_us &&
           tickets_find(&router->matching.tickets, row->id) == TICKETS_NONE;
}

/* What was stored before the partition was read is known, however far back a broker asks. */
static void read_since(struct router *router,
                       struct forwards_stream *stream,
                       uint32_t part,
                       const struct forward *forward,
                       int64_t since_us)
{
    int64_t read_us = router->store_at_ms == 0 ? 0 : router->parts[part].since_us;
    stream->resync_round =
        loads_recent(&router->loads, part, since_us > read_us ? since_us : read_us);
    stream->resync = stream->resync != 0 ? stream->resync : forward->n;
}

/* False: it cannot be taken now, nor what is behind it. */
static bool one(struct router *router,
                struct forwards_stream *stream,
                uint32_t part,
                const struct forward *forward)
{
    switch (forward->what) {
    case FORWARD_TICKET:
        if (forward->row.part == part && is_old_news(router, &forward->row)) {
            read_since(router, stream, part, forward, forward->row.queued_us);
        } else if (forward->row.part == part) {
            ticket_came(router, forward);
        }
        return true;
    case FORWARD_RESYNC:
        read_since(router, stream, part, forward, forward->since_us);
        return true;
    case FORWARD_NOTE:
        if (forward->row.part == part) {
            ledger_note(router, &forward->row);
            note_in(router, forward);
        }
        return true;
    case FORWARD_CANCEL:
        return results_cancel(router, part, forward);
    }
    return true;
}

static void
taken(struct router *router, uint64_t broker, uint32_t part, const struct forwards_stream *stream)
{
    uint64_t upto = stream->resync != 0 ? stream->resync - 1U : stream->received;
    struct taken *entry = upto == 0 ? NULL : sends_to_broker(router, broker, part, MESSAGE_TAKEN);
    if (entry != NULL) {
        *entry = (struct taken){.broker = stream->incarnation, .upto = upto};
    }
}

void forwards_received(struct router *router, uint64_t broker, const struct message *message)
{
    uint32_t part = message->header.part;
    uint32_t row = find(&router->forwards, broker);
    if (!ownership_is_served(&router->ownership, part) ||
        message->header.epoch != ownership_epoch(&router->ownership, part)) {
        forwards_not_owner(router, broker, part);
        return;
    }
    if (row == UINT32_MAX) {
        return; /* the registry will tell us of it; it sends again */
    }
    struct forwards_stream *stream = stream_at(router, row, part);
    if (stream->incarnation != message->header.origin || stream->epoch != message->header.epoch) {
        *stream = (struct forwards_stream){.incarnation = message->header.origin,
                                           .epoch = message->header.epoch};
    }
    for (uint32_t i = 0; i < message->count; i++) {
        const struct forward *forward = &message->forward[i];
        if (forward->n <= stream->received) {
            continue;
        }
        if (forward->n != stream->received + 1U) {
            router->counters.forward_gaps_total++;
            break; /* what is between comes again */
        }
        if (!one(router, stream, part, forward)) {
            break;
        }
        stream->received = forward->n;
    }
    taken(router, broker, part, stream);
}

void forwards_read(struct router *router, uint32_t part)
{
    uint32_t done = router->loads.parts[part].rounds_done;
    for (uint32_t i = 0; i < router->forwards.broker_count; i++) {
        struct forwards_stream *stream = stream_at(router, i, part);
        if (stream->resync != 0 && stream->resync_round <= done &&
            stream->epoch == ownership_epoch(&router->ownership, part)) {
            stream->resync = 0;
            taken(router, router->forwards.brokers[i].node, part, stream);
        }
    }
}

void forwards_owns_changed(struct router *router)
{
    router->forwards.owns_ms = 0;
}

void forwards_owns(struct router *router)
{
    if (router->now_ms < router->forwards.owns_ms) {
        return;
    }
    for (uint32_t i = 0; i < router->forwards.broker_count; i++) {
        sends_owns(router, router->forwards.brokers[i].node);
    }
    router->forwards.owns_ms = router->now_ms + OWNS_MS;
}
