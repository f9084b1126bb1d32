#include "tests/unit/unit.h"

#include <string.h>

#include "tests/scenario/world.h"

/* Crashes, cut cables and restarts: nothing is lost, nothing is done twice. */

static struct world *world;
static uint32_t broker;
static uint32_t router;

static const struct world_agent ana = {
    .name = "ana", .profile = "queue=aceras pavimento=7 language=es", .is_person = true};
static const struct world_agent ben = {
    .name = "ben", .profile = "queue=aceras pavimento=5 language=gl", .is_person = true};
static const struct world_agent bot = {.name = "bot", .profile = "queue=aceras", .capacity = 2};

static void open_world(void)
{
    world = world_open();
    broker = world_add_broker(world, "broker");
    router = world_add_router(world, "router");
    world_run(world, 100);
}

static uint32_t add_site(const char *name, const struct world_agent *agent)
{
    uint32_t site = world_add_site(world, name, agent, 1);
    world_run(world, 400);
    return site;
}

static int close_world(void **state)
{
    (void) state;
    world_close(world);
    world = NULL;
    return 0;
}

static void submit(const char *key)
{
    world_submit(world, &(struct world_ticket){.key = key, .queue = "aceras", .text = "a hole"});
}

static const struct ticket_row *row_of(const char *key)
{
    const struct store_memory_ticket *ticket = world_find(world, key);
    assert_non_null(ticket);
    return &ticket->row;
}

static void expect_done_by(const char *key, const char *agent, uint32_t attempt)
{
    const struct ticket_row *row = row_of(key);
    assert_int_equal(row->state, TICKET_DONE);
    assert_int_equal(row->attempt, attempt);
    assert_true(bytes_equal_text(store_memory_agent_name(world_store(world), row->agent), agent));
    assert_int_equal(world_find(world, key)->answer_count, 1);
}

static void a_site_that_vanishes_inside_grace_keeps_its_work(void **state)
{
    (void) state;
    open_world();
    uint32_t site = add_site("north", &ana);
    (void) add_site("south", &ben);

    world_plan_work(world, site, 0, OUTCOME_COMPLETE, 30000);
    submit("ticket-1");
    world_run(world, 1000);
    world_say(world, "north's cable is cut for 25 s; grace is 30 s");
    world_cut(world, site);
    world_run(world, 25000);
    world_say(world, "the cable is mended");
    world_mend(world, site);
    world_run(world, 15000);

    expect_done_by("ticket-1", "ana", 1);
    assert_int_equal(row_of("ticket-1")->fails, 0);
    world_expect_settled(world);
    world_expect(world, "vanish_inside_grace");
}

static void a_site_that_vanishes_beyond_grace_loses_its_work(void **state)
{
    (void) state;
    open_world();
    uint32_t site = add_site("north", &ana);
    (void) add_site("south", &ben);

    world_plan_work(world, site, 0, OUTCOME_COMPLETE, 70000);
    submit("ticket-1");
    world_run(world, 1000);
    world_say(world, "north's cable is cut; grace is 30 s");
    world_cut(world, site);
    world_run(world, 60000);
    world_say(world, "the cable is mended; ana still works on what ben has completed");
    world_mend(world, site);
    world_run(world, 20000);

    expect_done_by("ticket-1", "ben", 2);
    assert_int_equal(row_of("ticket-1")->fails, 1);
    world_expect_settled(world);
    world_expect(world, "vanish_beyond_grace");
}

static void an_answer_of_somebody_cut_off_counts_while_nobody_newer_has_the_ticket(void **state)
{
    (void) state;
    open_world();
    uint32_t site = add_site("north", &ana);

    world_plan_work(world, site, 0, OUTCOME_COMPLETE, 20000);
    submit("ticket-1");
    world_run(world, 1000);
    world_say(world, "north's cable is cut; ana solves it meanwhile");
    world_cut(world, site);
    world_run(world, 60000);
    assert_int_equal(row_of("ticket-1")->state, TICKET_QUEUED);
    world_say(world, "the cable is mended");
    world_mend(world, site);
    world_run(world, 20000);

    expect_done_by("ticket-1", "ana", 1);
    world_expect_settled(world);
    world_expect(world, "late_answer");
}

