#include "io/store_sqlite.h"

#include "lib/check.h"

/* Numbers that grow without gaps, kept in memory while transactions succeed, and the history. */

int store_sqlite_event_serial(struct store_sqlite *self, uint64_t *serial)
{
    if (self->next_serial == 0) {
        sqlite3_stmt *statement = store_sqlite_statement(self, STATEMENT_SERIAL_LAST);
        int code = store_file_step(statement);
        if (code != SQLITE_ROW) {
            return code;
        }
        self->next_serial = store_file_u64(statement, 0) + 1U;
        (void) sqlite3_reset(statement);
    }
    *serial = self->next_serial++;
    return SQLITE_OK;
}

static int next_seq(struct store_sqlite *self, uint32_t stream, uint64_t *seq)
{
    CHECK(stream < STORE_SQLITE_STREAMS);
    if (self->next_seq[stream] == 0) {
        sqlite3_stmt *statement = store_sqlite_statement(self, STATEMENT_EVENT_LAST);
        store_file_bind_u64(statement, 1, (uint64_t) (stream + 1U) << STORE_SQLITE_SEQ_BITS);
        int code = store_file_step(statement);
        if (code != SQLITE_ROW && code != SQLITE_DONE) {
            return code;
        }
        uint64_t last = code == SQLITE_ROW ? store_file_u64(statement, 0) : 0;
        bool is_ours = last >> STORE_SQLITE_SEQ_BITS == stream;
        self->next_seq[stream] =
            (is_ours ? last & ((UINT64_C(1) << STORE_SQLITE_SEQ_BITS) - 1U) : 0) + 1U;
        (void) sqlite3_reset(statement);
    }
    *seq = self->next_seq[stream]++;
    return SQLITE_OK;
}

/* Numbers the row's next event; the row is written with it before the event is. */
int store_sqlite_event_number(struct store_sqlite *self, struct store_sqlite_row *row)
{
    row->event_previous = row->event_seq;
    return next_seq(self, row->row.part, &row->event_seq);
}

/* Takes the last serial and the last number back, of a ticket that was not written after all. */
void store_sqlite_event_give_back(struct store_sqlite *self, const struct store_sqlite_row *row)
{
    CHECK(self->next_serial == row->serial + 1U);
    CHECK(self->next_seq[row->row.part] == row->event_seq + 1U);
    self->next_serial--;
    self->next_seq[row->row.part]--;
}

int store_sqlite_event_write(struct store_sqlite *self,
                             const struct store_sqlite_row *row,
                             enum history_kind kind,
                             uint64_t epoch,
                             struct bytes detail)
{
    uint8_t id[ID_BYTES];
    id_to_bytes(row->row.id, id);
    sqlite3_stmt *statement = store_sqlite_statement(self, STATEMENT_EVENT_ADD);
    uint64_t stream = row->row.part;
    store_file_bind_u64(statement, 1, stream << STORE_SQLITE_SEQ_BITS | row->event_seq);
    store_file_bind_u64(statement, 2, row->event_previous);
    store_file_bind_blob(statement, 3, bytes_of(id, ID_BYTES));
    store_file_bind_u64(statement, 4, kind);
    store_file_bind_u64(statement, 5, row->row.attempt);
    store_file_bind_u64(statement, 6, row->row.agent);
    store_file_bind_u64(statement, 7, epoch);
    store_file_bind_u64(statement, 8, (uint64_t) self->now_us);
    store_file_bind_blob(statement, 9, detail);
    return store_file_run(statement);
}
