#include "tests/unit/site.h"

static const struct address berta = {.link = LINK_DESK, .peer = 1};

static void say_accept(struct site *site, uint64_t ticket, uint32_t attempt)
{
    struct accept accept = {.ticket = site_ticket(ticket), .attempt = attempt};
    struct header header = {.kind = MESSAGE_DESK_ACCEPT};
    steps_receive(&site->steps, berta, &header, &accept, 1);
}

static void say_available(struct site *site, struct address desk, bool is_available)
{
    struct avail avail = {.agent = (uint32_t) desk.peer, .is_available = is_available};
    steps_receive(&site->steps, desk, &(struct header){.kind = MESSAGE_AVAIL}, &avail, 1);
}

static void a_person_is_asked_before_anything_is_accepted(void **state)
{
    struct site *site = *state;

    site_offer(site, 1, 1, SITE_BERTA);
    const struct message *asked = steps_find_send_to(&site->steps, MESSAGE_DESK_OFFER, berta);
    assert_non_null(asked);
    assert_int_equal(asked->offer[0].agent, 1);
    assert_true(bytes_equal_text(asked->offer[0].queue_name, "aceras"));
    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_ACCEPT), 0);
    say_accept(site, 1, 1);

    const struct message *accept = steps_find_send_to(&site->steps, MESSAGE_ACCEPT, site_broker);
    assert_non_null(accept);
    assert_int_equal(accept->accept[0].agent, SITE_BERTA);
    assert_int_equal(accept->accept[0].offer, 901);
    assert_int_equal(accept->accept[0].epoch, SITE_EPOCH);
}

static void a_person_who_declines_frees_the_slot(void **state)
{
    struct site *site = *state;
    struct decline no = {
        .ticket = site_ticket(1), .attempt = 1, .agent = 1, .reason = DECLINE_REFUSED};
    site_offer(site, 1, 1, SITE_BERTA);

    steps_receive(&site->steps, berta, &(struct header){.kind = MESSAGE_DESK_DECLINE}, &no, 1);

    const struct message *decline = steps_find_send(&site->steps, MESSAGE_DECLINE, 0);
    assert_int_equal(decline->decline[0].reason, DECLINE_REFUSED);
    assert_int_equal(decline->decline[0].agent, SITE_BERTA);
    assert_int_equal(decline->decline[0].offer, 901);
    const struct message *avail = steps_find_send(&site->steps, MESSAGE_AVAIL, 0);
    assert_int_equal(avail->avail[0].free, 1);
}

static void a_person_who_does_not_answer_in_time_is_told_to_forget_it(void **state)
{
    struct site *site = *state;
    site_offer(site, 1, 1, SITE_BERTA);

    steps_wait(&site->steps, 19999);
    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_DECLINE), 0);
    site_welcome(site, site_broker); /* still alive */
    steps_wait(&site->steps, 1);

    const struct message *decline = steps_find_send(&site->steps, MESSAGE_DECLINE, 0);
    assert_int_equal(decline->decline[0].reason, DECLINE_EXPIRED);
    assert_non_null(steps_find_send_to(&site->steps, MESSAGE_DESK_DROP, berta));
    say_accept(site, 1, 1);
    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_ACCEPT), 0);
}

static void the_desk_sees_the_agents_index_and_the_owner_its_id(void **state)
{
    struct site *site = *state;
    site_work(site, 1, 1, SITE_ANA);

    const struct message *work = steps_find_send_to(&site->steps, MESSAGE_DESK_WORK, site_ana);
    assert_non_null(work);
    assert_int_equal(work->confirm[0].agent, 0);
    assert_true(bytes_equal_text(work->confirm[0].body, "a hole in the pavement"));
    site_result(site, 1, 1, 0, OUTCOME_COMPLETE, "mended");
    site_write(site);

    const struct message *outcome = steps_find_send(&site->steps, MESSAGE_OUTCOME, 0);
    assert_int_equal(outcome->outcome[0].agent, SITE_ANA);
    assert_int_equal(outcome->outcome[0].seen, 1);
    assert_int_equal(outcome->header.part, SITE_PART);
    assert_true(bytes_equal_text(outcome->outcome[0].text, "mended"));
}

static void results_of_what_is_not_in_hand_are_ignored(void **state)
{
    struct site *site = *state;
    site_work(site, 1, 2, SITE_ANA);

    site_result(site, 1, 1, 0, OUTCOME_COMPLETE, "of an older attempt");
    assert_int_equal(site->steps.count, 0);
    site_result(site, 9, 1, 0, OUTCOME_COMPLETE, "of another ticket");
    assert_int_equal(site->steps.count, 0);
    site_result(site, 1, 2, 2, OUTCOME_COMPLETE, "of another agent");
    assert_int_equal(site->steps.count, 0);
    site_result(site, 1, 2, 77, OUTCOME_COMPLETE, "of nobody");
    assert_int_equal(site->steps.count, 0);

    site_result(site, 1, 2, 0, OUTCOME_COMPLETE, "the right one");
    assert_int_equal(steps_count(&site->steps, EFFECT_STORE), 1);
}

