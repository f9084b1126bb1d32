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

/* ------------------------------------------------------------------ round trips */

static void expect_same(const struct message *sent, const struct message *got, uint32_t first)
{
    for (uint32_t i = 0; i < got->count; i++) {
        const char *field = wire_difference(sent, first + i, got, i);
        if (field != NULL) {
            print_error("%s: %s differs\n", message_kind_text(sent->header.kind), field);
        }
        assert_null(field);
    }
}

static void round_trip(enum message_kind kind, enum codec_edge edge)
{
    uint32_t most = wire_count_max(kind) == 1 ? 1 : 8;
    for (uint32_t round = 0; round < 50; round++) {
        arena_reset(&arena);
        struct message sent;
        struct message got;
        wire_random(&sent, kind, 1 + (uint32_t) random_below(&rng, most), &rng, &arena);
        struct codec_encoded frames = encode(&sent);
        vt_err err = codec_decode(edge, frames.header, frames.body, &arena, &got);
        if (err != VT_OK) {
            print_error("%s: %s\n", message_kind_text(kind), err_text(err));
        }
        assert_int_equal(err, VT_OK);
        assert_memory_equal(&got.header, &sent.header, sizeof got.header);
        assert_int_equal(got.count, sent.count);
        expect_same(&sent, &got, 0);
    }
}

static void every_kind_that_travels_comes_out_as_it_went_in(void **state)
{
    (void) state;
    uint32_t travelled = 0;
    for (uint32_t kind = 1; kind < MESSAGE_KIND_COUNT; kind++) {
        enum codec_edge edge = wire_edge((enum message_kind) kind);
        if (edge != EDGE_COUNT) {
            round_trip((enum message_kind) kind, edge);
            travelled++;
        }
    }
    assert_int_equal(travelled, 36);
}

static void a_kind_on_a_wrong_edge_is_refused(void **state)
{
    (void) state;
    for (uint32_t kind = 1; kind < MESSAGE_KIND_COUNT; kind++) {
        if (wire_edge((enum message_kind) kind) == EDGE_COUNT) {
            continue;
        }
        for (uint32_t edge = 0; edge < EDGE_COUNT; edge++) {
            arena_reset(&arena);
            struct message sent;
            struct message got;
            wire_random(&sent, (enum message_kind) kind, 1, &rng, &arena);
            struct codec_encoded frames = encode(&sent);
            vt_err err =
                codec_decode((enum codec_edge) edge, frames.header, frames.body, &arena, &got);
            bool is_allowed = codec_is_allowed((enum codec_edge) edge, (enum message_kind) kind);
            assert_int_equal(err, is_allowed ? VT_OK : VT_INVALID);
        }
    }
}

static void a_broker_passes_carried_kinds_on_byte_by_byte(void **state)
{
    (void) state;
    struct message sent;
    struct message carried;
    struct message got;
    wire_random(&sent, MESSAGE_OUTCOME, 5, &rng, &arena);
    struct codec_encoded in = encode(&sent);

    assert_int_equal(codec_decode(EDGE_SITE_TO_BROKER, in.header, in.body, &arena, &carried),
                     VT_OK);
    assert_ptr_equal(carried.carried.data, in.body.data);
    assert_int_equal(carried.carried_count, 5);
    assert_int_equal(carried.count, 0);
    carried.header.site = 77;
    struct codec_encoded out = encode(&carried);

    assert_ptr_equal(out.body.data, in.body.data);
    assert_int_equal(codec_decode(EDGE_BROKER_TO_ROUTER, out.header, out.body, &arena, &got),
                     VT_OK);
    assert_int_equal(got.header.site, 77);
    assert_int_equal(got.count, 5);
    expect_same(&sent, &got, 0);
}

static void a_carried_header_without_a_body_passes_too(void **state)
{
    (void) state;
    struct message sent;
    struct message carried;
    struct message got;
    wire_random(&sent, MESSAGE_HELD_ASK, 0, &rng, &arena);
    struct codec_encoded in = encode(&sent);

    assert_int_equal(codec_decode(EDGE_ROUTER_TO_BROKER, in.header, in.body, &arena, &carried),
                     VT_OK);
    struct codec_encoded out = encode(&carried);

    assert_int_equal(codec_decode(EDGE_BROKER_TO_SITE, out.header, out.body, &arena, &got), VT_OK);
    assert_int_equal(got.header.part, sent.header.part);
}

