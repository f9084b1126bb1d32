#include "tests/unit/unit.h"

#include <string.h>

#include "lib/err.h"

static void every_error_has_its_own_text(void **state)
{
    (void) state;
    for (uint32_t i = 0; i < VT_ERR_COUNT; i++) {
        const char *text = err_text((vt_err) i);
        assert_true(strlen(text) > 0);
        assert_string_not_equal(text, "unknown error");
        for (uint32_t j = 0; j < i; j++) {
            assert_string_not_equal(text, err_text((vt_err) j));
        }
    }
}

static void a_number_out_of_range_is_named_unknown(void **state)
{
    (void) state;
    volatile uint32_t foreign = VT_ERR_COUNT;
    assert_string_equal(err_text((vt_err) foreign), "unknown error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_its_own_text),
        cmocka_unit_test(a_number_out_of_range_is_named_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
