#include "proto/codec_wire.h"

/* Client <-> broker, without SUBMIT (codec_submit.c) and REPLY (codec_reply.c). */

/* ------------------------------------------------------------------ SUBMITTED */

static const ProtobufCMessage *fill_submitted(const void *entry, struct codec_scratch *scratch)
{
    const struct submitted *submitted = entry;
    Ventanilla__Submitted *wire = &scratch->submitted;
    ventanilla__submitted__init(wire);
    wire->ref = submitted->ref;
    wire->answer = (Ventanilla__Answer) submitted->answer;
    wire->ticket_high = submitted->ticket.hi;
    wire->ticket_low = submitted->ticket.lo;
    wire->reason = (Ventanilla__Reason) submitted->reason;
    wire->field = codec_wire_data(submitted->field);
    wire->retry_ms = submitted->retry_ms;
    return &wire->base;
}

static vt_err read_submitted(const void *from, void *entry, struct arena *arena)
{
    (void) arena;
    const Ventanilla__Submitted *wire = from;
    struct submitted *submitted = entry;
    if ((uint32_t) wire->answer > ANSWER_BUSY || (uint32_t) wire->reason >= REASON_COUNT) {
        return VT_INVALID;
    }
    submitted->ref = wire->ref;
    submitted->answer = (enum answer) wire->answer;
    submitted->ticket.hi = wire->ticket_high;
    submitted->ticket.lo = wire->ticket_low;
    submitted->reason = (enum reason_code) wire->reason;
    submitted->retry_ms = wire->retry_ms;
    return codec_wire_text(wire->field, NAME_BYTES_MAX, &submitted->field);
}

const struct codec_kind codec_intake_submitted = {.wire = &ventanilla__submitted__descriptor,
                                                  .count_min = 1,
                                                  .count_max = MESSAGE_ENTRIES_MAX,
                                                  .fill = fill_submitted,
                                                  .read = read_submitted};

/* ------------------------------------------------------------------ NOTE */

static const ProtobufCMessage *fill_note(const void *entry, struct codec_scratch *scratch)
{
    const struct note *note = entry;
    Ventanilla__Note *wire = &scratch->note;
    ventanilla__note__init(wire);
    wire->ref = note->ref;
    wire->ticket_high = note->ticket.hi;
    wire->ticket_low = note->ticket.lo;
    wire->author = codec_wire_data(note->author);
    wire->key = codec_wire_data(note->key);
    wire->text = codec_wire_data(note->text);
    wire->wants_person = note->wants_person;
    return &wire->base;
}

static vt_err read_note(const void *from, void *entry, struct arena *arena)
{
    (void) arena;
    const Ventanilla__Note *wire = from;
    struct note *note = entry;
    note->ref = wire->ref;
    note->wants_person = wire->wants_person != 0;
    vt_err err = codec_wire_ticket(wire->ticket_high, wire->ticket_low, &note->ticket);
    if (err == VT_OK) {
        err = codec_wire_text(wire->author, NAME_BYTES_MAX, &note->author);
    }
    if (err == VT_OK) {
        err = codec_wire_key(wire->key, &note->key);
    }
    if (err == VT_OK) {
        err = codec_wire_text(wire->text, BODY_BYTES_MAX, &note->text);
    }
    return err;
}

const struct codec_kind codec_intake_note = {.wire = &ventanilla__note__descriptor,
                                             .count_min = 1,
                                             .count_max = MESSAGE_ENTRIES_MAX,
                                             .fill = fill_note,
                                             .read = read_note};

/* ------------------------------------------------------------------ CANCEL */

static const ProtobufCMessage *fill_cancel(const void *entry, struct codec_scratch *scratch)
{
    const struct cancel *cancel = entry;
    Ventanilla__Cancel *wire = &scratch->cancel;
    ventanilla__cancel__init(wire);
    wire->ref = cancel->ref;
    wire->ticket_high = cancel->ticket.hi;
    wire->ticket_low = cancel->ticket.lo;
    wire->reason = codec_wire_data(cancel->reason);
    return &wire->base;
}

static vt_err read_cancel(const void *from, void *entry, struct arena *arena)
{
    (void) arena;
    const Ventanilla__Cancel *wire = from;
    struct cancel *cancel = entry;
    cancel->ref = wire->ref;
    vt_err err = codec_wire_ticket(wire->ticket_high, wire->ticket_low, &cancel->ticket);
    if (err == VT_OK) {
        err = codec_wire_text(wire->reason, REASON_BYTES_MAX, &cancel->reason);
    }
    return err;
}

const struct codec_kind codec_intake_cancel = {.wire = &ventanilla__cancel__descriptor,
                                               .count_min = 1,
                                               .count_max = MESSAGE_ENTRIES_MAX,
                                               .fill = fill_cancel,
                                               .read = read_cancel};

/* ------------------------------------------------------------------ NOTED, CANCELLED */

