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

void world_client_receive(struct world *world, const struct message *message)
{
    for (uint32_t i = 0; i < message->count; i++) {
        if (message->header.kind == MESSAGE_SUBMITTED) {
            hear_submitted(world, &message->submitted[i]);
        } else if (message->header.kind == MESSAGE_NOTED) {
            hear_answered(world, "hears noted", &message->answered[i]);
        } else if (message->header.kind == MESSAGE_CANCELLED) {
            hear_answered(world, "hears cancelled", &message->answered[i]);
        }
    }
}
