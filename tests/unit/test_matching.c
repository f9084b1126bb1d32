#include "tests/unit/matching_fixture.h"

#include "proto/requirements.h"

static struct matching *matching_of(void **state)
{
    struct matching_fixture *fixture = *state;
    return &fixture->matching;
}

static void the_best_ticket_of_all_classes_goes_to_the_freed_agent(void **state)
{
    struct matching_fixture *fixture = *state;
    matching_fixture_wait(fixture, &(struct matching_wish){.id = 1, .created_us = 10});
    uint32_t urgent = matching_fixture_wait(
        fixture, &(struct matching_wish){.id = 2, .priority = 9, .created_us = 20, .queue = 2});
    matching_fixture_wait(
        fixture,
        &(struct matching_wish){.id = 3, .priority = 99, .created_us = 1, .language = "gl"});
    uint32_t agent = matching_fixture_put(fixture, &(struct matching_talent){.id = 1});

    assert_int_equal(matching_ticket_for(matching_of(state), agent), urgent);
}

static void the_preferred_agent_comes_before_the_longest_idle_if_it_is_free(void **state)
{
    struct matching_fixture *fixture = *state;
    struct matching *matching = matching_of(state);
    uint32_t longest =
        matching_fixture_put(fixture, &(struct matching_talent){.id = 1, .idle_ms = 900});
    uint32_t preferred =
        matching_fixture_put(fixture, &(struct matching_talent){.id = 2, .idle_ms = 1});
    uint32_t ticket = matching_fixture_wait(fixture, &(struct matching_wish){.id = 1, .agent = 2});
    assert_int_equal(matching_agent_for(matching, ticket), preferred);

    roster_take(&matching->roster, preferred, 1000);
    assert_int_equal(matching_agent_for(matching, ticket), longest);
}

static void
a_refusal_sends_the_ticket_to_the_next_agent_and_the_agent_to_the_next_ticket(void **state)
{
    struct matching_fixture *fixture = *state;
    struct matching *matching = matching_of(state);
    uint32_t ana = matching_fixture_put(fixture, &(struct matching_talent){.id = 1, .idle_ms = 9});
    uint32_t breixo = matching_fixture_put(fixture, &(struct matching_talent){.id = 2});
    uint32_t first = matching_fixture_wait(fixture, &(struct matching_wish){.id = 1});
    uint32_t second = matching_fixture_wait(fixture, &(struct matching_wish){.id = 2});

    struct refusal dropped;
    assert_false(matching_refuse(matching, first, ana, 5000, &dropped));
    assert_int_equal(matching_agent_for(matching, first), breixo);
    assert_int_equal(matching_ticket_for(matching, ana), second);
    assert_int_equal(matching_ticket_for(matching, breixo), first);

    struct refusal due;
    assert_true(refusals_pop_due(&matching->refusals, 5000, &due));
    assert_int_equal(matching_agent_for(matching, first), ana);
}

/* An agent with so many skills that nobody has heard of. */
static vt_err put_boaster(struct matching *matching, uint32_t skill_count)
{
    static const char names[] = "abcdefghijklmnop";
    static struct profile profile;
    static uint8_t blob[PROFILE_BYTES_MAX];
    profile = (struct profile){.skill_count = skill_count};
    for (uint32_t i = 0; i < skill_count; i++) {
        profile.skills[i] = (struct skill){.name = bytes_of(names + i, 1), .level = 1};
    }
    struct agent agent = {.id = 1, .name = bytes_of_text("xan"), .capacity = 1, .free = 1};
    agent.profile = bytes_of(blob, profile_write(&profile, blob));
    uint32_t row = MATCHING_NONE;
    return matching_agent_put(matching, 1, &agent, 1000, &row);
}

static void names_of_the_plan_have_their_room_whatever_agents_make_up(void **state)
{
    struct matching_fixture *fixture = *state;
    assert_int_equal(put_boaster(matching_of(state), 12), VT_FULL);
    assert_int_equal(put_boaster(matching_of(state), 10), VT_OK);

    uint32_t ticket = matching_fixture_wait(fixture, &(struct matching_wish){.id = 1, .queue = 2});
    uint32_t agent =
        matching_fixture_put(fixture, &(struct matching_talent){.id = 3, .queue = "calzadas"});

    assert_true(matching_may(matching_of(state), ticket, agent));
    assert_int_equal(matching_of(state)->profiles.refused_total, 1);
}

