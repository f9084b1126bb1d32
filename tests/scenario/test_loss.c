#include "tests/unit/unit.h"

#include "tests/scenario/story.h"
#include "tests/scenario/world.h"

/* Crashes, cut cables and restarts: nothing is lost, nothing is done twice. */

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

static void a_site_that_vanishes_inside_grace_keeps_its_work(void **state)
{
    (void) state;
    open_world();
    uint32_t site = story_add_site(world, "north", &story_ana);
    (void) story_add_site(world, "south", &story_ben);

    world_plan_work(world, site, 0, OUTCOME_COMPLETE, 30000);
    story_submit(world, "ticket-1");
    world_run(world, 1000);
    world_say(world, "north's cable is cut for 25 s; grace is 30 s");
    world_cut(world, site);
    world_run(world, 25000);
    world_say(world, "the cable is mended");
    world_mend(world, site);
    world_run(world, 15000);

    story_expect_done(world, "ticket-1", "ana", 1);
    assert_int_equal(story_row(world, "ticket-1")->fails, 0);
    world_expect_settled(world);
    world_expect(world, "vanish_inside_grace");
}

static void a_site_that_vanishes_beyond_grace_loses_its_work(void **state)
{
    (void) state;
    open_world();
    uint32_t site = story_add_site(world, "north", &story_ana);
    (void) story_add_site(world, "south", &story_ben);

    world_plan_work(world, site, 0, OUTCOME_COMPLETE, 70000);
    story_submit(world, "ticket-1");
    world_run(world, 1000);
    world_say(world, "north's cable is cut; grace is 30 s");
    world_cut(world, site);
    world_run(world, 60000);
    world_say(world, "the cable is mended; ana still works on what ben has completed");
    world_mend(world, site);
    world_run(world, 20000);

    story_expect_done(world, "ticket-1", "ben", 2);
    assert_int_equal(story_row(world, "ticket-1")->fails, 1);
    world_expect_settled(world);
    world_expect(world, "vanish_beyond_grace");
}

static void an_answer_of_somebody_cut_off_counts_while_nobody_newer_has_the_ticket(void **state)
{
    (void) state;
    open_world();
    uint32_t site = story_add_site(world, "north", &story_ana);

    world_plan_work(world, site, 0, OUTCOME_COMPLETE, 20000);
    story_submit(world, "ticket-1");
    world_run(world, 1000);
    world_say(world, "north's cable is cut; ana solves it meanwhile");
    world_cut(world, site);
    world_run(world, 60000);
    assert_int_equal(story_row(world, "ticket-1")->state, TICKET_QUEUED);
    world_say(world, "the cable is mended");
    world_mend(world, site);
    world_run(world, 20000);

    story_expect_done(world, "ticket-1", "ana", 1);
    world_expect_settled(world);
    world_expect(world, "late_answer");
}

