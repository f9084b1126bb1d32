#include "tests/unit/unit.h"

#include <string.h>

#include "proto/body.h"
#include "proto/codec.h"

/* A bad entry of a SUBMIT is answered alone; what makes two submits the same ticket. */

static struct arena arena;
static uint8_t filler[BODY_BYTES_MAX + 64];

static int setup(void **state)
{
    (void) state;
    arena = unit_arena(16u << 20);
    memset(filler, 'x', sizeof filler);
    return 0;
}

static int teardown(void **state)
{
    (void) state;
    unit_arena_close(&arena);
    return 0;
}

static struct submit *plain(void)
{
    struct submit *submit = ARENA_NEW(&arena, struct submit);
    submit->ref = 7;
    submit->key = bytes_of_text("key-0001");
    submit->queue = bytes_of_text("aceras");
    submit->priority = PRIORITY_ABSENT;
    submit->text = bytes_of_text("hola");
    return submit;
}

static const struct message *send_all(struct submit *entries, uint32_t count)
{
    struct message sent = {.header = {.kind = MESSAGE_SUBMIT}, .count = count, .submit = entries};
    struct message *got = ARENA_NEW(&arena, struct message);
    struct codec_encoded frames;
    assert_int_equal(codec_encode(&sent, 0, &arena, &frames), VT_OK);
    assert_int_equal(frames.packed, count);
    assert_int_equal(codec_decode(EDGE_CLIENT_TO_BROKER, frames.header, frames.body, &arena, got),
                     VT_OK);
    return got;
}

static const struct submit *send(struct submit *submit)
{
    return &send_all(submit, 1)->submit[0];
}

static void expect_defect(struct submit *submit, enum reason_code reason, const char *field)
{
    const struct submit *got = send(submit);
    assert_int_equal(got->defect, reason);
    assert_true(bytes_equal_text(got->defect_field, field));
    assert_int_equal(got->ref, submit->ref);
    assert_int_equal(got->body.size, 0);
}

static void a_plain_ticket_has_no_defect_and_a_body(void **state)
{
    (void) state;
    struct body body;
    const struct submit *got = send(plain());

    assert_int_equal(got->defect, REASON_NONE);
    assert_int_equal(got->priority, PRIORITY_ABSENT);
    assert_int_equal(body_read(got->body, &body), VT_OK);
    assert_true(bytes_equal_text(body.text, "hola"));
}

static void an_empty_text_is_valid(void **state)
{
    (void) state;
    struct submit *submit = plain();
    submit->text = (struct bytes){0};

    assert_int_equal(send(submit)->defect, REASON_NONE);
}

static void a_bad_entry_spoils_no_other(void **state)
{
    (void) state;
    struct submit entries[3] = {*plain(), *plain(), *plain()};
    entries[1].priority = 101;
    const struct message *got = send_all(entries, 3);

    assert_int_equal(got->submit[0].defect, REASON_NONE);
    assert_int_equal(got->submit[1].defect, REASON_PRIORITY);
    assert_int_equal(got->submit[2].defect, REASON_NONE);
}

static void keys_have_8_to_64_bytes(void **state)
{
    (void) state;
    for (uint32_t size = 0; size <= 80; size++) {
        struct submit *submit = plain();
        submit->key = bytes_of(filler, size);
        bool is_good = size >= KEY_BYTES_MIN && size <= KEY_BYTES_MAX;
        assert_int_equal(send(submit)->defect, is_good ? REASON_NONE : REASON_KEY);
    }
}

static void names_are_checked_one_by_one(void **state)
{
    (void) state;
    struct submit *submit = plain();
    submit->client = bytes_of(filler, NAME_BYTES_MAX + 1);
    expect_defect(submit, REASON_TOO_LARGE, "client");
    submit = plain();
    submit->pool = bytes_of(filler, NAME_BYTES_MAX + 1);
    expect_defect(submit, REASON_POOL_UNKNOWN, "pool");
    submit = plain();
    submit->queue = bytes_of(filler, NAME_BYTES_MAX + 1);
    expect_defect(submit, REASON_QUEUE_UNKNOWN, "queue");
    submit = plain();
    submit->queue = bytes_of("ac\0eras", 7);
    expect_defect(submit, REASON_NUL, "queue");
    submit = plain();
    submit->client = bytes_of("\xff", 1);
    expect_defect(submit, REASON_UTF8, "client");
}

