#include "io/store_sqlite.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "lib/check.h"

/* Opens the SQLite store: the file, the statements, and what is kept in memory of it. */

#define KEYS_MAX_DEFAULT (8U << 20)
#define KEY_LIFE_US_DEFAULT (INT64_C(7) * 24 * 3600 * 1000000)

static void no_log(void *context, enum trace_level level, const char *event, const char *detail)
{
    (void) context;
    (void) level;
    (void) event;
    (void) detail;
}

static int64_t wall_clock_us(void *context)
{
    (void) context;
    struct timespec now;
    CHECK(clock_gettime(CLOCK_REALTIME, &now) == 0);
    return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* The clock must not fall behind what stands in the file. */
static int read_last_times(struct store_sqlite *self)
{
    sqlite3_stmt *statement = store_sqlite_statement(self, STATEMENT_EVENT_LAST);
    uint64_t below = (uint64_t) STORE_SQLITE_STREAMS << STORE_SQLITE_SEQ_BITS;
    int code = SQLITE_ROW;
    while (code == SQLITE_ROW && below > 0) {
        store_file_bind_u64(statement, 1, below);
        code = store_file_step(statement);
        if (code != SQLITE_ROW) {
            break;
        }
        int64_t at_us = (int64_t) store_file_u64(statement, 1);
        self->now_us = at_us > self->now_us ? at_us : self->now_us;
        uint64_t stream = store_file_u64(statement, 0) >> STORE_SQLITE_SEQ_BITS;
        below = stream << STORE_SQLITE_SEQ_BITS;
        (void) sqlite3_reset(statement);
    }
    return code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
}

/* Creation times rise with serials, so the first serial young enough is found by halving. */
static int first_young_serial(struct store_sqlite *self, uint64_t last, uint64_t *out)
{
    sqlite3_stmt *statement = store_sqlite_statement(self, STATEMENT_PAYLOAD_FROM);
    int64_t oldest_us = self->now_us - self->key_life_us;
    uint64_t low = 1;
    uint64_t high = last + 1U;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2U;
        store_file_bind_u64(statement, 1, middle);
        int code = store_file_step(statement);
        if (code != SQLITE_ROW && code != SQLITE_DONE) {
            return code;
        }
        if (code == SQLITE_DONE || (int64_t) store_file_u64(statement, 1) > oldest_us) {
            high = middle;
        } else {
            low = middle + 1U;
        }
        (void) sqlite3_reset(statement);
    }
    *out = low;
    return SQLITE_OK;
}

static int read_keys(struct store_sqlite *self, uint64_t from, uint64_t keys_max)
{
    sqlite3_stmt *statement = store_sqlite_statement(self, STATEMENT_PAYLOAD_FROM);
    store_file_bind_u64(statement, 1, from);
    int code = SQLITE_OK;
    uint64_t count = 0;
    while ((code = store_file_step(statement)) == SQLITE_ROW && count < keys_max) {
        uint64_t fingerprint = store_keys_fingerprint(
            self->keys, store_file_column(statement, 2), store_file_column(statement, 3));
        int64_t created_us = (int64_t) store_file_u64(statement, 1);
        if (store_keys_add(self->keys, fingerprint, store_file_u64(statement, 0), created_us) !=
            VT_OK) {
            break;
        }
        count++;
    }
    (void) sqlite3_reset(statement);
    return code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
}

/* Where there are more young keys than the table holds, the newest are kept. */
static int rebuild_keys(struct store_sqlite *self, uint32_t keys_max)
{
    uint64_t from = 1;
    int code = first_young_serial(self, self->tickets, &from);
    if (code != SQLITE_OK) {
        return code;
    }
    uint64_t young = self->tickets + 1U - from;
    if (young > keys_max) {
        char text[128];
        (void) snprintf(text,
                        sizeof text,
                        "%" PRIu64 " keys of submitters do not fit; their repeats make new tickets",
                        young - keys_max);
        self->log(self->context, TRACE_WARN, "store.keys_forgotten", text);
        from += young - keys_max;
    }
    return read_keys(self, from, keys_max);
}

static int read_numbers(struct store_sqlite *self, struct store_backend *backend)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(self->file.db,
                                  "SELECT gen, (SELECT coalesce(max(epoch), 0) FROM vt_partition),"
                                  " (SELECT coalesce(max(serial), 0) FROM vt_payload)"
                                  " FROM vt_meta",
                                  -1,
                                  &statement,
                                  NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
    }
    if (code == SQLITE_ROW) {
        backend->generation = store_file_u64(statement, 0);
        backend->epoch_max = store_file_u64(statement, 1);
        self->tickets = store_file_u64(statement, 2); /* serials have no gaps */
        code = SQLITE_OK;
    }
    (void) sqlite3_finalize(statement);
    return code;
}

static void close_sqlite(void *context)
{
    struct store_sqlite *self = context;
    store_file_finalize(self->statements, STATEMENT_COUNT);
    store_file_close(&self->file);
    store_keys_close(self->keys);
    free(self);
}

static vt_err fill_memory(struct store_sqlite *self,
                          const struct store_options *options,
                          struct store_backend *backend)
{
    uint32_t keys_max = options->keys_max == 0 ? KEYS_MAX_DEFAULT : options->keys_max;
    uint64_t seed = 0;
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t) sizeof seed) {
        return VT_UNAVAILABLE;
    }
    self->key_life_us = options->key_life_us == 0 ? KEY_LIFE_US_DEFAULT : options->key_life_us;
    self->keys = store_keys_open(keys_max, self->key_life_us, seed);
    self->now_us = self->clock_us(self->context);

    vt_err error = store_file_prepare(
        &self->file, store_sqlite_schema_statements, self->statements, STATEMENT_COUNT);
    int code = error == VT_OK ? read_numbers(self, backend) : SQLITE_ERROR;
    if (code == SQLITE_OK) {
        code = read_last_times(self);
    }
    if (code == SQLITE_OK) {
        code = rebuild_keys(self, keys_max);
    }
    return code == SQLITE_OK ? VT_OK : store_file_error(code);
}

vt_err store_open_sqlite(const struct store_options *options,
                         struct store **out,
                         char *message,
                         uint32_t message_size)
{
    struct store_sqlite *self = calloc(1, sizeof *self);
    CHECK(self != NULL);
    self->clock_us = options->clock_us == NULL ? wall_clock_us : options->clock_us;
    self->log = options->log == NULL ? no_log : options->log;
    self->context = options->context;
    vt_err error =
        store_file_open(&self->file, &store_sqlite_schema, options, message, message_size);
    struct store_backend backend = {
        .self = self,
        .write = store_sqlite_write,
        .load = store_sqlite_load,
        .intern = store_sqlite_names_intern,
        .close = close_sqlite,
    };
    if (error == VT_OK) {
        error = fill_memory(self, options, &backend);
        if (error != VT_OK) {
            (void) snprintf(message,
                            message_size,
                            "%s/%s: cannot be read: %s; restore a backup or choose another folder",
                            options->folder,
                            store_sqlite_schema.file_name,
                            sqlite3_errmsg(self->file.db));
        }
    }
    if (error != VT_OK) {
        close_sqlite(self);
        return error;
    }

    backend.first.tickets = self->tickets;
    backend.first.keys = store_keys_count(self->keys);
    return store_start(&backend, options->ports_max, out);
}
