#include <string.h>

#include "tests/unit/broker_world.h"

static const struct address local = {LINK_LOCAL, 1};

static void ask(struct broker_world *world, struct address from, enum query_what what)
{
    struct query query = {.ref = 11, .what = what, .ticket = {UINT64_C(0x7001), 8}}; /* part 1 */
    struct header header = {.kind = MESSAGE_QUERY};
    steps_receive(&world->steps, from, &header, &query, 1);
}

static uint64_t router_ref(struct broker_world *world, struct address router)
{
    const struct message *message = steps_find_send_to(&world->steps, MESSAGE_QUERY, router);
    assert_non_null(message);
    return message->query->ref;
}

static void reply(struct broker_world *world, struct address router, struct reply reply)
{
    struct header header = {.kind = MESSAGE_REPLY};
    steps_receive(&world->steps, router, &header, &reply, 1);
}

/* The entry of this row kind among all replies of the last call, or NULL. */
static const struct reply *find_reply(struct broker_world *world, enum reply_row row)
{
    const struct message *message = steps_find_send(&world->steps, MESSAGE_REPLY, 0);
    for (uint32_t i = 0; message != NULL && i < message->count; i++) {
        if (message->reply[i].row == row) {
            return &message->reply[i];
        }
    }
    return NULL;
}

static void load(struct broker_world *world, vt_err error, uint32_t row_count)
{
    const struct effect *effect = steps_find(&world->steps, EFFECT_LOAD, 0);
    assert_non_null(effect);
    struct ticket_row row = {.id = effect->load.request.ticket, .queue = 10, .state = TICKET_DONE};
    struct history_row history[2] = {{.seq = 1, .kind = HISTORY_SUBMITTED},
                                     {.seq = 2, .kind = HISTORY_ASSIGNED}};
    history[1].agent_name = bytes_of_text("ana");
    struct load_page page = {.rows = &row,
                             .row_count = row_count,
                             .history = history,
                             .history_count = 2,
                             .answer = bytes_of_text("arreglado")};
    steps_loaded(&world->steps, effect->load.token, error, &page);
}

static void a_ticket_is_read_from_the_store_with_its_history(void **state)
{
    struct broker_world *world = *state;

    ask(world, world_client, QUERY_TICKET);
    load(world, VT_OK, 1);

    const struct message *message = steps_find_send_to(&world->steps, MESSAGE_REPLY, world_client);
    assert_non_null(message);
    assert_int_equal(message->count, 4);
    assert_int_equal(message->reply[0].ref, 11);
    assert_int_equal(message->reply[0].row, ROW_TICKET);
    assert_true(bytes_equal_text(message->reply[0].ticket.queue_name, "aceras"));
    assert_true(bytes_equal_text(message->reply[0].ticket.answer, "arreglado"));
    assert_int_equal(message->reply[0].ticket.agents_able, UINT32_MAX);
    assert_int_equal(message->reply[2].row, ROW_HISTORY);
    assert_true(bytes_equal_text(message->reply[2].history.agent_name, "ana"));
    assert_int_equal(message->reply[3].row, ROW_END);
    assert_int_equal(message->reply[3].end.error, VT_OK);
}

static void an_unknown_ticket_and_an_unreadable_store_are_told_apart(void **state)
{
    struct broker_world *world = *state;

    ask(world, world_client, QUERY_TICKET);
    load(world, VT_OK, 0);
    assert_int_equal(find_reply(world, ROW_END)->end.error, VT_NOT_FOUND);

    ask(world, world_client, QUERY_TICKET);
    load(world, VT_UNAVAILABLE, 0);
    assert_int_equal(find_reply(world, ROW_END)->end.error, VT_UNAVAILABLE);
}

static void the_owner_says_how_many_agents_are_able_if_it_does_in_time(void **state)
{
    struct broker_world *world = *state;
    world_owns(world, world_router, 100);

    ask(world, world_client, QUERY_TICKET);
    assert_null(steps_find(&world->steps, EFFECT_LOAD, 0));
    struct reply able = {.ref = router_ref(world, world_router), .row = ROW_TICKET};
    able.ticket.agents_able = 6;
    reply(world, world_router, able);
    load(world, VT_OK, 1);
    assert_int_equal(find_reply(world, ROW_TICKET)->ticket.agents_able, 6);

    ask(world, world_client, QUERY_TICKET);
    steps_wait(&world->steps, 300);
    load(world, VT_OK, 1);
    assert_int_equal(find_reply(world, ROW_TICKET)->ticket.agents_able, UINT32_MAX);
}

static void rows_of_all_owners_are_passed_on_until_all_have_ended(void **state)
{
    struct broker_world *world = *state;
    struct address second = {LINK_ROUTERS, 4};
    struct owns owns = {.part = 2, .epoch = 7};
    struct header header = {.kind = MESSAGE_OWNS, .flags = HEADER_FIRST | HEADER_LAST};
    world_owns(world, world_router, 100);
    steps_receive(&world->steps, second, &header, &owns, 1);

    ask(world, world_client, QUERY_QUEUES);
    uint64_t ref = router_ref(world, world_router);
    struct reply row = {.ref = ref, .row = ROW_QUEUE};
    row.queue.name = bytes_of_text("aceras");
    reply(world, world_router, row);
    assert_int_equal(find_reply(world, ROW_QUEUE)->ref, 11);
    reply(world, world_router, (struct reply){.ref = ref, .row = ROW_END});
    assert_null(find_reply(world, ROW_END));
    reply(world, second, (struct reply){.ref = ref, .row = ROW_END});

    assert_int_equal(find_reply(world, ROW_END)->end.error, VT_OK);
}

