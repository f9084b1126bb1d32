#include "proto/requirements.h"
#include "tests/unit/broker_world.h"

static void send_one(struct broker_world *world, const struct submit *submit)
{
    struct header header = {.kind = MESSAGE_SUBMIT};
    steps_receive(&world->steps, world_client, &header, submit, 1);
}

static const struct submitted *answer(struct broker_world *world)
{
    const struct message *message = steps_find_send(&world->steps, MESSAGE_SUBMITTED, 0);
    assert_non_null(message);
    return &message->submitted[0];
}

static void a_submit_is_answered_only_after_its_commit(void **state)
{
    struct broker_world *world = *state;

    world_send_submits(world, 1, 1);
    assert_null(steps_find_send(&world->steps, MESSAGE_SUBMITTED, 0));
    assert_non_null(steps_find(&world->steps, EFFECT_STORE, 0));
    world_store(world);

    assert_int_equal(answer(world)->answer, ANSWER_OK);
    assert_int_equal(answer(world)->ref, 1);
    assert_false(id_is_zero(answer(world)->ticket));
    assert_int_equal(id_partition(answer(world)->ticket), 1);
}

static void what_arrives_while_the_store_works_goes_in_one_batch(void **state)
{
    struct broker_world *world = *state;

    world_send_submits(world, 1, 1);
    struct effect first = *steps_find(&world->steps, EFFECT_STORE, 0);
    world_send_submits(world, 2, 10);
    assert_null(steps_find(&world->steps, EFFECT_STORE, 0));
    world_send_submits(world, 12, 10);
    struct store_result result = {.status = STORE_DONE, .row = {.part = 1}};
    steps_stored(&world->steps, first.store.token, &result, 1);

    assert_int_equal(steps_find(&world->steps, EFFECT_STORE, 0)->store.count, 20);
}

static void a_bad_entry_is_rejected_alone(void **state)
{
    struct broker_world *world = *state;
    struct submit submits[3] = {world_submit(1), world_submit(2), world_submit(3)};
    submits[1].defect = REASON_UTF8;
    submits[1].defect_field = bytes_of_text("text");

    struct header header = {.kind = MESSAGE_SUBMIT};
    steps_receive(&world->steps, world_client, &header, submits, 3);

    assert_int_equal(answer(world)->ref, 2);
    assert_int_equal(answer(world)->answer, ANSWER_REJECT);
    assert_int_equal(answer(world)->reason, REASON_UTF8);
    assert_true(bytes_equal_text(answer(world)->field, "text"));
    assert_int_equal(steps_find(&world->steps, EFFECT_STORE, 0)->store.count, 2);
}

static void an_unknown_queue_or_pool_or_skill_is_refused(void **state)
{
    struct broker_world *world = *state;
    struct submit submit = world_submit(1);
    submit.queue = bytes_of_text("nada");
    send_one(world, &submit);
    assert_int_equal(answer(world)->reason, REASON_QUEUE_UNKNOWN);
    assert_true(bytes_equal_text(answer(world)->field, "nada"));

    submit = world_submit(2);
    submit.pool = bytes_of_text("nada");
    send_one(world, &submit);
    assert_int_equal(answer(world)->reason, REASON_POOL_UNKNOWN);

    submit = world_submit(3);
    submit.pool = bytes_of_text("agua"); /* "aceras" is not in it */
    send_one(world, &submit);
    assert_int_equal(answer(world)->reason, REASON_QUEUE_UNKNOWN);

    submit = world_submit(4);
    submit.skills[0] = (struct skill){.name = bytes_of_text("nada")};
    submit.skill_count = 1;
    send_one(world, &submit);
    assert_int_equal(answer(world)->reason, REASON_SKILL_UNKNOWN);
    assert_true(bytes_equal_text(answer(world)->field, "nada"));
    assert_null(steps_find(&world->steps, EFFECT_STORE, 0));

    world->plan.any_skill = true;
    send_one(world, &submit);
    assert_non_null(steps_find(&world->steps, EFFECT_STORE, 0));
}

