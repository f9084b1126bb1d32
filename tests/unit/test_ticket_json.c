#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/ticket_json.h"
#include "io/ticket_time.h"
#include "proto/body.h"
#include "proto/requirements.h"

#define ARENA_BYTES (4u * 1024u * 1024u)

struct fixture {
    struct arena arena;
    struct ticket_json_options options;
    struct submit submit;
    char error[TICKET_JSON_ERROR_BYTES];
};

static const char key[] = "a key of ours";

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->arena = unit_arena(ARENA_BYTES);
    fixture->submit.key = bytes_of_text(key);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    unit_arena_close(&fixture->arena);
    free(fixture);
    return 0;
}

static vt_err parse(struct fixture *fixture, const char *line)
{
    return ticket_json_parse(
        bytes_of_text(line), &fixture->options, &fixture->arena, &fixture->submit, fixture->error);
}

static void expect_refusal(struct fixture *fixture, const char *line, const char *part)
{
    struct submit before = fixture->submit;
    assert_int_equal(parse(fixture, line), VT_INVALID);
    if (strstr(fixture->error, part) == NULL) {
        fail_msg("'%s' is not in '%s'", part, fixture->error);
    }
    assert_memory_equal(&before, &fixture->submit, sizeof before);
}

static void every_field_of_a_line_is_read(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(
        parse(fixture,
              "{\"key\":\"12345678\",\"queue\":\"aceras\",\"skills\":{\"b\":2,\"a\":10},"
              "\"language\":\"gl\",\"channel\":\"phone\",\"priority\":100,"
              "\"attributes\":{\"service\":\"x\"},\"text\":\"h\\u00f3la\","
              "\"not_before\":\"2026-01-31T08:00:00Z\"}"),
        VT_OK);

    const struct submit *submit = &fixture->submit;
    assert_true(bytes_equal_text(submit->key, "12345678"));
    assert_true(bytes_equal_text(submit->queue, "aceras"));
    assert_int_equal(submit->skill_count, 2);
    assert_true(bytes_equal_text(submit->skills[0].name, "a"));
    assert_int_equal(submit->skills[0].level, 10);
    assert_true(bytes_equal_text(submit->language, "gl"));
    assert_int_equal(submit->channel, CHANNEL_PHONE);
    assert_int_equal(submit->priority, 100);
    assert_int_equal(submit->attribute_count, 1);
    assert_true(bytes_equal_text(submit->attributes[0].value, "x"));
    assert_true(bytes_equal_text(submit->text, "h\xc3\xb3la"));
    assert_int_equal(submit->not_before_us, INT64_C(1769846400000000));
}

static void all_but_the_text_may_be_absent_and_the_text_empty(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(parse(fixture, "{\"text\":\"\"}"), VT_OK);
    assert_int_equal(fixture->submit.text.size, 0);
    assert_int_equal(fixture->submit.priority, PRIORITY_ABSENT);
    assert_true(bytes_equal_text(fixture->submit.key, key));
}

static void what_is_wrong_is_named_with_what_is_allowed(void **state)
{
    struct fixture *fixture = *state;

    expect_refusal(fixture, "[]", "must be a JSON object, not a list");
    expect_refusal(fixture, "\"text\"", "must be a JSON object, not a text");
    expect_refusal(fixture, "null", "must be a JSON object, not null");
    expect_refusal(fixture, "{\"skills\":{\"a\":1.5}}", "from 0 to 10, not a fraction");
    expect_refusal(fixture, "{\"attributes\":{\"a\":1}}", "attributes.a: must be a text");
    expect_refusal(fixture, "{", "not valid JSON");
    expect_refusal(fixture, "{\"text\":\"a\",\"text\":\"b\"}", "not valid JSON: duplicate");
    expect_refusal(fixture, "{\"txt\":\"a\"}", "unknown field 'txt', did you mean 'text'?");
    expect_refusal(fixture, "{\"text\":5}", "text: must be a text, not a number");
    expect_refusal(fixture, "{\"text\":\"a\\u0000b\"}", "text: contains a NUL byte");
    expect_refusal(fixture, "{\"text\":\"\xff\"}", "not valid JSON: unable to decode byte 0xff");
    expect_refusal(
        fixture, "{\"skills\":{\"a\":11}}", "skills.a: level 11 is out of range, 0 to 10");
    expect_refusal(fixture, "{\"skills\":{\"a\":-1}}", "skills.a: level -1");
    expect_refusal(fixture, "{\"skills\":{\"a\":1.5}}", "must be a whole number");
    expect_refusal(fixture, "{\"skills\":[]}", "skills: must be an object");
    expect_refusal(fixture, "{\"priority\":101}", "priority: 101 is out of range, 0 to 100");
    expect_refusal(fixture, "{\"priority\":99999999999999999999}", "not valid JSON");
    expect_refusal(fixture, "{\"channel\":\"fax\"}", "'fax' is none of web, chat");
    expect_refusal(fixture, "{\"key\":\"short\"}", "key: has 5 bytes, 8 to 64");
    expect_refusal(fixture, "{\"not_before\":\"tomorrow\"}", "not a time as");
    expect_refusal(fixture, "{\"language\":\"12345678901234567\"}", "language: has 17 bytes");
}

