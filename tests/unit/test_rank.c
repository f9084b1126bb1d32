#include "tests/unit/unit.h"

#include "router/rank.h"
#include "router/roster.h"
#include "router/tickets.h"

static void expect_ticket_before(const struct ticket *a, const struct ticket *b)
{
    assert_true(rank_compare_tickets(a, b) < 0);
    assert_true(rank_compare_tickets(b, a) > 0);
    assert_true(rank_ticket(a) <= rank_ticket(b));
    struct service_key key_a = rank_service_key(a);
    struct service_key key_b = rank_service_key(b);
    assert_true(rank_compare_keys(&key_a, &key_b) < 0);
}

static void higher_priority_comes_before_older_comes_before_smaller_id(void **state)
{
    (void) state;
    struct ticket old = {.id = {.hi = 2, .lo = 2}, .priority = 50, .created_us = 1000};
    struct ticket urgent = {.id = {.hi = 9, .lo = 9}, .priority = 51, .created_us = 9000};
    struct ticket younger = {.id = {.hi = 1, .lo = 1}, .priority = 50, .created_us = 1001};
    struct ticket twin = {.id = {.hi = 2, .lo = 3}, .priority = 50, .created_us = 1000};

    expect_ticket_before(&urgent, &old);
    expect_ticket_before(&old, &younger);
    expect_ticket_before(&old, &twin);
    assert_int_equal(rank_compare_tickets(&old, &old), 0);
}

static void the_extremes_of_priority_and_time_keep_their_order(void **state)
{
    (void) state;
    struct ticket first = {.priority = 100, .created_us = -5};
    struct ticket last = {.id = {.lo = 1}, .priority = 0, .created_us = INT64_MAX};

    expect_ticket_before(&first, &last);
    assert_true(rank_ticket(&last) < RANK_LAST);
}

static void expect_agent_before(const struct roster_agent *a, const struct roster_agent *b)
{
    assert_true(rank_compare_agents(a, b) < 0);
    assert_true(rank_compare_agents(b, a) > 0);
    assert_true(rank_agent(a) <= rank_agent(b));
}

static void less_occupied_comes_before_longer_idle_comes_before_smaller_id(void **state)
{
    (void) state;
    struct roster_agent idle = {.id = 5, .used = 0, .idle_since_ms = 9000};
    struct roster_agent busy = {.id = 1, .used = 1, .idle_since_ms = 10};
    struct roster_agent longer = {.id = 9, .used = 0, .idle_since_ms = 8999};
    struct roster_agent twin = {.id = 6, .used = 0, .idle_since_ms = 9000};

    expect_agent_before(&idle, &busy);
    expect_agent_before(&longer, &idle);
    expect_agent_before(&idle, &twin);
}

static void an_agent_idle_since_before_the_start_of_the_machine_comes_first(void **state)
{
    (void) state;
    struct roster_agent before = {.id = 2, .idle_since_ms = -3600000};
    struct roster_agent after = {.id = 1, .idle_since_ms = 0};

    expect_agent_before(&before, &after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(higher_priority_comes_before_older_comes_before_smaller_id),
        cmocka_unit_test(the_extremes_of_priority_and_time_keep_their_order),
        cmocka_unit_test(less_occupied_comes_before_longer_idle_comes_before_smaller_id),
        cmocka_unit_test(an_agent_idle_since_before_the_start_of_the_machine_comes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
