#ifndef LIB_BITS_H
#define LIB_BITS_H

#include <stdbool.h>
#include <stdint.h>

/* Sets of small numbers as arrays of 64-bit words. Bits at or above the set's size in its last word
 * stay 0; nobody but these functions writes the words.
 */
#define BITS_NONE UINT32_MAX

/* Words for a set of `bit_count` bits; usable as an array size. */
#define BITS_WORDS(bit_count) (((uint32_t) (bit_count) + 63U) / 64U)

static inline void bits_set(uint64_t *words, uint32_t bit)
{
    words[bit / 64U] |= UINT64_C(1) << (bit % 64U);
}

static inline void bits_clear(uint64_t *words, uint32_t bit)
{
    words[bit / 64U] &= ~(UINT64_C(1) << (bit % 64U));
}

static inline bool bits_test(const uint64_t *words, uint32_t bit)
{
    return ((words[bit / 64U] >> (bit % 64U)) & 1U) != 0;
}

/* The number of the lowest set bit; `word` is not 0. */
static inline uint32_t bits_lowest(uint64_t word)
{
    return (uint32_t) __builtin_ctzll(word);
}

void bits_clear_all(uint64_t *words, uint32_t word_count);

/* target = target AND (OR, AND NOT) other. */
void bits_and(uint64_t *target, const uint64_t *other, uint32_t word_count);
void bits_or(uint64_t *target, const uint64_t *other, uint32_t word_count);
void bits_and_not(uint64_t *target, const uint64_t *other, uint32_t word_count);

uint32_t bits_count(const uint64_t *words, uint32_t word_count);
bool bits_is_empty(const uint64_t *words, uint32_t word_count);
bool bits_equal(const uint64_t *a, const uint64_t *b, uint32_t word_count);

/* True when every member of `small` is in `large`. */
bool bits_is_subset(const uint64_t *small, const uint64_t *large, uint32_t word_count);

/* The lowest member at or above `from` (of the intersection of two or three sets), or BITS_NONE.
 * `from` may be beyond the end.
 */
uint32_t bits_next(const uint64_t *words, uint32_t word_count, uint32_t from);
uint32_t bits_next_and(const uint64_t *a, const uint64_t *b, uint32_t word_count, uint32_t from);
uint32_t bits_next_and3(
    const uint64_t *a, const uint64_t *b, const uint64_t *c, uint32_t word_count, uint32_t from);

#endif
