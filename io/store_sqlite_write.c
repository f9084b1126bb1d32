#include "io/store_sqlite.h"

#include <stdio.h>
#include <string.h>

#include "lib/check.h"

/* Requests of one transaction that may be left out; more are a damaged file or a fault of ours. */
#define SPOILED_MAX 8U

/* One transaction: BEGIN IMMEDIATE, each request proved and done in its order, COMMIT; and what
 * becomes of all of them when SQLite fails. A guard or a constraint that says no is an answer of
 * that request alone; only the disk or the file can end the transaction for everybody.
 */

int store_sqlite_write_begin(struct store_sqlite *self)
{
    int64_t now_us = self->clock_us(self->context);
    self->now_us = now_us > self->now_us ? now_us : self->now_us;
    self->turn++;
    self->undo_count = 0;
    self->tickets_added = 0;
    store_keys_expire(self->keys, self->now_us);
    return store_file_run(store_sqlite_statement(self, STATEMENT_BEGIN));
}

void store_sqlite_write_rollback(struct store_sqlite *self)
{
    /* Some errors have rolled back already. */
    if (sqlite3_get_autocommit(self->file.db) == 0) {
        (void) store_file_run(store_sqlite_statement(self, STATEMENT_ROLLBACK));
    }
    for (uint32_t i = self->undo_count; i-- > 0;) {
        store_keys_remove(self->keys, self->undo[i].fingerprint, self->undo[i].serial);
    }
    self->undo_count = 0;
    self->tickets_added = 0;
    self->next_serial = 0;
    for (uint32_t i = 0; i < STORE_SQLITE_STREAMS; i++) {
        self->next_seq[i] = 0;
    }
}

static int read_fence(struct store_sqlite *self, uint32_t part)
{
    sqlite3_stmt *statement = store_sqlite_statement(self, STATEMENT_FENCE);
    store_file_bind_u64(statement, 1, part);
    int code = store_file_step(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        return code;
    }
    self->fence_epoch[part] = code == SQLITE_ROW ? store_file_u64(statement, 0) : 0;
    self->fence_turn[part] = self->turn;
    return sqlite3_reset(statement);
}

/* The epoch is read once a transaction and partition, before the first request that needs it; no
 * claim runs in the same transaction, so it holds for all of them. */
static int fenced_move(struct store_sqlite *self, const struct store_item *item)
{
    uint32_t part = item->request->part;
    CHECK(part < STORE_SQLITE_STREAMS);
    if (self->fence_turn[part] != self->turn) {
        int code = read_fence(self, part);
        if (code != SQLITE_OK) {
            return code;
        }
    }
    if (self->fence_epoch[part] != item->request->epoch) {
        item->result->status = STORE_FENCED;
        return SQLITE_OK;
    }
    return store_sqlite_move(self, item);
}

static int claim(struct store_sqlite *self, const struct store_item *item)
{
    const struct store_request *request = item->request;
    CHECK(request->part < STORE_SQLITE_STREAMS);
    sqlite3_stmt *statement = store_sqlite_statement(self, STATEMENT_FENCE);
    store_file_bind_u64(statement, 1, request->part);
    int code = store_file_step(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        return code;
    }
    uint64_t epoch = code == SQLITE_ROW ? store_file_u64(statement, 0) : 0;
    bool is_mine = code == SQLITE_ROW && epoch == request->epoch &&
                   bytes_equal(store_file_column(statement, 1), request->claim.owner);
    (void) sqlite3_reset(statement);
    if (is_mine || request->epoch <= epoch) {
        item->result->status = is_mine ? STORE_DONE : STORE_FENCED;
        return SQLITE_OK;
    }

    statement = store_sqlite_statement(self, STATEMENT_CLAIM);
    store_file_bind_u64(statement, 1, request->part);
    store_file_bind_u64(statement, 2, request->epoch);
    store_file_bind_text(statement, 3, request->claim.owner);
    store_file_bind_u64(statement, 4, (uint64_t) self->now_us);
    item->result->status = STORE_DONE;
    return store_file_run(statement);
}

static int dispatch(struct store_sqlite *self, const struct store_item *item)
{
    switch (item->request->kind) {
    case STORE_SUBMIT:
        return store_sqlite_submit(self, item);
    case STORE_MESSAGE:
        return store_sqlite_submit_message(self, item);
    case STORE_SITE:
        return store_sqlite_names_site(self, item);
    case STORE_CLAIM:
        return claim(self, item);
    case STORE_DUE:
    case STORE_ASSIGN:
    case STORE_COMPLETE:
    case STORE_PARK:
    case STORE_REQUEUE:
    case STORE_CANCEL:
    case STORE_DEAD:
    case STORE_NOTE:
        return fenced_move(self, item);
    case STORE_JOURNAL_PUT:
    case STORE_JOURNAL_DROP:
        break; /* agentd's own file takes these */
    }
    item->result->status = STORE_FAILED;
    return SQLITE_OK;
}

