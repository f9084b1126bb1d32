#include "tests/unit/matching_fixture.h"

#include "lib/bits.h"

/* Whether the one may serve the other, whichever of the two came first; both ways round. */
static _Bool
may(void **state, const struct matching_wish *wish, const struct matching_talent *talent)
{
    struct matching_fixture *fixture = *state;
    struct matching *matching = &fixture->matching;
    uint32_t agent = matching_fixture_put(fixture, talent);
    uint32_t ticket = matching_fixture_wait(fixture, wish);
    _Bool with_agent_first = matching_may(matching, ticket, agent);

    matching_agent_remove(matching, agent);
    agent = matching_fixture_put(fixture, talent);
    _Bool with_ticket_first = matching_may(matching, ticket, agent);
    assert_int_equal(with_agent_first, with_ticket_first);

    uint32_t class = tickets_get(&matching->tickets, ticket)->class;
    uint32_t profile = roster_get(&matching->roster, agent)->profile;
    const uint64_t *mirror = eligibility_classes(&matching->eligibility, profile);
    assert_int_equal(bits_test(mirror, class), with_ticket_first);
    matching_ticket_remove(matching, ticket);
    matching_agent_remove(matching, agent);
    return with_ticket_first;
}

static void an_agent_without_queues_serves_every_queue_and_another_only_its_own(void **state)
{
    struct matching_wish wish = {.queue = 2};
    assert_true(may(state, &wish, &(struct matching_talent){.id = 1}));
    assert_true(may(state, &wish, &(struct matching_talent){.id = 1, .queue = "calzadas"}));
    assert_false(may(state, &wish, &(struct matching_talent){.id = 1, .queue = "aceras"}));
}

static void a_queue_that_the_plan_does_not_know_is_served_by_nobody(void **state)
{
    struct matching_wish wish = {.queue = 9};
    assert_false(may(state, &wish, &(struct matching_talent){.id = 1}));
}

static void a_language_is_a_hard_gate(void **state)
{
    struct matching_wish wish = {.language = "gl"};
    assert_true(may(state, &wish, &(struct matching_talent){.id = 1, .language = "gl"}));
    assert_false(may(state, &wish, &(struct matching_talent){.id = 1, .language = "es"}));
    assert_false(may(state, &wish, &(struct matching_talent){.id = 1}));
    struct matching_wish any = {0};
    assert_true(may(state, &any, &(struct matching_talent){.id = 1, .language = "es"}));
}

static void a_skill_is_needed_at_the_level_or_above(void **state)
{
    struct matching_wish wish = {.skill = "zanjas", .level = 3};
    struct matching_talent talent = {.id = 1, .skill = "zanjas", .level = 3};
    assert_true(may(state, &wish, &talent));
    talent.level = 2;
    assert_false(may(state, &wish, &talent));
    talent = (struct matching_talent){.id = 1, .skill = "farolas", .level = 10};
    assert_false(may(state, &wish, &talent));
}

static void level_zero_still_asks_for_the_skill(void **state)
{
    struct matching_wish wish = {.skill = "zanjas", .level = 0};
    struct matching_talent talent = {.id = 1, .skill = "zanjas", .level = 0};
    assert_true(may(state, &wish, &talent));
    assert_false(may(state, &wish, &(struct matching_talent){.id = 1}));
}

static void who_asked_for_a_person_gets_no_program(void **state)
{
    struct matching_wish wish = {.wants_person = 1};
    assert_true(may(state, &wish, &(struct matching_talent){.id = 1}));
    assert_false(may(state, &wish, &(struct matching_talent){.id = 1, .is_program = 1}));
}

static void a_plan_that_renames_a_queue_changes_who_may_serve_what_waits(void **state)
{
    struct matching_fixture *fixture = *state;
    struct matching *matching = &fixture->matching;
    struct matching_talent talent = {.id = 1, .queue = "viales"};
    uint32_t agent = matching_fixture_put(fixture, &talent);
    uint32_t ticket = matching_fixture_wait(fixture, &(struct matching_wish){.queue = 2});
    assert_int_equal(matching_agent_for(matching, ticket), MATCHING_NONE);

    struct plan_queue renamed = {.id = 2, .name = bytes_of_text("viales")};
    struct plan plan = {.queues = &renamed, .queue_count = 1};
    matching_plan(matching, &plan);
    assert_int_equal(matching_agent_for(matching, ticket), agent);
    assert_int_equal(matching_ticket_for(matching, agent), ticket);

    matching_plan(matching, &fixture->plan);
    assert_int_equal(matching_ticket_for(matching, agent), MATCHING_NONE);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, matching_fixture_open, matching_fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_agent_without_queues_serves_every_queue_and_another_only_its_own),
        TEST(a_queue_that_the_plan_does_not_know_is_served_by_nobody),
        TEST(a_language_is_a_hard_gate),
        TEST(a_skill_is_needed_at_the_level_or_above),
        TEST(level_zero_still_asks_for_the_skill),
        TEST(who_asked_for_a_person_gets_no_program),
        TEST(a_plan_that_renames_a_queue_changes_who_may_serve_what_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
