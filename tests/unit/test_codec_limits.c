#include "tests/unit/unit.h"

#include <string.h>

#include "proto/codec.h"
#include "tests/unit/wire.h"

static struct arena arena;
static struct random rng;

static int setup(void **state)
{
    (void) state;
    arena = unit_arena(64u << 20);
    random_init(&rng, unit_seed());
    return 0;
}

static int teardown(void **state)
{
    (void) state;
    unit_arena_close(&arena);
    return 0;
}

static struct codec_encoded encode(const struct message *message)
{
    struct codec_encoded frames = {0};
    assert_int_equal(codec_encode(message, 0, &arena, &frames), VT_OK);
    assert_int_equal(frames.packed,
                     message->carried.size != 0 ? message->carried_count : message->count);
    return frames;
}

static vt_err try_kind(enum message_kind kind, void *entry)
{
    struct message sent = {.header = {.kind = kind}, .count = 1, .entries = entry};
    struct message got;
    struct codec_encoded frames = encode(&sent);
    return codec_decode(wire_edge(kind), frames.header, frames.body, &arena, &got);
}

/* A good entry of `kind`, to be spoiled. */
static void *good(enum message_kind kind)
{
    struct message message;
    wire_random(&message, kind, 1, &rng, &arena);
    assert_int_equal(try_kind(kind, message.entries), VT_OK);
    return message.entries;
}

#define SPOILED(kind, tag, member, value)                     \
    do {                                                      \
        struct tag *entry_ = good(kind);                      \
        entry_->member = (value);                             \
        assert_int_equal(try_kind(kind, entry_), VT_INVALID); \
    } while (0)

static const struct ticket_id no_ticket = {0};

static void every_number_out_of_its_range_is_refused(void **state)
{
    (void) state;
    SPOILED(MESSAGE_SUBMITTED, submitted, answer, (enum answer) 4);
    SPOILED(MESSAGE_SUBMITTED, submitted, reason, (enum reason_code) REASON_COUNT);
    SPOILED(MESSAGE_NOTED, answered, answer, (enum answer) 4);
    SPOILED(MESSAGE_NOTED, answered, reason, (enum reason_code) REASON_COUNT);
    SPOILED(MESSAGE_UPDATE, update, state, (enum ticket_state) TICKET_STATE_COUNT);
    SPOILED(MESSAGE_QUERY, query, what, QUERY_METRICS);
    SPOILED(MESSAGE_QUERY, query, what, (enum query_what) 0);
    SPOILED(MESSAGE_OWNS, owns, part, ID_PARTITIONS);
    SPOILED(MESSAGE_FORWARD, forward, n, 0);
    SPOILED(MESSAGE_FORWARD, forward, what, (enum forward_kind) 4);
    SPOILED(MESSAGE_FORWARD, forward, since_us, -1);
    SPOILED(MESSAGE_FORWARD, forward, row.state, TICKET_NONE);
    SPOILED(MESSAGE_FORWARD, forward, row.state, (enum ticket_state) TICKET_STATE_COUNT);
    SPOILED(MESSAGE_FORWARD, forward, row.part, ID_PARTITIONS);
    SPOILED(MESSAGE_FORWARD, forward, row.priority, PRIORITY_MAX + 1);
    SPOILED(MESSAGE_FORWARD, forward, row.created_us, -1);
    SPOILED(MESSAGE_FORWARD, forward, row.queued_us, INT64_MAX);
    SPOILED(MESSAGE_FORWARD, forward, row.due_us, INT64_MAX);
    SPOILED(MESSAGE_AGENT, agent, capacity, 0);
    SPOILED(MESSAGE_AGENT, agent, capacity, CAPACITY_MAX + 1);
    SPOILED(MESSAGE_AGENT, agent, free, CAPACITY_MAX + 1);
    SPOILED(MESSAGE_AGENT, agent, idle_ms, -1);
    SPOILED(MESSAGE_HELD, held, part, ID_PARTITIONS);
    SPOILED(MESSAGE_HELD, held, state, (enum held_state) 3);
    SPOILED(MESSAGE_WELCOME, welcome, error, VT_ERR_COUNT);
    SPOILED(MESSAGE_AVAIL, avail, free, CAPACITY_MAX + 1);
    SPOILED(MESSAGE_AVAIL, avail, idle_ms, -1);
    SPOILED(MESSAGE_OFFER, offer, ttl_ms, -1);
    SPOILED(MESSAGE_OFFER, offer, waited_ms, INT64_MAX);
    SPOILED(MESSAGE_OFFER, offer, channel, (enum channel) CHANNEL_COUNT);
    SPOILED(MESSAGE_OFFER, offer, priority, PRIORITY_MAX + 1);
    SPOILED(MESSAGE_DECLINE, decline, reason, (enum decline_reason) 4);
    SPOILED(MESSAGE_DECLINE, decline, free, CAPACITY_MAX + 1);
    SPOILED(MESSAGE_CONFIRM, confirm, priority, PRIORITY_MAX + 1);
    SPOILED(MESSAGE_CONFIRM, confirm, created_us, -1);
    SPOILED(MESSAGE_RELEASE, release, why, (enum release_why) 4);
    SPOILED(MESSAGE_OUTCOME, outcome, what, (enum outcome_kind) 4);
    SPOILED(MESSAGE_VERDICT, verdict, what, (enum outcome_kind) 4);
    SPOILED(MESSAGE_VERDICT, verdict, verdict, (enum verdict_kind) 4);
}

