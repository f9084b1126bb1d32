#include "tests/unit/unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/check.h"
#include "lib/random.h"
#include "lib/text.h"

static void numbers_are_written_as_printf_writes_them(void **state)
{
    (void) state;
    static const int64_t edges[] = {0, 1, -1, 9, 10, -10, INT64_MAX, INT64_MIN};
    struct random random;
    random_init(&random, unit_seed());
    for (uint32_t i = 0; i < 2000; i++) {
        int64_t number = i < ARRAY_LENGTH(edges)
                             ? edges[i]
                             : (int64_t) (random_u64(&random) >> random_below(&random, 64));
        char buffer[80];
        char expected[80];
        struct text text;
        text_init(&text, buffer, sizeof buffer);
        text_add_i64(&text, number);
        text_add_char(&text, ' ');
        text_add_u64(&text, (uint64_t) number);
        snprintf(expected, sizeof expected, "%" PRId64 " %" PRIu64, number, (uint64_t) number);
        assert_string_equal(buffer, expected);
    }
}

static void decimals_padding_hex_and_columns(void **state)
{
    (void) state;
    char buffer[128];
    struct text text;
    text_init(&text, buffer, sizeof buffer);

    text_add_decimal(&text, 12345, 3);
    text_add_char(&text, ' ');
    text_add_decimal(&text, -5, 2);
    text_add_char(&text, ' ');
    text_add_decimal(&text, 7, 0);
    text_add_char(&text, ' ');
    text_add_u64_padded(&text, 7, 3);
    text_add_char(&text, ' ');
    text_add_hex(&text, "\x00\xA5\xFF", 3);
    text_add_spaces_to(&text, 34);
    text_add(&text, "|");

    assert_string_equal(buffer, "12.345 -0.05 7 007 00a5ff         |");
    assert_false(text.truncated);
}

static void json_strings_are_escaped_and_always_valid(void **state)
{
    (void) state;
    char buffer[128];
    struct text text;
    text_init(&text, buffer, sizeof buffer);

    text_add_json_string(&text, bytes_of("a\"\\\b\f\n\r\t\x01\x1F\x7F\0z", 13));
    assert_string_equal(buffer, "\"a\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\\u0000z\"");

    text_clear(&text);
    text_add_json_string(&text, bytes_of_text("\xC3\xB1/\xFF\xE2\x82\xAC\xED\xA0\x80"));
    assert_string_equal(buffer,
                        "\"\xC3\xB1/\xEF\xBF\xBD\xE2\x82\xAC\xEF\xBF\xBD\xEF\xBF\xBD"
                        "\xEF\xBF\xBD\"");
}

static void what_does_not_fit_is_cut_between_characters(void **state)
{
    (void) state;
    char whole[64];
    struct text all;
    text_init(&all, whole, sizeof whole);
    text_add(&all, "ab\xC3\xB1 \xE2\x82\xAC\xF0\x9F\x98\x80");
    text_add_json_string(&all, bytes_of_text("\x01\n"));

    for (uint32_t capacity = 1; capacity <= all.size; capacity++) {
        char cut[64];
        memset(cut, 'x', sizeof cut);
        struct text text;
        text_init(&text, cut, capacity);
        text_add(&text, "ab\xC3\xB1 \xE2\x82\xAC\xF0\x9F\x98\x80");
        text_add_json_string(&text, bytes_of_text("\x01\n"));
        text_add(&text, "more");

        assert_true(text.truncated);
        assert_true(text.size < capacity);
        assert_int_equal(cut[text.size], 0);
        assert_memory_equal(cut, whole, text.size);
        assert_true(bytes_is_utf8(text_bytes(&text)));
        assert_int_equal(cut[capacity], 'x');
    }
}

static void only_plain_decimal_numbers_are_parsed(void **state)
{
    (void) state;
    uint64_t number = 77;
    static const char *const bad[] = {"", "-1", "+1", " 1", "1 ", "0x10", "1a", "1.0"};
    for (uint32_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        assert_int_equal(text_parse_u64(bytes_of_text(bad[i]), 99, &number), VT_INVALID);
    }
    assert_int_equal(text_parse_u64(bytes_of_text("100"), 99, &number), VT_TOO_LARGE);
    assert_int_equal(text_parse_u64(bytes_of_text("18446744073709551616"), UINT64_MAX, &number),
                     VT_TOO_LARGE);
    assert_int_equal(number, 77);
    assert_int_equal(text_parse_u64(bytes_of_text("18446744073709551615"), UINT64_MAX, &number),
                     VT_OK);
    assert_true(number == UINT64_MAX);
    assert_int_equal(text_parse_u64(bytes_of_text("0099"), 99, &number), VT_OK);
    assert_int_equal(number, 99);
}

static void a_label_is_quoted_and_divided_from_the_one_before(void **state)
{
    (void) state;
    char buffer[64];
    struct text text;
    text_init(&text, buffer, sizeof buffer);

    text_add_label(&text, "queue", bytes_of_text("a\\b"));
    text_add_label(&text, "name", bytes_of_text("say \"hi\""));

    assert_string_equal(buffer, "queue=\"a\\\\b\",name=\"say \\\"hi\\\"\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_written_as_printf_writes_them),
        cmocka_unit_test(decimals_padding_hex_and_columns),
        cmocka_unit_test(json_strings_are_escaped_and_always_valid),
        cmocka_unit_test(what_does_not_fit_is_cut_between_characters),
        cmocka_unit_test(only_plain_decimal_numbers_are_parsed),
        cmocka_unit_test(a_label_is_quoted_and_divided_from_the_one_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
