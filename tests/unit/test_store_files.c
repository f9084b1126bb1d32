#include "tests/unit/store_suite.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/check.h"

/* The store and the outside: its folder, its file, a full disk, a process that dies. */

static void a_restart_keeps_tickets_keys_epochs_and_history(void **state)
{
    (void) state;
    struct suite *suite = suite_open(&(struct store_options){0});
    struct ticket_id ticket = suite_assigned(suite, "key-00001");

    suite_stop(suite);
    suite_start(suite);

    assert_int_equal(suite_row(suite, ticket).state, TICKET_ASSIGNED);
    assert_int_equal(store_epoch_max(suite->store), SUITE_EPOCH);
    assert_int_equal(store_generation(suite->store), 1);
    struct store_request again = suite_submit(suite, "key-00001", "body");
    assert_int_equal(suite_ask(suite, &again).status, STORE_DUPLICATE);
    struct store_request complete = suite_move(STORE_COMPLETE, ticket, 1);
    assert_int_equal(suite_ask(suite, &complete).status, STORE_DONE);
    struct load_request load = {.kind = LOAD_TICKET, .ticket = ticket};
    const struct load_page *page = suite_load(suite, &load);
    assert_int_equal(page->history_count, 3);
    assert_int_equal(page->history[2].seq, 3);
    suite_close(suite);
}

static void keys_too_old_are_not_read_at_the_start(void **state)
{
    (void) state;
    struct suite *suite = suite_open(&(struct store_options){.sync = STORE_SYNC_OFF});
    suite_ticket(suite, "key-00001");
    atomic_fetch_add(&suite->now_us, INT64_C(6) * 24 * 3600 * 1000000);
    suite_ticket(suite, "key-00002");
    atomic_fetch_add(&suite->now_us, INT64_C(2) * 24 * 3600 * 1000000);

    suite_stop(suite);
    suite_start(suite);

    static struct store_figures figures;
    store_figures(suite->store, &figures);
    assert_int_equal(figures.keys, 1);
    assert_int_equal(figures.tickets, 2);
    struct store_request again = suite_submit(suite, "key-00002", "body");
    assert_int_equal(suite_ask(suite, &again).status, STORE_DUPLICATE);
    suite_close(suite);
}

static void a_full_table_of_keys_refuses_new_ones_only(void **state)
{
    (void) state;
    struct suite *suite = suite_open(&(struct store_options){.keys_max = 1});
    suite_ticket(suite, "key-00001");
    struct store_request other = suite_submit(suite, "key-00002", "body");
    struct store_request again = suite_submit(suite, "key-00001", "body");

    assert_int_equal(suite_ask(suite, &other).status, STORE_FULL);
    assert_int_equal(suite_ask(suite, &again).status, STORE_DUPLICATE);
    suite_close(suite);
}

static void execute_on_file(const char *folder, const char *text)
{
    char path[128];
    (void) snprintf(path, sizeof path, "%s/ventanilla.db", folder);
    sqlite3 *db = NULL;
    CHECK(sqlite3_open(path, &db) == SQLITE_OK);
    CHECK(sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK);
    CHECK(sqlite3_close(db) == SQLITE_OK);
}

static vt_err open_fails(const char *folder, char message[512])
{
    struct store_options options = {.folder = folder};
    struct store *store = NULL;
    vt_err error = store_open_sqlite(&options, &store, message, 512);
    assert_null(store);
    return error;
}

static void a_newer_schema_is_left_alone(void **state)
{
    (void) state;
    struct suite *suite = suite_open(&(struct store_options){0});
    suite_stop(suite);
    execute_on_file(suite->folder, "UPDATE vt_meta SET schema_version = 2");
    char message[512];

    assert_int_equal(open_fails(suite->folder, message), VT_NEWER);
    assert_non_null(strstr(message, "newer version (schema 2, this one knows 1)"));
    assert_non_null(strstr(message, suite->folder));

    execute_on_file(suite->folder, "UPDATE vt_meta SET schema_version = 1");
    suite_start(suite);
    suite_close(suite);
}

