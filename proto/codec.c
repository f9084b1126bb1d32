#include "proto/codec.h"

#include <stddef.h>
#include <string.h>

#include "lib/check.h"
#include "proto/codec_wire.h"

static const struct codec_kind *const kinds[MESSAGE_KIND_COUNT] = {
    [MESSAGE_SUBMIT] = &codec_submit_kind,
    [MESSAGE_SUBMITTED] = &codec_intake_submitted,
    [MESSAGE_NOTE] = &codec_intake_note,
    [MESSAGE_NOTED] = &codec_intake_answered,
    [MESSAGE_CANCEL] = &codec_intake_cancel,
    [MESSAGE_CANCELLED] = &codec_intake_answered,
    [MESSAGE_FOLLOW] = &codec_intake_follow,
    [MESSAGE_UPDATE] = &codec_intake_update,
    [MESSAGE_QUERY] = &codec_intake_query,
    [MESSAGE_REPLY] = &codec_reply_kind,
    [MESSAGE_OWNS] = &codec_forward_owns,
    [MESSAGE_FORWARD] = &codec_forward_kind,
    [MESSAGE_TAKEN] = &codec_forward_taken,
    [MESSAGE_NOT_OWNER] = &codec_forward_not_owner,
    [MESSAGE_SITE_UP] = &codec_control_site_up,
    [MESSAGE_SITE_DOWN] = &codec_control_site,
    [MESSAGE_SITE_ASK] = &codec_control_site,
    [MESSAGE_SITE_STALE] = &codec_control_site_up,
    [MESSAGE_HELLO] = &codec_control_hello,
    [MESSAGE_AGENT] = &codec_control_agent,
    [MESSAGE_HELD] = &codec_control_held,
    [MESSAGE_WELCOME] = &codec_control_welcome,
    [MESSAGE_HELLO_AGAIN] = &codec_control_hello_again,
    [MESSAGE_GOAWAY] = &codec_control_bare,
    [MESSAGE_PING] = &codec_control_bare,
    [MESSAGE_AVAIL] = &codec_offer_avail,
    [MESSAGE_OFFER] = &codec_offer_kind,
    [MESSAGE_ACCEPT] = &codec_offer_accept,
    [MESSAGE_DECLINE] = &codec_offer_decline,
    [MESSAGE_CONFIRM] = &codec_offer_confirm,
    [MESSAGE_RELEASE] = &codec_offer_release,
    [MESSAGE_OUTCOME] = &codec_offer_outcome,
    [MESSAGE_VERDICT] = &codec_offer_verdict,
    [MESSAGE_NOTE_IN] = &codec_offer_note_in,
    [MESSAGE_BEAT] = &codec_offer_beat,
    [MESSAGE_HELD_ASK] = &codec_control_bare,
};

