#include "lib/random.h"

#include "lib/check.h"

void random_init(struct random *random, uint64_t seed)
{
    for (uint32_t i = 0; i < 4; i++) {
        seed += UINT64_C(0x9e3779b97f4a7c15);
        uint64_t x = seed;
        x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
        random->state[i] = x ^ (x >> 31);
    }
}

static uint64_t rotated(uint64_t x, uint32_t by)
{
    return (x << by) | (x >> (64U - by));
}

uint64_t random_u64(struct random *random)
{
    uint64_t *state = random->state;
    uint64_t result = rotated(state[1] * 5U, 7) * 9U;
    uint64_t shifted = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotated(state[3], 45);
    return result;
}

uint64_t random_below(struct random *random, uint64_t bound)
{
    CHECK(bound >= 1);
    /* The first 2^64 mod bound numbers would make some results likelier than others. */
    uint64_t unfair = (UINT64_C(0) - bound) % bound;
    uint64_t drawn = 0;
    do {
        drawn = random_u64(random);
    } while (drawn < unfair);
    return drawn % bound;
}

int64_t random_range(struct random *random, int64_t low, int64_t high)
{
    CHECK(low <= high);
    uint64_t width = (uint64_t) high - (uint64_t) low;
    uint64_t offset = width == UINT64_MAX ? random_u64(random) : random_below(random, width + 1U);
    return (int64_t) ((uint64_t) low + offset);
}

double random_unit_double(struct random *random)
{
    return (double) (random_u64(random) >> 11) * 0x1.0p-53;
}
