#include "tests/unit/store_suite.h"
#include "tests/unit/unit.h"

/* The table of a ticket's life: every move, every guard, every repeat. */

static int setup(void **state)
{
    *state = suite_open(&(struct store_options){.sync = STORE_SYNC_OFF});
    return 0;
}

static int teardown(void **state)
{
    suite_close(*state);
    return 0;
}

static struct store_result move(struct suite *suite, struct store_request request)
{
    return suite_ask(suite, &request);
}

static struct store_request requeue(struct ticket_id ticket, enum requeue_cause cause)
{
    struct store_request request = suite_move(STORE_REQUEUE, ticket, 1);
    request.move.cause = cause;
    request.move.note = bytes_of_text("why");
    return request;
}

static void an_assign_brings_the_body_and_the_new_row(void **state)
{
    struct suite *suite = *state;
    struct ticket_id ticket = suite_ticket(suite, "key-00001");

    struct store_result result = move(suite, suite_move(STORE_ASSIGN, ticket, 1));

    assert_int_equal(result.status, STORE_DONE);
    assert_true(bytes_equal_text(result.body, "body"));
    assert_int_equal(result.row.state, TICKET_ASSIGNED);
    assert_int_equal(result.row.attempt, 1);
    assert_int_equal(result.row.agent, 5);
    assert_int_equal(result.row.site, 2);
    assert_int_equal(result.row.rev, 2);
}

static void an_assign_wants_the_next_attempt_of_a_queued_ticket(void **state)
{
    struct suite *suite = *state;
    struct ticket_id ticket = suite_ticket(suite, "key-00001");

    assert_int_equal(move(suite, suite_move(STORE_ASSIGN, ticket, 2)).status, STORE_REFUSED);
    assert_int_equal(move(suite, suite_move(STORE_ASSIGN, ticket, 0)).status, STORE_REFUSED);
    assert_int_equal(move(suite, suite_move(STORE_ASSIGN, ticket, 1)).status, STORE_DONE);
    struct store_result again = move(suite, suite_move(STORE_ASSIGN, ticket, 1));
    assert_int_equal(again.status, STORE_REFUSED);
    assert_int_equal(again.row.state, TICKET_ASSIGNED);
    assert_int_equal(again.row.attempt, 1);
    assert_int_equal(again.row.agent, 5);
    assert_int_equal(again.body.size, 0);
}

static void a_bot_never_gets_or_ends_what_asks_for_a_person(void **state)
{
    struct suite *suite = *state;
    struct ticket_id ticket = suite_assigned(suite, "key-00001");
    assert_int_equal(move(suite, requeue(ticket, REQUEUE_HANDOFF)).status, STORE_DONE);
    struct store_request assign = suite_move(STORE_ASSIGN, ticket, 2);

    assert_int_equal(suite_ask(suite, &assign).status, STORE_REFUSED);
    assign.move.agent_is_person = true;
    assert_int_equal(suite_ask(suite, &assign).status, STORE_DONE);

    struct store_request complete = suite_move(STORE_COMPLETE, ticket, 2);
    assert_int_equal(suite_ask(suite, &complete).status, STORE_REFUSED);
    complete.move.agent_is_person = true;
    assert_int_equal(suite_ask(suite, &complete).status, STORE_DONE);
}

static void a_complete_ends_the_ticket_and_its_repeat_is_a_duplicate(void **state)
{
    struct suite *suite = *state;
    struct ticket_id ticket = suite_assigned(suite, "key-00001");
    struct store_request complete = suite_move(STORE_COMPLETE, ticket, 1);
    complete.move.text = bytes_of_text("solved");

    assert_int_equal(suite_ask(suite, &complete).status, STORE_DONE);
    struct store_result again = suite_ask(suite, &complete);

    assert_int_equal(again.status, STORE_DUPLICATE);
    assert_int_equal(again.row.state, TICKET_DONE);
    struct load_request load = {.kind = LOAD_TICKET, .ticket = ticket};
    assert_true(bytes_equal_text(suite_load(suite, &load)->answer, "solved"));
}

