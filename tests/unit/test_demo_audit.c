#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "cli/demo_audit.h"
#include "cli/demo_files.h"
#include "io/store.h"

/* A store's file made by the store and filled by hand: three tickets, acknowledged and completed as
 * they should be. Each test breaks one thing. */
#define TICKETS 3u

struct fixture {
    char folder[64];
    struct demo_tickets tickets;
    struct demo_board board;
    struct arena arena;
    struct demo_audit audit;
};

static struct fixture fixture;

static void run_sql(const char *sql)
{
    char path[128];
    sqlite3 *database = NULL;
    char *error = NULL;
    snprintf(path, sizeof path, "%s/ventanilla.db", fixture.folder);
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    if (sqlite3_exec(database, sql, NULL, NULL, &error) != SQLITE_OK) {
        fail_msg("%s: %s", sql, error);
    }
    sqlite3_close(database);
}

static struct ticket_id ticket_of(uint32_t number)
{
    return (struct ticket_id){.hi = 0x0190000000007001u, .lo = 0x8000000000000000u + number};
}

static void add_ticket(uint32_t number)
{
    char id[40];
    char key[DEMO_KEY_BYTES];
    char sql[2048];
    struct ticket_id ticket = ticket_of(number);
    snprintf(id,
             sizeof id,
             "x'%016llx%016llx'",
             (unsigned long long) ticket.hi,
             (unsigned long long) ticket.lo);
    demo_tickets_key(number, key);
    snprintf(
        sql,
        sizeof sql,
        "INSERT INTO vt_payload VALUES(%u, %s, 1, 'demo', CAST('%s' AS BLOB), x'00', x'00');"
        "INSERT INTO vt_ticket VALUES(%s, 1, 1, 50, 4, 1, 0, 1, 1, 1, 3, 0, 1, 1, 0, %u, %u,"
        " x'00');"
        "INSERT INTO vt_event VALUES(%u, 0, %s, 1, 0, 0, 1, 1, x''), (%u, 0, %s, 3, 1, 1, 1, 2,"
        " x''), (%u, 0, %s, 4, 1, 1, 1, 3, x'');"
        "INSERT INTO vt_outbox VALUES((%u << 20) + 1, 1, x'00');",
        number + 1,
        id,
        key,
        id,
        number + 1,
        number * 3 + 3,
        number * 3 + 1,
        id,
        number * 3 + 2,
        id,
        number * 3 + 3,
        id,
        number + 1);
    run_sql(sql);
    fixture.board.acknowledged[number] = ticket;
    atomic_store(&fixture.board.told[number], DEMO_TOLD_DONE);
}

static int make(void **state)
{
    (void) state;
    struct store *store = NULL;
    char message[256];
    memset(&fixture, 0, sizeof fixture);
    memcpy(fixture.folder, "/tmp/test_demo_XXXXXX", 22);
    assert_non_null(mkdtemp(fixture.folder));
    struct store_options options = {.folder = fixture.folder, .sync = STORE_SYNC_OFF};
    assert_int_equal(store_open_sqlite(&options, &store, message, sizeof message), VT_OK);
    store_close(store);

    fixture.tickets.count = TICKETS;
    fixture.arena = unit_arena(65536);
    demo_board_init(&fixture.board, &fixture.arena, &fixture.tickets);
    for (uint32_t i = 0; i < TICKETS; i++) {
        add_ticket(i);
    }
    return 0;
}

static int unmake(void **state)
{
    (void) state;
    unit_arena_close(&fixture.arena);
    assert_true(demo_files_remove(fixture.folder));
    return 0;
}

static void audit(void)
{
    char error[DEMO_AUDIT_ERROR_BYTES] = "";
    vt_err err = demo_audit_run(&fixture.board, fixture.folder, &fixture.audit, error);
    if (err != VT_OK) {
        fail_msg("%s", error);
    }
}

static void expect_line(const char *expected)
{
    char line[DEMO_AUDIT_LINE_BYTES];
    audit();
    demo_audit_line(&fixture.audit, line);
    assert_string_equal(line, expected);
}

static void what_was_acknowledged_and_completed_once_holds(void **state)
{
    (void) state;
    expect_line("acknowledged 3, completed 3, lost 0, doubled 0");
    assert_true(demo_audit_holds(&fixture.audit));
}

static void an_acknowledged_ticket_that_is_not_there_is_lost(void **state)
{
    (void) state;
    run_sql("DELETE FROM vt_ticket WHERE serial = 2");
    expect_line("acknowledged 3, completed 2, lost 1, doubled 0");
    assert_false(demo_audit_holds(&fixture.audit));
    assert_int_equal(fixture.audit.faults[0], 1);
}

