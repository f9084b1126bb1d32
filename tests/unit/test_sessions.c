#include "tests/unit/broker_world.h"

static const struct session first = {.boot = 2, .connect = 1, .nonce = 4};

static void receive(struct broker_world *world, struct address from, const struct header *header)
{
    struct site_up asked = {.name = bytes_of_text("norte")};
    bool has_entry = header->kind == MESSAGE_SITE_ASK || header->kind == MESSAGE_SITE_STALE;
    steps_receive(&world->steps, from, header, &asked, has_entry ? 1 : 0);
}

static uint32_t sends(struct broker_world *world, enum message_kind kind)
{
    return steps_count_sends(&world->steps, kind);
}

static void carry(struct broker_world *world, struct address from, struct header header)
{
    steps_receive_carried(&world->steps, from, &header, "frame");
}

static void a_site_is_welcomed_with_its_agents_ids_once_the_store_gave_them(void **state)
{
    struct broker_world *world = *state;

    world_hello(world, world_site, first);
    const struct effect *store = steps_find(&world->steps, EFFECT_STORE, 0);
    assert_non_null(store);
    assert_int_equal(store->store.requests[0].kind, STORE_SITE);
    assert_true(bytes_equal_text(store->store.requests[0].site.name, "norte"));
    assert_true(bytes_equal_text(store->store.requests[0].site.agents[0].name, "ana"));
    assert_int_equal(sends(world, MESSAGE_WELCOME), 0);
    world_store(world);

    const struct message *welcome = steps_find_send_to(&world->steps, MESSAGE_WELCOME, world_site);
    assert_non_null(welcome);
    assert_int_equal(welcome->header.site, 9);
    assert_int_equal(welcome->count, 1);
    assert_int_equal(welcome->welcome[0].agent, 90);
}

static void routers_are_told_of_a_site_with_its_agents_and_what_it_holds(void **state)
{
    struct broker_world *world = *state;
    world_owns(world, world_router, 100);

    world_site_up(world);

    const struct message *up = steps_find_send_to(&world->steps, MESSAGE_SITE_UP, world_router);
    assert_non_null(up);
    assert_int_equal(up->header.site, 9);
    assert_true(session_equal(up->header.session, first));
    assert_int_equal(up->site_up->agent_count, 1);
    assert_int_equal(up->site_up->held_count, 1);
    assert_int_equal(steps_find_send(&world->steps, MESSAGE_AGENT, 0)->agent->id, 90);
    assert_int_equal(steps_find_send(&world->steps, MESSAGE_HELD, 0)->held->attempt, 1);
}

static void a_router_is_told_again_until_it_speaks_to_the_session(void **state)
{
    struct broker_world *world = *state;
    world_owns(world, world_router, 100);
    world_site_up(world);

    steps_wait(&world->steps, 600);
    assert_int_equal(sends(world, MESSAGE_SITE_UP), 1);
    carry(world,
          world_router,
          (struct header){.kind = MESSAGE_OFFER, .site = 9, .session = first, .part = 1});
    world_owns(world, world_router, 100);
    steps_wait(&world->steps, 4000);

    assert_int_equal(sends(world, MESSAGE_SITE_UP), 0);
}

static void a_router_that_comes_later_is_told_too(void **state)
{
    struct broker_world *world = *state;
    world_site_up(world);

    world_owns(world, world_router, 100);

    assert_int_equal(sends(world, MESSAGE_SITE_UP), 1);
}

static void
a_router_that_comes_after_work_changed_hands_makes_the_site_say_hello_again(void **state)
{
    struct broker_world *world = *state;
    world_site_up(world);
    carry(world, world_site, (struct header){.kind = MESSAGE_ACCEPT, .part = 1});

    world_owns(world, world_router, 100);

    assert_int_equal(sends(world, MESSAGE_SITE_UP), 0);
    assert_int_equal(sends(world, MESSAGE_HELLO_AGAIN), 1);
}

static void what_a_site_says_is_stamped_from_its_connection(void **state)
{
    struct broker_world *world = *state;
    world_owns(world, world_router, 100);
    world_site_up(world);

    struct header lie = {.kind = MESSAGE_ACCEPT, .part = 1, .site = 666, .seq = 12};
    lie.session = (struct session){.boot = 99};
    carry(world, world_site, lie);

    const struct message *carried = steps_find_send_to(&world->steps, MESSAGE_ACCEPT, world_router);
    assert_non_null(carried);
    assert_int_equal(carried->header.site, 9);
    assert_true(session_equal(carried->header.session, first));
    assert_int_equal(carried->header.seq, 12);
    assert_int_equal(carried->header.origin, WORLD_INCARNATION);
    assert_true(bytes_equal_text(carried->carried, "frame"));
}

