#include "tests/unit/unit.h"

#include <string.h>

#include "tests/scenario/story.h"
#include "tests/scenario/world.h"

/* Nodes die and start again, the store fails: nothing is lost, nothing is done twice. */

static struct world *world;
static uint32_t broker;
static uint32_t router;

static void open_world(void)
{
    world = world_open();
    broker = world_add_broker(world, "broker");
    router = world_add_router(world, "router");
    world_run(world, 100);
}

static int close_world(void **state)
{
    (void) state;
    world_close(world);
    world = NULL;
    return 0;
}

static void an_agentd_that_restarts_keeps_its_work(void **state)
{
    (void) state;
    open_world();
    uint32_t site = story_add_site(world, "north", &story_ana);
    (void) story_add_site(world, "south", &story_ben);

    world_plan_work(world, site, 0, OUTCOME_COMPLETE, 30000);
    story_submit(world, "ticket-1");
    world_run(world, 1000);
    world_say(world, "agentd dies, and is started again after 2 s");
    world_crash(world, site);
    world_run(world, 2000);
    world_start(world, site);
    world_run(world, 10000);

    story_expect_done(world, "ticket-1", "ana", 1);
    assert_int_equal(store_memory_ticket_count(world_store(world)), 1);
    world_expect_settled(world);
    world_expect(world, "agentd_restarts");
}

static void an_outcome_in_the_journal_survives_agentd(void **state)
{
    (void) state;
    open_world();
    uint32_t site = story_add_site(world, "north", &story_bot);

    story_submit(world, "ticket-1");
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

    story_expect_done(world, "ticket-1", "bot", 1);
    world_expect_settled(world);
    world_expect(world, "journalled_outcome");
}

static void everything_restarts_and_open_tickets_go_on(void **state)
{
    (void) state;
    open_world();
    uint32_t site = story_add_site(world, "north", &story_ana);

    world_plan_work(world, site, 0, OUTCOME_COMPLETE, 20000);
    story_submit(world, "ticket-1");
    world_run(world, 1000);
    story_submit(world, "ticket-2");
    story_submit(world, "ticket-3");
    world_run(world, 1000);
    world_say(world, "broker and router die; ana works on");
    world_crash(world, broker);
    world_crash(world, router);
    world_run(world, 8000);
    world_say(world, "they start again");
    world_start(world, broker);
    world_start(world, router);
    world_run(world, 40000);

    story_expect_done(world, "ticket-1", "ana", 1);
    story_expect_done(world, "ticket-2", "ana", 1);
    story_expect_done(world, "ticket-3", "ana", 1);
    world_expect_settled(world);
    world_expect(world, "all_restart");
}

static void a_router_that_dies_is_replaced(void **state)
{
    (void) state;
    open_world();
    uint32_t site = story_add_site(world, "north", &story_ana);
    uint32_t second = world_add_router(world, "second");
    world_run(world, 20000);

    world_plan_work(world, site, 0, OUTCOME_COMPLETE, 20000);
    story_submit(world, "ticket-1");
    world_submit(world, &(struct world_ticket){.key = "ticket-2", .queue = "padron"});
    world_run(world, 1000);
    world_say(world, "one router dies; the registry forgets it after 6 s");
    world_crash(world, router);
    story_submit(world, "ticket-3");
    world_run(world, 40000);

    assert_false(world_has_stopped(world, second));
    story_expect_done(world, "ticket-1", "ana", 1);
    story_expect_done(world, "ticket-3", "ana", 1);
    world_expect_settled(world);
    world_expect(world, "router_replaced");
}

static void a_ticket_that_ended_is_not_offered_again_by_a_new_owner(void **state)
{
    (void) state;
    open_world();
    (void) story_add_site(world, "north", &story_ana);

    story_submit(world, "ticket-1");
    world_run(world, 3000);
    world_say(world, "the router starts again; the broker tells it all of the last minute");
    world_crash(world, router);
    world_run(world, 1000);
    world_start(world, router);
    world_run(world, 30000);

    story_expect_done(world, "ticket-1", "ana", 1);
    assert_null(strstr(strstr(world_trace(world), "starts again"), "is offered"));
    world_expect_settled(world);
    world_expect(world, "ended_before_takeover");
}

