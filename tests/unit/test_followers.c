#include "tests/unit/broker_world.h"

static const struct ticket_id ticket = {7, 8};

static void follow(struct broker_world *world, uint64_t peer, uint32_t rev)
{
    struct follow wanted = {.ticket = ticket, .rev = rev};
    struct address from = {LINK_CLIENTS, peer};
    struct header header = {.kind = MESSAGE_FOLLOW};
    steps_receive(&world->steps, from, &header, &wanted, 1);
}

static void hint(struct broker_world *world, uint32_t rev)
{
    struct update update = {.ticket = ticket, .rev = rev, .state = TICKET_ASSIGNED};
    struct header header = {.kind = MESSAGE_UPDATE, .part = 1, .epoch = 100};
    steps_receive(&world->steps, world_router, &header, &update, 1);
}

static void load(struct broker_world *world, uint32_t rev, enum ticket_state state)
{
    const struct effect *effect = steps_find(&world->steps, EFFECT_LOAD, 0);
    assert_non_null(effect);
    assert_int_equal(effect->load.request.kind, LOAD_TICKET);
    struct ticket_row row = {.id = ticket, .rev = rev, .state = state, .attempt = 1};
    struct load_page page = {.rows = &row, .row_count = state == TICKET_NONE ? 0 : 1};
    steps_loaded(&world->steps, effect->load.token, VT_OK, &page);
}

static uint32_t updates(struct broker_world *world)
{
    return steps_count_entries(&world->steps, MESSAGE_UPDATE);
}

static void a_follower_is_told_the_row_as_it_is_in_the_store(void **state)
{
    struct broker_world *world = *state;

    follow(world, 5, 0);
    load(world, 3, TICKET_QUEUED);

    const struct message *message = steps_find_send_to(&world->steps, MESSAGE_UPDATE, world_client);
    assert_non_null(message);
    assert_int_equal(message->update->rev, 3);
    assert_int_equal(message->update->state, TICKET_QUEUED);
}

static void a_hint_makes_the_row_be_read_and_followers_be_told_once(void **state)
{
    struct broker_world *world = *state;
    follow(world, 5, 0);
    load(world, 3, TICKET_QUEUED);

    hint(world, 4);
    load(world, 4, TICKET_ASSIGNED);
    assert_int_equal(updates(world), 1);
    hint(world, 4);
    load(world, 4, TICKET_ASSIGNED);

    assert_int_equal(updates(world), 0);
}

static void a_hint_that_comes_while_reading_is_not_lost(void **state)
{
    struct broker_world *world = *state;
    follow(world, 5, 0);
    struct effect reading = *steps_find(&world->steps, EFFECT_LOAD, 0);
    hint(world, 4);
    assert_null(steps_find(&world->steps, EFFECT_LOAD, 0));

    struct ticket_row row = {.id = ticket, .rev = 3, .state = TICKET_QUEUED};
    struct load_page page = {.rows = &row, .row_count = 1};
    steps_loaded(&world->steps, reading.load.token, VT_OK, &page);

    assert_non_null(steps_find(&world->steps, EFFECT_LOAD, 0));
}

static void every_follower_of_a_ticket_is_told_by_one_read(void **state)
{
    struct broker_world *world = *state;
    follow(world, 5, 0);
    load(world, 3, TICKET_QUEUED);
    follow(world, 6, 0);
    load(world, 3, TICKET_QUEUED);
    assert_int_equal(updates(world), 1);

    hint(world, 4);
    assert_int_equal(steps_count(&world->steps, EFFECT_LOAD), 1);
    load(world, 4, TICKET_ASSIGNED);

    assert_int_equal(updates(world), 2);
}

static void the_row_is_read_every_thirty_seconds_without_a_hint(void **state)
{
    struct broker_world *world = *state;
    follow(world, 5, 0);
    load(world, 3, TICKET_QUEUED);

    steps_wait(&world->steps, 29999);
    assert_null(steps_find(&world->steps, EFFECT_LOAD, 0));
    steps_wait(&world->steps, 1);

    assert_non_null(steps_find(&world->steps, EFFECT_LOAD, 0));
}

static void a_closed_ticket_is_told_and_then_no_longer_followed(void **state)
{
    struct broker_world *world = *state;
    follow(world, 5, 0);

    load(world, 9, TICKET_DONE);
    assert_int_equal(updates(world), 1);
    hint(world, 10);

    assert_null(steps_find(&world->steps, EFFECT_LOAD, 0));
}

static void a_ticket_that_does_not_exist_is_told_as_such(void **state)
{
    struct broker_world *world = *state;
    follow(world, 5, 0);

    load(world, 0, TICKET_NONE);

    assert_int_equal(steps_find_send(&world->steps, MESSAGE_UPDATE, 0)->update->state, TICKET_NONE);
}

static void a_client_that_left_is_not_told(void **state)
{
    struct broker_world *world = *state;
    follow(world, 5, 0);
    load(world, 3, TICKET_QUEUED);

    steps_link_down(&world->steps, world_client);
    hint(world, 4);

    assert_null(steps_find(&world->steps, EFFECT_LOAD, 0));
}

static void a_full_table_refuses_the_newest(void **state)
{
    struct broker_world *world = *state;
    for (uint64_t peer = 10; peer < 14; peer++) {
        follow(world, peer, 0);
        load(world, 3, TICKET_QUEUED);
    }

    follow(world, 14, 0);

    assert_null(steps_find(&world->steps, EFFECT_LOAD, 0));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_follower_is_told_the_row_as_it_is_in_the_store),
        TEST(a_hint_makes_the_row_be_read_and_followers_be_told_once),
        TEST(a_hint_that_comes_while_reading_is_not_lost),
        TEST(every_follower_of_a_ticket_is_told_by_one_read),
        TEST(the_row_is_read_every_thirty_seconds_without_a_hint),
        TEST(a_closed_ticket_is_told_and_then_no_longer_followed),
        TEST(a_ticket_that_does_not_exist_is_told_as_such),
        TEST(a_client_that_left_is_not_told),
        TEST(a_full_table_refuses_the_newest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
