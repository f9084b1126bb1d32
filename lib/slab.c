#include "lib/slab.h"

#include "lib/arena.h"
#include "lib/bits.h"
#include "lib/check.h"

void slab_init(struct slab *slab, struct arena *arena, uint32_t capacity)
{
    CHECK(capacity < UINT32_MAX - 63U);
    *slab = (struct slab){.capacity = capacity};
    slab->free_rows = ARENA_ARRAY(arena, uint32_t, capacity);
    slab->taken = ARENA_ARRAY(arena, uint64_t, BITS_WORDS(capacity));
}

vt_err slab_take(struct slab *slab, uint32_t *row)
{
    uint32_t taken = 0;
    if (slab->free_count > 0) {
        slab->free_count--;
        taken = slab->free_rows[slab->free_count];
    } else if (slab->high_water < slab->capacity) {
        taken = slab->high_water;
        slab->high_water++;
    } else {
        return VT_FULL;
    }
    CHECK(!bits_test(slab->taken, taken));
    bits_set(slab->taken, taken);
    *row = taken;
    return VT_OK;
}

void slab_give(struct slab *slab, uint32_t row)
{
    CHECK(slab_is_taken(slab, row));
    bits_clear(slab->taken, row);
    slab->free_rows[slab->free_count] = row;
    slab->free_count++;
}

bool slab_is_taken(const struct slab *slab, uint32_t row)
{
    return row < slab->high_water && bits_test(slab->taken, row);
}

uint32_t slab_used(const struct slab *slab)
{
    return slab->high_water - slab->free_count;
}

uint32_t slab_high_water(const struct slab *slab)
{
    return slab->high_water;
}
