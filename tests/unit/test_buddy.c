#include "tests/unit/unit.h"

#include <string.h>

#include "lib/buddy.h"
#include "lib/random.h"

enum {
    BLOCKS = 200,
    CAPACITY = 4 * 65536
};

struct block {
    uint32_t unit;
    uint32_t size; /* 0: not taken */
    uint8_t fill;
};

static uint32_t rounded(uint32_t size)
{
    uint32_t block = BUDDY_UNIT_BYTES;
    while (block < size) {
        block *= 2;
    }
    return block;
}

static void assert_filled(const struct buddy *buddy, const struct block *block)
{
    const uint8_t *bytes = buddy_at(buddy, block->unit);
    for (uint32_t i = 0; i < block->size; i++) {
        assert_int_equal(bytes[i], block->fill);
    }
}

static void blocks_never_overlap_and_all_memory_comes_back(void **state)
{
    (void) state;
    struct random random;
    random_init(&random, unit_seed());
    struct arena arena = unit_arena(CAPACITY + CAPACITY / 16 + 64);
    struct buddy buddy;
    buddy_init(&buddy, &arena, CAPACITY - 5);
    assert_int_equal(buddy_free_bytes(&buddy), CAPACITY);
    struct block blocks[BLOCKS] = {{0}};
    uint64_t used = 0;
    for (uint32_t i = 0; i < 20000; i++) {
        struct block *block = &blocks[random_below(&random, BLOCKS)];
        if (block->size != 0) {
            assert_filled(&buddy, block);
            buddy_give(&buddy, block->unit);
            used -= rounded(block->size);
            block->size = 0;
        } else {
            uint32_t size =
                (uint32_t) random_below(&random, UINT64_C(2) << random_below(&random, 14)) + 1;
            if (buddy_take(&buddy, size, &block->unit) == VT_OK) {
                block->size = size;
                block->fill = (uint8_t) i;
                memset(buddy_at(&buddy, block->unit), block->fill, size);
                used += rounded(size);
            }
        }
        assert_int_equal(buddy_free_bytes(&buddy), CAPACITY - used);
    }
    for (uint32_t i = 0; i < BLOCKS; i++) {
        if (blocks[i].size != 0) {
            assert_filled(&buddy, &blocks[i]);
            buddy_give(&buddy, blocks[i].unit);
        }
    }
    /* Everything melted together again: the greatest blocks fit, exactly as often as at first. */
    uint32_t unit = 0;
    for (uint32_t i = 0; i < CAPACITY / BUDDY_BLOCK_BYTES_MAX; i++) {
        assert_int_equal(buddy_take(&buddy, BUDDY_BLOCK_BYTES_MAX, &unit), VT_OK);
    }
    assert_int_equal(buddy_take(&buddy, 1, &unit), VT_FULL);
    assert_int_equal(buddy_take(&buddy, BUDDY_BLOCK_BYTES_MAX + 1, &unit), VT_TOO_LARGE);
    unit_arena_close(&arena);
}

static void give_unit_0(void *argument)
{
    buddy_give(argument, 0);
}

static void giving_a_block_twice_is_a_bug(void **state)
{
    (void) state;
    struct arena arena = unit_arena(2 * 65536);
    struct buddy buddy;
    buddy_init(&buddy, &arena, 1);
    uint32_t unit = 0;
    assert_int_equal(buddy_take(&buddy, 100, &unit), VT_OK);
    assert_int_equal(unit, 0);
    buddy_give(&buddy, unit);

    assert_true(unit_check_fails(give_unit_0, &buddy));
    unit_arena_close(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_never_overlap_and_all_memory_comes_back),
        cmocka_unit_test(giving_a_block_twice_is_a_bug),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