static void what_is_for_all_parts_goes_to_every_router(void **state)
{
    struct broker_world *world = *state;
    struct address second = {LINK_ROUTERS, 4};
    struct header owns = {.kind = MESSAGE_OWNS, .flags = HEADER_FIRST | HEADER_LAST};
    world_owns(world, world_router, 100);
    steps_receive(&world->steps, second, &owns, NULL, 0);
    world_site_up(world);

    carry(world, world_site, (struct header){.kind = MESSAGE_AVAIL, .part = PART_ALL});
    assert_int_equal(sends(world, MESSAGE_AVAIL), 2);

    carry(world, world_site, (struct header){.kind = MESSAGE_BEAT, .part = 1});
    assert_int_equal(sends(world, MESSAGE_BEAT), 1);
    assert_non_null(steps_find_send_to(&world->steps, MESSAGE_BEAT, world_router));
}

static void an_owners_word_reaches_the_site_untouched(void **state)
{
    struct broker_world *world = *state;
    world_owns(world, world_router, 100);
    world_site_up(world);

    struct header header = {.kind = MESSAGE_OFFER, .site = 9, .part = 1, .epoch = 100, .seq = 3};
    carry(world, world_router, header);
    const struct message *offer = steps_find_send_to(&world->steps, MESSAGE_OFFER, world_site);
    assert_non_null(offer);
    assert_int_equal(offer->header.seq, 3);
    assert_int_equal(offer->header.epoch, 100);
    assert_true(bytes_equal_text(offer->carried, "frame"));

    header.site = 10;
    carry(world, world_router, header);
    assert_int_equal(steps_count(&world->steps, EFFECT_SEND), 0);
}

static void a_message_without_a_session_is_answered_by_hello_again(void **state)
{
    struct broker_world *world = *state;

    carry(world, world_site, (struct header){.kind = MESSAGE_AVAIL, .part = PART_ALL});

    assert_int_equal(sends(world, MESSAGE_HELLO_AGAIN), 1);
    assert_int_equal(steps_find_send(&world->steps, MESSAGE_HELLO_AGAIN, 0)->hello_again->floor, 0);
}

static void the_larger_session_wins(void **state)
{
    struct broker_world *world = *state;
    struct address second = {LINK_SITES, 9};
    world_site_up(world);

    world_hello(world, second, (struct session){.boot = 1, .connect = 7, .nonce = 4});
    assert_int_equal(steps_find_send(&world->steps, MESSAGE_HELLO_AGAIN, 0)->hello_again->floor, 2);

    struct hello hello = {.name = bytes_of_text("norte")};
    struct header header = {.kind = MESSAGE_HELLO, .session = {.boot = 2, .connect = 2}};
    steps_receive(&world->steps, second, &header, &hello, 1);
    const struct effect *hang_up = steps_find(&world->steps, EFFECT_HANG_UP, 0);
    assert_non_null(hang_up);
    assert_int_equal(hang_up->hang_up.peer, world_site.peer);
}

static void a_cloned_site_is_refused(void **state)
{
    struct broker_world *world = *state;
    struct address second = {LINK_SITES, 9};
    struct hello hello = {.name = bytes_of_text("norte")};
    struct header header = {.kind = MESSAGE_HELLO, .session = first};
    header.session.nonce++;
    world_site_up(world);

    steps_receive(&world->steps, second, &header, &hello, 1);

    const struct effect *hang_up = steps_find(&world->steps, EFFECT_HANG_UP, 0);
    assert_non_null(hang_up);
    assert_int_equal(hang_up->hang_up.peer, second.peer);
}

static void a_session_below_an_owners_floor_must_boot_above_it(void **state)
{
    struct broker_world *world = *state;
    struct site_up stale = {.floor = 40};
    struct header header = {.kind = MESSAGE_SITE_STALE, .site = 9, .session = first};
    world_owns(world, world_router, 100);
    world_site_up(world);

    steps_receive(&world->steps, world_router, &header, &stale, 1);
    assert_int_equal(steps_find_send(&world->steps, MESSAGE_HELLO_AGAIN, 0)->hello_again->floor,
                     40);

    world_hello(world, world_site, (struct session){.boot = 40, .connect = 1});
    assert_int_equal(sends(world, MESSAGE_HELLO_AGAIN), 1);
    world_hello(world, world_site, (struct session){.boot = 41, .connect = 1});
    assert_non_null(steps_find(&world->steps, EFFECT_STORE, 0));
}

