#include "tests/unit/flow.h"

static void a_repeated_outcome_is_acknowledged_from_the_row(void **state)
{
    struct flow *flow = *state;
    flow_work(flow);
    flow_outcome(flow, OUTCOME_COMPLETE);
    flow_stored(flow, &(struct store_result){.status = STORE_DONE});

    flow_outcome(flow, OUTCOME_COMPLETE);
    struct ticket_row done = flow_assigned_row(flow, 1, FLOW_ANA);
    done.state = TICKET_DONE;
    done.rev = 3;
    flow_stored(flow, &(struct store_result){.status = STORE_DUPLICATE, .row = done});

    assert_int_equal(flow_verdict(flow)->verdict, VERDICT_ACK);
}

static void a_ticket_given_back_goes_to_another_agent_first(void **state)
{
    struct flow *flow = *state;
    flow_serve(flow, NULL, 0, NULL, 0);
    flow_both_up(flow);
    struct ticket_row ticket = flow_row(flow, 1);
    flow_forward_ticket(flow, &ticket);
    struct offer offer = flow_offered(flow);
    assert_int_equal(offer.agent, FLOW_ANA);
    flow_accept(flow, &offer);
    flow_stored(
        flow,
        &(struct store_result){.status = STORE_DONE, .row = flow_assigned_row(flow, 1, FLOW_ANA)});

    flow_outcome(flow, OUTCOME_GIVE_BACK);
    const struct store_request *request = &flow_store_effect(flow)->store.requests[0];
    assert_int_equal(request->kind, STORE_REQUEUE);
    assert_int_equal(request->move.cause, REQUEUE_GIVE_BACK);
    flow_stored(flow, &(struct store_result){.status = STORE_DONE});

    assert_int_equal(flow_verdict(flow)->verdict, VERDICT_ACK);
    assert_int_equal(flow_offered(flow).agent, FLOW_BEN);
    assert_int_equal(flow_offered(flow).attempt, 2);
}

static void a_ticket_that_all_gave_back_rests_before_the_first_of_them_gets_it_again(void **state)
{
    struct flow *flow = *state;
    flow_serve(flow, NULL, 0, NULL, 0);
    flow_both_up(flow);
    struct ticket_row ticket = flow_row(flow, 1);
    flow_forward_ticket(flow, &ticket);
    struct offer offer = flow_offered(flow);
    flow_accept(flow, &offer);
    flow_stored(
        flow,
        &(struct store_result){.status = STORE_DONE, .row = flow_assigned_row(flow, 1, FLOW_ANA)});
    flow_outcome(flow, OUTCOME_GIVE_BACK);
    flow_stored(flow, &(struct store_result){.status = STORE_DONE});
    offer = flow_offered(flow);
    assert_int_equal(offer.agent, FLOW_BEN);
    steps_wait(&flow->steps, 1000);
    flow_accept(flow, &offer);
    struct ticket_row second = flow_assigned_row(flow, 1, FLOW_BEN);
    second.attempt = 2;
    second.rev += 2;
    flow_stored(flow, &(struct store_result){.status = STORE_DONE, .row = second});

    struct outcome outcome = {.what = OUTCOME_GIVE_BACK,
                              .ticket = offer.ticket,
                              .attempt = 2,
                              .agent = FLOW_BEN,
                              .seen = 1};
    struct header header = flow_header(flow, MESSAGE_OUTCOME);
    steps_receive(&flow->steps, flow_broker, &header, &outcome, 1);
    flow_stored(flow, &(struct store_result){.status = STORE_DONE});

    assert_int_equal(steps_count_sends(&flow->steps, MESSAGE_OFFER), 0);
    steps_wait(&flow->steps, 13000);
    struct avail alive = {.agent = FLOW_ANA, .free = 1, .is_available = true};
    header = flow_header(flow, MESSAGE_AVAIL);
    steps_receive(&flow->steps, flow_broker, &header, &alive, 1);
    assert_int_equal(steps_count_sends(&flow->steps, MESSAGE_OFFER), 0);
    steps_wait(&flow->steps, 1000);
    assert_int_equal(flow_offered(flow).agent, FLOW_ANA);
}

static void a_late_completion_of_an_older_attempt_keeps_its_text_and_is_stale(void **state)
{
    struct flow *flow = *state;
    flow_work(flow);
    flow_outcome(flow, OUTCOME_COMPLETE);
    struct ticket_row newer = flow_assigned_row(flow, 1, FLOW_BEN);
    newer.attempt = 2;
    newer.rev = 5;

    flow_stored(flow, &(struct store_result){.status = STORE_REFUSED, .row = newer});

    assert_int_equal(steps_count_sends(&flow->steps, MESSAGE_VERDICT), 0);
    const struct store_request *request = &flow_store_effect(flow)->store.requests[0];
    assert_int_equal(request->kind, STORE_NOTE);
    assert_true(bytes_equal_text(request->move.text, "answer"));
    flow_stored(flow, &(struct store_result){.status = STORE_DONE});
    assert_int_equal(flow_verdict(flow)->verdict, VERDICT_STALE);
}

