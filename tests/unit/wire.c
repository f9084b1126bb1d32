#include "tests/unit/wire.h"

#include <stddef.h>
#include <string.h>

#include "lib/check.h"
#include "proto/body.h"
#include "proto/requirements.h"
#include "tests/unit/wire_fields.h"

/* ------------------------------------------------------------------ making */

/* Letters of one, two and three bytes. */
static struct bytes random_text(struct random *random, struct arena *arena, uint32_t size)
{
    static const char *const letters[] = {"a", "z", " ", "\xc3\xb1", "\xe2\x82\xac"};
    uint8_t *text = arena_take(arena, size + 1, 1);
    uint32_t used = 0;
    while (used < size) {
        const char *letter = letters[random_below(random, 5)];
        uint32_t length = (uint32_t) strlen(letter);
        if (used + length > size) {
            letter = "x";
            length = 1;
        }
        memcpy(text + used, letter, length);
        used += length;
    }
    return bytes_of(text, size);
}

static struct bytes random_name(struct random *random, struct arena *arena, uint32_t i)
{
    struct bytes name = random_text(random, arena, (uint32_t) random_range(random, 2, 20));
    *(uint8_t *) (uintptr_t) name.data = (uint8_t) ('A' + i); /* rising */
    *(uint8_t *) (uintptr_t) (name.data + 1) = '.';
    for (uint32_t at = 2; at < name.size; at++) {
        *(uint8_t *) (uintptr_t) (name.data + at) = (uint8_t) ('a' + random_below(random, 26));
    }
    return name;
}

static uint32_t random_skills(struct random *random, struct arena *arena, struct skill *skills)
{
    uint32_t count = (uint32_t) random_below(random, SKILLS_MAX + 1);
    for (uint32_t i = 0; i < count; i++) {
        skills[i].name = random_name(random, arena, i);
        skills[i].level = (uint32_t) random_below(random, LEVEL_MAX + 1);
    }
    return count;
}

static struct bytes random_requirements(struct random *random, struct arena *arena)
{
    struct requirements requirements = {0};
    uint8_t *blob = arena_take(arena, REQUIREMENTS_BYTES_MAX, 1);
    requirements.channel = (enum channel) random_below(random, CHANNEL_COUNT);
    requirements.language = bytes_of_text(random_below(random, 2) == 0 ? "" : "es-ES");
    requirements.skill_count = random_skills(random, arena, requirements.skills);
    return bytes_of(blob, requirements_write(&requirements, blob));
}

static struct bytes random_profile(struct random *random, struct arena *arena)
{
    struct profile profile = {0};
    uint8_t *blob = arena_take(arena, PROFILE_BYTES_MAX, 1);
    profile.queue_count = (uint32_t) random_below(random, 5);
    for (uint32_t i = 0; i < profile.queue_count; i++) {
        profile.queues[i] = random_name(random, arena, i);
    }
    profile.language_count = 1;
    profile.languages[0] = bytes_of_text("gl");
    profile.skill_count = random_skills(random, arena, profile.skills);
    return bytes_of(blob, profile_write(&profile, blob));
}

static uint32_t
random_attributes(struct random *random, struct arena *arena, struct attribute *attributes)
{
    uint32_t count = (uint32_t) random_below(random, 5);
    for (uint32_t i = 0; i < count; i++) {
        attributes[i].name = random_name(random, arena, i);
        attributes[i].value = random_text(random, arena, (uint32_t) random_below(random, 100));
    }
    return count;
}

static struct bytes random_body(struct random *random, struct arena *arena)
{
    struct attribute attributes[5];
    uint32_t count = random_attributes(random, arena, attributes);
    struct bytes text = random_text(random, arena, (uint32_t) random_below(random, 200));
    uint32_t size = body_size(attributes, count, text);
    uint8_t *blob = arena_take(arena, size, 1);
    body_write(attributes, count, text, blob);
    return bytes_of(blob, size);
}

static void put_number(void *at, uint32_t size, uint64_t number)
{
    CHECK(size == 1 || size == 4 || size == 8);
    memcpy(at, &number, size); /* little-endian machines only, as all ours are */
}