/* ------------------------------------------------------------------ packing */

static uint32_t send_all(const struct message *sent, enum codec_edge edge)
{
    uint32_t first = 0;
    uint32_t frame_count = 0;
    while (first < sent->count) {
        struct codec_encoded frames;
        struct message got;
        assert_int_equal(codec_encode(sent, first, &arena, &frames), VT_OK);
        assert_true(frames.packed >= 1 && frames.packed <= MESSAGE_ENTRIES_MAX);
        assert_true(frames.body.size <= MESSAGE_FRAME_BYTES_MAX);
        assert_int_equal(codec_decode(edge, frames.header, frames.body, &arena, &got), VT_OK);
        assert_int_equal(got.count, frames.packed);
        assert_int_equal((got.header.flags & HEADER_FIRST) != 0, first == 0);
        assert_int_equal((got.header.flags & HEADER_LAST) != 0,
                         first + frames.packed == sent->count);
        expect_same(sent, &got, first);
        first += frames.packed;
        frame_count++;
    }
    return frame_count;
}

static void more_than_256_entries_take_more_frames(void **state)
{
    (void) state;
    struct message sent;
    wire_random(&sent, MESSAGE_HELD, 700, &rng, &arena);
    sent.header.flags = HEADER_FIRST | HEADER_LAST;

    assert_int_equal(send_all(&sent, EDGE_SITE_TO_BROKER), 3);
}

static void more_than_96_kib_take_more_frames(void **state)
{
    (void) state;
    struct message sent;
    wire_random(&sent, MESSAGE_NOTE_IN, 4, &rng, &arena);
    sent.header.flags = HEADER_FIRST | HEADER_LAST;
    uint8_t *text = arena_take(&arena, BODY_BYTES_MAX, 1);
    memset(text, 'x', BODY_BYTES_MAX);
    for (uint32_t i = 0; i < sent.count; i++) {
        sent.note_in[i].text = bytes_of(text, 40000);
    }

    assert_int_equal(send_all(&sent, EDGE_BROKER_TO_SITE), 2);
}

static void an_entry_that_fits_no_frame_is_too_large(void **state)
{
    (void) state;
    struct message sent;
    struct codec_encoded frames;
    wire_random(&sent, MESSAGE_NOTE_IN, 1, &rng, &arena);
    sent.note_in[0].text = bytes_of(arena_take_zeroed(&arena, 100000, 1), 100000);

    assert_int_equal(codec_encode(&sent, 0, &arena, &frames), VT_TOO_LARGE);
}

static void rows_of_one_process_do_not_travel(void **state)
{
    (void) state;
    struct reply reply = {.row = ROW_METRIC};
    struct message sent = {.header = {.kind = MESSAGE_REPLY}, .count = 1, .reply = &reply};
    struct codec_encoded frames;

    assert_int_equal(codec_encode(&sent, 0, &arena, &frames), VT_INVALID);
}

static void an_arena_that_is_too_small_is_an_answer(void **state)
{
    (void) state;
    struct message sent;
    struct message got;
    wire_random(&sent, MESSAGE_SUBMIT, 8, &rng, &arena);
    struct codec_encoded frames = encode(&sent);
    static _Alignas(16) uint8_t memory[8192];
    for (uint32_t size = 0; size <= sizeof memory; size += 64) {
        struct arena small;
        struct codec_encoded again;
        arena_init_used(&small, memory, size);
        vt_err err = codec_decode(EDGE_CLIENT_TO_BROKER, frames.header, frames.body, &small, &got);
        assert_int_equal(err, VT_TOO_LARGE);
        arena_init_used(&small, memory, size);
        err = codec_encode(&sent, 0, &small, &again);
        assert_true(err == VT_TOO_LARGE || (err == VT_OK && again.packed >= 1));
    }
}

