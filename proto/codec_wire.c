#include "proto/codec_wire.h"

#include "proto/requirements.h"

ProtobufCBinaryData codec_wire_data(struct bytes bytes)
{
    const union {
        const uint8_t *borrowed;
        uint8_t *data;
    } view = {.borrowed = bytes.data};
    return (ProtobufCBinaryData){.len = bytes.size, .data = view.data};
}

struct bytes codec_wire_view(ProtobufCBinaryData data)
{
    return (struct bytes){.data = data.data, .size = (uint32_t) data.len};
}

vt_err codec_wire_text(ProtobufCBinaryData data, uint32_t size_max, struct bytes *text)
{
    struct bytes view = codec_wire_view(data);
    if (view.size > size_max) {
        return VT_TOO_LARGE;
    }
    if (!bytes_is_utf8(view) || bytes_has_nul(view)) {
        return VT_INVALID;
    }
    *text = view;
    return VT_OK;
}

vt_err codec_wire_name(ProtobufCBinaryData data, struct bytes *name)
{
    return data.len == 0 ? VT_INVALID : codec_wire_text(data, NAME_BYTES_MAX, name);
}

vt_err codec_wire_key(ProtobufCBinaryData data, struct bytes *key)
{
    if (data.len < KEY_BYTES_MIN || data.len > KEY_BYTES_MAX) {
        return VT_INVALID;
    }
    *key = codec_wire_view(data);
    return VT_OK;
}

vt_err codec_wire_ticket(uint64_t high, uint64_t low, struct ticket_id *ticket)
{
    struct ticket_id id = {.hi = high, .lo = low};
    if (id_is_zero(id)) {
        return VT_INVALID;
    }
    *ticket = id;
    return VT_OK;
}

bool codec_wire_is_instant(int64_t instant_us)
{
    return instant_us >= 0 && instant_us < CODEC_INSTANT_US_MAX;
}

bool codec_wire_is_duration(int64_t duration_ms)
{
    return duration_ms >= 0 && duration_ms <= CODEC_DURATION_MS_MAX;
}

void codec_wire_fill_row(const struct ticket_row *row, Ventanilla__Row *wire)
{
    ventanilla__row__init(wire);
    wire->id_high = row->id.hi;
    wire->id_low = row->id.lo;
    wire->part = row->part;
    wire->queue = row->queue;
    wire->priority = row->priority;
    wire->state = (Ventanilla__TicketState) row->state;
    wire->attempt = row->attempt;
    wire->fails = row->fails;
    wire->agent = row->agent;
    wire->site = row->site;
    wire->msgs = row->msgs;
    wire->rev = row->rev;
    wire->person_requested = row->person_requested;
    wire->created_us = row->created_us;
    wire->queued_us = row->queued_us;
    wire->due_us = row->due_us;
    wire->requirements = codec_wire_data(row->requirements);
    wire->agent_name = codec_wire_data(row->agent_name);
    wire->site_name = codec_wire_data(row->site_name);
}

static bool are_numbers_good(const Ventanilla__Row *wire)
{
    return wire->part < ID_PARTITIONS && wire->priority <= PRIORITY_MAX &&
           (uint32_t) wire->state > TICKET_NONE && (uint32_t) wire->state < TICKET_STATE_COUNT &&
           codec_wire_is_instant(wire->created_us) && codec_wire_is_instant(wire->queued_us) &&
           codec_wire_is_instant(wire->due_us);
}

static void take_numbers(const Ventanilla__Row *wire, struct ticket_row *row)
{
    row->part = wire->part;
    row->queue = wire->queue;
    row->priority = wire->priority;
    row->state = (enum ticket_state) wire->state;
    row->attempt = wire->attempt;
    row->fails = wire->fails;
    row->agent = wire->agent;
    row->site = wire->site;
    row->msgs = wire->msgs;
    row->rev = wire->rev;
    row->person_requested = wire->person_requested != 0;
    row->created_us = wire->created_us;
    row->queued_us = wire->queued_us;
    row->due_us = wire->due_us;
}

vt_err codec_wire_read_row(const Ventanilla__Row *wire, struct ticket_row *row)
{
    if (wire == NULL) {
        return VT_CORRUPT;
    }
    vt_err err = codec_wire_ticket(wire->id_high, wire->id_low, &row->id);
    if (err == VT_OK) {
        err = codec_wire_text(wire->agent_name, NAME_BYTES_MAX, &row->agent_name);
    }
    if (err == VT_OK) {
        err = codec_wire_text(wire->site_name, NAME_BYTES_MAX, &row->site_name);
    }
    if (err != VT_OK) {
        return err;
    }

    struct requirements requirements;
    row->requirements = codec_wire_view(wire->requirements);
    if (!are_numbers_good(wire) || requirements_read(row->requirements, &requirements) != VT_OK) {
        return VT_INVALID;
    }
    take_numbers(wire, row);
    return VT_OK;
}