static void
make_field(const struct wire_field *field, uint8_t *at, struct random *random, struct arena *arena)
{
    struct bytes *text = (struct bytes *) (void *) at;
    uint32_t size = field->limit == 0 ? 0 : (uint32_t) random_below(random, field->limit + 1);
    uint64_t wide = random_u64(random) >> random_below(random, 64);
    switch (field->type) {
    case NUMBER:
        put_number(at, field->size, wide);
        break;
    case BELOW:
        put_number(at, field->size, random_below(random, field->limit));
        break;
    case FLAG:
        put_number(at, field->size, random_below(random, 2));
        break;
    case TIME:
        put_number(at, field->size, random_below(random, 300000000000));
        break;
    case TEXT:
        *text = random_text(random, arena, size);
        break;
    case NAME:
        *text = random_text(random, arena, size == 0 ? 1 : size);
        break;
    case KEY:
        *text = random_text(random, arena, 8 + (uint32_t) random_below(random, 57));
        break;
    case TICKET:
        put_number(at, 8, random_u64(random));
        put_number(at + 8, 8, random_u64(random) | 1);
        break;
    case REQUIREMENTS:
        *text = random_requirements(random, arena);
        break;
    case PROFILE:
        *text = random_profile(random, arena);
        break;
    case BODY:
        *text = random_body(random, arena);
        break;
    }
}

static void make_row(struct reply *reply, struct random *random)
{
    reply->row = (enum reply_row) random_below(random, ROW_AGENT + 1);
    if (reply->row == ROW_TICKET) {
        reply->ticket.row.state = TICKET_PARKED;
    }
    if (reply->row == ROW_HISTORY) {
        reply->history.kind = (enum history_kind) random_range(random, 1, HISTORY_NOTE);
    }
}

/* What the table cannot say. */
static void
make_rest(enum message_kind kind, uint8_t *entry, struct random *random, struct arena *arena)
{
    if (kind == MESSAGE_SUBMIT) {
        struct submit *submit = (struct submit *) (void *) entry;
        struct attribute *attributes = ARENA_ARRAY(arena, struct attribute, ATTRIBUTES_MAX);
        submit->skill_count = random_skills(random, arena, submit->skills);
        submit->attribute_count = random_attributes(random, arena, attributes);
        submit->attributes = attributes;
        submit->language = bytes_of_text(random_below(random, 2) == 0 ? "" : "gl");
    } else if (kind == MESSAGE_QUERY) {
        ((struct query *) (void *) entry)->what = (enum query_what) random_range(random, 1, 3);
    } else if (kind == MESSAGE_REPLY) {
        make_row((struct reply *) (void *) entry, random);
    } else if (kind == MESSAGE_FORWARD) {
        struct forward *forward = (struct forward *) (void *) entry;
        forward->n = 1 + random_below(random, 1000);
        forward->row.state = (enum ticket_state) random_range(random, 1, TICKET_STATE_COUNT - 1);
    } else if (kind == MESSAGE_AGENT) {
        ((struct agent *) (void *) entry)->capacity =
            (uint32_t) random_range(random, 8, CAPACITY_MAX);
    }
}

static bool has_field(const struct wire_field *field, enum message_kind kind, const uint8_t *entry)
{
    if (field->kind != kind) {
        return false;
    }
    return field->row < 0 ||
           (int32_t) ((const struct reply *) (const void *) entry)->row == field->row;
}

static void make_header(struct header *header, struct random *random)
{
    header->flags = (uint32_t) random_below(random, 4);
    header->part = random_below(random, 8) == 0 ? PART_ALL : (uint32_t) random_below(random, 4096);
    header->site = (uint32_t) random_u64(random);
    header->node = (uint32_t) random_u64(random);
    header->session.boot = (uint32_t) random_u64(random);
    header->session.connect = (uint32_t) random_u64(random);
    header->session.nonce = random_u64(random);
    header->epoch = random_u64(random);
    header->origin = random_u64(random);
    header->seq = random_u64(random);
}

void wire_random(struct message *message,
                 enum message_kind kind,
                 uint32_t count,
                 struct random *random,
                 struct arena *arena)
{
    uint32_t entry_bytes = message_entry_size(kind);
    *message = (struct message){.header = {.kind = kind}};
    make_header(&message->header, random);
    if (entry_bytes == 0) {
        return;
    }
    message->entries = arena_take_zeroed(arena, (uint64_t) entry_bytes * count, 16);
    message->count = count;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *entry = (uint8_t *) message->entries + (size_t) i * entry_bytes;
        make_rest(kind, entry, random, arena);
        for (uint32_t f = 0; f < wire_field_count; f++) {
            if (has_field(&wire_fields[f], kind, entry)) {
                make_field(&wire_fields[f], entry + wire_fields[f].offset, random, arena);
            }
        }
    }
}

