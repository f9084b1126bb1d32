#include "agentd/slots.h"
#include "tests/unit/unit.h"

struct table {
    struct arena arena;
    struct slots slots;
};

/* Agent 0 has two slots, agent 1 one; the site has `used_max` in all. */
static struct table *open_table(struct table *table, uint32_t used_max)
{
    table->arena = unit_arena(1 << 16);
    slots_init(&table->slots, &table->arena, 2, used_max);
    slots_set_agent(&table->slots, 0, 2, 100);
    slots_set_agent(&table->slots, 1, 1, 100);
    return table;
}

static void an_agent_never_has_more_slots_in_use_than_its_capacity(void **state)
{
    (void) state;
    struct table table;
    struct slots *slots = &open_table(&table, 10)->slots;

    assert_int_equal(slots_reserve(slots, 0, 200), VT_OK);
    slots_start(slots, 0, 210);
    assert_int_equal(slots_reserve(slots, 0, 220), VT_OK);

    assert_int_equal(slots_reserve(slots, 0, 230), VT_FULL);
    assert_int_equal(slots_free_count(slots, 0), 0);
    assert_int_equal(slots_free_count(slots, 1), 1);
    unit_arena_close(&table.arena);
}

static void a_freed_slot_can_be_reserved_again(void **state)
{
    (void) state;
    struct table table;
    struct slots *slots = &open_table(&table, 10)->slots;

    assert_int_equal(slots_reserve(slots, 1, 200), VT_OK);
    slots_free(slots, 1, SLOT_RESERVED, 300);
    assert_int_equal(slots_reserve(slots, 1, 400), VT_OK);
    slots_start(slots, 1, 410);
    slots_free(slots, 1, SLOT_WORKING, 500);

    assert_int_equal(slots_free_count(slots, 1), 1);
    assert_int_equal(slots->used, 0);
    assert_int_equal(slots->agents[1].idle_since_ms, 500);
    unit_arena_close(&table.arena);
}

static void the_sites_bound_holds_over_all_agents(void **state)
{
    (void) state;
    struct table table;
    struct slots *slots = &open_table(&table, 2)->slots;

    assert_int_equal(slots_reserve(slots, 0, 200), VT_OK);
    assert_int_equal(slots_free_count(slots, 0), 1);
    assert_int_equal(slots_reserve(slots, 1, 200), VT_OK);

    assert_int_equal(slots_reserve(slots, 0, 200), VT_FULL);
    unit_arena_close(&table.arena);
}

static void an_unavailable_agent_takes_nothing_and_keeps_what_it_has(void **state)
{
    (void) state;
    struct table table;
    struct slots *slots = &open_table(&table, 10)->slots;
    assert_int_equal(slots_reserve(slots, 0, 200), VT_OK);

    slots_set_unavailable(slots, 0);

    assert_int_equal(slots_reserve(slots, 0, 210), VT_UNAVAILABLE);
    assert_int_equal(slots_free_count(slots, 0), 0);
    assert_int_equal(slots->used, 1);
    slots_set_available(slots, 0);
    assert_int_equal(slots_free_count(slots, 0), 1);
    unit_arena_close(&table.arena);
}

static void restored_work_may_exceed_a_smaller_capacity_and_only_blocks_more(void **state)
{
    (void) state;
    struct table table;
    struct slots *slots = &open_table(&table, 10)->slots;

    slots_restore(slots, 1, 200);
    slots_restore(slots, 1, 200);

    assert_int_equal(slots_free_count(slots, 1), 0);
    assert_int_equal(slots_reserve(slots, 1, 300), VT_FULL);
    slots_free(slots, 1, SLOT_WORKING, 400);
    assert_int_equal(slots_reserve(slots, 1, 500), VT_FULL);
    slots_free(slots, 1, SLOT_WORKING, 600);
    assert_int_equal(slots_reserve(slots, 1, 700), VT_OK);
    unit_arena_close(&table.arena);
}

static void changed_agents_come_out_once_and_in_order(void **state)
{
    (void) state;
    struct table table;
    struct slots *slots = &open_table(&table, 10)->slots;
    uint32_t agent = 9;
    assert_false(slots_has_changed(slots));

    assert_int_equal(slots_reserve(slots, 1, 200), VT_OK);
    assert_int_equal(slots_reserve(slots, 0, 200), VT_OK);
    slots_start(slots, 0, 210); /* its free count stays */

    assert_true(slots_pop_changed(slots, &agent));
    assert_int_equal(agent, 0);
    assert_true(slots_pop_changed(slots, &agent));
    assert_int_equal(agent, 1);
    assert_false(slots_pop_changed(slots, &agent));
    unit_arena_close(&table.arena);
}

static void free_more_than_used(void *context)
{
    slots_free(context, 0, SLOT_WORKING, 1);
}

static void freeing_what_is_not_in_use_is_a_bug(void **state)
{
    (void) state;
    struct table table;
    struct slots *slots = &open_table(&table, 10)->slots;
    assert_int_equal(slots_reserve(slots, 0, 200), VT_OK);

    assert_true(unit_check_fails(free_more_than_used, slots));
    unit_arena_close(&table.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_agent_never_has_more_slots_in_use_than_its_capacity),
        cmocka_unit_test(a_freed_slot_can_be_reserved_again),
        cmocka_unit_test(the_sites_bound_holds_over_all_agents),
        cmocka_unit_test(an_unavailable_agent_takes_nothing_and_keeps_what_it_has),
        cmocka_unit_test(restored_work_may_exceed_a_smaller_capacity_and_only_blocks_more),
        cmocka_unit_test(changed_agents_come_out_once_and_in_order),
        cmocka_unit_test(freeing_what_is_not_in_use_is_a_bug),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
