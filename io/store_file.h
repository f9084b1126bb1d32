#ifndef IO_STORE_FILE_H
#define IO_STORE_FILE_H

/* One SQLite file of ours: its folder, its lock, its settings, its schema; and the few helpers that
 * every user of SQLite's statements wants.
 */

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "io/store.h"
#include "io/store_vfs.h"
#include "lib/bytes.h"

struct store_file {
    sqlite3 *db;
    struct store_vfs *vfs;
    int lock_fd; /* held while the file is open; -1: none */
};

struct store_file_schema {
    const char *file_name;  /* in the folder */
    const char *lock_name;  /* likewise; holds the owner's pid */
    int32_t application_id; /* stands in the file's header */
    uint32_t version;       /* what this program writes */
    /* The WAL is copied into the file when it has this many pages: a page that is written again and
     * again is then copied once. */
    uint32_t checkpoint_pages;
    const char *const *upgrade; /* [i]: SQL from version i to i + 1; `version` of them */
};

/* Errors and message as store_open_sqlite(). */
VT_MUST_USE vt_err store_file_open(struct store_file *file,
                                   const struct store_file_schema *schema,
                                   const struct store_options *options,
                                   char *message,
                                   uint32_t message_size);
void store_file_close(struct store_file *file);

/* VT_UNAVAILABLE on the first text that does not compile or run. */
VT_MUST_USE vt_err store_file_prepare(struct store_file *file,
                                      const char *const *texts,
                                      sqlite3_stmt **statements,
                                      uint32_t count);
void store_file_finalize(sqlite3_stmt **statements, uint32_t count);

/* Steps a statement that gives no rows, and resets it. SQLITE_OK or the error. */
int store_file_run(sqlite3_stmt *statement);

/* Steps and keeps the row: SQLITE_ROW, or after a reset SQLITE_DONE or the error. */
int store_file_step(sqlite3_stmt *statement);

/* The bytes must stay until the statement was run. */
void store_file_bind_blob(sqlite3_stmt *statement, int index, struct bytes bytes);
void store_file_bind_text(sqlite3_stmt *statement, int index, struct bytes text);
void store_file_bind_u64(sqlite3_stmt *statement, int index, uint64_t number);

/* A view until the statement is stepped or reset. */
struct bytes store_file_column(sqlite3_stmt *statement, int index);
uint32_t store_file_u32(sqlite3_stmt *statement, int index);
uint64_t store_file_u64(sqlite3_stmt *statement, int index);

/* A code that is not SQLITE_OK as what it means to a caller. */
vt_err store_file_error(int code);

#endif