static void only_waiting_tickets_are_matched(void **state)
{
    struct matching_fixture *fixture = *state;
    struct matching *matching = matching_of(state);
    uint32_t agent = matching_fixture_put(fixture, &(struct matching_talent){.id = 1});
    uint32_t ticket = matching_fixture_wait(fixture, &(struct matching_wish){.id = 1});

    matching_leave(matching, ticket, STAGE_OFFERED);
    assert_int_equal(matching_ticket_for(matching, agent), MATCHING_NONE);
    matching_wait(matching, ticket);
    assert_int_equal(matching_ticket_for(matching, agent), ticket);
}

static void an_update_brings_the_ticket_into_its_new_class(void **state)
{
    struct matching_fixture *fixture = *state;
    struct matching *matching = matching_of(state);
    uint32_t program =
        matching_fixture_put(fixture, &(struct matching_talent){.id = 1, .is_program = 1});
    struct matching_wish wish = {.id = 1};
    uint32_t ticket = matching_fixture_wait(fixture, &wish);
    assert_int_equal(matching_agent_for(matching, ticket), program);

    matching_leave(matching, ticket, STAGE_HELD_BACK);
    wish.wants_person = 1;
    wish.priority = 70;
    struct ticket_row row = matching_fixture_row(&wish);
    assert_int_equal(matching_ticket_update(matching, ticket, &row), VT_OK);
    matching_wait(matching, ticket);
    assert_int_equal(matching_agent_for(matching, ticket), MATCHING_NONE);
    assert_int_equal(tickets_get(&matching->tickets, ticket)->priority, 70);
    assert_int_equal(matching_class_of(matching, ticket).person, CLASS_PERSON);
    assert_int_equal(classes_count(&matching->classes), 1);
}

static void full_tables_are_ordinary_answers(void **state)
{
    struct matching_fixture *fixture = *state;
    uint32_t ticket = 77;
    for (uint32_t i = 0; i < 4; i++) {
        matching_fixture_wait(fixture,
                              &(struct matching_wish){.id = i, .skill = "zanjas", .level = i});
    }
    struct matching_wish fifth_class = {.id = 50, .skill = "zanjas", .level = 9};
    assert_int_equal(matching_fixture_add(fixture, &fifth_class, &ticket), VT_UNAVAILABLE);
    assert_int_equal(tickets_count(&fixture->matching.tickets), 4);

    for (uint32_t i = 4; i < 8; i++) {
        matching_fixture_wait(fixture, &(struct matching_wish){.id = i, .skill = "zanjas"});
    }
    struct matching_wish ninth = {.id = 51, .skill = "zanjas"};
    assert_int_equal(matching_fixture_add(fixture, &ninth, &ticket), VT_FULL);
    assert_int_equal(ticket, 77);
    struct matching_wish known = {.id = 3, .skill = "zanjas", .level = 3};
    assert_int_equal(matching_fixture_add(fixture, &known, &ticket), VT_CONFLICT);
    assert_int_equal(ticket, 3);
}

static void removing_every_ticket_and_agent_leaves_the_tables_empty(void **state)
{
    struct matching_fixture *fixture = *state;
    struct matching *matching = matching_of(state);
    uint32_t agent = matching_fixture_put(
        fixture, &(struct matching_talent){.id = 1, .queue = "aceras", .language = "gl"});
    uint32_t ticket = matching_fixture_wait(
        fixture, &(struct matching_wish){.id = 1, .language = "gl", .skill = "zanjas"});
    struct refusal dropped;
    matching_refuse(matching, ticket, agent, 5000, &dropped);

    matching_ticket_remove(matching, ticket);
    matching_agent_remove(matching, agent);
    assert_int_equal(tickets_count(&matching->tickets), 0);
    assert_int_equal(classes_count(&matching->classes), 0);
    assert_int_equal(profiles_count(&matching->profiles), 0);
    assert_int_equal(intern_count(&matching->terms.names), 2); /* the plan's queues */
    assert_int_equal(refusals_count(&matching->refusals), 0);
    assert_int_equal(roster_count(&matching->roster), 0);
}

