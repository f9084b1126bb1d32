#include "tests/unit/unit.h"

#include "lib/random.h"
#include "lib/slab.h"

enum {
    ROWS = 100
};

static void rows_are_distinct_and_no_new_one_is_touched_early(void **state)
{
    (void) state;
    struct arena arena = unit_arena(4096);
    struct random random;
    random_init(&random, unit_seed());
    struct slab slab;
    slab_init(&slab, &arena, ROWS);
    _Bool taken[ROWS] = {0};
    uint32_t count = 0;
    uint32_t greatest = 0;
    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t row = (uint32_t) random_below(&random, ROWS);
        if (taken[row]) {
            slab_give(&slab, row);
            taken[row] = 0;
            count--;
        } else if (slab_take(&slab, &row) == VT_OK) {
            assert_false(taken[row]);
            taken[row] = 1;
            count++;
            greatest = count > greatest ? count : greatest;
        }
        assert_int_equal(slab_used(&slab), count);
        assert_int_equal(slab_high_water(&slab), greatest);
        for (uint32_t j = 0; j < ROWS; j++) {
            assert_int_equal(slab_is_taken(&slab, j), taken[j]);
        }
    }
    unit_arena_close(&arena);
}

static void a_full_slab_says_so_and_the_last_given_row_comes_first(void **state)
{
    (void) state;
    struct arena arena = unit_arena(4096);
    struct slab slab;
    slab_init(&slab, &arena, 3);
    uint32_t row = 0;
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(slab_take(&slab, &row), VT_OK);
        assert_int_equal(row, i);
    }

    row = 77;
    assert_int_equal(slab_take(&slab, &row), VT_FULL);
    assert_int_equal(row, 77);
    slab_give(&slab, 0);
    slab_give(&slab, 2);
    assert_int_equal(slab_take(&slab, &row), VT_OK);
    assert_int_equal(row, 2);
    assert_false(slab_is_taken(&slab, UINT32_MAX));
    unit_arena_close(&arena);
}

static void give_row_0(void *argument)
{
    slab_give(argument, 0);
}

static void giving_a_free_row_is_a_bug(void **state)
{
    (void) state;
    struct arena arena = unit_arena(4096);
    struct slab slab;
    slab_init(&slab, &arena, 3);
    assert_true(unit_check_fails(give_row_0, &slab));
    unit_arena_close(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_distinct_and_no_new_one_is_touched_early),
        cmocka_unit_test(a_full_slab_says_so_and_the_last_given_row_comes_first),
        cmocka_unit_test(giving_a_free_row_is_a_bug),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
