#ifndef LIB_SLAB_H
#define LIB_SLAB_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

struct arena;

/* Hands out row numbers 0 .. capacity-1; the rows themselves are arrays of the caller. A row that
 * was given back is reused, last one first, before a new one is touched, so memory beyond the
 * greatest number of rows ever in use at once is never touched.
 */
struct slab {
    uint32_t *free_rows; /* a stack */
    uint64_t *taken;
    uint32_t capacity;
    uint32_t free_count;
    uint32_t high_water;
};

/* Takes about 4.1 bytes a row from the arena. */
void slab_init(struct slab *slab, struct arena *arena, uint32_t capacity);

/* VT_FULL: every row is taken; *row is untouched then. */
VT_MUST_USE vt_err slab_take(struct slab *slab, uint32_t *row);

/* The row must be taken (CHECK). Clearing its content is the caller's business. */
void slab_give(struct slab *slab, uint32_t row);

/* Any number may be asked for. */
bool slab_is_taken(const struct slab *slab, uint32_t row);

uint32_t slab_used(const struct slab *slab);

/* Rows at or above this were never handed out. Loop over [0, high_water) with slab_is_taken() to
 * see all rows in ascending order.
 */
uint32_t slab_high_water(const struct slab *slab);

#endif
