#include "tests/unit/unit.h"

#include "lib/heap.h"
#include "lib/random.h"

enum {
    ROWS = 60
};

struct model {
    _Bool is_in[ROWS];
    int64_t keys[ROWS];
    uint32_t count;
};

static uint32_t slow_first(const struct model *model)
{
    uint32_t first = HEAP_NONE;
    for (uint32_t i = 0; i < ROWS; i++) {
        if (model->is_in[i] && (first == HEAP_NONE || model->keys[i] < model->keys[first])) {
            first = i;
        }
    }
    return first;
}

/* No row comes before its parent: what every later step relies on. */
static void assert_heap_order(const struct heap *heap)
{
    for (uint32_t i = 1; i < heap->count; i++) {
        uint32_t parent = heap->rows[(i - 1) / 2];
        uint32_t row = heap->rows[i];
        assert_true(heap->keys[parent] < heap->keys[row] ||
                    (heap->keys[parent] == heap->keys[row] && parent < row));
    }
}

static void the_first_is_always_the_smallest_key_then_the_lowest_row(void **state)
{
    (void) state;
    struct random random;
    random_init(&random, unit_seed());
    struct arena arena = unit_arena(4096);
    struct heap heap;
    heap_init(&heap, &arena, ROWS);
    struct model model = {.count = 0};
    for (uint32_t i = 0; i < 50000; i++) {
        uint32_t row = (uint32_t) random_below(&random, ROWS);
        if (random_below(&random, 3) == 0) {
            heap_remove(&heap, row);
            model.count -= model.is_in[row];
            model.is_in[row] = 0;
        } else {
            model.keys[row] = random_range(&random, -10, 10);
            heap_set(&heap, row, model.keys[row]);
            model.count += !model.is_in[row];
            model.is_in[row] = 1;
            assert_int_equal(heap_key(&heap, row), model.keys[row]);
        }
        assert_int_equal(heap_has(&heap, row), model.is_in[row]);
        assert_int_equal(heap_count(&heap), model.count);
        assert_int_equal(heap_first(&heap), slow_first(&model));
        assert_heap_order(&heap);
    }
    unit_arena_close(&arena);
}

static void taking_all_out_gives_them_in_order(void **state)
{
    (void) state;
    struct random random;
    random_init(&random, unit_seed());
    struct arena arena = unit_arena(4096);
    struct heap heap;
    heap_init(&heap, &arena, ROWS);
    for (uint32_t i = 0; i < ROWS; i++) {
        heap_set(&heap, i, random_range(&random, INT64_MIN, INT64_MAX));
    }

    int64_t last = INT64_MIN;
    while (heap_count(&heap) > 0) {
        uint32_t first = heap_first(&heap);
        assert_true(heap_key(&heap, first) >= last);
        last = heap_key(&heap, first);
        heap_remove(&heap, first);
    }
    assert_int_equal(heap_first(&heap), HEAP_NONE);
    unit_arena_close(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_is_always_the_smallest_key_then_the_lowest_row),
        cmocka_unit_test(taking_all_out_gives_them_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