static void tickets_stored_while_no_router_is_there_are_found(void **state)
{
    (void) state;
    open_world();
    (void) story_add_site(world, "north", &story_bot);

    world_say(world, "the router dies; the broker takes tickets in all the same, then dies too");
    world_crash(world, router);
    story_submit(world, "ticket-1");
    story_submit(world, "ticket-2");
    world_run(world, 1000);
    world_crash(world, broker);
    world_run(world, 1000);
    world_start(world, broker);
    world_start(world, router);
    world_run(world, 20000);

    story_expect_done(world, "ticket-1", "bot", 1);
    story_expect_done(world, "ticket-2", "bot", 1);
    world_expect_settled(world);
    world_expect(world, "no_router");
}

static void a_broker_that_dies_costs_no_work(void **state)
{
    (void) state;
    open_world();
    uint32_t other = world_add_broker(world, "second");
    world_run(world, 100);
    uint32_t site = story_add_site(world, "north", &story_ana);

    world_plan_work(world, site, 0, OUTCOME_COMPLETE, 10000);
    story_submit(world, "ticket-1");
    world_run(world, 1000);
    world_say(world, "north's broker dies; it takes the next of its list");
    world_crash(world, broker);
    world_run(world, 2000);
    story_submit(world, "ticket-2");
    world_run(world, 20000);

    assert_false(world_has_stopped(world, other));
    story_expect_done(world, "ticket-1", "ana", 1);
    story_expect_done(world, "ticket-2", "ana", 1);
    world_expect_settled(world);
    world_expect(world, "broker_dies");
}

static void a_store_that_is_down_refuses_and_comes_back(void **state)
{
    (void) state;
    open_world();
    (void) story_add_site(world, "north", &story_ana);

    story_submit(world, "ticket-1");
    world_run(world, 50);
    world_say(world, "the store is down");
    store_memory_set_fault(world_store(world), FAULT_DOWN);
    story_submit(world, "ticket-2");
    world_run(world, 5000);
    assert_int_equal(story_row(world, "ticket-1")->state, TICKET_QUEUED);
    world_say(world, "the store is back");
    store_memory_set_fault(world_store(world), FAULT_NONE);
    story_submit(world, "ticket-2");
    world_run(world, 20000);

    story_expect_done(world, "ticket-1", "ana", 1);
    story_expect_done(world, "ticket-2", "ana", 1);
    world_expect_settled(world);
    world_expect(world, "store_down");
}

static void commits_of_unknown_outcome_are_read_again(void **state)
{
    (void) state;
    open_world();
    (void) story_add_site(world, "north", &story_ana);

    story_submit(world, "ticket-1");
    world_run(world, 50);
    world_say(world, "commits land, but nobody hears of it");
    store_memory_set_fault(world_store(world), FAULT_UNCERTAIN);
    story_submit(world, "ticket-2");
    story_submit(world, "ticket-3");
    world_run(world, 500);
    world_say(world, "the store answers again; nobody repeats ticket-3");
    store_memory_set_fault(world_store(world), FAULT_NONE);
    story_submit(world, "ticket-2");
    world_run(world, 20000);

    story_expect_done(world, "ticket-1", "ana", 1);
    story_expect_done(world, "ticket-2", "ana", 1);
    story_expect_done(world, "ticket-3", "ana", 1);
    world_expect_settled(world);
    world_expect(world, "uncertain");
}

static void everybody_drains(void **state)
{
    (void) state;
    open_world();
    uint32_t site = story_add_site(world, "north", &story_ana);

    story_submit(world, "ticket-1");
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
    story_expect_done(world, "ticket-1", "ana", 1);
    world_expect_settled(world);
    world_expect(world, "drain");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, close_world)
    const struct CMUnitTest tests[] = {
        TEST(an_agentd_that_restarts_keeps_its_work),
        TEST(an_outcome_in_the_journal_survives_agentd),
        TEST(everything_restarts_and_open_tickets_go_on),
        TEST(a_router_that_dies_is_replaced),
        TEST(a_ticket_that_ended_is_not_offered_again_by_a_new_owner),
        TEST(tickets_stored_while_no_router_is_there_are_found),
        TEST(a_broker_that_dies_costs_no_work),
        TEST(a_store_that_is_down_refuses_and_comes_back),
        TEST(commits_of_unknown_outcome_are_read_again),
        TEST(everybody_drains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