static void a_complete_of_another_agent_or_attempt_is_refused(void **state)
{
    struct suite *suite = *state;
    struct ticket_id ticket = suite_assigned(suite, "key-00001");
    struct store_request other_agent = suite_move(STORE_COMPLETE, ticket, 1);
    other_agent.move.agent = 6;
    struct store_request other_attempt = suite_move(STORE_COMPLETE, ticket, 2);

    assert_int_equal(suite_ask(suite, &other_agent).status, STORE_REFUSED);
    assert_int_equal(suite_ask(suite, &other_attempt).status, STORE_REFUSED);
    assert_int_equal(suite_row(suite, ticket).state, TICKET_ASSIGNED);
}

static void a_late_complete_is_taken_while_nobody_newer_was_assigned(void **state)
{
    struct suite *suite = *state;
    struct ticket_id lost = suite_assigned(suite, "key-00001");
    struct ticket_id parked = suite_assigned(suite, "key-00002");
    assert_int_equal(move(suite, requeue(lost, REQUEUE_GRACE_OVER)).status, STORE_DONE);
    assert_int_equal(move(suite, suite_move(STORE_PARK, parked, 1)).status, STORE_DONE);

    assert_int_equal(move(suite, suite_move(STORE_COMPLETE, lost, 1)).status, STORE_DONE);
    assert_int_equal(move(suite, suite_move(STORE_COMPLETE, parked, 1)).status, STORE_DONE);
}

static void a_complete_is_stale_once_somebody_newer_was_assigned(void **state)
{
    struct suite *suite = *state;
    struct ticket_id ticket = suite_assigned(suite, "key-00001");
    assert_int_equal(move(suite, requeue(ticket, REQUEUE_GRACE_OVER)).status, STORE_DONE);
    struct store_request assign = suite_move(STORE_ASSIGN, ticket, 2);
    assign.move.agent = 6;
    assert_int_equal(suite_ask(suite, &assign).status, STORE_DONE);

    struct store_result late = move(suite, suite_move(STORE_COMPLETE, ticket, 1));

    assert_int_equal(late.status, STORE_REFUSED);
    assert_int_equal(late.row.attempt, 2);
    assert_int_equal(late.row.agent, 6);
}

static void an_unseen_message_holds_back_complete_and_park(void **state)
{
    struct suite *suite = *state;
    struct ticket_id ticket = suite_assigned(suite, "key-00001");
    struct store_request message = {
        .kind = STORE_MESSAGE, .ticket = ticket, .message = {.key = bytes_of_text("message-1")}};
    assert_int_equal(suite_ask(suite, &message).status, STORE_DONE);

    struct store_result complete = move(suite, suite_move(STORE_COMPLETE, ticket, 1));
    struct store_result park = move(suite, suite_move(STORE_PARK, ticket, 1));
    assert_int_equal(complete.status, STORE_REFUSED);
    assert_int_equal(complete.row.msgs, 2);
    assert_int_equal(park.status, STORE_REFUSED);

    struct store_result back = move(suite, requeue(ticket, REQUEUE_NEW_MSGS));
    assert_int_equal(back.status, STORE_DONE);
    assert_int_equal(back.row.agent, 5);
    assert_int_equal(back.row.fails, 0);
}

static void a_park_is_a_duplicate_wherever_its_ticket_went_since(void **state)
{
    struct suite *suite = *state;
    struct ticket_id ticket = suite_assigned(suite, "key-00001");
    struct store_request park = suite_move(STORE_PARK, ticket, 1);

    assert_int_equal(suite_ask(suite, &park).status, STORE_DONE);
    assert_int_equal(suite_ask(suite, &park).status, STORE_DUPLICATE);
    assert_int_equal(move(suite, requeue(ticket, REQUEUE_UNPARKED)).status, STORE_DONE);
    struct store_result after = suite_ask(suite, &park);
    assert_int_equal(after.status, STORE_DUPLICATE);
    assert_int_equal(after.row.state, TICKET_QUEUED);
    park.move.agent = 6;
    assert_int_equal(suite_ask(suite, &park).status, STORE_REFUSED);
}

