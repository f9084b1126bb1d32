#include "tests/unit/unit.h"

#include "lib/random.h"

static void the_sequence_is_the_published_one(void **state)
{
    (void) state;
    struct random random;
    random_init(&random, 0);
    /* xoshiro256** seeded with splitmix64(0) */
    assert_true(random_u64(&random) == UINT64_C(0x99ec5f36cb75f2b4));
    assert_true(random_u64(&random) == UINT64_C(0xbf6e1f784956452a));
}

static void every_number_below_the_bound_is_as_likely(void **state)
{
    (void) state;
    struct random random;
    random_init(&random, unit_seed());
    for (uint32_t bound = 1; bound <= 12; bound++) {
        uint32_t counts[12] = {0};
        for (uint32_t i = 0; i < 12000; i++) {
            counts[random_below(&random, bound)]++;
        }
        for (uint32_t i = 0; i < bound; i++) {
            /* six standard deviations are 660 at most, 330 at 12 */
            assert_in_range(counts[i] + 700, 12000 / bound, 12000 / bound + 1400);
        }
    }
}

static void a_range_includes_both_ends_even_the_widest(void **state)
{
    (void) state;
    struct random random;
    random_init(&random, unit_seed());
    _Bool saw_low = 0;
    _Bool saw_high = 0;
    for (uint32_t i = 0; i < 200; i++) {
        int64_t drawn = random_range(&random, -2, 1);
        assert_true(drawn >= -2 && drawn <= 1);
        saw_low = saw_low || drawn == -2;
        saw_high = saw_high || drawn == 1;
        (void) random_range(&random, INT64_MIN, INT64_MAX);
        assert_true(random_range(&random, INT64_MAX, INT64_MAX) == INT64_MAX);
    }
    assert_true(saw_low);
    assert_true(saw_high);
}

static void a_unit_double_stays_below_one(void **state)
{
    (void) state;
    struct random random;
    random_init(&random, unit_seed());
    double sum = 0;
    for (uint32_t i = 0; i < 10000; i++) {
        double drawn = random_unit_double(&random);
        assert_true(drawn >= 0 && drawn < 1);
        sum += drawn;
    }
    assert_true(sum > 4800 && sum < 5200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sequence_is_the_published_one),
        cmocka_unit_test(every_number_below_the_bound_is_as_likely),
        cmocka_unit_test(a_range_includes_both_ends_even_the_widest),
        cmocka_unit_test(a_unit_double_stays_below_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
