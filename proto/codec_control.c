#include "proto/codec_wire.h"

#include "proto/requirements.h"

/* Sites' standing with brokers and routers. */

/* ------------------------------------------------------------------ header-only kinds */

const struct codec_kind codec_control_bare = {.wire = NULL, .count_min = 0, .count_max = 0};

/* ------------------------------------------------------------------ SITE_* */

static const ProtobufCMessage *fill_site_up(const void *entry, struct codec_scratch *scratch)
{
    const struct site_up *site = entry;
    Ventanilla__SiteUp *wire = &scratch->site_up;
    ventanilla__site_up__init(wire);
    wire->name = codec_wire_data(site->name);
    wire->contractor = codec_wire_data(site->contractor);
    wire->agent_count = site->agent_count;
    wire->held_count = site->held_count;
    wire->floor = site->floor;
    return &wire->base;
}

static vt_err read_site_up(const void *from, void *entry, struct arena *arena)
{
    (void) arena;
    const Ventanilla__SiteUp *wire = from;
    struct site_up *site = entry;
    site->agent_count = wire->agent_count;
    site->held_count = wire->held_count;
    site->floor = wire->floor;
    vt_err err = codec_wire_text(wire->name, NAME_BYTES_MAX, &site->name);
    if (err == VT_OK) {
        err = codec_wire_text(wire->contractor, NAME_BYTES_MAX, &site->contractor);
    }
    return err;
}

const struct codec_kind codec_control_site_up = {.wire = &ventanilla__site_up__descriptor,
                                                 .count_min = 1,
                                                 .count_max = 1,
                                                 .fill = fill_site_up,
                                                 .read = read_site_up};

/* SITE_DOWN and SITE_ASK: the header says it all, an entry may be left out. */
const struct codec_kind codec_control_site = {.wire = &ventanilla__site_up__descriptor,
                                              .count_min = 0,
                                              .count_max = 1,
                                              .fill = fill_site_up,
                                              .read = read_site_up};

/* ------------------------------------------------------------------ HELLO */

static const ProtobufCMessage *fill_hello(const void *entry, struct codec_scratch *scratch)
{
    const struct hello *hello = entry;
    Ventanilla__Hello *wire = &scratch->hello;
    ventanilla__hello__init(wire);
    wire->name = codec_wire_data(hello->name);
    wire->contractor = codec_wire_data(hello->contractor);
    wire->agent_count = hello->agent_count;
    wire->held_count = hello->held_count;
    return &wire->base;
}

static vt_err read_hello(const void *from, void *entry, struct arena *arena)
{
    (void) arena;
    const Ventanilla__Hello *wire = from;
    struct hello *hello = entry;
    hello->agent_count = wire->agent_count;
    hello->held_count = wire->held_count;
    vt_err err = codec_wire_name(wire->name, &hello->name);
    if (err == VT_OK) {
        err = codec_wire_text(wire->contractor, NAME_BYTES_MAX, &hello->contractor);
    }
    return err;
}

const struct codec_kind codec_control_hello = {.wire = &ventanilla__hello__descriptor,
                                               .count_min = 1,
                                               .count_max = 1,
                                               .fill = fill_hello,
                                               .read = read_hello};

/* ------------------------------------------------------------------ AGENT */

static const ProtobufCMessage *fill_agent(const void *entry, struct codec_scratch *scratch)
{
    const struct agent *agent = entry;
    Ventanilla__Agent *wire = &scratch->agent;
    ventanilla__agent__init(wire);
    wire->index = agent->index;
    wire->id = agent->id;
    wire->name = codec_wire_data(agent->name);
    wire->is_person = agent->is_person;
    wire->capacity = agent->capacity;
    wire->free = agent->free;
    wire->idle_ms = agent->idle_ms;
    wire->profile = codec_wire_data(agent->profile);
    return &wire->base;
}

static void take_agent(const Ventanilla__Agent *wire, struct agent *agent)
{
    agent->index = wire->index;
    agent->id = wire->id;
    agent->is_person = wire->is_person != 0;
    agent->capacity = wire->capacity;
    agent->free = wire->free;
    agent->idle_ms = wire->idle_ms;
}