static void a_loss_counts_as_a_fail_and_keeps_the_agent(void **state)
{
    struct suite *suite = *state;
    static const enum requeue_cause losses[] = {
        REQUEUE_GIVE_BACK, REQUEUE_GRACE_OVER, REQUEUE_NEVER_CONFIRMED};
    static const char *const keys[] = {"key-00001", "key-00002", "key-00003"};
    for (uint32_t i = 0; i < 3; i++) {
        struct ticket_id ticket = suite_assigned(suite, keys[i]);
        atomic_fetch_add(&suite->now_us, 10);

        struct store_result result = move(suite, requeue(ticket, losses[i]));

        assert_int_equal(result.status, STORE_DONE);
        assert_int_equal(result.row.state, TICKET_QUEUED);
        assert_int_equal(result.row.fails, 1);
        assert_int_equal(result.row.agent, 5);
        assert_int_equal(result.row.attempt, 1);
        assert_int_equal(result.row.queued_us, result.row.created_us + 10);
        assert_int_equal(move(suite, requeue(ticket, losses[i])).status, STORE_DUPLICATE);
    }
}

static void a_handoff_clears_the_agent_and_asks_for_a_person(void **state)
{
    struct suite *suite = *state;
    struct ticket_id ticket = suite_assigned(suite, "key-00001");

    struct store_result result = move(suite, requeue(ticket, REQUEUE_HANDOFF));

    assert_int_equal(result.status, STORE_DONE);
    assert_int_equal(result.row.agent, 0);
    assert_int_equal(result.row.site, 0);
    assert_int_equal(result.row.fails, 0);
    assert_true(result.row.person_requested);
    assert_int_equal(move(suite, requeue(ticket, REQUEUE_HANDOFF)).status, STORE_DUPLICATE);
}

static void a_requeue_wants_the_very_work_it_names(void **state)
{
    struct suite *suite = *state;
    struct ticket_id ticket = suite_assigned(suite, "key-00001");
    struct store_request other = requeue(ticket, REQUEUE_GRACE_OVER);
    other.move.attempt = 2;
    assert_int_equal(suite_ask(suite, &other).status, STORE_REFUSED);
    other = requeue(ticket, REQUEUE_GRACE_OVER);
    other.move.agent = 6;
    assert_int_equal(suite_ask(suite, &other).status, STORE_REFUSED);
    assert_int_equal(move(suite, requeue(ticket, REQUEUE_UNPARKED)).status, STORE_REFUSED);
}

static void a_cancel_ends_every_open_state_and_no_closed_one(void **state)
{
    struct suite *suite = *state;
    struct ticket_id queued = suite_ticket(suite, "key-00001");
    struct ticket_id assigned = suite_assigned(suite, "key-00002");
    struct ticket_id done = suite_assigned(suite, "key-00003");
    assert_int_equal(move(suite, suite_move(STORE_COMPLETE, done, 1)).status, STORE_DONE);

    assert_int_equal(move(suite, suite_move(STORE_CANCEL, queued, 0)).status, STORE_DONE);
    assert_int_equal(move(suite, suite_move(STORE_CANCEL, queued, 0)).status, STORE_DUPLICATE);
    assert_int_equal(move(suite, suite_move(STORE_CANCEL, assigned, 0)).status, STORE_DONE);
    struct store_result refused = move(suite, suite_move(STORE_CANCEL, done, 0));
    assert_int_equal(refused.status, STORE_REFUSED);
    assert_int_equal(refused.row.state, TICKET_DONE);
}

