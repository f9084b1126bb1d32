#include "tests/unit/unit.h"

#include <string.h>

#include "lib/map.h"
#include "lib/random.h"

enum {
    ROWS = 300,
    KEYS = 500
};

/* Keys share halves, so that a hash of one half alone would collide. */
static struct map_key key_number(uint32_t number)
{
    return (struct map_key){.a = number / 25, .b = number % 25};
}

static struct map_key key_of(const void *context, uint32_t row)
{
    const struct map_key *keys = context;
    return keys[row];
}

struct world {
    struct map_key keys[ROWS];
    uint32_t row_of_key[KEYS]; /* UINT32_MAX: not in the map */
    _Bool row_used[ROWS];
    struct map map;
    uint32_t count;
    uint32_t capacity;
};

static void add(struct world *world, struct random *random, uint32_t number)
{
    uint32_t row = (uint32_t) random_below(random, ROWS);
    while (world->row_used[row]) {
        row = (row + 1) % ROWS;
    }
    world->keys[row] = key_number(number);
    vt_err err = map_put(&world->map, key_number(number), row);
    if (world->row_of_key[number] != UINT32_MAX) {
        assert_int_equal(err, VT_CONFLICT);
    } else if (world->count == world->capacity) {
        assert_int_equal(err, VT_FULL);
    } else {
        assert_int_equal(err, VT_OK);
        world->row_of_key[number] = row;
        world->row_used[row] = 1;
        world->count++;
    }
}

static void take_out(struct world *world, uint32_t number)
{
    _Bool was_in = world->row_of_key[number] != UINT32_MAX;
    assert_int_equal(map_remove(&world->map, key_number(number)), was_in);
    if (was_in) {
        world->row_used[world->row_of_key[number]] = 0;
        world->row_of_key[number] = UINT32_MAX;
        world->count--;
    }
}

static void assert_all(const struct world *world)
{
    assert_int_equal(map_count(&world->map), world->count);
    for (uint32_t i = 0; i < KEYS; i++) {
        uint32_t row = UINT32_MAX;
        _Bool found = map_find(&world->map, key_number(i), &row);
        assert_int_equal(found, world->row_of_key[i] != UINT32_MAX);
        assert_int_equal(row, world->row_of_key[i]);
    }
}

static void any_sequence_of_changes_gives_what_a_plain_table_gives(void **state)
{
    (void) state;
    struct random random;
    random_init(&random, unit_seed());
    for (uint32_t capacity = 1; capacity < ROWS; capacity = capacity * 2 + 3) {
        static struct world world;
        memset(&world, 0, sizeof world);
        world.capacity = capacity;
        struct arena arena = unit_arena(16384);
        struct map_options options = {.capacity = capacity,
                                      .seed = random_u64(&random),
                                      .key_of = key_of,
                                      .context = world.keys};
        map_init(&world.map, &arena, &options);
        for (uint32_t i = 0; i < KEYS; i++) {
            world.row_of_key[i] = UINT32_MAX;
        }
        for (uint32_t i = 0; i < 3000; i++) {
            uint32_t number = (uint32_t) random_below(&random, KEYS);
            if (random_below(&random, 100) < (i % 1000 < 500 ? 70U : 30U)) {
                add(&world, &random, number);
            } else {
                take_out(&world, number);
            }
            if (i % 50 == 0) {
                assert_all(&world);
            }
        }
        assert_all(&world);
        unit_arena_close(&arena);
    }
}

static void it_takes_at_most_24_bytes_a_row(void **state)
{
    (void) state;
    struct arena measuring;
    arena_init_measuring(&measuring);
    struct map map;
    struct map_options options = {.capacity = 1000000, .key_of = key_of};
    map_init(&map, &measuring, &options);

    assert_true(measuring.used <= UINT64_C(24) * 1000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_sequence_of_changes_gives_what_a_plain_table_gives),
        cmocka_unit_test(it_takes_at_most_24_bytes_a_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
