#include "router/eligibility.h"

#include <string.h>

#include "lib/arena.h"
#include "lib/bits.h"
#include "lib/check.h"

#define GATES_MAX (SKILLS_MAX + 3U)

void eligibility_init(struct eligibility *eligibility,
                      struct arena *arena,
                      const struct eligibility_options *options)
{
    *eligibility = (struct eligibility){.classes = options->classes,
                                        .profiles = options->profiles,
                                        .profile_words = BITS_WORDS(options->profiles_max),
                                        .class_words = BITS_WORDS(options->classes_max)};
    eligibility->of_class =
        ARENA_ARRAY(arena, uint64_t, (uint64_t) options->classes_max * eligibility->profile_words);
    eligibility->of_profile =
        ARENA_ARRAY(arena, uint64_t, (uint64_t) options->profiles_max * eligibility->class_words);
    eligibility->levels = ARENA_ARRAY(arena, uint8_t, options->names_max);
}

static uint64_t *class_row(const struct eligibility *eligibility, uint32_t class)
{
    return eligibility->of_class + (uint64_t) class * eligibility->profile_words;
}

static uint64_t *profile_row(const struct eligibility *eligibility, uint32_t profile)
{
    return eligibility->of_profile + (uint64_t) profile * eligibility->class_words;
}

/* The sets of profiles that must all hold somebody who may serve the class, but for its queue. */
static uint32_t gates_of(const struct eligibility *eligibility,
                         const struct class_form *form,
                         const uint64_t *gates[GATES_MAX])
{
    const struct profiles *profiles = eligibility->profiles;
    uint32_t count = 0;
    gates[count++] = form->is_person_requested ? profiles->persons : profiles->all;
    if (form->language_term != TERMS_NONE) {
        gates[count++] = terms_set(profiles->terms, form->language_term, 0);
    }
    for (uint32_t i = 0; i < form->skill_count; i++) {
        uint32_t skill = form->skills[i];
        gates[count++] = terms_set(profiles->terms, skill >> 8U, skill & 255U);
    }
    return count;
}

/* Brings one word of a class's row up to date, and the same bits of the profiles' rows. */
static void
put_word(struct eligibility *eligibility, uint32_t class, uint32_t word, uint64_t profiles)
{
    uint64_t *row = class_row(eligibility, class);
    uint64_t changed = row[word] ^ profiles;
    row[word] = profiles;
    for (; changed != 0; changed &= changed - 1U) {
        uint32_t bit = bits_lowest(changed);
        uint64_t *mirror = profile_row(eligibility, word * 64U + bit);
        mirror[class / 64U] ^= UINT64_C(1) << (class % 64U);
    }
}

static uint32_t words_in_use(const struct eligibility *eligibility)
{
    return BITS_WORDS(profiles_high_water(eligibility->profiles));
}

void eligibility_fill_class(struct eligibility *eligibility, uint32_t class)
{
    const struct class_form *form = classes_form(eligibility->classes, class);
    if (form->queue_term == TERMS_NONE) {
        eligibility_clear_class(eligibility, class);
        return;
    }
    const struct profiles *profiles = eligibility->profiles;
    const uint64_t *by_queue = terms_set(profiles->terms, form->queue_term, 0);
    const uint64_t *gates[GATES_MAX];
    uint32_t gate_count = gates_of(eligibility, form, gates);
    uint32_t word_count = words_in_use(eligibility);
    for (uint32_t word = 0; word < word_count; word++) {
        uint64_t may = by_queue[word] | profiles->every_queue[word];
        for (uint32_t i = 0; i < gate_count && may != 0; i++) {
            may &= gates[i][word];
        }
        put_word(eligibility, class, word, may);
    }
}

void eligibility_clear_class(struct eligibility *eligibility, uint32_t class)
{
    uint32_t word_count = words_in_use(eligibility);
    for (uint32_t word = 0; word < word_count; word++) {
        put_word(eligibility, class, word, 0);
    }
}

enum mark {
    MARK_SET,
    MARK_CLEAR
};

static void
mark(struct eligibility *eligibility, enum term_kind kind, struct skill skill, enum mark mark_it)
{
    uint32_t term = terms_find(eligibility->profiles->terms, kind, skill.name);
    CHECK(term != TERMS_NONE);
    eligibility->levels[term] = mark_it == MARK_SET ? (uint8_t) (skill.level + 1U) : 0;
}

static void
mark_levels(struct eligibility *eligibility, const struct profile *profile, enum mark how)
{
    for (uint32_t i = 0; i < profile->queue_count; i++) {
        mark(eligibility, TERM_QUEUE, (struct skill){.name = profile->queues[i]}, how);
    }
    for (uint32_t i = 0; i < profile->language_count; i++) {
        mark(eligibility, TERM_LANGUAGE, (struct skill){.name = profile->languages[i]}, how);
    }
    for (uint32_t i = 0; i < profile->skill_count; i++) {
        mark(eligibility, TERM_SKILL, profile->skills[i], how);
    }
}

static bool is_within_levels(const uint8_t *levels, const struct class_form *form)
{
    if (form->language_term != TERMS_NONE && levels[form->language_term] == 0) {
        return false;
    }
    for (uint32_t i = 0; i < form->skill_count; i++) {
        uint32_t skill = form->skills[i];
        if (levels[skill >> 8U] <= (skill & 255U)) {
            return false;
        }
    }
    return true;
}

static bool
may_serve(const struct eligibility *eligibility, uint32_t profile, const struct class_form *form)
{
    const struct profiles *profiles = eligibility->profiles;
    if (form->queue_term == TERMS_NONE) {
        return false;
    }
    if (form->is_person_requested && !bits_test(profiles->persons, profile)) {
        return false;
    }
    if (eligibility->levels[form->queue_term] == 0 && !bits_test(profiles->every_queue, profile)) {
        return false;
    }
    return is_within_levels(eligibility->levels, form);
}

void eligibility_fill_profile(struct eligibility *eligibility, uint32_t profile)
{
    const struct profile *decoded = profiles_read(eligibility->profiles, profile);
    mark_levels(eligibility, decoded, MARK_SET);
    uint64_t *row = profile_row(eligibility, profile);
    uint32_t end = classes_high_water(eligibility->classes);
    for (uint32_t class = 0; class < end; class ++) {
        if (classes_has(eligibility->classes, class) &&
            may_serve(eligibility, profile, classes_form(eligibility->classes, class))) {
            bits_set(row, class);
            bits_set(class_row(eligibility, class), profile);
        }
    }
    mark_levels(eligibility, decoded, MARK_CLEAR);
}

void eligibility_clear_profile(struct eligibility *eligibility, uint32_t profile)
{
    uint64_t *row = profile_row(eligibility, profile);
    uint32_t word_count = BITS_WORDS(classes_high_water(eligibility->classes));
    for (uint32_t word = 0; word < word_count; word++) {
        for (; row[word] != 0; row[word] &= row[word] - 1U) {
            bits_clear(class_row(eligibility, word * 64U + bits_lowest(row[word])), profile);
        }
    }
}

const uint64_t *eligibility_profiles(const struct eligibility *eligibility, uint32_t class)
{
    return class_row(eligibility, class);
}

const uint64_t *eligibility_classes(const struct eligibility *eligibility, uint32_t profile)
{
    return profile_row(eligibility, profile);
}

bool eligibility_may(const struct eligibility *eligibility, uint32_t class, uint32_t profile)
{
    return bits_test(class_row(eligibility, class), profile);
}
