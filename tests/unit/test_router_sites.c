#include "tests/unit/flow.h"

static void the_highest_priority_is_offered_first_after_a_restart(void **state)
{
    struct flow *flow = *state;
    struct ticket_row rows[] = {flow_row(flow, 1), flow_row(flow, 2)};
    rows[1].priority = 90;
    flow_serve(flow, NULL, 0, rows, 2);

    flow_ana_up(flow);

    assert_true(id_equal(flow_offered(flow).ticket, flow_ticket_id(2)));
    assert_int_equal(steps_count_entries(&flow->steps, MESSAGE_OFFER), 1);
}

static void a_site_that_stays_away_loses_its_ticket_after_grace(void **state)
{
    struct flow *flow = *state;
    flow_work(flow);
    struct site_up down = {.name = bytes_of_text("oficina")};
    struct header like = flow_header(flow, MESSAGE_SITE_DOWN);
    steps_receive(&flow->steps, flow_broker, &like, &down, 1);

    steps_wait(&flow->steps, 29999);
    assert_int_equal(steps_count(&flow->steps, EFFECT_STORE), 0);
    steps_wait(&flow->steps, 1);

    const struct store_request *request = &flow_store_effect(flow)->store.requests[0];
    assert_int_equal(request->kind, STORE_REQUEUE);
    assert_int_equal(request->move.cause, REQUEUE_GRACE_OVER);
    assert_int_equal(request->move.attempt, 1);
}

static void a_silent_site_is_down_after_fifteen_seconds(void **state)
{
    struct flow *flow = *state;
    flow_work(flow);

    steps_wait(&flow->steps, 15000);
    steps_wait(&flow->steps, 30000);

    assert_int_equal(flow_store_effect(flow)->store.requests[0].move.cause, REQUEUE_GRACE_OVER);
}

static void a_site_that_returns_within_grace_keeps_its_ticket(void **state)
{
    struct flow *flow = *state;
    flow_work(flow);
    struct site_up down = {.name = bytes_of_text("oficina")};
    struct header like = flow_header(flow, MESSAGE_SITE_DOWN);
    steps_receive(&flow->steps, flow_broker, &like, &down, 1);
    struct held held = {.part = FLOW_PART,
                        .ticket = flow_ticket_id(1),
                        .attempt = 1,
                        .agent = FLOW_ANA,
                        .state = HELD_WORKING};
    steps_wait(&flow->steps, 20000);
    flow->session.connect = 2;
    struct agent ana = flow_agent(flow, FLOW_ANA, "ana");
    ana.free = 0;

    flow_site_up(flow, &ana, 1, &held, 1);
    steps_wait(&flow->steps, 10001);

    assert_int_equal(steps_count(&flow->steps, EFFECT_STORE), 0);
    flow_outcome(flow, OUTCOME_COMPLETE);
    assert_int_equal(flow_store_effect(flow)->store.requests[0].kind, STORE_COMPLETE);
}

static void a_new_session_that_does_not_hold_the_ticket_gives_it_back_to_the_queue(void **state)
{
    struct flow *flow = *state;
    flow_work(flow);
    flow->session.boot = 2;

    flow_ana_up(flow);

    const struct store_request *request = &flow_store_effect(flow)->store.requests[0];
    assert_int_equal(request->kind, STORE_REQUEUE);
    assert_int_equal(request->move.cause, REQUEUE_NEVER_CONFIRMED);
}

static void a_held_ticket_that_is_not_the_sites_is_released(void **state)
{
    struct flow *flow = *state;
    flow_serve(flow, NULL, 0, NULL, 0);
    struct held held[] = {
        {.part = FLOW_PART, .ticket = flow_ticket_id(1), .attempt = 1, .agent = FLOW_ANA},
        {.part = FLOW_PART,
         .ticket = flow_ticket_id(2),
         .attempt = 1,
         .agent = FLOW_ANA,
         .state = HELD_ENDED}};
    struct agent ana = flow_agent(flow, FLOW_ANA, "ana");

    flow_site_up(flow, &ana, 1, held, 2);

    assert_int_equal(steps_count_entries(&flow->steps, MESSAGE_RELEASE), 1);
    const struct message *release = steps_find_send(&flow->steps, MESSAGE_RELEASE, 0);
    assert_int_equal(release->release[0].why, RELEASE_NOT_YOURS);
    assert_true(id_equal(release->release[0].ticket, flow_ticket_id(1)));
}

static void a_session_that_is_not_known_is_asked_for(void **state)
{
    struct flow *flow = *state;
    flow_serve(flow, NULL, 0, NULL, 0);

    flow_outcome(flow, OUTCOME_COMPLETE);

    assert_int_equal(steps_count_sends(&flow->steps, MESSAGE_SITE_ASK), 1);
    assert_int_equal(steps_count(&flow->steps, EFFECT_STORE), 0);
}

static void a_session_of_an_older_boot_is_told_the_floor(void **state)
{
    struct flow *flow = *state;
    flow->session.boot = 7;
    flow_work(flow);
    flow->session.boot = 3;

    flow_outcome(flow, OUTCOME_COMPLETE);

    const struct message *stale = steps_find_send(&flow->steps, MESSAGE_SITE_STALE, 0);
    assert_non_null(stale);
    assert_int_equal(stale->site_up[0].floor, 7);
    assert_int_equal(steps_count(&flow->steps, EFFECT_STORE), 0);
}