static void a_ticket_that_is_none_is_refused(void **state)
{
    (void) state;
    SPOILED(MESSAGE_NOTE, note, ticket, no_ticket);
    SPOILED(MESSAGE_CANCEL, cancel, ticket, no_ticket);
    SPOILED(MESSAGE_FOLLOW, follow, ticket, no_ticket);
    SPOILED(MESSAGE_UPDATE, update, ticket, no_ticket);
    SPOILED(MESSAGE_FORWARD, forward, row.id, no_ticket);
    SPOILED(MESSAGE_HELD, held, ticket, no_ticket);
    SPOILED(MESSAGE_OFFER, offer, ticket, no_ticket);
    SPOILED(MESSAGE_ACCEPT, accept, ticket, no_ticket);
    SPOILED(MESSAGE_DECLINE, decline, ticket, no_ticket);
    SPOILED(MESSAGE_CONFIRM, confirm, ticket, no_ticket);
    SPOILED(MESSAGE_RELEASE, release, ticket, no_ticket);
    SPOILED(MESSAGE_OUTCOME, outcome, ticket, no_ticket);
    SPOILED(MESSAGE_VERDICT, verdict, ticket, no_ticket);
    SPOILED(MESSAGE_NOTE_IN, note_in, ticket, no_ticket);
}

#define BAD_TEXT(kind, tag, member)                        \
    do {                                                   \
        SPOILED(kind, tag, member, bytes_of("a\xc3(", 3)); \
        SPOILED(kind, tag, member, bytes_of("a\0b", 3));   \
    } while (0)

static void texts_that_are_not_utf8_or_hold_a_nul_are_refused(void **state)
{
    (void) state;
    BAD_TEXT(MESSAGE_SUBMITTED, submitted, field);
    BAD_TEXT(MESSAGE_NOTE, note, author);
    BAD_TEXT(MESSAGE_NOTE, note, text);
    BAD_TEXT(MESSAGE_CANCEL, cancel, reason);
    BAD_TEXT(MESSAGE_FORWARD, forward, text);
    BAD_TEXT(MESSAGE_SITE_UP, site_up, name);
    BAD_TEXT(MESSAGE_SITE_UP, site_up, contractor);
    BAD_TEXT(MESSAGE_HELLO, hello, name);
    BAD_TEXT(MESSAGE_HELLO, hello, contractor);
    BAD_TEXT(MESSAGE_AGENT, agent, name);
    BAD_TEXT(MESSAGE_OFFER, offer, queue_name);
    BAD_TEXT(MESSAGE_OFFER, offer, language);
    BAD_TEXT(MESSAGE_CONFIRM, confirm, queue_name);
    BAD_TEXT(MESSAGE_OUTCOME, outcome, text);
    BAD_TEXT(MESSAGE_OUTCOME, outcome, note);
    BAD_TEXT(MESSAGE_NOTE_IN, note_in, text);
    SPOILED(MESSAGE_HELLO, hello, name, bytes_of("", 0));
    SPOILED(MESSAGE_AGENT, agent, name, bytes_of("", 0));
    SPOILED(MESSAGE_NOTE, note, key, bytes_of("1234567", 7));
}

