#include "tests/unit/wire.h"

#include <stddef.h>
#include <string.h>

#include "lib/check.h"
#include "proto/body.h"
#include "proto/requirements.h"

enum field_type {
    NUMBER,
    BELOW,
    FLAG,
    TIME,
    TEXT,
    NAME,
    KEY,
    TICKET,
    REQUIREMENTS,
    PROFILE,
    BODY
};

struct field {
    enum message_kind kind;
    enum field_type type;
    const char *name;
    uint32_t offset;
    uint32_t size;
    uint32_t limit; /* BELOW: exclusive; TEXT: bytes */
    int32_t row;    /* of REPLY; -1: all */
};

#define FIELD(kind, tag, member, type, limit)                         \
    {                                                                 \
        kind, type, #member, (uint32_t) offsetof(struct tag, member), \
            (uint32_t) sizeof(((struct tag *) 0)->member), limit, -1  \
    }
#define ROW(number, member, type, limit)                                         \
    {                                                                            \
        MESSAGE_REPLY, type, #member, (uint32_t) offsetof(struct reply, member), \
            (uint32_t) sizeof(((struct reply *) 0)->member), limit, number       \
    }
#define SITE_FIELDS(kind)                                                                          \
    FIELD(kind, site_up, name, TEXT, NAME_BYTES_MAX),                                              \
        FIELD(kind, site_up, contractor, TEXT, NAME_BYTES_MAX),                                    \
        FIELD(kind, site_up, agent_count, NUMBER, 0), FIELD(kind, site_up, held_count, NUMBER, 0), \
        FIELD(kind, site_up, floor, NUMBER, 0)
#define ANSWERED_FIELDS(kind)                                                       \
    FIELD(kind, answered, ref, NUMBER, 0), FIELD(kind, answered, answer, BELOW, 4), \
        FIELD(kind, answered, reason, BELOW, REASON_COUNT),                         \
        FIELD(kind, answered, retry_ms, NUMBER, 0), FIELD(kind, answered, ticket, TICKET, 0)
#define ROW_FIELDS(kind, tag, row)                                                           \
    FIELD(kind, tag, row.id, TICKET, 0), FIELD(kind, tag, row.part, BELOW, 4096),            \
        FIELD(kind, tag, row.queue, NUMBER, 0), FIELD(kind, tag, row.priority, BELOW, 101),  \
        FIELD(kind, tag, row.attempt, NUMBER, 0), FIELD(kind, tag, row.fails, NUMBER, 0),    \
        FIELD(kind, tag, row.agent, NUMBER, 0), FIELD(kind, tag, row.site, NUMBER, 0),       \
        FIELD(kind, tag, row.msgs, NUMBER, 0), FIELD(kind, tag, row.rev, NUMBER, 0),         \
        FIELD(kind, tag, row.person_requested, FLAG, 0),                                     \
        FIELD(kind, tag, row.created_us, TIME, 0), FIELD(kind, tag, row.queued_us, TIME, 0), \
        FIELD(kind, tag, row.due_us, TIME, 0), FIELD(kind, tag, row.requirements, REQUIREMENTS, 0)

