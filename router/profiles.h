#ifndef ROUTER_PROFILES_H
#define ROUTER_PROFILES_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/bytes.h"
#include "lib/err.h"
#include "lib/intern.h"
#include "proto/requirements.h"
#include "router/terms.h"

struct arena;

/* Agents that offer exactly the same are of one profile: queues, languages, skills, and whether
 * they are persons. A profile lives while an agent is of it.
 */
#define PROFILES_NONE UINT32_MAX

struct profile_key {
    enum profile_person {
        PROFILE_PROGRAM = 0,
        PROFILE_PERSON = 1
    } person;
    struct bytes blob; /* canonical profile */
};

struct profiles {
    struct intern keys; /* 1 B person, blob */
    uint32_t *reference_counts;
    struct terms *terms;
    uint64_t *persons;     /* profiles of persons */
    uint64_t *every_queue; /* profiles that name no queue */
    uint64_t *all;         /* profiles there are */
    uint32_t word_count;
    struct profile *decoded; /* scratch, too large for the stack, as is the next */
    uint8_t *key_bytes;
    uint64_t refused_total;
};

struct profiles_options {
    uint32_t profiles_max;
    uint64_t key_bytes_max;
    struct terms *terms; /* outlives it */
    uint64_t seed;
};

void profiles_init(struct profiles *profiles,
                   struct arena *arena,
                   const struct profiles_options *options);

/* One more agent of this profile. VT_FULL: no slot, bytes or names left, counted in refused_total.
 * VT_CORRUPT: not a canonical profile. */
struct profiles_put {
    uint32_t profile;
    bool is_new;
};
VT_MUST_USE vt_err profiles_add(struct profiles *profiles,
                                const struct profile_key *key,
                                struct profiles_put *put);

/* Whether its next release is the last. */
bool profiles_is_last(const struct profiles *profiles, uint32_t profile);

/* One agent less; true: it was the last, the number is free for another profile. */
bool profiles_release(struct profiles *profiles, uint32_t profile);

/* The profile decoded, until the next call of any function here. */
const struct profile *profiles_read(const struct profiles *profiles, uint32_t profile);

struct profile_key profiles_key(const struct profiles *profiles, uint32_t profile);
bool profiles_has(const struct profiles *profiles, uint32_t profile);
uint32_t profiles_count(const struct profiles *profiles);
uint32_t profiles_high_water(const struct profiles *profiles);

#endif
