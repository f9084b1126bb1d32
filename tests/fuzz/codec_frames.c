#include "tests/fuzz/codec_frames.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/check.h"

static _Alignas(16) uint8_t memory[4 * CODEC_ARENA_BYTES];

void check_handler(const char *expression, const char *file, int line)
{
    fprintf(stderr, "%s:%d: CHECK failed: %s\n", file, line, expression);
    abort();
}

struct codec_frames codec_frames_cut(const uint8_t *bytes,
                                     size_t size,
                                     const enum codec_edge *edges,
                                     uint32_t edge_count)
{
    struct codec_frames frames = {.edge = edges[0]};
    if (size < 2) {
        return frames;
    }
    size_t rest = size - 2;
    size_t header_bytes = bytes[1] < rest ? bytes[1] : rest;
    frames.edge = edges[bytes[0] % edge_count];
    frames.header = bytes_of(bytes + 2, (uint32_t) header_bytes);
    frames.body = bytes_of(bytes + 2 + header_bytes, (uint32_t) (rest - header_bytes));
    return frames;
}

/* A broker's received frames, or new ones: the same message whichever edge it leaves by. */
static enum codec_edge onward(enum codec_edge edge, const struct message *message)
{
    if (message->carried.size == 0) {
        return edge;
    }
    return edge == EDGE_SITE_TO_BROKER ? EDGE_BROKER_TO_ROUTER : EDGE_BROKER_TO_SITE;
}

static struct codec_frames
encode(enum codec_edge edge, const struct message *message, struct arena *arena)
{
    struct codec_frames frames = {.edge = onward(edge, message)};
    struct codec_encoded encoded;
    vt_err err = codec_encode(message, 0, arena, &encoded);
    CHECK(err == VT_OK);
    CHECK(encoded.packed >= 1 || message->count == 0);
    frames.header = encoded.header;
    frames.body = encoded.body;
    return frames;
}

static bool same(struct bytes a, struct bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

void codec_frames_try(const struct codec_frames *frames)
{
    struct arena arena;
    struct message first;
    struct message second;
    arena_init_used(&arena, memory, sizeof memory);
    if (codec_decode(frames->edge, frames->header, frames->body, &arena, &first) != VT_OK) {
        return;
    }

    struct codec_frames sent = encode(frames->edge, &first, &arena);
    vt_err err = codec_decode(sent.edge, sent.header, sent.body, &arena, &second);
    if (first.carried.size != 0) {
        CHECK(same(sent.body, frames->body));
        return; /* nobody looked inside before: it may well be garbage */
    }
    CHECK(err == VT_OK);
    struct codec_frames again = encode(frames->edge, &second, &arena);
    CHECK(same(again.header, sent.header));
    CHECK(same(again.body, sent.body));
}
