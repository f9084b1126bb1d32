#include "router/profiles.h"

#include <string.h>

#include "lib/arena.h"
#include "lib/bits.h"
#include "lib/check.h"

void profiles_init(struct profiles *profiles,
                   struct arena *arena,
                   const struct profiles_options *options)
{
    *profiles =
        (struct profiles){.terms = options->terms, .word_count = BITS_WORDS(options->profiles_max)};
    intern_init(&profiles->keys,
                arena,
                &(struct intern_options){.entry_count_max = options->profiles_max,
                                         .byte_count_max = options->key_bytes_max,
                                         .seed = options->seed});
    profiles->reference_counts = ARENA_ARRAY(arena, uint32_t, options->profiles_max);
    profiles->persons = ARENA_ARRAY(arena, uint64_t, profiles->word_count);
    profiles->every_queue = ARENA_ARRAY(arena, uint64_t, profiles->word_count);
    profiles->all = ARENA_ARRAY(arena, uint64_t, profiles->word_count);
    profiles->decoded = ARENA_NEW(arena, struct profile);
    profiles->key_bytes = ARENA_ARRAY(arena, uint8_t, PROFILE_BYTES_MAX + 1U);
}

struct profile_term {
    enum term_kind kind;
    struct bytes name;
    uint32_t level;
};

static uint32_t term_count(const struct profile *profile)
{
    return profile->queue_count + profile->language_count + profile->skill_count;
}

/* The i-th name of a profile: queues, languages, skills. */
static struct profile_term term_at(const struct profile *profile, uint32_t i)
{
    if (i < profile->queue_count) {
        return (struct profile_term){.kind = TERM_QUEUE, .name = profile->queues[i]};
    }
    i -= profile->queue_count;
    if (i < profile->language_count) {
        return (struct profile_term){.kind = TERM_LANGUAGE, .name = profile->languages[i]};
    }
    const struct skill *skill = &profile->skills[i - profile->language_count];
    return (struct profile_term){.kind = TERM_SKILL, .name = skill->name, .level = skill->level};
}

static void drop_first_terms(struct profiles *profiles, uint32_t profile, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct profile_term at = term_at(profiles->decoded, i);
        uint32_t term = terms_find(profiles->terms, at.kind, at.name);
        CHECK(term != TERMS_NONE);
        for (uint32_t level = 0; level <= at.level; level++) {
            bits_clear(terms_set(profiles->terms, term, level), profile);
        }
        terms_drop(profiles->terms, term);
    }
}

static vt_err put_terms(struct profiles *profiles, uint32_t profile)
{
    uint32_t count = term_count(profiles->decoded);
    for (uint32_t i = 0; i < count; i++) {
        struct profile_term at = term_at(profiles->decoded, i);
        uint32_t term = 0;
        vt_err err = terms_put(profiles->terms, at.kind, at.name, &term);
        if (err != VT_OK) {
            drop_first_terms(profiles, profile, i);
            return err;
        }
        for (uint32_t level = 0; level <= at.level; level++) {
            bits_set(terms_set(profiles->terms, term, level), profile);
        }
    }
    return VT_OK;
}

static vt_err add_new(struct profiles *profiles,
                      const struct profile_key *key,
                      struct bytes key_bytes,
                      uint32_t *profile)
{
    if (profile_read(key->blob, profiles->decoded) != VT_OK) {
        return VT_CORRUPT;
    }
    vt_err err = intern_put(&profiles->keys, key_bytes, profile);
    if (err != VT_OK) {
        return VT_FULL;
    }
    err = put_terms(profiles, *profile);
    if (err != VT_OK) {
        intern_remove(&profiles->keys, *profile);
        return VT_FULL;
    }
    bits_set(profiles->all, *profile);
    if (key->person == PROFILE_PERSON) {
        bits_set(profiles->persons, *profile);
    }
    if (profiles->decoded->queue_count == 0) {
        bits_set(profiles->every_queue, *profile);
    }
    return VT_OK;
}

vt_err
profiles_add(struct profiles *profiles, const struct profile_key *key, struct profiles_put *put)
{
    if (key->blob.size == 0 || key->blob.size > PROFILE_BYTES_MAX) {
        return VT_CORRUPT;
    }
    profiles->key_bytes[0] = (uint8_t) key->person;
    memcpy(profiles->key_bytes + 1, key->blob.data, key->blob.size);
    struct bytes key_bytes = bytes_of(profiles->key_bytes, key->blob.size + 1U);
    uint32_t profile = 0;
    bool is_known = intern_find(&profiles->keys, key_bytes, &profile);
    if (!is_known) {
        vt_err err = add_new(profiles, key, key_bytes, &profile);
        if (err != VT_OK) {
            profiles->refused_total += err == VT_FULL;
            return err;
        }
    }
    profiles->reference_counts[profile]++;
    *put = (struct profiles_put){.profile = profile, .is_new = !is_known};
    return VT_OK;
}

const struct profile *profiles_read(const struct profiles *profiles, uint32_t profile)
{
    vt_err err = profile_read(profiles_key(profiles, profile).blob, profiles->decoded);
    CHECK(err == VT_OK);
    return profiles->decoded;
}

bool profiles_is_last(const struct profiles *profiles, uint32_t profile)
{
    CHECK(profiles->reference_counts[profile] > 0);
    return profiles->reference_counts[profile] == 1;
}

bool profiles_release(struct profiles *profiles, uint32_t profile)
{
    CHECK(profiles->reference_counts[profile] > 0);
    profiles->reference_counts[profile]--;
    if (profiles->reference_counts[profile] > 0) {
        return false;
    }
    drop_first_terms(profiles, profile, term_count(profiles_read(profiles, profile)));
    bits_clear(profiles->all, profile);
    bits_clear(profiles->persons, profile);
    bits_clear(profiles->every_queue, profile);
    intern_remove(&profiles->keys, profile);
    return true;
}

struct profile_key profiles_key(const struct profiles *profiles, uint32_t profile)
{
    struct bytes bytes = intern_get(&profiles->keys, profile);
    return (struct profile_key){.person = bits_test(profiles->persons, profile) ? PROFILE_PERSON
                                                                                : PROFILE_PROGRAM,
                                .blob = bytes_of(bytes.data + 1, bytes.size - 1U)};
}

bool profiles_has(const struct profiles *profiles, uint32_t profile)
{
    return intern_has(&profiles->keys, profile);
}

uint32_t profiles_count(const struct profiles *profiles)
{
    return intern_count(&profiles->keys);
}

uint32_t profiles_high_water(const struct profiles *profiles)
{
    return intern_high_water(&profiles->keys);
}
