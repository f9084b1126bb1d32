#ifndef LIB_MAP_H
#define LIB_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

struct arena;

/* A hash table from a key of 16 bytes to a row number. It stores 8 bytes a place (32 bits of the
 * hash, and the row) and asks the caller's rows for the key, so the key is in memory once: between
 * 12 and 24 bytes a row at capacity. Linear probing with backward-shift deletion, no tombstones.
 *
 * There is deliberately no iteration: the order of places depends on the seed and must not decide
 * anything. Walk the slab or the list that owns the rows.
 */
struct map_key {
    uint64_t a;
    uint64_t b;
};

/* The key of a row that is in the map. */
typedef struct map_key map_key_fn(const void *context, uint32_t row);

struct map_place {
    uint32_t tag;
    uint32_t row_plus_1; /* 0: the place is free */
};

struct map {
    struct map_place *places;
    map_key_fn *key_of;
    const void *context;
    uint64_t seed;
    uint32_t mask;
    uint32_t capacity;
    uint32_t count;
};

struct map_options {
    uint32_t capacity; /* rows at most, below 2^30; row numbers themselves are below UINT32_MAX */
    uint64_t seed;
    map_key_fn *key_of;
    const void *context; /* outlives the map */
};

/* The places are the next power of two at or above 1.5 * capacity, at 8 bytes each. */
void map_init(struct map *map, struct arena *arena, const struct map_options *options);

/* The row must carry the key already (key_of() is asked about it at once in later calls).
 * VT_CONFLICT: a row with this key is in the map.  VT_FULL: capacity is reached.
 */
VT_MUST_USE vt_err map_put(struct map *map, struct map_key key, uint32_t row);

/* False: there is none, and *row is untouched. */
bool map_find(const struct map *map, struct map_key key, uint32_t *row);

/* Call it while the row still has its key. False: there was none. */
bool map_remove(struct map *map, struct map_key key);

uint32_t map_count(const struct map *map);

#endif
