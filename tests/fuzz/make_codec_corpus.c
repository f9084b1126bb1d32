/* Writes the codec's corpus: make_codec_corpus tests/fuzz/corpus
 * One small valid input for each target, edge and kind. Run it when a message changes. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/check.h"
#include "tests/unit/wire.h"

#define ENTRIES 2u

struct target {
    const char *name;
    uint32_t edge_count;
    enum codec_edge edges[EDGE_COUNT];
};

static const struct target targets[] = {
    {"codec_header",
     EDGE_COUNT,
     {EDGE_CLIENT_TO_BROKER,
      EDGE_BROKER_TO_CLIENT,
      EDGE_SITE_TO_BROKER,
      EDGE_BROKER_TO_SITE,
      EDGE_ROUTER_TO_BROKER,
      EDGE_BROKER_TO_ROUTER}},
    {"codec_client", 2, {EDGE_CLIENT_TO_BROKER, EDGE_BROKER_TO_CLIENT}},
    {"codec_site", 2, {EDGE_SITE_TO_BROKER, EDGE_BROKER_TO_SITE}},
    {"codec_router", 1, {EDGE_BROKER_TO_ROUTER}},
    {"codec_broker", 3, {EDGE_CLIENT_TO_BROKER, EDGE_SITE_TO_BROKER, EDGE_ROUTER_TO_BROKER}},
};

void check_handler(const char *expression, const char *file, int line)
{
    fprintf(stderr, "%s:%d: CHECK failed: %s\n", file, line, expression);
    abort();
}

static void write_input(const char *path, uint32_t edge, enum message_kind kind)
{
    static _Alignas(16) uint8_t memory[4u << 20];
    struct arena arena;
    struct random random;
    struct message message;
    struct codec_encoded encoded;
    uint32_t count = wire_count_max(kind) < ENTRIES ? 1 : ENTRIES;
    arena_init_used(&arena, memory, sizeof memory);
    random_init(&random, (uint64_t) kind);
    wire_random(&message, kind, count, &random, &arena);
    vt_err err = codec_encode(&message, 0, &arena, &encoded);
    CHECK(err == VT_OK);

    FILE *file = fopen(path, "wb");
    CHECK(file != NULL);
    (void) fputc((int) edge, file);
    (void) fputc((int) encoded.header.size, file);
    (void) fwrite(encoded.header.data, 1, encoded.header.size, file);
    if (encoded.body.size != 0) {
        (void) fwrite(encoded.body.data, 1, encoded.body.size, file);
    }
    CHECK(fclose(file) == 0);
}

static void write_target(const char *folder, const struct target *target)
{
    char path[512];
    for (uint32_t edge = 0; edge < target->edge_count; edge++) {
        for (uint32_t kind = 1; kind < MESSAGE_KIND_COUNT; kind++) {
            if (codec_is_allowed(target->edges[edge], (enum message_kind) kind)) {
                const char *text = message_kind_text((enum message_kind) kind);
                int length =
                    snprintf(path, sizeof path, "%s/%s/%u-%s", folder, target->name, edge, text);
                CHECK(length > 0 && (size_t) length < sizeof path);
                write_input(path, edge, (enum message_kind) kind);
            }
        }
    }
}

int main(int argument_count, char **arguments)
{
    if (argument_count != 2) {
        fputs("usage: make_codec_corpus tests/fuzz/corpus\n", stderr);
        return 2;
    }
    for (uint32_t i = 0; i < ARRAY_LENGTH(targets); i++) {
        write_target(arguments[1], &targets[i]);
    }
    return 0;
}