static void a_file_of_another_program_is_left_alone(void **state)
{
    (void) state;
    char folder[64];
    char message[512];
    suite_make_folder(folder);
    execute_on_file(folder, "CREATE TABLE shopping(item)");
    assert_int_equal(open_fails(folder, message), VT_CORRUPT);
    assert_non_null(strstr(message, "another program"));

    char path[128];
    (void) snprintf(path, sizeof path, "%s/ventanilla.db", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (uint32_t i = 0; i < 200; i++) {
        (void) fputs("not a database at all\n", file);
    }
    assert_int_equal(fclose(file), 0);
    assert_int_equal(open_fails(folder, message), VT_CORRUPT);
    assert_non_null(strstr(message, "is not a store of ventanilla"));
    suite_remove_folder(folder);
}

static void a_folder_in_use_names_the_process(void **state)
{
    (void) state;
    struct suite *suite = suite_open(&(struct store_options){0});
    char expected[64];
    (void) snprintf(expected, sizeof expected, "already used by process %ld", (long) getpid());
    int pipe_fds[2];
    assert_int_equal(pipe(pipe_fds), 0);

    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char message[512] = "";
        struct store_options options = {.folder = suite->folder};
        struct store *store = NULL;
        vt_err error = store_open_sqlite(&options, &store, message, sizeof message);
        ssize_t written = write(pipe_fds[1], message, sizeof message);
        _exit(written == sizeof message && error == VT_CONFLICT ? 0 : 1);
    }
    char message[512] = "";
    assert_int_equal(read(pipe_fds[0], message, sizeof message), sizeof message);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_non_null(strstr(message, expected));
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    suite_close(suite);
}

/* Root may write anywhere, so a child that is nobody tries. */
static void a_folder_that_cannot_be_written_is_said_so(void **state)
{
    (void) state;
    char folder[64];
    suite_make_folder(folder);
    assert_int_equal(chmod(folder, 0555), 0);

    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (geteuid() == 0 && setuid(65534) != 0) {
            _exit(2);
        }
        char message[512] = "";
        struct store_options options = {.folder = folder};
        struct store *store = NULL;
        vt_err error = store_open_sqlite(&options, &store, message, sizeof message);
        _exit(error == VT_DENIED && strstr(message, "is not writable") != NULL ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(chmod(folder, 0755), 0);
    suite_remove_folder(folder);
}

static void a_missing_parent_folder_is_an_error_with_its_path(void **state)
{
    (void) state;
    char message[512];
    assert_int_equal(open_fails("/nonexistent/deeper", message), VT_UNAVAILABLE);
    assert_non_null(strstr(message, "/nonexistent/deeper: No such file or directory"));
}

/* Fills until the store says FULL; what it said DONE to before must be there, and reads go on. */
static void fill_up(struct suite *suite, uint32_t *done)
{
    static char body[30000];
    memset(body, 'x', sizeof body - 1);
    *done = 0;
    for (uint32_t i = 0; i < 2000; i++) {
        char key[16];
        (void) snprintf(key, sizeof key, "key-%05u", i);
        struct store_request submit = suite_submit(suite, key, body);
        enum store_status status = suite_ask(suite, &submit).status;
        if (status != STORE_DONE) {
            assert_int_equal(status, STORE_FULL);
            return;
        }
        (*done)++;
    }
    fail_msg("the store never became full");
}

static uint32_t count_queued(struct suite *suite)
{
    struct load_request load = {
        .kind = LOAD_QUEUED, .part = SUITE_PART, .rows_max = LOAD_ROWS_MAX, .from_start = true};
    return suite_load(suite, &load)->row_count;
}

static void a_file_at_its_bound_answers_full_and_stays_usable(void **state)
{
    (void) state;
    struct suite *suite = suite_open(&(struct store_options){.pages_max = 200});
    uint32_t done = 0;
    fill_up(suite, &done);

    assert_true(done > 5);
    assert_int_equal(count_queued(suite), done);
    static struct store_figures figures;
    store_figures(suite->store, &figures);
    assert_true(figures.is_failing);
    assert_int_equal(figures.keys, done);

    suite_stop(suite);
    suite->options.pages_max = 0;
    suite_start(suite);
    assert_int_equal(count_queued(suite), done);
    suite_ticket(suite, "key-after");
    suite_close(suite);
}

static void a_full_disk_answers_full_and_goes_on_when_there_is_room(void **state)
{
    (void) state;
    struct suite *suite = suite_open(&(struct store_options){0});
    suite_stop(suite);
    if (mount("none", suite->folder, "tmpfs", 0, "size=1m") != 0) {
        print_message("not allowed to mount a tmpfs\n");
        suite_start(suite);
        suite_close(suite);
        skip();
    }
    suite_start(suite);
    struct store_request claim = suite_claim(SUITE_EPOCH, "router-a");
    assert_int_equal(suite_ask(suite, &claim).status, STORE_DONE);
    uint32_t done = 0;
    fill_up(suite, &done);
    assert_int_equal(count_queued(suite), done);

    assert_int_equal(mount("none", suite->folder, "tmpfs", MS_REMOUNT, "size=8m"), 0);
    suite_ticket(suite, "key-after");
    assert_int_equal(count_queued(suite), done + 1);
    suite_stop(suite);
    assert_int_equal(umount(suite->folder), 0);
    suite_remove_folder(suite->folder);
    free(suite);
}

/* The child writes and tells each acknowledged number; it is killed in the middle of it. */
static void write_for_ever(struct suite *suite, int fd)
{
    for (uint32_t i = 0;; i++) {
        char key[16];
        (void) snprintf(key, sizeof key, "key-%05u", i);
        struct ticket_id ticket = suite_assigned(suite, key);
        uint8_t id[ID_BYTES];
        id_to_bytes(ticket, id);
        if (write(fd, id, sizeof id) != (ssize_t) sizeof id) {
            _exit(1);
        }
    }
}

static uint32_t check_acknowledged(struct suite *suite, int fd)
{
    uint8_t id[ID_BYTES];
    uint32_t count = 0;
    while (read(fd, id, sizeof id) == (ssize_t) sizeof id) {
        assert_int_equal(suite_row(suite, id_from_bytes(id)).state, TICKET_ASSIGNED);
        count++;
    }
    return count;
}

static void what_was_acknowledged_survives_kill_minus_nine(void **state)
{
    (void) state;
    struct suite *suite = suite_open(&(struct store_options){0});
    suite_stop(suite);
    int pipe_fds[2];
    assert_int_equal(pipe(pipe_fds), 0);

    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        suite_start(suite);
        write_for_ever(suite, pipe_fds[1]);
    }
    close(pipe_fds[1]);
    uint8_t first[ID_BYTES];
    for (uint32_t i = 0; i < 100; i++) {
        assert_int_equal(read(pipe_fds[0], first, sizeof first), sizeof first);
    }
    assert_int_equal(kill(child, SIGKILL), 0);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));

    suite_start(suite);
    assert_int_equal(suite_row(suite, id_from_bytes(first)).state, TICKET_ASSIGNED);
    check_acknowledged(suite, pipe_fds[0]);
    struct store_request again = suite_submit(suite, "key-00000", "body");
    assert_int_equal(suite_ask(suite, &again).status, STORE_DUPLICATE);
    close(pipe_fds[0]);
    suite_close(suite);
}

