#ifndef LIB_HEAP_H
#define LIB_HEAP_H

#include <stdbool.h>
#include <stdint.h>

struct arena;

/* A binary heap of row numbers below `capacity`, each at most once, smallest key first; rows with
 * equal keys come in ascending row order. Set and remove are O(log n) from anywhere. Opening it
 * touches no memory; 16 bytes a row.
 */
#define HEAP_NONE UINT32_MAX

struct heap {
    uint32_t *rows;         /* the heap itself */
    uint32_t *place_plus_1; /* by row; 0: not in the heap */
    int64_t *keys;          /* by row */
    uint32_t count;
    uint32_t capacity;
};

void heap_init(struct heap *heap, struct arena *arena, uint32_t capacity);

/* Adds the row or changes its key. */
void heap_set(struct heap *heap, uint32_t row, int64_t key);

/* Nothing happens when the row is not in the heap. */
void heap_remove(struct heap *heap, uint32_t row);

/* The first row, or HEAP_NONE. */
uint32_t heap_first(const struct heap *heap);

bool heap_has(const struct heap *heap, uint32_t row);

/* `row` is in the heap (CHECK). */
int64_t heap_key(const struct heap *heap, uint32_t row);

uint32_t heap_count(const struct heap *heap);

#endif