static void a_rule_fills_in_what_was_left_out(void **state)
{
    struct broker_world *world = *state;
    struct attribute service = {bytes_of_text("service"), bytes_of_text("fuga")};
    struct submit submit = world_submit(1);
    submit.queue = (struct bytes){0};
    submit.attributes = &service;
    submit.attribute_count = 1;

    send_one(world, &submit);

    const struct store_request *request =
        steps_find(&world->steps, EFFECT_STORE, 0)->store.requests;
    struct requirements requirements;
    assert_int_equal(requirements_read(request->submit.requirements, &requirements), VT_OK);
    assert_int_equal(request->submit.queue, 11);
    assert_int_equal(request->part, 2);
    assert_int_equal(request->submit.priority, 80);
    assert_true(bytes_equal_text(requirements.language, "gl"));
    assert_int_equal(requirements.skill_count, 1);
    assert_int_equal(requirements.skills[0].level, 2);
    assert_true(bytes_equal_text(request->submit.client, "anonymous"));
}

static void a_ticket_that_matches_no_rule_goes_to_the_default_queue(void **state)
{
    struct broker_world *world = *state;
    struct submit submit = world_submit(1);
    submit.queue = (struct bytes){0};

    send_one(world, &submit);

    const struct store_request *request =
        steps_find(&world->steps, EFFECT_STORE, 0)->store.requests;
    assert_int_equal(request->submit.queue, 10);
    assert_int_equal(request->submit.priority, 50);
}

static void a_full_batch_pushes_back_with_a_time_to_wait(void **state)
{
    struct broker_world *world = *state;

    world_send_submits(world, 1, 1); /* into the store, so that the rest gathers */
    world_send_submits(world, 2, 60);
    world_send_submits(world, 62, 5);

    const struct message *message = steps_find_send(&world->steps, MESSAGE_SUBMITTED, 0);
    assert_non_null(message);
    assert_int_equal(message->count, 1);
    assert_int_equal(message->submitted[0].answer, ANSWER_BUSY);
    assert_int_equal(message->submitted[0].reason, REASON_OVERLOAD);
    assert_in_range(message->submitted[0].retry_ms, 250, 500);
}

static void bulk_is_pushed_back_before_people_are(void **state)
{
    struct broker_world *world = *state;
    world_send_submits(world, 1, 1);
    world_send_submits(world, 2, 50);

    struct submit submit = world_submit(90);
    submit.channel = CHANNEL_BULK;
    send_one(world, &submit);
    assert_int_equal(answer(world)->answer, ANSWER_BUSY);

    submit.channel = CHANNEL_PHONE;
    send_one(world, &submit);
    assert_null(steps_find_send(&world->steps, MESSAGE_SUBMITTED, 0));
}

static void one_client_cannot_have_more_unanswered_than_its_window(void **state)
{
    (void) state;
    struct broker_options options;
    world_options(&options);
    options.client_window_max = 3;
    struct broker_world *world = world_open_with(&options);

    world_send_submits(world, 1, 5);
    assert_int_equal(steps_count_entries(&world->steps, MESSAGE_SUBMITTED), 2);
    assert_int_equal(steps_find(&world->steps, EFFECT_STORE, 0)->store.count, 3);
    steps_link_down(&world->steps, world_client); /* frees the window */
    world_send_submits(world, 6, 3);
    assert_int_equal(steps_count_entries(&world->steps, MESSAGE_SUBMITTED), 0);

    world_close(world);
}

static void a_store_that_fails_is_told_as_busy(void **state)
{
    struct broker_world *world = *state;

    world_send_submits(world, 1, 2);
    world_store_as(world, STORE_FAILED);

    assert_int_equal(steps_count_entries(&world->steps, MESSAGE_SUBMITTED), 2);
    assert_int_equal(answer(world)->answer, ANSWER_BUSY);
    assert_int_equal(answer(world)->reason, REASON_STORE);
}

