#include "router/classes.h"

#include <string.h>

#include "lib/arena.h"
#include "lib/check.h"

#define KEY_HEAD_BYTES 5U

void classes_init(struct classes *classes,
                  struct arena *arena,
                  const struct classes_options *options)
{
    *classes = (struct classes){.terms = options->terms};
    intern_init(&classes->keys,
                arena,
                &(struct intern_options){.entry_count_max = options->classes_max,
                                         .byte_count_max = options->key_bytes_max,
                                         .seed = options->seed});
    classes->forms = ARENA_ARRAY(arena, struct class_form, options->classes_max);
    classes->reference_counts = ARENA_ARRAY(arena, uint32_t, options->classes_max);
}

static struct bytes write_key(uint8_t *buffer, const struct class_key *key)
{
    for (uint32_t i = 0; i < 4U; i++) {
        buffer[i] = (uint8_t) (key->queue >> (8U * i));
    }
    buffer[4] = (uint8_t) key->person;
    if (key->requirements.size > 0) {
        memcpy(buffer + KEY_HEAD_BYTES, key->requirements.data, key->requirements.size);
    }
    return bytes_of(buffer, KEY_HEAD_BYTES + key->requirements.size);
}

static void drop_terms(struct classes *classes, const struct class_form *form)
{
    if (form->queue_term != TERMS_NONE) {
        terms_drop(classes->terms, form->queue_term);
    }
    if (form->language_term != TERMS_NONE) {
        terms_drop(classes->terms, form->language_term);
    }
    for (uint32_t i = 0; i < form->skill_count; i++) {
        terms_drop(classes->terms, form->skills[i] >> 8U);
    }
}

/* What was referenced so far stands in the form when a name finds no room. */
static vt_err
put_terms(struct classes *classes, const struct requirements *requirements, struct class_form *form)
{
    if (requirements->language.size > 0) {
        vt_err err =
            terms_put(classes->terms, TERM_LANGUAGE, requirements->language, &form->language_term);
        if (err != VT_OK) {
            return err;
        }
    }
    for (uint32_t i = 0; i < requirements->skill_count; i++) {
        const struct skill *skill = &requirements->skills[i];
        uint32_t term = 0;
        vt_err err = terms_put(classes->terms, TERM_SKILL, skill->name, &term);
        if (err != VT_OK) {
            return err;
        }
        form->skills[i] = (term << 8U) | skill->level;
        form->skill_count++;
    }
    return VT_OK;
}

static vt_err add_new(struct classes *classes,
                      const struct class_key *key,
                      struct bytes key_bytes,
                      uint32_t *class)
{
    struct requirements requirements;
    vt_err err = requirements_read(key->requirements, &requirements);
    if (err != VT_OK) {
        return VT_CORRUPT;
    }
    struct class_form form = {.queue = key->queue,
                              .queue_term = TERMS_NONE,
                              .language_term = TERMS_NONE,
                              .is_person_requested = key->person == CLASS_PERSON,
                              .channel = (uint8_t) requirements.channel};
    err = put_terms(classes, &requirements, &form);
    if (err == VT_OK) {
        err = intern_put(&classes->keys, key_bytes, class);
    }
    if (err != VT_OK) {
        drop_terms(classes, &form);
        return VT_FULL;
    }
    classes->forms[*class] = form;
    return VT_OK;
}

static void note_refused(struct classes *classes)
{
    classes->refused_total++;
    classes->is_short = true;
}

vt_err classes_add(struct classes *classes, const struct class_key *key, struct classes_put *put)
{
    if (key->requirements.size > REQUIREMENTS_BYTES_MAX) {
        return VT_CORRUPT;
    }
    uint8_t buffer[KEY_HEAD_BYTES + REQUIREMENTS_BYTES_MAX];
    struct bytes key_bytes = write_key(buffer, key);
    uint32_t class = 0;
    bool is_known = intern_find(&classes->keys, key_bytes, &class);
    if (!is_known) {
        vt_err err = add_new(classes, key, key_bytes, &class);
        if (err == VT_FULL) {
            note_refused(classes);
        }
        if (err != VT_OK) {
            return err;
        }
    }
    classes->reference_counts[class]++;
    *put = (struct classes_put){.class = class, .is_new = !is_known};
    return VT_OK;
}

bool classes_is_last(const struct classes *classes, uint32_t class)
{
    CHECK(classes->reference_counts[class] > 0);
    return classes->reference_counts[class] == 1;
}

void classes_note_room(struct classes *classes)
{
    classes->has_freed = classes->is_short;
}

static void forget(struct classes *classes, uint32_t class)
{
    drop_terms(classes, &classes->forms[class]);
    intern_remove(&classes->keys, class);
}

bool classes_release(struct classes *classes, uint32_t class)
{
    CHECK(classes->reference_counts[class] > 0);
    classes->reference_counts[class]--;
    if (classes->reference_counts[class] > 0) {
        return false;
    }
    forget(classes, class);
    classes_note_room(classes);
    return true;
}

void classes_undo(struct classes *classes, uint32_t class)
{
    CHECK(classes->reference_counts[class] == 1);
    classes->reference_counts[class] = 0;
    forget(classes, class);
    note_refused(classes);
}

struct class_key classes_key(const struct classes *classes, uint32_t class)
{
    struct bytes bytes = intern_get(&classes->keys, class);
    const struct class_form *form = &classes->forms[class];
    return (struct class_key){
        .queue = form->queue,
        .person = form->is_person_requested ? CLASS_PERSON : CLASS_ANYBODY,
        .requirements = bytes_of(bytes.data + KEY_HEAD_BYTES, bytes.size - KEY_HEAD_BYTES)};
}

const struct class_form *classes_form(const struct classes *classes, uint32_t class)
{
    CHECK(classes_has(classes, class));
    return &classes->forms[class];
}

vt_err classes_name_queue(struct classes *classes, uint32_t class, struct bytes name)
{
    CHECK(classes_has(classes, class));
    struct class_form *form = &classes->forms[class];
    uint32_t term = TERMS_NONE;
    vt_err err = VT_OK;
    if (name.size > 0) {
        err = terms_put(classes->terms, TERM_QUEUE, name, &term);
    }
    /* The new reference comes before the old one goes: the same name keeps its number. */
    if (form->queue_term != TERMS_NONE) {
        terms_drop(classes->terms, form->queue_term);
    }
    form->queue_term = term;
    return err;
}

uint32_t classes_count(const struct classes *classes)
{
    return intern_count(&classes->keys);
}

uint32_t classes_high_water(const struct classes *classes)
{
    return intern_high_water(&classes->keys);
}

bool classes_has(const struct classes *classes, uint32_t class)
{
    return intern_has(&classes->keys, class);
}

bool classes_take_freed(struct classes *classes)
{
    if (!classes->has_freed) {
        return false;
    }
    classes->has_freed = false;
    classes->is_short = false;
    return true;
}