#define TOO_LONG(kind, tag, member, limit)                      \
    do {                                                        \
        struct tag *entry_ = good(kind);                        \
        uint8_t *long_ = arena_take(&arena, (limit) + 1u, 1);   \
        memset(long_, 'x', (limit) + 1u);                       \
        entry_->member = bytes_of(long_, (limit));              \
        assert_int_equal(try_kind(kind, entry_), VT_OK);        \
        entry_->member = bytes_of(long_, (limit) + 1u);         \
        assert_int_equal(try_kind(kind, entry_), VT_TOO_LARGE); \
    } while (0)

static void texts_may_reach_their_limit_and_not_pass_it(void **state)
{
    (void) state;
    TOO_LONG(MESSAGE_SUBMITTED, submitted, field, NAME_BYTES_MAX);
    TOO_LONG(MESSAGE_NOTE, note, author, NAME_BYTES_MAX);
    TOO_LONG(MESSAGE_NOTE, note, text, BODY_BYTES_MAX);
    TOO_LONG(MESSAGE_CANCEL, cancel, reason, REASON_BYTES_MAX);
    TOO_LONG(MESSAGE_FORWARD, forward, text, BODY_BYTES_MAX);
    TOO_LONG(MESSAGE_SITE_UP, site_up, name, NAME_BYTES_MAX);
    TOO_LONG(MESSAGE_HELLO, hello, name, NAME_BYTES_MAX);
    TOO_LONG(MESSAGE_HELLO, hello, contractor, NAME_BYTES_MAX);
    TOO_LONG(MESSAGE_AGENT, agent, name, NAME_BYTES_MAX);
    TOO_LONG(MESSAGE_OFFER, offer, queue_name, NAME_BYTES_MAX);
    TOO_LONG(MESSAGE_OFFER, offer, language, LANGUAGE_BYTES_MAX);
    TOO_LONG(MESSAGE_CONFIRM, confirm, queue_name, NAME_BYTES_MAX);
    TOO_LONG(MESSAGE_NOTE_IN, note_in, text, BODY_BYTES_MAX);
    struct outcome *outcome = good(MESSAGE_OUTCOME);
    uint8_t *text = arena_take(&arena, BODY_BYTES_MAX, 1);
    memset(text, 'x', BODY_BYTES_MAX);
    outcome->text = bytes_of(text, BODY_BYTES_MAX - 10);
    outcome->note = bytes_of(text, 10);
    assert_int_equal(try_kind(MESSAGE_OUTCOME, outcome), VT_OK);
    outcome->note = bytes_of(text, 11);
    assert_int_equal(try_kind(MESSAGE_OUTCOME, outcome), VT_TOO_LARGE);
}

static void blobs_that_cores_rely_on_must_be_canonical(void **state)
{
    (void) state;
    SPOILED(MESSAGE_FORWARD, forward, row.requirements, bytes_of("\1\0\0", 3));
    SPOILED(MESSAGE_AGENT, agent, profile, bytes_of("\1\0\0\1", 4));
    SPOILED(MESSAGE_CONFIRM, confirm, requirements, bytes_of("\2\0\0\0", 4));
    SPOILED(MESSAGE_CONFIRM, confirm, body, bytes_of("\1", 1));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_number_out_of_its_range_is_refused),
        TEST(a_ticket_that_is_none_is_refused),
        TEST(texts_that_are_not_utf8_or_hold_a_nul_are_refused),
        TEST(texts_may_reach_their_limit_and_not_pass_it),
        TEST(blobs_that_cores_rely_on_must_be_canonical),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
