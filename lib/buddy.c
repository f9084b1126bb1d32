#include "lib/buddy.h"

#include <string.h>

#include "lib/arena.h"
#include "lib/check.h"

#define TOP_ORDER (BUDDY_ORDER_COUNT - 1U)
#define TOP_UNITS (1U << TOP_ORDER)

/* marks[]: 0 for the inside of a block, else the block's order + 1, plus this when it is free. */
#define MARK_FREE 0x80U

/* What a free block's first bytes hold: its neighbours in the list of free blocks of its order. */
struct links {
    uint32_t next;
    uint32_t prev;
};

void buddy_init(struct buddy *buddy, struct arena *arena, uint64_t capacity_bytes)
{
    uint64_t tops = (capacity_bytes + BUDDY_BLOCK_BYTES_MAX - 1U) / BUDDY_BLOCK_BYTES_MAX;
    CHECK(tops <= UINT64_C(1) << 19);
    *buddy = (struct buddy){.unit_count = (uint32_t) tops * TOP_UNITS};
    for (uint32_t i = 0; i < BUDDY_ORDER_COUNT; i++) {
        buddy->free_first[i] = BUDDY_NONE;
    }
    buddy->free_units = buddy->unit_count;
    buddy->memory = arena_take(arena, tops * BUDDY_BLOCK_BYTES_MAX, ARENA_ALIGN_MAX);
    buddy->marks = ARENA_ARRAY(arena, uint8_t, buddy->unit_count);
}

void *buddy_at(const struct buddy *buddy, uint32_t unit)
{
    CHECK(unit < buddy->unit_count);
    return buddy->memory + (uint64_t) unit * BUDDY_UNIT_BYTES;
}

static struct links links_of(const struct buddy *buddy, uint32_t unit)
{
    struct links links;
    memcpy(&links, buddy_at(buddy, unit), sizeof links);
    return links;
}

static void set_links(const struct buddy *buddy, uint32_t unit, struct links links)
{
    memcpy(buddy_at(buddy, unit), &links, sizeof links);
}

static void push_free(struct buddy *buddy, uint32_t unit, uint32_t order)
{
    uint32_t next = buddy->free_first[order];
    if (next != BUDDY_NONE) {
        struct links links = links_of(buddy, next);
        links.prev = unit;
        set_links(buddy, next, links);
    }
    set_links(buddy, unit, (struct links){.next = next, .prev = BUDDY_NONE});
    buddy->free_first[order] = unit;
    buddy->marks[unit] = (uint8_t) (MARK_FREE | (order + 1U));
}

static void unlink_free(struct buddy *buddy, uint32_t unit, uint32_t order)
{
    struct links links = links_of(buddy, unit);
    if (links.prev == BUDDY_NONE) {
        buddy->free_first[order] = links.next;
    } else {
        struct links before = links_of(buddy, links.prev);
        before.next = links.next;
        set_links(buddy, links.prev, before);
    }
    if (links.next != BUDDY_NONE) {
        struct links behind = links_of(buddy, links.next);
        behind.prev = links.prev;
        set_links(buddy, links.next, behind);
    }
    buddy->marks[unit] = 0;
}

static uint32_t order_for(uint32_t size_bytes)
{
    uint32_t order = 0;
    while ((BUDDY_UNIT_BYTES << order) < size_bytes) {
        order++;
    }
    return order;
}

/* The smallest free block of at least `order`, out of its list; untouched memory comes last. */
static uint32_t find_block(struct buddy *buddy, uint32_t order, uint32_t *found_order)
{
    for (uint32_t i = order; i < BUDDY_ORDER_COUNT; i++) {
        uint32_t unit = buddy->free_first[i];
        if (unit != BUDDY_NONE) {
            unlink_free(buddy, unit, i);
            *found_order = i;
            return unit;
        }
    }
    if (buddy->high_water == buddy->unit_count) {
        return BUDDY_NONE;
    }
    uint32_t unit = buddy->high_water;
    buddy->high_water += TOP_UNITS;
    *found_order = TOP_ORDER;
    return unit;
}

vt_err buddy_take(struct buddy *buddy, uint32_t size_bytes, uint32_t *unit)
{
    if (size_bytes > BUDDY_BLOCK_BYTES_MAX) {
        return VT_TOO_LARGE;
    }
    uint32_t wanted = order_for(size_bytes);
    uint32_t order = 0;
    uint32_t taken = find_block(buddy, wanted, &order);
    if (taken == BUDDY_NONE) {
        return VT_FULL;
    }

    while (order > wanted) {
        order--;
        push_free(buddy, taken + (1U << order), order);
    }
    buddy->marks[taken] = (uint8_t) (wanted + 1U);
    buddy->free_units -= 1U << wanted;
    *unit = taken;
    return VT_OK;
}

void buddy_give(struct buddy *buddy, uint32_t unit)
{
    CHECK(unit < buddy->high_water);
    uint8_t mark = buddy->marks[unit];
    CHECK(mark != 0);
    CHECK((mark & MARK_FREE) == 0);
    uint32_t order = mark - 1U;
    buddy->free_units += 1U << order;
    buddy->marks[unit] = 0;

    while (order < TOP_ORDER) {
        uint32_t other = unit ^ (1U << order);
        if (buddy->marks[other] != (MARK_FREE | (order + 1U))) {
            break;
        }
        unlink_free(buddy, other, order);
        unit = unit < other ? unit : other;
        order++;
    }
    push_free(buddy, unit, order);
}

uint64_t buddy_free_bytes(const struct buddy *buddy)
{
    return (uint64_t) buddy->free_units * BUDDY_UNIT_BYTES;
}