static void a_body_over_64_KiB_is_refused_and_one_of_exactly_that_is_not(void **state)
{
    struct fixture *fixture = *state;
    char *line = malloc(BODY_BYTES_MAX + 100u);
    for (uint32_t over = 0; over < 2; over++) {
        uint32_t size = BODY_BYTES_MAX - body_size(NULL, 0, (struct bytes){0}) + over;
        memcpy(line, "{\"text\":\"", 9);
        memset(line + 9, 'x', size);
        memcpy(line + 9 + size, "\"}", 3);
        if (over == 0) {
            assert_int_equal(parse(fixture, line), VT_OK);
        } else {
            expect_refusal(fixture, line, "text: too large");
        }
    }
    free(line);
}

static void mapped_fields_come_from_other_names_and_the_rest_is_left_out(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(
        ticket_json_parse_mapping(bytes_of_text("text=body,queue=service,street=where,n=number"),
                                  &fixture->options),
        VT_OK);

    assert_int_equal(
        parse(fixture,
              "{\"body\":\"b\",\"text\":\"not this\",\"service\":\"q\",\"where\":\"w\","
              "\"number\":7,\"else\":{}}"),
        VT_OK);
    assert_true(bytes_equal_text(fixture->submit.text, "b"));
    assert_true(bytes_equal_text(fixture->submit.queue, "q"));
    assert_int_equal(fixture->submit.attribute_count, 2);
    assert_true(bytes_equal_text(fixture->submit.attributes[1].value, "7"));
}

static void mappings_of_another_form_are_refused(void **state)
{
    struct fixture *fixture = *state;
    static const char *const wrong[] = {"", "text", "text=", "=text", "a=b,a=c", "a=b,,c=d"};
    for (uint32_t i = 0; i < 6; i++) {
        fixture->options.mapping_count = 0;
        assert_int_equal(ticket_json_parse_mapping(bytes_of_text(wrong[i]), &fixture->options),
                         VT_INVALID);
    }
}

static void a_program_reads_one_line_of_json(void **state)
{
    struct fixture *fixture = *state;
    struct attribute attribute = {.name = bytes_of_text("a"), .value = bytes_of_text("1\n2")};
    uint8_t body[256];
    uint8_t blob[REQUIREMENTS_BYTES_MAX];
    struct bytes text = bytes_of_text("line \"one\"\nline two");
    struct requirements requirements = {.channel = CHANNEL_CHAT,
                                        .language = bytes_of_text("es"),
                                        .skills = {{bytes_of_text("padron"), 3}},
                                        .skill_count = 1};
    body_write(&attribute, 1, text, body);
    struct confirm confirm = {
        .ticket = {.hi = 1, .lo = 2},
        .attempt = 4,
        .priority = 60,
        .fails = 1,
        .created_us = INT64_C(1769846400000000),
        .queue_name = bytes_of_text("q"),
        .requirements = bytes_of(blob, requirements_write(&requirements, blob)),
        .body = bytes_of(body, body_size(&attribute, 1, text)),
    };
    struct bytes line;

    assert_int_equal(ticket_json_write(&confirm, &fixture->arena, &line), VT_OK);
    const char *expected =
        "{\"id\":\"00000000-0000-0001-0000-000000000002\",\"attempt\":4,\"queue\":\"q\","
        "\"language\":\"es\",\"channel\":\"chat\",\"priority\":60,\"skills\":{\"padron\":3},"
        "\"attributes\":{\"a\":\"1\\n2\"},\"text\":\"line \\\"one\\\"\\nline two\","
        "\"created\":\"2026-01-31T08:00:00Z\",\"failures\":1}\n";
    assert_true(bytes_equal_text(line, expected));

    confirm.body = bytes_of_text("?");
    assert_int_equal(ticket_json_write(&confirm, &fixture->arena, &line), VT_CORRUPT);
}