static const ProtobufCMessage *fill_answered(const void *entry, struct codec_scratch *scratch)
{
    const struct answered *answered = entry;
    Ventanilla__Answered *wire = &scratch->answered;
    ventanilla__answered__init(wire);
    wire->ref = answered->ref;
    wire->answer = (Ventanilla__Answer) answered->answer;
    wire->reason = (Ventanilla__Reason) answered->reason;
    wire->retry_ms = answered->retry_ms;
    wire->ticket_high = answered->ticket.hi;
    wire->ticket_low = answered->ticket.lo;
    return &wire->base;
}

static vt_err read_answered(const void *from, void *entry, struct arena *arena)
{
    (void) arena;
    const Ventanilla__Answered *wire = from;
    struct answered *answered = entry;
    if ((uint32_t) wire->answer > ANSWER_BUSY || (uint32_t) wire->reason >= REASON_COUNT) {
        return VT_INVALID;
    }
    answered->ref = wire->ref;
    answered->answer = (enum answer) wire->answer;
    answered->reason = (enum reason_code) wire->reason;
    answered->retry_ms = wire->retry_ms;
    answered->ticket.hi = wire->ticket_high;
    answered->ticket.lo = wire->ticket_low;
    return VT_OK;
}

const struct codec_kind codec_intake_answered = {.wire = &ventanilla__answered__descriptor,
                                                 .count_min = 1,
                                                 .count_max = MESSAGE_ENTRIES_MAX,
                                                 .fill = fill_answered,
                                                 .read = read_answered};

/* ------------------------------------------------------------------ FOLLOW */

static const ProtobufCMessage *fill_follow(const void *entry, struct codec_scratch *scratch)
{
    const struct follow *follow = entry;
    Ventanilla__Follow *wire = &scratch->follow;
    ventanilla__follow__init(wire);
    wire->ticket_high = follow->ticket.hi;
    wire->ticket_low = follow->ticket.lo;
    wire->rev = follow->rev;
    return &wire->base;
}

static vt_err read_follow(const void *from, void *entry, struct arena *arena)
{
    (void) arena;
    const Ventanilla__Follow *wire = from;
    struct follow *follow = entry;
    follow->rev = wire->rev;
    return codec_wire_ticket(wire->ticket_high, wire->ticket_low, &follow->ticket);
}

const struct codec_kind codec_intake_follow = {.wire = &ventanilla__follow__descriptor,
                                               .count_min = 1,
                                               .count_max = MESSAGE_ENTRIES_MAX,
                                               .fill = fill_follow,
                                               .read = read_follow};

/* ------------------------------------------------------------------ UPDATE */

static const ProtobufCMessage *fill_update(const void *entry, struct codec_scratch *scratch)
{
    const struct update *update = entry;
    Ventanilla__Update *wire = &scratch->update;
    ventanilla__update__init(wire);
    wire->ticket_high = update->ticket.hi;
    wire->ticket_low = update->ticket.lo;
    wire->rev = update->rev;
    wire->state = (Ventanilla__TicketState) update->state;
    wire->attempt = update->attempt;
    return &wire->base;
}

static vt_err read_update(const void *from, void *entry, struct arena *arena)
{
    (void) arena;
    const Ventanilla__Update *wire = from;
    struct update *update = entry;
    if ((uint32_t) wire->state >= TICKET_STATE_COUNT) {
        return VT_INVALID;
    }
    update->rev = wire->rev;
    update->state = (enum ticket_state) wire->state;
    update->attempt = wire->attempt;
    return codec_wire_ticket(wire->ticket_high, wire->ticket_low, &update->ticket);
}

const struct codec_kind codec_intake_update = {.wire = &ventanilla__update__descriptor,
                                               .count_min = 1,
                                               .count_max = MESSAGE_ENTRIES_MAX,
                                               .fill = fill_update,
                                               .read = read_update};

/* ------------------------------------------------------------------ QUERY */

static const ProtobufCMessage *fill_query(const void *entry, struct codec_scratch *scratch)
{
    const struct query *query = entry;
    Ventanilla__Query *wire = &scratch->query;
    ventanilla__query__init(wire);
    wire->ref = query->ref;
    wire->what = (uint32_t) query->what;
    wire->ticket_high = query->ticket.hi;
    wire->ticket_low = query->ticket.lo;
    wire->cursor = query->cursor;
    return &wire->base;
}

/* Metrics and checks are asked for inside a process only. */
static vt_err read_query(const void *from, void *entry, struct arena *arena)
{
    (void) arena;
    const Ventanilla__Query *wire = from;
    struct query *query = entry;
    if (wire->what < QUERY_TICKET || wire->what > QUERY_AGENTS) {
        return VT_INVALID;
    }
    query->ref = wire->ref;
    query->what = (enum query_what) wire->what;
    query->ticket.hi = wire->ticket_high;
    query->ticket.lo = wire->ticket_low;
    query->cursor = wire->cursor;
    return VT_OK;
}

const struct codec_kind codec_intake_query = {.wire = &ventanilla__query__descriptor,
                                              .count_min = 1,
                                              .count_max = MESSAGE_ENTRIES_MAX,
                                              .fill = fill_query,
                                              .read = read_query};
