#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "lib/check.h"
#include "lib/histogram.h"
#include "lib/random.h"

enum {
    VALUES = 5000
};

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *) a;
    int64_t y = *(const int64_t *) b;
    return (x > y) - (x < y);
}

static struct histogram histogram;
static struct histogram half[2];

static void percentiles_are_within_one_in_a_hundred_of_the_sorted_values(void **state)
{
    (void) state;
    struct random random;
    random_init(&random, unit_seed());
    for (uint32_t round = 0; round < 20; round++) {
        static int64_t values[VALUES];
        histogram_clear(&histogram);
        int64_t sum = 0;
        for (uint32_t i = 0; i < VALUES; i++) {
            values[i] = (int64_t) (random_u64(&random) >> (22 + random_below(&random, 42)));
            sum += values[i];
            histogram_add(&histogram, values[i]);
        }
        qsort(values, VALUES, sizeof *values, by_value);
        for (uint32_t parts = 1; parts <= 10000; parts += 7) {
            int64_t exact = values[(parts * VALUES + 9999) / 10000 - 1];
            int64_t found = histogram_percentile(&histogram, parts);
            assert_true(llabs(found - exact) <= exact / 100);
        }
        assert_true(histogram_percentile(&histogram, 0) == values[0]);
        assert_true(histogram_percentile(&histogram, 10000) == values[VALUES - 1]);
        assert_true(histogram_sum(&histogram) == sum);
        assert_true(histogram_mean(&histogram) == sum / VALUES);
        assert_int_equal(histogram_count(&histogram), VALUES);
    }
}

static void merged_halves_are_the_whole(void **state)
{
    (void) state;
    struct random random;
    random_init(&random, unit_seed());
    histogram_clear(&histogram);
    histogram_clear(&half[0]);
    histogram_clear(&half[1]);
    for (uint32_t i = 0; i < VALUES; i++) {
        int64_t value = (int64_t) random_below(&random, 1000000);
        histogram_add(&histogram, value);
        histogram_add(&half[i % 3 == 0], value);
    }

    histogram_merge(&half[0], &half[1]);

    assert_memory_equal(&half[0], &histogram, sizeof histogram);
}

static void values_out_of_range_count_at_the_ends(void **state)
{
    (void) state;
    histogram_clear(&histogram);
    assert_int_equal(histogram_percentile(&histogram, 5000), 0);
    assert_int_equal(histogram_mean(&histogram), 0);
    histogram_add(&histogram, INT64_MIN);
    histogram_add_many(&histogram, INT64_MAX, 2);

    assert_true(histogram_min(&histogram) == 0);
    assert_true(histogram_max(&histogram) == HISTOGRAM_VALUE_MAX);
    assert_true(histogram_percentile(&histogram, 3333) == 0);
    assert_true(histogram_percentile(&histogram, 3334) <= HISTOGRAM_VALUE_MAX);
    assert_true(histogram_percentile(&histogram, 3334) > HISTOGRAM_VALUE_MAX / 100 * 99);
}

static void small_values_are_exact(void **state)
{
    (void) state;
    histogram_clear(&histogram);
    for (int64_t i = 0; i < 128; i++) {
        histogram_add(&histogram, i);
    }
    for (uint32_t i = 1; i <= 128; i++) {
        assert_true(histogram_percentile(&histogram, i * 10000 / 128) == (int64_t) i - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentiles_are_within_one_in_a_hundred_of_the_sorted_values),
        cmocka_unit_test(merged_halves_are_the_whole),
        cmocka_unit_test(values_out_of_range_count_at_the_ends),
        cmocka_unit_test(small_values_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