static const bool allowed[EDGE_COUNT][MESSAGE_KIND_COUNT] = {
    [EDGE_CLIENT_TO_BROKER] = {[MESSAGE_SUBMIT] = true,
                               [MESSAGE_NOTE] = true,
                               [MESSAGE_CANCEL] = true,
                               [MESSAGE_FOLLOW] = true,
                               [MESSAGE_QUERY] = true},
    [EDGE_BROKER_TO_CLIENT] = {[MESSAGE_SUBMITTED] = true,
                               [MESSAGE_NOTED] = true,
                               [MESSAGE_CANCELLED] = true,
                               [MESSAGE_UPDATE] = true,
                               [MESSAGE_REPLY] = true},
    [EDGE_SITE_TO_BROKER] = {[MESSAGE_HELLO] = true,
                             [MESSAGE_AGENT] = true,
                             [MESSAGE_HELD] = true,
                             [MESSAGE_PING] = true,
                             [MESSAGE_AVAIL] = true,
                             [MESSAGE_ACCEPT] = true,
                             [MESSAGE_DECLINE] = true,
                             [MESSAGE_OUTCOME] = true,
                             [MESSAGE_BEAT] = true},
    [EDGE_BROKER_TO_SITE] = {[MESSAGE_WELCOME] = true,
                             [MESSAGE_HELLO_AGAIN] = true,
                             [MESSAGE_GOAWAY] = true,
                             [MESSAGE_PING] = true,
                             [MESSAGE_OFFER] = true,
                             [MESSAGE_CONFIRM] = true,
                             [MESSAGE_RELEASE] = true,
                             [MESSAGE_VERDICT] = true,
                             [MESSAGE_NOTE_IN] = true,
                             [MESSAGE_HELD_ASK] = true},
    [EDGE_ROUTER_TO_BROKER] = {[MESSAGE_UPDATE] = true,
                               [MESSAGE_REPLY] = true,
                               [MESSAGE_OWNS] = true,
                               [MESSAGE_TAKEN] = true,
                               [MESSAGE_NOT_OWNER] = true,
                               [MESSAGE_SITE_ASK] = true,
                               [MESSAGE_SITE_STALE] = true,
                               [MESSAGE_OFFER] = true,
                               [MESSAGE_CONFIRM] = true,
                               [MESSAGE_RELEASE] = true,
                               [MESSAGE_VERDICT] = true,
                               [MESSAGE_NOTE_IN] = true,
                               [MESSAGE_HELD_ASK] = true},
    [EDGE_BROKER_TO_ROUTER] = {[MESSAGE_QUERY] = true,
                               [MESSAGE_FORWARD] = true,
                               [MESSAGE_SITE_UP] = true,
                               [MESSAGE_SITE_DOWN] = true,
                               [MESSAGE_AGENT] = true,
                               [MESSAGE_HELD] = true,
                               [MESSAGE_AVAIL] = true,
                               [MESSAGE_ACCEPT] = true,
                               [MESSAGE_DECLINE] = true,
                               [MESSAGE_OUTCOME] = true,
                               [MESSAGE_BEAT] = true},
};

bool codec_is_allowed(enum codec_edge edge, enum message_kind kind)
{
    return (uint32_t) edge < EDGE_COUNT && (uint32_t) kind < MESSAGE_KIND_COUNT &&
           allowed[edge][kind];
}

const struct codec_kind *codec_wire_kind(enum message_kind kind)
{
    CHECK((uint32_t) kind < MESSAGE_KIND_COUNT);
    return kinds[kind];
}

/* protobuf-c's memory: bumped from the arena, never given back one by one. */
struct pool {
    struct arena *arena;
    bool is_full; /* protobuf-c itself does not say why it failed */
};

static void *wire_alloc(void *context, size_t size)
{
    struct pool *pool = context;
    void *memory = arena_try_take(pool->arena, size, 8);
    if (memory == NULL) {
        pool->is_full = true;
    }
    return memory;
}

static void wire_free(void *context, void *memory)
{
    (void) context;
    (void) memory;
}

static vt_err unpack(const ProtobufCMessageDescriptor *descriptor,
                     struct bytes frame,
                     struct arena *arena,
                     ProtobufCMessage **wire)
{
    struct pool pool = {.arena = arena};
    ProtobufCAllocator allocator = {
        .alloc = wire_alloc, .free = wire_free, .allocator_data = &pool};
    *wire = protobuf_c_message_unpack(descriptor, &allocator, frame.size, frame.data);
    if (*wire != NULL) {
        return VT_OK;
    }
    return pool.is_full ? VT_TOO_LARGE : VT_CORRUPT;
}

static void take_header(const Ventanilla__Header *wire, struct header *header)
{
    header->kind = (enum message_kind) wire->kind;
    header->flags = wire->flags;
    header->part = wire->part;
    header->site = wire->site;
    header->node = wire->node;
    header->session.boot = wire->boot;
    header->session.connect = wire->connect;
    header->session.nonce = wire->nonce;
    header->epoch = wire->epoch;
    header->origin = wire->origin;
    header->seq = wire->seq;
}