static void busy_agents_count_as_able_and_those_down_do_not(void **state)
{
    struct matching_fixture *fixture = *state;
    struct matching *matching = matching_of(state);
    uint32_t ticket = matching_fixture_wait(fixture, &(struct matching_wish){.id = 1});
    uint32_t class = tickets_get(&matching->tickets, ticket)->class;
    uint32_t busy = matching_fixture_put(fixture, &(struct matching_talent){.id = 1, .site = 1});
    matching_fixture_put(fixture, &(struct matching_talent){.id = 2, .site = 2, .queue = "aceras"});
    matching_fixture_put(fixture,
                         &(struct matching_talent){.id = 3, .site = 2, .queue = "calzadas"});
    roster_take(&matching->roster, busy, 1000);

    assert_int_equal(matching_agents_able(matching, class), 2);
    struct matching_figures figures = matching_queue_figures(matching, 1);
    assert_int_equal(figures.waiting, 1);
    assert_int_equal(figures.unservable, 0);
    assert_int_equal(figures.agents_up, 2);
    assert_int_equal(figures.agents_free, 1);

    roster_site_down(&matching->roster, 1);
    roster_site_down(&matching->roster, 2);
    assert_int_equal(matching_agents_able(matching, class), 0);
    assert_int_equal(matching_queue_figures(matching, 1).unservable, 1);
}

static void the_horizon_keeps_the_better_share_and_the_rest_is_evicted(void **state)
{
    struct matching_fixture *fixture = *state;
    struct matching *matching = matching_of(state);
    for (uint32_t i = 0; i < 8; i++) {
        matching_fixture_wait(
            fixture, &(struct matching_wish){.id = i, .priority = i, .created_us = 100 - i});
    }

    struct service_key horizon;
    assert_true(matching_horizon(matching, 75, &horizon));
    assert_int_equal(horizon.priority, 2);
    uint32_t cursor = 0;
    assert_int_equal(matching_evict(matching, &horizon, &cursor, 1), 1);
    assert_int_equal(cursor, 1);
    assert_int_equal(matching_evict(matching, &horizon, &cursor, 100), 1);
    assert_int_equal(cursor, UINT32_MAX);
    assert_int_equal(backlog_count(&matching->backlog), 6);
    assert_int_equal(matching_evict(matching, &horizon, &cursor, 100), 0);
}

static void tickets_that_do_not_wait_are_never_evicted(void **state)
{
    struct matching_fixture *fixture = *state;
    struct matching *matching = matching_of(state);
    struct service_key horizon;
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t ticket =
            matching_fixture_wait(fixture, &(struct matching_wish){.id = i, .created_us = i});
        if (i == 2) {
            assert_true(matching_horizon(matching, 1, &horizon));
            matching_leave(matching, ticket, STAGE_ASSIGNED);
        }
    }

    uint32_t cursor = 0;
    assert_int_equal(matching_evict(matching, &horizon, &cursor, 100), 1);
    assert_int_equal(tickets_count(&matching->tickets), 2);
    assert_false(matching_horizon(matching, 50, &horizon));
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, matching_fixture_open, matching_fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_best_ticket_of_all_classes_goes_to_the_freed_agent),
        TEST(the_preferred_agent_comes_before_the_longest_idle_if_it_is_free),
        TEST(a_refusal_sends_the_ticket_to_the_next_agent_and_the_agent_to_the_next_ticket),
        TEST(names_of_the_plan_have_their_room_whatever_agents_make_up),
        TEST(only_waiting_tickets_are_matched),
        TEST(an_update_brings_the_ticket_into_its_new_class),
        TEST(full_tables_are_ordinary_answers),
        TEST(removing_every_ticket_and_agent_leaves_the_tables_empty),
        TEST(busy_agents_count_as_able_and_those_down_do_not),
        TEST(the_horizon_keeps_the_better_share_and_the_rest_is_evicted),
        TEST(tickets_that_do_not_wait_are_never_evicted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
