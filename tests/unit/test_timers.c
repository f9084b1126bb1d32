#include "tests/unit/unit.h"

#include "lib/random.h"
#include "lib/timers.h"

enum {
    ROWS = 50
};

static void due_rows_come_earliest_first_and_ties_in_row_order(void **state)
{
    (void) state;
    struct arena arena = unit_arena(4096);
    struct timers timers;
    timers_init(&timers, &arena, ROWS);
    timers_set(&timers, 9, 100);
    timers_set(&timers, 3, 100);
    timers_set(&timers, 5, 99);
    timers_set(&timers, 1, 101);
    uint32_t row = 0;

    assert_int_equal(timers_next_ms(&timers), 99);
    assert_false(timers_pop_due(&timers, 98, &row));
    assert_true(timers_pop_due(&timers, 100, &row));
    assert_int_equal(row, 5);
    assert_true(timers_pop_due(&timers, 100, &row));
    assert_int_equal(row, 3);
    assert_true(timers_pop_due(&timers, 100, &row));
    assert_int_equal(row, 9);
    assert_false(timers_pop_due(&timers, 100, &row));
    assert_int_equal(row, 9);
    assert_int_equal(timers_count(&timers), 1);
    unit_arena_close(&arena);
}

static void no_deadline_clears_and_clearing_twice_is_harmless(void **state)
{
    (void) state;
    struct arena arena = unit_arena(4096);
    struct timers timers;
    timers_init(&timers, &arena, ROWS);
    timers_set(&timers, 4, 10);
    timers_set(&timers, 4, 20);
    assert_true(timers_deadline_ms(&timers, 4) == 20);

    timers_set(&timers, 4, NO_DEADLINE);
    timers_clear(&timers, 4);

    assert_true(timers_deadline_ms(&timers, 4) == NO_DEADLINE);
    assert_true(timers_next_ms(&timers) == NO_DEADLINE);
    unit_arena_close(&arena);
}

static void each_row_falls_due_exactly_once_and_never_early(void **state)
{
    (void) state;
    struct random random;
    random_init(&random, unit_seed());
    struct arena arena = unit_arena(4096);
    struct timers timers;
    timers_init(&timers, &arena, ROWS);
    int64_t deadline_ms[ROWS];
    for (uint32_t i = 0; i < ROWS; i++) {
        deadline_ms[i] = NO_DEADLINE;
    }
    for (int64_t now_ms = 0; now_ms < 5000; now_ms++) {
        uint32_t row = (uint32_t) random_below(&random, ROWS);
        deadline_ms[row] = now_ms + random_range(&random, 1, 100);
        timers_set(&timers, row, deadline_ms[row]);
        while (timers_pop_due(&timers, now_ms, &row)) {
            assert_true(deadline_ms[row] <= now_ms);
            deadline_ms[row] = NO_DEADLINE;
        }
        for (uint32_t i = 0; i < ROWS; i++) {
            assert_true(deadline_ms[i] > now_ms);
            assert_true(timers_deadline_ms(&timers, i) == deadline_ms[i]);
        }
    }
    unit_arena_close(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(due_rows_come_earliest_first_and_ties_in_row_order),
        cmocka_unit_test(no_deadline_clears_and_clearing_twice_is_harmless),
        cmocka_unit_test(each_row_falls_due_exactly_once_and_never_early),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
