#include "tests/unit/unit.h"

#include <string.h>

#include "lib/intern.h"
#include "lib/random.h"

enum {
    STRINGS = 120,
    ENTRIES = 60,
    ARENA_BYTES = 2 * 1024 * 1024
};

/* String i is i copies of one letter, i.e. all lengths from empty on are there. */
static struct bytes string_number(uint32_t i)
{
    static uint8_t letters[STRINGS];
    memset(letters, 'x', sizeof letters);
    return bytes_of(letters, i);
}

static struct intern open_table(struct arena *arena, uint64_t byte_count_max, uint64_t seed)
{
    struct intern table;
    struct intern_options options = {
        .entry_count_max = ENTRIES, .byte_count_max = byte_count_max, .seed = seed};
    intern_init(&table, arena, &options);
    return table;
}

static void assert_same(const struct intern *table, const uint32_t *numbers, uint32_t count)
{
    assert_int_equal(intern_count(table), count);
    for (uint32_t i = 0; i < STRINGS; i++) {
        uint32_t number = UINT32_MAX;
        _Bool found = intern_find(table, string_number(i), &number);
        assert_int_equal(found, numbers[i] != UINT32_MAX);
        assert_int_equal(number, numbers[i]);
        if (found) {
            assert_true(intern_has(table, number));
            assert_true(bytes_equal(intern_get(table, number), string_number(i)));
        }
    }
}

static void numbers_stay_with_their_strings_until_removed(void **state)
{
    (void) state;
    struct random random;
    random_init(&random, unit_seed());
    struct arena arena = unit_arena(ARENA_BYTES);
    struct intern table = open_table(&arena, 65536, random_u64(&random));
    uint32_t numbers[STRINGS];
    uint32_t count = 0;
    memset(numbers, 0xFF, sizeof numbers);
    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t string = (uint32_t) random_below(&random, STRINGS);
        uint32_t number = UINT32_MAX;
        if (numbers[string] != UINT32_MAX && random_below(&random, 2) == 0) {
            intern_remove(&table, numbers[string]);
            assert_false(intern_has(&table, numbers[string]));
            numbers[string] = UINT32_MAX;
            count--;
        } else if (numbers[string] == UINT32_MAX && count == ENTRIES) {
            assert_int_equal(intern_put(&table, string_number(string), &number), VT_FULL);
            assert_int_equal(number, UINT32_MAX);
        } else {
            assert_int_equal(intern_put(&table, string_number(string), &number), VT_OK);
            assert_true(number < ENTRIES);
            count += numbers[string] == UINT32_MAX;
            assert_true(numbers[string] == UINT32_MAX || numbers[string] == number);
            numbers[string] = number;
        }
        if (i % 20 == 0) {
            assert_same(&table, numbers, count);
        }
    }
    assert_true(intern_high_water(&table) <= ENTRIES);
    unit_arena_close(&arena);
}

static void removing_frees_bytes_for_strings_of_any_size(void **state)
{
    (void) state;
    struct arena arena = unit_arena(ARENA_BYTES);
    struct intern table = open_table(&arena, 65536, 1);
    static uint8_t big[65537];
    uint32_t number = 0;
    for (uint32_t round = 0; round < 5; round++) {
        uint32_t numbers[ENTRIES];
        for (uint32_t i = 0; i < 4; i++) {
            big[0] = (uint8_t) i;
            assert_int_equal(intern_put(&table, bytes_of(big, 16384), &numbers[i]), VT_OK);
        }
        assert_int_equal(intern_put(&table, bytes_of(big, 20), &number), VT_FULL);
        assert_int_equal(intern_count(&table), 4);
        for (uint32_t i = 0; i < 4; i++) {
            intern_remove(&table, numbers[i]);
        }
        assert_int_equal(intern_put(&table, bytes_of(big, 65536), &number), VT_OK);
        intern_remove(&table, number);
    }
    assert_int_equal(intern_put(&table, bytes_of(big, 65537), &number), VT_TOO_LARGE);
    unit_arena_close(&arena);
}

static void get_number_0(void *argument)
{
    (void) intern_get(argument, 0);
}

static void asking_for_a_removed_number_is_a_bug(void **state)
{
    (void) state;
    struct arena arena = unit_arena(ARENA_BYTES);
    struct intern table = open_table(&arena, 65536, 1);
    uint32_t number = 9;
    assert_int_equal(intern_put(&table, bytes_of_text("aceras"), &number), VT_OK);
    assert_int_equal(number, 0);
    intern_remove(&table, 0);

    assert_true(unit_check_fails(get_number_0, &table));
    unit_arena_close(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_stay_with_their_strings_until_removed),
        cmocka_unit_test(removing_frees_bytes_for_strings_of_any_size),
        cmocka_unit_test(asking_for_a_removed_number_is_a_bug),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
