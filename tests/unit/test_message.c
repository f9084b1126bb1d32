#include "tests/unit/unit.h"

#include <string.h>

#include "lib/check.h"
#include "proto/message.h"

static struct effect list[EFFECTS_MAX];
static struct effects out;

static const struct address broker = {.link = LINK_BROKERS, .peer = 1};
static const struct address other_broker = {.link = LINK_BROKERS, .peer = 2};
static const struct header offers = {.kind = MESSAGE_OFFER, .part = 3, .site = 4};

static int setup(void **state)
{
    (void) state;
    out = (struct effects){.list = list, .scratch = unit_arena(8u << 20)};
    return 0;
}

static int teardown(void **state)
{
    (void) state;
    unit_arena_close(&out.scratch);
    return 0;
}

static void entries_for_one_address_share_a_message(void **state)
{
    (void) state;
    for (uint64_t i = 0; i < 100; i++) {
        struct offer *offer = message_add(&out, broker, &offers);
        offer->offer = i;
    }

    assert_int_equal(out.count, 1);
    assert_int_equal(list[0].send.message->count, 100);
    for (uint64_t i = 0; i < 100; i++) {
        assert_int_equal(list[0].send.message->offer[i].offer, i);
    }
}

static void a_message_holds_no_more_than_its_limit(void **state)
{
    (void) state;
    for (uint64_t i = 0; i < 600; i++) {
        (void) message_add(&out, broker, &offers);
    }

    assert_int_equal(out.count, 3);
    assert_int_equal(list[0].send.message->count, 256);
    assert_int_equal(list[2].send.message->count, 88);
}

static void what_differs_in_address_or_header_goes_apart(void **state)
{
    (void) state;
    struct header headers[7];
    for (uint32_t i = 0; i < 7; i++) {
        headers[i] = offers;
    }
    headers[1].part = 9;
    headers[2].site = 9;
    headers[3].session.nonce = 9;
    headers[4].kind = MESSAGE_RELEASE;
    headers[5].epoch = 9;
    headers[6].flags = HEADER_FIRST;
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 7; i++) {
            (void) message_add(&out, broker, &headers[i]);
        }
        (void) message_add(&out, other_broker, &offers);
    }

    assert_int_equal(out.count, 8);
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(list[i].send.message->count, 2);
    }
}

static void a_message_takes_the_highest_number_of_its_entries(void **state)
{
    (void) state;
    struct header numbered = offers;
    numbered.seq = 5;
    (void) message_add(&out, broker, &numbered);
    numbered.seq = 6;
    (void) message_add(&out, broker, &numbered);

    assert_int_equal(out.count, 1);
    assert_int_equal(list[0].send.message->header.seq, 6);
}

static void a_message_filled_by_its_sender_is_never_joined(void **state)
{
    (void) state;
    static uint8_t frame[4];
    struct message *carried = message_send(&out, broker, &offers);
    carried->carried = bytes_of(frame, sizeof frame);
    struct message *bare = message_send(&out, broker, &offers);

    (void) message_add(&out, broker, &offers);

    assert_int_equal(out.count, 3);
    assert_int_equal(carried->count, 0);
    assert_int_equal(bare->count, 0);
}

static void new_entries_are_zeroed_in_dirty_memory_too(void **state)
{
    (void) state;
    memset(out.scratch.memory, 0xff, 1u << 20);
    arena_init_used(&out.scratch, out.scratch.memory, out.scratch.capacity);
    static const struct offer zero;
    for (uint32_t i = 0; i < 20; i++) {
        const struct offer *offer = message_add(&out, broker, &offers);
        assert_memory_equal(offer, &zero, sizeof zero);
    }
}

static void sessions_compare_by_boot_then_connect(void **state)
{
    (void) state;
    struct session old = {.boot = 1, .connect = 9, .nonce = 5};
    struct session young = {.boot = 2, .connect = 1, .nonce = 4};
    struct session clone = {.boot = 2, .connect = 1, .nonce = 3};
    struct session later = {.boot = 2, .connect = 2, .nonce = 3};

    assert_true(session_compare(old, young) < 0);
    assert_true(session_compare(young, old) > 0);
    assert_true(session_compare(young, later) < 0);
    assert_int_equal(session_compare(young, clone), 0);
    assert_false(session_equal(young, clone));
    assert_true(session_equal(young, young));
}

static void a_held_digest_depends_on_the_work_and_not_on_its_state(void **state)
{
    (void) state;
    struct held held = {.part = 1, .ticket = {1, 2}, .attempt = 3, .agent = 4};
    struct held others[5] = {held, held, held, held, held};
    others[0].part = 2;
    others[1].ticket.lo = 3;
    others[2].attempt = 4;
    others[3].agent = 5;
    others[4].ticket.hi = 2;
    for (uint32_t i = 0; i < 5; i++) {
        assert_true(held_digest(&held) != held_digest(&others[i]));
    }

    struct held working = held;
    working.state = HELD_WORKING;
    assert_true(held_digest(&held) == held_digest(&working));
}

static void every_kind_and_reason_has_its_words(void **state)
{
    (void) state;
    for (uint32_t reason = 0; reason < REASON_COUNT; reason++) {
        assert_true(strlen(reason_text((enum reason_code) reason)) > 5);
    }
    assert_string_equal(reason_text((enum reason_code) 999), "unknown reason");
    assert_string_equal(message_kind_text(MESSAGE_SUBMIT), "SUBMIT");
    assert_string_equal(message_kind_text((enum message_kind) 30), "UNKNOWN");
    assert_string_equal(message_kind_text((enum message_kind) 4000), "UNKNOWN");
    assert_int_equal(message_entry_size(MESSAGE_PING), 0);
    assert_int_equal(message_entry_size(MESSAGE_SUBMIT), sizeof(struct submit));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(entries_for_one_address_share_a_message),
        TEST(a_message_holds_no_more_than_its_limit),
        TEST(what_differs_in_address_or_header_goes_apart),
        TEST(a_message_takes_the_highest_number_of_its_entries),
        TEST(a_message_filled_by_its_sender_is_never_joined),
        TEST(new_entries_are_zeroed_in_dirty_memory_too),
        TEST(sessions_compare_by_boot_then_connect),
        TEST(a_held_digest_depends_on_the_work_and_not_on_its_state),
        TEST(every_kind_and_reason_has_its_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
