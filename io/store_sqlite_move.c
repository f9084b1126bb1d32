#include "io/store_sqlite.h"

#include "lib/text.h"

/* What routers write: each move is judged on the row as it is, inside the transaction that proved
 * the fence. The rows of protocol.md's table of a ticket's life, guards included, are the judge_*
 * functions; what a move does to a row is apply().
 */

/* "never_confirmed: " and a reason. */
#define DETAIL_BYTES_MAX 512U

typedef enum store_status
judge_fn(const struct store_request *request, const struct ticket_row *row, int64_t now_us);

static bool may_take(const struct store_request *request, const struct ticket_row *row)
{
    return !row->person_requested || request->move.agent_is_person;
}

static bool is_same_work(const struct store_request *request, const struct ticket_row *row)
{
    return row->attempt == request->move.attempt && row->agent == request->move.agent;
}

static enum store_status
judge_due(const struct store_request *request, const struct ticket_row *row, int64_t now_us)
{
    (void) request;
    bool is_due = row->state == TICKET_SCHEDULED && row->due_us <= now_us;
    return is_due ? STORE_DONE : STORE_REFUSED;
}

static enum store_status
judge_assign(const struct store_request *request, const struct ticket_row *row, int64_t now_us)
{
    (void) now_us;
    bool is_free = row->state == TICKET_QUEUED && row->attempt + 1U == request->move.attempt;
    return is_free && may_take(request, row) ? STORE_DONE : STORE_REFUSED;
}

static enum store_status
judge_complete(const struct store_request *request, const struct ticket_row *row, int64_t now_us)
{
    (void) now_us;
    if (!is_same_work(request, row)) {
        return STORE_REFUSED;
    }
    if (row->state == TICKET_DONE) {
        return STORE_DUPLICATE;
    }
    bool is_open =
        row->state == TICKET_QUEUED || row->state == TICKET_ASSIGNED || row->state == TICKET_PARKED;
    bool has_seen_all = row->msgs == request->move.seen;
    return is_open && has_seen_all && may_take(request, row) ? STORE_DONE : STORE_REFUSED;
}

static enum store_status
judge_park(const struct store_request *request, const struct ticket_row *row, int64_t now_us)
{
    (void) now_us;
    if (!is_same_work(request, row)) {
        return STORE_REFUSED;
    }
    if (row->state != TICKET_ASSIGNED) {
        return STORE_DUPLICATE;
    }
    return row->msgs == request->move.seen ? STORE_DONE : STORE_REFUSED;
}

static enum store_status
judge_requeue(const struct store_request *request, const struct ticket_row *row, int64_t now_us)
{
    (void) now_us;
    bool is_unpark = request->move.cause == REQUEUE_UNPARKED;
    if (row->state == (is_unpark ? TICKET_PARKED : TICKET_ASSIGNED)) {
        return is_same_work(request, row) ? STORE_DONE : STORE_REFUSED;
    }
    uint32_t agent = request->move.cause == REQUEUE_HANDOFF ? 0 : request->move.agent;
    bool is_repeat =
        row->state == TICKET_QUEUED && row->attempt == request->move.attempt && row->agent == agent;
    return is_repeat ? STORE_DUPLICATE : STORE_REFUSED;
}

static enum store_status
judge_cancel(const struct store_request *request, const struct ticket_row *row, int64_t now_us)
{
    (void) request;
    (void) now_us;
    if (row->state == TICKET_CANCELLED) {
        return STORE_DUPLICATE;
    }
    return row->state == TICKET_DONE || row->state == TICKET_DEAD ? STORE_REFUSED : STORE_DONE;
}

static enum store_status
judge_dead(const struct store_request *request, const struct ticket_row *row, int64_t now_us)
{
    (void) now_us;
    bool is_lost = row->state == TICKET_QUEUED && row->fails >= request->move.max_fails;
    return is_lost ? STORE_DONE : STORE_REFUSED;
}

