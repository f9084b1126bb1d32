#include "proto/codec_wire.h"

/* Broker <-> router: OWNS, NOT_OWNER, FORWARD, TAKEN. */

/* ------------------------------------------------------------------ OWNS, NOT_OWNER */

static const ProtobufCMessage *fill_owns(const void *entry, struct codec_scratch *scratch)
{
    const struct owns *owns = entry;
    Ventanilla__Owns *wire = &scratch->owns;
    ventanilla__owns__init(wire);
    wire->part = owns->part;
    wire->epoch = owns->epoch;
    return &wire->base;
}

static vt_err read_owns(const void *from, void *entry, struct arena *arena)
{
    (void) arena;
    const Ventanilla__Owns *wire = from;
    struct owns *owns = entry;
    if (wire->part >= ID_PARTITIONS) {
        return VT_INVALID;
    }
    owns->part = wire->part;
    owns->epoch = wire->epoch;
    return VT_OK;
}

/* An OWNS without entries is a router that owns nothing, and its heartbeat. */
const struct codec_kind codec_forward_owns = {.wire = &ventanilla__owns__descriptor,
                                              .count_min = 0,
                                              .count_max = MESSAGE_ENTRIES_MAX,
                                              .fill = fill_owns,
                                              .read = read_owns};

const struct codec_kind codec_forward_not_owner = {.wire = &ventanilla__owns__descriptor,
                                                   .count_min = 1,
                                                   .count_max = MESSAGE_ENTRIES_MAX,
                                                   .fill = fill_owns,
                                                   .read = read_owns};

/* ------------------------------------------------------------------ FORWARD */

static const ProtobufCMessage *fill_forward(const void *entry, struct codec_scratch *scratch)
{
    const struct forward *forward = entry;
    Ventanilla__Forward *wire = &scratch->forward;
    ventanilla__forward__init(wire);
    wire->n = forward->n;
    wire->what = (uint32_t) forward->what;
    wire->since_us = forward->since_us;
    wire->text = codec_wire_data(forward->text);
    if (forward->what != FORWARD_RESYNC) {
        codec_wire_fill_row(&forward->row, &scratch->row);
        wire->row = &scratch->row;
    }
    return &wire->base;
}

/* A CANCEL names its ticket only; the other rows are used as they come. */
static vt_err read_forward_row(const Ventanilla__Forward *wire, struct forward *forward)
{
    if (forward->what == FORWARD_RESYNC) {
        return VT_OK;
    }
    if (forward->what == FORWARD_CANCEL) {
        return wire->row == NULL
                   ? VT_CORRUPT
                   : codec_wire_ticket(wire->row->id_high, wire->row->id_low, &forward->row.id);
    }
    return codec_wire_read_row(wire->row, &forward->row);
}

static vt_err read_forward(const void *from, void *entry, struct arena *arena)
{
    (void) arena;
    const Ventanilla__Forward *wire = from;
    struct forward *forward = entry;
    if (wire->n == 0 || wire->what > FORWARD_CANCEL || !codec_wire_is_instant(wire->since_us)) {
        return VT_INVALID;
    }
    forward->n = wire->n;
    forward->what = (enum forward_kind) wire->what;
    forward->since_us = wire->since_us;
    vt_err err = read_forward_row(wire, forward);
    if (err == VT_OK) {
        err = codec_wire_text(wire->text, BODY_BYTES_MAX, &forward->text);
    }
    return err;
}

const struct codec_kind codec_forward_kind = {.wire = &ventanilla__forward__descriptor,
                                              .count_min = 1,
                                              .count_max = MESSAGE_ENTRIES_MAX,
                                              .fill = fill_forward,
                                              .read = read_forward};

/* ------------------------------------------------------------------ TAKEN */

static const ProtobufCMessage *fill_taken(const void *entry, struct codec_scratch *scratch)
{
    const struct taken *taken = entry;
    Ventanilla__Taken *wire = &scratch->taken;
    ventanilla__taken__init(wire);
    wire->broker = taken->broker;
    wire->upto = taken->upto;
    return &wire->base;
}

static vt_err read_taken(const void *from, void *entry, struct arena *arena)
{
    (void) arena;
    const Ventanilla__Taken *wire = from;
    struct taken *taken = entry;
    taken->broker = wire->broker;
    taken->upto = wire->upto;
    return VT_OK;
}

const struct codec_kind codec_forward_taken = {.wire = &ventanilla__taken__descriptor,
                                               .count_min = 1,
                                               .count_max = MESSAGE_ENTRIES_MAX,
                                               .fill = fill_taken,
                                               .read = read_taken};
