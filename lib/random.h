#ifndef LIB_RANDOM_H
#define LIB_RANDOM_H

#include <stdint.h>

/* Reproducible random numbers: xoshiro256** by Blackman and Vigna, seeded by splitmix64.
 * The seed is the host's business (entropy) or the test's (printed). Not for secrets.
 */
struct random {
    uint64_t state[4];
};

void random_init(struct random *random, uint64_t seed);
uint64_t random_u64(struct random *random);

/* Uniform in [0, bound), unbiased; bound at least 1. */
uint64_t random_below(struct random *random, uint64_t bound);

/* Uniform in [low, high], both included; low <= high. */
int64_t random_range(struct random *random, int64_t low, int64_t high);

/* Uniform in [0, 1) with 53 bits. */
double random_unit_double(struct random *random);

#endif