/* ------------------------------------------------------------------ comparing */

static bool is_text(enum wire_field_type type)
{
    return type != NUMBER && type != BELOW && type != FLAG && type != TIME && type != TICKET;
}

static bool field_equal(const struct wire_field *field, const uint8_t *a, const uint8_t *b)
{
    if (is_text(field->type)) {
        return bytes_equal(*(const struct bytes *) (const void *) a,
                           *(const struct bytes *) (const void *) b);
    }
    return memcmp(a, b, field->size) == 0;
}

static const char *submit_difference(const struct submit *a, const struct submit *b)
{
    if (a->skill_count != b->skill_count || a->attribute_count != b->attribute_count ||
        !bytes_equal(a->language, b->language) || b->defect != REASON_NONE) {
        return "counts, language or defect";
    }
    for (uint32_t i = 0; i < a->skill_count; i++) {
        if (a->skills[i].level != b->skills[i].level ||
            !bytes_equal(a->skills[i].name, b->skills[i].name)) {
            return "skills";
        }
    }
    for (uint32_t i = 0; i < a->attribute_count; i++) {
        if (!bytes_equal(a->attributes[i].name, b->attributes[i].name) ||
            !bytes_equal(a->attributes[i].value, b->attributes[i].value)) {
            return "attributes";
        }
    }
    return NULL;
}

static const char *rest_difference(enum message_kind kind, const void *a, const void *b)
{
    const struct forward *forward_a = a;
    const struct forward *forward_b = b;
    const struct agent *agent_a = a;
    const struct agent *agent_b = b;
    switch ((int) kind) {
    case MESSAGE_SUBMIT:
        return submit_difference(a, b);
    case MESSAGE_QUERY:
        return ((const struct query *) a)->what == ((const struct query *) b)->what ? NULL : "what";
    case MESSAGE_REPLY:
        return ((const struct reply *) a)->row == ((const struct reply *) b)->row ? NULL : "row";
    case MESSAGE_FORWARD:
        return forward_a->n == forward_b->n && forward_a->what == forward_b->what &&
                       forward_a->row.state == forward_b->row.state
                   ? NULL
                   : "n, what, state";
    case MESSAGE_AGENT:
        return agent_a->capacity == agent_b->capacity ? NULL : "capacity";
    default:
        return NULL;
    }
}

const char *
wire_difference(const struct message *a, uint32_t i, const struct message *b, uint32_t j)
{
    enum message_kind kind = a->header.kind;
    uint32_t entry_bytes = message_entry_size(kind);
    const uint8_t *entry_a = (const uint8_t *) a->entries + (size_t) i * entry_bytes;
    const uint8_t *entry_b = (const uint8_t *) b->entries + (size_t) j * entry_bytes;
    const char *rest = rest_difference(kind, entry_a, entry_b);
    if (rest != NULL) {
        return rest;
    }
    for (uint32_t f = 0; f < wire_field_count; f++) {
        uint32_t offset = wire_fields[f].offset;
        if (has_field(&wire_fields[f], kind, entry_a) &&
            !field_equal(&wire_fields[f], entry_a + offset, entry_b + offset)) {
            return wire_fields[f].name;
        }
    }
    return NULL;
}

enum codec_edge wire_edge(enum message_kind kind)
{
    for (uint32_t edge = 0; edge < EDGE_COUNT; edge++) {
        bool is_carried = message_is_carried_kind(kind) &&
                          (edge == EDGE_SITE_TO_BROKER || edge == EDGE_ROUTER_TO_BROKER);
        if (!is_carried && codec_is_allowed((enum codec_edge) edge, kind)) {
            return (enum codec_edge) edge;
        }
    }
    return EDGE_COUNT;
}

bool wire_has_entries(enum message_kind kind)
{
    return message_entry_size(kind) != 0;
}

uint32_t wire_count_max(enum message_kind kind)
{
    switch ((int) kind) {
    case MESSAGE_HELLO:
    case MESSAGE_HELLO_AGAIN:
    case MESSAGE_SITE_UP:
    case MESSAGE_SITE_DOWN:
    case MESSAGE_SITE_ASK:
    case MESSAGE_SITE_STALE:
    case MESSAGE_BEAT:
        return 1;
    default:
        return MESSAGE_ENTRIES_MAX;
    }
}
