#include "tests/unit/unit.h"

#include <poll.h>
#include <stdlib.h>

#include "io/store.h"
#include "lib/check.h"
#include "tests/unit/store_suite.h"

struct journal {
    char folder[64];
    struct store *store;
    struct store_port *port;
};

static void start(struct journal *journal)
{
    struct store_options options = {.folder = journal->folder};
    char message[512];
    CHECK(store_open_journal(&options, &journal->store, message, sizeof message) == VT_OK);
    CHECK(store_port_open(journal->store, &journal->port) == VT_OK);
}

static int setup(void **state)
{
    struct journal *journal = calloc(1, sizeof *journal);
    CHECK(journal != NULL);
    suite_make_folder(journal->folder);
    start(journal);
    *state = journal;
    return 0;
}

static int teardown(void **state)
{
    struct journal *journal = *state;
    store_close(journal->store);
    suite_remove_folder(journal->folder);
    free(journal);
    return 0;
}

static struct store_completion wait_one(struct journal *journal)
{
    struct store_completion done;
    while (!store_port_next(journal->port, &done)) {
        struct pollfd fd = {.fd = store_port_fd(journal->port), .events = POLLIN};
        CHECK(poll(&fd, 1, 60000) == 1);
    }
    return done;
}

static enum store_status write_one(struct journal *journal, struct store_request request)
{
    CHECK(store_port_submit(journal->port, 1, &request, 1) == VT_OK);
    return wait_one(journal).results[0].status;
}

static struct store_request put(enum journal_kind kind, uint64_t a, const char *value)
{
    return (struct store_request){
        .kind = STORE_JOURNAL_PUT,
        .journal = {.kind = kind, .a = a, .b = UINT64_MAX - a, .value = bytes_of_text(value)},
    };
}

static struct store_request drop(enum journal_kind kind, uint64_t a)
{
    struct store_request request = put(kind, a, "");
    request.kind = STORE_JOURNAL_DROP;
    return request;
}

static const struct load_page *load_all(struct journal *journal)
{
    struct load_request load = {
        .kind = LOAD_JOURNAL, .rows_max = LOAD_ROWS_MAX, .from_start = true};
    CHECK(store_port_load(journal->port, 2, &load) == VT_OK);
    struct store_completion done = wait_one(journal);
    CHECK(done.error == VT_OK);
    return done.page;
}

static void entries_survive_a_restart_until_they_are_dropped(void **state)
{
    struct journal *journal = *state;
    assert_int_equal(write_one(journal, put(JOURNAL_OUTCOME, 7, "an answer")), STORE_DONE);
    assert_int_equal(write_one(journal, put(JOURNAL_WORKING, 8, "a slot")), STORE_DONE);
    assert_int_equal(write_one(journal, put(JOURNAL_OUTCOME, 7, "a better one")), STORE_DONE);
    assert_int_equal(write_one(journal, drop(JOURNAL_WORKING, 8)), STORE_DONE);
    assert_int_equal(write_one(journal, drop(JOURNAL_WORKING, 8)), STORE_DONE);

    store_close(journal->store);
    start(journal);

    const struct load_page *page = load_all(journal);
    assert_int_equal(page->journal_count, 1);
    assert_int_equal(page->journal[0].kind, JOURNAL_OUTCOME);
    assert_int_equal(page->journal[0].a, 7);
    assert_int_equal(page->journal[0].b, UINT64_MAX - 7);
    assert_true(bytes_equal_text(page->journal[0].value, "a better one"));
    assert_false(page->has_more);
}

static void pages_bring_every_entry_once(void **state)
{
    struct journal *journal = *state;
    for (uint64_t i = 1; i <= 10; i++) {
        uint64_t a = i % 2 == 0 ? i : UINT64_MAX - i;
        assert_int_equal(write_one(journal, put(JOURNAL_WORKING, a, "x")), STORE_DONE);
    }

    struct load_request load = {.kind = LOAD_JOURNAL, .rows_max = 3, .from_start = true};
    uint32_t total = 0;
    bool has_more = true;
    while (has_more) {
        assert_int_equal(store_port_load(journal->port, 3, &load), VT_OK);
        const struct load_page *page = wait_one(journal).page;
        total += page->journal_count;
        has_more = page->has_more;
        load.from_start = false;
        load.after_journal = page->journal[page->journal_count - 1];
    }
    assert_int_equal(total, 10);
}

static void a_journal_takes_nothing_else(void **state)
{
    struct journal *journal = *state;
    assert_int_equal(write_one(journal, (struct store_request){.kind = STORE_ASSIGN}),
                     STORE_FAILED);
    struct load_request load = {.kind = LOAD_QUEUED, .rows_max = 1};
    assert_int_equal(store_port_load(journal->port, 3, &load), VT_OK);
    assert_int_equal(wait_one(journal).error, VT_INVALID);
}

static void a_journal_and_a_store_may_share_a_folder(void **state)
{
    struct journal *journal = *state;
    struct store_options options = {.folder = journal->folder};
    struct store *store = NULL;
    char message[512];
    assert_int_equal(store_open_sqlite(&options, &store, message, sizeof message), VT_OK);
    store_close(store);

    struct store *second = NULL;
    assert_int_equal(store_open_journal(&options, &second, message, sizeof message), VT_CONFLICT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            entries_survive_a_restart_until_they_are_dropped, setup, teardown),
        cmocka_unit_test_setup_teardown(pages_bring_every_entry_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_journal_takes_nothing_else, setup, teardown),
        cmocka_unit_test_setup_teardown(a_journal_and_a_store_may_share_a_folder, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