static void a_whole_frame_of_anything_legal_fits_the_arena_size_told(void **state)
{
    (void) state;
    static const enum message_kind kinds[] = {MESSAGE_SUBMIT, MESSAGE_FORWARD, MESSAGE_AGENT};
    void *memory = arena_take(&arena, CODEC_ARENA_BYTES, 16);
    for (uint32_t i = 0; i < 3; i++) {
        struct message sent;
        struct message got;
        struct codec_encoded frames;
        struct arena told;
        arena_init_used(&told, memory, CODEC_ARENA_BYTES);
        wire_random(&sent, kinds[i], 256, &rng, &arena);
        assert_int_equal(codec_encode(&sent, 0, &arena, &frames), VT_OK);
        assert_int_equal(codec_decode(wire_edge(kinds[i]), frames.header, frames.body, &told, &got),
                         VT_OK);
    }
}

/* ------------------------------------------------------------------ garbage */

static void frames_cut_short_anywhere_never_decode_as_whole(void **state)
{
    (void) state;
    struct message sent;
    struct message got;
    wire_random(&sent, MESSAGE_FORWARD, 3, &rng, &arena);
    struct codec_encoded frames = encode(&sent);
    uint64_t mark = arena_mark(&arena);
    for (uint32_t size = 0; size < frames.body.size; size++) {
        arena_rewind(&arena, mark);
        struct bytes cut = {.data = frames.body.data, .size = size};
        vt_err err = codec_decode(EDGE_BROKER_TO_ROUTER, frames.header, cut, &arena, &got);
        assert_int_equal(err, VT_CORRUPT);
    }
    for (uint32_t size = 0; size < frames.header.size; size++) {
        arena_rewind(&arena, mark);
        struct bytes cut = {.data = frames.header.data, .size = size};
        assert_int_not_equal(codec_decode(EDGE_BROKER_TO_ROUTER, cut, frames.body, &arena, &got),
                             VT_OK);
    }
}

static vt_err decode_header_bytes(const char *bytes, uint32_t size)
{
    struct message got;
    return codec_decode(
        EDGE_CLIENT_TO_BROKER, bytes_of(bytes, size), (struct bytes){0}, &arena, &got);
}

static void headers_out_of_range_are_refused(void **state)
{
    (void) state;
    char large[CODEC_HEADER_BYTES_MAX + 1] = {0};

    assert_int_equal(decode_header_bytes("", 0), VT_CORRUPT);                         /* proto 0 */
    assert_int_equal(decode_header_bytes("\x08\x02\x10\x01", 4), VT_NEWER);           /* proto 2 */
    assert_int_equal(decode_header_bytes("\x08\x01\x10\x00", 4), VT_INVALID);         /* no kind */
    assert_int_equal(decode_header_bytes("\x08\x01\x10\x7f", 4), VT_INVALID);         /* kind 127 */
    assert_int_equal(decode_header_bytes("\x08\x01\x10\x01\x18\x04", 6), VT_INVALID); /* flags */
    assert_int_equal(decode_header_bytes("\x08\x01\x10\x01\x20\x80\x20", 7), VT_INVALID); /* part */
    assert_int_equal(decode_header_bytes("\x08\x01\x10\x01\x68\x81\x02", 7), VT_TOO_LARGE);
    assert_int_equal(decode_header_bytes("\x08\x01\x10\x01", 4), VT_CORRUPT); /* no entries */
    assert_int_equal(decode_header_bytes("\xff\xff", 2), VT_CORRUPT);
    assert_int_equal(decode_header_bytes(large, sizeof large), VT_TOO_LARGE);
}

static void a_count_that_is_not_the_lists_is_refused(void **state)
{
    (void) state;
    struct message sent;
    struct message got;
    wire_random(&sent, MESSAGE_TAKEN, 3, &rng, &arena);
    struct codec_encoded frames = encode(&sent);
    for (uint32_t count = 0; count < 6; count++) {
        uint8_t header[CODEC_HEADER_BYTES_MAX];
        uint32_t size;
        assert_int_equal(codec_encode_header(&sent, count, header, sizeof header, &size), VT_OK);
        vt_err err =
            codec_decode(EDGE_ROUTER_TO_BROKER, bytes_of(header, size), frames.body, &arena, &got);
        assert_int_equal(err, count == 3 ? VT_OK : VT_CORRUPT);
    }
}

