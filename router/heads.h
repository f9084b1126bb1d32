#ifndef ROUTER_HEADS_H
#define ROUTER_HEADS_H

#include <stdint.h>

#include "lib/bits.h"
#include "router/rank.h"

struct arena;

/* A rank per row for the few thousand rows that have one, laid out for one question: which of these
 * rows (a bit set) has the smallest? A set word with the rows that have a rank, the least rank of
 * each word's 64 rows, and a summary bit per word let the search skip whatever cannot win.
 */
struct heads {
    uint64_t *ranks;   /* by row; RANK_LAST: none */
    uint64_t *present; /* rows with a rank */
    uint64_t *least;   /* by word: smallest rank in it */
    uint64_t *summary; /* words of `present` that are not 0 */
    uint32_t word_count;
    uint32_t summary_count;
};

void heads_init(struct heads *heads, struct arena *arena, uint32_t row_count);

/* Sets, changes or (RANK_LAST) takes away the row's rank. */
void heads_set(struct heads *heads, uint32_t row, uint64_t rank);

#endif
