#ifndef PROTO_CODEC_WIRE_H
#define PROTO_CODEC_WIRE_H

/* What the codec_*.c files share: one row per message kind, and the checks of single fields.
 * Private to the codec; the only header that shows protobuf-c.
 */

#include <stdbool.h>
#include <stdint.h>

#include "proto/control.pb-c.h"
#include "proto/forward.pb-c.h"
#include "proto/intake.pb-c.h"
#include "proto/offer.pb-c.h"
#include "proto/ticket.pb-c.h"

#include "lib/arena.h"
#include "lib/bytes.h"
#include "lib/err.h"
#include "proto/message.h"

/* Bounds that keep every sum of two times far from overflow. */
#define CODEC_INSTANT_US_MAX INT64_C(253402300800000000) /* year 10000 */
#define CODEC_DURATION_MS_MAX INT64_C(315360000000)      /* ten years */

#define CODEC_ENTRY_TAG 0x0au /* field 1, length-delimited: all that a body consists of */

/* Where one entry is laid out before it is packed. */
struct codec_scratch {
    union {
        Ventanilla__Submit submit;
        Ventanilla__Submitted submitted;
        Ventanilla__Note note;
        Ventanilla__Cancel cancel;
        Ventanilla__Answered answered;
        Ventanilla__Follow follow;
        Ventanilla__Update update;
        Ventanilla__Query query;
        Ventanilla__Reply reply;
        Ventanilla__Owns owns;
        Ventanilla__Forward forward;
        Ventanilla__Taken taken;
        Ventanilla__SiteUp site_up;
        Ventanilla__Hello hello;
        Ventanilla__Agent agent;
        Ventanilla__Held held;
        Ventanilla__Welcome welcome;
        Ventanilla__HelloAgain hello_again;
        Ventanilla__Avail avail;
        Ventanilla__Offer offer;
        Ventanilla__Accept accept;
        Ventanilla__Decline decline;
        Ventanilla__Confirm confirm;
        Ventanilla__Release release;
        Ventanilla__Outcome outcome;
        Ventanilla__Verdict verdict;
        Ventanilla__NoteIn note_in;
        Ventanilla__Beat beat;
    };
    Ventanilla__Row row;
    union {
        Ventanilla__EndRow end;
        Ventanilla__TicketRow ticket;
        Ventanilla__HistoryRow history;
        Ventanilla__QueueRow queue;
        Ventanilla__AgentRow agent_row;
    };
    Ventanilla__Skill skills[SKILLS_MAX];
    Ventanilla__Skill *skill_list[SKILLS_MAX];
    Ventanilla__Attribute attributes[ATTRIBUTES_MAX];
    Ventanilla__Attribute *attribute_list[ATTRIBUTES_MAX];
};

/* How entries of one kind travel. `fill` lays an entry out in the scratch and returns it, NULL when
 * it may not travel. `read` checks and takes over one that was unpacked; `entry` is zeroed. */
struct codec_kind {
    const ProtobufCMessageDescriptor *wire; /* NULL: header only */
    uint32_t count_min;
    uint32_t count_max;
    const ProtobufCMessage *(*fill)(const void *entry, struct codec_scratch *scratch);
    vt_err (*read)(const void *wire, void *entry, struct arena *arena);
};

/* NULL: this kind never travels. */
const struct codec_kind *codec_wire_kind(enum message_kind kind);

extern const struct codec_kind codec_submit_kind;
extern const struct codec_kind codec_intake_submitted;
extern const struct codec_kind codec_intake_note;
extern const struct codec_kind codec_intake_cancel;
extern const struct codec_kind codec_intake_answered;
extern const struct codec_kind codec_intake_follow;
extern const struct codec_kind codec_intake_update;
extern const struct codec_kind codec_intake_query;
extern const struct codec_kind codec_reply_kind;
extern const struct codec_kind codec_forward_owns;
extern const struct codec_kind codec_forward_not_owner;
extern const struct codec_kind codec_forward_kind;
extern const struct codec_kind codec_forward_taken;
extern const struct codec_kind codec_control_site_up;
extern const struct codec_kind codec_control_site;
extern const struct codec_kind codec_control_hello;
extern const struct codec_kind codec_control_agent;
extern const struct codec_kind codec_control_held;
extern const struct codec_kind codec_control_welcome;
extern const struct codec_kind codec_control_hello_again;
extern const struct codec_kind codec_control_bare;
extern const struct codec_kind codec_offer_avail;
extern const struct codec_kind codec_offer_kind;
extern const struct codec_kind codec_offer_accept;
extern const struct codec_kind codec_offer_decline;
extern const struct codec_kind codec_offer_confirm;
extern const struct codec_kind codec_offer_release;
extern const struct codec_kind codec_offer_outcome;
extern const struct codec_kind codec_offer_verdict;
extern const struct codec_kind codec_offer_note_in;
extern const struct codec_kind codec_offer_beat;

/* Views both ways; protobuf-c does not write through the pointer it is given to pack. */
ProtobufCBinaryData codec_wire_data(struct bytes bytes);
struct bytes codec_wire_view(ProtobufCBinaryData data);

/* VT_TOO_LARGE: longer than `size_max`.  VT_INVALID: no UTF-8, or a NUL in it. */
VT_MUST_USE vt_err codec_wire_text(ProtobufCBinaryData data, uint32_t size_max, struct bytes *text);

/* A text of 1..NAME_BYTES_MAX bytes; an empty one is VT_INVALID. */
VT_MUST_USE vt_err codec_wire_name(ProtobufCBinaryData data, struct bytes *name);

/* Any bytes, KEY_BYTES_MIN to KEY_BYTES_MAX of them; else VT_INVALID. */
VT_MUST_USE vt_err codec_wire_key(ProtobufCBinaryData data, struct bytes *key);

/* VT_INVALID: the id is zero. */
VT_MUST_USE vt_err codec_wire_ticket(uint64_t high, uint64_t low, struct ticket_id *ticket);

bool codec_wire_is_instant(int64_t instant_us);
bool codec_wire_is_duration(int64_t duration_ms);

/* The state row, for FORWARD and REPLY. */
void codec_wire_fill_row(const struct ticket_row *row, Ventanilla__Row *wire);
VT_MUST_USE vt_err codec_wire_read_row(const Ventanilla__Row *wire, struct ticket_row *row);

#endif