static void numbers_are_checked_one_by_one(void **state)
{
    (void) state;
    struct submit *submit = plain();
    submit->channel = (enum channel) CHANNEL_COUNT;
    expect_defect(submit, REASON_CHANNEL, "channel");
    submit = plain();
    submit->priority = PRIORITY_MAX + 1;
    expect_defect(submit, REASON_PRIORITY, "priority");
    submit = plain();
    submit->not_before_us = INT64_MAX;
    expect_defect(submit, REASON_TIME, "not_before");
    submit->not_before_us = -5;
    assert_int_equal(send(submit)->defect, REASON_NONE);
    assert_int_equal(send(submit)->not_before_us, 0);
}

static void languages_are_short_tags(void **state)
{
    (void) state;
    struct submit *submit = plain();
    submit->language = bytes_of_text("es-ES");
    assert_int_equal(send(submit)->defect, REASON_NONE);
    submit->language = bytes_of_text("es_ES");
    expect_defect(submit, REASON_LANGUAGE, "language");
    submit->language = bytes_of(filler, LANGUAGE_BYTES_MAX + 1);
    expect_defect(submit, REASON_LANGUAGE, "language");
}

static void skills_are_checked_and_come_out_sorted(void **state)
{
    (void) state;
    struct submit *submit = plain();
    submit->skill_count = 2;
    submit->skills[0] = (struct skill){.name = bytes_of_text("pavimento"), .level = 10};
    submit->skills[1] = (struct skill){.name = bytes_of_text("alumbrado"), .level = 0};
    const struct submit *got = send(submit);
    assert_int_equal(got->defect, REASON_NONE);
    assert_true(bytes_equal_text(got->skills[0].name, "alumbrado"));
    assert_int_equal(got->skills[1].level, 10);

    submit->skills[1].level = LEVEL_MAX + 1;
    expect_defect(submit, REASON_LEVEL, "skills");
    submit->skills[1] = submit->skills[0];
    expect_defect(submit, REASON_SKILLS, "skills");
    submit->skills[1].name = (struct bytes){0};
    expect_defect(submit, REASON_SKILLS, "skills");
    submit->skills[1].name = bytes_of(filler, NAME_BYTES_MAX + 1);
    expect_defect(submit, REASON_SKILLS, "skills");
    submit->skills[1].name = bytes_of("\xc3", 1);
    expect_defect(submit, REASON_UTF8, "skills");
}

static void attributes_are_checked_and_come_out_sorted(void **state)
{
    (void) state;
    struct attribute attributes[2] = {{bytes_of_text("service"), bytes_of_text("acera")},
                                      {bytes_of_text("district"), bytes_of_text("Coia")}};
    struct submit *submit = plain();
    submit->attributes = attributes;
    submit->attribute_count = 2;
    const struct submit *got = send(submit);
    assert_int_equal(got->defect, REASON_NONE);
    assert_true(bytes_equal_text(got->attributes[0].name, "district"));
    assert_true(bytes_equal_text(got->attributes[1].value, "acera"));

    attributes[1].value = bytes_of(filler, ATTRIBUTE_VALUE_BYTES_MAX);
    assert_int_equal(send(submit)->defect, REASON_NONE);
    attributes[1].value = bytes_of(filler, ATTRIBUTE_VALUE_BYTES_MAX + 1);
    expect_defect(submit, REASON_ATTRIBUTES, "attributes");
    attributes[1] = attributes[0];
    expect_defect(submit, REASON_ATTRIBUTES, "attributes");
    attributes[1].name = (struct bytes){0};
    expect_defect(submit, REASON_ATTRIBUTES, "attributes");
    attributes[1].name = bytes_of("a\0", 2);
    expect_defect(submit, REASON_NUL, "attributes");
}

static void texts_are_checked(void **state)
{
    (void) state;
    struct submit *submit = plain();
    submit->text = bytes_of("hola\0", 5);
    expect_defect(submit, REASON_NUL, "text");
    submit->text = bytes_of("hol\xe1", 4);
    expect_defect(submit, REASON_UTF8, "text");
    submit->text = bytes_of(filler, BODY_BYTES_MAX - 2);
    assert_int_equal(send(submit)->defect, REASON_NONE);
    submit->text = bytes_of(filler, BODY_BYTES_MAX - 1);
    expect_defect(submit, REASON_TOO_LARGE, "text");
}

