#include <string.h>

#include "lib/check.h"
#include "tests/scenario/world_inside.h"

/* The one client: says what the test wants said and writes down what it hears. */

const struct store_memory_ticket *world_find(struct world *world, const char *key)
{
    for (uint32_t i = 0; i < store_memory_ticket_count(world->store); i++) {
        const struct store_memory_ticket *ticket = store_memory_ticket_at(world->store, i);
        if (bytes_equal_text(ticket->key, key)) {
            return ticket;
        }
    }
    return NULL;
}

static void send_one(struct world *world, enum message_kind kind, void *entry)
{
    struct message message = {.header = {.kind = kind}, .count = 1, .entries = entry};
    struct end end;
    if (!world_client_end(world, &end)) {
        world_line(world, "client", "finds no broker");
        return;
    }
    world_send(world, end, &message);
}

static struct ticket_id ticket_of(struct world *world, const char *key)
{
    const struct store_memory_ticket *ticket = world_find(world, key);
    CHECK(ticket != NULL);
    return ticket->row.id;
}

void world_submit(struct world *world, const struct world_ticket *ticket)
{
    struct submit submit = {.ref = ++world->refs,
                            .client = bytes_of_text("web"),
                            .key = bytes_of_text(ticket->key),
                            .queue = bytes_of_text(ticket->queue),
                            .language = bytes_of_text(ticket->language),
                            .priority = ticket->priority == 0 ? PRIORITY_ABSENT : ticket->priority,
                            .text = bytes_of_text(ticket->text)};
    if (ticket->skill != NULL) {
        submit.skills[0] =
            (struct skill){.name = bytes_of_text(ticket->skill), .level = ticket->level};
        submit.skill_count = 1;
    }
    if (ticket->wait_ms != 0) {
        submit.not_before_us = INT64_C(1700000000000000) + (world->now_ms + ticket->wait_ms) * 1000;
    }
    char buffer[128];
    struct text text;
    text_init(&text, buffer, sizeof buffer);
    text_add(&text, "submits ");
    text_add(&text, ticket->key);
    world_line(world, "client", buffer);
    send_one(world, MESSAGE_SUBMIT, &submit);
}

void world_note(struct world *world, const char *key, const char *note_key, const char *text)
{
    struct note note = {.ref = ++world->refs,
                        .ticket = ticket_of(world, key),
                        .author = bytes_of_text("requester"),
                        .key = bytes_of_text(note_key),
                        .text = bytes_of_text(text)};
    char buffer[128];
    struct text line;
    text_init(&line, buffer, sizeof buffer);
    text_add(&line, "writes a message on ");
    world_add_ticket(&line, note.ticket);
    world_line(world, "client", buffer);
    send_one(world, MESSAGE_NOTE, &note);
}

void world_cancel(struct world *world, const char *key)
{
    struct cancel cancel = {.ref = ++world->refs,
                            .ticket = ticket_of(world, key),
                            .reason = bytes_of_text("no longer needed")};
    char buffer[128];
    struct text line;
    text_init(&line, buffer, sizeof buffer);
    text_add(&line, "cancels ");
    world_add_ticket(&line, cancel.ticket);
    world_line(world, "client", buffer);
    send_one(world, MESSAGE_CANCEL, &cancel);
}

void world_follow(struct world *world, const char *key)
{
    struct follow follow = {.ticket = ticket_of(world, key)};
    char buffer[128];
    struct text line;
    text_init(&line, buffer, sizeof buffer);
    text_add(&line, "follows ");
    world_add_ticket(&line, follow.ticket);
    world_line(world, "client", buffer);
    send_one(world, MESSAGE_FOLLOW, &follow);
}

void world_query(struct world *world, enum query_what what, const char *key)
{
    static const char *const words[] = {
        [QUERY_TICKET] = "asks for a ticket",
        [QUERY_QUEUES] = "asks for the queues",
        [QUERY_AGENTS] = "asks for the agents",
    };
    struct query query = {.ref = ++world->refs, .what = what};
    if (key != NULL) {
        query.ticket = ticket_of(world, key);
    }
    world_line(world, "client", words[what]);
    send_one(world, MESSAGE_QUERY, &query);
}

/* ------------------------------------------------------------------ hearing */

struct heard {
    const char *what;
    enum answer answer;
    enum reason_code reason;
    struct ticket_id ticket;
    struct bytes field;
};

static void write_down(struct world *world, const struct heard *heard)
{
    static const char *const answers[] = {"ok", "duplicate", "rejected", "busy"};
    char buffer[256];
    struct text text;
    text_init(&text, buffer, sizeof buffer);
    text_add(&text, heard->what);
    text_add(&text, ": ");
    text_add(&text, answers[heard->answer]);
    if (heard->answer == ANSWER_OK || heard->answer == ANSWER_DUPLICATE) {
        text_add(&text, " ");
        world_add_ticket(&text, heard->ticket);
    } else {
        text_add(&text, ", ");
        text_add(&text, reason_text(heard->reason));
    }
    if (heard->field.size != 0) {
        text_add(&text, " (");
        text_add_bytes(&text, heard->field);
        text_add(&text, ")");
    }
    world_line(world, "client", buffer);
}

