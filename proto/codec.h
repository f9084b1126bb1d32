#ifndef PROTO_CODEC_H
#define PROTO_CODEC_H

/* Frames <-> struct message, with every limit of message.h checked on the way in. The only files
 * that know protobuf-c and libsodium. Two frames make a message: a small header and a body that is
 * a list of entries of the header's kind. Memory comes from the caller's arena alone, so a message
 * can never cost more than that; nothing here has state, any thread may call it on its own arena.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/bytes.h"
#include "lib/err.h"
#include "proto/message.h"

#define CODEC_HEADER_BYTES_MAX 128u

/* An arena of this size is enough to decode any two frames whose limits hold, and to encode any
 * one message frame. A smaller one turns into VT_TOO_LARGE. */
#define CODEC_ARENA_BYTES (4u * 1024u * 1024u)

/* Who may say what: a kind that its edge does not carry is VT_INVALID. */
enum codec_edge {
    EDGE_CLIENT_TO_BROKER,
    EDGE_BROKER_TO_CLIENT,
    EDGE_SITE_TO_BROKER,   /* carried kinds are not decoded */
    EDGE_BROKER_TO_SITE,   /* all decoded */
    EDGE_ROUTER_TO_BROKER, /* carried kinds are not decoded */
    EDGE_BROKER_TO_ROUTER, /* all decoded */
    EDGE_COUNT
};

/* True when `kind` may travel over `edge`. */
bool codec_is_allowed(enum codec_edge edge, enum message_kind kind);

/* Writes the header frame of `message`, announcing `count` entries. VT_TOO_LARGE: `capacity` is
 * less than needed; CODEC_HEADER_BYTES_MAX always suffices. */
VT_MUST_USE vt_err codec_encode_header(const struct message *message,
                                       uint32_t count,
                                       uint8_t *buffer,
                                       uint32_t capacity,
                                       uint32_t *size);

/* Two frames, and how many entries are in them. */
struct codec_encoded {
    struct bytes header;
    struct bytes body;
    uint32_t packed;
};

/* Packs the entries from `first` on into one pair of frames in the arena: as many as fit
 * MESSAGE_ENTRIES_MAX and MESSAGE_FRAME_BYTES_MAX. Call it again with first + packed until all are
 * sent; HEADER_FIRST and HEADER_LAST are put on the right frames. A header-only message is one call
 * with 0 packed. A message with `carried` set is sent as it is (`body` views the carried bytes,
 * `packed` is carried_count).
 * VT_TOO_LARGE: one entry alone is over the limit, or the arena is full.  VT_INVALID: this kind, or
 * this row of a REPLY, never travels.
 */
VT_MUST_USE vt_err codec_encode(const struct message *message,
                                uint32_t first,
                                struct arena *arena,
                                struct codec_encoded *encoded);

/* Decodes two received frames. All views in *message point into the arena, but for `carried`,
 * which is the body frame itself. A bad SUBMIT entry does not fail its message: the entry comes
 * with `defect` and `defect_field` set. Untouched *message on error.
 * VT_CORRUPT: not our protobuf, or counts that do not agree.
 * VT_TOO_LARGE: a frame, a list or a text over its limit, or the arena is full.
 * VT_INVALID: this edge does not carry this kind, or a value out of its range.
 * VT_NEWER: the header is of a later protocol.
 */
VT_MUST_USE vt_err codec_decode(enum codec_edge edge,
                                struct bytes header,
                                struct bytes body,
                                struct arena *arena,
                                struct message *message);

#endif