static void a_ticket_is_dead_only_after_its_fails(void **state)
{
    struct suite *suite = *state;
    struct ticket_id ticket = suite_assigned(suite, "key-00001");
    assert_int_equal(move(suite, requeue(ticket, REQUEUE_GIVE_BACK)).status, STORE_DONE);
    struct store_request dead = suite_move(STORE_DEAD, ticket, 1);
    dead.move.max_fails = 2;

    assert_int_equal(suite_ask(suite, &dead).status, STORE_REFUSED);
    dead.move.max_fails = 1;
    assert_int_equal(suite_ask(suite, &dead).status, STORE_DONE);
    struct store_result again = suite_ask(suite, &dead);
    assert_int_equal(again.status, STORE_REFUSED);
    assert_int_equal(again.row.state, TICKET_DEAD);
}

static void a_scheduled_ticket_is_queued_when_it_is_due(void **state)
{
    struct suite *suite = *state;
    struct store_request submit = suite_submit(suite, "key-00001", "body");
    submit.submit.due_us = SUITE_START_US + 1000;
    struct store_result result = suite_ask(suite, &submit);
    assert_int_equal(result.row.state, TICKET_SCHEDULED);
    struct store_request due = suite_move(STORE_DUE, submit.ticket, 0);

    assert_int_equal(suite_ask(suite, &due).status, STORE_REFUSED);
    assert_int_equal(move(suite, suite_move(STORE_ASSIGN, submit.ticket, 1)).status, STORE_REFUSED);
    atomic_fetch_add(&suite->now_us, 1000);
    result = suite_ask(suite, &due);
    assert_int_equal(result.status, STORE_DONE);
    assert_int_equal(result.row.state, TICKET_QUEUED);
    assert_int_equal(result.row.queued_us, SUITE_START_US + 1000);
    assert_int_equal(suite_ask(suite, &due).status, STORE_REFUSED);
}

static void a_note_is_kept_once(void **state)
{
    struct suite *suite = *state;
    struct ticket_id ticket = suite_assigned(suite, "key-00001");
    assert_int_equal(move(suite, suite_move(STORE_CANCEL, ticket, 0)).status, STORE_DONE);
    struct store_request note = suite_move(STORE_NOTE, ticket, 1);
    note.move.text = bytes_of_text("too late");

    assert_int_equal(suite_ask(suite, &note).status, STORE_DONE);
    struct store_result again = suite_ask(suite, &note);

    assert_int_equal(again.status, STORE_DONE);
    assert_int_equal(again.row.rev, 4);
    struct load_request load = {.kind = LOAD_TICKET, .ticket = ticket};
    const struct load_page *page = suite_load(suite, &load);
    assert_int_equal(page->history_count, 4);
    assert_int_equal(page->history[3].kind, HISTORY_NOTE);
    assert_true(bytes_equal_text(page->history[3].detail, "too late"));
}

int main(void)
{
#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        STORE_TEST(an_assign_brings_the_body_and_the_new_row),
        STORE_TEST(an_assign_wants_the_next_attempt_of_a_queued_ticket),
        STORE_TEST(a_bot_never_gets_or_ends_what_asks_for_a_person),
        STORE_TEST(a_complete_ends_the_ticket_and_its_repeat_is_a_duplicate),
        STORE_TEST(a_complete_of_another_agent_or_attempt_is_refused),
        STORE_TEST(a_late_complete_is_taken_while_nobody_newer_was_assigned),
        STORE_TEST(a_complete_is_stale_once_somebody_newer_was_assigned),
        STORE_TEST(an_unseen_message_holds_back_complete_and_park),
        STORE_TEST(a_park_is_a_duplicate_wherever_its_ticket_went_since),
        STORE_TEST(a_loss_counts_as_a_fail_and_keeps_the_agent),
        STORE_TEST(a_handoff_clears_the_agent_and_asks_for_a_person),
        STORE_TEST(a_requeue_wants_the_very_work_it_names),
        STORE_TEST(a_cancel_ends_every_open_state_and_no_closed_one),
        STORE_TEST(a_ticket_is_dead_only_after_its_fails),
        STORE_TEST(a_scheduled_ticket_is_queued_when_it_is_due),
        STORE_TEST(a_note_is_kept_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
