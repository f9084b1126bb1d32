#ifndef ROUTER_TERMS_H
#define ROUTER_TERMS_H

#include <stdint.h>

#include "lib/bytes.h"
#include "lib/err.h"
#include "lib/intern.h"
#include "proto/message.h"

struct arena;

/* The names that classes ask for and profiles offer (queues, languages, skills), numbered, and for
 * each name and level the set of the profiles that have it at that level or above. With these a
 * new class finds its profiles by a few ANDs of sets, however many profiles there are.
 */
#define TERMS_LEVEL_COUNT (LEVEL_MAX + 1u)
#define TERMS_NONE UINT32_MAX

enum term_kind {
    TERM_QUEUE = 'q',
    TERM_LANGUAGE = 'l',
    TERM_SKILL = 's'
};

struct terms {
    struct intern names;
    uint32_t *reference_counts;
    uint64_t *sets; /* [name][level][profile word] */
    uint32_t word_count;
};

struct terms_options {
    uint32_t names_max;
    uint32_t profiles_max;
    uint64_t seed;
};

void terms_init(struct terms *terms, struct arena *arena, const struct terms_options *options);

/* The name's number, with one more reference to it. VT_FULL: it is new and names_max are in. */
VT_MUST_USE vt_err terms_put(struct terms *terms,
                             enum term_kind kind,
                             struct bytes name,
                             uint32_t *term);
void terms_drop(struct terms *terms, uint32_t term);

/* Its number without a new reference, or TERMS_NONE. */
uint32_t terms_find(const struct terms *terms, enum term_kind kind, struct bytes name);

/* The profiles that have it at `level` or above; queues and languages are at level 0. */
uint64_t *terms_set(const struct terms *terms, uint32_t term, uint32_t level);

#endif