/* A list longer than its limit cannot be sent by codec_encode(): it is written by hand. */
static void lists_that_are_too_long_are_defects(void **state)
{
    (void) state;
    static const uint8_t tags[] = {0x32, 0x5a}; /* skills, attributes */
    static const enum reason_code reasons[] = {REASON_SKILLS, REASON_ATTRIBUTES};
    for (uint32_t i = 0; i < 2; i++) {
        struct message head = {.header = {.kind = MESSAGE_SUBMIT}};
        struct message got;
        uint8_t header[CODEC_HEADER_BYTES_MAX];
        uint8_t body[96] = {0x0a, 82 + 10, 0x1a, 8, '1', '2', '3', '4', '5', '6', '7', '8'};
        uint32_t size;
        for (uint32_t at = 12; at < 94; at += 2) {
            body[at] = tags[i];
            body[at + 1] = 0;
        }
        assert_int_equal(codec_encode_header(&head, 1, header, sizeof header, &size), VT_OK);
        assert_int_equal(
            codec_decode(
                EDGE_CLIENT_TO_BROKER, bytes_of(header, size), bytes_of(body, 94), &arena, &got),
            VT_OK);
        assert_int_equal(got.submit[0].defect, reasons[i]);
    }
}

static bool same_digest(struct submit *a, struct submit *b)
{
    const struct submit *got_a = send(a);
    const struct submit *got_b = send(b);
    assert_int_equal(got_a->defect, REASON_NONE);
    assert_int_equal(got_b->defect, REASON_NONE);
    return memcmp(got_a->digest, got_b->digest, sizeof got_a->digest) == 0;
}

static void the_digest_knows_what_makes_a_ticket(void **state)
{
    (void) state;
    struct attribute attribute = {bytes_of_text("a"), bytes_of_text("b")};
    struct submit *other = plain();
    other->ref = 99;
    other->client = bytes_of_text("somebody");
    other->key = bytes_of_text("another-key");
    assert_true(same_digest(plain(), other));

#define CHANGED(change)                            \
    do {                                           \
        other = plain();                           \
        change;                                    \
        assert_false(same_digest(plain(), other)); \
    } while (0)
    CHANGED(other->pool = bytes_of_text("p"));
    CHANGED(other->queue = bytes_of_text("acera"));
    CHANGED(other->language = bytes_of_text("gl"));
    CHANGED(other->channel = CHANNEL_PHONE);
    CHANGED(other->priority = 50);
    CHANGED(other->not_before_us = 1);
    CHANGED(other->text = bytes_of_text("holb"));
    CHANGED(other->attributes = &attribute; other->attribute_count = 1);
    CHANGED(other->skills[0].name = bytes_of_text("s"); other->skill_count = 1);
    CHANGED(other->pool = bytes_of_text("aceras"); other->queue = (struct bytes){0});
}

static void the_order_of_skills_and_attributes_does_not_matter(void **state)
{
    (void) state;
    struct attribute one[2] = {{bytes_of_text("a"), bytes_of_text("1")},
                               {bytes_of_text("b"), bytes_of_text("2")}};
    struct attribute two[2] = {one[1], one[0]};
    struct submit *a = plain();
    struct submit *b = plain();
    a->attributes = one;
    b->attributes = two;
    a->attribute_count = b->attribute_count = 2;
    a->skill_count = b->skill_count = 2;
    a->skills[0] = b->skills[1] = (struct skill){.name = bytes_of_text("x"), .level = 1};
    a->skills[1] = b->skills[0] = (struct skill){.name = bytes_of_text("y"), .level = 2};

    assert_true(same_digest(a, b));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_plain_ticket_has_no_defect_and_a_body),
        TEST(an_empty_text_is_valid),
        TEST(a_bad_entry_spoils_no_other),
        TEST(keys_have_8_to_64_bytes),
        TEST(names_are_checked_one_by_one),
        TEST(numbers_are_checked_one_by_one),
        TEST(languages_are_short_tags),
        TEST(skills_are_checked_and_come_out_sorted),
        TEST(attributes_are_checked_and_come_out_sorted),
        TEST(texts_are_checked),
        TEST(lists_that_are_too_long_are_defects),
        TEST(the_digest_knows_what_makes_a_ticket),
        TEST(the_order_of_skills_and_attributes_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
