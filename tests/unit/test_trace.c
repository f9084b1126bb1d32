#include "tests/unit/unit.h"

#include <string.h>

#include "lib/trace.h"

struct sink {
    char line[TRACE_LINE_BYTES];
    uint32_t size;
    uint32_t count;
    enum trace_level level;
};

static void keep(void *context, enum trace_level level, const char *line, uint32_t size)
{
    struct sink *sink = context;
    memcpy(sink->line, line, (size_t) size + 1);
    sink->size = size;
    sink->level = level;
    sink->count++;
}

static void a_record_is_one_line_of_keys_and_values(void **state)
{
    (void) state;
    struct sink sink = {.count = 0};
    struct trace trace;
    trace_init(&trace, TRACE_INFO, keep, &sink);
    struct ticket_id ticket = {UINT64_C(0x018bcfe5687b7001), UINT64_C(0x8000000000000002)};

    trace_event(&trace, TRACE_WARN, "offer.expired");
    trace_id(&trace, "ticket", ticket);
    trace_text(&trace, "agent", "ana");
    trace_ms(&trace, "waited", 5000);
    trace_u64(&trace, "attempt", 2);
    trace_i64(&trace, "offset", -3);
    trace_end(&trace);

    assert_string_equal(sink.line,
                        "warn offer.expired ticket=018bcfe5-687b-7001-8000-000000000002 "
                        "agent=ana waited_ms=5000 attempt=2 offset=-3");
    assert_int_equal(sink.size, strlen(sink.line));
    assert_int_equal(sink.level, TRACE_WARN);
    assert_int_equal(sink.count, 1);
}

static void a_value_that_could_break_the_line_is_quoted(void **state)
{
    (void) state;
    struct sink sink = {.count = 0};
    struct trace trace;
    trace_init(&trace, TRACE_DEBUG, keep, &sink);

    trace_event(&trace, TRACE_DEBUG, "site.refused");
    trace_text(&trace, "a", "two words");
    trace_text(&trace, "b", "line\nerror forged.record");
    trace_text(&trace, "c", "x=y");
    trace_text(&trace, "d", "");
    trace_bytes(&trace, "e", bytes_of("\xFF\0", 2));
    trace_text(&trace, "f", "host:7441/path");
    trace_end(&trace);

    assert_string_equal(sink.line,
                        "debug site.refused a=\"two words\" "
                        "b=\"line\\nerror forged.record\" c=\"x=y\" d=\"\" "
                        "e=\"\xEF\xBF\xBD\\u0000\" f=host:7441/path");
}

static void records_above_the_level_and_silent_traces_write_nothing(void **state)
{
    (void) state;
    struct sink sink = {.count = 0};
    struct trace trace;
    trace_init(&trace, TRACE_INFO, keep, &sink);
    struct trace silent = {.is_open = 0};

    trace_event(&trace, TRACE_DEBUG, "offer.sent");
    trace_text(&trace, "agent", "ana");
    trace_end(&trace);
    trace_event(&silent, TRACE_ERROR, "store.failed");
    trace_u64(&silent, "code", 5);
    trace_end(&silent);

    assert_int_equal(sink.count, 0);
}

static void a_record_that_is_too_long_is_cut(void **state)
{
    (void) state;
    struct sink sink = {.count = 0};
    struct trace trace;
    trace_init(&trace, TRACE_INFO, keep, &sink);
    static char name[2000];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';

    trace_event(&trace, TRACE_INFO, "site.named");
    trace_text(&trace, "site", name);
    trace_u64(&trace, "more", 1);
    trace_end(&trace);

    assert_int_equal(sink.size, TRACE_LINE_BYTES - 1);
    assert_int_equal(sink.count, 1);
}

static void levels_are_read_and_written(void **state)
{
    (void) state;
    enum trace_level level = TRACE_INFO;
    assert_int_equal(trace_level_parse(bytes_of_text("debug"), &level), VT_OK);
    assert_int_equal(level, TRACE_DEBUG);
    assert_int_equal(trace_level_parse(bytes_of_text("DEBUG"), &level), VT_INVALID);
    assert_int_equal(trace_level_parse(bytes_of_text(""), &level), VT_INVALID);
    assert_string_equal(trace_level_text(TRACE_ERROR), "error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_one_line_of_keys_and_values),
        cmocka_unit_test(a_value_that_could_break_the_line_is_quoted),
        cmocka_unit_test(records_above_the_level_and_silent_traces_write_nothing),
        cmocka_unit_test(a_record_that_is_too_long_is_cut),
        cmocka_unit_test(levels_are_read_and_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
