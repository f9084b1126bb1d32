#ifndef TESTS_UNIT_WIRE_H
#define TESTS_UNIT_WIRE_H

/* Random messages of every kind within the limits, and their comparison field by field. One table
 * of fields drives both, so a field that the codec forgets is seen. */

#include <stdbool.h>

#include "lib/arena.h"
#include "lib/random.h"
#include "proto/codec.h"
#include "proto/message.h"

/* Fills *message with `count` random entries of `kind`; the memory is the arena's. */
void wire_random(struct message *message,
                 enum message_kind kind,
                 uint32_t count,
                 struct random *random,
                 struct arena *arena);

/* The name of the first field in which entry `i` of a and `j` of b differ, or NULL. */
const char *
wire_difference(const struct message *a, uint32_t i, const struct message *b, uint32_t j);

/* Any edge that decodes `kind`; EDGE_COUNT: it never travels. */
enum codec_edge wire_edge(enum message_kind kind);

bool wire_has_entries(enum message_kind kind);

/* HELLO and its like carry exactly one entry. */
uint32_t wire_count_max(enum message_kind kind);

#endif