static void closing_does_what_is_queued(void **state)
{
    (void) state;
    struct suite *suite = suite_open(&(struct store_options){.sync = STORE_SYNC_OFF});
    static struct store_request requests[100];
    static char keys[100][16];
    for (uint32_t i = 0; i < 100; i++) {
        (void) snprintf(keys[i], sizeof keys[i], "key-%05u", i);
        requests[i] = suite_submit(suite, keys[i], "body");
        assert_int_equal(store_port_submit(suite->port, i, &requests[i], 1), VT_OK);
    }
    suite_stop(suite);
    suite_start(suite);
    assert_int_equal(count_queued(suite), 100);
    suite_close(suite);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_restart_keeps_tickets_keys_epochs_and_history),
        cmocka_unit_test(keys_too_old_are_not_read_at_the_start),
        cmocka_unit_test(a_full_table_of_keys_refuses_new_ones_only),
        cmocka_unit_test(a_newer_schema_is_left_alone),
        cmocka_unit_test(a_file_of_another_program_is_left_alone),
        cmocka_unit_test(a_folder_in_use_names_the_process),
        cmocka_unit_test(a_folder_that_cannot_be_written_is_said_so),
        cmocka_unit_test(a_missing_parent_folder_is_an_error_with_its_path),
        cmocka_unit_test(a_file_at_its_bound_answers_full_and_stays_usable),
        cmocka_unit_test(a_full_disk_answers_full_and_goes_on_when_there_is_room),
        cmocka_unit_test(what_was_acknowledged_survives_kill_minus_nine),
        cmocka_unit_test(closing_does_what_is_queued),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
