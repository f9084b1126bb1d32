#include "tests/unit/unit.h"

#include "router/refusals.h"

#define REFUSALS_MAX 20u

struct fixture {
    struct arena arena;
    struct refusals refusals;
};

static int open_refusals(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){.arena = unit_arena(1u << 16)};
    refusals_init(&fixture.refusals,
                  &fixture.arena,
                  &(struct refusals_options){
                      .refusals_max = REFUSALS_MAX, .tickets_max = 40, .agents_max = 40});
    *state = &fixture;
    return 0;
}

static int close_refusals(void **state)
{
    struct fixture *fixture = *state;
    unit_arena_close(&fixture->arena);
    return 0;
}

static struct refusals *refusals_of(void **state)
{
    struct fixture *fixture = *state;
    return &fixture->refusals;
}

static struct refusal pair(uint32_t ticket, uint32_t agent, int64_t until_ms)
{
    return (struct refusal){.ticket = ticket, .agent = agent, .until_ms = until_ms};
}

static void add(struct refusals *refusals, uint32_t ticket, uint32_t agent, int64_t until_ms)
{
    struct refusal refusal = pair(ticket, agent, until_ms);
    struct refusal dropped;
    assert_false(refusals_add(refusals, &refusal, &dropped));
}

static void a_pair_is_refused_until_its_time_is_over(void **state)
{
    struct refusals *refusals = refusals_of(state);
    add(refusals, 3, 5, 1000);
    struct refusal due;

    assert_true(refusals_has(refusals, 3, 5));
    assert_false(refusals_has(refusals, 3, 6));
    assert_int_equal(refusals_next_ms(refusals), 1000);
    assert_false(refusals_pop_due(refusals, 999, &due));

    assert_true(refusals_pop_due(refusals, 1000, &due));
    assert_int_equal(due.ticket, 3);
    assert_int_equal(due.agent, 5);
    assert_false(refusals_has(refusals, 3, 5));
    assert_int_equal(refusals_next_ms(refusals), NO_DEADLINE);
    assert_false(refusals_pop_due(refusals, INT64_MAX, &due));
}

static void refusing_again_moves_the_end(void **state)
{
    struct refusals *refusals = refusals_of(state);
    add(refusals, 3, 5, 1000);
    add(refusals, 3, 5, 2000);
    struct refusal due;

    assert_int_equal(refusals_count(refusals), 1);
    assert_false(refusals_pop_due(refusals, 1500, &due));
    assert_true(refusals_pop_due(refusals, 2000, &due));
    assert_int_equal(due.until_ms, 2000);
}

static void a_ticket_keeps_sixteen_and_drops_the_one_that_would_end_first(void **state)
{
    struct refusals *refusals = refusals_of(state);
    for (uint32_t i = 0; i < REFUSALS_PER_TICKET_MAX; i++) {
        add(refusals, 3, i, i == 7 ? 500 : 1000 + i);
    }

    struct refusal more = pair(3, 30, 9000);
    struct refusal dropped;
    assert_true(refusals_add(refusals, &more, &dropped));
    assert_int_equal(dropped.agent, 7);
    assert_int_equal(dropped.until_ms, 500);
    assert_false(refusals_has(refusals, 3, 7));
    assert_true(refusals_has(refusals, 3, 30));
    assert_int_equal(refusals_count(refusals), REFUSALS_PER_TICKET_MAX);
    assert_int_equal(refusals->dropped_total, 1);
}

static void a_full_table_drops_the_one_that_would_end_first(void **state)
{
    struct refusals *refusals = refusals_of(state);
    for (uint32_t i = 0; i < REFUSALS_MAX; i++) {
        add(refusals, i, i, i == 11 ? 500 : 1000);
    }

    struct refusal more = pair(30, 30, 9000);
    struct refusal dropped;
    assert_true(refusals_add(refusals, &more, &dropped));
    assert_int_equal(dropped.ticket, 11);
    assert_int_equal(refusals_count(refusals), REFUSALS_MAX);
    assert_false(refusals_has_ticket(refusals, 11));
    assert_false(refusals_has_agent(refusals, 11));
}

static void clearing_a_ticket_or_an_agent_leaves_the_others(void **state)
{
    struct refusals *refusals = refusals_of(state);
    add(refusals, 1, 1, 1000);
    add(refusals, 1, 2, 1000);
    add(refusals, 2, 1, 1000);
    add(refusals, 2, 2, 1000);

    refusals_clear_ticket(refusals, 1);
    assert_false(refusals_has(refusals, 1, 2));
    assert_true(refusals_has(refusals, 2, 1));
    refusals_clear_agent(refusals, 1);
    assert_false(refusals_has_agent(refusals, 1));
    assert_true(refusals_has(refusals, 2, 2));
    assert_int_equal(refusals_count(refusals), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_pair_is_refused_until_its_time_is_over, open_refusals, close_refusals),
        cmocka_unit_test_setup_teardown(
            refusing_again_moves_the_end, open_refusals, close_refusals),
        cmocka_unit_test_setup_teardown(
            a_ticket_keeps_sixteen_and_drops_the_one_that_would_end_first,
            open_refusals,
            close_refusals),
        cmocka_unit_test_setup_teardown(
            a_full_table_drops_the_one_that_would_end_first, open_refusals, close_refusals),
        cmocka_unit_test_setup_teardown(
            clearing_a_ticket_or_an_agent_leaves_the_others, open_refusals, close_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