static enum store_status
judge_note(const struct store_request *request, const struct ticket_row *row, int64_t now_us)
{
    (void) request;
    (void) row;
    (void) now_us;
    return STORE_DONE;
}

/* A kind without a judge is not a move. */
static const struct {
    judge_fn *judge;
    enum history_kind history;
    enum ticket_state state; /* TICKET_NONE: stays */
} moves[] = {
    [STORE_DUE] = {judge_due, HISTORY_DUE, TICKET_QUEUED},
    [STORE_ASSIGN] = {judge_assign, HISTORY_ASSIGNED, TICKET_ASSIGNED},
    [STORE_COMPLETE] = {judge_complete, HISTORY_COMPLETED, TICKET_DONE},
    [STORE_PARK] = {judge_park, HISTORY_PARKED, TICKET_PARKED},
    [STORE_REQUEUE] = {judge_requeue, HISTORY_REQUEUED, TICKET_QUEUED},
    [STORE_CANCEL] = {judge_cancel, HISTORY_CANCELLED, TICKET_CANCELLED},
    [STORE_DEAD] = {judge_dead, HISTORY_DEAD, TICKET_DEAD},
    [STORE_NOTE] = {judge_note, HISTORY_NOTE, TICKET_NONE},
};

static bool is_loss(enum requeue_cause cause)
{
    return cause == REQUEUE_GIVE_BACK || cause == REQUEUE_GRACE_OVER ||
           cause == REQUEUE_NEVER_CONFIRMED;
}

static void apply(const struct store_request *request, struct ticket_row *row, int64_t now_us)
{
    enum ticket_state state = moves[request->kind].state;
    row->rev++;
    row->state = state == TICKET_NONE ? row->state : state;
    if (state == TICKET_QUEUED) {
        row->queued_us = now_us;
    }
    if (request->kind == STORE_ASSIGN) {
        row->attempt = request->move.attempt;
        row->agent = request->move.agent;
        row->site = request->move.site;
    }
    if (request->kind == STORE_REQUEUE && is_loss(request->move.cause)) {
        row->fails++;
    }
    if (request->kind == STORE_REQUEUE && request->move.cause == REQUEUE_HANDOFF) {
        row->agent = 0;
        row->site = 0;
        row->person_requested = true;
    }
}

static const char *cause_text(enum requeue_cause cause)
{
    switch (cause) {
    case REQUEUE_GIVE_BACK:
        return "given_back";
    case REQUEUE_GRACE_OVER:
        return "grace_over";
    case REQUEUE_NEVER_CONFIRMED:
        return "never_confirmed";
    case REQUEUE_HANDOFF:
        return "handoff";
    case REQUEUE_NEW_MSGS:
        return "new_messages";
    case REQUEUE_UNPARKED:
        return "unparked";
    }
    return "unknown";
}

/* The reason as it stands in the history: "cause" or "cause: reason" for REQUEUE, the text of a
 * NOTE, else the note. */
static struct bytes detail(const struct store_request *request, struct text *text)
{
    if (request->kind == STORE_NOTE) {
        return request->move.text;
    }
    if (request->kind != STORE_REQUEUE) {
        return request->move.note;
    }
    text_add(text, cause_text(request->move.cause));
    if (request->move.note.size > 0) {
        text_add(text, ": ");
        text_add_bytes(text, request->move.note);
    }
    return text_bytes(text);
}

static int
add_answer(struct store_sqlite *self, const struct store_request *request, uint64_t serial)
{
    /* DONE is final, so the answer of COMPLETE is the ticket's only one until replies exist. */
    sqlite3_stmt *statement = store_sqlite_statement(self, STATEMENT_OUTBOX_ADD);
    store_file_bind_u64(statement, 1, serial << STORE_SQLITE_N_BITS | 1U);
    store_file_bind_u64(statement, 2, (uint64_t) self->now_us);
    store_file_bind_blob(statement, 3, request->move.text);
    return store_file_run(statement);
}

