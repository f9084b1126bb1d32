#include "proto/codec_wire.h"

#include "proto/body.h"
#include "proto/requirements.h"

/* Owner of a partition <-> agent site. */

/* ------------------------------------------------------------------ AVAIL */

static const ProtobufCMessage *fill_avail(const void *entry, struct codec_scratch *scratch)
{
    const struct avail *avail = entry;
    Ventanilla__Avail *wire = &scratch->avail;
    ventanilla__avail__init(wire);
    wire->agent = avail->agent;
    wire->free = avail->free;
    wire->is_available = avail->is_available;
    wire->idle_ms = avail->idle_ms;
    return &wire->base;
}

static vt_err read_avail(const void *from, void *entry, struct arena *arena)
{
    (void) arena;
    const Ventanilla__Avail *wire = from;
    struct avail *avail = entry;
    if (wire->free > CAPACITY_MAX || !codec_wire_is_duration(wire->idle_ms)) {
        return VT_INVALID;
    }
    avail->agent = wire->agent;
    avail->free = wire->free;
    avail->is_available = wire->is_available != 0;
    avail->idle_ms = wire->idle_ms;
    return VT_OK;
}

const struct codec_kind codec_offer_avail = {.wire = &ventanilla__avail__descriptor,
                                             .count_min = 1,
                                             .count_max = MESSAGE_ENTRIES_MAX,
                                             .fill = fill_avail,
                                             .read = read_avail};

/* ------------------------------------------------------------------ OFFER */

static const ProtobufCMessage *fill_offer(const void *entry, struct codec_scratch *scratch)
{
    const struct offer *offer = entry;
    Ventanilla__Offer *wire = &scratch->offer;
    ventanilla__offer__init(wire);
    wire->offer = offer->offer;
    wire->ticket_high = offer->ticket.hi;
    wire->ticket_low = offer->ticket.lo;
    wire->attempt = offer->attempt;
    wire->agent = offer->agent;
    wire->ttl_ms = offer->ttl_ms;
    wire->queue_name = codec_wire_data(offer->queue_name);
    wire->language = codec_wire_data(offer->language);
    wire->channel = (Ventanilla__Channel) offer->channel;
    wire->priority = offer->priority;
    wire->waited_ms = offer->waited_ms;
    return &wire->base;
}

static vt_err read_offer(const void *from, void *entry, struct arena *arena)
{
    (void) arena;
    const Ventanilla__Offer *wire = from;
    struct offer *offer = entry;
    if ((uint32_t) wire->channel >= CHANNEL_COUNT || wire->priority > PRIORITY_MAX ||
        !codec_wire_is_duration(wire->ttl_ms) || !codec_wire_is_duration(wire->waited_ms)) {
        return VT_INVALID;
    }
    offer->offer = wire->offer;
    offer->attempt = wire->attempt;
    offer->agent = wire->agent;
    offer->ttl_ms = wire->ttl_ms;
    offer->channel = (enum channel) wire->channel;
    offer->priority = wire->priority;
    offer->waited_ms = wire->waited_ms;
    vt_err err = codec_wire_ticket(wire->ticket_high, wire->ticket_low, &offer->ticket);
    if (err == VT_OK) {
        err = codec_wire_text(wire->queue_name, NAME_BYTES_MAX, &offer->queue_name);
    }
    if (err == VT_OK) {
        err = codec_wire_text(wire->language, LANGUAGE_BYTES_MAX, &offer->language);
    }
    return err;
}

const struct codec_kind codec_offer_kind = {.wire = &ventanilla__offer__descriptor,
                                            .count_min = 1,
                                            .count_max = MESSAGE_ENTRIES_MAX,
                                            .fill = fill_offer,
                                            .read = read_offer};

/* ------------------------------------------------------------------ ACCEPT */

static const ProtobufCMessage *fill_accept(const void *entry, struct codec_scratch *scratch)
{
    const struct accept *accept = entry;
    Ventanilla__Accept *wire = &scratch->accept;
    ventanilla__accept__init(wire);
    wire->offer = accept->offer;
    wire->ticket_high = accept->ticket.hi;
    wire->ticket_low = accept->ticket.lo;
    wire->attempt = accept->attempt;
    wire->agent = accept->agent;
    wire->epoch = accept->epoch;
    return &wire->base;
}

