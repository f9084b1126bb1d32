#include "tests/unit/unit.h"

#include <string.h>

#include "lib/bytes.h"
#include "lib/check.h"

static void order_is_by_unsigned_bytes_and_a_prefix_comes_first(void **state)
{
    (void) state;
    struct bytes empty = {0};
    assert_true(bytes_compare(empty, bytes_of_text("a")) < 0);
    assert_true(bytes_compare(bytes_of_text("a"), bytes_of_text("ab")) < 0);
    assert_true(bytes_compare(bytes_of_text("\xFF"), bytes_of_text("a")) > 0);
    assert_int_equal(bytes_compare(bytes_of_text("ab"), bytes_of_text("ab")), 0);
    assert_true(bytes_equal(empty, bytes_of_text("")));
    assert_false(bytes_equal_text(bytes_of_text("ab"), "ac"));
}

static void well_formed_utf8_is_accepted(void **state)
{
    (void) state;
    static const char *const good[] = {
        "",
        "ascii only, a long one past eight bytes",
        "\xC2\x80",
        "\xDF\xBF",
        "\xE0\xA0\x80",
        "\xED\x9F\xBF",
        "\xEE\x80\x80",
        "\xEF\xBF\xBF",
        "\xF0\x90\x80\x80",
        "\xF4\x8F\xBF\xBF",
        "pavimento: baldosa rota en la acera, \xC3\xB1\xE2\x82\xAC\xF0\x9F\x98\x80!",
    };
    for (uint32_t i = 0; i < ARRAY_LENGTH(good); i++) {
        assert_true(bytes_is_utf8(bytes_of_text(good[i])));
    }
}

static void ill_formed_utf8_is_refused(void **state)
{
    (void) state;
    static const char *const bad[] = {
        "\x80",             /* continuation alone */
        "\xC0\x80",         /* overlong NUL */
        "\xC1\xBF",         /* overlong */
        "\xE0\x9F\xBF",     /* overlong */
        "\xF0\x8F\xBF\xBF", /* overlong */
        "\xED\xA0\x80",     /* first surrogate */
        "\xED\xBF\xBF",     /* last surrogate */
        "\xF4\x90\x80\x80", /* above U+10FFFF */
        "\xF5\x80\x80\x80",
        "\xFF",
        "\xFE",
        "abc\xC3",
        "\xE2\x82",
        "\xF0\x9F\x98",
        "\xC3(", /* no continuation */
        "\xE2\x28\xA1",
        "\xE2\x82(",
    };
    for (uint32_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        assert_false(bytes_is_utf8(bytes_of_text(bad[i])));
    }
}

/* Encodes any number below 2^21 the long-hand way, also those that are not characters. */
static uint32_t encode(uint32_t point, uint8_t out[4])
{
    if (point < 0x80) {
        out[0] = (uint8_t) point;
        return 1;
    }
    uint32_t length = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const uint8_t heads[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (uint32_t i = length - 1; i > 0; i--) {
        out[i] = (uint8_t) (0x80U | (point & 0x3FU));
        point >>= 6;
    }
    out[0] = (uint8_t) (heads[length] | point);
    return length;
}

static void exactly_the_scalar_values_of_unicode_are_characters(void **state)
{
    (void) state;
    for (uint32_t point = 0; point < 0x140000; point++) {
        uint8_t encoded[4];
        uint32_t size = encode(point, encoded);
        bool is_scalar = point < 0xD800 || (point > 0xDFFF && point <= 0x10FFFF);
        if (bytes_is_utf8(bytes_of(encoded, size)) != is_scalar) {
            fail_msg("U+%X", point);
        }
        assert_int_equal(bytes_utf8_length(bytes_of(encoded, size)), is_scalar ? size : 0);
    }
}

static void a_nul_is_found_anywhere(void **state)
{
    (void) state;
    assert_true(bytes_has_nul(bytes_of("a\0b", 3)));
    assert_true(bytes_has_nul(bytes_of("ab\0", 3)));
    assert_false(bytes_has_nul(bytes_of("ab\0", 2)));
    assert_false(bytes_has_nul((struct bytes){0}));
}

static void a_copy_is_terminated_and_needs_room(void **state)
{
    (void) state;
    struct arena arena = unit_arena(8);
    struct bytes copy = bytes_copy(&arena, bytes_of_text("abc"));
    struct bytes untouched = bytes_of_text("same");

    assert_string_equal((const char *) copy.data, "abc");
    assert_int_equal(copy.size, 3);
    assert_false(bytes_try_copy(&arena, bytes_of_text("four"), &untouched));
    assert_true(bytes_equal_text(untouched, "same"));
    unit_arena_close(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_is_by_unsigned_bytes_and_a_prefix_comes_first),
        cmocka_unit_test(well_formed_utf8_is_accepted),
        cmocka_unit_test(ill_formed_utf8_is_refused),
        cmocka_unit_test(exactly_the_scalar_values_of_unicode_are_characters),
        cmocka_unit_test(a_nul_is_found_anywhere),
        cmocka_unit_test(a_copy_is_terminated_and_needs_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
