#include "io/store_sqlite.h"

#include "lib/check.h"

/* Pages. Nobody else writes while one is read, so none needs a transaction over several reads. */

/* One row more than asked for is read, to know whether there is more. */
struct filling {
    struct ticket_row *rows;
    uint32_t count;
    uint32_t rows_max;
    struct store_memory *memory;
};

static struct filling filling_start(const struct load_request *request, struct store_memory *memory)
{
    CHECK(request->rows_max >= 1);
    CHECK(request->rows_max <= LOAD_ROWS_MAX);
    uint64_t size = (uint64_t) request->rows_max * sizeof(struct ticket_row);
    return (struct filling){
        .rows = store_memory_take(memory, size), .rows_max = request->rows_max, .memory = memory};
}

/* What to ask SQLite for next. */
static uint64_t filling_limit(const struct filling *filling)
{
    return filling->rows_max - filling->count + 1U;
}

/* Steps to the end or to the row too many. */
static int fill(struct filling *filling, sqlite3_stmt *statement, bool *has_more)
{
    int code = SQLITE_OK;
    while ((code = store_file_step(statement)) == SQLITE_ROW) {
        if (filling->count == filling->rows_max) {
            *has_more = true;
            return sqlite3_reset(statement);
        }
        struct store_sqlite_row row;
        store_sqlite_row_read(statement, filling->memory, &row);
        filling->rows[filling->count++] = row.row;
    }
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int load_held(struct store_sqlite *self,
                     const struct load_request *request,
                     struct filling *filling,
                     bool *has_more)
{
    uint8_t after[ID_BYTES];
    id_to_bytes(request->after.id, after);
    sqlite3_stmt *statement = store_sqlite_statement(self, STATEMENT_LOAD_HELD);
    store_file_bind_u64(statement, 1, request->part);
    store_file_bind_blob(statement, 2, bytes_of(after, request->from_start ? 0 : ID_BYTES));
    store_file_bind_u64(statement, 3, filling_limit(filling));
    return fill(filling, statement, has_more);
}

static int load_lower(struct store_sqlite *self,
                      const struct load_request *request,
                      uint64_t priority,
                      struct filling *filling,
                      bool *has_more)
{
    int64_t since_us = request->kind == LOAD_RECENT ? request->since_us : INT64_MIN;
    sqlite3_stmt *statement = store_sqlite_statement(self, STATEMENT_LOAD_LOWER);
    store_file_bind_u64(statement, 1, request->part);
    store_file_bind_u64(statement, 2, priority);
    store_file_bind_u64(statement, 3, (uint64_t) since_us);
    store_file_bind_u64(statement, 4, filling_limit(filling));
    return fill(filling, statement, has_more);
}

/* Priority and time of creation never change, so the id is enough to know where a page ended. */
static int
complete_key(struct store_sqlite *self, struct store_memory *memory, struct service_key *key)
{
    struct store_sqlite_row row = {0};
    int code = store_sqlite_row_find(self, key->id, memory, &row);
    if (code == SQLITE_OK) {
        key->priority = row.row.priority;
        key->created_us = row.row.created_us;
    }
    return code == SQLITE_NOTFOUND ? SQLITE_OK : code;
}

static int load_queued(struct store_sqlite *self,
                       const struct load_request *request,
                       struct filling *filling,
                       bool *has_more)
{
    if (request->from_start) {
        return load_lower(self, request, INT64_MAX, filling, has_more);
    }
    struct service_key after = request->after;
    if (request->kind == LOAD_RECENT) {
        int found = complete_key(self, filling->memory, &after);
        if (found != SQLITE_OK) {
            return found;
        }
    }
    int64_t since_us = request->kind == LOAD_RECENT ? request->since_us : INT64_MIN;
    uint8_t id[ID_BYTES];
    id_to_bytes(after.id, id);
    sqlite3_stmt *statement = store_sqlite_statement(self, STATEMENT_LOAD_SAME);
    store_file_bind_u64(statement, 1, request->part);
    store_file_bind_u64(statement, 2, after.priority);
    store_file_bind_u64(statement, 3, (uint64_t) after.created_us);
    store_file_bind_blob(statement, 4, bytes_of(id, ID_BYTES));
    store_file_bind_u64(statement, 5, (uint64_t) since_us);
    store_file_bind_u64(statement, 6, filling_limit(filling));
    int code = fill(filling, statement, has_more);
    if (code != SQLITE_OK || *has_more) {
        return code;
    }
    return load_lower(self, request, after.priority, filling, has_more);
}

static int load_rows(struct store_sqlite *self,
                     const struct load_request *request,
                     struct load_page *page,
                     struct store_memory *memory)
{
    struct filling filling = filling_start(request, memory);
    int code = request->kind == LOAD_HELD ? load_held(self, request, &filling, &page->has_more)
                                          : load_queued(self, request, &filling, &page->has_more);
    page->rows = filling.rows;
    page->row_count = filling.count;
    return code;
}

/* Copies the first column of the only row there may be. */
static int
read_one(sqlite3_stmt *statement, int column, struct store_memory *memory, struct bytes *out)
{
    int code = store_file_step(statement);
    if (code != SQLITE_ROW) {
        return code == SQLITE_DONE ? SQLITE_OK : code;
    }
    struct bytes value = store_file_column(statement, column);
    *out = store_memory_copy(memory, value.data, value.size);
    return sqlite3_reset(statement);
}

static int read_name(struct store_sqlite *self,
                     enum statement which,
                     uint32_t id,
                     struct store_memory *memory,
                     struct bytes *out)
{
    if (id == 0) {
        return SQLITE_OK;
    }
    sqlite3_stmt *statement = store_sqlite_statement(self, which);
    store_file_bind_u64(statement, 1, id);
    return read_one(statement, 0, memory, out);
}

static int read_event(sqlite3_stmt *statement,
                      struct store_memory *memory,
                      struct history_row *out,
                      uint64_t *previous)
{
    int code = store_file_step(statement);
    if (code != SQLITE_ROW) {
        return code == SQLITE_DONE ? SQLITE_CORRUPT : code;
    }
    *previous = store_file_u64(statement, 0);
    out->kind = (enum history_kind) store_file_u32(statement, 1);
    out->attempt = store_file_u32(statement, 2);
    out->epoch = store_file_u64(statement, 4);
    out->at_us = (int64_t) store_file_u64(statement, 5);
    struct bytes detail = store_file_column(statement, 6);
    out->detail = store_memory_copy(memory, detail.data, detail.size);
    struct bytes name = store_file_column(statement, 7);
    out->agent_name = store_memory_copy(memory, name.data, name.size);
    return sqlite3_reset(statement);
}

/* Walks the chain from the last event back and gives it oldest first; of a very long one the
 * newest LOAD_ROWS_MAX, and has_more. */
static int read_history(struct store_sqlite *self,
                        const struct store_sqlite_row *row,
                        struct load_page *page,
                        struct store_memory *memory)
{
    sqlite3_stmt *statement = store_sqlite_statement(self, STATEMENT_EVENT_GET);
    struct history_row *rows = store_memory_take(memory, LOAD_ROWS_MAX * sizeof *rows);
    uint32_t first = LOAD_ROWS_MAX;
    uint64_t seq = row->event_seq;
    while (seq != 0 && first > 0) {
        first--;
        rows[first] = (struct history_row){.seq = seq, .stream = row->row.part};
        uint64_t stream = row->row.part;
        store_file_bind_u64(statement, 1, stream << STORE_SQLITE_SEQ_BITS | seq);
        int code = read_event(statement, memory, &rows[first], &seq);
        if (code != SQLITE_OK) {
            return code;
        }
    }
    page->history = rows + first;
    page->history_count = LOAD_ROWS_MAX - first;
    page->has_more = seq != 0;
    return SQLITE_OK;
}

static int read_texts(struct store_sqlite *self,
                      uint64_t serial,
                      struct load_page *page,
                      struct store_memory *memory)
{
    sqlite3_stmt *statement = store_sqlite_statement(self, STATEMENT_PAYLOAD_BODY);
    store_file_bind_u64(statement, 1, serial);
    int code = read_one(statement, 0, memory, &page->body);
    if (code != SQLITE_OK) {
        return code;
    }
    statement = store_sqlite_statement(self, STATEMENT_OUTBOX_LAST);
    store_file_bind_u64(statement, 1, serial << STORE_SQLITE_N_BITS);
    store_file_bind_u64(statement, 2, ((serial + 1U) << STORE_SQLITE_N_BITS) - 1U);
    return read_one(statement, 1, memory, &page->answer);
}

static int load_ticket(struct store_sqlite *self,
                       const struct load_request *request,
                       struct load_page *page,
                       struct store_memory *memory)
{
    struct store_sqlite_row row = {0};
    int code = store_sqlite_row_find(self, request->ticket, memory, &row);
    if (code != SQLITE_OK) {
        return code == SQLITE_NOTFOUND ? SQLITE_OK : code;
    }
    struct ticket_row *out = store_memory_take(memory, sizeof *out);
    *out = row.row;
    code = read_name(self, STATEMENT_AGENT_GET, out->agent, memory, &out->agent_name);
    if (code == SQLITE_OK) {
        code = read_name(self, STATEMENT_SITE_GET, out->site, memory, &out->site_name);
    }
    if (code == SQLITE_OK) {
        code = read_texts(self, row.serial, page, memory);
    }
    if (code == SQLITE_OK) {
        code = read_history(self, &row, page, memory);
    }
    page->rows = out;
    page->row_count = 1;
    return code;
}

vt_err store_sqlite_load(void *context,
                         const struct load_request *request,
                         struct load_page *page,
                         struct store_memory *memory)
{
    struct store_sqlite *self = context;
    int64_t now_us = self->clock_us(self->context);
    self->now_us = now_us > self->now_us ? now_us : self->now_us;
    page->store_now_us = self->now_us;
    int code = SQLITE_OK;
    switch (request->kind) {
    case LOAD_HELD:
    case LOAD_QUEUED:
    case LOAD_RECENT:
        code = load_rows(self, request, page, memory);
        break;
    case LOAD_TICKET:
        code = load_ticket(self, request, page, memory);
        break;
    case LOAD_JOURNAL:
        return VT_INVALID;
    }
    return code == SQLITE_OK ? VT_OK : VT_UNAVAILABLE;
}
