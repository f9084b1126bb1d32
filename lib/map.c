#include "lib/map.h"

#include <stddef.h>

#include "lib/arena.h"
#include "lib/check.h"
#include "lib/hash.h"

static uint32_t places_for(uint32_t capacity)
{
    uint64_t wanted = (uint64_t) capacity + capacity / 2U + 1U;
    uint64_t places = 4;
    while (places < wanted) {
        places *= 2U;
    }
    CHECK(places <= (UINT64_C(1) << 31));
    return (uint32_t) places;
}

void map_init(struct map *map, struct arena *arena, const struct map_options *options)
{
    CHECK(options->key_of != NULL);
    CHECK(options->capacity < (1U << 30));
    uint32_t place_count = places_for(options->capacity);
    *map = (struct map){.key_of = options->key_of,
                        .context = options->context,
                        .seed = options->seed,
                        .mask = place_count - 1U,
                        .capacity = options->capacity};
    map->places = ARENA_ARRAY(arena, struct map_place, place_count);
}

static uint32_t tag_of(const struct map *map, struct map_key key)
{
    return (uint32_t) hash_pair(key.a, key.b, map->seed);
}

static bool has_key(const struct map *map, struct map_place place, struct map_key key, uint32_t tag)
{
    if (place.tag != tag) {
        return false;
    }
    struct map_key found = map->key_of(map->context, place.row_plus_1 - 1U);
    return found.a == key.a && found.b == key.b;
}

/* The place of the key, or the free place where a search for it ends. A third of the places is
 * always free, so the walk ends.
 */
static uint32_t place_of(const struct map *map, struct map_key key, uint32_t tag)
{
    uint32_t place = tag & map->mask;
    while (map->places[place].row_plus_1 != 0 && !has_key(map, map->places[place], key, tag)) {
        place = (place + 1U) & map->mask;
    }
    return place;
}

vt_err map_put(struct map *map, struct map_key key, uint32_t row)
{
    CHECK(row != UINT32_MAX);
    uint32_t tag = tag_of(map, key);
    uint32_t place = place_of(map, key, tag);
    if (map->places[place].row_plus_1 != 0) {
        return VT_CONFLICT;
    }
    if (map->count == map->capacity) {
        return VT_FULL;
    }
    map->places[place] = (struct map_place){.tag = tag, .row_plus_1 = row + 1U};
    map->count++;
    return VT_OK;
}

bool map_find(const struct map *map, struct map_key key, uint32_t *row)
{
    uint32_t place = place_of(map, key, tag_of(map, key));
    if (map->places[place].row_plus_1 == 0) {
        return false;
    }
    *row = map->places[place].row_plus_1 - 1U;
    return true;
}

bool map_remove(struct map *map, struct map_key key)
{
    uint32_t hole = place_of(map, key, tag_of(map, key));
    if (map->places[hole].row_plus_1 == 0) {
        return false;
    }

    /* Backward shift (Knuth, TAOCP 3, 6.4, algorithm R): whatever a search would no longer reach
     * across the hole moves into it.
     */
    uint32_t place = (hole + 1U) & map->mask;
    while (map->places[place].row_plus_1 != 0) {
        uint32_t home = map->places[place].tag & map->mask;
        if (((place - home) & map->mask) >= ((place - hole) & map->mask)) {
            map->places[hole] = map->places[place];
            hole = place;
        }
        place = (place + 1U) & map->mask;
    }
    map->places[hole] = (struct map_place){0};
    map->count--;
    return true;
}

uint32_t map_count(const struct map *map)
{
    return map->count;
}
