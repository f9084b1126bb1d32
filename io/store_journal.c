#include <stdlib.h>
#include <time.h>

#include "io/store_backend.h"
#include "io/store_file.h"
#include "lib/check.h"

/* agentd's journal: one narrow table in a file of its own, under the same thread and the same
 * promises as the store. A group that fails is answered as a whole and may be written again, since
 * both of its requests say what is to be, not what to change.
 */

static const char version_1[] =
    "CREATE TABLE vt_meta(id INTEGER PRIMARY KEY CHECK (id = 1), schema_version INTEGER NOT NULL);"
    "INSERT INTO vt_meta VALUES(1, 1);"
    "CREATE TABLE vt_journal(kind INTEGER NOT NULL, a INTEGER NOT NULL, b INTEGER NOT NULL,"
    "  value BLOB NOT NULL, PRIMARY KEY(kind, a, b)) WITHOUT ROWID;";

static const char *const upgrades[] = {version_1};

static const struct store_file_schema journal_schema = {
    .file_name = "journal.db",
    .lock_name = "journal.lock",
    .application_id = 0x5654414a, /* VTAJ */
    .version = sizeof upgrades / sizeof upgrades[0],
    .checkpoint_pages = 250,
    .upgrade = upgrades,
};

enum journal_statement {
    JOURNAL_BEGIN,
    JOURNAL_COMMIT,
    JOURNAL_ROLLBACK,
    JOURNAL_PUT,
    JOURNAL_DROP,
    JOURNAL_LOAD,
    JOURNAL_STATEMENT_COUNT
};

/* Numbers are ordered as SQLite sees them, with a sign; the order is total, and that is all that
 * paging wants. */
static const char *const statement_texts[JOURNAL_STATEMENT_COUNT] = {
    [JOURNAL_BEGIN] = "BEGIN IMMEDIATE",
    [JOURNAL_COMMIT] = "COMMIT",
    [JOURNAL_ROLLBACK] = "ROLLBACK",
    [JOURNAL_PUT] = "INSERT OR REPLACE INTO vt_journal VALUES(?1, ?2, ?3, ?4)",
    [JOURNAL_DROP] = "DELETE FROM vt_journal WHERE kind = ?1 AND a = ?2 AND b = ?3",
    [JOURNAL_LOAD] = ("SELECT kind, a, b, value FROM vt_journal WHERE (kind, a, b) > (?1, ?2, ?3)"
                      " ORDER BY kind, a, b LIMIT ?4"),
};

struct journal {
    struct store_file file;
    sqlite3_stmt *statements[JOURNAL_STATEMENT_COUNT];
    int64_t (*clock_us)(void *context);
    void *context;
};

static int write_one(struct journal *journal, const struct store_item *item)
{
    bool is_put = item->request->kind == STORE_JOURNAL_PUT;
    if (!is_put && item->request->kind != STORE_JOURNAL_DROP) {
        item->result->status = STORE_FAILED;
        return SQLITE_OK;
    }
    const struct journal_entry *entry = &item->request->journal;
    sqlite3_stmt *statement = journal->statements[is_put ? JOURNAL_PUT : JOURNAL_DROP];
    store_file_bind_u64(statement, 1, entry->kind);
    store_file_bind_u64(statement, 2, entry->a);
    store_file_bind_u64(statement, 3, entry->b);
    if (is_put) {
        store_file_bind_blob(statement, 4, entry->value);
    }
    return store_file_run(statement);
}

static void journal_write(void *context,
                          const struct store_item *items,
                          uint32_t count,
                          struct store_outcome *outcome)
{
    struct journal *journal = context;
    int code = store_file_run(journal->statements[JOURNAL_BEGIN]);
    for (uint32_t i = 0; i < count && code == SQLITE_OK; i++) {
        code = write_one(journal, &items[i]);
    }
    bool was_written = code == SQLITE_OK;
    if (was_written) {
        code = store_file_run(journal->statements[JOURNAL_COMMIT]);
    }
    if (code == SQLITE_OK) {
        outcome->wrote = true;
        return;
    }

