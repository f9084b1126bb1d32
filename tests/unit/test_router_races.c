#include "tests/unit/flow.h"

/* Messages that were lost, or that overtook the store's answers. */

static void beat_of_every_part(struct flow *flow)
{
    struct beat beat = {.held_count = 0};
    struct header like = flow_header(flow, MESSAGE_BEAT);
    like.part = PART_ALL;
    steps_receive(&flow->steps, flow_broker, &like, &beat, 1);
}

static struct header answer_header(const struct flow *flow, uint64_t seq)
{
    struct header like = flow_header(flow, MESSAGE_HELD);
    like.flags = HEADER_FIRST | HEADER_LAST;
    like.seq = seq;
    return like;
}

static void a_site_that_says_nothing_of_its_ticket_is_asked_for_it(void **state)
{
    struct flow *flow = *state;
    flow_work(flow);
    uint64_t seq = steps_find_send(&flow->steps, MESSAGE_CONFIRM, 0)->header.seq;
    steps_wait(&flow->steps, 12000);

    beat_of_every_part(flow);
    assert_int_equal(steps_count_sends(&flow->steps, MESSAGE_HELD_ASK), 1);
    struct header like = answer_header(flow, seq);
    steps_receive(&flow->steps, flow_broker, &like, NULL, 0);

    const struct store_request *request = &flow_store_effect(flow)->store.requests[0];
    assert_int_equal(request->kind, STORE_REQUEUE);
    assert_int_equal(request->move.cause, REQUEUE_NEVER_CONFIRMED);
}

static void an_answer_is_not_counted_as_part_of_the_list_of_a_new_session(void **state)
{
    struct flow *flow = *state;
    flow_work(flow);
    flow->session.connect = 2;
    struct site_up up = {.name = bytes_of_text("oficina"), .agent_count = 0, .held_count = 2};
    struct header like = flow_header(flow, MESSAGE_SITE_UP);
    like.epoch = 0;
    like.flags = HEADER_FIRST;
    steps_receive(&flow->steps, flow_broker, &like, &up, 1);
    struct held others[] = {{.part = 1, .ticket = flow_ticket_id(8), .attempt = 1, .agent = 9},
                            {.part = 1, .ticket = flow_ticket_id(9), .attempt = 1, .agent = 9}};
    like = answer_header(flow, 0);

    steps_receive(&flow->steps, flow_broker, &like, others, 2);

    assert_int_equal(steps_count(&flow->steps, EFFECT_STORE), 0);
}

static void a_ticket_assigned_while_a_list_comes_in_that_names_it_is_not_missed(void **state)
{
    struct flow *flow = *state;
    flow_accept_first(flow);
    uint64_t token = flow_store_effect(flow)->store.token;
    struct held held[] = {
        {.part = FLOW_PART, .ticket = flow_ticket_id(1), .attempt = 1, .agent = FLOW_ANA},
        {.part = 1, .ticket = flow_ticket_id(9), .attempt = 1, .agent = 9}};
    flow->session.connect = 2;
    struct site_up up = {.name = bytes_of_text("oficina"), .held_count = 2};
    struct header like = flow_header(flow, MESSAGE_SITE_UP);
    like.epoch = 0;
    like.flags = HEADER_FIRST;
    steps_receive(&flow->steps, flow_broker, &like, &up, 1);
    like.kind = MESSAGE_HELD;
    steps_receive(&flow->steps, flow_broker, &like, &held[0], 1);
    struct store_result result = {.status = STORE_DONE,
                                  .row = flow_assigned_row(flow, 1, FLOW_ANA)};
    steps_stored(&flow->steps, token, &result, 1);
    like.flags = HEADER_LAST;

    steps_receive(&flow->steps, flow_broker, &like, &held[1], 1);

    assert_int_equal(steps_count(&flow->steps, EFFECT_STORE), 0);
}

