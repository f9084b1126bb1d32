#ifndef ROUTER_HEADS_H
#define ROUTER_HEADS_H

#include <stdint.h>

#include "lib/tree.h"
#include "router/rank.h"

struct arena;

/* The rank of the first item of each row (the first ticket of a class, the first free agent of a
 * profile), laid out for one question: of the rows in a given bit set, which has the smallest? The
 * least rank of each word's 64 rows and a summary bit for each word let the search skip whatever
 * cannot win, so that few of the thousands of ranks are read.
 */
#define HEADS_NONE UINT32_MAX

struct heads {
    uint64_t *ranks;   /* by row, where it is present */
    uint64_t *present; /* rows that have a first item */
    uint64_t *least;   /* by word of `present`: the smallest rank in it, where it is not 0 */
    uint64_t *summary; /* by word of `present`: it is not 0 */
    uint32_t row_count;
    uint32_t summary_count;
};

void heads_init(struct heads *heads, struct arena *arena, uint32_t row_count);

/* Sets, changes or (RANK_LAST) takes away the rank of the row. */
void heads_set(struct heads *heads, uint32_t row, uint64_t rank);

/* What the row offers to this search and its rank: its first item, or a later one when that is
 * ruled out, or HEADS_NONE. Never with a smaller rank than the row's own. */
typedef uint32_t heads_item_fn(const void *context, uint32_t row, uint64_t *rank);

struct heads_search {
    const uint64_t *among;    /* set of rows, as long as `present` */
    heads_item_fn *item;      /* asked only of rows that may win */
    tree_compare_fn *compare; /* of two items with the same rank */
    const void *context;
};

/* The best item, or HEADS_NONE. */
uint32_t heads_best(const struct heads *heads, const struct heads_search *search);

#endif
