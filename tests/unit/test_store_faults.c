#include "tests/unit/store_suite.h"
#include "tests/unit/unit.h"

#include <poll.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>

#include "lib/check.h"
#include "tests/unit/fault_vfs.h"

/* A disk that fails, and several hosts at one store. */

static struct suite *open_faulty(void)
{
    return suite_open(&(struct store_options){.vfs = "fault"});
}

static void every_commit_syncs_before_it_is_answered(void **state)
{
    (void) state;
    struct fault_vfs *faults = fault_vfs_register();
    struct suite *suite = open_faulty();
    for (uint32_t i = 0; i < 10; i++) {
        char key[16];
        (void) snprintf(key, sizeof key, "key-%05u", i);
        int before = atomic_load(&faults->syncs);
        suite_ticket(suite, key);
        assert_true(atomic_load(&faults->syncs) > before);
    }
    suite_close(suite);
}

static void a_commit_whose_sync_fails_is_uncertain_and_the_store_recovers(void **state)
{
    (void) state;
    struct fault_vfs *faults = fault_vfs_register();
    struct suite *suite = open_faulty();
    struct store_request batch[2] = {
        suite_submit(suite, "key-00001", "body"),
        suite_submit(suite, "key-00002", "body"),
    };
    atomic_store(&faults->syncs_left, 0);

    const struct store_result *results = suite_ask_many(suite, batch, 2);
    assert_int_equal(results[0].status, STORE_UNCERTAIN);
    assert_int_equal(results[1].status, STORE_UNCERTAIN);

    /* Reading tells what became of it, and the key tells the same. */
    fault_vfs_heal(faults);
    struct load_request load = {.kind = LOAD_TICKET, .ticket = batch[0].ticket};
    bool is_there = suite_load(suite, &load)->row_count == 1;
    enum store_status again = suite_ask(suite, &batch[0]).status;
    assert_int_equal(again, is_there ? STORE_DUPLICATE : STORE_DONE);
    suite_stop(suite);
    suite_start(suite);
    assert_int_equal(suite_row(suite, batch[0].ticket).state, TICKET_QUEUED);
    suite_close(suite);
}

/* What cannot be written is stood in for by a trigger that somebody put into the file. */
static void a_request_that_cannot_be_written_fails_alone(void **state)
{
    (void) state;
    struct suite *suite = suite_open(&(struct store_options){0});
    struct ticket_id spoiled = suite_ticket(suite, "key-00001");
    struct ticket_id good = suite_ticket(suite, "key-00002");
    suite_stop(suite);
    char file[256];
    (void) snprintf(file, sizeof file, "%s/ventanilla.db", suite->folder);
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "CREATE TRIGGER spoil BEFORE UPDATE ON vt_ticket "
                                  "WHEN old.serial = (SELECT min(serial) FROM vt_payload) "
                                  "BEGIN SELECT RAISE(ABORT, 'spoilt'); END",
                                  NULL,
                                  NULL,
                                  NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    suite_start(suite);
    struct store_request batch[2] = {suite_move(STORE_ASSIGN, spoiled, 1),
                                     suite_move(STORE_ASSIGN, good, 1)};

    const struct store_result *results = suite_ask_many(suite, batch, 2);
    assert_int_equal(results[0].status, STORE_FAILED);
    assert_int_equal(results[1].status, STORE_DONE);
    assert_int_equal(suite_row(suite, spoiled).state, TICKET_QUEUED);
    assert_int_equal(suite_row(suite, good).state, TICKET_ASSIGNED);

    suite_close(suite);
}

static void refusals_need_no_sync_and_are_never_uncertain(void **state)
{
    (void) state;
    struct fault_vfs *faults = fault_vfs_register();
    struct suite *suite = open_faulty();
    struct ticket_id ticket = suite_ticket(suite, "key-00001");
    struct store_request refused = suite_move(STORE_ASSIGN, ticket, 9);
    atomic_store(&faults->syncs_left, 0);

    assert_int_equal(suite_ask(suite, &refused).status, STORE_REFUSED);

    suite_close(suite);
}

static void a_disk_that_refuses_writes_loses_nothing_acknowledged(void **state)
{
    (void) state;
    struct fault_vfs *faults = fault_vfs_register();
    struct suite *suite = open_faulty();
    struct ticket_id first = suite_ticket(suite, "key-00001");
    for (int writes = 0; writes < 12; writes++) {
        char key[24];
        (void) snprintf(key, sizeof key, "key-1%04d", writes);
        struct store_request submit = suite_submit(suite, key, "body");
        atomic_store(&faults->writes_left, writes);
        enum store_status status = suite_ask(suite, &submit).status;
        fault_vfs_heal(faults);
        assert_true(status == STORE_DONE || status == STORE_FAILED || status == STORE_UNCERTAIN);
        enum store_status again = suite_ask(suite, &submit).status;
        assert_int_equal(again, status == STORE_DONE ? STORE_DUPLICATE : STORE_DONE);
        assert_int_equal(suite_row(suite, submit.ticket).state, TICKET_QUEUED);
    }
    suite_stop(suite);
    suite_start(suite);
    assert_int_equal(suite_row(suite, first).state, TICKET_QUEUED);
    static struct store_figures figures;
    store_figures(suite->store, &figures);
    assert_int_equal(figures.tickets, 13);
    suite_close(suite);
}

