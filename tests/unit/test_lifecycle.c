#include "router/lifecycle.h"

#include "tests/unit/unit.h"

#define ANA 101U

static struct store_request request(enum store_kind kind)
{
    struct store_request made = {.kind = kind};
    made.move.attempt = 2;
    made.move.agent = ANA;
    made.move.seen = 1;
    return made;
}

static struct store_result refused(enum ticket_state state, uint32_t attempt, uint32_t agent)
{
    return (struct store_result){
        .status = STORE_REFUSED,
        .row = {.state = state, .attempt = attempt, .agent = agent, .msgs = 2}};
}

static enum lifecycle_ruling judged(const struct store_request *made, struct store_result result)
{
    return lifecycle_judge(made, &result, LIFECYCLE_BY_AGENT);
}

static void closed_tickets_do_not_move(void **state)
{
    const enum ticket_state closed[] = {TICKET_NONE, TICKET_DONE, TICKET_CANCELLED, TICKET_DEAD};
    (void) state;
    for (uint32_t i = 0; i < 4; i++) {
        assert_false(lifecycle_is_open(closed[i]));
        for (uint32_t move = 0; move < LIFECYCLE_MOVE_COUNT; move++) {
            assert_int_equal(lifecycle_next(closed[i], (enum lifecycle_move) move), TICKET_NONE);
        }
    }
}

static void the_table_holds_the_moves_of_the_protocol(void **state)
{
    (void) state;
    assert_int_equal(lifecycle_next(TICKET_SCHEDULED, LIFECYCLE_DUE), TICKET_QUEUED);
    assert_int_equal(lifecycle_next(TICKET_QUEUED, LIFECYCLE_ASSIGN), TICKET_ASSIGNED);
    assert_int_equal(lifecycle_next(TICKET_SCHEDULED, LIFECYCLE_ASSIGN), TICKET_NONE);
    assert_int_equal(lifecycle_next(TICKET_ASSIGNED, LIFECYCLE_COMPLETE), TICKET_DONE);
    assert_int_equal(lifecycle_next(TICKET_QUEUED, LIFECYCLE_COMPLETE), TICKET_DONE);
    assert_int_equal(lifecycle_next(TICKET_PARKED, LIFECYCLE_UNPARK), TICKET_QUEUED);
    assert_int_equal(lifecycle_next(TICKET_QUEUED, LIFECYCLE_PARK), TICKET_NONE);
    assert_int_equal(lifecycle_next(TICKET_ASSIGNED, LIFECYCLE_DEAD), TICKET_NONE);
    assert_int_equal(lifecycle_next(TICKET_QUEUED, LIFECYCLE_DEAD), TICKET_DEAD);
}

static void only_losses_raise_fails(void **state)
{
    const enum requeue_cause causes[] = {REQUEUE_GIVE_BACK,
                                         REQUEUE_GRACE_OVER,
                                         REQUEUE_NEVER_CONFIRMED,
                                         REQUEUE_HANDOFF,
                                         REQUEUE_NEW_MSGS,
                                         REQUEUE_UNPARKED};
    (void) state;
    for (uint32_t i = 0; i < 6; i++) {
        struct store_request made = request(STORE_REQUEUE);
        struct ticket_row row = {.state = TICKET_ASSIGNED, .attempt = 2, .agent = ANA, .rev = 4};
        made.move.cause = causes[i];

        lifecycle_apply(&made, &row);

        assert_int_equal(row.state, TICKET_QUEUED);
        assert_int_equal(row.fails, i < 3 ? 1 : 0);
        assert_int_equal(row.rev, 5);
        assert_int_equal(row.attempt, 2);
        assert_int_equal(row.agent, causes[i] == REQUEUE_HANDOFF ? 0 : ANA);
        assert_int_equal(row.person_requested, causes[i] == REQUEUE_HANDOFF);
    }
}

static void a_completion_of_the_present_attempt_that_missed_a_message_requeues(void **state)
{
    struct store_request made = request(STORE_COMPLETE);
    (void) state;
    assert_int_equal(judged(&made, refused(TICKET_ASSIGNED, 2, ANA)), LIFECYCLE_REQUEUE_FIRST);
    assert_int_equal(judged(&made, refused(TICKET_PARKED, 2, ANA)), LIFECYCLE_REQUEUE_FIRST);
    assert_int_equal(judged(&made, refused(TICKET_QUEUED, 2, ANA)), LIFECYCLE_NEW_MSGS);
}

