#include "tests/unit/unit.h"

#include <string.h>

#include "proto/body.h"

static void a_body_comes_out_as_it_went_in(void **state)
{
    (void) state;
    struct attribute attributes[2] = {{bytes_of_text("a"), bytes_of_text("")},
                                      {bytes_of_text("b"), bytes_of_text("long value")}};
    uint8_t blob[256];
    struct bytes text = bytes_of_text("the text");
    uint32_t size = body_size(attributes, 2, text);
    body_write(attributes, 2, text, blob);
    struct body body;

    assert_int_equal(body_read(bytes_of(blob, size), &body), VT_OK);
    assert_int_equal(body.attribute_count, 2);
    assert_int_equal(body.attributes[0].value.size, 0);
    assert_true(bytes_equal_text(body.attributes[1].value, "long value"));
    assert_true(bytes_equal_text(body.text, "the text"));
}

static void every_cut_before_the_text_is_corrupt(void **state)
{
    (void) state;
    struct attribute attribute = {bytes_of_text("name"), bytes_of_text("value")};
    uint8_t blob[64];
    uint32_t size = body_size(&attribute, 1, (struct bytes){0});
    body_write(&attribute, 1, (struct bytes){0}, blob);
    struct body body;
    for (uint32_t cut = 0; cut <= size; cut++) {
        vt_err err = body_read(bytes_of(blob, cut), &body);
        assert_int_equal(err, cut == size ? VT_OK : VT_CORRUPT);
    }
}

static void what_is_not_canonical_is_corrupt(void **state)
{
    (void) state;
    struct body body;
    static uint8_t large[BODY_BYTES_MAX + 1] = {1, 0};
    assert_int_equal(body_read(bytes_of("\2\0", 2), &body), VT_CORRUPT);
    assert_int_equal(body_read(bytes_of("\1\41", 2), &body), VT_CORRUPT);
    assert_int_equal(body_read(bytes_of("\1\1\0\0\0", 5), &body), VT_CORRUPT);
    assert_int_equal(body_read(bytes_of("\1\2\1b\0\0\1a\0\0", 10), &body), VT_CORRUPT);
    assert_int_equal(body_read(bytes_of("\1\2\1a\0\0\1a\0\0", 10), &body), VT_CORRUPT);
    assert_int_equal(body_read(bytes_of(large, BODY_BYTES_MAX), &body), VT_OK);
    assert_int_equal(body_read(bytes_of(large, BODY_BYTES_MAX + 1), &body), VT_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_comes_out_as_it_went_in),
        cmocka_unit_test(every_cut_before_the_text_is_corrupt),
        cmocka_unit_test(what_is_not_canonical_is_corrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