static void a_digest_that_differs_asks_for_the_list_and_judges_it(void **state)
{
    struct flow *flow = *state;
    flow_work(flow);
    uint64_t seq = steps_find_send(&flow->steps, MESSAGE_CONFIRM, 0)->header.seq;
    struct beat beat = {.held_count = 0};
    struct header like = flow_header(flow, MESSAGE_BEAT);
    steps_wait(&flow->steps, 10000);

    steps_receive(&flow->steps, flow_broker, &like, &beat, 1);
    assert_int_equal(steps_count_sends(&flow->steps, MESSAGE_HELD_ASK), 1);
    like.kind = MESSAGE_HELD;
    like.flags = HEADER_FIRST | HEADER_LAST;
    like.seq = seq - 1;
    steps_receive(&flow->steps, flow_broker, &like, NULL, 0);
    assert_int_equal(steps_count(&flow->steps, EFFECT_STORE), 0);
    like.seq = seq;
    steps_receive(&flow->steps, flow_broker, &like, NULL, 0);

    const struct store_request *request = &flow_store_effect(flow)->store.requests[0];
    assert_int_equal(request->move.cause, REQUEUE_NEVER_CONFIRMED);
}

static void rows_assigned_before_a_restart_are_verified_with_a_fresh_grace(void **state)
{
    struct flow *flow = *state;
    struct ticket_row rows[] = {flow_assigned_row(flow, 1, FLOW_ANA)};
    flow_serve(flow, rows, 1, NULL, 0);

    steps_wait(&flow->steps, 29999);
    assert_int_equal(steps_count(&flow->steps, EFFECT_STORE), 0);
    steps_wait(&flow->steps, 1);

    assert_int_equal(flow_store_effect(flow)->store.requests[0].move.cause, REQUEUE_GRACE_OVER);
}

static void after_a_restart_an_accepted_ticket_is_confirmed_again(void **state)
{
    struct flow *flow = *state;
    struct ticket_row rows[] = {flow_assigned_row(flow, 1, FLOW_ANA)};
    flow_serve(flow, rows, 1, NULL, 0);
    struct held held = {
        .part = FLOW_PART, .ticket = flow_ticket_id(1), .attempt = 1, .agent = FLOW_ANA};
    struct agent ana = flow_agent(flow, FLOW_ANA, "ana");
    ana.free = 0;
    flow_site_up(flow, &ana, 1, &held, 1);

    struct load_page page = {
        .rows = rows, .row_count = 1, .body = bytes_of_text("body"), .store_now_us = FLOW_STORE_US};
    steps_loaded(&flow->steps, flow_load_token(flow), VT_OK, &page);

    assert_int_equal(steps_count_entries(&flow->steps, MESSAGE_CONFIRM), 1);
    steps_wait(&flow->steps, 14000);
    assert_int_equal(steps_count(&flow->steps, EFFECT_STORE), 0);
}

static void an_accepted_offer_whose_site_came_back_anew_is_verified(void **state)
{
    struct flow *flow = *state;
    flow_accept_first(flow);
    uint64_t token = flow_store_effect(flow)->store.token;
    flow->session.boot = 2;
    flow_ana_up(flow);

    struct store_result result = {.status = STORE_DONE,
                                  .row = flow_assigned_row(flow, 1, FLOW_ANA)};
    steps_stored(&flow->steps, token, &result, 1);

    assert_int_equal(steps_count_sends(&flow->steps, MESSAGE_CONFIRM), 0);
    steps_wait(&flow->steps, 10000);
    struct beat beat = {0};
    struct header like = flow_header(flow, MESSAGE_BEAT);
    like.part = PART_ALL;
    steps_receive(&flow->steps, flow_broker, &like, &beat, 1);
    steps_wait(&flow->steps, 10000);
    steps_receive(&flow->steps, flow_broker, &like, &beat, 1);
    steps_wait(&flow->steps, 10000);
    assert_int_equal(flow_store_effect(flow)->store.requests[0].kind, STORE_REQUEUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            the_highest_priority_is_offered_first_after_a_restart, flow_set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(
            a_site_that_stays_away_loses_its_ticket_after_grace, flow_set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(
            a_silent_site_is_down_after_fifteen_seconds, flow_set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(
            a_site_that_returns_within_grace_keeps_its_ticket, flow_set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(
            a_new_session_that_does_not_hold_the_ticket_gives_it_back_to_the_queue,
            flow_set_up,
            flow_tear_down),
        cmocka_unit_test_setup_teardown(
            a_held_ticket_that_is_not_the_sites_is_released, flow_set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(
            a_session_that_is_not_known_is_asked_for, flow_set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(
            a_session_of_an_older_boot_is_told_the_floor, flow_set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(
            a_digest_that_differs_asks_for_the_list_and_judges_it, flow_set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(
            rows_assigned_before_a_restart_are_verified_with_a_fresh_grace,
            flow_set_up,
            flow_tear_down),
        cmocka_unit_test_setup_teardown(
            after_a_restart_an_accepted_ticket_is_confirmed_again, flow_set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(
            an_accepted_offer_whose_site_came_back_anew_is_verified, flow_set_up, flow_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