static void a_ticket_under_another_id_than_was_acknowledged_is_lost(void **state)
{
    (void) state;
    fixture.board.acknowledged[0].lo++;
    expect_line("acknowledged 3, completed 2, lost 1, doubled 0");
}

static void a_ticket_done_without_an_event_or_an_answer_is_lost(void **state)
{
    (void) state;
    run_sql("DELETE FROM vt_event WHERE key = 3; DELETE FROM vt_outbox WHERE key >> 20 = 3");
    expect_line("acknowledged 3, completed 1, lost 2, doubled 0");
}

static void a_completion_that_no_agent_knows_of_is_no_completion(void **state)
{
    (void) state;
    atomic_store(&fixture.board.told[1], DEMO_TOLD_WORK);
    expect_line("acknowledged 3, completed 2, lost 1, doubled 0");
}

static void two_tickets_of_one_key_are_doubled(void **state)
{
    (void) state;
    run_sql("INSERT INTO vt_payload SELECT 9, x'99', 1, client, idem_key, digest, body"
            " FROM vt_payload WHERE serial = 1;"
            "INSERT INTO vt_ticket VALUES(x'99', 1, 1, 50, 1, 0, 0, 0, 0, 1, 1, 0, 1, 1, 0, 9, 0,"
            " x'00')");
    expect_line("acknowledged 3, completed 2, lost 0, doubled 1");
    assert_false(demo_audit_holds(&fixture.audit));
}

static void a_ticket_completed_or_answered_twice_is_doubled(void **state)
{
    (void) state;
    run_sql("INSERT INTO vt_event SELECT 100, 0, ticket, 4, 1, 1, 1, 4, x'' FROM vt_event"
            " WHERE key = 3;"
            "INSERT INTO vt_outbox VALUES((2 << 20) + 2, 1, x'00')");
    expect_line("acknowledged 3, completed 1, lost 0, doubled 2");
}

static void a_ticket_that_is_still_open_is_neither_but_does_not_hold(void **state)
{
    (void) state;
    run_sql("UPDATE vt_ticket SET state = 3 WHERE serial = 1");
    run_sql("DELETE FROM vt_event WHERE key = 3; DELETE FROM vt_outbox WHERE key >> 20 = 1");
    expect_line("acknowledged 3, completed 2, still open 1, lost 0, doubled 0");
    assert_false(demo_audit_holds(&fixture.audit));
}

static void a_cancelled_ticket_counts_if_the_citizen_was_told(void **state)
{
    (void) state;
    run_sql("UPDATE vt_ticket SET state = 6 WHERE serial = 1;"
            "UPDATE vt_event SET kind = 8 WHERE key = 3;"
            "DELETE FROM vt_outbox WHERE key >> 20 = 1");
    expect_line("acknowledged 3, completed 2, lost 1, doubled 0");
    fixture.board.cancelled[0] = true;
    expect_line("acknowledged 3, completed 2, cancelled 1, lost 0, doubled 0");
    assert_true(demo_audit_holds(&fixture.audit));
}

static void what_was_never_acknowledged_is_not_counted(void **state)
{
    (void) state;
    fixture.board.acknowledged[2] = (struct ticket_id){0};
    expect_line("acknowledged 2, completed 2, lost 0, doubled 0");
}

static void a_folder_without_a_store_is_an_error(void **state)
{
    (void) state;
    char error[DEMO_AUDIT_ERROR_BYTES] = "";
    assert_int_equal(demo_audit_run(&fixture.board, "/nonexistent", &fixture.audit, error),
                     VT_CORRUPT);
    assert_true(strlen(error) > 0);
}

#define AUDIT_TEST(test) cmocka_unit_test_setup_teardown(test, make, unmake)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AUDIT_TEST(what_was_acknowledged_and_completed_once_holds),
        AUDIT_TEST(an_acknowledged_ticket_that_is_not_there_is_lost),
        AUDIT_TEST(a_ticket_under_another_id_than_was_acknowledged_is_lost),
        AUDIT_TEST(a_ticket_done_without_an_event_or_an_answer_is_lost),
        AUDIT_TEST(a_completion_that_no_agent_knows_of_is_no_completion),
        AUDIT_TEST(two_tickets_of_one_key_are_doubled),
        AUDIT_TEST(a_ticket_completed_or_answered_twice_is_doubled),
        AUDIT_TEST(a_ticket_that_is_still_open_is_neither_but_does_not_hold),
        AUDIT_TEST(a_cancelled_ticket_counts_if_the_citizen_was_told),
        AUDIT_TEST(what_was_never_acknowledged_is_not_counted),
        AUDIT_TEST(a_folder_without_a_store_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
