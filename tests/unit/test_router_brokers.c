#include "tests/unit/flow.h"

static void forwarded_entries_behind_a_gap_are_not_taken(void **state)
{
    struct flow *flow = *state;
    flow_serve(flow, NULL, 0, NULL, 0);
    struct ticket_row first = flow_row(flow, 1);
    flow_forward_ticket(flow, &first);
    struct ticket_row third = flow_row(flow, 3);
    flow->forwarded++;

    flow_forward_ticket(flow, &third);

    const struct message *taken = steps_find_send(&flow->steps, MESSAGE_TAKEN, 0);
    assert_int_equal(taken->taken[0].upto, 1);
}

static void a_forward_of_another_epoch_is_answered_with_ours(void **state)
{
    struct flow *flow = *state;
    flow_serve(flow, NULL, 0, NULL, 0);
    struct forward entry = {.n = 1, .what = FORWARD_TICKET, .row = flow_row(flow, 1)};
    struct header like = flow_header(flow, MESSAGE_FORWARD);
    like.epoch = FLOW_EPOCH - 1;

    steps_receive(&flow->steps, flow_broker, &like, &entry, 1);

    const struct message *answer = steps_find_send(&flow->steps, MESSAGE_NOT_OWNER, 0);
    assert_non_null(answer);
    assert_int_equal(answer->owns[0].epoch, FLOW_EPOCH);
    assert_int_equal(steps_count_sends(&flow->steps, MESSAGE_TAKEN), 0);
}

static void a_resync_is_taken_only_after_its_reading(void **state)
{
    struct flow *flow = *state;
    flow_serve(flow, NULL, 0, NULL, 0);
    struct ticket_row first = flow_row(flow, 1);
    flow_forward_ticket(flow, &first);

    flow_forward(flow, (struct forward){.what = FORWARD_RESYNC, .since_us = FLOW_STORE_US});
    assert_int_equal(steps_find_send(&flow->steps, MESSAGE_TAKEN, 0)->taken[0].upto, 1);
    const struct effect *load = steps_find(&flow->steps, EFFECT_LOAD, 0);
    assert_int_equal(load->load.request.kind, LOAD_RECENT);
    assert_true(load->load.request.since_us == FLOW_STORE_US - 60000000);
    struct ticket_row found = flow_row(flow, 2);
    flow_loaded(flow, &found, 1);

    assert_int_equal(steps_find_send(&flow->steps, MESSAGE_TAKEN, 0)->taken[0].upto, 2);
    steps_wait(&flow->steps, 8000);
    load = steps_find(&flow->steps, EFFECT_LOAD, 0);
    assert_non_null(load);
    assert_int_equal(load->load.request.kind, LOAD_RECENT);
}

static void a_cancelled_ticket_is_taken_from_its_agent(void **state)
{
    struct flow *flow = *state;
    flow_work(flow);

    flow_forward(flow, (struct forward){.what = FORWARD_CANCEL, .row = {.id = flow_ticket_id(1)}});
    assert_int_equal(flow_store_effect(flow)->store.requests[0].kind, STORE_CANCEL);
    flow_stored(flow, &(struct store_result){.status = STORE_DONE});

    const struct message *release = steps_find_send(&flow->steps, MESSAGE_RELEASE, 0);
    assert_non_null(release);
    assert_int_equal(release->release[0].why, RELEASE_CANCELLED);
    assert_int_equal(steps_find_send(&flow->steps, MESSAGE_UPDATE, 0)->update[0].state,
                     TICKET_CANCELLED);
}

static void a_message_reaches_the_agent_who_works_on_the_ticket(void **state)
{
    struct flow *flow = *state;
    flow_work(flow);
    struct ticket_row noted = flow_assigned_row(flow, 1, FLOW_ANA);
    noted.msgs = 2;
    noted.rev = 3;

    flow_forward(
        flow, (struct forward){.what = FORWARD_NOTE, .row = noted, .text = bytes_of_text("hello")});

    const struct message *note = steps_find_send(&flow->steps, MESSAGE_NOTE_IN, 0);
    assert_non_null(note);
    assert_int_equal(note->note_in[0].msgs, 2);
    assert_true(bytes_equal_text(note->note_in[0].text, "hello"));
}

