#include "cli/demo_audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "cli/demo_replay.h"

#define PATH_BYTES 2304

/* What the store says of one of our keys. */
struct finding {
    struct ticket_id ticket;
    uint32_t rows; /* tickets with this key */
    uint32_t state;
    uint32_t attempt;
    uint32_t submitted; /* events of each kind */
    uint32_t assigned;
    uint32_t completed;
    uint32_t cancelled;
    uint32_t answers;
};

struct reader {
    const struct demo_board *board;
    sqlite3 *database;
    struct finding *findings; /* by number of ticket */
    char *error;
};

typedef void row_fn(struct finding *finding, sqlite3_stmt *row);

/* ---- reading ---- */

static void take_ticket(struct finding *finding, sqlite3_stmt *row)
{
    finding->rows++;
    finding->state = (uint32_t) sqlite3_column_int(row, 2);
    finding->attempt = (uint32_t) sqlite3_column_int(row, 3);
    if (sqlite3_column_bytes(row, 1) == (int) ID_BYTES) {
        finding->ticket = id_from_bytes(sqlite3_column_blob(row, 1));
    }
}

static void take_events(struct finding *finding, sqlite3_stmt *row)
{
    finding->submitted += (uint32_t) sqlite3_column_int(row, 1);
    finding->assigned += (uint32_t) sqlite3_column_int(row, 2);
    finding->completed += (uint32_t) sqlite3_column_int(row, 3);
    finding->cancelled += (uint32_t) sqlite3_column_int(row, 4);
}

static void take_answers(struct finding *finding, sqlite3_stmt *row)
{
    finding->answers += (uint32_t) sqlite3_column_int(row, 1);
}

static vt_err fail(struct reader *reader, const char *doing)
{
    snprintf(reader->error,
             DEMO_AUDIT_ERROR_BYTES,
             "%s: %s",
             doing,
             reader->database == NULL ? "out of memory" : sqlite3_errmsg(reader->database));
    return VT_CORRUPT;
}

/* Every row's first column is the submitter's key. */
static vt_err read_rows(struct reader *reader, const char *sql, row_fn *take)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(reader->database, sql, -1, &statement, NULL) != SQLITE_OK) {
        return fail(reader, "asking the store");
    }
    int code = SQLITE_OK;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        const void *key = sqlite3_column_blob(statement, 0);
        uint32_t size = (uint32_t) sqlite3_column_bytes(statement, 0);
        uint32_t number = demo_tickets_number(bytes_of(key, size));
        if (number < reader->board->tickets->count) {
            take(&reader->findings[number], statement);
        }
    }
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? VT_OK : fail(reader, "reading the store");
}

#define OURS " WHERE p.client = '" DEMO_REPLAY_CLIENT "'"

static vt_err read_store(struct reader *reader)
{
    vt_err err = read_rows(reader,
                           "SELECT p.idem_key, t.id, t.state, t.attempt FROM vt_ticket AS t"
                           " JOIN vt_payload AS p ON p.serial = t.serial AND p.ticket = t.id" OURS,
                           take_ticket);
    if (err == VT_OK) {
        err = read_rows(reader,
                        "SELECT p.idem_key, sum(e.kind = 1), sum(e.kind = 3), sum(e.kind = 4),"
                        " sum(e.kind = 8) FROM vt_event AS e JOIN vt_ticket AS t ON t.id = e.ticket"
                        " JOIN vt_payload AS p ON p.serial = t.serial" OURS " GROUP BY t.id",
                        take_events);
    }
    if (err == VT_OK) {
        err = read_rows(reader,
                        "SELECT p.idem_key, count(*) FROM vt_outbox AS o"
                        " JOIN vt_payload AS p ON p.serial = o.key >> 20" OURS " GROUP BY p.serial",
                        take_answers);
    }
    return err;
}

static vt_err open_store(struct reader *reader, const char *folder)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/ventanilla.db", folder);
    reader->findings = calloc(reader->board->tickets->count, sizeof *reader->findings);
    if (reader->findings == NULL) {
        return fail(reader, "reading the store");
    }
    if (sqlite3_open_v2(path, &reader->database, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) {
        return fail(reader, "opening the store");
    }
    sqlite3_busy_timeout(reader->database, 5000);
    return VT_OK;
}

/* ---- judging ---- */

enum judgement {
    JUDGED_DONE,
    JUDGED_CANCELLED,
    JUDGED_DEAD,
    JUDGED_OPEN,
    JUDGED_LOST,
    JUDGED_DOUBLED
};

/* A row that says DONE or CANCELLED must have come there by exactly the steps that lead there, and
 * whoever did it must know. */