static vt_err read_accept(const void *from, void *entry, struct arena *arena)
{
    (void) arena;
    const Ventanilla__Accept *wire = from;
    struct accept *accept = entry;
    accept->offer = wire->offer;
    accept->attempt = wire->attempt;
    accept->agent = wire->agent;
    accept->epoch = wire->epoch;
    return codec_wire_ticket(wire->ticket_high, wire->ticket_low, &accept->ticket);
}

const struct codec_kind codec_offer_accept = {.wire = &ventanilla__accept__descriptor,
                                              .count_min = 1,
                                              .count_max = MESSAGE_ENTRIES_MAX,
                                              .fill = fill_accept,
                                              .read = read_accept};

/* ------------------------------------------------------------------ DECLINE */

static const ProtobufCMessage *fill_decline(const void *entry, struct codec_scratch *scratch)
{
    const struct decline *decline = entry;
    Ventanilla__Decline *wire = &scratch->decline;
    ventanilla__decline__init(wire);
    wire->offer = decline->offer;
    wire->ticket_high = decline->ticket.hi;
    wire->ticket_low = decline->ticket.lo;
    wire->attempt = decline->attempt;
    wire->agent = decline->agent;
    wire->epoch = decline->epoch;
    wire->reason = (uint32_t) decline->reason;
    wire->free = decline->free;
    return &wire->base;
}

static vt_err read_decline(const void *from, void *entry, struct arena *arena)
{
    (void) arena;
    const Ventanilla__Decline *wire = from;
    struct decline *decline = entry;
    if (wire->reason > DECLINE_UNAVAILABLE || wire->free > CAPACITY_MAX) {
        return VT_INVALID;
    }
    decline->offer = wire->offer;
    decline->attempt = wire->attempt;
    decline->agent = wire->agent;
    decline->epoch = wire->epoch;
    decline->reason = (enum decline_reason) wire->reason;
    decline->free = wire->free;
    return codec_wire_ticket(wire->ticket_high, wire->ticket_low, &decline->ticket);
}

const struct codec_kind codec_offer_decline = {.wire = &ventanilla__decline__descriptor,
                                               .count_min = 1,
                                               .count_max = MESSAGE_ENTRIES_MAX,
                                               .fill = fill_decline,
                                               .read = read_decline};

/* ------------------------------------------------------------------ CONFIRM */

/* agentd takes both apart without asking again. */
static bool is_content_good(const Ventanilla__Confirm *wire)
{
    struct requirements requirements;
    struct body body;
    return requirements_read(codec_wire_view(wire->requirements), &requirements) == VT_OK &&
           body_read(codec_wire_view(wire->body), &body) == VT_OK;
}

static const ProtobufCMessage *fill_confirm(const void *entry, struct codec_scratch *scratch)
{
    const struct confirm *confirm = entry;
    Ventanilla__Confirm *wire = &scratch->confirm;
    ventanilla__confirm__init(wire);
    wire->ticket_high = confirm->ticket.hi;
    wire->ticket_low = confirm->ticket.lo;
    wire->attempt = confirm->attempt;
    wire->agent = confirm->agent;
    wire->msgs = confirm->msgs;
    wire->priority = confirm->priority;
    wire->fails = confirm->fails;
    wire->created_us = confirm->created_us;
    wire->queue_name = codec_wire_data(confirm->queue_name);
    wire->requirements = codec_wire_data(confirm->requirements);
    wire->body = codec_wire_data(confirm->body);
    return &wire->base;
}