static void a_message_that_overtakes_the_answer_to_park_wakes_the_ticket(void **state)
{
    struct flow *flow = *state;
    flow_work(flow);
    flow_outcome(flow, OUTCOME_PARK);
    uint64_t token = flow_store_effect(flow)->store.token;
    struct ticket_row woken = flow_assigned_row(flow, 1, FLOW_ANA);
    woken.state = TICKET_QUEUED;
    woken.rev = 4; /* PARK made it 3 */
    woken.msgs = 2;
    flow_forward(flow, (struct forward){.what = FORWARD_NOTE, .row = woken});

    struct store_result parked = {.status = STORE_DONE};
    steps_stored(&flow->steps, token, &parked, 1);
    assert_int_equal(flow_verdict(flow)->verdict, VERDICT_ACK);
    const struct effect *load = steps_find(&flow->steps, EFFECT_LOAD, 0);
    assert_non_null(load);
    assert_int_equal(load->load.request.kind, LOAD_TICKET);
    flow_loaded(flow, &woken, 1);

    struct offer offer = flow_offered(flow);
    assert_true(id_equal(offer.ticket, flow_ticket_id(1)));
    assert_int_equal(offer.attempt, 2);
}

static void a_broker_that_asks_for_everything_gets_read_what_came_since_the_load(void **state)
{
    struct flow *flow = *state;
    flow_serve(flow, NULL, 0, NULL, 0);

    flow_forward(flow, (struct forward){.what = FORWARD_RESYNC, .since_us = 0});

    const struct effect *load = steps_find(&flow->steps, EFFECT_LOAD, 0);
    assert_non_null(load);
    assert_int_equal(load->load.request.kind, LOAD_RECENT);
    assert_true(load->load.request.since_us == FLOW_STORE_US - 60000000);
}

static void a_site_cannot_answer_or_end_for_anothers_agent(void **state)
{
    struct flow *flow = *state;
    flow_serve(flow, NULL, 0, NULL, 0);
    flow_ana_up(flow);
    struct header other = flow_header(flow, MESSAGE_SITE_UP);
    other.site = FLOW_SITE + 1U;
    other.epoch = 0;
    struct site_up up = {.name = bytes_of_text("otra")};
    steps_receive(&flow->steps, flow_broker, &other, &up, 1);
    struct ticket_row ticket = flow_row(flow, 1);
    flow_forward_ticket(flow, &ticket);
    struct offer offer = flow_offered(flow);
    struct accept accept = {.offer = offer.offer,
                            .ticket = offer.ticket,
                            .attempt = offer.attempt,
                            .agent = offer.agent,
                            .epoch = FLOW_EPOCH};
    struct outcome outcome = {
        .ticket = offer.ticket, .attempt = offer.attempt, .agent = offer.agent, .seen = 1};
    other.epoch = FLOW_EPOCH;

    other.kind = MESSAGE_ACCEPT;
    steps_receive(&flow->steps, flow_broker, &other, &accept, 1);
    assert_int_equal(steps_count(&flow->steps, EFFECT_STORE), 0);
    other.kind = MESSAGE_OUTCOME;
    steps_receive(&flow->steps, flow_broker, &other, &outcome, 1);
    assert_int_equal(steps_count(&flow->steps, EFFECT_STORE), 0);
    assert_int_equal(flow_verdict(flow)->verdict, VERDICT_FORBIDDEN);

    flow_accept(flow, &offer);
    assert_int_equal(steps_count(&flow->steps, EFFECT_STORE), 1);
}

static void a_list_of_which_a_message_was_lost_is_not_judged(void **state)
{
    struct flow *flow = *state;
    flow_work(flow);
    uint64_t seq = steps_find_send(&flow->steps, MESSAGE_CONFIRM, 0)->header.seq;
    struct beat beat = {.held_count = 300};
    struct header like = flow_header(flow, MESSAGE_BEAT);
    steps_receive(&flow->steps, flow_broker, &like, &beat, 1);
    like = answer_header(flow, seq);
    like.flags = HEADER_LAST; /* the first 256, ticket 1 among them, did not come */

    steps_receive(&flow->steps, flow_broker, &like, NULL, 0);

    assert_int_equal(steps_count(&flow->steps, EFFECT_STORE), 0);
}

