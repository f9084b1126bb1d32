#include "io/store_sqlite.h"

/* Rows of vt_ticket, in and out. Columns stand in the order of TICKET_COLUMNS. */

void store_sqlite_row_read(sqlite3_stmt *statement,
                           struct store_memory *memory,
                           struct store_sqlite_row *out)
{
    struct bytes id = store_file_column(statement, 0);
    struct bytes requirements = store_file_column(statement, 17);
    *out = (struct store_sqlite_row){
        .row =
            {
                .id = id.size == ID_BYTES ? id_from_bytes(id.data) : (struct ticket_id){0},
                .part = store_file_u32(statement, 1),
                .queue = store_file_u32(statement, 2),
                .priority = store_file_u32(statement, 3),
                .state = (enum ticket_state) store_file_u32(statement, 4),
                .attempt = store_file_u32(statement, 5),
                .fails = store_file_u32(statement, 6),
                .agent = store_file_u32(statement, 7),
                .site = store_file_u32(statement, 8),
                .msgs = store_file_u32(statement, 9),
                .rev = store_file_u32(statement, 10),
                .person_requested = store_file_u32(statement, 11) != 0,
                .created_us = (int64_t) store_file_u64(statement, 12),
                .queued_us = (int64_t) store_file_u64(statement, 13),
                .due_us = (int64_t) store_file_u64(statement, 14),
                .requirements = store_memory_copy(memory, requirements.data, requirements.size),
            },
        .serial = store_file_u64(statement, 15),
        .event_seq = store_file_u64(statement, 16),
    };
}

int store_sqlite_row_find(struct store_sqlite *self,
                          struct ticket_id id,
                          struct store_memory *memory,
                          struct store_sqlite_row *row)
{
    uint8_t bytes[ID_BYTES];
    id_to_bytes(id, bytes);
    sqlite3_stmt *statement = store_sqlite_statement(self, STATEMENT_TICKET_FIND);
    store_file_bind_blob(statement, 1, bytes_of(bytes, ID_BYTES));
    int code = store_file_step(statement);
    if (code != SQLITE_ROW) {
        return code == SQLITE_DONE ? SQLITE_NOTFOUND : code;
    }
    store_sqlite_row_read(statement, memory, row);
    return sqlite3_reset(statement);
}

int store_sqlite_row_add(struct store_sqlite *self, const struct store_sqlite_row *added)
{
    const struct ticket_row *row = &added->row;
    uint8_t id[ID_BYTES];
    id_to_bytes(row->id, id);
    sqlite3_stmt *statement = store_sqlite_statement(self, STATEMENT_TICKET_ADD);
    store_file_bind_blob(statement, 1, bytes_of(id, ID_BYTES));
    store_file_bind_u64(statement, 2, row->part);
    store_file_bind_u64(statement, 3, row->queue);
    store_file_bind_u64(statement, 4, row->priority);
    store_file_bind_u64(statement, 5, row->state);
    store_file_bind_u64(statement, 6, row->attempt);
    store_file_bind_u64(statement, 7, row->fails);
    store_file_bind_u64(statement, 8, row->agent);
    store_file_bind_u64(statement, 9, row->site);
    store_file_bind_u64(statement, 10, row->msgs);
    store_file_bind_u64(statement, 11, row->rev);
    store_file_bind_u64(statement, 12, row->person_requested ? 1U : 0U);
    store_file_bind_u64(statement, 13, (uint64_t) row->created_us);
    store_file_bind_u64(statement, 14, (uint64_t) row->queued_us);
    store_file_bind_u64(statement, 15, (uint64_t) row->due_us);
    store_file_bind_u64(statement, 16, added->serial);
    store_file_bind_u64(statement, 17, added->event_seq);
    store_file_bind_blob(statement, 18, row->requirements);
    return store_file_run(statement);
}

int store_sqlite_row_write(struct store_sqlite *self, const struct store_sqlite_row *moved)
{
    const struct ticket_row *row = &moved->row;
    uint8_t id[ID_BYTES];
    id_to_bytes(row->id, id);
    sqlite3_stmt *statement = store_sqlite_statement(self, STATEMENT_TICKET_MOVE);
    store_file_bind_blob(statement, 1, bytes_of(id, ID_BYTES));
    store_file_bind_u64(statement, 2, row->state);
    store_file_bind_u64(statement, 3, row->attempt);
    store_file_bind_u64(statement, 4, row->fails);
    store_file_bind_u64(statement, 5, row->agent);
    store_file_bind_u64(statement, 6, row->site);
    store_file_bind_u64(statement, 7, row->msgs);
    store_file_bind_u64(statement, 8, row->rev);
    store_file_bind_u64(statement, 9, row->person_requested ? 1U : 0U);
    store_file_bind_u64(statement, 10, (uint64_t) row->queued_us);
    store_file_bind_u64(statement, 11, moved->event_seq);
    return store_file_run(statement);
}