static int read_body(struct store_sqlite *self, const struct store_item *item, uint64_t serial)
{
    sqlite3_stmt *statement = store_sqlite_statement(self, STATEMENT_PAYLOAD_BODY);
    store_file_bind_u64(statement, 1, serial);
    int code = store_file_step(statement);
    if (code != SQLITE_ROW) {
        return code == SQLITE_DONE ? SQLITE_CORRUPT : code;
    }
    struct bytes body = store_file_column(statement, 0);
    item->result->body = store_memory_copy(item->memory, body.data, body.size);
    return sqlite3_reset(statement);
}

static int
write_move(struct store_sqlite *self, const struct store_item *item, struct store_sqlite_row *found)
{
    const struct store_request *request = item->request;
    char buffer[DETAIL_BYTES_MAX];
    struct text text;
    text_init(&text, buffer, sizeof buffer);

    apply(request, &found->row, self->now_us);
    int code = store_sqlite_event_number(self, found);
    if (code == SQLITE_OK) {
        code = store_sqlite_row_write(self, found);
    }
    if (code == SQLITE_OK) {
        /* The history names who had it, not who is left: a handoff, a note of an older attempt. */
        struct store_sqlite_row named = *found;
        bool is_told = request->kind == STORE_NOTE || request->kind == STORE_REQUEUE;
        named.row.agent = is_told ? request->move.agent : found->row.agent;
        if (request->kind == STORE_NOTE) {
            named.row.attempt = request->move.attempt;
        }
        code = store_sqlite_event_write(
            self, &named, moves[request->kind].history, request->epoch, detail(request, &text));
    }
    if (code == SQLITE_OK && request->kind == STORE_COMPLETE) {
        code = add_answer(self, request, found->serial);
    }
    if (code == SQLITE_OK && request->kind == STORE_ASSIGN) {
        code = read_body(self, item, found->serial);
    }
    return code;
}

/* How far back a note is looked for; a COMPLETE repeats within seconds. */
#define NOTE_LOOK_BACK 64U

static int has_note(struct store_sqlite *self,
                    const struct store_request *request,
                    const struct store_sqlite_row *row,
                    bool *has)
{
    sqlite3_stmt *statement = store_sqlite_statement(self, STATEMENT_EVENT_GET);
    uint64_t seq = row->event_seq;
    *has = false;
    for (uint32_t i = 0; i < NOTE_LOOK_BACK && seq != 0 && !*has; i++) {
        store_file_bind_u64(statement, 1, (uint64_t) row->row.part << STORE_SQLITE_SEQ_BITS | seq);
        int code = store_file_step(statement);
        if (code != SQLITE_ROW) {
            return code == SQLITE_DONE ? SQLITE_CORRUPT : code;
        }
        *has = store_file_u32(statement, 1) == HISTORY_NOTE &&
               store_file_u32(statement, 2) == request->move.attempt &&
               store_file_u32(statement, 3) == request->move.agent &&
               bytes_equal(store_file_column(statement, 6), request->move.text);
        seq = store_file_u64(statement, 0);
        (void) sqlite3_reset(statement);
    }
    return SQLITE_OK;
}

int store_sqlite_move(struct store_sqlite *self, const struct store_item *item)
{
    const struct store_request *request = item->request;
    struct store_result *result = item->result;
    struct store_sqlite_row found = {0};
    int code = store_sqlite_row_find(self, request->ticket, item->memory, &found);
    if (code == SQLITE_NOTFOUND || (code == SQLITE_OK && found.row.part != request->part)) {
        result->status = STORE_ABSENT;
        return SQLITE_OK;
    }
    if (code != SQLITE_OK) {
        return code;
    }

    bool is_written = false;
    result->status = moves[request->kind].judge(request, &found.row, self->now_us);
    if (request->kind == STORE_NOTE) {
        code = has_note(self, request, &found, &is_written);
    }
    if (code == SQLITE_OK && result->status == STORE_DONE && !is_written) {
        code = write_move(self, item, &found);
    }
    result->row = found.row;
    return code;
}
