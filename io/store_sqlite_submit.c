#include "io/store_sqlite.h"

#include "lib/check.h"

/* What brokers write: new tickets and messages on them, each recognised when it comes again. */

#define DIGEST_BYTES 16U

/* A payload row under a fingerprint: is it this client's key, still in its life? */
struct earlier {
    bool is_same_key;
    bool is_same_ticket; /* digest equal */
    struct ticket_id ticket;
};

static int read_earlier(struct store_sqlite *self,
                        uint64_t serial,
                        const struct store_request *request,
                        struct earlier *out)
{
    *out = (struct earlier){0};
    sqlite3_stmt *statement = store_sqlite_statement(self, STATEMENT_PAYLOAD_KEY);
    store_file_bind_u64(statement, 1, serial);
    int code = store_file_step(statement);
    if (code != SQLITE_ROW) {
        return code == SQLITE_DONE ? SQLITE_OK : code;
    }
    struct bytes digest = bytes_of(request->submit.digest, DIGEST_BYTES);
    struct bytes id = store_file_column(statement, 0);
    int64_t created_us = (int64_t) store_file_u64(statement, 1);
    out->is_same_key = created_us > self->now_us - self->key_life_us &&
                       bytes_equal(store_file_column(statement, 2), request->submit.client) &&
                       bytes_equal(store_file_column(statement, 3), request->submit.key);
    out->is_same_ticket = bytes_equal(store_file_column(statement, 4), digest);
    if (id.size == ID_BYTES) {
        out->ticket = id_from_bytes(id.data);
    }
    return sqlite3_reset(statement);
}

/* Sets the status when the key is known; leaves STORE_DONE with no row in it otherwise. */
static int recognise(struct store_sqlite *self,
                     const struct store_item *item,
                     uint64_t fingerprint,
                     bool *is_known)
{
    struct store_keys_probe probe = {.fingerprint = fingerprint};
    uint64_t serial = 0;
    *is_known = false;
    while (store_keys_next(self->keys, &probe, &serial)) {
        struct earlier earlier;
        int code = read_earlier(self, serial, item->request, &earlier);
        if (code != SQLITE_OK) {
            return code;
        }
        if (!earlier.is_same_key) {
            continue;
        }
        struct store_sqlite_row row = {0};
        code = store_sqlite_row_find(self, earlier.ticket, item->memory, &row);
        if (code != SQLITE_OK) {
            return code == SQLITE_NOTFOUND ? SQLITE_CORRUPT : code;
        }
        item->result->row = row.row;
        item->result->status = earlier.is_same_ticket ? STORE_DUPLICATE : STORE_MISMATCH;
        *is_known = true;
        return SQLITE_OK;
    }
    return SQLITE_OK;
}

static int
add_payload(struct store_sqlite *self, const struct store_request *request, uint64_t serial)
{
    uint8_t id[ID_BYTES];
    id_to_bytes(request->ticket, id);
    sqlite3_stmt *statement = store_sqlite_statement(self, STATEMENT_PAYLOAD_ADD);
    store_file_bind_u64(statement, 1, serial);
    store_file_bind_blob(statement, 2, bytes_of(id, ID_BYTES));
    store_file_bind_u64(statement, 3, (uint64_t) self->now_us);
    store_file_bind_text(statement, 4, request->submit.client);
    store_file_bind_blob(statement, 5, request->submit.key);
    store_file_bind_blob(statement, 6, bytes_of(request->submit.digest, DIGEST_BYTES));
    store_file_bind_blob(statement, 7, request->submit.body);
    return store_file_run(statement);
}

static struct store_sqlite_row new_row(const struct store_sqlite *self,
                                       const struct store_request *request,
                                       struct store_memory *memory)
{
    struct bytes requirements = request->submit.requirements;
    return (struct store_sqlite_row){
        .row =
            {
                .id = request->ticket,
                .part = request->part,
                .queue = request->submit.queue,
                .priority = request->submit.priority,
                .state = request->submit.due_us == 0 ? TICKET_QUEUED : TICKET_SCHEDULED,
                .msgs = 1,
                .rev = 1,
                .created_us = self->now_us,
                .queued_us = self->now_us,
                .due_us = request->submit.due_us,
                .requirements = store_memory_copy(memory, requirements.data, requirements.size),
            },
    };
}

/* The id's own constraint fails alone: nothing of this request was written before it. */
static int answer_taken_id(struct store_sqlite *self, const struct store_item *item)
{
    struct store_sqlite_row row = {0};
    int code = store_sqlite_row_find(self, item->request->ticket, item->memory, &row);
    if (code != SQLITE_OK) {
        return code == SQLITE_NOTFOUND ? SQLITE_CORRUPT : code;
    }
    item->result->status = STORE_REFUSED;
    item->result->row = row.row;
    return SQLITE_OK;
}

static int write_new(struct store_sqlite *self,
                     const struct store_request *request,
                     const struct store_sqlite_row *row)
{
    int code = store_sqlite_row_add(self, row);
    if (code == SQLITE_OK) {
        code = add_payload(self, request, row->serial);
    }
    if (code == SQLITE_OK) {
        code = store_sqlite_event_write(self, row, HISTORY_SUBMITTED, 0, (struct bytes){0});
    }
    return code;
}

