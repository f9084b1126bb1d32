#include "tests/unit/broker_world.h"

static const struct ticket_id ticket = {UINT64_C(0x7001), 8};

static void cancel(struct broker_world *world)
{
    struct cancel wish = {.ref = 6, .ticket = ticket, .reason = bytes_of_text("ya no")};
    struct header header = {.kind = MESSAGE_CANCEL};
    steps_receive(&world->steps, world_client, &header, &wish, 1);
}

static void load(struct broker_world *world, enum ticket_state state)
{
    const struct effect *effect = steps_find(&world->steps, EFFECT_LOAD, 0);
    assert_non_null(effect);
    struct ticket_row row = {.id = ticket, .part = 1, .state = state};
    struct load_page page = {.rows = &row, .row_count = state == TICKET_NONE ? 0 : 1};
    steps_loaded(&world->steps, effect->load.token, VT_OK, &page);
}

static const struct answered *cancelled(struct broker_world *world)
{
    const struct message *message = steps_find_send(&world->steps, MESSAGE_CANCELLED, 0);
    return message == NULL ? NULL : message->answered;
}

static void a_wish_to_cancel_goes_to_the_owner_and_is_answered_when_it_is_done(void **state)
{
    struct broker_world *world = *state;
    struct update update = {.ticket = ticket, .rev = 5, .state = TICKET_CANCELLED};
    struct header header = {.kind = MESSAGE_UPDATE, .part = 1, .epoch = 100};
    world_owns(world, world_router, 100);

    cancel(world);
    load(world, TICKET_ASSIGNED);
    const struct message *message = steps_find_send(&world->steps, MESSAGE_FORWARD, 0);
    assert_non_null(message);
    assert_int_equal(message->forward->what, FORWARD_CANCEL);
    assert_true(bytes_equal_text(message->forward->text, "ya no"));
    assert_true(id_equal(message->forward->row.id, ticket));
    assert_null(cancelled(world));
    steps_receive(&world->steps, world_router, &header, &update, 1);

    assert_int_equal(cancelled(world)->answer, ANSWER_OK);
    assert_int_equal(cancelled(world)->ref, 6);
}

static void a_lost_update_is_made_good_by_reading(void **state)
{
    struct broker_world *world = *state;
    world_owns(world, world_router, 100);
    cancel(world);
    load(world, TICKET_ASSIGNED);

    steps_wait(&world->steps, 1000);
    load(world, TICKET_CANCELLED);

    assert_int_equal(cancelled(world)->answer, ANSWER_OK);
}

static void what_is_done_or_unknown_cannot_be_cancelled(void **state)
{
    struct broker_world *world = *state;

    cancel(world);
    load(world, TICKET_DONE);
    assert_int_equal(cancelled(world)->answer, ANSWER_REJECT);
    assert_int_equal(cancelled(world)->reason, REASON_CLOSED);

    cancel(world);
    load(world, TICKET_NONE);
    assert_int_equal(cancelled(world)->reason, REASON_NO_TICKET);
}

static void a_wish_that_nobody_fulfils_is_busy_in_the_end(void **state)
{
    struct broker_world *world = *state;
    cancel(world);
    load(world, TICKET_QUEUED);
    for (int i = 0; i < 9; i++) {
        steps_wait(&world->steps, 1000);
        load(world, TICKET_QUEUED);
    }
    assert_null(cancelled(world));

    steps_wait(&world->steps, 1000);

    assert_int_equal(cancelled(world)->answer, ANSWER_BUSY);
}

static void wishes_beyond_the_table_are_busy(void **state)
{
    struct broker_world *world = *state;
    cancel(world);
    cancel(world);

    cancel(world);

    assert_int_equal(cancelled(world)->answer, ANSWER_BUSY);
    assert_int_equal(cancelled(world)->reason, REASON_OVERLOAD);
}

static void a_draining_broker_refuses_tickets_and_sends_sites_away(void **state)
{
    struct broker_world *world = *state;
    world_owns(world, world_router, 100);
    world_taken(world, 100, 1);
    world_site_up(world);

    steps_stop(&world->steps, world->steps.now_ms + 60000);
    assert_non_null(steps_find_send_to(&world->steps, MESSAGE_GOAWAY, world_site));
    assert_null(steps_find(&world->steps, EFFECT_STOPPED, 0));
    world_send_submits(world, 1, 1);
    assert_int_equal(steps_find_send(&world->steps, MESSAGE_SUBMITTED, 0)->submitted->reason,
                     REASON_DRAINING);
    steps_link_down(&world->steps, world_site);

    assert_int_equal(steps_count(&world->steps, EFFECT_STOPPED), 1);
}

