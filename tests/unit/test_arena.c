#include "tests/unit/unit.h"

#include <string.h>

#include "lib/check.h"

struct pair {
    uint64_t a;
    uint32_t b;
};

static uint64_t open_three(struct arena *arena)
{
    (void) ARENA_ARRAY(arena, uint8_t, 3);
    (void) ARENA_NEW(arena, struct pair);
    (void) ARENA_ARRAY(arena, uint32_t, 5);
    return arena->used;
}

static void measuring_gives_exactly_what_opening_needs(void **state)
{
    (void) state;
    struct arena measuring;
    arena_init_measuring(&measuring);
    uint64_t needed = open_three(&measuring);
    struct arena arena = unit_arena(needed);

    assert_int_equal(open_three(&arena), needed);
    assert_int_equal(arena_free_bytes(&arena), 0);
    assert_true(arena_is_measuring(&measuring));
    assert_false(arena_is_measuring(&arena));
    unit_arena_close(&arena);
}

static void what_is_taken_is_aligned_and_does_not_overlap(void **state)
{
    (void) state;
    struct arena arena = unit_arena(256);
    uint8_t *a = arena_take(&arena, 3, 1);
    uint8_t *b = arena_take(&arena, 8, 16);
    uint8_t *c = arena_take(&arena, 4, 4);

    assert_int_equal((uintptr_t) b % 16, 0);
    assert_int_equal((uintptr_t) c % 4, 0);
    assert_true(b >= a + 3);
    assert_true(c >= b + 8);
    unit_arena_close(&arena);
}

static void reused_memory_is_zeroed_again(void **state)
{
    (void) state;
    struct arena arena = unit_arena(64);
    uint64_t mark = arena_mark(&arena);
    memset(arena_take(&arena, 40, 1), 0xAA, 40);
    arena_rewind(&arena, mark);

    uint8_t *again = arena_take_zeroed(&arena, 64, 1);

    for (uint32_t i = 0; i < 64; i++) {
        assert_int_equal(again[i], 0);
    }
    unit_arena_close(&arena);
}

static void an_arena_on_used_memory_zeroes_from_the_start(void **state)
{
    (void) state;
    _Alignas(16) uint8_t buffer[64];
    memset(buffer, 0xAA, sizeof buffer);
    struct arena arena;
    arena_init_used(&arena, buffer, sizeof buffer);

    struct pair *pair = ARENA_NEW(&arena, struct pair);

    assert_int_equal(pair->a, 0);
    assert_int_equal(pair->b, 0);
}

static void trying_to_take_too_much_gives_null_and_takes_nothing(void **state)
{
    (void) state;
    struct arena arena = unit_arena(64);
    assert_non_null(arena_try_take(&arena, 60, 1));

    assert_null(arena_try_take(&arena, 5, 1));
    assert_null(arena_try_take(&arena, 1, 16));
    assert_int_equal(arena_free_bytes(&arena), 4);
    assert_non_null(arena_try_take(&arena, 4, 1));
    unit_arena_close(&arena);
}

static void take_too_much(void *argument)
{
    struct arena *arena = argument;
    (void) arena_take(arena, 65, 1);
}

static void multiply_too_much(void *argument)
{
    (void) argument;
    (void) arena_array_bytes(UINT64_C(1) << 60, 16);
}

static void exhaustion_and_overflow_are_bugs(void **state)
{
    (void) state;
    struct arena arena = unit_arena(64);
    assert_true(unit_check_fails(take_too_much, &arena));
    assert_true(unit_check_fails(multiply_too_much, NULL));
    unit_arena_close(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measuring_gives_exactly_what_opening_needs),
        cmocka_unit_test(what_is_taken_is_aligned_and_does_not_overlap),
        cmocka_unit_test(reused_memory_is_zeroed_again),
        cmocka_unit_test(an_arena_on_used_memory_zeroes_from_the_start),
        cmocka_unit_test(trying_to_take_too_much_gives_null_and_takes_nothing),
        cmocka_unit_test(exhaustion_and_overflow_are_bugs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
