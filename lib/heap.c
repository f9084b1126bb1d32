#include "lib/heap.h"

#include "lib/arena.h"
#include "lib/check.h"

void heap_init(struct heap *heap, struct arena *arena, uint32_t capacity)
{
    CHECK(capacity < UINT32_MAX / 2U);
    *heap = (struct heap){.capacity = capacity};
    heap->rows = ARENA_ARRAY(arena, uint32_t, capacity);
    heap->place_plus_1 = ARENA_ARRAY(arena, uint32_t, capacity);
    heap->keys = ARENA_ARRAY(arena, int64_t, capacity);
}

static bool is_before(const struct heap *heap, uint32_t a, uint32_t b)
{
    return heap->keys[a] != heap->keys[b] ? heap->keys[a] < heap->keys[b] : a < b;
}

static void put_at(struct heap *heap, uint32_t place, uint32_t row)
{
    heap->rows[place] = row;
    heap->place_plus_1[row] = place + 1U;
}

static void sift_up(struct heap *heap, uint32_t place, uint32_t row)
{
    while (place > 0) {
        uint32_t parent = (place - 1U) / 2U;
        if (!is_before(heap, row, heap->rows[parent])) {
            break;
        }
        put_at(heap, place, heap->rows[parent]);
        place = parent;
    }
    put_at(heap, place, row);
}

static void sift_down(struct heap *heap, uint32_t place, uint32_t row)
{
    uint32_t child = 2U * place + 1U;
    while (child < heap->count) {
        if (child + 1U < heap->count &&
            is_before(heap, heap->rows[child + 1U], heap->rows[child])) {
            child++;
        }
        if (!is_before(heap, heap->rows[child], row)) {
            break;
        }
        put_at(heap, place, heap->rows[child]);
        place = child;
        child = 2U * place + 1U;
    }
    put_at(heap, place, row);
}

/* `row` belongs somewhere above or below `place`, which is free for it. */
static void settle(struct heap *heap, uint32_t place, uint32_t row)
{
    if (place > 0 && is_before(heap, row, heap->rows[(place - 1U) / 2U])) {
        sift_up(heap, place, row);
    } else {
        sift_down(heap, place, row);
    }
}

void heap_set(struct heap *heap, uint32_t row, int64_t key)
{
    CHECK(row < heap->capacity);
    heap->keys[row] = key;
    if (heap->place_plus_1[row] != 0) {
        settle(heap, heap->place_plus_1[row] - 1U, row);
        return;
    }
    heap->count++;
    sift_up(heap, heap->count - 1U, row);
}

void heap_remove(struct heap *heap, uint32_t row)
{
    if (!heap_has(heap, row)) {
        return;
    }
    uint32_t place = heap->place_plus_1[row] - 1U;
    heap->place_plus_1[row] = 0;
    heap->count--;
    if (place != heap->count) {
        settle(heap, place, heap->rows[heap->count]);
    }
}

uint32_t heap_first(const struct heap *heap)
{
    return heap->count == 0 ? HEAP_NONE : heap->rows[0];
}

bool heap_has(const struct heap *heap, uint32_t row)
{
    CHECK(row < heap->capacity);
    return heap->place_plus_1[row] != 0;
}

int64_t heap_key(const struct heap *heap, uint32_t row)
{
    CHECK(heap_has(heap, row));
    return heap->keys[row];
}

uint32_t heap_count(const struct heap *heap)
{
    return heap->count;
}
