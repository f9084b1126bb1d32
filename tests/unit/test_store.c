#include "tests/unit/store_suite.h"
#include "tests/unit/unit.h"

#include "lib/check.h"

/* What every store must answer to every request; written against io/store.h alone. */

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

static void a_submitted_ticket_is_queued_with_all_it_came_with(void **state)
{
    struct suite *suite = *state;
    struct store_request submit = suite_submit(suite, "key-00001", "hello");

    struct store_result result = suite_ask(suite, &submit);

    assert_int_equal(result.status, STORE_DONE);
    assert_int_equal(result.row.state, TICKET_QUEUED);
    assert_int_equal(result.row.part, SUITE_PART);
    assert_int_equal(result.row.queue, 3);
    assert_int_equal(result.row.priority, 50);
    assert_int_equal(result.row.msgs, 1);
    assert_int_equal(result.row.rev, 1);
    assert_int_equal(result.row.attempt, 0);
    assert_int_equal(result.row.created_us, SUITE_START_US);
    assert_int_equal(result.row.queued_us, SUITE_START_US);
    assert_true(id_equal(result.row.id, submit.ticket));
    assert_true(bytes_equal_text(result.row.requirements, "needs"));
}

static void a_repeated_submit_is_told_of_the_first_ticket(void **state)
{
    struct suite *suite = *state;
    struct ticket_id first = suite_ticket(suite, "key-00001");
    struct store_request again = suite_submit(suite, "key-00001", "body");

    struct store_result result = suite_ask(suite, &again);

    assert_int_equal(result.status, STORE_DUPLICATE);
    assert_true(id_equal(result.row.id, first));
}

static void repeats_inside_one_batch_make_one_ticket(void **state)
{
    struct suite *suite = *state;
    struct store_request batch[3];
    for (uint32_t i = 0; i < 3; i++) {
        batch[i] = suite_submit(suite, "key-00001", "body");
    }
    batch[2].submit.client = bytes_of_text("another");

    const struct store_result *results = suite_ask_many(suite, batch, 3);

    assert_int_equal(results[0].status, STORE_DONE);
    assert_int_equal(results[1].status, STORE_DUPLICATE);
    assert_true(id_equal(results[1].row.id, batch[0].ticket));
    assert_int_equal(results[2].status, STORE_DONE);
}

static void a_key_with_another_body_is_a_mismatch(void **state)
{
    struct suite *suite = *state;
    struct ticket_id first = suite_ticket(suite, "key-00001");
    struct store_request other = suite_submit(suite, "key-00001", "something else");

    struct store_result result = suite_ask(suite, &other);

    assert_int_equal(result.status, STORE_MISMATCH);
    assert_true(id_equal(result.row.id, first));
}

static void a_key_is_forgotten_after_its_life(void **state)
{
    struct suite *suite = *state;
    suite_ticket(suite, "key-00001");
    struct store_request again = suite_submit(suite, "key-00001", "body");
    atomic_fetch_add(&suite->now_us, INT64_C(7) * 24 * 3600 * 1000000 + 1);

    assert_int_equal(suite_ask(suite, &again).status, STORE_DONE);
}

static void one_bad_request_costs_the_others_of_its_batch_nothing(void **state)
{
    struct suite *suite = *state;
    struct ticket_id taken = suite_ticket(suite, "key-00001");
    struct store_request batch[4];
    batch[0] = suite_submit(suite, "key-00002", "body");
    batch[1] = suite_submit(suite, "key-00003", "body");
    batch[1].ticket = taken;
    batch[2] = suite_move(STORE_ASSIGN, taken, 7);
    batch[3] = suite_submit(suite, "key-00003", "body");

    const struct store_result *results = suite_ask_many(suite, batch, 4);

    assert_int_equal(results[0].status, STORE_DONE);
    assert_int_equal(results[1].status, STORE_REFUSED);
    assert_int_equal(results[2].status, STORE_REFUSED);
    assert_int_equal(results[3].status, STORE_DONE);
    assert_int_equal(suite_row(suite, batch[3].ticket).state, TICKET_QUEUED);
    assert_int_equal(suite_row(suite, taken).rev, 1);
}

static struct store_request message_on(struct ticket_id ticket, const char *key, const char *body)
{
    return (struct store_request){
        .kind = STORE_MESSAGE,
        .ticket = ticket,
        .message = {.author = bytes_of_text("citizen"),
                    .key = bytes_of_text(key),
                    .body = bytes_of_text(body)},
    };
}

static void a_message_raises_the_count_and_wakes_a_parked_ticket(void **state)
{
    struct suite *suite = *state;
    struct ticket_id ticket = suite_assigned(suite, "key-00001");
    struct store_request park = suite_move(STORE_PARK, ticket, 1);
    assert_int_equal(suite_ask(suite, &park).status, STORE_DONE);
    atomic_fetch_add(&suite->now_us, 500);

    struct store_request message = message_on(ticket, "message-1", "more");
    message.message.wants_person = true;
    struct store_result result = suite_ask(suite, &message);

    assert_int_equal(result.status, STORE_DONE);
    assert_int_equal(result.row.state, TICKET_QUEUED);
    assert_int_equal(result.row.msgs, 2);
    assert_int_equal(result.row.agent, 5);
    assert_int_equal(result.row.queued_us, SUITE_START_US + 500);
    assert_true(result.row.person_requested);
}