static void a_completion_of_the_past_keeps_its_text(void **state)
{
    struct store_request made = request(STORE_COMPLETE);
    (void) state;
    assert_int_equal(judged(&made, refused(TICKET_ASSIGNED, 3, ANA + 1)), LIFECYCLE_KEEP_TEXT);
    assert_int_equal(judged(&made, refused(TICKET_QUEUED, 2, 0)), LIFECYCLE_KEEP_TEXT);
    assert_int_equal(judged(&made, refused(TICKET_CANCELLED, 2, ANA)), LIFECYCLE_KEEP_TEXT);
    assert_int_equal(judged(&made, refused(TICKET_DONE, 3, ANA)), LIFECYCLE_KEEP_TEXT);
}

static void a_repeated_final_message_is_done(void **state)
{
    struct store_request complete = request(STORE_COMPLETE);
    struct store_request park = request(STORE_PARK);
    struct store_request give_back = request(STORE_REQUEUE);
    struct store_request handoff = request(STORE_REQUEUE);
    (void) state;
    give_back.move.cause = REQUEUE_GIVE_BACK;
    handoff.move.cause = REQUEUE_HANDOFF;

    assert_int_equal(judged(&complete, refused(TICKET_DONE, 2, ANA)), LIFECYCLE_DONE);
    assert_int_equal(judged(&park, refused(TICKET_PARKED, 2, ANA)), LIFECYCLE_DONE);
    assert_int_equal(judged(&park, refused(TICKET_QUEUED, 2, ANA)), LIFECYCLE_DONE);
    assert_int_equal(judged(&give_back, refused(TICKET_QUEUED, 2, ANA)), LIFECYCLE_DONE);
    assert_int_equal(judged(&handoff, refused(TICKET_QUEUED, 2, 0)), LIFECYCLE_DONE);
}

static void what_is_not_the_agents_any_more_is_stale(void **state)
{
    struct store_request park = request(STORE_PARK);
    struct store_request give_back = request(STORE_REQUEUE);
    (void) state;
    assert_int_equal(judged(&park, refused(TICKET_ASSIGNED, 3, ANA)), LIFECYCLE_STALE);
    assert_int_equal(judged(&give_back, refused(TICKET_ASSIGNED, 3, ANA)), LIFECYCLE_STALE);
    assert_int_equal(judged(&give_back, (struct store_result){.status = STORE_ABSENT}),
                     LIFECYCLE_STALE);
}

static void a_park_that_missed_a_message_requeues(void **state)
{
    struct store_request park = request(STORE_PARK);
    (void) state;
    assert_int_equal(judged(&park, refused(TICKET_ASSIGNED, 2, ANA)), LIFECYCLE_REQUEUE_FIRST);
}

static void the_stores_troubles_are_told_apart(void **state)
{
    struct store_request made = request(STORE_COMPLETE);
    (void) state;
    assert_int_equal(judged(&made, (struct store_result){.status = STORE_FENCED}),
                     LIFECYCLE_SILENT);
    assert_int_equal(judged(&made, (struct store_result){.status = STORE_FAILED}), LIFECYCLE_RETRY);
    assert_int_equal(judged(&made, (struct store_result){.status = STORE_FULL}), LIFECYCLE_RETRY);
    assert_int_equal(judged(&made, (struct store_result){.status = STORE_UNCERTAIN}),
                     LIFECYCLE_REREAD);
}

static void what_the_owner_asked_for_is_judged_by_the_row_alone(void **state)
{
    struct store_request made = request(STORE_REQUEUE);
    struct store_result result = refused(TICKET_DONE, 2, ANA);
    (void) state;
    assert_int_equal(lifecycle_judge(&made, &result, LIFECYCLE_BY_OWNER), LIFECYCLE_BEHIND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closed_tickets_do_not_move),
        cmocka_unit_test(the_table_holds_the_moves_of_the_protocol),
        cmocka_unit_test(only_losses_raise_fails),
        cmocka_unit_test(a_completion_of_the_present_attempt_that_missed_a_message_requeues),
        cmocka_unit_test(a_completion_of_the_past_keeps_its_text),
        cmocka_unit_test(a_repeated_final_message_is_done),
        cmocka_unit_test(what_is_not_the_agents_any_more_is_stale),
        cmocka_unit_test(a_park_that_missed_a_message_requeues),
        cmocka_unit_test(the_stores_troubles_are_told_apart),
        cmocka_unit_test(what_the_owner_asked_for_is_judged_by_the_row_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