static vt_err read_agent(const void *from, void *entry, struct arena *arena)
{
    (void) arena;
    const Ventanilla__Agent *wire = from;
    struct agent *agent = entry;
    vt_err err = codec_wire_name(wire->name, &agent->name);
    if (err != VT_OK) {
        return err;
    }
    if (wire->profile.len > PROFILE_BYTES_MAX) {
        return VT_TOO_LARGE;
    }
    struct profile profile;
    agent->profile = codec_wire_view(wire->profile);
    if (wire->capacity == 0 || wire->capacity > CAPACITY_MAX || wire->free > wire->capacity ||
        !codec_wire_is_duration(wire->idle_ms) || profile_read(agent->profile, &profile) != VT_OK) {
        return VT_INVALID;
    }
    take_agent(wire, agent);
    return VT_OK;
}

const struct codec_kind codec_control_agent = {.wire = &ventanilla__agent__descriptor,
                                               .count_min = 0,
                                               .count_max = MESSAGE_ENTRIES_MAX,
                                               .fill = fill_agent,
                                               .read = read_agent};

/* ------------------------------------------------------------------ HELD */

static const ProtobufCMessage *fill_held(const void *entry, struct codec_scratch *scratch)
{
    const struct held *held = entry;
    Ventanilla__Held *wire = &scratch->held;
    ventanilla__held__init(wire);
    wire->part = held->part;
    wire->ticket_high = held->ticket.hi;
    wire->ticket_low = held->ticket.lo;
    wire->attempt = held->attempt;
    wire->agent = held->agent;
    wire->state = (uint32_t) held->state;
    return &wire->base;
}

static vt_err read_held(const void *from, void *entry, struct arena *arena)
{
    (void) arena;
    const Ventanilla__Held *wire = from;
    struct held *held = entry;
    if (wire->part >= ID_PARTITIONS || wire->state > HELD_ENDED) {
        return VT_INVALID;
    }
    held->part = wire->part;
    held->attempt = wire->attempt;
    held->agent = wire->agent;
    held->state = (enum held_state) wire->state;
    return codec_wire_ticket(wire->ticket_high, wire->ticket_low, &held->ticket);
}

const struct codec_kind codec_control_held = {.wire = &ventanilla__held__descriptor,
                                              .count_min = 0,
                                              .count_max = MESSAGE_ENTRIES_MAX,
                                              .fill = fill_held,
                                              .read = read_held};

/* ------------------------------------------------------------------ WELCOME */

static const ProtobufCMessage *fill_welcome(const void *entry, struct codec_scratch *scratch)
{
    const struct welcome *welcome = entry;
    Ventanilla__Welcome *wire = &scratch->welcome;
    ventanilla__welcome__init(wire);
    wire->index = welcome->index;
    wire->agent = welcome->agent;
    wire->error = (uint32_t) welcome->error;
    return &wire->base;
}

static vt_err read_welcome(const void *from, void *entry, struct arena *arena)
{
    (void) arena;
    const Ventanilla__Welcome *wire = from;
    struct welcome *welcome = entry;
    if (wire->error >= VT_ERR_COUNT) {
        return VT_INVALID;
    }
    welcome->index = wire->index;
    welcome->agent = wire->agent;
    welcome->error = (vt_err) wire->error;
    return VT_OK;
}

const struct codec_kind codec_control_welcome = {.wire = &ventanilla__welcome__descriptor,
                                                 .count_min = 0,
                                                 .count_max = MESSAGE_ENTRIES_MAX,
                                                 .fill = fill_welcome,
                                                 .read = read_welcome};

/* ------------------------------------------------------------------ HELLO_AGAIN */

static const ProtobufCMessage *fill_hello_again(const void *entry, struct codec_scratch *scratch)
{
    const struct hello_again *again = entry;
    Ventanilla__HelloAgain *wire = &scratch->hello_again;
    ventanilla__hello_again__init(wire);
    wire->floor = again->floor;
    return &wire->base;
}

static vt_err read_hello_again(const void *from, void *entry, struct arena *arena)
{
    (void) arena;
    const Ventanilla__HelloAgain *wire = from;
    struct hello_again *again = entry;
    again->floor = wire->floor;
    return VT_OK;
}

const struct codec_kind codec_control_hello_again = {.wire = &ventanilla__hello_again__descriptor,
                                                     .count_min = 1,
                                                     .count_max = 1,
                                                     .fill = fill_hello_again,
                                                     .read = read_hello_again};
