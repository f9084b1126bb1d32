#include "tests/unit/unit.h"

#include "lib/backoff.h"
#include "lib/random.h"

static void waits_double_between_their_bounds_with_jitter(void **state)
{
    (void) state;
    struct random random;
    random_init(&random, unit_seed());
    for (uint32_t round = 0; round < 200; round++) {
        struct backoff backoff;
        backoff_init(&backoff, 100, 1500);
        static const int64_t steps_ms[] = {100, 200, 400, 800, 1500, 1500};
        for (uint32_t i = 0; i < 6; i++) {
            int64_t wait_ms = backoff_next_ms(&backoff, &random);
            assert_true(wait_ms >= steps_ms[i] / 2);
            assert_true(wait_ms <= steps_ms[i]);
        }
        backoff_reset(&backoff);
        assert_true(backoff_next_ms(&backoff, &random) <= 100);
    }
}

static void the_smallest_and_greatest_bounds_work(void **state)
{
    (void) state;
    struct random random;
    random_init(&random, unit_seed());
    struct backoff backoff;
    backoff_init(&backoff, 1, INT64_MAX);
    for (uint32_t i = 0; i < 70; i++) {
        assert_true(backoff_next_ms(&backoff, &random) >= 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_double_between_their_bounds_with_jitter),
        cmocka_unit_test(the_smallest_and_greatest_bounds_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
