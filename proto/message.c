#include "proto/message.h"

#include <stddef.h>
#include <string.h>

#include "lib/check.h"
#include "lib/hash.h"

/* An open message is looked for among this many of the newest effects: a step that talks to more
 * addresses at once sends some messages with fewer entries, and never searches a long list. */
#define OPEN_SEARCH_MAX 128u

/* Order-free sums of this hash meet in two processes, so its seed is fixed. */
#define HELD_SEED UINT64_C(0x68656c6464696773)

struct kind_row {
    const char *text;
    uint32_t entry_bytes;
};

static const struct kind_row kinds[MESSAGE_KIND_COUNT] = {
    [MESSAGE_NONE] = {"NONE", 0},
    [MESSAGE_SUBMIT] = {"SUBMIT", sizeof(struct submit)},
    [MESSAGE_SUBMITTED] = {"SUBMITTED", sizeof(struct submitted)},
    [MESSAGE_NOTE] = {"NOTE", sizeof(struct note)},
    [MESSAGE_NOTED] = {"NOTED", sizeof(struct answered)},
    [MESSAGE_CANCEL] = {"CANCEL", sizeof(struct cancel)},
    [MESSAGE_CANCELLED] = {"CANCELLED", sizeof(struct answered)},
    [MESSAGE_FOLLOW] = {"FOLLOW", sizeof(struct follow)},
    [MESSAGE_UPDATE] = {"UPDATE", sizeof(struct update)},
    [MESSAGE_QUERY] = {"QUERY", sizeof(struct query)},
    [MESSAGE_REPLY] = {"REPLY", sizeof(struct reply)},
    [MESSAGE_OWNS] = {"OWNS", sizeof(struct owns)},
    [MESSAGE_FORWARD] = {"FORWARD", sizeof(struct forward)},
    [MESSAGE_TAKEN] = {"TAKEN", sizeof(struct taken)},
    [MESSAGE_NOT_OWNER] = {"NOT_OWNER", sizeof(struct owns)},
    [MESSAGE_SITE_UP] = {"SITE_UP", sizeof(struct site_up)},
    [MESSAGE_SITE_DOWN] = {"SITE_DOWN", sizeof(struct site_up)},
    [MESSAGE_SITE_ASK] = {"SITE_ASK", sizeof(struct site_up)},
    [MESSAGE_SITE_STALE] = {"SITE_STALE", sizeof(struct site_up)},
    [MESSAGE_HELLO] = {"HELLO", sizeof(struct hello)},
    [MESSAGE_AGENT] = {"AGENT", sizeof(struct agent)},
    [MESSAGE_HELD] = {"HELD", sizeof(struct held)},
    [MESSAGE_WELCOME] = {"WELCOME", sizeof(struct welcome)},
    [MESSAGE_HELLO_AGAIN] = {"HELLO_AGAIN", sizeof(struct hello_again)},
    [MESSAGE_GOAWAY] = {"GOAWAY", 0},
    [MESSAGE_PING] = {"PING", 0},
    [MESSAGE_AVAIL] = {"AVAIL", sizeof(struct avail)},
    [MESSAGE_OFFER] = {"OFFER", sizeof(struct offer)},
    [MESSAGE_ACCEPT] = {"ACCEPT", sizeof(struct accept)},
    [MESSAGE_DECLINE] = {"DECLINE", sizeof(struct decline)},
    [MESSAGE_CONFIRM] = {"CONFIRM", sizeof(struct confirm)},
    [MESSAGE_RELEASE] = {"RELEASE", sizeof(struct release)},
    [MESSAGE_OUTCOME] = {"OUTCOME", sizeof(struct outcome)},
    [MESSAGE_VERDICT] = {"VERDICT", sizeof(struct verdict)},
    [MESSAGE_NOTE_IN] = {"NOTE_IN", sizeof(struct note_in)},
    [MESSAGE_BEAT] = {"BEAT", sizeof(struct beat)},
    [MESSAGE_HELD_ASK] = {"HELD_ASK", 0},
    [MESSAGE_DESK_OFFER] = {"DESK_OFFER", sizeof(struct offer)},
    [MESSAGE_DESK_ACCEPT] = {"DESK_ACCEPT", sizeof(struct accept)},
    [MESSAGE_DESK_DECLINE] = {"DESK_DECLINE", sizeof(struct decline)},
    [MESSAGE_DESK_WORK] = {"DESK_WORK", sizeof(struct confirm)},
    [MESSAGE_DESK_RESULT] = {"DESK_RESULT", sizeof(struct outcome)},
    [MESSAGE_DESK_DROP] = {"DESK_DROP", sizeof(struct release)},
    [MESSAGE_DESK_NOTE] = {"DESK_NOTE", sizeof(struct note_in)},
};