static void a_fenced_write_is_answered_to_nobody(void **state)
{
    struct flow *flow = *state;
    flow_work(flow);
    flow_outcome(flow, OUTCOME_COMPLETE);

    flow_stored(flow, &(struct store_result){.status = STORE_FENCED});

    assert_int_equal(steps_count_sends(&flow->steps, MESSAGE_VERDICT), 0);
    flow_outcome(flow, OUTCOME_COMPLETE);
    assert_int_equal(steps_count_sends(&flow->steps, MESSAGE_NOT_OWNER), 1);
}

static void a_failed_write_is_tried_again_with_its_text(void **state)
{
    struct flow *flow = *state;
    flow_work(flow);
    flow_outcome(flow, OUTCOME_COMPLETE);

    flow_stored(flow, &(struct store_result){.status = STORE_FAILED});
    assert_int_equal(steps_count(&flow->steps, EFFECT_STORE), 0);
    assert_int_equal(steps_count_sends(&flow->steps, MESSAGE_VERDICT), 0);
    steps_wait(&flow->steps, 200);

    assert_true(bytes_equal_text(flow_store_effect(flow)->store.requests[0].move.text, "answer"));
    flow_stored(flow, &(struct store_result){.status = STORE_DONE});
    assert_int_equal(flow_verdict(flow)->verdict, VERDICT_ACK);
}

static void an_assignment_of_unknown_outcome_is_decided_by_its_row(void **state)
{
    struct flow *flow = *state;
    flow_accept_first(flow);

    flow_stored(flow, &(struct store_result){.status = STORE_UNCERTAIN});
    assert_int_equal(steps_count_sends(&flow->steps, MESSAGE_CONFIRM), 0);
    const struct effect *load = steps_find(&flow->steps, EFFECT_LOAD, 0);
    assert_int_equal(load->load.request.kind, LOAD_TICKET);
    struct ticket_row found = flow_assigned_row(flow, 1, FLOW_ANA);
    struct load_page page = {.rows = &found,
                             .row_count = 1,
                             .body = bytes_of_text("body"),
                             .store_now_us = FLOW_STORE_US};
    steps_loaded(&flow->steps, load->load.token, VT_OK, &page);

    const struct message *confirm = steps_find_send(&flow->steps, MESSAGE_CONFIRM, 0);
    assert_non_null(confirm);
    assert_true(bytes_equal_text(confirm->confirm[0].body, "body"));
}

static void a_repeated_acceptance_is_confirmed_again_with_the_body(void **state)
{
    struct flow *flow = *state;
    struct ticket_row row = flow_assigned_row(flow, 1, FLOW_ANA);
    struct load_page page = {
        .rows = &row, .row_count = 1, .body = bytes_of_text("body"), .store_now_us = FLOW_STORE_US};
    struct offer offer = {.offer = 1, .ticket = flow_ticket_id(1), .attempt = 1, .agent = FLOW_ANA};
    flow_work(flow);

    flow_accept(flow, &offer);
    uint64_t token = flow_load_token(flow);
    flow_accept(flow, &offer);
    assert_int_equal(steps_count(&flow->steps, EFFECT_LOAD), 0);
    steps_loaded(&flow->steps, token, VT_OK, &page);

    assert_int_equal(steps_count_entries(&flow->steps, MESSAGE_CONFIRM), 1);
    assert_int_equal(steps_count(&flow->steps, EFFECT_LOAD), 0);
}

static void a_refused_assignment_releases_the_agent(void **state)
{
    struct flow *flow = *state;
    flow_accept_first(flow);
    struct ticket_row cancelled = flow_row(flow, 1);
    cancelled.state = TICKET_CANCELLED;
    cancelled.rev = 2;

    flow_stored(flow, &(struct store_result){.status = STORE_REFUSED, .row = cancelled});

    assert_int_equal(steps_count_entries(&flow->steps, MESSAGE_RELEASE), 1);
    assert_int_equal(steps_count_sends(&flow->steps, MESSAGE_OFFER), 0);
}