static const struct field fields[] = {
    FIELD(MESSAGE_SUBMIT, submit, ref, NUMBER, 0),
    FIELD(MESSAGE_SUBMIT, submit, client, TEXT, NAME_BYTES_MAX),
    FIELD(MESSAGE_SUBMIT, submit, key, KEY, 0),
    FIELD(MESSAGE_SUBMIT, submit, pool, TEXT, NAME_BYTES_MAX),
    FIELD(MESSAGE_SUBMIT, submit, queue, TEXT, NAME_BYTES_MAX),
    FIELD(MESSAGE_SUBMIT, submit, channel, BELOW, CHANNEL_COUNT),
    FIELD(MESSAGE_SUBMIT, submit, priority, BELOW, PRIORITY_MAX + 1),
    FIELD(MESSAGE_SUBMIT, submit, not_before_us, TIME, 0),
    FIELD(MESSAGE_SUBMIT, submit, text, TEXT, 300),
    FIELD(MESSAGE_SUBMITTED, submitted, ref, NUMBER, 0),
    FIELD(MESSAGE_SUBMITTED, submitted, answer, BELOW, 4),
    FIELD(MESSAGE_SUBMITTED, submitted, ticket, TICKET, 0),
    FIELD(MESSAGE_SUBMITTED, submitted, reason, BELOW, REASON_COUNT),
    FIELD(MESSAGE_SUBMITTED, submitted, field, TEXT, NAME_BYTES_MAX),
    FIELD(MESSAGE_SUBMITTED, submitted, retry_ms, NUMBER, 0),
    FIELD(MESSAGE_NOTE, note, ref, NUMBER, 0),
    FIELD(MESSAGE_NOTE, note, ticket, TICKET, 0),
    FIELD(MESSAGE_NOTE, note, author, TEXT, NAME_BYTES_MAX),
    FIELD(MESSAGE_NOTE, note, key, KEY, 0),
    FIELD(MESSAGE_NOTE, note, text, TEXT, 300),
    FIELD(MESSAGE_NOTE, note, wants_person, FLAG, 0),
    FIELD(MESSAGE_CANCEL, cancel, ref, NUMBER, 0),
    FIELD(MESSAGE_CANCEL, cancel, ticket, TICKET, 0),
    FIELD(MESSAGE_CANCEL, cancel, reason, TEXT, REASON_BYTES_MAX),
    ANSWERED_FIELDS(MESSAGE_NOTED),
    ANSWERED_FIELDS(MESSAGE_CANCELLED),
    FIELD(MESSAGE_FOLLOW, follow, ticket, TICKET, 0),
    FIELD(MESSAGE_FOLLOW, follow, rev, NUMBER, 0),
    FIELD(MESSAGE_UPDATE, update, ticket, TICKET, 0),
    FIELD(MESSAGE_UPDATE, update, rev, NUMBER, 0),
    FIELD(MESSAGE_UPDATE, update, state, BELOW, TICKET_STATE_COUNT),
    FIELD(MESSAGE_UPDATE, update, attempt, NUMBER, 0),
    FIELD(MESSAGE_QUERY, query, ref, NUMBER, 0),
    FIELD(MESSAGE_QUERY, query, ticket, TICKET, 0),
    FIELD(MESSAGE_QUERY, query, cursor, NUMBER, 0),
    FIELD(MESSAGE_REPLY, reply, ref, NUMBER, 0),
    ROW(ROW_END, end.error, BELOW, VT_ERR_COUNT),
    ROW(ROW_END, end.cursor, NUMBER, 0),
    ROW(ROW_TICKET, ticket.row.id, TICKET, 0),
    ROW(ROW_TICKET, ticket.row.attempt, NUMBER, 0),
    ROW(ROW_TICKET, ticket.row.requirements, REQUIREMENTS, 0),
    ROW(ROW_TICKET, ticket.row.agent_name, TEXT, NAME_BYTES_MAX),
    ROW(ROW_TICKET, ticket.row.site_name, TEXT, NAME_BYTES_MAX),
    ROW(ROW_TICKET, ticket.queue_name, TEXT, NAME_BYTES_MAX),
    ROW(ROW_TICKET, ticket.answer, TEXT, 300),
    ROW(ROW_TICKET, ticket.agents_able, NUMBER, 0),
    ROW(ROW_HISTORY, history.seq, NUMBER, 0),
    ROW(ROW_HISTORY, history.stream, NUMBER, 0),
    ROW(ROW_HISTORY, history.attempt, NUMBER, 0),
    ROW(ROW_HISTORY, history.epoch, NUMBER, 0),
    ROW(ROW_HISTORY, history.at_us, TIME, 0),
    ROW(ROW_HISTORY, history.agent_name, TEXT, NAME_BYTES_MAX),
    ROW(ROW_HISTORY, history.detail, TEXT, 300),
    ROW(ROW_QUEUE, queue.queue, NUMBER, 0),
    ROW(ROW_QUEUE, queue.pool_name, TEXT, NAME_BYTES_MAX),
    ROW(ROW_QUEUE, queue.name, TEXT, NAME_BYTES_MAX),
    ROW(ROW_QUEUE, queue.waiting, NUMBER, 0),
    ROW(ROW_QUEUE, queue.scheduled, NUMBER, 0),
    ROW(ROW_QUEUE, queue.offered, NUMBER, 0),
    ROW(ROW_QUEUE, queue.assigned, NUMBER, 0),
    ROW(ROW_QUEUE, queue.parked, NUMBER, 0),
    ROW(ROW_QUEUE, queue.unservable, NUMBER, 0),
    ROW(ROW_QUEUE, queue.oldest_wait_ms, TIME, 0),
    ROW(ROW_QUEUE, queue.agents_up, NUMBER, 0),
    ROW(ROW_QUEUE, queue.agents_free, NUMBER, 0),
    ROW(ROW_QUEUE, queue.entered_total, NUMBER, 0),
    ROW(ROW_QUEUE, queue.answered_total, NUMBER, 0),
    ROW(ROW_QUEUE, queue.completed_total, NUMBER, 0),
    ROW(ROW_QUEUE, queue.cancelled_total, NUMBER, 0),
    ROW(ROW_QUEUE, queue.requeued_total, NUMBER, 0),
    ROW(ROW_QUEUE, queue.dead_total, NUMBER, 0),
    ROW(ROW_QUEUE, queue.wait_sum_ms, TIME, 0),
    ROW(ROW_AGENT, agent.agent, NUMBER, 0),
    ROW(ROW_AGENT, agent.site_name, TEXT, NAME_BYTES_MAX),
    ROW(ROW_AGENT, agent.name, TEXT, NAME_BYTES_MAX),
    ROW(ROW_AGENT, agent.is_up, FLAG, 0),
    ROW(ROW_AGENT, agent.is_person, FLAG, 0),
    ROW(ROW_AGENT, agent.capacity, NUMBER, 0),
    ROW(ROW_AGENT, agent.busy, NUMBER, 0),
    ROW(ROW_AGENT, agent.offered, NUMBER, 0),
    ROW(ROW_AGENT, agent.completed_total, NUMBER, 0),
    ROW(ROW_AGENT, agent.idle_ms, TIME, 0),
    FIELD(MESSAGE_OWNS, owns, part, BELOW, 4096),
    FIELD(MESSAGE_OWNS, owns, epoch, NUMBER, 0),
    FIELD(MESSAGE_NOT_OWNER, owns, part, BELOW, 4096),
    FIELD(MESSAGE_NOT_OWNER, owns, epoch, NUMBER, 0),
    FIELD(MESSAGE_FORWARD, forward, since_us, TIME, 0),
    FIELD(MESSAGE_FORWARD, forward, text, TEXT, 300),
    ROW_FIELDS(MESSAGE_FORWARD, forward, row),
    FIELD(MESSAGE_TAKEN, taken, broker, NUMBER, 0),
    FIELD(MESSAGE_TAKEN, taken, upto, NUMBER, 0),
    SITE_FIELDS(MESSAGE_SITE_UP),
    SITE_FIELDS(MESSAGE_SITE_DOWN),
    SITE_FIELDS(MESSAGE_SITE_ASK),
    SITE_FIELDS(MESSAGE_SITE_STALE),
    FIELD(MESSAGE_HELLO, hello, name, NAME, NAME_BYTES_MAX),
    FIELD(MESSAGE_HELLO, hello, contractor, TEXT, NAME_BYTES_MAX),
    FIELD(MESSAGE_HELLO, hello, agent_count, NUMBER, 0),
    FIELD(MESSAGE_HELLO, hello, held_count, NUMBER, 0),
    FIELD(MESSAGE_AGENT, agent, index, NUMBER, 0),
    FIELD(MESSAGE_AGENT, agent, id, NUMBER, 0),
    FIELD(MESSAGE_AGENT, agent, name, NAME, NAME_BYTES_MAX),
    FIELD(MESSAGE_AGENT, agent, is_person, FLAG, 0),
    FIELD(MESSAGE_AGENT, agent, free, BELOW, 8),
    FIELD(MESSAGE_AGENT, agent, idle_ms, TIME, 0),
    FIELD(MESSAGE_AGENT, agent, profile, PROFILE, 0),
    FIELD(MESSAGE_HELD, held, part, BELOW, 4096),
    FIELD(MESSAGE_HELD, held, ticket, TICKET, 0),
    FIELD(MESSAGE_HELD, held, attempt, NUMBER, 0),
    FIELD(MESSAGE_HELD, held, agent, NUMBER, 0),
    FIELD(MESSAGE_HELD, held, state, BELOW, 3),
    FIELD(MESSAGE_WELCOME, welcome, index, NUMBER, 0),
    FIELD(MESSAGE_WELCOME, welcome, agent, NUMBER, 0),
    FIELD(MESSAGE_WELCOME, welcome, error, BELOW, VT_ERR_COUNT),
    FIELD(MESSAGE_HELLO_AGAIN, hello_again, floor, NUMBER, 0),
    FIELD(MESSAGE_AVAIL, avail, agent, NUMBER, 0),
    FIELD(MESSAGE_AVAIL, avail, free, BELOW, CAPACITY_MAX + 1),
    FIELD(MESSAGE_AVAIL, avail, is_available, FLAG, 0),
    FIELD(MESSAGE_AVAIL, avail, idle_ms, TIME, 0),
    FIELD(MESSAGE_OFFER, offer, offer, NUMBER, 0),
    FIELD(MESSAGE_OFFER, offer, ticket, TICKET, 0),
    FIELD(MESSAGE_OFFER, offer, attempt, NUMBER, 0),
    FIELD(MESSAGE_OFFER, offer, agent, NUMBER, 0),
    FIELD(MESSAGE_OFFER, offer, ttl_ms, TIME, 0),
    FIELD(MESSAGE_OFFER, offer, queue_name, TEXT, NAME_BYTES_MAX),
    FIELD(MESSAGE_OFFER, offer, language, TEXT, LANGUAGE_BYTES_MAX),
    FIELD(MESSAGE_OFFER, offer, channel, BELOW, CHANNEL_COUNT),
    FIELD(MESSAGE_OFFER, offer, priority, BELOW, PRIORITY_MAX + 1),
    FIELD(MESSAGE_OFFER, offer, waited_ms, TIME, 0),
    FIELD(MESSAGE_ACCEPT, accept, offer, NUMBER, 0),
    FIELD(MESSAGE_ACCEPT, accept, ticket, TICKET, 0),
    FIELD(MESSAGE_ACCEPT, accept, attempt, NUMBER, 0),
    FIELD(MESSAGE_ACCEPT, accept, agent, NUMBER, 0),
    FIELD(MESSAGE_ACCEPT, accept, epoch, NUMBER, 0),
    FIELD(MESSAGE_DECLINE, decline, offer, NUMBER, 0),
    FIELD(MESSAGE_DECLINE, decline, ticket, TICKET, 0),
    FIELD(MESSAGE_DECLINE, decline, attempt, NUMBER, 0),
    FIELD(MESSAGE_DECLINE, decline, agent, NUMBER, 0),
    FIELD(MESSAGE_DECLINE, decline, epoch, NUMBER, 0),
    FIELD(MESSAGE_DECLINE, decline, reason, BELOW, 4),
    FIELD(MESSAGE_DECLINE, decline, free, BELOW, CAPACITY_MAX + 1),
    FIELD(MESSAGE_CONFIRM, confirm, ticket, TICKET, 0),
    FIELD(MESSAGE_CONFIRM, confirm, attempt, NUMBER, 0),
    FIELD(MESSAGE_CONFIRM, confirm, agent, NUMBER, 0),
    FIELD(MESSAGE_CONFIRM, confirm, msgs, NUMBER, 0),
    FIELD(MESSAGE_CONFIRM, confirm, priority, BELOW, PRIORITY_MAX + 1),
    FIELD(MESSAGE_CONFIRM, confirm, fails, NUMBER, 0),
    FIELD(MESSAGE_CONFIRM, confirm, created_us, TIME, 0),
    FIELD(MESSAGE_CONFIRM, confirm, queue_name, TEXT, NAME_BYTES_MAX),
    FIELD(MESSAGE_CONFIRM, confirm, requirements, REQUIREMENTS, 0),
    FIELD(MESSAGE_CONFIRM, confirm, body, BODY, 0),
    FIELD(MESSAGE_RELEASE, release, ticket, TICKET, 0),
    FIELD(MESSAGE_RELEASE, release, attempt, NUMBER, 0),
    FIELD(MESSAGE_RELEASE, release, agent, NUMBER, 0),
    FIELD(MESSAGE_RELEASE, release, offer, NUMBER, 0),
    FIELD(MESSAGE_RELEASE, release, why, BELOW, 4),
    FIELD(MESSAGE_OUTCOME, outcome, what, BELOW, 4),
    FIELD(MESSAGE_OUTCOME, outcome, ticket, TICKET, 0),
    FIELD(MESSAGE_OUTCOME, outcome, attempt, NUMBER, 0),
    FIELD(MESSAGE_OUTCOME, outcome, agent, NUMBER, 0),
    FIELD(MESSAGE_OUTCOME, outcome, seen, NUMBER, 0),
    FIELD(MESSAGE_OUTCOME, outcome, agent_is_person, FLAG, 0),
    FIELD(MESSAGE_OUTCOME, outcome, text, TEXT, 300),
    FIELD(MESSAGE_OUTCOME, outcome, note, TEXT, 300),
    FIELD(MESSAGE_VERDICT, verdict, what, BELOW, 4),
    FIELD(MESSAGE_VERDICT, verdict, verdict, BELOW, 4),
    FIELD(MESSAGE_VERDICT, verdict, ticket, TICKET, 0),
    FIELD(MESSAGE_VERDICT, verdict, attempt, NUMBER, 0),
    FIELD(MESSAGE_VERDICT, verdict, agent, NUMBER, 0),
    FIELD(MESSAGE_NOTE_IN, note_in, ticket, TICKET, 0),
    FIELD(MESSAGE_NOTE_IN, note_in, attempt, NUMBER, 0),
    FIELD(MESSAGE_NOTE_IN, note_in, agent, NUMBER, 0),
    FIELD(MESSAGE_NOTE_IN, note_in, msgs, NUMBER, 0),
    FIELD(MESSAGE_NOTE_IN, note_in, text, TEXT, 300),
    FIELD(MESSAGE_BEAT, beat, held_count, NUMBER, 0),
    FIELD(MESSAGE_BEAT, beat, digest, NUMBER, 0),
};

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
make_field(const struct field *field, uint8_t *at, struct random *random, struct arena *arena)
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

static bool has_field(const struct field *field, enum message_kind kind, const uint8_t *entry)
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
        for (uint32_t f = 0; f < ARRAY_LENGTH(fields); f++) {
            if (has_field(&fields[f], kind, entry)) {
                make_field(&fields[f], entry + fields[f].offset, random, arena);
            }
        }
    }
}

/* ------------------------------------------------------------------ comparing */

static bool is_text(enum field_type type)
{
    return type != NUMBER && type != BELOW && type != FLAG && type != TIME && type != TICKET;
}

static bool field_equal(const struct field *field, const uint8_t *a, const uint8_t *b)
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
    for (uint32_t f = 0; f < ARRAY_LENGTH(fields); f++) {
        uint32_t offset = fields[f].offset;
        if (has_field(&fields[f], kind, entry_a) &&
            !field_equal(&fields[f], entry_a + offset, entry_b + offset)) {
            return fields[f].name;
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