static const char *const reasons[REASON_COUNT] = {
    [REASON_NONE] = "no reason given",
    [REASON_KEY] = "the key must have 8 to 64 bytes",
    [REASON_QUEUE_UNKNOWN] = "there is no such queue",
    [REASON_POOL_UNKNOWN] = "there is no such pool",
    [REASON_SKILL_UNKNOWN] = "the plan does not know this skill",
    [REASON_SKILLS] = "skills must be at most 16 different names of 1 to 64 bytes",
    [REASON_LEVEL] = "a skill's level must be 0 to 10",
    [REASON_LANGUAGE] = "the language must be a tag of at most 16 bytes, such as es or gl",
    [REASON_CHANNEL] = "the channel must be web, chat, email, phone, api or bulk",
    [REASON_PRIORITY] = "the priority must be 0 to 100",
    [REASON_ATTRIBUTES] = "attributes must have different names of 1 to 64 bytes, at most 32",
    [REASON_UTF8] = "the text is not valid UTF-8",
    [REASON_NUL] = "the text contains a NUL byte",
    [REASON_TOO_LARGE] = "larger than allowed (text and attributes: 64 KiB together)",
    [REASON_MISMATCH] = "this key was used before for another ticket",
    [REASON_STORE] = "the store is not available at the moment; try again",
    [REASON_OVERLOAD] = "too much is waiting at the moment; try again",
    [REASON_DRAINING] = "this broker is stopping; try another one",
    [REASON_NO_TICKET] = "there is no such ticket",
    [REASON_CLOSED] = "the ticket is closed",
    [REASON_TIME] = "the time must be before the year 10000",
};

uint32_t message_entry_size(enum message_kind kind)
{
    CHECK((uint32_t) kind < MESSAGE_KIND_COUNT);
    return kinds[kind].entry_bytes;
}

const char *message_kind_text(enum message_kind kind)
{
    if ((uint32_t) kind >= MESSAGE_KIND_COUNT || kinds[kind].text == NULL) {
        return "UNKNOWN";
    }
    return kinds[kind].text;
}

const char *reason_text(enum reason_code reason)
{
    return (uint32_t) reason < REASON_COUNT ? reasons[reason] : "unknown reason";
}

int session_compare(struct session a, struct session b)
{
    if (a.boot != b.boot) {
        return a.boot < b.boot ? -1 : 1;
    }
    if (a.connect != b.connect) {
        return a.connect < b.connect ? -1 : 1;
    }
    return 0;
}

bool session_equal(struct session a, struct session b)
{
    return a.boot == b.boot && a.connect == b.connect && a.nonce == b.nonce;
}

uint64_t held_digest(const struct held *held)
{
    uint64_t ticket = hash_pair(held->ticket.hi, held->ticket.lo, HELD_SEED);
    uint64_t holder = ((uint64_t) held->attempt << 32) | held->agent;
    return hash_pair(holder, held->part, ticket);
}

static bool headers_match(const struct header *a, const struct header *b)
{
    return a->kind == b->kind && a->part == b->part && a->site == b->site && a->flags == b->flags &&
           a->epoch == b->epoch && a->origin == b->origin && session_equal(a->session, b->session);
}

/* A message that its sender fills by itself has no capacity and is left alone. */
static bool is_open(const struct message *message)
{
    return message->capacity != 0 && message->count < MESSAGE_ENTRIES_MAX &&
           message->carried.size == 0;
}

static struct message *find_open(struct effects *out, struct address to, const struct header *like)
{
    uint32_t end = out->count > OPEN_SEARCH_MAX ? out->count - OPEN_SEARCH_MAX : 0;
    for (uint32_t i = out->count; i > end; i--) {
        const struct effect *effect = &out->list[i - 1];
        if (effect->kind == EFFECT_SEND && effect->send.to.link == to.link &&
            effect->send.to.peer == to.peer && headers_match(&effect->send.message->header, like) &&
            is_open(effect->send.message)) {
            return effect->send.message;
        }
    }
    return NULL;
}

static void grow(struct message *message, struct arena *scratch)
{
    uint32_t entry_bytes = message_entry_size(message->header.kind);
    uint32_t capacity = message->capacity == 0 ? 8 : message->capacity * 2;
    CHECK(capacity <= MESSAGE_ENTRIES_MAX);

    void *entries =
        arena_take(scratch, (uint64_t) capacity * entry_bytes, (uint32_t) _Alignof(max_align_t));
    if (message->count != 0) {
        memcpy(entries, message->entries, (size_t) message->count * entry_bytes);
    }
    message->entries = entries;
    message->capacity = capacity;
}

void *message_add(struct effects *out, struct address to, const struct header *like)
{
    uint32_t entry_bytes = message_entry_size(like->kind);
    CHECK(entry_bytes != 0);

    struct message *message = find_open(out, to, like);
    if (message == NULL) {
        message = message_send(out, to, like);
    }
    if (message->count == message->capacity) {
        grow(message, &out->scratch);
    }
    if (like->seq > message->header.seq) {
        message->header.seq = like->seq;
    }
    uint8_t *entry = (uint8_t *) message->entries + (size_t) message->count * entry_bytes;
    message->count++;
    return memset(entry, 0, entry_bytes);
}

struct message *message_send(struct effects *out, struct address to, const struct header *like)
{
    struct message *message = ARENA_NEW(&out->scratch, struct message);
    message->header = *like;

    struct effect *effect = effects_add(out, EFFECT_SEND);
    effect->send.to = to;
    effect->send.message = message;
    return message;
}