static void answer_all(const struct store_item *items, uint32_t count, enum store_status status)
{
    for (uint32_t i = 0; i < count; i++) {
        *items[i].result = (struct store_result){.status = status};
    }
}

static void report(struct store_sqlite *self, int code)
{
    bool is_failing = code != SQLITE_OK;
    if (is_failing == self->is_failing) {
        return;
    }
    self->is_failing = is_failing;
    if (is_failing) {
        self->log(self->context, TRACE_ERROR, "store.failed", sqlite3_errstr(code));
    } else {
        self->log(self->context, TRACE_INFO, "store.recovered", "transactions commit again");
    }
}

/* A COMMIT that failed may still be found in the WAL after a crash, unless there was no room to
 * write it down or nothing to write. */
static enum store_status commit_failure(int code, bool has_changes)
{
    if ((code & 0xFF) == SQLITE_FULL) {
        return STORE_FULL;
    }
    return has_changes ? STORE_UNCERTAIN : STORE_FAILED;
}

static void add_figures(struct store_sqlite *self, struct store_outcome *outcome)
{
    sqlite3_file *file = NULL;
    sqlite3_int64 file_bytes = 0;
    (void) sqlite3_file_control(self->file.db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (file != NULL && file->pMethods != NULL) {
        (void) file->pMethods->xFileSize(file, &file_bytes);
    }
    outcome->tickets = self->tickets;
    outcome->keys = store_keys_count(self->keys);
    outcome->file_bytes = (uint64_t) file_bytes;
    outcome->syncs = store_vfs_syncs(self->file.vfs);
}

/* What SQLite says of one statement's values, not of the file or the disk: the request that met it
 * can never be written, and must not keep the others from it. */
static bool is_of_one_request(int code)
{
    int primary = code & 0xFF;
    return primary == SQLITE_CONSTRAINT || primary == SQLITE_MISMATCH || primary == SQLITE_TOOBIG ||
           primary == SQLITE_RANGE || primary == SQLITE_ERROR || primary == SQLITE_MISUSE;
}

static void report_spoiled(struct store_sqlite *self, const struct store_item *item)
{
    char detail[160];
    (void) snprintf(detail,
                    sizeof detail,
                    "a request of kind %d for partition %u was left out: %s",
                    (int) item->request->kind,
                    item->request->part,
                    sqlite3_errmsg(self->file.db));
    self->log(self->context, TRACE_ERROR, "store.request_failed", detail);
}

/* Does all requests that are not spoiled; *reached is the one that failed, or `count`. */
static int
do_all(struct store_sqlite *self, const struct store_item *items, uint32_t count, uint32_t *reached)
{
    int code = store_sqlite_write_begin(self);
    uint32_t i = 0;
    while (code == SQLITE_OK && i < count) {
        if (!self->is_spoiled[i]) {
            code = dispatch(self, &items[i]);
        }
        i += code == SQLITE_OK ? 1 : 0;
    }
    *reached = i;
    return code;
}

/* The same again without the request that cannot be written, a few times at most. */
static int
do_without_spoiled(struct store_sqlite *self, const struct store_item *items, uint32_t count)
{
    uint32_t reached = 0;
    memset(self->is_spoiled, 0, count * sizeof self->is_spoiled[0]);
    int code = do_all(self, items, count, &reached);
    for (uint32_t i = 0; i < SPOILED_MAX && reached < count && is_of_one_request(code); i++) {
        report_spoiled(self, &items[reached]);
        store_sqlite_write_rollback(self);
        self->is_spoiled[reached] = true;
        for (uint32_t k = 0; k < count; k++) {
            *items[k].result =
                (struct store_result){.status = self->is_spoiled[k] ? STORE_FAILED : STORE_DONE};
        }
        code = do_all(self, items, count, &reached);
    }
    return code;
}

void store_sqlite_write(void *context,
                        const struct store_item *items,
                        uint32_t count,
                        struct store_outcome *outcome)
{
    struct store_sqlite *self = context;
    CHECK(count <= STORE_ITEMS_MAX);
    sqlite3_int64 changes_before = sqlite3_total_changes64(self->file.db);
    enum store_status failure = STORE_FAILED;
    int code = do_without_spoiled(self, items, count);
    bool has_changes = sqlite3_total_changes64(self->file.db) != changes_before;
    if (code == SQLITE_OK) {
        code = store_file_run(store_sqlite_statement(self, STATEMENT_COMMIT));
        failure = commit_failure(code, has_changes);
    } else if ((code & 0xFF) == SQLITE_FULL) {
        failure = STORE_FULL;
    }

    report(self, code);
    if (code == SQLITE_OK) {
        self->tickets += self->tickets_added;
        outcome->wrote = has_changes;
    } else {
        store_sqlite_write_rollback(self);
        answer_all(items, count, failure);
        outcome->has_failed = true;
    }
    add_figures(self, outcome);
}
