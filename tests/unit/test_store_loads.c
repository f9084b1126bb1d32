#include "tests/unit/store_suite.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "lib/check.h"

/* Pages: what is in them, in which order, and that nothing falls between two of them. */

#define TICKETS 50U

static int setup(void **state)
{
    *state = suite_open(&(struct store_options){.sync = STORE_SYNC_OFF});
    return 0;
}

static int teardown(void **state)
{
    suite_close(*state);
    return 0;
}

/* Priorities 0, 10, .. 40 in turn, ten tickets to a transaction. */
static void submit_many(struct suite *suite, struct ticket_id *tickets)
{
    static char keys[TICKETS][16];
    static struct store_request batch[TICKETS];
    for (uint32_t i = 0; i < TICKETS; i++) {
        (void) snprintf(keys[i], sizeof keys[i], "key-%05u", i);
        batch[i] = suite_submit(suite, keys[i], "body");
        batch[i].submit.priority = i % 5U * 10U;
        tickets[i] = batch[i].ticket;
    }
    for (uint32_t i = 0; i < TICKETS; i += 10) {
        atomic_fetch_add(&suite->now_us, 1000);
        suite_ask_many(suite, batch + i, 10);
    }
}

static bool comes_before(const struct ticket_row *a, const struct ticket_row *b)
{
    if (a->priority != b->priority) {
        return a->priority > b->priority;
    }
    if (a->created_us != b->created_us) {
        return a->created_us < b->created_us;
    }
    return id_compare(a->id, b->id) < 0;
}

/* Reads page by page, checks the order of service, returns how many rows there were. */
static uint32_t read_in_order(struct suite *suite, struct load_request request)
{
    uint32_t total = 0;
    struct ticket_row last = {0};
    bool has_more = true;
    request.from_start = true;
    while (has_more) {
        const struct load_page *page = suite_load(suite, &request);
        CHECK(page->row_count <= request.rows_max);
        CHECK(!page->has_more || page->row_count == request.rows_max);
        for (uint32_t i = 0; i < page->row_count; i++) {
            CHECK(total == 0 || comes_before(&last, &page->rows[i]));
            last = page->rows[i];
            total++;
        }
        has_more = page->has_more;
        request.from_start = false;
        request.after.id = last.id;
        request.after.priority = request.kind == LOAD_RECENT ? 0 : last.priority;
        request.after.created_us = request.kind == LOAD_RECENT ? 0 : last.created_us;
    }
    return total;
}

static void queued_rows_come_in_order_of_service_whatever_the_page(void **state)
{
    struct suite *suite = *state;
    struct ticket_id tickets[TICKETS];
    submit_many(suite, tickets);
    struct store_request assign = suite_move(STORE_ASSIGN, tickets[7], 1);
    assert_int_equal(suite_ask(suite, &assign).status, STORE_DONE);

    for (uint32_t rows_max = 1; rows_max <= TICKETS + 1; rows_max += 3) {
        struct load_request load = {.kind = LOAD_QUEUED, .part = SUITE_PART, .rows_max = rows_max};
        assert_int_equal(read_in_order(suite, load), TICKETS - 1);
    }
}

static void a_page_that_ends_exactly_has_no_more(void **state)
{
    struct suite *suite = *state;
    struct ticket_id tickets[TICKETS];
    submit_many(suite, tickets);
    struct load_request load = {
        .kind = LOAD_QUEUED, .part = SUITE_PART, .rows_max = TICKETS, .from_start = true};

    const struct load_page *page = suite_load(suite, &load);

    assert_int_equal(page->row_count, TICKETS);
    assert_false(page->has_more);
    assert_int_equal(page->store_now_us, atomic_load(&suite->now_us));
    load.part = 9;
    assert_int_equal(suite_load(suite, &load)->row_count, 0);
}

static void recent_rows_are_those_queued_since(void **state)
{
    struct suite *suite = *state;
    struct ticket_id tickets[TICKETS];
    submit_many(suite, tickets);
    struct load_request load = {.kind = LOAD_RECENT, .part = SUITE_PART, .rows_max = 7};
    load.since_us = SUITE_START_US + 3000;
    assert_int_equal(read_in_order(suite, load), 30);

    /* A message brings an old one back among them. */
    struct store_request message = {.kind = STORE_MESSAGE,
                                    .ticket = tickets[0],
                                    .message = {.key = bytes_of_text("message-1")}};
    assert_int_equal(suite_ask(suite, &message).status, STORE_DONE);
    assert_int_equal(read_in_order(suite, load), 31);
}

