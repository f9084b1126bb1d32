#include "tests/unit/flow.h"

static void a_forwarded_ticket_reaches_an_agent_and_is_completed(void **state)
{
    struct flow *flow = *state;
    flow_serve(flow, NULL, 0, NULL, 0);
    flow_ana_up(flow);
    struct ticket_row ticket = flow_row(flow, 1);

    flow_forward_ticket(flow, &ticket);

    const struct message *taken = steps_find_send_to(&flow->steps, MESSAGE_TAKEN, flow_broker);
    assert_non_null(taken);
    assert_int_equal(taken->taken[0].upto, 1);
    assert_true(taken->taken[0].broker == FLOW_BROKER_INCARNATION);
    struct offer offer = flow_offered(flow);
    assert_true(id_equal(offer.ticket, flow_ticket_id(1)));
    assert_int_equal(offer.attempt, 1);
    assert_int_equal(offer.agent, FLOW_ANA);
    assert_int_equal(offer.ttl_ms, 20000);
    assert_int_equal(steps_count(&flow->steps, EFFECT_STORE), 0);

    flow_accept(flow, &offer);

    const struct effect *store = flow_store_effect(flow);
    const struct store_request *request = &store->store.requests[0];
    assert_int_equal(request->kind, STORE_ASSIGN);
    assert_int_equal(request->move.attempt, 1);
    assert_int_equal(request->move.agent, FLOW_ANA);
    assert_int_equal(request->move.site, FLOW_SITE);
    assert_int_equal(request->epoch, FLOW_EPOCH);
    assert_int_equal(steps_count_sends(&flow->steps, MESSAGE_CONFIRM), 0);

    struct store_result result = {.status = STORE_DONE,
                                  .row = flow_assigned_row(flow, 1, FLOW_ANA),
                                  .body = bytes_of_text("body")};
    flow_stored(flow, &result);

    const struct message *confirm = steps_find_send(&flow->steps, MESSAGE_CONFIRM, 0);
    assert_non_null(confirm);
    assert_true(bytes_equal_text(confirm->confirm[0].body, "body"));
    assert_int_equal(confirm->header.site, FLOW_SITE);
    const struct message *update = steps_find_send(&flow->steps, MESSAGE_UPDATE, 0);
    assert_non_null(update);
    assert_int_equal(update->update[0].state, TICKET_ASSIGNED);

    flow_outcome(flow, OUTCOME_COMPLETE);
    request = &flow_store_effect(flow)->store.requests[0];
    assert_int_equal(request->kind, STORE_COMPLETE);
    assert_true(bytes_equal_text(request->move.text, "answer"));
    flow_stored(flow, &(struct store_result){.status = STORE_DONE});

    assert_int_equal(flow_verdict(flow)->verdict, VERDICT_ACK);
    update = steps_find_send(&flow->steps, MESSAGE_UPDATE, 0);
    assert_int_equal(update->update[0].state, TICKET_DONE);
}

static void no_offer_is_made_before_the_queued_rows_are_read(void **state)
{
    struct flow *flow = *state;
    struct ticket_row rows[] = {flow_row(flow, 2)};
    struct load_page none = {.store_now_us = FLOW_STORE_US};
    struct load_page queued = {.rows = rows, .row_count = 1, .store_now_us = FLOW_STORE_US};
    rows[0].priority = 90;
    flow_claim(flow);
    uint64_t held_token = flow_load_token(flow);
    flow_ana_up(flow);
    struct ticket_row ticket = flow_row(flow, 1);
    flow_forward_ticket(flow, &ticket);
    assert_int_equal(steps_count_sends(&flow->steps, MESSAGE_OFFER), 0);
    assert_int_equal(steps_count_sends(&flow->steps, MESSAGE_TAKEN), 1);

    steps_loaded(&flow->steps, held_token, VT_OK, &none);
    assert_int_equal(steps_count_sends(&flow->steps, MESSAGE_OFFER), 0);
    steps_loaded(&flow->steps, flow_load_token(flow), VT_OK, &queued);

    assert_int_equal(flow_offered(flow).ticket.lo, 2);
}

static void a_declined_offer_goes_to_the_next_agent(void **state)
{
    struct flow *flow = *state;
    flow_serve(flow, NULL, 0, NULL, 0);
    flow_both_up(flow);
    struct ticket_row ticket = flow_row(flow, 1);
    flow_forward_ticket(flow, &ticket);
    struct offer first = flow_offered(flow);

    flow_decline(flow, &first);

    struct offer second = flow_offered(flow);
    assert_true(id_equal(second.ticket, flow_ticket_id(1)));
    assert_int_not_equal(second.agent, first.agent);
    assert_int_equal(second.attempt, 1);
    assert_int_equal(steps_count(&flow->steps, EFFECT_STORE), 0);
}