static int add(struct store_sqlite *self, const struct store_item *item, uint64_t fingerprint)
{
    struct store_sqlite_row row = new_row(self, item->request, item->memory);
    int code = store_sqlite_event_serial(self, &row.serial);
    if (code == SQLITE_OK) {
        code = store_sqlite_event_number(self, &row);
    }
    if (code != SQLITE_OK) {
        return code;
    }
    if (store_keys_add(self->keys, fingerprint, row.serial, self->now_us) != VT_OK) {
        store_sqlite_event_give_back(self, &row);
        item->result->status = STORE_FULL;
        return SQLITE_OK;
    }

    code = write_new(self, item->request, &row);
    if ((code & 0xFF) == SQLITE_CONSTRAINT) {
        store_sqlite_event_give_back(self, &row);
        store_keys_remove(self->keys, fingerprint, row.serial);
        return answer_taken_id(self, item);
    }
    self->undo[self->undo_count++] =
        (struct store_sqlite_undo){.fingerprint = fingerprint, .serial = row.serial};
    self->tickets_added++;
    item->result->row = row.row;
    return code;
}

int store_sqlite_submit(struct store_sqlite *self, const struct store_item *item)
{
    const struct store_request *request = item->request;
    CHECK(request->part < STORE_SQLITE_STREAMS);
    uint64_t fingerprint =
        store_keys_fingerprint(self->keys, request->submit.client, request->submit.key);
    bool is_known = false;
    int code = recognise(self, item, fingerprint, &is_known);
    if (code != SQLITE_OK || is_known) {
        return code;
    }
    return add(self, item, fingerprint);
}

/* STORE_DONE: this key is new on this ticket. */
static int recognise_message(struct store_sqlite *self,
                             const struct store_request *request,
                             uint64_t serial,
                             enum store_status *status)
{
    sqlite3_stmt *statement = store_sqlite_statement(self, STATEMENT_MESSAGE_KEYS);
    store_file_bind_u64(statement, 1, serial << STORE_SQLITE_N_BITS);
    store_file_bind_u64(statement, 2, ((serial + 1U) << STORE_SQLITE_N_BITS) - 1U);
    *status = STORE_DONE;
    int code = SQLITE_OK;
    while ((code = store_file_step(statement)) == SQLITE_ROW) {
        if (bytes_equal(store_file_column(statement, 0), request->message.key)) {
            bool is_same = bytes_equal(store_file_column(statement, 1), request->message.body);
            *status = is_same ? STORE_DUPLICATE : STORE_MISMATCH;
            return sqlite3_reset(statement);
        }
    }
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int add_message(struct store_sqlite *self,
                       const struct store_request *request,
                       const struct store_sqlite_row *row)
{
    sqlite3_stmt *statement = store_sqlite_statement(self, STATEMENT_MESSAGE_ADD);
    store_file_bind_u64(statement, 1, row->serial << STORE_SQLITE_N_BITS | row->row.msgs);
    store_file_bind_u64(statement, 2, (uint64_t) self->now_us);
    store_file_bind_text(statement, 3, request->message.author);
    store_file_bind_blob(statement, 4, request->message.key);
    store_file_bind_blob(statement, 5, request->message.body);
    return store_file_run(statement);
}

static int write_message(struct store_sqlite *self,
                         const struct store_request *request,
                         struct store_sqlite_row *found)
{
    struct ticket_row *row = &found->row;
    row->msgs++;
    row->rev++;
    row->queued_us = self->now_us;
    row->person_requested = row->person_requested || request->message.wants_person;
    row->state = row->state == TICKET_PARKED ? TICKET_QUEUED : row->state;
    int code = store_sqlite_event_number(self, found);
    if (code == SQLITE_OK) {
        code = store_sqlite_row_write(self, found);
    }
    if (code == SQLITE_OK) {
        code = add_message(self, request, found);
    }
    if (code == SQLITE_OK) {
        code = store_sqlite_event_write(self, found, HISTORY_MESSAGE, 0, request->message.author);
    }
    return code;
}

static bool is_open(enum ticket_state state)
{
    return state == TICKET_QUEUED || state == TICKET_SCHEDULED || state == TICKET_ASSIGNED ||
           state == TICKET_PARKED;
}

int store_sqlite_submit_message(struct store_sqlite *self, const struct store_item *item)
{
    struct store_sqlite_row found = {0};
    int code = store_sqlite_row_find(self, item->request->ticket, item->memory, &found);
    if (code == SQLITE_NOTFOUND) {
        item->result->status = STORE_ABSENT;
        return SQLITE_OK;
    }
    if (code == SQLITE_OK) {
        code = recognise_message(self, item->request, found.serial, &item->result->status);
    }
    if (code == SQLITE_OK && item->result->status == STORE_DONE) {
        bool has_room = found.row.msgs < (1U << STORE_SQLITE_N_BITS) - 1U;
        if (has_room && is_open(found.row.state)) {
            code = write_message(self, item->request, &found);
        } else {
            item->result->status = STORE_REFUSED;
        }
    }
    item->result->row = found.row;
    return code;
}
