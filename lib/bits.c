#include "lib/bits.h"

#include <string.h>

void bits_clear_all(uint64_t *words, uint32_t word_count)
{
    if (word_count > 0) {
        memset(words, 0, (size_t) word_count * sizeof *words);
    }
}

void bits_and(uint64_t *target, const uint64_t *other, uint32_t word_count)
{
    for (uint32_t i = 0; i < word_count; i++) {
        target[i] &= other[i];
    }
}

void bits_or(uint64_t *target, const uint64_t *other, uint32_t word_count)
{
    for (uint32_t i = 0; i < word_count; i++) {
        target[i] |= other[i];
    }
}

void bits_and_not(uint64_t *target, const uint64_t *other, uint32_t word_count)
{
    for (uint32_t i = 0; i < word_count; i++) {
        target[i] &= ~other[i];
    }
}

/* Sums of neighbours, in parallel (Knuth, TAOCP 4A, 7.1.3). The builtin would call libgcc on
 * machines that are not known to have the instruction.
 */
static uint32_t population(uint64_t word)
{
    word -= (word >> 1) & UINT64_C(0x5555555555555555);
    word = (word & UINT64_C(0x3333333333333333)) + ((word >> 2) & UINT64_C(0x3333333333333333));
    word = (word + (word >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (uint32_t) ((word * UINT64_C(0x0101010101010101)) >> 56);
}

uint32_t bits_count(const uint64_t *words, uint32_t word_count)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < word_count; i++) {
        count += population(words[i]);
    }
    return count;
}

bool bits_is_empty(const uint64_t *words, uint32_t word_count)
{
    for (uint32_t i = 0; i < word_count; i++) {
        if (words[i] != 0) {
            return false;
        }
    }
    return true;
}

bool bits_equal(const uint64_t *a, const uint64_t *b, uint32_t word_count)
{
    return word_count == 0 || memcmp(a, b, (size_t) word_count * sizeof *a) == 0;
}

bool bits_is_subset(const uint64_t *small, const uint64_t *large, uint32_t word_count)
{
    for (uint32_t i = 0; i < word_count; i++) {
        if ((small[i] & ~large[i]) != 0) {
            return false;
        }
    }
    return true;
}

/* The word's bits at or above `from`, when `from` lies in it; all of them for later words. */
static uint64_t mask_from(uint32_t word, uint32_t from)
{
    return word == from / 64U ? UINT64_MAX << (from % 64U) : UINT64_MAX;
}

uint32_t bits_next(const uint64_t *words, uint32_t word_count, uint32_t from)
{
    for (uint32_t i = from / 64U; i < word_count; i++) {
        uint64_t word = words[i] & mask_from(i, from);
        if (word != 0) {
            return i * 64U + bits_lowest(word);
        }
    }
    return BITS_NONE;
}

uint32_t bits_next_and(const uint64_t *a, const uint64_t *b, uint32_t word_count, uint32_t from)
{
    for (uint32_t i = from / 64U; i < word_count; i++) {
        uint64_t word = a[i] & b[i] & mask_from(i, from);
        if (word != 0) {
            return i * 64U + bits_lowest(word);
        }
    }
    return BITS_NONE;
}

uint32_t bits_next_and3(
    const uint64_t *a, const uint64_t *b, const uint64_t *c, uint32_t word_count, uint32_t from)
{
    for (uint32_t i = from / 64U; i < word_count; i++) {
        uint64_t word = a[i] & b[i] & c[i] & mask_from(i, from);
        if (word != 0) {
            return i * 64U + bits_lowest(word);
        }
    }
    return BITS_NONE;
}
