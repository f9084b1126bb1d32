#include "tests/unit/unit.h"

#include "cli/demo_staff.h"
#include "proto/requirements.h"

#define SAMPLE "tests/data/avisos-madrid.jsonl"
#define PLAN "deploy/plans/ciudad.yaml"
#define SPEED 13795

struct fixture {
    struct demo_tickets tickets;
    struct plan_file plan;
    struct demo_staff staff;
};

static int open_files(void **state)
{
    static struct fixture fixture;
    *state = &fixture;
    assert_int_equal(plan_file_load(&fixture.plan, PLAN), VT_OK);
    assert_int_equal(demo_tickets_load(&fixture.tickets, SAMPLE), VT_OK);
    return 0;
}

static int close_files(void **state)
{
    struct fixture *fixture = *state;
    demo_tickets_close(&fixture->tickets);
    plan_file_close(&fixture->plan);
    return 0;
}

static void hire(struct fixture *fixture, uint32_t agents)
{
    struct demo_staff_options options = {
        .plan = &fixture->plan, .tickets = &fixture->tickets, .speed = SPEED, .agents = agents};
    assert_int_equal(demo_staff_open(&fixture->staff, &options), VT_OK);
}

static void the_plan_names_the_matters_of_the_data_and_leaves_the_rest_to_the_default(void **state)
{
    const struct fixture *fixture = *state;
    const struct plan *plan = &fixture->plan.plan;
    struct attribute known = {.name = bytes_of_text("service"),
                              .value = bytes_of_text("Desperfecto en acera")};
    struct attribute other = {.name = bytes_of_text("service"), .value = bytes_of_text("Otros")};

    const struct plan_rule *rule = plan_match(plan, &known, 1);

    assert_int_equal(plan->rule_count, 65);
    assert_non_null(rule);
    assert_true(bytes_equal_text(plan->queues[rule->queue].name, "aceras"));
    assert_null(plan_match(plan, &other, 1));
    assert_true(bytes_equal_text(plan->queues[plan->default_queue].name, "general"));
}

/* What a ticket asks for, as the broker makes it of the plan's first fitting rule. */
static bool agent_0_may_serve(const struct fixture *fixture, const struct demo_ticket *ticket)
{
    const struct plan *plan = &fixture->plan.plan;
    struct attribute service = {.name = bytes_of_text("service"), .value = ticket->service};
    const struct plan_rule *rule = plan_match(plan, &service, 1);
    struct requirements wanted = {.language = bytes_of_text(ticket->language)};
    struct bytes queue = plan->queues[plan->default_queue].name;
    if (rule != NULL) {
        queue = plan->queues[rule->queue].name;
        wanted.skill_count = rule->skill_count;
        for (uint32_t i = 0; i < rule->skill_count; i++) {
            wanted.skills[i] = rule->skills[i];
        }
    }
    struct profile profile;
    assert_int_equal(profile_read(fixture->staff.agents[0].profile, &profile), VT_OK);
    return profile_may_serve(&profile, queue, &wanted);
}

static void agent_0_may_serve_every_ticket_at_every_hour(void **state)
{
    struct fixture *fixture = *state;
    hire(fixture, 0);

    assert_true(fixture->staff.duty[0] == UINT64_MAX);
    for (uint32_t i = 0; i < fixture->tickets.count; i++) {
        assert_true(agent_0_may_serve(fixture, &fixture->tickets.list[i]));
    }

    demo_staff_close(&fixture->staff);
}

static void the_load_decides_how_many_agents_there_are(void **state)
{
    struct fixture *fixture = *state;
    hire(fixture, 0);

    /* 5,200 tickets of 82.6 min in 229.9 h are about 31 Erlang, and the peak is over twice that. */
    assert_true(fixture->staff.erlangs > 28 && fixture->staff.erlangs < 35);
    assert_true(fixture->staff.agent_count > 60 && fixture->staff.agent_count < 180);

    demo_staff_close(&fixture->staff);
}

static void as_many_agents_are_hired_as_were_asked_for(void **state)
{
    struct fixture *fixture = *state;
    static const uint32_t counts[] = {1, 2, 7, 40, 500};

    for (uint32_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        hire(fixture, counts[i]);
        assert_int_equal(fixture->staff.agent_count, counts[i]);
        demo_staff_close(&fixture->staff);
    }
}

static void no_two_agents_have_one_name(void **state)
{
    struct fixture *fixture = *state;
    hire(fixture, 0);

    for (uint32_t i = 0; i < fixture->staff.agent_count; i++) {
        for (uint32_t k = 0; k < i; k++) {
            assert_false(bytes_equal(fixture->staff.agents[i].name, fixture->staff.agents[k].name));
        }
    }

    demo_staff_close(&fixture->staff);
}

static void working_days_and_weekends_have_hours_of_their_own(void **state)
{
    (void) state;
    /* 2024-01-19 was a Friday, 2024-01-20 a Saturday, 2024-01-22 a Monday; all at 10:30 UTC. */
    assert_int_equal(demo_staff_slot(INT64_C(1705660200000)), 10);
    assert_int_equal(demo_staff_slot(INT64_C(1705746600000)), 24 + 10);
    assert_int_equal(demo_staff_slot(INT64_C(1705919400000)), 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_plan_names_the_matters_of_the_data_and_leaves_the_rest_to_the_default),
        cmocka_unit_test(agent_0_may_serve_every_ticket_at_every_hour),
        cmocka_unit_test(the_load_decides_how_many_agents_there_are),
        cmocka_unit_test(as_many_agents_are_hired_as_were_asked_for),
        cmocka_unit_test(no_two_agents_have_one_name),
        cmocka_unit_test(working_days_and_weekends_have_hours_of_their_own),
    };
    return cmocka_run_group_tests(tests, open_files, close_files);
}