static void held_rows_come_by_id(void **state)
{
    struct suite *suite = *state;
    struct ticket_id tickets[TICKETS];
    submit_many(suite, tickets);
    for (uint32_t i = 0; i < 20; i++) {
        struct store_request assign = suite_move(STORE_ASSIGN, tickets[i], 1);
        assert_int_equal(suite_ask(suite, &assign).status, STORE_DONE);
    }
    struct store_request park = suite_move(STORE_PARK, tickets[3], 1);
    assert_int_equal(suite_ask(suite, &park).status, STORE_DONE);
    struct store_request complete = suite_move(STORE_COMPLETE, tickets[4], 1);
    assert_int_equal(suite_ask(suite, &complete).status, STORE_DONE);

    struct load_request load = {
        .kind = LOAD_HELD, .part = SUITE_PART, .rows_max = 8, .from_start = true};
    uint32_t total = 0;
    bool has_more = true;
    while (has_more) {
        const struct load_page *page = suite_load(suite, &load);
        for (uint32_t i = 0; i < page->row_count; i++) {
            uint32_t expected = total < 4 ? total : total + 1;
            assert_true(id_equal(page->rows[i].id, tickets[expected]));
            total++;
        }
        has_more = page->has_more;
        load.from_start = false;
        load.after.id = tickets[total < 5 ? total - 1 : total];
    }
    assert_int_equal(total, 19);
}

static void a_ticket_comes_with_its_whole_history_and_names(void **state)
{
    struct suite *suite = *state;
    struct store_agent_name names[1] = {{.name = bytes_of_text("ana")}};
    struct store_request site = {
        .kind = STORE_SITE,
        .site = {.name = bytes_of_text("town hall"), .agents = names, .agent_count = 1}};
    struct store_result ids = suite_ask(suite, &site);
    uint32_t site_id = ids.site;
    uint32_t ana = ids.agents[0];
    struct ticket_id ticket = suite_ticket(suite, "key-00001");
    suite_ticket(suite, "key-00002");
    struct store_request assign = suite_move(STORE_ASSIGN, ticket, 1);
    assign.move.agent = ana;
    assign.move.site = site_id;
    assert_int_equal(suite_ask(suite, &assign).status, STORE_DONE);
    struct store_request back = suite_move(STORE_REQUEUE, ticket, 1);
    back.move.agent = ana;
    back.move.note = bytes_of_text("too hard");
    assert_int_equal(suite_ask(suite, &back).status, STORE_DONE);

    struct load_request load = {.kind = LOAD_TICKET, .ticket = ticket};
    const struct load_page *page = suite_load(suite, &load);

    assert_int_equal(page->row_count, 1);
    assert_true(bytes_equal_text(page->rows[0].agent_name, "ana"));
    assert_true(bytes_equal_text(page->rows[0].site_name, "town hall"));
    assert_true(bytes_equal_text(page->body, "body"));
    assert_int_equal(page->answer.size, 0);
    assert_int_equal(page->history_count, 3);
    assert_int_equal(page->history[0].kind, HISTORY_SUBMITTED);
    assert_int_equal(page->history[0].seq, 1);
    assert_int_equal(page->history[1].kind, HISTORY_ASSIGNED);
    assert_int_equal(page->history[1].seq, 3);
    assert_int_equal(page->history[1].epoch, SUITE_EPOCH);
    assert_true(bytes_equal_text(page->history[1].agent_name, "ana"));
    assert_int_equal(page->history[2].kind, HISTORY_REQUEUED);
    assert_true(bytes_equal_text(page->history[2].detail, "given_back: too hard"));
    assert_int_equal(page->history[2].stream, SUITE_PART);
}

static void an_unknown_ticket_is_a_page_without_a_row(void **state)
{
    struct suite *suite = *state;
    struct load_request load = {.kind = LOAD_TICKET, .ticket = {.hi = 1}};
    assert_int_equal(suite_load(suite, &load)->row_count, 0);
}

int main(void)
{
#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        STORE_TEST(queued_rows_come_in_order_of_service_whatever_the_page),
        STORE_TEST(a_page_that_ends_exactly_has_no_more),
        STORE_TEST(recent_rows_are_those_queued_since),
        STORE_TEST(held_rows_come_by_id),
        STORE_TEST(a_ticket_comes_with_its_whole_history_and_names),
        STORE_TEST(an_unknown_ticket_is_a_page_without_a_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
