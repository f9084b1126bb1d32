#include "lib/intern.h"

#include <string.h>

#include "lib/arena.h"
#include "lib/check.h"
#include "lib/hash.h"

void intern_init(struct intern *table, struct arena *arena, const struct intern_options *options)
{
    CHECK(options->entry_count_max >= 1);
    CHECK(options->entry_count_max < (1U << 30));
    uint32_t place_count = 4;
    while (place_count < options->entry_count_max + options->entry_count_max / 2U + 1U) {
        place_count *= 2U;
    }

    *table = (struct intern){.seed = options->seed, .mask = place_count - 1U};
    buddy_init(&table->bytes, arena, options->byte_count_max);
    slab_init(&table->numbers, arena, options->entry_count_max);
    table->entries = ARENA_ARRAY(arena, struct intern_entry, options->entry_count_max);
    table->places = ARENA_ARRAY(arena, uint32_t, place_count);
}

static struct bytes string_of(const struct intern *table, uint32_t number)
{
    const struct intern_entry *entry = &table->entries[number];
    return bytes_of(buddy_at(&table->bytes, entry->unit), entry->size);
}

/* The place of the string, or the free place where a search for it ends. */
static uint32_t place_of(const struct intern *table, struct bytes string, uint32_t tag)
{
    uint32_t place = tag & table->mask;
    while (table->places[place] != 0) {
        uint32_t number = table->places[place] - 1U;
        if (table->entries[number].tag == tag && bytes_equal(string_of(table, number), string)) {
            return place;
        }
        place = (place + 1U) & table->mask;
    }
    return place;
}

static uint32_t tag_of(const struct intern *table, struct bytes string)
{
    return (uint32_t) hash_bytes(string, table->seed);
}

vt_err intern_put(struct intern *table, struct bytes string, uint32_t *number)
{
    uint32_t tag = tag_of(table, string);
    uint32_t place = place_of(table, string, tag);
    if (table->places[place] != 0) {
        *number = table->places[place] - 1U;
        return VT_OK;
    }

    uint32_t unit = 0;
    vt_err err = buddy_take(&table->bytes, string.size, &unit);
    if (err != VT_OK) {
        return err;
    }
    uint32_t added = 0;
    err = slab_take(&table->numbers, &added);
    if (err != VT_OK) {
        buddy_give(&table->bytes, unit);
        return err;
    }

    if (string.size > 0) {
        memcpy(buddy_at(&table->bytes, unit), string.data, string.size);
    }
    table->entries[added] = (struct intern_entry){.unit = unit, .size = string.size, .tag = tag};
    table->places[place] = added + 1U;
    *number = added;
    return VT_OK;
}

bool intern_find(const struct intern *table, struct bytes string, uint32_t *number)
{
    uint32_t place = place_of(table, string, tag_of(table, string));
    if (table->places[place] == 0) {
        return false;
    }
    *number = table->places[place] - 1U;
    return true;
}

struct bytes intern_get(const struct intern *table, uint32_t number)
{
    CHECK(intern_has(table, number));
    return string_of(table, number);
}

/* Backward shift, as in map.c. */
static void free_place(struct intern *table, uint32_t hole)
{
    uint32_t place = (hole + 1U) & table->mask;
    while (table->places[place] != 0) {
        uint32_t home = table->entries[table->places[place] - 1U].tag & table->mask;
        if (((place - home) & table->mask) >= ((place - hole) & table->mask)) {
            table->places[hole] = table->places[place];
            hole = place;
        }
        place = (place + 1U) & table->mask;
    }
    table->places[hole] = 0;
}

void intern_remove(struct intern *table, uint32_t number)
{
    CHECK(intern_has(table, number));
    uint32_t place = table->entries[number].tag & table->mask;
    while (table->places[place] != number + 1U) {
        CHECK(table->places[place] != 0);
        place = (place + 1U) & table->mask;
    }
    free_place(table, place);
    buddy_give(&table->bytes, table->entries[number].unit);
    slab_give(&table->numbers, number);
}

bool intern_has(const struct intern *table, uint32_t number)
{
    return slab_is_taken(&table->numbers, number);
}

uint32_t intern_count(const struct intern *table)
{
    return slab_used(&table->numbers);
}

uint32_t intern_high_water(const struct intern *table)
{
    return slab_high_water(&table->numbers);
}