static void an_answer_that_is_too_large_gives_the_ticket_back(void **state)
{
    struct site *site = *state;
    static uint8_t text[BODY_BYTES_MAX + 1];
    struct outcome outcome = {
        .ticket = site_ticket(1), .attempt = 1, .text = bytes_of(text, sizeof text)};
    site_work(site, 1, 1, SITE_ANA);

    steps_receive(
        &site->steps, site_ana, &(struct header){.kind = MESSAGE_DESK_RESULT}, &outcome, 1);
    site_write(site);

    const struct message *sent = steps_find_send(&site->steps, MESSAGE_OUTCOME, 0);
    assert_int_equal(sent->outcome[0].what, OUTCOME_GIVE_BACK);
    assert_true(sent->outcome[0].note.size > 0);
}

static void say_note(struct site *site, uint32_t msgs)
{
    struct note_in note = {.ticket = site_ticket(1),
                           .attempt = 1,
                           .agent = SITE_ANA,
                           .msgs = msgs,
                           .text = bytes_of_text("it is by the school")};
    site_say(site, MESSAGE_NOTE_IN, &note, 1);
}

static void a_note_is_shown_once_and_counts_as_seen(void **state)
{
    struct site *site = *state;
    site_work(site, 1, 1, SITE_ANA);

    say_note(site, 2);
    const struct message *shown = steps_find_send_to(&site->steps, MESSAGE_DESK_NOTE, site_ana);
    assert_true(bytes_equal_text(shown->note_in[0].text, "it is by the school"));
    say_note(site, 2);
    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_DESK_NOTE), 0);

    site_result(site, 1, 1, 0, OUTCOME_COMPLETE, "mended");
    site_write(site);
    const struct message *outcome = steps_find_send(&site->steps, MESSAGE_OUTCOME, 0);
    assert_int_equal(outcome->outcome[0].seen, 2);
}

static void after_a_lost_note_the_outcome_does_not_claim_to_know_it(void **state)
{
    struct site *site = *state;
    site_work(site, 1, 1, SITE_ANA);

    say_note(site, 3);
    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_DESK_NOTE), 1);

    site_result(site, 1, 1, 0, OUTCOME_COMPLETE, "mended");
    site_write(site);
    const struct message *outcome = steps_find_send(&site->steps, MESSAGE_OUTCOME, 0);
    assert_int_equal(outcome->outcome[0].seen, 1);
}

static void a_desk_that_saw_less_says_so(void **state)
{
    struct site *site = *state;
    struct outcome outcome = {.ticket = site_ticket(1), .attempt = 1, .seen = 1};
    site_work(site, 1, 1, SITE_ANA);
    say_note(site, 2);

    steps_receive(
        &site->steps, site_ana, &(struct header){.kind = MESSAGE_DESK_RESULT}, &outcome, 1);
    site_write(site);

    const struct message *sent = steps_find_send(&site->steps, MESSAGE_OUTCOME, 0);
    assert_int_equal(sent->outcome[0].seen, 1);
}

static void an_agent_may_pause(void **state)
{
    struct site *site = *state;

    say_available(site, site_ana, false);
    const struct message *avail = steps_find_send(&site->steps, MESSAGE_AVAIL, 0);
    assert_int_equal(avail->avail[0].agent, SITE_ANA);
    assert_false(avail->avail[0].is_available);
    assert_int_equal(avail->header.part, PART_ALL);
    site_offer(site, 1, 1, SITE_ANA);
    const struct message *decline = steps_find_send(&site->steps, MESSAGE_DECLINE, 0);
    assert_int_equal(decline->decline[0].reason, DECLINE_UNAVAILABLE);

    say_available(site, site_ana, true);
    site_offer(site, 2, 1, SITE_ANA);
    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_ACCEPT), 1);
}

static void work_of_a_lost_desk_is_kept_and_shown_again(void **state)
{
    struct site *site = *state;
    site_work(site, 1, 1, SITE_ANA);

    steps_link_down(&site->steps, site_ana);
    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_ACCEPT), 0);
    say_available(site, site_ana, true);
    const struct message *accept = steps_find_send(&site->steps, MESSAGE_ACCEPT, 0);
    assert_non_null(accept); /* it asks for the payload */
    site_confirm(site, 1, 1, SITE_ANA);

    assert_non_null(steps_find_send_to(&site->steps, MESSAGE_DESK_WORK, site_ana));
    assert_int_equal(site_metric(site, "ventanilla_agentd_slots_used", ""), 1);
}

#define SITE_TEST(name) cmocka_unit_test_setup_teardown(name, site_setup_up, site_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SITE_TEST(a_person_is_asked_before_anything_is_accepted),
        SITE_TEST(a_person_who_declines_frees_the_slot),
        SITE_TEST(a_person_who_does_not_answer_in_time_is_told_to_forget_it),
        SITE_TEST(the_desk_sees_the_agents_index_and_the_owner_its_id),
        SITE_TEST(results_of_what_is_not_in_hand_are_ignored),
        SITE_TEST(an_answer_that_is_too_large_gives_the_ticket_back),
        SITE_TEST(a_note_is_shown_once_and_counts_as_seen),
        SITE_TEST(after_a_lost_note_the_outcome_does_not_claim_to_know_it),
        SITE_TEST(a_desk_that_saw_less_says_so),
        SITE_TEST(an_agent_may_pause),
        SITE_TEST(work_of_a_lost_desk_is_kept_and_shown_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