static void a_draining_broker_answers_what_is_in_the_store_before_it_stops(void **state)
{
    struct broker_world *world = *state;
    world_send_submits(world, 1, 1);
    struct effect store = *steps_find(&world->steps, EFFECT_STORE, 0);

    steps_stop(&world->steps, world->steps.now_ms + 60000);
    assert_null(steps_find(&world->steps, EFFECT_STOPPED, 0));
    struct store_result result = {.status = STORE_DONE, .row = {.part = 1}};
    steps_stored(&world->steps, store.store.token, &result, 1);

    assert_int_equal(steps_count_entries(&world->steps, MESSAGE_SUBMITTED), 1);
    assert_int_equal(steps_count(&world->steps, EFFECT_STOPPED), 1);
}

static void a_draining_broker_waits_for_owners_to_take_what_was_stored(void **state)
{
    struct broker_world *world = *state;
    world_owns(world, world_router, 100);
    world_send_submits(world, 1, 1);
    world_store(world);

    steps_stop(&world->steps, world->steps.now_ms + 60000);
    assert_null(steps_find(&world->steps, EFFECT_STOPPED, 0));
    world_taken(world, 100, 2);

    assert_int_equal(steps_count(&world->steps, EFFECT_STOPPED), 1);
}

static void a_draining_broker_does_not_wait_for_sites_once_no_owner_is_left(void **state)
{
    struct broker_world *world = *state;
    world_owns(world, world_router, 100);
    world_site_up(world);
    steps_stop(&world->steps, world->steps.now_ms + 60000);
    assert_null(steps_find(&world->steps, EFFECT_STOPPED, 0));

    struct header header = {
        .kind = MESSAGE_OWNS, .flags = HEADER_FIRST | HEADER_LAST, .origin = world_router.peer};
    steps_receive(&world->steps, world_router, &header, NULL, 0);

    assert_int_equal(steps_count(&world->steps, EFFECT_STOPPED), 1);
}

static void a_drain_ends_at_its_deadline_or_at_the_second_call(void **state)
{
    struct broker_world *world = *state;
    world_owns(world, world_router, 100);
    world_site_up(world);
    steps_stop(&world->steps, world->steps.now_ms + 2000);
    steps_wait(&world->steps, 1999);
    assert_null(steps_find(&world->steps, EFFECT_STOPPED, 0));
    steps_wait(&world->steps, 1);
    assert_int_equal(steps_count(&world->steps, EFFECT_STOPPED), 1);

    struct broker_world *other = world_open();
    world_owns(other, world_router, 100);
    world_site_up(other);
    steps_stop(&other->steps, other->steps.now_ms + 60000);
    steps_stop(&other->steps, other->steps.now_ms + 60000);
    assert_int_equal(steps_count(&other->steps, EFFECT_STOPPED), 1);
    world_close(other);
}

static void thousands_of_answers_need_several_steps_and_lose_none(void **state)
{
    (void) state;
    struct broker_options options;
    world_options(&options);
    options.batch_requests_max = 1600;
    options.client_identities_max = 1600;
    struct broker_world *world = world_open_with(&options);
    struct header header = {.kind = MESSAGE_SUBMIT};
    world_send_submits(world, 1, 1);
    struct effect first = *steps_find(&world->steps, EFFECT_STORE, 0);
    for (uint64_t peer = 100; peer < 1600; peer++) {
        struct submit submit = world_submit(peer);
        struct address from = {LINK_CLIENTS, peer};
        steps_receive(&world->steps, from, &header, &submit, 1);
    }
    struct store_result result = {.status = STORE_DONE, .row = {.part = 1}};
    steps_stored(&world->steps, first.store.token, &result, 1);

    world_store(world);

    assert_int_equal(steps_count_sends(&world->steps, MESSAGE_SUBMITTED), 1500);
    assert_true(world->steps.turns > 1);
    world_close(world);
}

static void nothing_is_due_in_a_broker_without_work(void **state)
{
    struct broker_world *world = *state;

    assert_true(world->steps.core.deadline_ms(world->steps.core.self) == NO_DEADLINE);
    assert_int_equal(world->steps.turns, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_wish_to_cancel_goes_to_the_owner_and_is_answered_when_it_is_done),
        TEST(a_lost_update_is_made_good_by_reading),
        TEST(what_is_done_or_unknown_cannot_be_cancelled),
        TEST(a_wish_that_nobody_fulfils_is_busy_in_the_end),
        TEST(wishes_beyond_the_table_are_busy),
        TEST(a_draining_broker_refuses_tickets_and_sends_sites_away),
        TEST(a_draining_broker_answers_what_is_in_the_store_before_it_stops),
        TEST(a_draining_broker_waits_for_owners_to_take_what_was_stored),
        TEST(a_draining_broker_does_not_wait_for_sites_once_no_owner_is_left),
        TEST(a_drain_ends_at_its_deadline_or_at_the_second_call),
        cmocka_unit_test(thousands_of_answers_need_several_steps_and_lose_none),
        TEST(nothing_is_due_in_a_broker_without_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