static void a_ticket_handed_off_waits_for_a_person(void **state)
{
    struct flow *flow = *state;
    flow_serve(flow, NULL, 0, NULL, 0);
    struct agent both[] = {flow_agent(flow, FLOW_ANA, "ana"), flow_agent(flow, FLOW_BEN, "ben")};
    both[1].is_person = true;
    flow_site_up(flow, both, 2, NULL, 0);
    struct ticket_row ticket = flow_row(flow, 1);
    flow_forward_ticket(flow, &ticket);
    struct offer offer = flow_offered(flow);
    if (offer.agent != FLOW_ANA) {
        flow_decline(flow, &offer);
        offer = flow_offered(flow);
    }
    flow_accept(flow, &offer);
    flow_stored(
        flow,
        &(struct store_result){.status = STORE_DONE, .row = flow_assigned_row(flow, 1, FLOW_ANA)});

    flow_outcome(flow, OUTCOME_HANDOFF);
    assert_int_equal(flow_store_effect(flow)->store.requests[0].move.cause, REQUEUE_HANDOFF);
    flow_stored(flow, &(struct store_result){.status = STORE_DONE});

    assert_int_equal(flow_offered(flow).agent, FLOW_BEN);
}

static void a_ticket_that_failed_too_often_dies(void **state)
{
    struct flow *flow = *state;
    struct ticket_row lost = flow_row(flow, 1);
    lost.fails = 3;
    lost.attempt = 3;
    lost.agent = FLOW_ANA;

    flow_serve(flow, NULL, 0, &lost, 1);

    const struct store_request *request = &flow_store_effect(flow)->store.requests[0];
    assert_int_equal(request->kind, STORE_DEAD);
    assert_int_equal(request->move.max_fails, 3);
    flow_stored(flow, &(struct store_result){.status = STORE_DONE});
    assert_int_equal(steps_find_send(&flow->steps, MESSAGE_UPDATE, 0)->update[0].state,
                     TICKET_DEAD);
}

static void a_late_completion_drops_the_ticket_that_waits_again(void **state)
{
    struct flow *flow = *state;
    struct ticket_row lost = flow_assigned_row(flow, 1, FLOW_ANA);
    lost.state = TICKET_QUEUED;
    lost.fails = 1;
    flow_serve(flow, NULL, 0, &lost, 1);
    struct agent ana = flow_agent(flow, FLOW_ANA, "ana");
    ana.free = 0;
    flow_site_up(flow, &ana, 1, NULL, 0);

    flow_outcome(flow, OUTCOME_COMPLETE);
    flow_stored(flow, &(struct store_result){.status = STORE_DONE});
    assert_int_equal(flow_verdict(flow)->verdict, VERDICT_ACK);
    struct avail free = {.agent = FLOW_ANA, .free = 1, .is_available = true};
    struct header like = flow_header(flow, MESSAGE_AVAIL);
    like.part = PART_ALL;
    steps_receive(&flow->steps, flow_broker, &like, &free, 1);

    assert_int_equal(steps_count_sends(&flow->steps, MESSAGE_OFFER), 0);
}

static void a_message_that_the_agent_did_not_see_requeues_the_ticket(void **state)
{
    struct flow *flow = *state;
    flow_work(flow);
    flow_outcome(flow, OUTCOME_COMPLETE);
    struct ticket_row unseen = flow_assigned_row(flow, 1, FLOW_ANA);
    unseen.msgs = 2;
    unseen.rev = 3;

    flow_stored(flow, &(struct store_result){.status = STORE_REFUSED, .row = unseen});

    assert_int_equal(steps_count_sends(&flow->steps, MESSAGE_VERDICT), 0);
    const struct store_request *request = &flow_store_effect(flow)->store.requests[0];
    assert_int_equal(request->kind, STORE_REQUEUE);
    assert_int_equal(request->move.cause, REQUEUE_NEW_MSGS);
    flow_stored(flow, &(struct store_result){.status = STORE_DONE});
    assert_int_equal(flow_verdict(flow)->verdict, VERDICT_NEW_MSGS);
    assert_int_equal(flow_offered(flow).agent, FLOW_ANA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_repeated_outcome_is_acknowledged_from_the_row, flow_set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(
            a_ticket_given_back_goes_to_another_agent_first, flow_set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(
            a_ticket_that_all_gave_back_rests_before_the_first_of_them_gets_it_again,
            flow_set_up,
            flow_tear_down),
        cmocka_unit_test_setup_teardown(
            a_late_completion_of_an_older_attempt_keeps_its_text_and_is_stale,
            flow_set_up,
            flow_tear_down),
        cmocka_unit_test_setup_teardown(
            a_fenced_write_is_answered_to_nobody, flow_set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(
            a_failed_write_is_tried_again_with_its_text, flow_set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(
            an_assignment_of_unknown_outcome_is_decided_by_its_row, flow_set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(
            a_repeated_acceptance_is_confirmed_again_with_the_body, flow_set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(
            a_refused_assignment_releases_the_agent, flow_set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(
            a_ticket_handed_off_waits_for_a_person, flow_set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(
            a_ticket_that_failed_too_often_dies, flow_set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(
            a_late_completion_drops_the_ticket_that_waits_again, flow_set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(
            a_message_that_the_agent_did_not_see_requeues_the_ticket, flow_set_up, flow_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