static void a_lost_connection_is_told_to_routers_a_few_times(void **state)
{
    struct broker_world *world = *state;
    world_owns(world, world_router, 100);
    world_site_up(world);

    steps_link_down(&world->steps, world_site);
    assert_int_equal(sends(world, MESSAGE_SITE_DOWN), 1);
    assert_true(
        session_equal(steps_find_send(&world->steps, MESSAGE_SITE_DOWN, 0)->header.session, first));
    world_owns(world, world_router, 100);
    steps_wait(&world->steps, 1000);
    assert_int_equal(sends(world, MESSAGE_SITE_DOWN), 1);
    steps_wait(&world->steps, 1000);
    assert_int_equal(sends(world, MESSAGE_SITE_DOWN), 1);
    steps_wait(&world->steps, 1000);
    assert_int_equal(sends(world, MESSAGE_SITE_DOWN), 0);
}

static void a_site_is_down_after_fifteen_silent_seconds_and_not_before(void **state)
{
    struct broker_world *world = *state;
    world_site_up(world);
    steps_wait(&world->steps, 10000);
    receive(world, world_site, &(struct header){.kind = MESSAGE_PING});
    assert_int_equal(sends(world, MESSAGE_PING), 1);

    steps_wait(&world->steps, 14000);
    world_owns(world, world_router, 100);
    assert_int_equal(sends(world, MESSAGE_SITE_UP), 1);
    steps_wait(&world->steps, 1000);

    assert_int_equal(sends(world, MESSAGE_SITE_DOWN), 1);
}

static void a_router_that_asks_is_told_up_or_down(void **state)
{
    struct broker_world *world = *state;
    struct header ask = {.kind = MESSAGE_SITE_ASK, .site = 9, .session = first};
    world_owns(world, world_router, 100);
    receive(world, world_router, &ask);
    assert_int_equal(sends(world, MESSAGE_SITE_DOWN), 1);

    world_site_up(world);
    receive(world, world_router, &ask);

    assert_int_equal(sends(world, MESSAGE_SITE_UP), 1);
}

static void a_site_beyond_the_table_is_sent_elsewhere(void **state)
{
    struct broker_world *world = *state;
    struct hello hello = {.name = bytes_of_text("grande"), .agent_count = 1000};
    struct header header = {.kind = MESSAGE_HELLO, .session = first};
    struct agent agents[20] = {0};
    steps_receive(&world->steps, world_site, &header, &hello, 1);

    header.kind = MESSAGE_AGENT;
    header.flags = HEADER_FIRST;
    steps_receive(&world->steps, world_site, &header, agents, 20);

    assert_int_equal(sends(world, MESSAGE_GOAWAY), 1);
}

static void ids_are_asked_for_again_when_the_store_fails(void **state)
{
    struct broker_world *world = *state;

    world_hello(world, world_site, first);
    world_store_as(world, STORE_FAILED);
    assert_int_equal(sends(world, MESSAGE_WELCOME), 0);
    steps_wait(&world->steps, 1000);
    world_store(world);

    assert_int_equal(sends(world, MESSAGE_WELCOME), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_site_is_welcomed_with_its_agents_ids_once_the_store_gave_them),
        TEST(routers_are_told_of_a_site_with_its_agents_and_what_it_holds),
        TEST(a_router_is_told_again_until_it_speaks_to_the_session),
        TEST(a_router_that_comes_later_is_told_too),
        TEST(a_router_that_comes_after_work_changed_hands_makes_the_site_say_hello_again),
        TEST(what_a_site_says_is_stamped_from_its_connection),
        TEST(what_is_for_all_parts_goes_to_every_router),
        TEST(an_owners_word_reaches_the_site_untouched),
        TEST(a_message_without_a_session_is_answered_by_hello_again),
        TEST(the_larger_session_wins),
        TEST(a_cloned_site_is_refused),
        TEST(a_session_below_an_owners_floor_must_boot_above_it),
        TEST(a_lost_connection_is_told_to_routers_a_few_times),
        TEST(a_site_is_down_after_fifteen_silent_seconds_and_not_before),
        TEST(a_router_that_asks_is_told_up_or_down),
        TEST(a_site_beyond_the_table_is_sent_elsewhere),
        TEST(ids_are_asked_for_again_when_the_store_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
