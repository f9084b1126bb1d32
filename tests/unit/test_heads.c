#include "tests/unit/unit.h"

#include <stdbool.h>

#include "lib/bits.h"
#include "lib/random.h"
#include "router/heads.h"

#define ROW_COUNT 5000u

struct fixture {
    struct arena arena;
    struct heads heads;
    uint64_t wanted[ROW_COUNT]; /* RANK_LAST: none */
    uint64_t among[BITS_WORDS(ROW_COUNT)];
};

static int open_heads(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){.arena = unit_arena(1u << 20)};
    heads_init(&fixture.heads, &fixture.arena, ROW_COUNT);
    for (uint32_t i = 0; i < ROW_COUNT; i++) {
        fixture.wanted[i] = RANK_LAST;
    }
    *state = &fixture;
    return 0;
}

static int close_heads(void **state)
{
    struct fixture *fixture = *state;
    unit_arena_close(&fixture->arena);
    return 0;
}

static void set(struct fixture *fixture, uint32_t row, uint64_t rank)
{
    fixture->wanted[row] = rank;
    heads_set(&fixture->heads, row, rank);
}

/* The item of a row is the row itself. */
static uint32_t own_item(const void *context, uint32_t row, uint64_t *rank)
{
    const struct fixture *fixture = context;
    *rank = fixture->wanted[row];
    return row;
}

static int greater_row_first(const void *context, uint32_t a, uint32_t b)
{
    (void) context;
    return (a < b) - (a > b);
}

static uint32_t best(const struct fixture *fixture)
{
    return heads_best(&fixture->heads,
                      &(struct heads_search){.among = fixture->among,
                                             .item = own_item,
                                             .compare = greater_row_first,
                                             .context = fixture});
}

static uint32_t best_by_scan(const struct fixture *fixture)
{
    uint32_t found = HEADS_NONE;
    for (uint32_t row = 0; row < ROW_COUNT; row++) {
        if (bits_test(fixture->among, row) && fixture->wanted[row] != RANK_LAST &&
            (found == HEADS_NONE || fixture->wanted[row] <= fixture->wanted[found])) {
            found = row;
        }
    }
    return found;
}

static void nobody_is_best_of_an_empty_set(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(best(fixture), HEADS_NONE);

    set(fixture, 70, 5);
    assert_int_equal(best(fixture), HEADS_NONE);
}

static void the_smallest_rank_among_the_wanted_rows_wins(void **state)
{
    struct fixture *fixture = *state;
    set(fixture, 3, 10);
    set(fixture, 4999, 7);
    set(fixture, 70, 5);
    bits_set(fixture->among, 3);
    bits_set(fixture->among, 4999);

    assert_int_equal(best(fixture), 4999);
    set(fixture, 4999, RANK_LAST);
    assert_int_equal(best(fixture), 3);
}

static void equal_ranks_are_told_apart_by_the_compare_function(void **state)
{
    struct fixture *fixture = *state;
    set(fixture, 3, 10);
    set(fixture, 4, 10);
    set(fixture, 900, 10);
    bits_set(fixture->among, 3);
    bits_set(fixture->among, 4);
    bits_set(fixture->among, 900);

    assert_int_equal(best(fixture), 900);
}

static void expect_least(const struct fixture *fixture, uint32_t word)
{
    uint64_t least = RANK_LAST;
    for (uint32_t row = word * 64; row < ROW_COUNT && row < word * 64 + 64; row++) {
        least = fixture->wanted[row] < least ? fixture->wanted[row] : least;
    }
    assert_int_equal(bits_test(fixture->heads.summary, word), least != RANK_LAST);
    if (least != RANK_LAST) {
        assert_int_equal(fixture->heads.least[word], least);
    }
}

static void random_changes_leave_exact_least_ranks_and_the_right_winner(void **state)
{
    struct fixture *fixture = *state;
    struct random random;
    random_init(&random, unit_seed());
    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t row = (uint32_t) random_below(&random, ROW_COUNT);
        set(fixture, row, random_below(&random, 3) == 0 ? RANK_LAST : random_below(&random, 500));
        fixture->among[random_below(&random, BITS_WORDS(ROW_COUNT))] = random_u64(&random) & 0xff;
        if (i % 16 == 0) {
            assert_int_equal(best(fixture), best_by_scan(fixture));
        }
    }

    for (uint32_t word = 0; word < BITS_WORDS(ROW_COUNT); word++) {
        expect_least(fixture, word);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nobody_is_best_of_an_empty_set, open_heads, close_heads),
        cmocka_unit_test_setup_teardown(
            the_smallest_rank_among_the_wanted_rows_wins, open_heads, close_heads),
        cmocka_unit_test_setup_teardown(
            equal_ranks_are_told_apart_by_the_compare_function, open_heads, close_heads),
        cmocka_unit_test_setup_teardown(
            random_changes_leave_exact_least_ranks_and_the_right_winner, open_heads, close_heads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