static vt_err decode_header(enum codec_edge edge,
                            struct bytes frame,
                            struct arena *arena,
                            struct header *header,
                            uint32_t *count)
{
    if (frame.size > CODEC_HEADER_BYTES_MAX) {
        return VT_TOO_LARGE;
    }
    ProtobufCMessage *unpacked = NULL;
    vt_err err = unpack(&ventanilla__header__descriptor, frame, arena, &unpacked);
    if (err != VT_OK) {
        return err;
    }
    const Ventanilla__Header *wire = (const Ventanilla__Header *) unpacked;
    if (wire->proto != PROTO_VERSION) {
        return wire->proto > PROTO_VERSION ? VT_NEWER : VT_CORRUPT;
    }
    if (!codec_is_allowed(edge, (enum message_kind) wire->kind) ||
        (wire->part >= ID_PARTITIONS && wire->part != PART_ALL) ||
        wire->flags > (HEADER_FIRST | HEADER_LAST)) {
        return VT_INVALID;
    }
    if (wire->count > MESSAGE_ENTRIES_MAX) {
        return VT_TOO_LARGE;
    }
    take_header(wire, header);
    *count = wire->count;
    return VT_OK;
}

/* Cuts the next entry off the front of *rest; false: that is none. */
static bool cut_entry(struct bytes *rest, struct bytes *entry)
{
    uint32_t at = 1;
    uint32_t size = 0;
    uint32_t shift = 0;
    if (rest->data[0] != CODEC_ENTRY_TAG) {
        return false;
    }
    do {
        if (at == rest->size || shift > 21) {
            return false;
        }
        size |= (uint32_t) (rest->data[at] & 0x7fu) << shift;
        shift += 7;
    } while ((rest->data[at++] & 0x80u) != 0);
    if (size > rest->size - at) {
        return false;
    }
    *entry = (struct bytes){.data = rest->data + at, .size = size};
    *rest = (struct bytes){.data = rest->data + at + size, .size = rest->size - at - size};
    return true;
}

static vt_err decode_entries(const struct codec_kind *kind,
                             struct bytes body,
                             struct arena *arena,
                             struct message *message)
{
    uint32_t entry_bytes = message_entry_size(message->header.kind);
    struct bytes rest = body;
    for (uint32_t i = 0; i < message->count; i++) {
        struct bytes frame;
        ProtobufCMessage *wire = NULL;
        if (rest.size == 0 || !cut_entry(&rest, &frame)) {
            return VT_CORRUPT;
        }
        vt_err err = unpack(kind->wire, frame, arena, &wire);
        if (err == VT_OK) {
            err = kind->read(wire, (uint8_t *) message->entries + (size_t) i * entry_bytes, arena);
        }
        if (err != VT_OK) {
            return err;
        }
    }
    return rest.size == 0 ? VT_OK : VT_CORRUPT;
}

static vt_err decode_body(struct bytes body, struct arena *arena, struct message *message)
{
    const struct codec_kind *kind = kinds[message->header.kind];
    if (message->count < kind->count_min || message->count > kind->count_max) {
        return VT_CORRUPT;
    }
    if (message->count == 0) {
        return body.size == 0 ? VT_OK : VT_CORRUPT;
    }
    uint64_t size = (uint64_t) message->count * message_entry_size(message->header.kind);
    message->entries = arena_try_take(arena, size, (uint32_t) _Alignof(max_align_t));
    if (message->entries == NULL) {
        return VT_TOO_LARGE;
    }
    memset(message->entries, 0, size);
    return decode_entries(kind, body, arena, message);
}

/* A broker passes these on without looking inside; the receiver decodes them. */
static bool is_passed_on(enum codec_edge edge, enum message_kind kind)
{
    return message_is_carried_kind(kind) &&
           (edge == EDGE_SITE_TO_BROKER || edge == EDGE_ROUTER_TO_BROKER);
}

vt_err codec_decode(enum codec_edge edge,
                    struct bytes header,
                    struct bytes body,
                    struct arena *arena,
                    struct message *message)
{
    struct message found = {0};
    uint32_t count = 0;
    vt_err err = decode_header(edge, header, arena, &found.header, &count);
    if (err != VT_OK) {
        return err;
    }
    if (body.size > MESSAGE_FRAME_BYTES_MAX) {
        return VT_TOO_LARGE;
    }
    if (is_passed_on(edge, found.header.kind)) {
        found.carried = body;
        found.carried_count = count;
    } else {
        found.count = count;
        err = decode_body(body, arena, &found);
        if (err != VT_OK) {
            return err;
        }
    }
    *message = found;
    return VT_OK;
}
