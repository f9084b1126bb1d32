#include "io/store_file.h"
#include "lib/check.h"

/* The part of store_file.h that deals with statements. */

vt_err store_file_prepare(struct store_file *file,
                          const char *const *texts,
                          sqlite3_stmt **statements,
                          uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        int code = sqlite3_prepare_v3(
            file->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &statements[i], NULL);
        if (code != SQLITE_OK) {
            return VT_UNAVAILABLE;
        }
    }
    return VT_OK;
}

void store_file_finalize(sqlite3_stmt **statements, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        (void) sqlite3_finalize(statements[i]);
        statements[i] = NULL;
    }
}

int store_file_run(sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);
    (void) sqlite3_reset(statement); /* says the same again */
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

int store_file_step(sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);
    if (code != SQLITE_ROW) {
        (void) sqlite3_reset(statement);
    }
    return code;
}

/* Only memory can be short here, and what is not bound is NULL, which every column refuses. */
void store_file_bind_blob(sqlite3_stmt *statement, int index, struct bytes bytes)
{
    const void *data = bytes.size == 0 ? "" : (const void *) bytes.data;
    CHECK(sqlite3_bind_blob(statement, index, data, (int) bytes.size, SQLITE_STATIC) == SQLITE_OK);
}

void store_file_bind_text(sqlite3_stmt *statement, int index, struct bytes text)
{
    const char *data = text.size == 0 ? "" : (const char *) text.data;
    CHECK(sqlite3_bind_text(statement, index, data, (int) text.size, SQLITE_STATIC) == SQLITE_OK);
}

/* SQLite's integers have a sign; the pattern of bits comes back as it was. */
void store_file_bind_u64(sqlite3_stmt *statement, int index, uint64_t number)
{
    CHECK(sqlite3_bind_int64(statement, index, (sqlite3_int64) number) == SQLITE_OK);
}

struct bytes store_file_column(sqlite3_stmt *statement, int index)
{
    const void *data = sqlite3_column_blob(statement, index);
    int size = sqlite3_column_bytes(statement, index);
    return size > 0 ? bytes_of(data, (uint32_t) size) : (struct bytes){0};
}

uint32_t store_file_u32(sqlite3_stmt *statement, int index)
{
    return (uint32_t) sqlite3_column_int64(statement, index);
}

uint64_t store_file_u64(sqlite3_stmt *statement, int index)
{
    return (uint64_t) sqlite3_column_int64(statement, index);
}

vt_err store_file_error(int code)
{
    int primary = code & 0xFF;
    if (primary == SQLITE_FULL) {
        return VT_FULL;
    }
    return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB ? VT_CORRUPT : VT_UNAVAILABLE;
}
