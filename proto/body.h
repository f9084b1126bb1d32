#ifndef PROTO_BODY_H
#define PROTO_BODY_H

/* A ticket's body as stored and as carried by CONFIRM:
 * u8 version 1, u8 attribute count, { u8 name length, name, u16 little-endian value length, value }
 * sorted by name, and the text: all that is left. At most BODY_BYTES_MAX in all.
 */

#include <stdint.h>

#include "lib/bytes.h"
#include "proto/message.h"

struct body {
    struct attribute attributes[ATTRIBUTES_MAX];
    uint32_t attribute_count;
    struct bytes text;
};

uint32_t body_size(const struct attribute *attributes, uint32_t count, struct bytes text);

/* Writes body_size() bytes. Names 1..NAME_BYTES_MAX, values up to ATTRIBUTE_VALUE_BYTES_MAX. */
void body_write(const struct attribute *attributes,
                uint32_t count,
                struct bytes text,
                uint8_t *buffer);

/* VT_CORRUPT: not a body. The views point into `blob`. */
VT_MUST_USE vt_err body_read(struct bytes blob, struct body *body);

#endif