static void an_answer_that_comes_after_somebody_newer_is_kept_as_a_note(void **state)
{
    (void) state;
    open_world();
    uint32_t site = add_site("north", &ana);
    uint32_t other = add_site("south", &ben);

    world_plan_work(world, site, 0, OUTCOME_COMPLETE, 50000);
    world_plan_work(world, other, 0, OUTCOME_COMPLETE, 60000);
    submit("ticket-1");
    world_run(world, 1000);
    world_say(world, "north's cable is cut; ana solves it meanwhile, ben got it after the grace");
    world_cut(world, site);
    world_run(world, 60000);
    world_say(world, "the cable is mended");
    world_mend(world, site);
    world_run(world, 60000);

    expect_done_by("ticket-1", "ben", 2);
    const struct store_memory *store = world_store(world);
    uint32_t notes = 0;
    for (uint32_t i = 0; i < store_memory_event_count(store); i++) {
        const struct store_memory_event *event = store_memory_event_at(store, i);
        bool is_note = event->row.kind == HISTORY_NOTE;
        notes += is_note && bytes_equal_text(event->row.detail, "solved") ? 1 : 0;
    }
    assert_int_equal(notes, 1);
    world_expect_settled(world);
    world_expect(world, "stale_answer");
}

static void an_agentd_that_restarts_keeps_its_work(void **state)
{
    (void) state;
    open_world();
    uint32_t site = add_site("north", &ana);
    (void) add_site("south", &ben);

    world_plan_work(world, site, 0, OUTCOME_COMPLETE, 30000);
    submit("ticket-1");
    world_run(world, 1000);
    world_say(world, "agentd dies, and is started again after 2 s");
    world_crash(world, site);
    world_run(world, 2000);
    world_start(world, site);
    world_run(world, 10000);

    expect_done_by("ticket-1", "ana", 1);
    assert_int_equal(store_memory_ticket_count(world_store(world)), 1);
    world_expect_settled(world);
    world_expect(world, "agentd_restarts");
}

static void an_outcome_in_the_journal_survives_agentd(void **state)
{
    (void) state;
    open_world();
    uint32_t site = add_site("north", &bot);

    submit("ticket-1");
    world_run(world, 900);
    world_say(world, "the router is cut off; bot completes; then agentd dies");
    world_cut(world, router);
    world_run(world, 1000);
    world_crash(world, site);
    world_run(world, 1000);
    world_say(world, "agentd starts, the router is back");
    world_start(world, site);
    world_run(world, 1000);
    world_mend(world, router);
    world_run(world, 20000);

    expect_done_by("ticket-1", "bot", 1);
    world_expect_settled(world);
    world_expect(world, "journalled_outcome");
}

static void a_message_while_the_agent_parks_is_not_swallowed(void **state)
{
    (void) state;
    open_world();
    uint32_t site = add_site("north", &ana);
    (void) add_site("south", &ben);

    world_plan_work(world, site, 0, OUTCOME_PARK, 1000);
    submit("ticket-1");
    world_run(world, 1113);
    world_say(world, "the requester writes in the moment in which ana parks");
    world_note(world, "ticket-1", "note-0001", "it got deeper");
    world_run(world, 6000);

    expect_done_by("ticket-1", "ana", 2);
    assert_int_equal(row_of("ticket-1")->msgs, 2);
    world_expect_settled(world);
    world_expect(world, "message_while_parking");
}

static void a_parked_ticket_comes_back_with_the_requesters_message(void **state)
{
    (void) state;
    open_world();
    uint32_t site = add_site("north", &ana);
    (void) add_site("south", &ben);

    world_plan_work(world, site, 0, OUTCOME_PARK, 500);
    submit("ticket-1");
    world_run(world, 5000);
    assert_int_equal(row_of("ticket-1")->state, TICKET_PARKED);
    world_note(world, "ticket-1", "note-0001", "here is the photo");
    world_run(world, 5000);

    expect_done_by("ticket-1", "ana", 2);
    world_expect_settled(world);
    world_expect(world, "parked");
}

static void a_message_reaches_who_works_on_the_ticket(void **state)
{
    (void) state;
    open_world();
    uint32_t site = add_site("north", &ana);

    world_plan_work(world, site, 0, OUTCOME_COMPLETE, 3000);
    submit("ticket-1");
    world_run(world, 1000);
    world_note(world, "ticket-1", "note-0001", "it got deeper");
    world_run(world, 10);
    world_note(world, "ticket-1", "note-0001", "it got deeper");
    world_run(world, 5000);

    expect_done_by("ticket-1", "ana", 1);
    assert_int_equal(row_of("ticket-1")->msgs, 2);
    world_expect_settled(world);
    world_expect(world, "message");
}

