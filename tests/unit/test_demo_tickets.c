#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/demo_tickets.h"

#define SAMPLE "tests/data/avisos-madrid.jsonl"

static char path[64];

static vt_err load(struct demo_tickets *tickets, const char *text)
{
    memcpy(path, "/tmp/test_demo_XXXXXX", 22);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    vt_err err = demo_tickets_load(tickets, path);
    unlink(path);
    return err;
}

static void tickets_come_in_the_order_of_their_arrival(void **state)
{
    (void) state;
    struct demo_tickets tickets;

    assert_int_equal(load(&tickets,
                          "{\"at\":\"2024-01-15T10:00:02Z\",\"service\":\"b\",\"text\":\"two\"}\n"
                          "{\"at\":\"2024-01-15T10:00:00Z\",\"service\":\"a\",\"text\":\"\"}\n"
                          "{\"at\":\"2024-01-15T10:00:02Z\",\"service\":\"c\",\"text\":\"three\"}"),
                     VT_OK);

    assert_int_equal(tickets.count, 3);
    assert_int_equal(tickets.refused, 0);
    assert_int_equal(tickets.span_ms, 2000);
    assert_true(bytes_equal_text(tickets.list[0].service, "a"));
    assert_int_equal(tickets.list[0].line, 2);
    assert_true(bytes_equal_text(tickets.list[1].service, "b"));
    assert_int_equal(tickets.list[1].at_ms, 2000);
    assert_true(bytes_equal_text(tickets.list[2].text, "three"));
    demo_tickets_close(&tickets);
}

static void a_bad_line_is_left_out_and_the_others_stay(void **state)
{
    (void) state;
    struct demo_tickets tickets;

    assert_int_equal(
        load(&tickets,
             "not json\n"
             "[1]\n"
             "{\"service\":\"a\",\"text\":\"\"}\n"
             "{\"at\":\"yesterday\",\"service\":\"a\",\"text\":\"\"}\n"
             "{\"at\":\"2024-01-15T10:00:00Z\",\"service\":7,\"text\":\"\"}\n"
             "{\"at\":\"2024-01-15T10:00:00Z\",\"service\":\"a\",\"text\":\"\\u0000\"}\n"
             "{\"at\":\"2024-01-15T10:00:00Z\",\"service\":\"a\",\"text\":1}\n"
             "\n"
             "{\"at\":\"2024-01-15T10:00:00Z\",\"service\":\"a\",\"text\":\"good\"}\n"),
        VT_OK);

    assert_int_equal(tickets.count, 1);
    assert_int_equal(tickets.refused, 7);
    assert_int_equal(tickets.list[0].line, 9);
    demo_tickets_close(&tickets);
}

static void a_file_without_a_ticket_is_refused(void **state)
{
    (void) state;
    struct demo_tickets tickets;

    assert_int_equal(load(&tickets, ""), VT_INVALID);
    demo_tickets_close(&tickets);
    assert_int_equal(load(&tickets, "{}\n"), VT_INVALID);
    demo_tickets_close(&tickets);
    assert_int_equal(load(&tickets, "\x1f\x8b\x08 compressed"), VT_INVALID);
    demo_tickets_close(&tickets);
    assert_int_equal(demo_tickets_load(&tickets, "/nonexistent/file"), VT_NOT_FOUND);
    demo_tickets_close(&tickets);
}

static void the_sample_has_five_thousand_real_tickets_and_no_bad_line(void **state)
{
    (void) state;
    struct demo_tickets tickets;

    assert_int_equal(demo_tickets_load(&tickets, SAMPLE), VT_OK);

    assert_true(tickets.count >= 5000);
    assert_int_equal(tickets.refused, 0);
    demo_tickets_close(&tickets);
}

static void what_is_drawn_is_the_same_each_time_and_within_its_bounds(void **state)
{
    (void) state;
    struct demo_tickets a;
    struct demo_tickets b;
    uint64_t with_priority = 0;

    assert_int_equal(demo_tickets_load(&a, SAMPLE), VT_OK);
    assert_int_equal(demo_tickets_load(&b, SAMPLE), VT_OK);

    double handle_ms = 0;
    for (uint32_t i = 0; i < a.count; i++) {
        assert_int_equal(a.list[i].handle_ms, b.list[i].handle_ms);
        assert_int_equal(a.list[i].patience_ms, b.list[i].patience_ms);
        assert_string_equal(a.list[i].language, b.list[i].language);
        assert_int_equal(a.list[i].channel, b.list[i].channel);
        assert_int_equal(a.list[i].priority, b.list[i].priority);
        assert_true(a.list[i].handle_ms > 0);
        assert_true(a.list[i].priority == PRIORITY_ABSENT || a.list[i].priority <= PRIORITY_MAX);
        with_priority += a.list[i].priority != PRIORITY_ABSENT ? 1 : 0;
        handle_ms += (double) a.list[i].handle_ms;
    }
    /* Lognormal, median 60 min, spread 0.8: the mean is 60 * e^0.32 = 82.6 min. */
    double mean_min = handle_ms / (double) a.count / 60000.0;
    assert_true(mean_min > 78 && mean_min < 87);
    assert_true(with_priority > a.count / 6 && with_priority < a.count / 4);
    demo_tickets_close(&a);
    demo_tickets_close(&b);
}

static void a_key_leads_back_to_its_ticket_and_no_other_key_does(void **state)
{
    (void) state;
    char key[DEMO_KEY_BYTES];

    demo_tickets_key(51231, key);

    assert_int_equal(demo_tickets_number(bytes_of_text(key)), 51231);
    assert_int_equal(demo_tickets_number(bytes_of_text("demo-")), UINT32_MAX);
    assert_int_equal(demo_tickets_number(bytes_of_text("demo-x")), UINT32_MAX);
    assert_int_equal(demo_tickets_number(bytes_of_text("other-00000001")), UINT32_MAX);
    assert_int_equal(demo_tickets_number((struct bytes){0}), UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tickets_come_in_the_order_of_their_arrival),
        cmocka_unit_test(a_bad_line_is_left_out_and_the_others_stay),
        cmocka_unit_test(a_file_without_a_ticket_is_refused),
        cmocka_unit_test(the_sample_has_five_thousand_real_tickets_and_no_bad_line),
        cmocka_unit_test(what_is_drawn_is_the_same_each_time_and_within_its_bounds),
        cmocka_unit_test(a_key_leads_back_to_its_ticket_and_no_other_key_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