static void a_repeated_message_is_recognised_by_its_key(void **state)
{
    struct suite *suite = *state;
    struct ticket_id ticket = suite_ticket(suite, "key-00001");
    struct store_request batch[3] = {
        message_on(ticket, "message-1", "more"),
        message_on(ticket, "message-1", "more"),
        message_on(ticket, "message-1", "different"),
    };

    const struct store_result *results = suite_ask_many(suite, batch, 3);

    assert_int_equal(results[0].status, STORE_DONE);
    assert_int_equal(results[1].status, STORE_DUPLICATE);
    assert_int_equal(results[2].status, STORE_MISMATCH);
    assert_int_equal(results[2].row.msgs, 2);
}

static void a_message_on_a_closed_or_unknown_ticket_is_not_taken(void **state)
{
    struct suite *suite = *state;
    struct ticket_id ticket = suite_ticket(suite, "key-00001");
    struct store_request cancel = suite_move(STORE_CANCEL, ticket, 0);
    assert_int_equal(suite_ask(suite, &cancel).status, STORE_DONE);
    struct store_request batch[2] = {
        message_on(ticket, "message-1", "more"),
        message_on((struct ticket_id){.hi = 9}, "message-1", "more"),
    };

    const struct store_result *results = suite_ask_many(suite, batch, 2);

    assert_int_equal(results[0].status, STORE_REFUSED);
    assert_int_equal(results[0].row.state, TICKET_CANCELLED);
    assert_int_equal(results[1].status, STORE_ABSENT);
}

static void a_site_and_its_agents_keep_their_numbers(void **state)
{
    struct suite *suite = *state;
    struct store_agent_name agents[2] = {
        {.name = bytes_of_text("ana"), .is_person = true},
        {.name = bytes_of_text("bot")},
    };
    struct store_request site = {
        .kind = STORE_SITE,
        .site = {.name = bytes_of_text("town hall"), .agents = agents, .agent_count = 2}};
    struct store_result first = suite_ask(suite, &site);
    assert_int_equal(first.status, STORE_DONE);
    assert_int_equal(first.agent_count, 2);
    uint32_t ana = first.agents[0];
    uint32_t bot = first.agents[1];
    assert_int_not_equal(ana, 0);
    assert_int_not_equal(ana, bot);

    agents[0] = agents[1];
    site.site.agent_count = 1;
    struct store_result second = suite_ask(suite, &site);
    assert_int_equal(second.site, first.site);
    assert_int_equal(second.agents[0], bot);

    site.site.name = bytes_of_text("harbour");
    struct store_result third = suite_ask(suite, &site);
    assert_int_not_equal(third.site, first.site);
    assert_int_not_equal(third.agents[0], bot);
}

static void a_claim_takes_higher_epochs_only(void **state)
{
    struct suite *suite = *state;
    struct store_request lower = suite_claim(SUITE_EPOCH - 1, "router-b");
    struct store_request equal_of_mine = suite_claim(SUITE_EPOCH, "router-a");
    struct store_request equal_of_another = suite_claim(SUITE_EPOCH, "router-b");
    struct store_request higher = suite_claim(SUITE_EPOCH + 1, "router-b");

    assert_int_equal(suite_ask(suite, &lower).status, STORE_FENCED);
    assert_int_equal(suite_ask(suite, &equal_of_mine).status, STORE_DONE);
    assert_int_equal(suite_ask(suite, &equal_of_another).status, STORE_FENCED);
    assert_int_equal(suite_ask(suite, &higher).status, STORE_DONE);
    assert_int_equal(suite_ask(suite, &equal_of_mine).status, STORE_FENCED);
}

static void an_owner_that_lost_its_epoch_moves_nothing(void **state)
{
    struct suite *suite = *state;
    struct ticket_id ticket = suite_ticket(suite, "key-00001");
    struct store_request batch[3] = {
        suite_move(STORE_ASSIGN, ticket, 1),
        suite_claim(SUITE_EPOCH + 1, "router-b"),
        suite_move(STORE_ASSIGN, ticket, 1),
    };
    batch[0].epoch = SUITE_EPOCH - 1;

    const struct store_result *results = suite_ask_many(suite, batch, 3);

    assert_int_equal(results[0].status, STORE_FENCED);
    assert_int_equal(results[1].status, STORE_DONE);
    assert_int_equal(results[2].status, STORE_FENCED);
    assert_int_equal(suite_row(suite, ticket).state, TICKET_QUEUED);
}

