#include "tests/unit/unit.h"

#include "tests/scenario/story.h"
#include "tests/scenario/world.h"

/* Tickets' ordinary lives. Each test's story stands in golden/. */

static struct world *world;

static uint32_t open_with(const struct world_agent *agents, uint32_t count)
{
    world = world_open();
    (void) world_add_broker(world, "broker");
    (void) world_add_router(world, "router");
    world_run(world, 100);
    uint32_t site = world_add_site(world, "north", agents, count);
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

static void a_ticket_is_taken_in_worked_and_completed(void **state)
{
    (void) state;
    (void) open_with(&story_ana, 1);

    world_submit(world,
                 &(struct world_ticket){.key = "ticket-1",
                                        .queue = "aceras",
                                        .skill = "pavimento",
                                        .level = 3,
                                        .language = "es",
                                        .text = "a hole"});
    world_run(world, 3000);

    story_expect_done(world, "ticket-1", "ana", 1);
    world_expect(world, "happy_path");
}

static void a_program_takes_what_fits_its_slots_at_once(void **state)
{
    (void) state;
    (void) open_with(&story_bot, 1);

    story_submit(world, "ticket-1");
    story_submit(world, "ticket-2");
    story_submit(world, "ticket-3");
    world_run(world, 4000);

    story_expect_done(world, "ticket-1", "bot", 1);
    story_expect_done(world, "ticket-2", "bot", 1);
    story_expect_done(world, "ticket-3", "bot", 1);
    world_expect(world, "program");
}

static void a_declined_ticket_goes_to_the_next_agent(void **state)
{
    (void) state;
    const struct world_agent agents[] = {story_ana, story_ben};
    uint32_t site = open_with(agents, 2);

    world_plan_offer(world, site, 0, ANSWERS_NO, 300);
    story_submit(world, "ticket-1");
    world_run(world, 3000);

    story_expect_done(world, "ticket-1", "ben", 1);
    world_expect(world, "decline");
}

static void an_offer_that_nobody_answers_expires(void **state)
{
    (void) state;
    const struct world_agent agents[] = {story_ana, story_ben};
    uint32_t site = open_with(agents, 2);

    world_plan_offer(world, site, 0, ANSWERS_NOTHING, 0);
    story_submit(world, "ticket-1");
    world_run(world, 25000);

    story_expect_done(world, "ticket-1", "ben", 1);
    world_expect(world, "offer_expires");
}

static void a_late_yes_to_an_expired_offer_changes_nothing(void **state)
{
    (void) state;
    const struct world_agent agents[] = {story_ana, story_ben};
    uint32_t site = open_with(agents, 2);

    world_plan_offer(world, site, 0, ANSWERS_YES, 20500);
    story_submit(world, "ticket-1");
    world_run(world, 25000);

    story_expect_done(world, "ticket-1", "ben", 1);
    world_expect(world, "late_yes");
}

static void higher_priority_goes_first_and_equal_ones_in_turn(void **state)
{
    (void) state;
    (void) open_with(&story_ana, 1);

    story_submit(world, "ticket-1");
    world_run(world, 200);
    world_say(world, "ana works; what comes meanwhile waits");
    story_submit(world, "ticket-2");
    world_run(world, 10);
    story_submit(world, "ticket-3");
    world_run(world, 10);
    world_submit(world,
                 &(struct world_ticket){
                     .key = "ticket-4", .queue = "aceras", .priority = 90, .text = "urgent"});
    world_run(world, 8000);

    story_expect_done(world, "ticket-4", "ana", 1);
    story_expect_done(world, "ticket-2", "ana", 1);
    story_expect_done(world, "ticket-3", "ana", 1);
    world_expect(world, "priority");
}

static void what_nobody_may_serve_waits_until_somebody_may(void **state)
{
    (void) state;
    (void) open_with(&story_ben, 1);

    world_say(world, "ben knows pavimento to 5 only, and speaks no es");
    world_submit(world,
                 &(struct world_ticket){.key = "ticket-1",
                                        .queue = "aceras",
                                        .skill = "pavimento",
                                        .level = 6,
                                        .text = "a deep hole"});
    world_submit(world,
                 &(struct world_ticket){
                     .key = "ticket-2", .queue = "aceras", .language = "es", .text = "hola"});
    world_submit(world,
                 &(struct world_ticket){.key = "ticket-3", .queue = "padron", .text = "a move"});
    world_run(world, 60000);
    assert_int_equal(story_row(world, "ticket-1")->state, TICKET_QUEUED);
    assert_int_equal(story_row(world, "ticket-2")->state, TICKET_QUEUED);
    assert_int_equal(story_row(world, "ticket-3")->state, TICKET_QUEUED);

    world_say(world, "ana comes, who knows all of that but padron");
    (void) world_add_site(world, "south", &story_ana, 1);
    world_run(world, 5000);

    story_expect_done(world, "ticket-1", "ana", 1);
    story_expect_done(world, "ticket-2", "ana", 1);
    assert_int_equal(story_row(world, "ticket-3")->attempt, 0);
    world_expect(world, "nobody_eligible");
}

static void a_repeated_submit_is_the_same_ticket(void **state)
{
    (void) state;
    (void) open_with(&story_ana, 1);

    story_submit(world, "ticket-1");
    story_submit(world, "ticket-1");
    world_run(world, 100);
    story_submit(world, "ticket-1");
    world_run(world, 3000);
    world_say(world, "again, after it was completed, and then with another text");
    story_submit(world, "ticket-1");
    world_run(world, 10);
    world_submit(world,
                 &(struct world_ticket){.key = "ticket-1", .queue = "aceras", .text = "other"});
    world_run(world, 1000);

    assert_int_equal(store_memory_ticket_count(world_store(world)), 1);
    story_expect_done(world, "ticket-1", "ana", 1);
    world_expect(world, "repeated_submit");
}

static void bad_tickets_are_refused_alone(void **state)
{
    (void) state;
    (void) open_with(&story_ana, 1);

    world_submit(world, &(struct world_ticket){.key = "short", .queue = "aceras"});
    world_submit(world, &(struct world_ticket){.key = "ticket-1", .queue = "nowhere"});
    world_submit(world,
                 &(struct world_ticket){
                     .key = "ticket-2", .queue = "aceras", .skill = "pavimento", .level = 11});
    world_submit(world,
                 &(struct world_ticket){.key = "ticket-3", .queue = "aceras", .text = "\xff"});
    world_submit(world, &(struct world_ticket){.key = "ticket-4", .queue = "aceras"});
    world_submit(world, &(struct world_ticket){.key = "ticket-5"});
    world_run(world, 5000);

    assert_int_equal(store_memory_ticket_count(world_store(world)), 2);
    story_expect_done(world, "ticket-4", "ana", 1);
    world_expect(world, "bad_tickets");
}

static void a_ticket_for_later_waits_for_its_time(void **state)
{
    (void) state;
    (void) open_with(&story_ana, 1);

    world_submit(world,
                 &(struct world_ticket){
                     .key = "ticket-1", .queue = "aceras", .text = "later", .wait_ms = 5000});
    world_run(world, 4900);
    assert_int_equal(story_row(world, "ticket-1")->state, TICKET_SCHEDULED);
    world_run(world, 3000);

    story_expect_done(world, "ticket-1", "ana", 1);
    world_expect(world, "scheduled");
}

static void a_cancelled_ticket_is_worked_no_more(void **state)
{
    (void) state;
    uint32_t site = open_with(&story_ana, 1);

    world_plan_work(world, site, 0, OUTCOME_COMPLETE, 60000);
    story_submit(world, "ticket-1");
    world_run(world, 200);
    story_submit(world, "ticket-2");
    world_run(world, 800);
    world_cancel(world, "ticket-1");
    world_run(world, 100);
    world_say(world, "ana is free for the next; a second cancel finds it cancelled");
    world_cancel(world, "ticket-1");
    world_run(world, 3000);

    assert_int_equal(story_row(world, "ticket-1")->state, TICKET_CANCELLED);
    story_expect_done(world, "ticket-2", "ana", 1);
    world_expect(world, "cancel");
}

static void a_follower_hears_of_every_change(void **state)
{
    (void) state;
    (void) open_with(&story_ana, 1);

    story_submit(world, "ticket-1");
    world_run(world, 50);
    world_follow(world, "ticket-1");
    world_run(world, 3000);

    story_expect_done(world, "ticket-1", "ana", 1);
    world_expect(world, "follow");
}

static void questions_are_answered(void **state)
{
    (void) state;
    const struct world_agent agents[] = {story_ana, story_bot};
    (void) open_with(agents, 2);

    world_submit(world,
                 &(struct world_ticket){
                     .key = "ticket-1", .queue = "aceras", .language = "es", .text = "hola"});
    world_run(world, 3000);
    world_submit(world, &(struct world_ticket){.key = "ticket-2", .queue = "padron"});
    story_submit(world, "ticket-3");
    world_run(world, 500);
    world_query(world, QUERY_TICKET, "ticket-1");
    world_run(world, 100);
    world_query(world, QUERY_TICKET, "ticket-2");
    world_run(world, 100);
    world_query(world, QUERY_QUEUES, NULL);
    world_run(world, 100);
    world_query(world, QUERY_AGENTS, NULL);
    world_run(world, 100);

    world_expect(world, "questions");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, close_world)
    const struct CMUnitTest tests[] = {
        TEST(a_ticket_is_taken_in_worked_and_completed),
        TEST(a_program_takes_what_fits_its_slots_at_once),
        TEST(a_declined_ticket_goes_to_the_next_agent),
        TEST(an_offer_that_nobody_answers_expires),
        TEST(a_late_yes_to_an_expired_offer_changes_nothing),
        TEST(higher_priority_goes_first_and_equal_ones_in_turn),
        TEST(what_nobody_may_serve_waits_until_somebody_may),
        TEST(a_repeated_submit_is_the_same_ticket),
        TEST(bad_tickets_are_refused_alone),
        TEST(a_ticket_for_later_waits_for_its_time),
        TEST(a_cancelled_ticket_is_worked_no_more),
        TEST(a_follower_hears_of_every_change),
        TEST(questions_are_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
