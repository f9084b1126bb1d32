#ifndef PROTO_REQUIREMENTS_H
#define PROTO_REQUIREMENTS_H

/* Two canonical byte forms, the same for equal content on every machine, so that equal bytes mean
 * one class (of tickets) or one profile (of agents):
 *
 * requirements = what a ticket asks for: u8 version 1, u8 channel, u8 language length, language,
 *                u8 skill count, { u8 level, u8 name length, name } sorted by name, no repeats.
 * profile      = what an agent offers: u8 version 1, u8 queue count, { u8 length, name } sorted
 *                (count 0: every queue), u8 language count, { u8 length, name } sorted,
 *                u8 skill count, { u8 level, u8 name length, name } sorted.
 *
 * An agent may serve a ticket if its profile has the queue, the ticket's language (a ticket without
 * one asks for none), and every skill at the level or above.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/bytes.h"
#include "proto/message.h"

struct requirements {
    enum channel channel;
    struct bytes language;
    struct skill skills[SKILLS_MAX];
    uint32_t skill_count;
};

struct profile {
    struct bytes queues[AGENT_QUEUES_MAX];
    uint32_t queue_count;
    struct bytes languages[AGENT_LANGUAGES_MAX];
    uint32_t language_count;
    struct skill skills[AGENT_SKILLS_MAX];
    uint32_t skill_count;
};

/* Writes the canonical form; lists must be sorted by name without repeats and within the limits of
 * message.h (CHECK). Returns the size written; `buffer` has REQUIREMENTS_BYTES_MAX bytes. */
uint32_t requirements_write(const struct requirements *requirements, uint8_t *buffer);

/* VT_CORRUPT: not a canonical form. The views point into `blob`. */
VT_MUST_USE vt_err requirements_read(struct bytes blob, struct requirements *requirements);

/* `buffer` has PROFILE_BYTES_MAX bytes. */
uint32_t profile_write(const struct profile *profile, uint8_t *buffer);
VT_MUST_USE vt_err profile_read(struct bytes blob, struct profile *profile);

/* Sorts by name; VT_CONFLICT: a name stands there twice. */
VT_MUST_USE vt_err skills_sort(struct skill *skills, uint32_t count);
VT_MUST_USE vt_err names_sort(struct bytes *names, uint32_t count);

bool profile_may_serve(const struct profile *profile,
                       struct bytes queue,
                       const struct requirements *requirements);

#endif