static void a_site_whose_list_was_lost_in_part_is_asked_for(void **state)
{
    struct flow *flow = *state;
    flow_serve(flow, NULL, 0, NULL, 0);
    struct site_up up = {.name = bytes_of_text("oficina"), .agent_count = 1};
    struct header like = flow_header(flow, MESSAGE_SITE_UP);
    like.epoch = 0;
    steps_receive(&flow->steps, flow_broker, &like, &up, 1);
    beat_of_every_part(flow);
    assert_int_equal(steps_count_sends(&flow->steps, MESSAGE_SITE_ASK), 0);
    steps_wait(&flow->steps, 4000);

    beat_of_every_part(flow);

    assert_int_equal(steps_count_sends(&flow->steps, MESSAGE_SITE_ASK), 1);
}

static void load_pages(struct flow *flow, uint32_t pages)
{
    static struct ticket_row rows[LOAD_ROWS_MAX];
    for (uint32_t page = 0; page < pages; page++) {
        for (uint32_t i = 0; i < LOAD_ROWS_MAX; i++) {
            rows[i] = flow_row(flow, 1U + page * LOAD_ROWS_MAX + i);
        }
        bool is_last = page + 1U == pages;
        rows[LOAD_ROWS_MAX - 1U].priority = is_last ? 90 : 50;
        struct load_page loaded = {.rows = rows,
                                   .row_count = LOAD_ROWS_MAX,
                                   .has_more = !is_last,
                                   .store_now_us = FLOW_STORE_US};
        steps_loaded(&flow->steps, flow_load_token(flow), VT_OK, &loaded);
    }
}

static void a_large_partition_is_served_in_slices_and_the_best_ticket_first(void **state)
{
    struct flow *flow = *state;
    flow_claim(flow);
    flow_loaded(flow, NULL, 0);
    uint64_t token = flow_load_token(flow);
    flow_ana_up(flow);
    struct ticket_row none = flow_row(flow, 1);
    struct load_page first = {
        .rows = &none, .row_count = 1, .has_more = true, .store_now_us = FLOW_STORE_US};
    steps_loaded(&flow->steps, token, VT_OK, &first);

    load_pages(flow, 6);

    assert_in_range(flow->steps.turns, 3, STEPS_TURNS_MAX);
    assert_true(id_equal(flow_offered(flow).ticket, flow_ticket_id(6000)));
}

static void agents_that_come_together_share_what_waits(void **state)
{
    struct flow *flow = *state;
    struct ticket_row rows[] = {flow_row(flow, 1), flow_row(flow, 2)};
    struct agent both[] = {flow_agent(flow, FLOW_ANA, "ana"), flow_agent(flow, FLOW_BEN, "ben")};
    both[0].capacity = both[0].free = 2;
    both[1].capacity = both[1].free = 2;
    flow_serve(flow, NULL, 0, rows, 2);

    flow_site_up(flow, both, 2, NULL, 0);

    const struct message *offers = steps_find_send(&flow->steps, MESSAGE_OFFER, 0);
    assert_non_null(offers);
    assert_int_equal(offers->count, 2);
    assert_int_not_equal(offers->offer[0].agent, offers->offer[1].agent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_site_that_says_nothing_of_its_ticket_is_asked_for_it, flow_set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(
            an_answer_is_not_counted_as_part_of_the_list_of_a_new_session,
            flow_set_up,
            flow_tear_down),
        cmocka_unit_test_setup_teardown(
            a_ticket_assigned_while_a_list_comes_in_that_names_it_is_not_missed,
            flow_set_up,
            flow_tear_down),
        cmocka_unit_test_setup_teardown(
            a_message_that_overtakes_the_answer_to_park_wakes_the_ticket,
            flow_set_up,
            flow_tear_down),
        cmocka_unit_test_setup_teardown(
            a_broker_that_asks_for_everything_gets_read_what_came_since_the_load,
            flow_set_up,
            flow_tear_down),
        cmocka_unit_test_setup_teardown(
            a_large_partition_is_served_in_slices_and_the_best_ticket_first,
            flow_set_up,
            flow_tear_down),
        cmocka_unit_test_setup_teardown(
            a_site_cannot_answer_or_end_for_anothers_agent, flow_set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(
            a_site_whose_list_was_lost_in_part_is_asked_for, flow_set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(
            a_list_of_which_a_message_was_lost_is_not_judged, flow_set_up, flow_tear_down),
        cmocka_unit_test_setup_teardown(
            agents_that_come_together_share_what_waits, flow_set_up, flow_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
