#include "lib/members.h"

#include "lib/check.h"
#include "lib/hash.h"

#define FRACTION_BITS 32U

/* -log2(u / 2^64) for u in 1..2^64-1, with 32 bits of fraction: the whole part from the leading
 * zeros, the fraction bit by bit by squaring. No floating point, so no two machines differ.
 */
static uint64_t negative_log2(uint64_t u)
{
    uint32_t zeros = (uint32_t) __builtin_clzll(u);
    uint64_t mantissa = (u << zeros) >> 32; /* [2^31, 2^32): the number 1.x with 31 bits */
    uint64_t fraction = 0;
    for (uint32_t i = 0; i < FRACTION_BITS; i++) {
        mantissa = (mantissa * mantissa) >> 31;
        fraction <<= 1;
        if (mantissa >= UINT64_C(1) << 32) {
            mantissa >>= 1;
            fraction |= 1U;
        }
    }
    return ((uint64_t) (zeros + 1U) << FRACTION_BITS) - fraction;
}

/* Exponentially distributed with the weight as its rate: the smallest one wins with a chance in
 * proportion to its weight.
 */
static uint64_t cost_of(const struct member *member, uint32_t part)
{
    uint64_t drawn = hash_rendezvous(member->name_hash, part) | 1U;
    return (negative_log2(drawn) << 20) / member->weight;
}

static bool
is_better(const struct member *a, uint64_t a_cost, const struct member *b, uint64_t b_cost)
{
    return a_cost != b_cost ? a_cost < b_cost : a->name_hash < b->name_hash;
}

uint32_t members_owner(const struct member *members, uint32_t count, uint32_t part)
{
    uint32_t best = MEMBERS_NONE;
    uint64_t best_cost = 0;
    for (uint32_t i = 0; i < count; i++) {
        CHECK(members[i].weight <= MEMBERS_WEIGHT_MAX);
        if (!members[i].active || members[i].weight == 0) {
            continue;
        }
        uint64_t cost = cost_of(&members[i], part);
        if (best == MEMBERS_NONE || is_better(&members[i], cost, &members[best], best_cost)) {
            best = i;
            best_cost = cost;
        }
    }
    return best;
}