static void an_answer_that_comes_after_somebody_newer_is_kept_as_a_note(void **state)
{
    (void) state;
    open_world();
    uint32_t site = story_add_site(world, "north", &story_ana);
    uint32_t other = story_add_site(world, "south", &story_ben);

    world_plan_work(world, site, 0, OUTCOME_COMPLETE, 50000);
    world_plan_work(world, other, 0, OUTCOME_COMPLETE, 60000);
    story_submit(world, "ticket-1");
    world_run(world, 1000);
    world_say(world, "north's cable is cut; ana solves it meanwhile, ben got it after the grace");
    world_cut(world, site);
    world_run(world, 60000);
    world_say(world, "the cable is mended");
    world_mend(world, site);
    world_run(world, 60000);

    story_expect_done(world, "ticket-1", "ben", 2);
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

static void a_message_while_the_agent_parks_is_not_swallowed(void **state)
{
    (void) state;
    open_world();
    uint32_t site = story_add_site(world, "north", &story_ana);
    (void) story_add_site(world, "south", &story_ben);

    world_plan_work(world, site, 0, OUTCOME_PARK, 1000);
    story_submit(world, "ticket-1");
    world_run(world, 1113);
    world_say(world, "the requester writes in the moment in which ana parks");
    world_note(world, "ticket-1", "note-0001", "it got deeper");
    world_run(world, 6000);

    story_expect_done(world, "ticket-1", "ana", 2);
    assert_int_equal(story_row(world, "ticket-1")->msgs, 2);
    world_expect_settled(world);
    world_expect(world, "message_while_parking");
}

static void a_parked_ticket_comes_back_with_the_requesters_message(void **state)
{
    (void) state;
    open_world();
    uint32_t site = story_add_site(world, "north", &story_ana);
    (void) story_add_site(world, "south", &story_ben);

    world_plan_work(world, site, 0, OUTCOME_PARK, 500);
    story_submit(world, "ticket-1");
    world_run(world, 5000);
    assert_int_equal(story_row(world, "ticket-1")->state, TICKET_PARKED);
    world_note(world, "ticket-1", "note-0001", "here is the photo");
    world_run(world, 5000);

    story_expect_done(world, "ticket-1", "ana", 2);
    world_expect_settled(world);
    world_expect(world, "parked");
}

static void a_message_reaches_who_works_on_the_ticket(void **state)
{
    (void) state;
    open_world();
    uint32_t site = story_add_site(world, "north", &story_ana);

    world_plan_work(world, site, 0, OUTCOME_COMPLETE, 3000);
    story_submit(world, "ticket-1");
    world_run(world, 1000);
    world_note(world, "ticket-1", "note-0001", "it got deeper");
    world_run(world, 10);
    world_note(world, "ticket-1", "note-0001", "it got deeper");
    world_run(world, 5000);

    story_expect_done(world, "ticket-1", "ana", 1);
    assert_int_equal(story_row(world, "ticket-1")->msgs, 2);
    world_expect_settled(world);
    world_expect(world, "message");
}

static void given_back_work_goes_to_another_agent_and_dies_in_the_end(void **state)
{
    (void) state;
    open_world();
    uint32_t north = story_add_site(world, "north", &story_ana);
    uint32_t south = story_add_site(world, "south", &story_ben);

    world_plan_work(world, north, 0, OUTCOME_GIVE_BACK, 500);
    world_plan_work(world, south, 0, OUTCOME_GIVE_BACK, 500);
    world_plan_work(world, north, 0, OUTCOME_GIVE_BACK, 500);
    story_submit(world, "ticket-1");
    world_run(world, 60000);

    assert_int_equal(story_row(world, "ticket-1")->state, TICKET_DEAD);
    assert_int_equal(story_row(world, "ticket-1")->attempt, 3);
    assert_int_equal(story_row(world, "ticket-1")->fails, 3);
    world_expect_settled(world);
    world_expect(world, "given_back");
}

static void a_handoff_goes_to_a_person(void **state)
{
    (void) state;
    open_world();
    uint32_t north = story_add_site(world, "north", &story_bot);

    world_plan_work(world, north, 0, OUTCOME_HANDOFF, 500);
    story_submit(world, "ticket-1");
    world_run(world, 5000);
    assert_int_equal(story_row(world, "ticket-1")->state, TICKET_QUEUED);
    world_say(world, "a person comes");
    (void) story_add_site(world, "south", &story_ben);
    world_run(world, 5000);

    story_expect_done(world, "ticket-1", "ben", 2);
    assert_int_equal(story_row(world, "ticket-1")->fails, 0);
    world_expect_settled(world);
    world_expect(world, "handoff");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, close_world)
    const struct CMUnitTest tests[] = {
        TEST(a_site_that_vanishes_inside_grace_keeps_its_work),
        TEST(a_site_that_vanishes_beyond_grace_loses_its_work),
        TEST(an_answer_of_somebody_cut_off_counts_while_nobody_newer_has_the_ticket),
        TEST(an_answer_that_comes_after_somebody_newer_is_kept_as_a_note),
        TEST(a_message_while_the_agent_parks_is_not_swallowed),
        TEST(a_parked_ticket_comes_back_with_the_requesters_message),
        TEST(a_message_reaches_who_works_on_the_ticket),
        TEST(given_back_work_goes_to_another_agent_and_dies_in_the_end),
        TEST(a_handoff_goes_to_a_person),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