static vt_err read_confirm(const void *from, void *entry, struct arena *arena)
{
    (void) arena;
    const Ventanilla__Confirm *wire = from;
    struct confirm *confirm = entry;
    if (wire->priority > PRIORITY_MAX || !codec_wire_is_instant(wire->created_us) ||
        !is_content_good(wire)) {
        return VT_INVALID;
    }
    confirm->attempt = wire->attempt;
    confirm->agent = wire->agent;
    confirm->msgs = wire->msgs;
    confirm->priority = wire->priority;
    confirm->fails = wire->fails;
    confirm->created_us = wire->created_us;
    confirm->requirements = codec_wire_view(wire->requirements);
    confirm->body = codec_wire_view(wire->body);
    vt_err err = codec_wire_ticket(wire->ticket_high, wire->ticket_low, &confirm->ticket);
    if (err == VT_OK) {
        err = codec_wire_text(wire->queue_name, NAME_BYTES_MAX, &confirm->queue_name);
    }
    return err;
}

const struct codec_kind codec_offer_confirm = {.wire = &ventanilla__confirm__descriptor,
                                               .count_min = 1,
                                               .count_max = MESSAGE_ENTRIES_MAX,
                                               .fill = fill_confirm,
                                               .read = read_confirm};

/* ------------------------------------------------------------------ RELEASE */

static const ProtobufCMessage *fill_release(const void *entry, struct codec_scratch *scratch)
{
    const struct release *release = entry;
    Ventanilla__Release *wire = &scratch->release;
    ventanilla__release__init(wire);
    wire->ticket_high = release->ticket.hi;
    wire->ticket_low = release->ticket.lo;
    wire->attempt = release->attempt;
    wire->agent = release->agent;
    wire->offer = release->offer;
    wire->why = (uint32_t) release->why;
    return &wire->base;
}

static vt_err read_release(const void *from, void *entry, struct arena *arena)
{
    (void) arena;
    const Ventanilla__Release *wire = from;
    struct release *release = entry;
    if (wire->why > RELEASE_WITHDRAWN) {
        return VT_INVALID;
    }
    release->attempt = wire->attempt;
    release->agent = wire->agent;
    release->offer = wire->offer;
    release->why = (enum release_why) wire->why;
    return codec_wire_ticket(wire->ticket_high, wire->ticket_low, &release->ticket);
}

const struct codec_kind codec_offer_release = {.wire = &ventanilla__release__descriptor,
                                               .count_min = 1,
                                               .count_max = MESSAGE_ENTRIES_MAX,
                                               .fill = fill_release,
                                               .read = read_release};

/* ------------------------------------------------------------------ OUTCOME */

static const ProtobufCMessage *fill_outcome(const void *entry, struct codec_scratch *scratch)
{
    const struct outcome *outcome = entry;
    Ventanilla__Outcome *wire = &scratch->outcome;
    ventanilla__outcome__init(wire);
    wire->what = (uint32_t) outcome->what;
    wire->ticket_high = outcome->ticket.hi;
    wire->ticket_low = outcome->ticket.lo;
    wire->attempt = outcome->attempt;
    wire->agent = outcome->agent;
    wire->seen = outcome->seen;
    wire->agent_is_person = outcome->agent_is_person;
    wire->text = codec_wire_data(outcome->text);
    wire->note = codec_wire_data(outcome->note);
    return &wire->base;
}

static vt_err read_outcome(const void *from, void *entry, struct arena *arena)
{
    (void) arena;
    const Ventanilla__Outcome *wire = from;
    struct outcome *outcome = entry;
    if (wire->what > OUTCOME_GIVE_BACK) {
        return VT_INVALID;
    }
    outcome->what = (enum outcome_kind) wire->what;
    outcome->attempt = wire->attempt;
    outcome->agent = wire->agent;
    outcome->seen = wire->seen;
    outcome->agent_is_person = wire->agent_is_person != 0;
    vt_err err = codec_wire_ticket(wire->ticket_high, wire->ticket_low, &outcome->ticket);
    if (err == VT_OK) {
        err = codec_wire_text(wire->text, BODY_BYTES_MAX, &outcome->text);
    }
    if (err == VT_OK) {
        err =
            codec_wire_text(wire->note, BODY_BYTES_MAX - (uint32_t) wire->text.len, &outcome->note);
    }
    return err;
}

const struct codec_kind codec_offer_outcome = {.wire = &ventanilla__outcome__descriptor,
                                               .count_min = 1,
                                               .count_max = MESSAGE_ENTRIES_MAX,
                                               .fill = fill_outcome,
                                               .read = read_outcome};

