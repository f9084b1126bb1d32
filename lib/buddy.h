#ifndef LIB_BUDDY_H
#define LIB_BUDDY_H

#include <stdint.h>

#include "lib/err.h"

struct arena;

/* Variable-size blocks out of a fixed memory, by the buddy system (Knuth, TAOCP 1, 2.5): blocks are
 * powers of two from 16 bytes, and neighbours melt together again when both are free, so what was
 * given back serves any size. Used by intern.c.
 */
#define BUDDY_UNIT_BYTES 16U
#define BUDDY_ORDER_COUNT 13U /* 16 bytes to 64 KiB */
#define BUDDY_BLOCK_BYTES_MAX 65536U
#define BUDDY_NONE UINT32_MAX

struct buddy {
    uint8_t *memory;
    uint8_t *marks;      /* per unit: state of the block that begins there */
    uint32_t unit_count; /* a multiple of the greatest block */
    uint32_t high_water; /* units at or above it were never part of a block */
    uint32_t free_units;
    uint32_t free_first[BUDDY_ORDER_COUNT];
};

/* `capacity_bytes` is rounded up to a multiple of 64 KiB; at most 32 GiB. */
void buddy_init(struct buddy *buddy, struct arena *arena, uint64_t capacity_bytes);

/* *unit is the block's number; its bytes are at buddy_at(). Size 0 is served like 1.
 * VT_FULL: no block that great is free.  VT_TOO_LARGE: more than BUDDY_BLOCK_BYTES_MAX.
 */
VT_MUST_USE vt_err buddy_take(struct buddy *buddy, uint32_t size_bytes, uint32_t *unit);

/* `unit` came from buddy_take() (CHECK). */
void buddy_give(struct buddy *buddy, uint32_t unit);

void *buddy_at(const struct buddy *buddy, uint32_t unit);

uint64_t buddy_free_bytes(const struct buddy *buddy);

#endif