static void a_read_that_fails_is_said_so_and_not_an_empty_page(void **state)
{
    (void) state;
    struct fault_vfs *faults = fault_vfs_register();
    struct suite *suite = suite_open(&(struct store_options){.vfs = "fault"});
    struct ticket_id ticket = suite_ticket(suite, "key-00001");
    /* What has just been opened is not in the cache yet. */
    suite_stop(suite);
    suite_start(suite);
    atomic_store(&faults->reads_left, 0);

    struct load_request load = {.kind = LOAD_TICKET, .ticket = ticket};
    assert_int_equal(store_port_load(suite->port, 1, &load), VT_OK);
    assert_int_equal(suite_wait(suite).error, VT_UNAVAILABLE);
    struct store_request assign = suite_move(STORE_ASSIGN, ticket, 1);
    assert_int_equal(suite_ask(suite, &assign).status, STORE_FAILED);

    fault_vfs_heal(faults);
    assert_int_equal(suite_ask(suite, &assign).status, STORE_DONE);
    suite_close(suite);
}

#define HOSTS 3U
#define ROUNDS 60U

struct host {
    struct suite *suite;
    struct store_port *port;
    struct id_source ids;
    uint32_t done;
    uint32_t duplicates;
};

/* All hosts submit the same keys; each key must be new for exactly one of them. */
static void *run_host(void *argument)
{
    struct host *host = argument;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        char key[16];
        int size = snprintf(key, sizeof key, "key-%05u", i);
        struct store_request request = {
            .kind = STORE_SUBMIT,
            .part = SUITE_PART,
            .ticket = id_next(&host->ids, 1700000000000, SUITE_PART),
            .submit = {.client = bytes_of_text("gateway"),
                       .key = bytes_of(key, (uint32_t) size),
                       .body = bytes_of_text("body")},
        };
        CHECK(store_port_submit(host->port, i, &request, 1) == VT_OK);
        struct store_completion done;
        while (!store_port_next(host->port, &done)) {
            struct pollfd fd = {.fd = store_port_fd(host->port), .events = POLLIN};
            CHECK(poll(&fd, 1, 60000) == 1);
        }
        CHECK(done.token == i);
        host->done += done.results[0].status == STORE_DONE ? 1U : 0U;
        host->duplicates += done.results[0].status == STORE_DUPLICATE ? 1U : 0U;
    }
    return NULL;
}

static void hosts_share_a_store_and_one_key_makes_one_ticket(void **state)
{
    (void) state;
    struct suite *suite = suite_open(&(struct store_options){.ports_max = HOSTS + 1U});
    struct host hosts[HOSTS];
    pthread_t threads[HOSTS];
    for (uint32_t i = 0; i < HOSTS; i++) {
        hosts[i] = (struct host){.suite = suite};
        id_source_init(&hosts[i].ids, i + 10U);
        assert_int_equal(store_port_open(suite->store, &hosts[i].port), VT_OK);
    }
    struct store_port *none = NULL;
    assert_int_equal(store_port_open(suite->store, &none), VT_FULL);
    for (uint32_t i = 0; i < HOSTS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, run_host, &hosts[i]), 0);
    }
    static struct store_figures figures;
    store_figures(suite->store, &figures);

    uint32_t done = 0;
    uint32_t duplicates = 0;
    for (uint32_t i = 0; i < HOSTS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        done += hosts[i].done;
        duplicates += hosts[i].duplicates;
    }
    assert_int_equal(done, ROUNDS);
    assert_int_equal(duplicates, ROUNDS * (HOSTS - 1U));
    suite_close(suite);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_commit_syncs_before_it_is_answered),
        cmocka_unit_test(a_commit_whose_sync_fails_is_uncertain_and_the_store_recovers),
        cmocka_unit_test(a_request_that_cannot_be_written_fails_alone),
        cmocka_unit_test(refusals_need_no_sync_and_are_never_uncertain),
        cmocka_unit_test(a_disk_that_refuses_writes_loses_nothing_acknowledged),
        cmocka_unit_test(a_read_that_fails_is_said_so_and_not_an_empty_page),
        cmocka_unit_test(hosts_share_a_store_and_one_key_makes_one_ticket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
