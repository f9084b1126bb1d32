#ifndef LIB_INTERN_H
#define LIB_INTERN_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/buddy.h"
#include "lib/bytes.h"
#include "lib/err.h"
#include "lib/slab.h"

struct arena;

/* A table of distinct byte strings with small dense numbers: requirement classes, agent profiles,
 * names of skills and queues. Removing one really frees its number and its bytes.
 */
struct intern_entry {
    uint32_t unit;
    uint32_t size;
    uint32_t tag;
};

struct intern {
    struct buddy bytes;
    struct slab numbers;
    struct intern_entry *entries;
    uint32_t *places; /* number + 1; 0 is free */
    uint64_t seed;
    uint32_t mask;
};

struct intern_options {
    uint32_t entry_count_max; /* at least 1, below 2^30 */
    uint64_t byte_count_max;  /* sum over strings, each rounded up to a power of two from 16 */
    uint64_t seed;
};

/* Numbers are below entry_count_max; the smallest never used or the last given back comes next. */
void intern_init(struct intern *table, struct arena *arena, const struct intern_options *options);

/* The string's number; it is copied and added if it is new. The empty string is a string.
 * VT_FULL: it is new, and no number or not enough bytes are left.  VT_TOO_LARGE: over 64 KiB.
 */
VT_MUST_USE vt_err intern_put(struct intern *table, struct bytes string, uint32_t *number);

/* False: it is not in the table, and *number is untouched. */
bool intern_find(const struct intern *table, struct bytes string, uint32_t *number);

/* `number` is in the table (CHECK). Valid until this number is removed. */
struct bytes intern_get(const struct intern *table, uint32_t number);

/* `number` is in the table (CHECK) and may be handed out again for another string afterwards. */
void intern_remove(struct intern *table, uint32_t number);

bool intern_has(const struct intern *table, uint32_t number);
uint32_t intern_count(const struct intern *table);

/* Numbers at or above this were never handed out. */
uint32_t intern_high_water(const struct intern *table);

#endif