static void a_body_frame_over_its_limit_is_refused(void **state)
{
    (void) state;
    struct message sent;
    struct message got;
    wire_random(&sent, MESSAGE_OUTCOME, 1, &rng, &arena);
    struct codec_encoded frames = encode(&sent);
    frames.body.size = MESSAGE_FRAME_BYTES_MAX + 1;

    assert_int_equal(codec_decode(EDGE_SITE_TO_BROKER, frames.header, frames.body, &arena, &got),
                     VT_TOO_LARGE);
}

/* 31 KiB of one-byte groups, 31 KiB of nested unknown messages, and a list of empty skills. */
static void protobuf_bombs_are_refused_without_deep_recursion(void **state)
{
    (void) state;
    static const uint8_t patterns[][2] = {{0x0b, 0x0b}, {0x7b, 0x7b}, {0x32, 0x00}, {0x5a, 0x00}};
    for (uint32_t p = 0; p < 4; p++) {
        uint8_t header[CODEC_HEADER_BYTES_MAX];
        uint32_t header_size;
        struct message sent = {.header = {.kind = MESSAGE_SUBMIT}};
        struct message got;
        arena_reset(&arena);
        uint8_t *body = arena_take(&arena, MESSAGE_FRAME_BYTES_MAX, 1);
        uint32_t size = 90000;
        body[0] = 0x0a;
        body[1] = 0x90;
        body[2] = 0xbf;
        body[3] = 0x05; /* 90000 */
        for (uint32_t i = 0; i < size; i++) {
            body[4 + i] = patterns[p][i % 2];
        }
        assert_int_equal(codec_encode_header(&sent, 1, header, sizeof header, &header_size), VT_OK);
        struct arena told;
        arena_init_used(&told, arena_take(&arena, CODEC_ARENA_BYTES, 16), CODEC_ARENA_BYTES);
        vt_err err = codec_decode(EDGE_CLIENT_TO_BROKER,
                                  bytes_of(header, header_size),
                                  bytes_of(body, size + 4),
                                  &told,
                                  &got);
        assert_true(err == VT_CORRUPT || err == VT_TOO_LARGE ||
                    (err == VT_OK && got.submit[0].defect != REASON_NONE));
    }
}

static void random_bytes_are_never_more_than_an_error(void **state)
{
    (void) state;
    for (uint32_t round = 0; round < 20000; round++) {
        arena_reset(&arena);
        struct message sent;
        struct message got;
        enum message_kind kind = (enum message_kind) random_below(&rng, MESSAGE_KIND_COUNT);
        enum codec_edge edge = wire_edge(kind);
        if (edge == EDGE_COUNT) {
            continue;
        }
        wire_random(&sent, kind, 1, &rng, &arena);
        struct codec_encoded frames = encode(&sent);
        for (uint32_t i = 0; i < 3 && frames.body.size != 0; i++) {
            uint64_t at = random_below(&rng, frames.body.size);
            *(uint8_t *) (uintptr_t) (frames.body.data + at) = (uint8_t) random_u64(&rng);
        }
        (void) !codec_decode(edge, frames.header, frames.body, &arena, &got);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_kind_that_travels_comes_out_as_it_went_in),
        TEST(a_kind_on_a_wrong_edge_is_refused),
        TEST(a_broker_passes_carried_kinds_on_byte_by_byte),
        TEST(a_carried_header_without_a_body_passes_too),
        TEST(more_than_256_entries_take_more_frames),
        TEST(more_than_96_kib_take_more_frames),
        TEST(an_entry_that_fits_no_frame_is_too_large),
        TEST(rows_of_one_process_do_not_travel),
        TEST(an_arena_that_is_too_small_is_an_answer),
        TEST(a_whole_frame_of_anything_legal_fits_the_arena_size_told),
        TEST(frames_cut_short_anywhere_never_decode_as_whole),
        TEST(headers_out_of_range_are_refused),
        TEST(a_count_that_is_not_the_lists_is_refused),
        TEST(a_body_frame_over_its_limit_is_refused),
        TEST(protobuf_bombs_are_refused_without_deep_recursion),
        TEST(random_bytes_are_never_more_than_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