static void hear_submitted(struct world *world, const struct submitted *submitted)
{
    struct heard heard = {.what = "hears submitted",
                          .answer = submitted->answer,
                          .reason = submitted->reason,
                          .ticket = submitted->ticket,
                          .field = submitted->field};
    write_down(world, &heard);
}

static void hear_answered(struct world *world, const char *what, const struct answered *answered)
{
    struct heard heard = {.what = what,
                          .answer = answered->answer,
                          .reason = answered->reason,
                          .ticket = answered->ticket};
    write_down(world, &heard);
}

static void add_number(struct text *text, const char *name, uint64_t number)
{
    text_add(text, " ");
    text_add(text, name);
    text_add(text, "=");
    text_add_u64(text, number);
}

static void hear_update(struct world *world, const struct update *update)
{
    char buffer[256];
    struct text text;
    text_init(&text, buffer, sizeof buffer);
    text_add(&text, "hears update: ");
    world_add_ticket(&text, update->ticket);
    add_number(&text, "state", update->state);
    add_number(&text, "attempt", update->attempt);
    add_number(&text, "rev", update->rev);
    world_line(world, "client", buffer);
}

static void add_ticket_row(struct text *text, const struct reply *reply)
{
    text_add(text, "ticket ");
    world_add_ticket(text, reply->ticket.row.id);
    add_number(text, "state", reply->ticket.row.state);
    add_number(text, "attempt", reply->ticket.row.attempt);
    text_add(text, " queue=");
    text_add_bytes(text, reply->ticket.queue_name);
    text_add(text, " agent=");
    text_add_bytes(text, reply->ticket.row.agent_name);
    text_add(text, " answer=");
    text_add_bytes(text, reply->ticket.answer);
    add_number(text, "agents_able", reply->ticket.agents_able);
}

static void add_history_row(struct text *text, const struct history_row *row)
{
    text_add(text, "history");
    add_number(text, "seq", row->seq);
    add_number(text, "kind", row->kind);
    add_number(text, "attempt", row->attempt);
    text_add(text, " agent=");
    text_add_bytes(text, row->agent_name);
    text_add(text, " detail=");
    text_add_bytes(text, row->detail);
}

static void add_queue_row(struct text *text, const struct queue_figures *queue)
{
    text_add(text, "queue ");
    text_add_bytes(text, queue->pool_name);
    text_add(text, "/");
    text_add_bytes(text, queue->name);
    add_number(text, "waiting", queue->waiting);
    add_number(text, "offered", queue->offered);
    add_number(text, "assigned", queue->assigned);
    add_number(text, "unservable", queue->unservable);
    add_number(text, "oldest_wait_ms", (uint64_t) queue->oldest_wait_ms);
    add_number(text, "agents_up", queue->agents_up);
    add_number(text, "agents_free", queue->agents_free);
    add_number(text, "entered", queue->entered_total);
    add_number(text, "answered", queue->answered_total);
    add_number(text, "completed", queue->completed_total);
    add_number(text, "wait_sum_ms", (uint64_t) queue->wait_sum_ms);
}

static void add_agent_row(struct text *text, const struct agent_figures *agent)
{
    text_add(text, "agent ");
    text_add_bytes(text, agent->site_name);
    text_add(text, "/");
    text_add_bytes(text, agent->name);
    add_number(text, "up", agent->is_up);
    add_number(text, "person", agent->is_person);
    add_number(text, "capacity", agent->capacity);
    add_number(text, "busy", agent->busy);
    add_number(text, "offered", agent->offered);
    add_number(text, "completed", agent->completed_total);
    add_number(text, "idle_ms", (uint64_t) agent->idle_ms);
}

static void hear_reply(struct world *world, const struct reply *reply)
{
    char buffer[512];
    struct text text;
    text_init(&text, buffer, sizeof buffer);
    text_add(&text, "hears ");
    switch (reply->row) {
    case ROW_END:
        text_add(&text, "end: ");
        text_add(&text, err_text(reply->end.error));
        break;
    case ROW_TICKET:
        add_ticket_row(&text, reply);
        break;
    case ROW_HISTORY:
        add_history_row(&text, &reply->history);
        break;
    case ROW_QUEUE:
        add_queue_row(&text, &reply->queue);
        break;
    case ROW_AGENT:
        add_agent_row(&text, &reply->agent);
        break;
    case ROW_METRIC:
    case ROW_CHECK:
        CHECK(reply->row == ROW_END); /* these never travel */
        break;
    }
    world_line(world, "client", buffer);
}

void world_client_receive(struct world *world, const struct message *message)
{
    for (uint32_t i = 0; i < message->count; i++) {
        if (message->header.kind == MESSAGE_SUBMITTED) {
            hear_submitted(world, &message->submitted[i]);
        } else if (message->header.kind == MESSAGE_NOTED) {
            hear_answered(world, "hears noted", &message->answered[i]);
        } else if (message->header.kind == MESSAGE_CANCELLED) {
            hear_answered(world, "hears cancelled", &message->answered[i]);
        } else if (message->header.kind == MESSAGE_UPDATE) {
            hear_update(world, &message->update[i]);
        } else if (message->header.kind == MESSAGE_REPLY) {
            hear_reply(world, &message->reply[i]);
        }
    }
}
