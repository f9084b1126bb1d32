#include "broker/notes.h"

#define OVERLOAD_RETRY_MS 500u
#define STORE_RETRY_MS 1500u

static void push_back(const struct notes *notes,
                      const struct turn *turn,
                      uint64_t peer,
                      const struct note *note)
{
    struct header like = {.kind = MESSAGE_NOTED, .origin = turn->incarnation};
    struct answered *answered =
        message_add(turn->out, (struct address){.link = LINK_CLIENTS, .peer = peer}, &like);
    answered->ref = note->ref;
    answered->ticket = note->ticket;
    answered->answer = ANSWER_BUSY;
    answered->reason = notes->is_draining ? REASON_DRAINING : REASON_OVERLOAD;
    answered->retry_ms = turn_retry_ms(turn, OVERLOAD_RETRY_MS);
}

static void put(const struct notes *notes, uint64_t peer, const struct note *note)
{
    struct batches *batches = notes->batches;
    struct batch_entry entry = {
        .use = BATCH_NOTE, .client = peer, .ref = note->ref, .ticket = note->ticket};
    struct store_request *request = batches_add(batches, &entry);
    request->kind = STORE_MESSAGE;
    request->part = id_partition(note->ticket);
    request->ticket = note->ticket;
    request->message.author = batches_copy(batches, note->author);
    request->message.key = batches_copy(batches, note->key);
    request->message.body = batches_copy(batches, note->text);
    request->message.wants_person = note->wants_person;
}

void notes_write(const struct notes *notes,
                 const struct turn *turn,
                 uint64_t peer,
                 const struct message *message)
{
    for (uint32_t i = 0; i < message->count; i++) {
        const struct note *note = &message->note[i];
        uint64_t bytes = (uint64_t) note->author.size + note->key.size + note->text.size;
        if (notes->is_draining || !batches_has_room(notes->batches, BATCH_NOTE, bytes) ||
            clients_charge(notes->clients, peer) != VT_OK) {
            push_back(notes, turn, peer, note);
        } else {
            put(notes, peer, note);
        }
    }
}

static void refuse(struct batch_entry *entry, enum reason_code reason)
{
    entry->answer = ANSWER_REJECT;
    entry->reason = reason;
}

static bool is_closed(enum ticket_state state)
{
    return state == TICKET_DONE || state == TICKET_CANCELLED || state == TICKET_DEAD;
}

void notes_stored(const struct notes *notes,
                  const struct turn *turn,
                  const struct store_request *request,
                  const struct store_result *result,
                  struct batch_entry *entry)
{
    switch (result->status) {
    case STORE_DONE:
    case STORE_DUPLICATE:
        entry->answer = result->status == STORE_DONE ? ANSWER_OK : ANSWER_DUPLICATE;
        /* Told again for a repeat: whoever stored it first may have died before telling. */
        if (!is_closed(result->row.state)) {
            outbox_note(notes->outbox, turn, &result->row, request->message.body);
        }
        return;
    case STORE_MISMATCH:
        refuse(entry, REASON_MISMATCH);
        return;
    case STORE_ABSENT:
        refuse(entry, REASON_NO_TICKET);
        return;
    case STORE_REFUSED:
        refuse(entry, REASON_CLOSED);
        return;
    case STORE_UNCERTAIN:
        entry->is_silent = true;
        outbox_resync(notes->outbox, request->part, turn->wall_us);
        return;
    case STORE_FULL:
    case STORE_FAILED:
    case STORE_FENCED:
        entry->answer = ANSWER_BUSY;
        entry->reason = REASON_STORE;
        entry->retry_ms = turn_retry_ms(turn, STORE_RETRY_MS);
        return;
    }
}