static void an_unknown_commit_gets_no_answer_and_one_resync(void **state)
{
    struct broker_world *world = *state;
    world_owns(world, world_router, 100);
    world_taken(world, 100, 1); /* the RESYNC of the first contact */

    world_send_submits(world, 1, 3);
    int64_t sent_us = world->steps.wall_us;
    world->steps.now_ms += 90000; /* the disk took long to say no */
    world->steps.wall_us += 90000000;
    world_store_as(world, STORE_UNCERTAIN);
    world_owns(world, world_router, 100);

    assert_null(steps_find_send(&world->steps, MESSAGE_SUBMITTED, 0));
    const struct message *message = steps_find_send(&world->steps, MESSAGE_FORWARD, 0);
    assert_int_equal(steps_count_entries(&world->steps, MESSAGE_FORWARD), 1);
    assert_int_equal(message->forward[0].what, FORWARD_RESYNC);
    assert_int_equal(message->forward[0].n, 2);
    assert_true(message->forward[0].since_us <= sent_us);
}

static void a_repeat_is_told_its_first_id_and_forwarded_again_while_it_waits(void **state)
{
    struct broker_world *world = *state;
    world_owns(world, world_router, 100);

    world_send_submits(world, 1, 1);
    world_store_as(world, STORE_DUPLICATE);
    assert_int_equal(answer(world)->answer, ANSWER_DUPLICATE);
    assert_int_equal(steps_count_entries(&world->steps, MESSAGE_FORWARD), 1);

    world_send_submits(world, 2, 1);
    world_store_as(world, STORE_MISMATCH);
    assert_int_equal(answer(world)->answer, ANSWER_REJECT);
    assert_int_equal(answer(world)->reason, REASON_MISMATCH);
    assert_int_equal(steps_count_entries(&world->steps, MESSAGE_FORWARD), 0);
}

static void a_note_is_stored_then_answered_and_passed_on_with_its_text(void **state)
{
    struct broker_world *world = *state;
    world_owns(world, world_router, 100);
    world_send_submits(world, 1, 1);
    world_store(world);
    struct note note = {.ref = 4,
                        .ticket = answer(world)->ticket,
                        .key = bytes_of_text("12345678"),
                        .text = bytes_of_text("sigue roto")};

    struct header header = {.kind = MESSAGE_NOTE};
    steps_receive(&world->steps, world_client, &header, &note, 1);
    assert_null(steps_find_send(&world->steps, MESSAGE_NOTED, 0));
    world_store(world);

    assert_int_equal(steps_find_send(&world->steps, MESSAGE_NOTED, 0)->answered->ref, 4);
    const struct forward *forward = steps_find_send(&world->steps, MESSAGE_FORWARD, 0)->forward;
    assert_int_equal(forward->what, FORWARD_NOTE);
    assert_true(bytes_equal_text(forward->text, "sigue roto"));
}

static void a_note_on_a_closed_ticket_is_rejected(void **state)
{
    struct broker_world *world = *state;
    struct note note = {.ref = 4, .key = bytes_of_text("12345678")};
    struct header header = {.kind = MESSAGE_NOTE};

    steps_receive(&world->steps, world_client, &header, &note, 1);
    world_store_as(world, STORE_REFUSED);

    const struct answered *noted = steps_find_send(&world->steps, MESSAGE_NOTED, 0)->answered;
    assert_int_equal(noted->answer, ANSWER_REJECT);
    assert_int_equal(noted->reason, REASON_CLOSED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_submit_is_answered_only_after_its_commit),
        TEST(what_arrives_while_the_store_works_goes_in_one_batch),
        TEST(a_bad_entry_is_rejected_alone),
        TEST(an_unknown_queue_or_pool_or_skill_is_refused),
        TEST(a_rule_fills_in_what_was_left_out),
        TEST(a_ticket_that_matches_no_rule_goes_to_the_default_queue),
        TEST(a_full_batch_pushes_back_with_a_time_to_wait),
        TEST(bulk_is_pushed_back_before_people_are),
        cmocka_unit_test(one_client_cannot_have_more_unanswered_than_its_window),
        TEST(a_store_that_fails_is_told_as_busy),
        TEST(an_unknown_commit_gets_no_answer_and_one_resync),
        TEST(a_repeat_is_told_its_first_id_and_forwarded_again_while_it_waits),
        TEST(a_note_is_stored_then_answered_and_passed_on_with_its_text),
        TEST(a_note_on_a_closed_ticket_is_rejected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
