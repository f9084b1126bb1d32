#include <stddef.h>

#include "lib/check.h"
#include "proto/codec.h"
#include "proto/codec_wire.h"

/* struct message -> frames. */

vt_err codec_encode_header(const struct message *message,
                           uint32_t count,
                           uint8_t *buffer,
                           uint32_t capacity,
                           uint32_t *size)
{
    const struct header *header = &message->header;
    Ventanilla__Header wire = VENTANILLA__HEADER__INIT;
    wire.proto = PROTO_VERSION;
    wire.kind = (uint32_t) header->kind;
    wire.flags = header->flags;
    wire.part = header->part;
    wire.site = header->site;
    wire.node = header->node;
    wire.boot = header->session.boot;
    wire.connect = header->session.connect;
    wire.nonce = header->session.nonce;
    wire.epoch = header->epoch;
    wire.origin = header->origin;
    wire.seq = header->seq;
    wire.count = count;

    size_t needed = ventanilla__header__get_packed_size(&wire);
    if (needed > capacity) {
        return VT_TOO_LARGE;
    }
    *size = (uint32_t) ventanilla__header__pack(&wire, buffer);
    return VT_OK;
}

static uint8_t *put_varint(uint8_t *end, uint32_t number)
{
    while (number >= 0x80) {
        *end++ = (uint8_t) (number | 0x80u);
        number >>= 7;
    }
    *end++ = (uint8_t) number;
    return end;
}

static uint32_t varint_size(uint32_t number)
{
    uint32_t size = 1;
    while (number >= 0x80) {
        number >>= 7;
        size++;
    }
    return size;
}

/* A buffer of the arena that is being filled. */
struct frame {
    uint8_t *data;
    uint32_t capacity;
    uint32_t used;
};

/* False: it does not fit any more. */
static bool put_entry(struct frame *frame, const ProtobufCMessage *wire)
{
    size_t size = protobuf_c_message_get_packed_size(wire);
    uint32_t room = frame->capacity - frame->used;
    if (size > room || 1 + varint_size((uint32_t) size) + size > room) {
        return false;
    }
    uint8_t *end = frame->data + frame->used;
    *end++ = CODEC_ENTRY_TAG;
    end = put_varint(end, (uint32_t) size);
    end += protobuf_c_message_pack(wire, end);
    frame->used = (uint32_t) (end - frame->data);
    return true;
}

/* Appends entry after entry while they fit. */
static vt_err put_entries(const struct message *message,
                          uint32_t first,
                          struct codec_scratch *scratch,
                          struct frame *frame,
                          uint32_t *packed)
{
    const struct codec_kind *kind = codec_wire_kind(message->header.kind);
    uint32_t entry_bytes = message_entry_size(message->header.kind);
    uint32_t i = first;
    while (i < message->count && i - first < MESSAGE_ENTRIES_MAX) {
        const uint8_t *entry = (const uint8_t *) message->entries + (size_t) i * entry_bytes;
        const ProtobufCMessage *wire = kind->fill(entry, scratch);
        if (wire == NULL) {
            return VT_INVALID;
        }
        if (!put_entry(frame, wire)) {
            break;
        }
        i++;
    }
    *packed = i - first;
    return i == first && first < message->count ? VT_TOO_LARGE : VT_OK;
}

static vt_err encode_body(const struct message *message,
                          uint32_t first,
                          struct arena *arena,
                          struct codec_encoded *encoded)
{
    uint32_t align = (uint32_t) _Alignof(max_align_t);
    struct codec_scratch *scratch = arena_try_take(arena, sizeof *scratch, align);
    uint64_t room = arena_free_bytes(arena);
    uint64_t mark = arena_mark(arena);
    struct frame frame = {.capacity = room < MESSAGE_FRAME_BYTES_MAX ? (uint32_t) room
                                                                     : MESSAGE_FRAME_BYTES_MAX};
    frame.data = arena_try_take(arena, frame.capacity, 1);
    if (scratch == NULL || frame.data == NULL) {
        return VT_TOO_LARGE;
    }
    vt_err err = put_entries(message, first, scratch, &frame, &encoded->packed);
    if (err != VT_OK) {
        return err;
    }
    arena_rewind(arena, mark + frame.used);
    encoded->body = bytes_of(frame.data, frame.used);
    return VT_OK;
}

static vt_err encode_header(const struct message *message,
                            uint32_t first,
                            struct arena *arena,
                            struct codec_encoded *encoded)
{
    struct message part = {.header = message->header};
    if (first != 0) {
        part.header.flags &= ~(uint32_t) HEADER_FIRST;
    }
    if (first + encoded->packed < message->count) {
        part.header.flags &= ~(uint32_t) HEADER_LAST;
    }
    uint8_t *buffer = arena_try_take(arena, CODEC_HEADER_BYTES_MAX, 1);
    if (buffer == NULL) {
        return VT_TOO_LARGE;
    }
    encoded->header.data = buffer;
    return codec_encode_header(
        &part, encoded->packed, buffer, CODEC_HEADER_BYTES_MAX, &encoded->header.size);
}

vt_err codec_encode(const struct message *message,
                    uint32_t first,
                    struct arena *arena,
                    struct codec_encoded *encoded)
{
    CHECK(first <= message->count);
    const struct codec_kind *kind = codec_wire_kind(message->header.kind);
    if (kind == NULL) {
        return VT_INVALID;
    }
    struct codec_encoded made = {.body = message->carried, .packed = message->carried_count};
    if (made.body.size == 0) {
        made.packed = 0;
        vt_err err = kind->wire == NULL ? VT_OK : encode_body(message, first, arena, &made);
        if (err != VT_OK) {
            return err;
        }
    }
    vt_err err = encode_header(message, first, arena, &made);
    if (err != VT_OK) {
        return err;
    }
    *encoded = made;
    return VT_OK;
}
