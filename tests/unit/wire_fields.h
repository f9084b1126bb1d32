#ifndef TESTS_UNIT_WIRE_FIELDS_H
#define TESTS_UNIT_WIRE_FIELDS_H

/* Every field of every message, but for lists and unions: wire.c makes and compares by it. */

#include <stdint.h>

#include "proto/message.h"

enum wire_field_type {
    NUMBER,
    BELOW,
    FLAG,
    TIME,
    TEXT,
    NAME,
    KEY,
    TICKET,
    REQUIREMENTS,
    PROFILE,
    BODY
};

struct wire_field {
    enum message_kind kind;
    enum wire_field_type type;
    const char *name;
    uint32_t offset;
    uint32_t size;
    uint32_t limit; /* BELOW: exclusive; TEXT: bytes */
    int32_t row;    /* of REPLY; -1: all */
};

extern const struct wire_field wire_fields[];
extern const uint32_t wire_field_count;

#endif