static void everything_restarts_and_open_tickets_go_on(void **state)
{
    (void) state;
    open_world();
    uint32_t site = add_site("north", &ana);

    world_plan_work(world, site, 0, OUTCOME_COMPLETE, 20000);
    submit("ticket-1");
    world_run(world, 1000);
    submit("ticket-2");
    submit("ticket-3");
    world_run(world, 1000);
    world_say(world, "broker and router die; ana works on");
    world_crash(world, broker);
    world_crash(world, router);
    world_run(world, 8000);
    world_say(world, "they start again");
    world_start(world, broker);
    world_start(world, router);
    world_run(world, 40000);

    expect_done_by("ticket-1", "ana", 1);
    expect_done_by("ticket-2", "ana", 1);
    expect_done_by("ticket-3", "ana", 1);
    world_expect_settled(world);
    world_expect(world, "all_restart");
}

static void a_router_that_dies_is_replaced(void **state)
{
    (void) state;
    open_world();
    uint32_t site = add_site("north", &ana);
    uint32_t second = world_add_router(world, "second");
    world_run(world, 20000);

    world_plan_work(world, site, 0, OUTCOME_COMPLETE, 20000);
    submit("ticket-1");
    world_submit(world, &(struct world_ticket){.key = "ticket-2", .queue = "padron"});
    world_run(world, 1000);
    world_say(world, "one router dies; the registry forgets it after 6 s");
    world_crash(world, router);
    submit("ticket-3");
    world_run(world, 40000);

    assert_false(world_has_stopped(world, second));
    expect_done_by("ticket-1", "ana", 1);
    expect_done_by("ticket-3", "ana", 1);
    world_expect_settled(world);
    world_expect(world, "router_replaced");
}

static void a_ticket_that_ended_is_not_offered_again_by_a_new_owner(void **state)
{
    (void) state;
    open_world();
    (void) add_site("north", &ana);

    submit("ticket-1");
    world_run(world, 3000);
    world_say(world, "the router starts again; the broker tells it all of the last minute");
    world_crash(world, router);
    world_run(world, 1000);
    world_start(world, router);
    world_run(world, 30000);

    expect_done_by("ticket-1", "ana", 1);
    assert_null(strstr(strstr(world_trace(world), "starts again"), "is offered"));
    world_expect_settled(world);
    world_expect(world, "ended_before_takeover");
}

static void tickets_stored_while_no_router_is_there_are_found(void **state)
{
    (void) state;
    open_world();
    (void) add_site("north", &bot);

    world_say(world, "the router dies; the broker takes tickets in all the same, then dies too");
    world_crash(world, router);
    submit("ticket-1");
    submit("ticket-2");
    world_run(world, 1000);
    world_crash(world, broker);
    world_run(world, 1000);
    world_start(world, broker);
    world_start(world, router);
    world_run(world, 20000);

    expect_done_by("ticket-1", "bot", 1);
    expect_done_by("ticket-2", "bot", 1);
    world_expect_settled(world);
    world_expect(world, "no_router");
}

static void a_broker_that_dies_costs_no_work(void **state)
{
    (void) state;
    open_world();
    uint32_t other = world_add_broker(world, "second");
    world_run(world, 100);
    uint32_t site = add_site("north", &ana);

    world_plan_work(world, site, 0, OUTCOME_COMPLETE, 10000);
    submit("ticket-1");
    world_run(world, 1000);
    world_say(world, "north's broker dies; it takes the next of its list");
    world_crash(world, broker);
    world_run(world, 2000);
    submit("ticket-2");
    world_run(world, 20000);

    assert_false(world_has_stopped(world, other));
    expect_done_by("ticket-1", "ana", 1);
    expect_done_by("ticket-2", "ana", 1);
    world_expect_settled(world);
    world_expect(world, "broker_dies");
}

static void given_back_work_goes_to_another_agent_and_dies_in_the_end(void **state)
{
    (void) state;
    open_world();
    uint32_t north = add_site("north", &ana);
    uint32_t south = add_site("south", &ben);

    world_plan_work(world, north, 0, OUTCOME_GIVE_BACK, 500);
    world_plan_work(world, south, 0, OUTCOME_GIVE_BACK, 500);
    world_plan_work(world, north, 0, OUTCOME_GIVE_BACK, 500);
    submit("ticket-1");
    world_run(world, 60000);

    assert_int_equal(row_of("ticket-1")->state, TICKET_DEAD);
    assert_int_equal(row_of("ticket-1")->attempt, 3);
    assert_int_equal(row_of("ticket-1")->fails, 3);
    world_expect_settled(world);
    world_expect(world, "given_back");
}

