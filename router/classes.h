#ifndef ROUTER_CLASSES_H
#define ROUTER_CLASSES_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/bytes.h"
#include "lib/err.h"
#include "lib/intern.h"
#include "proto/requirements.h"
#include "router/terms.h"

struct arena;

/* Tickets that ask for exactly the same are of one class: queue, requirements, and whether a person
 * was requested. A class lives while a ticket is of it; its number is used again afterwards.
 */
#define CLASSES_NONE UINT32_MAX

/* What a class asks for in numbers, 80 bytes. */
struct class_form {
    uint32_t queue;         /* id */
    uint32_t queue_term;    /* TERMS_NONE: the plan does not know it, nobody may serve it */
    uint32_t language_term; /* TERMS_NONE: any language */
    uint8_t skill_count;
    uint8_t is_person_requested;
    uint8_t channel; /* enum channel */
    uint8_t reserved;
    uint32_t skills[SKILLS_MAX]; /* term * 256 + level */
};

struct class_key {
    uint32_t queue; /* id */
    enum class_person {
        CLASS_ANYBODY = 0,
        CLASS_PERSON = 1
    } person;
    struct bytes requirements; /* canonical blob */
};

struct classes {
    struct intern keys; /* 4 B queue id, 1 B person, requirements */
    struct class_form *forms;
    uint32_t *reference_counts;
    struct terms *terms;
    uint64_t refused_total; /* tickets that found no class slot */
    bool is_short;          /* somebody was refused since classes_take_freed() last said so */
    bool has_freed;
};

struct classes_options {
    uint32_t classes_max;
    uint64_t key_bytes_max; /* of all keys, each rounded up to a power of two */
    struct terms *terms;    /* outlives it */
    uint64_t seed;
};

void classes_init(struct classes *classes,
                  struct arena *arena,
                  const struct classes_options *options);

/* One more ticket of this class; *is_new tells that nobody was of it before (its eligibility is to
 * be worked out). VT_FULL: no class slot, key bytes or names left, counted in refused_total.
 * VT_CORRUPT: not canonical requirements. */
struct classes_put {
    uint32_t class;
    bool is_new;
};
VT_MUST_USE vt_err classes_add(struct classes *classes,
                               const struct class_key *key,
                               struct classes_put *put);

/* Whether its next release is the last. */
bool classes_is_last(const struct classes *classes, uint32_t class);

/* One ticket less; true: it was the last and the number is free for another class. */
bool classes_release(struct classes *classes, uint32_t class);

/* The views live until the class goes. */
struct class_key classes_key(const struct classes *classes, uint32_t class);
const struct class_form *classes_form(const struct classes *classes, uint32_t class);

/* What the plan calls the class's queue; empty: the plan does not know it, nobody may serve it.
 * VT_FULL: no room for the name; it is as if the plan did not know the queue then. */
VT_MUST_USE vt_err classes_name_queue(struct classes *classes, uint32_t class, struct bytes name);

uint32_t classes_count(const struct classes *classes);
uint32_t classes_high_water(const struct classes *classes);
bool classes_has(const struct classes *classes, uint32_t class);

/* Takes a new class back at once: the caller had no room for what hangs on it. Counts as refused.
 */
void classes_undo(struct classes *classes, uint32_t class);

/* Somebody else gave names back: refused tickets may find room now. */
void classes_note_room(struct classes *classes);

/* True once after a slot was freed while tickets had been refused for want of one: the owner reads
 * the queued rows of its partitions again. */
bool classes_take_freed(struct classes *classes);

#endif