/* ------------------------------------------------------------------ VERDICT */

static const ProtobufCMessage *fill_verdict(const void *entry, struct codec_scratch *scratch)
{
    const struct verdict *verdict = entry;
    Ventanilla__Verdict *wire = &scratch->verdict;
    ventanilla__verdict__init(wire);
    wire->what = (uint32_t) verdict->what;
    wire->verdict = (uint32_t) verdict->verdict;
    wire->ticket_high = verdict->ticket.hi;
    wire->ticket_low = verdict->ticket.lo;
    wire->attempt = verdict->attempt;
    wire->agent = verdict->agent;
    return &wire->base;
}

static vt_err read_verdict(const void *from, void *entry, struct arena *arena)
{
    (void) arena;
    const Ventanilla__Verdict *wire = from;
    struct verdict *verdict = entry;
    if (wire->what > OUTCOME_GIVE_BACK || wire->verdict > VERDICT_FORBIDDEN) {
        return VT_INVALID;
    }
    verdict->what = (enum outcome_kind) wire->what;
    verdict->verdict = (enum verdict_kind) wire->verdict;
    verdict->attempt = wire->attempt;
    verdict->agent = wire->agent;
    return codec_wire_ticket(wire->ticket_high, wire->ticket_low, &verdict->ticket);
}

const struct codec_kind codec_offer_verdict = {.wire = &ventanilla__verdict__descriptor,
                                               .count_min = 1,
                                               .count_max = MESSAGE_ENTRIES_MAX,
                                               .fill = fill_verdict,
                                               .read = read_verdict};

/* ------------------------------------------------------------------ NOTE_IN */

static const ProtobufCMessage *fill_note_in(const void *entry, struct codec_scratch *scratch)
{
    const struct note_in *note_in = entry;
    Ventanilla__NoteIn *wire = &scratch->note_in;
    ventanilla__note_in__init(wire);
    wire->ticket_high = note_in->ticket.hi;
    wire->ticket_low = note_in->ticket.lo;
    wire->attempt = note_in->attempt;
    wire->agent = note_in->agent;
    wire->msgs = note_in->msgs;
    wire->text = codec_wire_data(note_in->text);
    return &wire->base;
}

static vt_err read_note_in(const void *from, void *entry, struct arena *arena)
{
    (void) arena;
    const Ventanilla__NoteIn *wire = from;
    struct note_in *note_in = entry;
    note_in->attempt = wire->attempt;
    note_in->agent = wire->agent;
    note_in->msgs = wire->msgs;
    vt_err err = codec_wire_ticket(wire->ticket_high, wire->ticket_low, &note_in->ticket);
    if (err == VT_OK) {
        err = codec_wire_text(wire->text, BODY_BYTES_MAX, &note_in->text);
    }
    return err;
}

const struct codec_kind codec_offer_note_in = {.wire = &ventanilla__note_in__descriptor,
                                               .count_min = 1,
                                               .count_max = MESSAGE_ENTRIES_MAX,
                                               .fill = fill_note_in,
                                               .read = read_note_in};

/* ------------------------------------------------------------------ BEAT */

static const ProtobufCMessage *fill_beat(const void *entry, struct codec_scratch *scratch)
{
    const struct beat *beat = entry;
    Ventanilla__Beat *wire = &scratch->beat;
    ventanilla__beat__init(wire);
    wire->held_count = beat->held_count;
    wire->digest = beat->digest;
    return &wire->base;
}

static vt_err read_beat(const void *from, void *entry, struct arena *arena)
{
    (void) arena;
    const Ventanilla__Beat *wire = from;
    struct beat *beat = entry;
    beat->held_count = wire->held_count;
    beat->digest = wire->digest;
    return VT_OK;
}

/* A BEAT to everybody need not say what is held. */
const struct codec_kind codec_offer_beat = {.wire = &ventanilla__beat__descriptor,
                                            .count_min = 0,
                                            .count_max = 1,
                                            .fill = fill_beat,
                                            .read = read_beat};