static void a_message_wakes_a_parked_ticket_for_the_same_agent(void **state)
{
    struct flow *flow = *state;
    flow_work(flow);
    flow_outcome(flow, OUTCOME_PARK);
    flow_stored(flow, &(struct store_result){.status = STORE_DONE});
    assert_int_equal(flow_verdict(flow)->verdict, VERDICT_ACK);
    struct ticket_row woken = flow_assigned_row(flow, 1, FLOW_ANA);
    woken.state = TICKET_QUEUED;
    woken.msgs = 2;
    woken.rev = 4;

    flow_forward(flow, (struct forward){.what = FORWARD_NOTE, .row = woken});

    assert_int_equal(flow_offered(flow).agent, FLOW_ANA);
    assert_int_equal(flow_offered(flow).attempt, 2);
}

static void figures_of_queues_and_agents_are_told(void **state)
{
    struct flow *flow = *state;
    flow_work(flow);
    struct query query = {.ref = 4, .what = QUERY_QUEUES};
    struct header like = {.kind = MESSAGE_QUERY};

    steps_receive(&flow->steps, flow_broker, &like, &query, 1);
    const struct message *reply = steps_find_send(&flow->steps, MESSAGE_REPLY, 0);
    assert_int_equal(reply->count, 2);
    assert_int_equal(reply->reply[0].row, ROW_QUEUE);
    assert_int_equal(reply->reply[0].queue.assigned, 1);
    assert_int_equal(reply->reply[0].queue.waiting, 0);
    assert_int_equal(reply->reply[0].queue.answered_total, 1);
    assert_int_equal(reply->reply[0].queue.entered_total, 1);
    assert_int_equal(reply->reply[0].queue.agents_up, 1);
    assert_int_equal(reply->reply[0].queue.agents_free, 0);
    assert_int_equal(reply->reply[1].row, ROW_END);

    query.what = QUERY_AGENTS;
    steps_receive(&flow->steps, flow_broker, &like, &query, 1);
    reply = steps_find_send(&flow->steps, MESSAGE_REPLY, 0);
    assert_int_equal(reply->reply[0].row, ROW_AGENT);
    assert_int_equal(reply->reply[0].agent.busy, 1);
    assert_int_equal(reply->reply[0].agent.offered, 0);
}

static void metrics_and_checks_are_told_to_the_process_around(void **state)
{
    struct flow *flow = *state;
    struct address local = {LINK_LOCAL, 0};
    struct query query = {.ref = 4, .what = QUERY_CHECKS};
    struct header like = {.kind = MESSAGE_QUERY};
    flow_claim(flow);
    steps_receive(&flow->steps, local, &like, &query, 1);
    const struct message *reply = steps_find_send(&flow->steps, MESSAGE_REPLY, 0);
    assert_false(reply->reply[0].check.is_ok);
    query.what = QUERY_METRICS;
    steps_receive(&flow->steps, local, &like, &query, 1);
    uint32_t found = 0;
    reply = steps_find_send(&flow->steps, MESSAGE_REPLY, 0);
    for (uint32_t i = 0; i < reply->count; i++) {
        found += reply->reply[i].row == ROW_METRIC &&
                         bytes_equal_text(reply->reply[i].metric.name, "ventanilla_tickets_waiting")
                     ? 1U
                     : 0U;
    }
    assert_int_equal(found, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            forwarded_entries_behind_a_gap_are_not_taken, flow_set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(
            a_forward_of_another_epoch_is_answered_with_ours, flow_set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(
            a_resync_is_taken_only_after_its_reading, flow_set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(
            a_cancelled_ticket_is_taken_from_its_agent, flow_set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(
            a_message_reaches_the_agent_who_works_on_the_ticket, flow_set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(
            a_message_wakes_a_parked_ticket_for_the_same_agent, flow_set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(
            figures_of_queues_and_agents_are_told, flow_set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(
            metrics_and_checks_are_told_to_the_process_around, flow_set_up, flow_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