static void an_expired_offer_is_withdrawn_and_goes_to_the_next_agent(void **state)
{
    struct flow *flow = *state;
    flow_serve(flow, NULL, 0, NULL, 0);
    flow_both_up(flow);
    struct ticket_row ticket = flow_row(flow, 1);
    flow_forward_ticket(flow, &ticket);
    struct offer first = flow_offered(flow);

    for (uint32_t i = 0; i < 4; i++) {
        struct beat beat = {0};
        struct header like = flow_header(flow, MESSAGE_BEAT);
        like.part = PART_ALL;
        steps_wait(&flow->steps, 4900);
        steps_receive(&flow->steps, flow_broker, &like, &beat, 1);
    }
    steps_wait(&flow->steps, 399);
    assert_int_equal(steps_count_sends(&flow->steps, MESSAGE_RELEASE), 0);
    steps_wait(&flow->steps, 1);

    const struct message *release = steps_find_send(&flow->steps, MESSAGE_RELEASE, 0);
    assert_non_null(release);
    assert_int_equal(release->release[0].why, RELEASE_WITHDRAWN);
    assert_true(release->release[0].offer == first.offer);
    assert_int_not_equal(flow_offered(flow).agent, first.agent);

    flow_accept(flow, &first);
    assert_int_equal(steps_count(&flow->steps, EFFECT_STORE), 0);
    assert_int_equal(steps_count_entries(&flow->steps, MESSAGE_RELEASE), 1);
}

static void a_scheduled_ticket_is_offered_when_its_time_has_come(void **state)
{
    struct flow *flow = *state;
    struct ticket_row later = flow_row(flow, 1);
    later.state = TICKET_SCHEDULED;
    later.due_us = FLOW_STORE_US + 5000000;
    flow_serve(flow, NULL, 0, &later, 1);
    flow_ana_up(flow);
    steps_wait(&flow->steps, 4900);
    assert_int_equal(steps_count(&flow->steps, EFFECT_STORE), 0);

    steps_wait(&flow->steps, 101);
    assert_int_equal(flow_store_effect(flow)->store.requests[0].kind, STORE_DUE);
    flow_stored(flow, &(struct store_result){.status = STORE_DONE});

    assert_int_equal(steps_count_entries(&flow->steps, MESSAGE_OFFER), 1);
}

static void past_its_lease_a_router_neither_offers_nor_writes(void **state)
{
    struct flow *flow = *state;
    flow_work(flow);
    struct event lease = {.kind = EVENT_LEASE};
    lease.lease.deadline_ms = flow->steps.now_ms + 1000;
    steps_event(&flow->steps, lease);
    steps_wait(&flow->steps, 1000);

    flow_outcome(flow, OUTCOME_COMPLETE);

    assert_int_equal(steps_count(&flow->steps, EFFECT_STORE), 0);
    assert_int_equal(steps_count_sends(&flow->steps, MESSAGE_NOT_OWNER), 1);
}

static void a_stopped_router_withdraws_offers_and_gives_its_partitions_back(void **state)
{
    struct flow *flow = *state;
    flow_serve(flow, NULL, 0, NULL, 0);
    flow_ana_up(flow);
    struct ticket_row ticket = flow_row(flow, 1);
    flow_forward_ticket(flow, &ticket);

    steps_stop(&flow->steps, flow->steps.now_ms + 5000);

    assert_int_equal(steps_count_entries(&flow->steps, MESSAGE_RELEASE), 1);
    assert_int_equal(steps_count(&flow->steps, EFFECT_RELEASE), 1);
    assert_int_equal(steps_count(&flow->steps, EFFECT_STOPPED), 1);
}

static void a_stopping_router_waits_for_what_is_in_the_store(void **state)
{
    struct flow *flow = *state;
    flow_work(flow);
    flow_outcome(flow, OUTCOME_COMPLETE);
    uint64_t token = flow_store_effect(flow)->store.token;

    steps_stop(&flow->steps, flow->steps.now_ms + 5000);
    assert_int_equal(steps_count(&flow->steps, EFFECT_STOPPED), 0);
    struct store_result result = {.status = STORE_DONE};
    steps_stored(&flow->steps, token, &result, 1);
    assert_int_equal(flow_verdict(flow)->verdict, VERDICT_ACK);
    steps_wait(&flow->steps, 10);

    assert_int_equal(steps_count(&flow->steps, EFFECT_RELEASE), 1);
    assert_int_equal(steps_count(&flow->steps, EFFECT_STOPPED), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_forwarded_ticket_reaches_an_agent_and_is_completed, flow_set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(
            no_offer_is_made_before_the_queued_rows_are_read, flow_set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(
            a_declined_offer_goes_to_the_next_agent, flow_set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(
            an_expired_offer_is_withdrawn_and_goes_to_the_next_agent, flow_set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(
            a_scheduled_ticket_is_offered_when_its_time_has_come, flow_set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(
            past_its_lease_a_router_neither_offers_nor_writes, flow_set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(
            a_stopped_router_withdraws_offers_and_gives_its_partitions_back,
            flow_set_up,
            flow_tear_down),
        cmocka_unit_test_setup_teardown(
            a_stopping_router_waits_for_what_is_in_the_store, flow_set_up, flow_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