static void a_router_that_does_not_answer_costs_two_seconds(void **state)
{
    struct broker_world *world = *state;
    world_owns(world, world_router, 100);

    ask(world, world_client, QUERY_AGENTS);
    steps_wait(&world->steps, 1999);
    assert_null(find_reply(world, ROW_END));
    steps_wait(&world->steps, 1);

    assert_int_equal(find_reply(world, ROW_END)->end.error, VT_TIMEOUT);
}

static void a_router_that_goes_away_ends_its_answer_at_once(void **state)
{
    struct broker_world *world = *state;
    world_owns(world, world_router, 100);
    ask(world, world_client, QUERY_AGENTS);

    steps_link_down(&world->steps, world_router);

    assert_int_equal(find_reply(world, ROW_END)->end.error, VT_UNAVAILABLE);
}

static void a_full_table_says_so(void **state)
{
    struct broker_world *world = *state;
    world_owns(world, world_router, 100);
    for (int i = 0; i < 4; i++) {
        ask(world, world_client, QUERY_AGENTS);
    }

    ask(world, world_client, QUERY_AGENTS);

    assert_int_equal(find_reply(world, ROW_END)->end.error, VT_FULL);
}

static void figures_are_for_the_process_around_only(void **state)
{
    struct broker_world *world = *state;

    ask(world, world_client, QUERY_METRICS);

    assert_int_equal(find_reply(world, ROW_END)->end.error, VT_DENIED);
}

static int64_t metric(struct broker_world *world, const char *name, const char *labels)
{
    const struct message *message = steps_find_send_to(&world->steps, MESSAGE_REPLY, local);
    assert_non_null(message);
    for (uint32_t i = 0; i < message->count; i++) {
        const struct metric *found = &message->reply[i].metric;
        if (message->reply[i].row == ROW_METRIC && bytes_equal_text(found->name, name) &&
            bytes_equal_text(found->labels, labels)) {
            return found->value;
        }
    }
    return -1;
}

static void figures_count_what_happened(void **state)
{
    struct broker_world *world = *state;
    world_owns(world, world_router, 100);
    world_send_submits(world, 1, 3);
    world_store(world);

    ask(world, local, QUERY_METRICS);

    assert_int_equal(metric(world, "ventanilla_intake_total", "result=\"ok\""), 3);
    assert_int_equal(metric(world, "ventanilla_intake_total", "result=\"busy\""), 0);
    assert_int_equal(
        metric(world, "ventanilla_tickets_created_total", "queue=\"aceras\",channel=\"web\""), 3);
    assert_int_equal(metric(world, "ventanilla_outbox_untaken", "part=\"1\""), 4);
    assert_int_equal(metric(world, "ventanilla_store_batches_total", ""), 1);
    assert_int_equal(metric(world, "ventanilla_clients_unacknowledged", ""), 0);
    assert_int_equal(find_reply(world, ROW_END)->end.error, VT_OK);
}

static bool check(struct broker_world *world, const char *name)
{
    const struct message *message = steps_find_send_to(&world->steps, MESSAGE_REPLY, local);
    for (uint32_t i = 0; message != NULL && i < message->count; i++) {
        if (message->reply[i].row == ROW_CHECK &&
            bytes_equal_text(message->reply[i].check.name, name)) {
            return message->reply[i].check.is_ok;
        }
    }
    fail_msg("no check of this name");
    return false;
}

static void a_broker_is_ready_when_it_has_a_plan_owners_and_a_store(void **state)
{
    struct broker_world *world = *state;
    ask(world, local, QUERY_CHECKS);
    assert_true(check(world, "plan"));
    assert_true(check(world, "store"));
    assert_false(check(world, "owners"));

    world_owns(world, world_router, 100);
    world->plan.pool_count = 1;
    world_send_submits(world, 1, 1);
    world_store_as(world, STORE_FAILED);
    ask(world, local, QUERY_CHECKS);

    assert_true(check(world, "owners"));
    assert_false(check(world, "store"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_ticket_is_read_from_the_store_with_its_history),
        TEST(an_unknown_ticket_and_an_unreadable_store_are_told_apart),
        TEST(the_owner_says_how_many_agents_are_able_if_it_does_in_time),
        TEST(rows_of_all_owners_are_passed_on_until_all_have_ended),
        TEST(a_router_that_does_not_answer_costs_two_seconds),
        TEST(a_router_that_goes_away_ends_its_answer_at_once),
        TEST(a_full_table_says_so),
        TEST(figures_are_for_the_process_around_only),
        TEST(figures_count_what_happened),
        TEST(a_broker_is_ready_when_it_has_a_plan_owners_and_a_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
