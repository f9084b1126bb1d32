#include "tests/unit/broker_world.h"

static void submit_and_store(struct broker_world *world, uint64_t first_ref, uint32_t count)
{
    world_send_submits(world, first_ref, count);
    world_store(world);
}

/* An owner that has taken the RESYNC of the first contact, which has number 1. */
static void with_owner(struct broker_world *world)
{
    world_owns(world, world_router, 100);
    world_taken(world, 100, 1);
}

static const struct forward *forward(struct broker_world *world, uint32_t index)
{
    const struct message *message = steps_find_send(&world->steps, MESSAGE_FORWARD, 0);
    assert_non_null(message);
    assert_true(index < message->count);
    return &message->forward[index];
}

static uint32_t forwards(struct broker_world *world)
{
    return steps_count_entries(&world->steps, MESSAGE_FORWARD);
}

static void a_starting_broker_tells_every_owner_to_read(void **state)
{
    struct broker_world *world = *state;

    world_owns(world, world_router, 100);

    assert_int_equal(forwards(world), 1);
    assert_int_equal(forward(world, 0)->what, FORWARD_RESYNC);
    assert_int_equal(forward(world, 0)->n, 1);
    assert_true(forward(world, 0)->since_us == 0);
}

static void a_stored_ticket_goes_to_the_owner_without_its_body(void **state)
{
    struct broker_world *world = *state;
    with_owner(world);

    submit_and_store(world, 1, 3);

    const struct message *message =
        steps_find_send_to(&world->steps, MESSAGE_FORWARD, world_router);
    assert_non_null(message);
    assert_int_equal(message->header.part, 1);
    assert_int_equal(message->header.epoch, 100);
    assert_int_equal(message->header.origin, WORLD_INCARNATION);
    assert_int_equal(message->count, 3);
    assert_int_equal(message->forward[2].n, 4);
    assert_int_equal(message->forward[2].row.queue, 10);
    assert_int_equal(message->forward[2].row.part, 1);
    assert_true(message->forward[2].row.requirements.size > 0);
}

static void what_is_stored_before_an_owner_is_known_waits_for_it(void **state)
{
    struct broker_world *world = *state;

    submit_and_store(world, 1, 2);
    assert_int_equal(forwards(world), 0);
    world_owns(world, world_router, 100);

    assert_int_equal(forwards(world), 3); /* and the RESYNC of the first contact */
}

static void what_is_not_taken_is_sent_again_and_what_is_taken_is_not(void **state)
{
    struct broker_world *world = *state;
    with_owner(world);
    submit_and_store(world, 1, 3);
    world_taken(world, 100, 2);
    world_owns(world, world_router, 100);
    assert_int_equal(forwards(world), 0);

    steps_wait(&world->steps, 1100);
    assert_int_equal(forwards(world), 2);
    assert_int_equal(forward(world, 0)->n, 3);
    world_taken(world, 100, 4);
    world_owns(world, world_router, 100);
    steps_wait(&world->steps, 4000);

    assert_int_equal(forwards(world), 0);
}

static void a_newer_epoch_gets_everything_of_the_last_minute_under_new_numbers(void **state)
{
    struct broker_world *world = *state;
    with_owner(world);
    submit_and_store(world, 1, 3);
    world_taken(world, 100, 4);

    world_owns(world, world_router, 101);

    assert_int_equal(forwards(world), 4);
    assert_int_equal(forward(world, 3)->n, 4);
    assert_int_equal(forward(world, 3)->what, FORWARD_TICKET);
}

static void a_taken_of_an_older_epoch_is_dropped(void **state)
{
    struct broker_world *world = *state;
    with_owner(world);
    submit_and_store(world, 1, 2);
    world_owns(world, world_router, 101);

    world_taken(world, 100, 3);
    world_owns(world, world_router, 101);
    steps_wait(&world->steps, 1100);

    assert_int_equal(forwards(world), 3);
}

static void what_was_taken_more_than_a_minute_ago_is_not_sent_again(void **state)
{
    struct broker_world *world = *state;
    with_owner(world);
    submit_and_store(world, 1, 3);
    world_taken(world, 100, 4);
    steps_wait(&world->steps, 60001);

    world_owns(world, world_router, 101);

    assert_int_equal(forwards(world), 0);
}

