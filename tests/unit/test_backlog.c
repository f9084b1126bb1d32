#include "tests/unit/matching_fixture.h"

#include "lib/bits.h"

static struct backlog *backlog_of(void **state)
{
    struct matching_fixture *fixture = *state;
    return &fixture->matching.backlog;
}

static uint32_t wait(void **state, uint64_t id, uint32_t priority, int64_t time_us)
{
    return matching_fixture_wait(
        *state,
        &(struct matching_wish){
            .id = id, .priority = priority, .created_us = time_us, .queued_us = time_us});
}

static void a_class_is_walked_in_order_of_service(void **state)
{
    struct backlog *backlog = backlog_of(state);
    uint32_t old = wait(state, 1, 50, 10);
    uint32_t young = wait(state, 2, 50, 20);
    uint32_t urgent = wait(state, 3, 90, 30);
    uint32_t twin = wait(state, 4, 50, 20);

    assert_int_equal(backlog_first(backlog, 0), urgent);
    assert_int_equal(backlog_after(backlog, urgent), old);
    assert_int_equal(backlog_after(backlog, old), young);
    assert_int_equal(backlog_after(backlog, young), twin);
    assert_int_equal(backlog_after(backlog, twin), BACKLOG_NONE);
    assert_int_equal(backlog_class_count(backlog, 0), 4);
}

static void the_head_of_a_class_follows_its_first_ticket(void **state)
{
    struct matching_fixture *fixture = *state;
    struct backlog *backlog = backlog_of(state);
    uint32_t old = wait(state, 1, 50, 10);
    uint64_t rank_of_old = rank_ticket(tickets_get(&fixture->matching.tickets, old));
    uint32_t urgent = wait(state, 3, 90, 30);
    assert_true(backlog->heads.ranks[0] < rank_of_old);

    matching_leave(&fixture->matching, urgent, STAGE_OFFERED);
    assert_int_equal(backlog->heads.ranks[0], rank_of_old);
    matching_leave(&fixture->matching, old, STAGE_OFFERED);
    assert_false(bits_test(backlog->heads.present, 0));
    assert_int_equal(backlog_count(backlog), 0);
}

static void a_queue_knows_how_many_wait_and_who_waits_longest(void **state)
{
    struct matching_fixture *fixture = *state;
    struct backlog *backlog = backlog_of(state);
    uint32_t second = wait(state, 1, 50, 20);
    wait(state, 2, 50, 30);
    uint32_t first = wait(state, 3, 10, 10); /* came out of order */
    matching_fixture_wait(fixture, &(struct matching_wish){.id = 4, .queue = 2, .queued_us = 1});

    assert_int_equal(backlog_queue_count(backlog, 1), 3);
    assert_int_equal(backlog_queue_count(backlog, 2), 1);
    assert_int_equal(backlog_queue_count(backlog, 3), 0);
    assert_int_equal(backlog_queue_oldest(backlog, 1), first);
    assert_int_equal(backlog_queue_oldest(backlog, 3), BACKLOG_NONE);

    matching_ticket_remove(&fixture->matching, first);
    assert_int_equal(backlog_queue_oldest(backlog, 1), second);
    matching_ticket_remove(&fixture->matching, second);
    assert_int_equal(backlog_queue_count(backlog, 1), 1);
}

static void a_queue_goes_with_its_last_class_and_makes_room_for_another(void **state)
{
    struct matching_fixture *fixture = *state;
    uint32_t first = matching_fixture_wait(fixture, &(struct matching_wish){.id = 1, .queue = 1});
    matching_fixture_wait(fixture, &(struct matching_wish){.id = 2, .queue = 2});

    struct matching_wish third = {.id = 3, .queue = 3};
    uint32_t ticket = 0;
    assert_int_equal(matching_fixture_add(fixture, &third, &ticket), VT_UNAVAILABLE);
    assert_int_equal(classes_count(&fixture->matching.classes), 2);

    matching_ticket_remove(&fixture->matching, first);
    assert_true(classes_take_freed(&fixture->matching.classes));
    assert_int_equal(matching_fixture_add(fixture, &third, &ticket), VT_OK);
}

static void the_classes_of_a_queue_are_walked(void **state)
{
    struct matching_fixture *fixture = *state;
    struct backlog *backlog = backlog_of(state);
    matching_fixture_wait(fixture, &(struct matching_wish){.id = 1, .language = "es"});
    matching_fixture_wait(fixture, &(struct matching_wish){.id = 2, .queue = 2});
    matching_fixture_wait(fixture, &(struct matching_wish){.id = 3, .language = "gl"});

    assert_int_equal(backlog_queue_first_class(backlog, 1), 0);
    assert_int_equal(backlog_queue_next_class(backlog, 0), 2);
    assert_int_equal(backlog_queue_next_class(backlog, 2), BACKLOG_NONE);
    assert_int_equal(backlog_queue_first_class(backlog, 7), BACKLOG_NONE);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, matching_fixture_open, matching_fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_class_is_walked_in_order_of_service),
        TEST(the_head_of_a_class_follows_its_first_ticket),
        TEST(a_queue_knows_how_many_wait_and_who_waits_longest),
        TEST(a_queue_goes_with_its_last_class_and_makes_room_for_another),
        TEST(the_classes_of_a_queue_are_walked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