static void a_ticket_of_another_partition_is_absent_for_its_moves(void **state)
{
    struct suite *suite = *state;
    struct ticket_id ticket = suite_ticket(suite, "key-00001");
    struct store_request claim = suite_claim(SUITE_EPOCH, "router-a");
    claim.part = 2;
    assert_int_equal(suite_ask(suite, &claim).status, STORE_DONE);
    struct store_request batch[2] = {
        suite_move(STORE_ASSIGN, ticket, 1),
        suite_move(STORE_ASSIGN, (struct ticket_id){.hi = 9}, 1),
    };
    batch[0].part = 2;

    const struct store_result *results = suite_ask_many(suite, batch, 2);

    assert_int_equal(results[0].status, STORE_ABSENT);
    assert_int_equal(results[1].status, STORE_ABSENT);
}

static void completions_come_in_the_order_of_a_ports_submissions(void **state)
{
    struct suite *suite = *state;
    static struct store_request requests[STORE_PORT_JOBS_MAX];
    store_port_done(suite->port);
    for (uint32_t i = 0; i < STORE_PORT_JOBS_MAX; i++) {
        requests[i] = suite_claim(SUITE_EPOCH, "router-a");
        assert_int_equal(store_port_submit(suite->port, i, &requests[i], 1), VT_OK);
    }
    assert_int_equal(store_port_submit(suite->port, 0, requests, 1), VT_FULL);

    for (uint32_t i = 0; i < STORE_PORT_JOBS_MAX; i++) {
        assert_int_equal(suite_wait(suite).token, i);
    }
    struct store_completion none;
    assert_false(store_port_next(suite->port, &none));
    assert_int_equal(store_port_submit(suite->port, 0, requests, 1), VT_OK);
    assert_int_equal(suite_wait(suite).token, 0);
}

static void the_clock_never_falls(void **state)
{
    struct suite *suite = *state;
    suite_ticket(suite, "key-00001");
    atomic_fetch_sub(&suite->now_us, 5000000);

    struct ticket_id later = suite_ticket(suite, "key-00002");

    assert_int_equal(suite_row(suite, later).created_us, SUITE_START_US);
}

static void names_of_pools_and_queues_keep_their_numbers(void **state)
{
    struct suite *suite = *state;
    struct store_name pools[2] = {{.name = bytes_of_text("roads")},
                                  {.name = bytes_of_text("taxes")}};
    struct store_name queues[1] = {{.name = bytes_of_text("potholes")}};
    assert_int_equal(store_intern_pools(suite->store, pools, 2), VT_OK);
    assert_int_equal(store_intern_queues(suite->store, queues, 1), VT_OK);
    uint32_t roads = pools[0].number;
    assert_int_not_equal(roads, 0);
    assert_int_not_equal(roads, pools[1].number);

    suite_stop(suite);
    suite_start(suite);
    struct store_name again[1] = {{.name = bytes_of_text("roads")}};
    assert_int_equal(store_intern_pools(suite->store, again, 1), VT_OK);
    assert_int_equal(again[0].number, roads);
    assert_int_equal(queues[0].number, 1);
}

static void figures_count_what_was_done(void **state)
{
    struct suite *suite = *state;
    suite_ticket(suite, "key-00001");

    static struct store_figures figures;
    store_figures(suite->store, &figures);

    assert_int_equal(figures.tickets, 1);
    assert_int_equal(figures.keys, 1);
    assert_int_equal(figures.commits, 2);
    assert_int_equal(figures.requests, 2);
    assert_int_equal(figures.queue_depth, 0);
    assert_false(figures.is_failing);
    assert_true(figures.file_bytes > 0);
}

int main(void)
{
#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_submitted_ticket_is_queued_with_all_it_came_with),
        STORE_TEST(a_repeated_submit_is_told_of_the_first_ticket),
        STORE_TEST(repeats_inside_one_batch_make_one_ticket),
        STORE_TEST(a_key_with_another_body_is_a_mismatch),
        STORE_TEST(a_key_is_forgotten_after_its_life),
        STORE_TEST(one_bad_request_costs_the_others_of_its_batch_nothing),
        STORE_TEST(a_message_raises_the_count_and_wakes_a_parked_ticket),
        STORE_TEST(a_repeated_message_is_recognised_by_its_key),
        STORE_TEST(a_message_on_a_closed_or_unknown_ticket_is_not_taken),
        STORE_TEST(a_site_and_its_agents_keep_their_numbers),
        STORE_TEST(a_claim_takes_higher_epochs_only),
        STORE_TEST(an_owner_that_lost_its_epoch_moves_nothing),
        STORE_TEST(a_ticket_of_another_partition_is_absent_for_its_moves),
        STORE_TEST(completions_come_in_the_order_of_a_ports_submissions),
        STORE_TEST(the_clock_never_falls),
        STORE_TEST(names_of_pools_and_queues_keep_their_numbers),
        STORE_TEST(figures_count_what_was_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
