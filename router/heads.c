#include "router/heads.h"

#include <stdbool.h>

#include "lib/arena.h"
#include "lib/bits.h"
#include "lib/check.h"

void heads_init(struct heads *heads, struct arena *arena, uint32_t row_count)
{
    uint32_t word_count = BITS_WORDS(row_count);
    *heads = (struct heads){.row_count = row_count, .summary_count = BITS_WORDS(word_count)};
    heads->ranks = ARENA_ARRAY(arena, uint64_t, row_count);
    heads->present = ARENA_ARRAY(arena, uint64_t, word_count);
    heads->least = ARENA_ARRAY(arena, uint64_t, word_count);
    heads->summary = ARENA_ARRAY(arena, uint64_t, heads->summary_count);
}

static uint64_t least_of_word(const struct heads *heads, uint32_t word)
{
    uint64_t least = RANK_LAST;
    for (uint64_t rest = heads->present[word]; rest != 0; rest &= rest - 1U) {
        uint64_t rank = heads->ranks[word * 64U + bits_lowest(rest)];
        least = rank < least ? rank : least;
    }
    return least;
}

static void take_away(struct heads *heads, uint32_t row)
{
    uint32_t word = row / 64U;
    if (!bits_test(heads->present, row)) {
        return;
    }
    bits_clear(heads->present, row);
    if (heads->present[word] == 0) {
        bits_clear(heads->summary, word);
    } else if (heads->ranks[row] == heads->least[word]) {
        heads->least[word] = least_of_word(heads, word);
    }
}

void heads_set(struct heads *heads, uint32_t row, uint64_t rank)
{
    CHECK(row < heads->row_count);
    if (rank == RANK_LAST) {
        take_away(heads, row);
        return;
    }

    uint32_t word = row / 64U;
    bool was_empty = heads->present[word] == 0;
    bool was_least = bits_test(heads->present, row) && heads->ranks[row] == heads->least[word];
    heads->ranks[row] = rank;
    bits_set(heads->present, row);
    bits_set(heads->summary, word);
    if (was_empty || rank <= heads->least[word]) {
        heads->least[word] = rank;
    } else if (was_least) {
        heads->least[word] = least_of_word(heads, word);
    }
}

struct best {
    uint32_t item;
    uint64_t rank;
};

static void try_row(const struct heads_search *search, uint32_t row, struct best *best)
{
    uint64_t rank = RANK_LAST;
    uint32_t item = search->item(search->context, row, &rank);
    if (item == HEADS_NONE || rank > best->rank) {
        return;
    }
    bool is_tie = best->item != HEADS_NONE && rank == best->rank;
    if (!is_tie || search->compare(search->context, item, best->item) < 0) {
        *best = (struct best){.item = item, .rank = rank};
    }
}

static void try_word(const struct heads *heads,
                     const struct heads_search *search,
                     uint32_t word,
                     struct best *best)
{
    for (uint64_t rest = heads->present[word] & search->among[word]; rest != 0; rest &= rest - 1U) {
        uint32_t row = word * 64U + bits_lowest(rest);
        if (heads->ranks[row] <= best->rank) {
            try_row(search, row, best);
        }
    }
}

/* 64 words of `present`, 4096 rows. */
static void try_summary(const struct heads *heads,
                        const struct heads_search *search,
                        uint32_t at,
                        struct best *best)
{
    for (uint64_t rest = heads->summary[at]; rest != 0; rest &= rest - 1U) {
        uint32_t word = at * 64U + bits_lowest(rest);
        if (heads->least[word] <= best->rank) {
            try_word(heads, search, word, best);
        }
    }
}

uint32_t heads_best(const struct heads *heads, const struct heads_search *search)
{
    struct best best = {.item = HEADS_NONE, .rank = RANK_LAST};
    for (uint32_t i = 0; i < heads->summary_count; i++) {
        try_summary(heads, search, i, &best);
    }
    return best.item;
}
