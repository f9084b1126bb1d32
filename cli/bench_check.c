#include "cli/bench_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "cli/bench_server.h"
#include "cli/cli.h"

struct check {
    sqlite3 *file;
    struct ticket_id *ids; /* acknowledged, sorted */
    uint8_t *completions;  /* of each, 255 at most */
    uint64_t count;
    uint64_t found;
    uint64_t rows;
    uint64_t done;
    uint64_t repeated; /* completions after the first */
};

static int compare_ids(const void *a, const void *b)
{
    const struct ticket_id *x = a;
    const struct ticket_id *y = b;
    if (x->hi != y->hi) {
        return x->hi < y->hi ? -1 : 1;
    }
    return (x->lo > y->lo) - (x->lo < y->lo);
}

static uint64_t read_word(const uint8_t *bytes)
{
    uint64_t word = 0;
    for (uint32_t i = 0; i < 8; i++) {
        word = word << 8 | bytes[i];
    }
    return word;
}

static struct ticket_id *look_up(const struct check *check, sqlite3_stmt *row)
{
    const uint8_t *bytes = sqlite3_column_blob(row, 0);
    if (bytes == NULL || sqlite3_column_bytes(row, 0) != (int) ID_BYTES) {
        return NULL;
    }
    struct ticket_id id = {.hi = read_word(bytes), .lo = read_word(bytes + 8)};
    return bsearch(&id, check->ids, check->count, sizeof id, compare_ids);
}

static void take_ticket(struct check *check, sqlite3_stmt *row)
{
    check->rows++;
    check->found += look_up(check, row) != NULL ? 1u : 0u;
    check->done += sqlite3_column_int(row, 1) == TICKET_DONE ? 1u : 0u;
}

static void take_completion(struct check *check, sqlite3_stmt *row)
{
    const struct ticket_id *id = look_up(check, row);
    if (id == NULL) {
        return;
    }
    uint8_t *count = &check->completions[id - check->ids];
    check->repeated += *count > 0 ? 1u : 0u;
    *count = *count < UINT8_MAX ? (uint8_t) (*count + 1u) : *count;
}

static vt_err
walk(struct check *check, const char *sql, void (*take)(struct check *, sqlite3_stmt *))
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(check->file, sql, -1, &statement, NULL);
    if (code == SQLITE_OK) {
        while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
            take(check, statement);
        }
    }
    sqlite3_finalize(statement);
    if (code != SQLITE_DONE) {
        cli_error("the store cannot be read: %s", sqlite3_errmsg(check->file));
        return VT_UNAVAILABLE;
    }
    return VT_OK;
}

static vt_err read_store(struct check *check, const char *folder)
{
    char path[BENCH_SERVER_PATH_BYTES + 32];
    snprintf(path, sizeof path, "%s/data/ventanilla.db", folder);
    if (sqlite3_open_v2(path, &check->file, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK) {
        cli_error("%s cannot be read: %s", path, sqlite3_errmsg(check->file));
        return VT_UNAVAILABLE;
    }
    vt_err err = walk(check, "SELECT id, state FROM vt_ticket", take_ticket);
    if (err == VT_OK && check->done > 0) {
        err = walk(check, "SELECT ticket FROM vt_event WHERE kind = 4", take_completion);
    }
    return err;
}

static vt_err collect(struct check *check, const struct bench_submitter *submitter)
{
    uint64_t sent = bench_submitter_figures(submitter)->sent;
    check->ids = calloc(sent + 1, sizeof *check->ids);
    check->completions = calloc(sent + 1, 1);
    if (check->ids == NULL || check->completions == NULL) {
        return VT_UNAVAILABLE;
    }
    for (uint64_t i = 0; i < sent; i++) {
        check->count += bench_submitter_ticket(submitter, i, &check->ids[check->count]) ? 1u : 0u;
    }
    qsort(check->ids, check->count, sizeof *check->ids, compare_ids);
    return VT_OK;
}

static uint64_t above(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

vt_err
bench_check_store(const char *folder, const struct bench_check_told *told, struct bench_check *sums)
{
    struct check check = {0};
    vt_err err = collect(&check, told->submitter);
    if (err == VT_OK) {
        err = read_store(&check, folder);
    }
    if (err == VT_OK) {
        sums->acknowledged += check.count;
        sums->completed += told->completed;
        sums->lost += check.count - check.found + above(told->completed, check.done);
        /* Each key that was sent stands in one row at most. */
        uint64_t sent = bench_submitter_figures(told->submitter)->sent + told->tickets_extra;
        sums->doubled += above(check.rows, sent);
        sums->doubled += check.repeated;
        for (uint64_t i = 1; i < check.count; i++) { /* two keys that were told one ticket */
            sums->doubled += compare_ids(&check.ids[i - 1], &check.ids[i]) == 0 ? 1u : 0u;
        }
    }
    sqlite3_close(check.file);
    free(check.ids);
    free(check.completions);
    return err;
}
