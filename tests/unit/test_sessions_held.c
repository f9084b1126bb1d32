#include "tests/unit/broker_world.h"

/* What a site answers to an owner's HELD_ASK; as HELLO's list it is tested in test_sessions.c. */

static const struct session first = {.boot = 2, .connect = 1, .nonce = 4};

static void the_list_that_an_owner_asked_for_reaches_it(void **state)
{
    struct broker_world *world = *state;
    world_owns(world, world_router, 100);
    world_site_up(world);
    struct held held = {.part = 1, .ticket = {7, 8}, .attempt = 3, .agent = 90};
    struct header like = {.kind = MESSAGE_HELD,
                          .part = 1,
                          .site = 666,
                          .epoch = 100,
                          .seq = 12,
                          .flags = HEADER_FIRST | HEADER_LAST};

    steps_receive(&world->steps, world_site, &like, &held, 1);

    const struct message *list = steps_find_send_to(&world->steps, MESSAGE_HELD, world_router);
    assert_non_null(list);
    assert_int_equal(list->header.site, 9);
    assert_true(session_equal(list->header.session, first));
    assert_int_equal(list->header.part, 1);
    assert_int_equal(list->header.epoch, 100);
    assert_int_equal(list->header.seq, 12);
    assert_int_equal(list->header.flags, HEADER_FIRST | HEADER_LAST);
    assert_int_equal(list->count, 1);
    assert_true(id_equal(list->held[0].ticket, held.ticket));
    assert_int_equal(list->held[0].attempt, 3);
}

static void an_empty_list_reaches_the_owner_too(void **state)
{
    struct broker_world *world = *state;
    world_owns(world, world_router, 100);
    world_site_up(world);
    struct header like = {
        .kind = MESSAGE_HELD, .part = 1, .epoch = 100, .flags = HEADER_FIRST | HEADER_LAST};

    steps_receive(&world->steps, world_site, &like, NULL, 0);

    const struct message *list = steps_find_send_to(&world->steps, MESSAGE_HELD, world_router);
    assert_non_null(list);
    assert_int_equal(list->count, 0);
    assert_int_equal(list->header.flags, HEADER_FIRST | HEADER_LAST);
}

static void a_list_that_nobody_asked_for_goes_nowhere(void **state)
{
    struct broker_world *world = *state;
    world_owns(world, world_router, 100);
    world_site_up(world);
    struct held held = {.part = 1, .ticket = {7, 8}, .attempt = 3, .agent = 90};
    struct header like = {.kind = MESSAGE_HELD, .flags = HEADER_FIRST | HEADER_LAST};

    steps_receive(&world->steps, world_site, &like, &held, 1);

    assert_int_equal(steps_count_sends(&world->steps, MESSAGE_HELD), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            the_list_that_an_owner_asked_for_reaches_it, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(
            an_empty_list_reaches_the_owner_too, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(
            a_list_that_nobody_asked_for_goes_nowhere, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