    if (sqlite3_get_autocommit(journal->file.db) == 0) {
        (void) store_file_run(journal->statements[JOURNAL_ROLLBACK]);
    }
    enum store_status failure = was_written ? STORE_UNCERTAIN : STORE_FAILED;
    if ((code & 0xFF) == SQLITE_FULL) {
        failure = STORE_FULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        items[i].result->status = failure;
    }
    outcome->has_failed = true;
}

static int read_page(struct journal *journal,
                     const struct load_request *request,
                     struct load_page *page,
                     struct store_memory *memory)
{
    const struct journal_entry *after = &request->after_journal;
    sqlite3_stmt *statement = journal->statements[JOURNAL_LOAD];
    struct journal_entry *entries =
        store_memory_take(memory, (uint64_t) request->rows_max * sizeof *entries);
    store_file_bind_u64(statement, 1, request->from_start ? 0 : after->kind);
    store_file_bind_u64(statement, 2, request->from_start ? 0 : after->a);
    store_file_bind_u64(statement, 3, request->from_start ? 0 : after->b);
    store_file_bind_u64(statement, 4, request->rows_max + 1U);
    page->journal = entries;
    int code = SQLITE_OK;
    while ((code = store_file_step(statement)) == SQLITE_ROW) {
        if (page->journal_count == request->rows_max) {
            page->has_more = true;
            return sqlite3_reset(statement);
        }
        struct bytes value = store_file_column(statement, 3);
        entries[page->journal_count++] = (struct journal_entry){
            .kind = (enum journal_kind) store_file_u32(statement, 0),
            .a = store_file_u64(statement, 1),
            .b = store_file_u64(statement, 2),
            .value = store_memory_copy(memory, value.data, value.size),
        };
    }
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static vt_err journal_load(void *context,
                           const struct load_request *request,
                           struct load_page *page,
                           struct store_memory *memory)
{
    struct journal *journal = context;
    if (request->kind != LOAD_JOURNAL) {
        return VT_INVALID;
    }
    CHECK(request->rows_max >= 1);
    CHECK(request->rows_max <= LOAD_ROWS_MAX);
    if (journal->clock_us != NULL) {
        page->store_now_us = journal->clock_us(journal->context);
    }
    return read_page(journal, request, page, memory) == SQLITE_OK ? VT_OK : VT_UNAVAILABLE;
}

static vt_err
journal_intern(void *context, enum store_names kind, struct store_name *names, uint32_t count)
{
    (void) context;
    (void) kind;
    (void) names;
    (void) count;
    return VT_UNAVAILABLE; /* a journal knows no pools and queues */
}

static void journal_close(void *context)
{
    struct journal *journal = context;
    store_file_finalize(journal->statements, JOURNAL_STATEMENT_COUNT);
    store_file_close(&journal->file);
    free(journal);
}

/* Entries are few and small: at most one a slot and one a partition. */
#define JOURNAL_CACHE_BYTES (UINT64_C(4) << 20)

vt_err store_open_journal(const struct store_options *options,
                          struct store **out,
                          char *message,
                          uint32_t message_size)
{
    struct journal *journal = calloc(1, sizeof *journal);
    CHECK(journal != NULL);
    struct store_options small = *options;
    small.cache_bytes = options->cache_bytes == 0 ? JOURNAL_CACHE_BYTES : options->cache_bytes;
    journal->clock_us = options->clock_us;
    journal->context = options->context;
    vt_err error = store_file_open(&journal->file, &journal_schema, &small, message, message_size);
    if (error == VT_OK) {
        error = store_file_prepare(
            &journal->file, statement_texts, journal->statements, JOURNAL_STATEMENT_COUNT);
    }
    if (error != VT_OK) {
        journal_close(journal);
        return error;
    }
    struct store_backend backend = {
        .self = journal,
        .write = journal_write,
        .load = journal_load,
        .intern = journal_intern,
        .close = journal_close,
    };
    return store_start(&backend, options->ports_max, out);
}