static vt_err answer(struct fixture *fixture, const char *line, struct outcome *outcome)
{
    return ticket_json_parse_answer(bytes_of_text(line), &fixture->arena, outcome, fixture->error);
}

static void a_program_completes_hands_off_or_parks(void **state)
{
    struct fixture *fixture = *state;
    struct outcome outcome = {.attempt = 3};

    assert_int_equal(answer(fixture, "{\"result\":\"r\",\"note\":\"n\"}", &outcome), VT_OK);
    assert_int_equal(outcome.what, OUTCOME_COMPLETE);
    assert_true(bytes_equal_text(outcome.text, "r"));
    assert_true(bytes_equal_text(outcome.note, "n"));
    assert_int_equal(outcome.attempt, 3);

    assert_int_equal(answer(fixture, "{\"handoff\":\"why\"}", &outcome), VT_OK);
    assert_int_equal(outcome.what, OUTCOME_HANDOFF);
    assert_int_equal(outcome.text.size, 0);
    assert_true(bytes_equal_text(outcome.note, "why"));

    assert_int_equal(answer(fixture, "{\"park\":\"\"}", &outcome), VT_OK);
    assert_int_equal(outcome.what, OUTCOME_PARK);
}

static void any_other_answer_is_refused_with_the_reason(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *line;
        const char *part;
    } wrong[] = {{"", "not valid JSON"},
                 {"5", "not valid JSON"},
                 {"[]", "not a JSON object"},
                 {"{}", "exactly one of"},
                 {"{\"result\":\"a\",\"park\":\"b\"}", "exactly one of"},
                 {"{\"note\":\"n\"}", "exactly one of"},
                 {"{\"park\":\"p\",\"note\":\"n\"}", "goes with 'result' only"},
                 {"{\"result\":1}", "'result' in the answer is not a text"},
                 {"{\"result\":\"a\",\"x\":1}", "unknown field 'x'"},
                 {"{\"result\":\"a\\u0000\"}", "NUL"},
                 {"{\"result\":\"a\"}{}", "not valid JSON"}};
    for (uint32_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct outcome outcome = {.what = OUTCOME_GIVE_BACK};
        assert_int_equal(answer(fixture, wrong[i].line, &outcome), VT_INVALID);
        if (strstr(fixture->error, wrong[i].part) == NULL) {
            fail_msg("'%s' is not in '%s'", wrong[i].part, fixture->error);
        }
        assert_int_equal(outcome.what, OUTCOME_GIVE_BACK);
    }
}

static void times_are_read_with_fraction_and_offset_and_nothing_else(void **state)
{
    (void) state;
    static const char *const wrong[] = {"2026-01-31",
                                        "2026-01-31T08:00:00",
                                        "2026-02-30T08:00:00Z",
                                        "2026-13-01T08:00:00Z",
                                        "2026-01-31T24:00:00Z",
                                        "2026-01-31T08:00:00.Z",
                                        "2026-01-31T08:00:00Zx",
                                        "1969-12-31T23:59:59Z",
                                        "1970-01-01T00:00:00+01:00",
                                        "+026-01-31T08:00:00Z",
                                        ""};
    int64_t us = 0;
    assert_int_equal(ticket_time_parse(bytes_of_text("1970-01-01T00:00:01.5Z"), &us), VT_OK);
    assert_int_equal(us, 1500000);
    assert_int_equal(ticket_time_parse(bytes_of_text("2026-01-31 10:00:00+02:00"), &us), VT_OK);
    assert_int_equal(us, INT64_C(1769846400000000));
    for (uint32_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(ticket_time_parse(bytes_of_text(wrong[i]), &us), VT_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_field_of_a_line_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(
            all_but_the_text_may_be_absent_and_the_text_empty, setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_is_wrong_is_named_with_what_is_allowed, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_body_over_64_KiB_is_refused_and_one_of_exactly_that_is_not, setup, teardown),
        cmocka_unit_test_setup_teardown(
            mapped_fields_come_from_other_names_and_the_rest_is_left_out, setup, teardown),
        cmocka_unit_test_setup_teardown(mappings_of_another_form_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_program_reads_one_line_of_json, setup, teardown),
        cmocka_unit_test_setup_teardown(a_program_completes_hands_off_or_parks, setup, teardown),
        cmocka_unit_test_setup_teardown(
            any_other_answer_is_refused_with_the_reason, setup, teardown),
        cmocka_unit_test(times_are_read_with_fraction_and_offset_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