static void a_handoff_goes_to_a_person(void **state)
{
    (void) state;
    open_world();
    uint32_t north = add_site("north", &bot);

    world_plan_work(world, north, 0, OUTCOME_HANDOFF, 500);
    submit("ticket-1");
    world_run(world, 5000);
    assert_int_equal(row_of("ticket-1")->state, TICKET_QUEUED);
    world_say(world, "a person comes");
    (void) add_site("south", &ben);
    world_run(world, 5000);

    expect_done_by("ticket-1", "ben", 2);
    assert_int_equal(row_of("ticket-1")->fails, 0);
    world_expect_settled(world);
    world_expect(world, "handoff");
}

static void a_store_that_is_down_refuses_and_comes_back(void **state)
{
    (void) state;
    open_world();
    (void) add_site("north", &ana);

    submit("ticket-1");
    world_run(world, 50);
    world_say(world, "the store is down");
    store_memory_set_fault(world_store(world), FAULT_DOWN);
    submit("ticket-2");
    world_run(world, 5000);
    assert_int_equal(row_of("ticket-1")->state, TICKET_QUEUED);
    world_say(world, "the store is back");
    store_memory_set_fault(world_store(world), FAULT_NONE);
    submit("ticket-2");
    world_run(world, 20000);

    expect_done_by("ticket-1", "ana", 1);
    expect_done_by("ticket-2", "ana", 1);
    world_expect_settled(world);
    world_expect(world, "store_down");
}

static void commits_of_unknown_outcome_are_read_again(void **state)
{
    (void) state;
    open_world();
    (void) add_site("north", &ana);

    submit("ticket-1");
    world_run(world, 50);
    world_say(world, "commits land, but nobody hears of it");
    store_memory_set_fault(world_store(world), FAULT_UNCERTAIN);
    submit("ticket-2");
    submit("ticket-3");
    world_run(world, 500);
    world_say(world, "the store answers again; nobody repeats ticket-3");
    store_memory_set_fault(world_store(world), FAULT_NONE);
    submit("ticket-2");
    world_run(world, 20000);

    expect_done_by("ticket-1", "ana", 1);
    expect_done_by("ticket-2", "ana", 1);
    expect_done_by("ticket-3", "ana", 1);
    world_expect_settled(world);
    world_expect(world, "uncertain");
}

static void everybody_drains(void **state)
{
    (void) state;
    open_world();
    uint32_t site = add_site("north", &ana);

    submit("ticket-1");
    world_run(world, 500);
    world_say(world, "all are told to stop while ana works");
    world_stop(world, site);
    world_run(world, 2000);
    world_stop(world, router);
    world_run(world, 1000);
    world_stop(world, broker);
    world_run(world, 12000);

    assert_true(world_has_stopped(world, site));
    assert_true(world_has_stopped(world, router));
    assert_true(world_has_stopped(world, broker));
    expect_done_by("ticket-1", "ana", 1);
    world_expect_settled(world);
    world_expect(world, "drain");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, close_world)
    const struct CMUnitTest tests[] = {
        TEST(a_site_that_vanishes_inside_grace_keeps_its_work),
        TEST(a_site_that_vanishes_beyond_grace_loses_its_work),
        TEST(an_answer_of_somebody_cut_off_counts_while_nobody_newer_has_the_ticket),
        TEST(an_answer_that_comes_after_somebody_newer_is_kept_as_a_note),
        TEST(an_agentd_that_restarts_keeps_its_work),
        TEST(an_outcome_in_the_journal_survives_agentd),
        TEST(a_message_while_the_agent_parks_is_not_swallowed),
        TEST(a_parked_ticket_comes_back_with_the_requesters_message),
        TEST(a_message_reaches_who_works_on_the_ticket),
        TEST(everything_restarts_and_open_tickets_go_on),
        TEST(a_router_that_dies_is_replaced),
        TEST(a_ticket_that_ended_is_not_offered_again_by_a_new_owner),
        TEST(tickets_stored_while_no_router_is_there_are_found),
        TEST(a_broker_that_dies_costs_no_work),
        TEST(given_back_work_goes_to_another_agent_and_dies_in_the_end),
        TEST(a_handoff_goes_to_a_person),
        TEST(a_store_that_is_down_refuses_and_comes_back),
        TEST(commits_of_unknown_outcome_are_read_again),
        TEST(everybody_drains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
