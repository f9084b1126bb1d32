#include <string.h>

#include "lib/check.h"
#include "proto/requirements.h"
#include "tests/scenario/world_inside.h"

/* The example plan, and agents' profiles written as words. */

#define TEXT(literal)                                                               \
    {                                                                               \
        .data = (const uint8_t *) (literal), .size = (uint32_t) sizeof(literal) - 1 \
    }

static const struct plan_pool pools[] = {{.part = 1, .name = TEXT("via-publica")},
                                         {.part = 2, .name = TEXT("social")}};

static const struct plan_queue queues[] = {{.id = 11,
                                            .part = 1,
                                            .name = TEXT("aceras"),
                                            .grace_ms = 30000,
                                            .offer_ttl_ms = 20000,
                                            .max_fails = 3,
                                            .priority = 50},
                                           {.id = 12,
                                            .part = 1,
                                            .name = TEXT("calzadas"),
                                            .grace_ms = 30000,
                                            .offer_ttl_ms = 20000,
                                            .max_fails = 3,
                                            .priority = 50},
                                           {.id = 21,
                                            .part = 2,
                                            .name = TEXT("padron"),
                                            .grace_ms = 30000,
                                            .offer_ttl_ms = 20000,
                                            .max_fails = 3,
                                            .priority = 50}};

struct plan world_example_plan(void)
{
    return (struct plan){.revision = 1,
                         .pools = pools,
                         .pool_count = ARRAY_LENGTH(pools),
                         .queues = queues,
                         .queue_count = ARRAY_LENGTH(queues),
                         .any_skill = true};
}

static struct bytes next_word(struct bytes *rest)
{
    while (rest->size != 0 && rest->data[0] == ' ') {
        *rest = bytes_of(rest->data + 1, rest->size - 1);
    }
    uint32_t size = 0;
    while (size < rest->size && rest->data[size] != ' ') {
        size++;
    }
    struct bytes word = bytes_of(rest->data, size);
    *rest = bytes_of(rest->data + size, rest->size - size);
    return word;
}

static void add_word(struct profile *profile, struct bytes word)
{
    uint32_t at = 0;
    while (at < word.size && word.data[at] != '=') {
        at++;
    }
    CHECK(at + 1 < word.size);
    struct bytes name = bytes_of(word.data, at);
    struct bytes value = bytes_of(word.data + at + 1, word.size - at - 1);
    if (bytes_equal_text(name, "queue")) {
        profile->queues[profile->queue_count++] = value;
    } else if (bytes_equal_text(name, "language")) {
        profile->languages[profile->language_count++] = value;
    } else {
        uint64_t level = 0;
        vt_err err = text_parse_u64(value, LEVEL_MAX, &level);
        CHECK(err == VT_OK);
        profile->skills[profile->skill_count++] =
            (struct skill){.name = name, .level = (uint32_t) level};
    }
}

struct bytes world_profile(const char *words, struct arena *arena)
{
    struct profile *profile = ARENA_NEW(arena, struct profile);
    uint8_t *blob = arena_take(arena, PROFILE_BYTES_MAX, 1);
    struct bytes rest = bytes_of_text(words);
    for (struct bytes word = next_word(&rest); word.size != 0; word = next_word(&rest)) {
        add_word(profile, word);
    }
    vt_err err = names_sort(profile->queues, profile->queue_count);
    CHECK(err == VT_OK);
    err = names_sort(profile->languages, profile->language_count);
    CHECK(err == VT_OK);
    err = skills_sort(profile->skills, profile->skill_count);
    CHECK(err == VT_OK);
    return bytes_of(blob, profile_write(profile, blob));
}