static void a_full_share_becomes_one_resync_with_a_number_in_the_stream(void **state)
{
    struct broker_world *world = *state;
    with_owner(world);
    submit_and_store(world, 1, 40); /* the share is 16 */
    assert_int_equal(forwards(world), 16);

    world_taken(world, 100, 17);

    assert_int_equal(forwards(world), 1);
    assert_int_equal(forward(world, 0)->what, FORWARD_RESYNC);
    assert_int_equal(forward(world, 0)->n, 18);
    submit_and_store(world, 50, 1);
    assert_int_equal(forward(world, 0)->what, FORWARD_TICKET);
    assert_int_equal(forward(world, 0)->n, 19);
}

static void an_overwritten_ring_tells_a_newer_epoch_to_read(void **state)
{
    struct broker_world *world = *state;
    with_owner(world);
    submit_and_store(world, 1, 15);
    world_taken(world, 100, 16);
    submit_and_store(world, 20, 10); /* over those that were taken */
    world_taken(world, 100, 26);

    world_owns(world, world_router, 101);

    assert_int_equal(forwards(world), 16);
    world_taken(world, 101, 16);
    assert_int_equal(forwards(world), 1);
    assert_int_equal(forward(world, 0)->what, FORWARD_RESYNC);
}

static void another_connection_of_the_owner_gets_what_was_not_taken(void **state)
{
    struct broker_world *world = *state;
    struct address second = {LINK_ROUTERS, 4};
    with_owner(world);
    submit_and_store(world, 1, 2);
    steps_link_down(&world->steps, world_router);

    world_owns(world, second, 100);

    const struct message *message = steps_find_send_to(&world->steps, MESSAGE_FORWARD, second);
    assert_non_null(message);
    assert_int_equal(message->count, 2);
    assert_int_equal(message->forward[0].n, 2);
}

static void a_router_that_denies_a_partition_gets_nothing_more_of_it(void **state)
{
    struct broker_world *world = *state;
    struct owns denied = {.part = 1, .epoch = 0};
    struct header header = {.kind = MESSAGE_NOT_OWNER};
    with_owner(world);

    steps_receive(&world->steps, world_router, &header, &denied, 1);
    submit_and_store(world, 1, 2);
    assert_int_equal(forwards(world), 0);
    world_owns(world, world_router, 100);

    assert_int_equal(forwards(world), 2);
}

static void a_list_that_leaves_a_partition_out_ends_its_ownership(void **state)
{
    struct broker_world *world = *state;
    struct owns other = {.part = 2, .epoch = 5};
    struct header header = {.kind = MESSAGE_OWNS, .flags = HEADER_FIRST | HEADER_LAST};
    with_owner(world);

    steps_receive(&world->steps, world_router, &header, &other, 1);
    submit_and_store(world, 1, 1);

    assert_int_equal(forwards(world), 0);
}

static void a_router_is_forgotten_after_five_silent_seconds(void **state)
{
    struct broker_world *world = *state;
    with_owner(world);

    steps_wait(&world->steps, 5000);
    submit_and_store(world, 1, 1);

    assert_int_equal(forwards(world), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_starting_broker_tells_every_owner_to_read),
        TEST(a_stored_ticket_goes_to_the_owner_without_its_body),
        TEST(what_is_stored_before_an_owner_is_known_waits_for_it),
        TEST(what_is_not_taken_is_sent_again_and_what_is_taken_is_not),
        TEST(a_newer_epoch_gets_everything_of_the_last_minute_under_new_numbers),
        TEST(a_taken_of_an_older_epoch_is_dropped),
        TEST(what_was_taken_more_than_a_minute_ago_is_not_sent_again),
        TEST(a_full_share_becomes_one_resync_with_a_number_in_the_stream),
        TEST(an_overwritten_ring_tells_a_newer_epoch_to_read),
        TEST(another_connection_of_the_owner_gets_what_was_not_taken),
        TEST(a_router_that_denies_a_partition_gets_nothing_more_of_it),
        TEST(a_list_that_leaves_a_partition_out_ends_its_ownership),
        TEST(a_router_is_forgotten_after_five_silent_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
