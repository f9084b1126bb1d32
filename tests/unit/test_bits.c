#include "tests/unit/unit.h"

#include <string.h>

#include "lib/bits.h"
#include "lib/random.h"

enum {
    BITS = 200,
    WORDS = BITS_WORDS(BITS)
};

struct sets {
    uint64_t words[3][WORDS];
    _Bool model[3][BITS];
};

static void fill(struct random *random, struct sets *sets)
{
    memset(sets, 0, sizeof *sets);
    uint64_t one_in = 1 + random_below(random, 40);
    for (uint32_t set = 0; set < 3; set++) {
        for (uint32_t i = 0; i < BITS; i++) {
            bits_set(sets->words[set], i);
            sets->model[set][i] = random_below(random, one_in) == 0;
            if (!sets->model[set][i]) {
                bits_clear(sets->words[set], i);
            }
            assert_int_equal(bits_test(sets->words[set], i), sets->model[set][i]);
        }
    }
}

/* The next bit in the first `set_count` sets, the slow way. */
static uint32_t slow_next(const struct sets *sets, uint32_t set_count, uint32_t from)
{
    for (uint32_t i = from; i < BITS; i++) {
        _Bool in_all = 1;
        for (uint32_t set = 0; set < set_count; set++) {
            in_all = in_all && sets->model[set][i];
        }
        if (in_all) {
            return i;
        }
    }
    return BITS_NONE;
}

static void the_next_member_of_intersections_is_the_slow_walks(void **state)
{
    (void) state;
    struct random random;
    random_init(&random, unit_seed());
    for (uint32_t round = 0; round < 50; round++) {
        struct sets sets;
        fill(&random, &sets);
        uint64_t *a = sets.words[0];
        uint64_t *b = sets.words[1];
        uint64_t *c = sets.words[2];
        for (uint32_t from = 0; from < BITS + 100; from++) {
            assert_int_equal(bits_next(a, WORDS, from), slow_next(&sets, 1, from));
            assert_int_equal(bits_next_and(a, b, WORDS, from), slow_next(&sets, 2, from));
            assert_int_equal(bits_next_and3(a, b, c, WORDS, from), slow_next(&sets, 3, from));
        }
    }
}

static void set_algebra_is_bit_by_bit(void **state)
{
    (void) state;
    struct random random;
    random_init(&random, unit_seed());
    for (uint32_t round = 0; round < 50; round++) {
        struct sets sets;
        fill(&random, &sets);
        uint64_t and[WORDS];
        uint64_t or [WORDS];
        uint64_t without[WORDS];
        memcpy(and, sets.words[0], sizeof and);
        memcpy(or, sets.words[0], sizeof or);
        memcpy(without, sets.words[0], sizeof without);
        bits_and(and, sets.words[1], WORDS);
        bits_or(or, sets.words[1], WORDS);
        bits_and_not(without, sets.words[1], WORDS);

        uint32_t both = 0;
        for (uint32_t i = 0; i < BITS; i++) {
            _Bool x = sets.model[0][i];
            _Bool y = sets.model[1][i];
            both += x && y;
            assert_int_equal(bits_test(and, i), x && y);
            assert_int_equal(bits_test(or, i), x || y);
            assert_int_equal(bits_test(without, i), x && !y);
        }
        assert_int_equal(bits_count(and, WORDS), both);
        assert_int_equal(bits_is_empty(and, WORDS), both == 0);
        assert_true(bits_is_subset(and, or, WORDS));
        assert_int_equal(bits_is_subset(or, and, WORDS), bits_equal(or, and, WORDS));
        bits_clear_all(or, WORDS);
        assert_true(bits_is_empty(or, WORDS));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_member_of_intersections_is_the_slow_walks),
        cmocka_unit_test(set_algebra_is_bit_by_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