static enum judgement
judge_row(const struct demo_board *board, const struct finding *finding, uint32_t number)
{
    bool is_told_done = atomic_load(&board->told[number]) == DEMO_TOLD_DONE;
    switch ((enum ticket_state) finding->state) {
    case TICKET_DONE:
        return finding->completed == 1 && finding->answers == 1 && is_told_done &&
                       !board->cancelled[number]
                   ? JUDGED_DONE
                   : JUDGED_LOST;
    case TICKET_CANCELLED:
        return finding->cancelled == 1 && board->cancelled[number] ? JUDGED_CANCELLED : JUDGED_LOST;
    case TICKET_DEAD:
        return JUDGED_DEAD;
    case TICKET_QUEUED:
    case TICKET_SCHEDULED:
    case TICKET_ASSIGNED:
    case TICKET_PARKED:
        return JUDGED_OPEN;
    case TICKET_NONE:
        break;
    }
    return JUDGED_LOST;
}

static enum judgement
judge(const struct demo_board *board, const struct finding *finding, uint32_t number)
{
    if (finding->rows > 1 || finding->completed > 1 || finding->answers > 1 ||
        finding->completed + finding->cancelled > 1) {
        return JUDGED_DOUBLED;
    }
    if (finding->rows == 0 || !id_equal(finding->ticket, board->acknowledged[number]) ||
        finding->submitted != 1 || finding->assigned != finding->attempt) {
        return JUDGED_LOST;
    }
    return judge_row(board, finding, number);
}

static void add_judgement(struct demo_audit *audit, enum judgement judgement, uint32_t number)
{
    uint64_t *const counts[] = {
        [JUDGED_DONE] = &audit->completed,
        [JUDGED_CANCELLED] = &audit->cancelled,
        [JUDGED_DEAD] = &audit->dead,
        [JUDGED_OPEN] = &audit->open,
        [JUDGED_LOST] = &audit->lost,
        [JUDGED_DOUBLED] = &audit->doubled,
    };
    ++*counts[judgement];
    if ((judgement == JUDGED_LOST || judgement == JUDGED_DOUBLED) &&
        audit->fault_count < DEMO_AUDIT_FAULTS_MAX) {
        audit->faults[audit->fault_count++] = number;
    }
}

/* A ticket that is there but was never acknowledged (its answer was on the way when the demo was
 * ended) is nobody's loss; two of them are. */
static void judge_all(const struct reader *reader, struct demo_audit *audit)
{
    const struct demo_board *board = reader->board;
    for (uint32_t i = 0; i < board->tickets->count; i++) {
        if (!id_is_zero(board->acknowledged[i])) {
            audit->acknowledged++;
            add_judgement(audit, judge(board, &reader->findings[i], i), i);
        } else if (reader->findings[i].rows > 1) {
            add_judgement(audit, JUDGED_DOUBLED, i);
        }
    }
}

/* NOLINTBEGIN(readability-non-const-parameter): written through the reader */
vt_err demo_audit_run(const struct demo_board *board,
                      const char *folder,
                      struct demo_audit *audit,
                      char error[DEMO_AUDIT_ERROR_BYTES])
{
    struct reader reader = {.board = board, .error = error};
    *audit = (struct demo_audit){0};
    vt_err err = open_store(&reader, folder);
    if (err == VT_OK) {
        err = read_store(&reader);
    }
    if (err == VT_OK) {
        judge_all(&reader, audit);
    }
    sqlite3_close(reader.database);
    free(reader.findings);
    return err;
}
/* NOLINTEND(readability-non-const-parameter) */

bool demo_audit_holds(const struct demo_audit *audit)
{
    return audit->completed + audit->cancelled == audit->acknowledged && audit->lost == 0 &&
           audit->doubled == 0;
}

void demo_audit_line(const struct demo_audit *audit, char line[DEMO_AUDIT_LINE_BYTES])
{
    const struct {
        const char *name;
        uint64_t count;
        bool is_always;
    } parts[] = {
        {"acknowledged", audit->acknowledged, true},
        {"completed", audit->completed, true},
        {"cancelled", audit->cancelled, false},
        {"dead", audit->dead, false},
        {"still open", audit->open, false},
        {"lost", audit->lost, true},
        {"doubled", audit->doubled, true},
    };
    size_t used = 0;
    line[0] = '\0';
    for (uint32_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i].is_always || parts[i].count > 0) {
            int wrote = snprintf(line + used,
                                 DEMO_AUDIT_LINE_BYTES - used,
                                 "%s%s %" PRIu64,
                                 used > 0 ? ", " : "",
                                 parts[i].name,
                                 parts[i].count);
            used += wrote > 0 ? (size_t) wrote : 0;
        }
    }
}
