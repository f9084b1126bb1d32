#include "router/terms.h"

#include <string.h>

#include "lib/arena.h"
#include "lib/bits.h"
#include "lib/check.h"

#define TERM_BYTES_MAX (NAME_BYTES_MAX + 1U)

void terms_init(struct terms *terms, struct arena *arena, const struct terms_options *options)
{
    *terms = (struct terms){.word_count = BITS_WORDS(options->profiles_max)};
    intern_init(&terms->names,
                arena,
                &(struct intern_options){.entry_count_max = options->names_max,
                                         .byte_count_max = (uint64_t) options->names_max * 128U,
                                         .seed = options->seed});
    terms->reference_counts = ARENA_ARRAY(arena, uint32_t, options->names_max);
    terms->sets = ARENA_ARRAY(
        arena, uint64_t, (uint64_t) options->names_max * TERMS_LEVEL_COUNT * terms->word_count);
}

/* The kind in front keeps a skill "es" and a language "es" apart. */
static struct bytes key_of(uint8_t *buffer, enum term_kind kind, struct bytes name)
{
    CHECK(name.size < TERM_BYTES_MAX);
    buffer[0] = (uint8_t) kind;
    if (name.size > 0) {
        memcpy(buffer + 1, name.data, name.size);
    }
    return bytes_of(buffer, name.size + 1U);
}

vt_err terms_put(struct terms *terms, enum term_kind kind, struct bytes name, uint32_t *term)
{
    uint8_t buffer[TERM_BYTES_MAX];
    uint32_t number = 0;
    vt_err err = intern_put(&terms->names, key_of(buffer, kind, name), &number);
    if (err != VT_OK) {
        return err;
    }
    terms->reference_counts[number]++;
    *term = number;
    return VT_OK;
}

void terms_drop(struct terms *terms, uint32_t term)
{
    CHECK(terms->reference_counts[term] > 0);
    terms->reference_counts[term]--;
    if (terms->reference_counts[term] == 0) {
        /* Every profile took its bits out before it dropped the name, so the sets are empty. */
        intern_remove(&terms->names, term);
    }
}

uint32_t terms_find(const struct terms *terms, enum term_kind kind, struct bytes name)
{
    uint8_t buffer[TERM_BYTES_MAX];
    uint32_t number = 0;
    bool is_known = intern_find(&terms->names, key_of(buffer, kind, name), &number);
    return is_known ? number : TERMS_NONE;
}

uint64_t *terms_set(const struct terms *terms, uint32_t term, uint32_t level)
{
    CHECK(level < TERMS_LEVEL_COUNT);
    return terms->sets + ((uint64_t) term * TERMS_LEVEL_COUNT + level) * terms->word_count;
}
