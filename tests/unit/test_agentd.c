#include "agentd/journal.h"
#include "tests/unit/site.h"

/* Keeps the broker awake over a longer wait. */
static void wait_alive(struct site *site, int64_t ms)
{
    for (int64_t left_ms = ms; left_ms > 0; left_ms -= 1000) {
        steps_receive(&site->steps, site_broker, &(struct header){.kind = MESSAGE_PING}, NULL, 0);
        steps_wait(&site->steps, left_ms < 1000 ? left_ms : 1000);
    }
}

static void measuring_says_what_opening_takes(void **state)
{
    struct site *site = *state;
    struct arena measure;
    arena_init_measuring(&measure);

    assert_null(agentd_open(&measure, &site->options));

    assert_true(measure.used > 0);
    assert_true(measure.used == site->steps.arena.used);
}

static void a_program_takes_the_offer_at_once(void **state)
{
    struct site *site = *state;

    site_offer(site, 1, 1, SITE_ANA);

    const struct message *accept = steps_find_send(&site->steps, MESSAGE_ACCEPT, 0);
    assert_int_equal(accept->header.part, SITE_PART);
    assert_int_equal(accept->accept[0].attempt, 1);
    const struct message *avail = steps_find_send(&site->steps, MESSAGE_AVAIL, 0);
    assert_int_equal(avail->avail[0].agent, SITE_ANA);
    assert_int_equal(avail->avail[0].free, 1);
}

static void an_agent_without_a_free_slot_declines(void **state)
{
    struct site *site = *state;
    site_offer(site, 1, 1, SITE_CARLOS);

    site_offer(site, 2, 1, SITE_CARLOS);

    assert_int_equal(site_declined(site)->reason, DECLINE_BUSY);
    assert_int_equal(site_declined(site)->free, 0);
    site_offer(site, 3, 1, 999);
    assert_int_equal(site_declined(site)->reason, DECLINE_UNAVAILABLE);
}

static void accept_is_repeated_until_the_reservation_ends(void **state)
{
    struct site *site = *state;
    site_offer(site, 1, 1, SITE_CARLOS);

    steps_wait(&site->steps, 1000);
    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_ACCEPT), 1);
    wait_alive(site, 23999);
    site_offer(site, 2, 1, SITE_CARLOS);
    assert_int_equal(site_declined(site)->reason, DECLINE_BUSY);
    steps_wait(&site->steps, 1);

    site_offer(site, 3, 1, SITE_CARLOS);
    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_ACCEPT), 1);
    assert_int_equal(site_metric(site, "ventanilla_agentd_reservations_expired_total", ""), 1);
}

static void work_is_shown_only_after_it_is_in_the_journal(void **state)
{
    struct site *site = *state;
    site_offer(site, 1, 1, SITE_ANA);
    site_write(site);

    site_confirm(site, 1, 1, SITE_ANA);
    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_DESK_WORK), 0);
    const struct effect *store = steps_find(&site->steps, EFFECT_STORE, 0);
    assert_int_equal(store->store.requests[0].journal.kind, JOURNAL_WORKING);
    site_write(site);

    assert_non_null(steps_find_send_to(&site->steps, MESSAGE_DESK_WORK, site_ana));
    wait_alive(site, 10000);
    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_ACCEPT), 0);
}

static void a_repeated_confirm_starts_nothing_twice(void **state)
{
    struct site *site = *state;
    site_work(site, 1, 1, SITE_ANA);

    site_confirm(site, 1, 1, SITE_ANA);

    assert_int_equal(site->steps.count, 0);
}

static void an_outcome_is_journalled_before_it_is_sent_and_frees_the_slot(void **state)
{
    struct site *site = *state;
    site_work(site, 1, 1, SITE_CARLOS);

    site_result(site, 1, 1, 2, OUTCOME_COMPLETE, "mended");
    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_OUTCOME), 0);
    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_AVAIL), 0);
    site_write(site);

    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_OUTCOME), 1);
    const struct message *avail = steps_find_send(&site->steps, MESSAGE_AVAIL, 0);
    assert_int_equal(avail->avail[0].free, 1);
}

static void an_outcome_is_repeated_until_its_verdict(void **state)
{
    struct site *site = *state;
    site_work(site, 1, 1, SITE_ANA);
    site_result(site, 1, 1, 0, OUTCOME_COMPLETE, "mended");
    site_write(site);

    steps_wait(&site->steps, 1000);
    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_OUTCOME), 1);
    site_verdict(site, 1, 2, OUTCOME_COMPLETE, VERDICT_ACK); /* of another attempt */
    assert_null(steps_find(&site->steps, EFFECT_STORE, 0));
    site_verdict(site, 1, 1, OUTCOME_PARK, VERDICT_ACK); /* of another outcome */
    assert_null(steps_find(&site->steps, EFFECT_STORE, 0));
    site_verdict(site, 1, 1, OUTCOME_COMPLETE, VERDICT_STALE);

    const struct effect *store = steps_find(&site->steps, EFFECT_STORE, 0);
    assert_int_equal(store->store.requests[0].kind, STORE_JOURNAL_DROP);
    assert_int_equal(store->store.requests[0].journal.kind, JOURNAL_OUTCOME);
    site_write(site);
    wait_alive(site, 40000);
    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_OUTCOME), 0);
    assert_int_equal(site_metric(site, "ventanilla_agentd_outcomes_waiting", ""), 0);
}

static void a_release_stops_work_but_never_an_outcome(void **state)
{
    struct site *site = *state;
    site_work(site, 1, 1, SITE_ANA);
    site_work(site, 2, 1, SITE_ANA);
    site_result(site, 2, 1, 0, OUTCOME_COMPLETE, "mended");
    site_write(site);

    site_release(site, 1, 1, SITE_ANA);
    assert_non_null(steps_find_send_to(&site->steps, MESSAGE_DESK_DROP, site_ana));
    const struct effect *store = steps_find(&site->steps, EFFECT_STORE, 0);
    assert_int_equal(store->store.requests[0].journal.kind, JOURNAL_WORKING);
    site_write(site);
    site_release(site, 2, 1, SITE_ANA);

    assert_int_equal(site->steps.count, 0);
    assert_int_equal(site_metric(site, "ventanilla_agentd_outcomes_waiting", ""), 1);
    assert_int_equal(site_metric(site, "ventanilla_agentd_slots_used", ""), 0);
}

static void a_release_before_the_work_is_written_shows_nothing(void **state)
{
    struct site *site = *state;
    site_offer(site, 1, 1, SITE_ANA);
    site_write(site);
    site_confirm(site, 1, 1, SITE_ANA);
    const struct effect store = *steps_find(&site->steps, EFFECT_STORE, 0);
    struct store_result result = {.status = STORE_DONE};

    site_release(site, 1, 1, SITE_ANA);
    steps_stored(&site->steps, store.store.token, &result, 1);

    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_DESK_WORK), 0);
    const struct effect *drop = steps_find(&site->steps, EFFECT_STORE, 0);
    assert_int_equal(drop->store.requests[0].kind, STORE_JOURNAL_DROP);
    site_write(site);
    assert_int_equal(site_metric(site, "ventanilla_agentd_slots_used", ""), 0);
}

static void a_confirm_without_reservation_is_worked_if_a_slot_is_free(void **state)
{
    struct site *site = *state;

    site_confirm(site, 1, 1, SITE_CARLOS);
    site_write(site);
    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_DESK_WORK), 1);
    site_confirm(site, 2, 1, SITE_CARLOS);
    site_write(site);

    const struct message *outcome = steps_find_send(&site->steps, MESSAGE_OUTCOME, 0);
    assert_int_equal(outcome->outcome[0].what, OUTCOME_GIVE_BACK);
    assert_int_equal(outcome->outcome[0].agent, SITE_CARLOS);
    assert_int_equal(site_metric(site, "ventanilla_agentd_slots_used", ""), 1);
}

static void a_confirm_that_was_overtaken_does_not_repeat_finished_work(void **state)
{
    struct site *site = *state;
    site_work(site, 1, 1, SITE_ANA);
    site_result(site, 1, 1, 0, OUTCOME_COMPLETE, "mended");
    site_write(site);
    site_verdict(site, 1, 1, OUTCOME_COMPLETE, VERDICT_ACK);
    site_write(site);

    site->seq -= 2;
    site_confirm(site, 1, 1, SITE_ANA);

    assert_int_equal(site->steps.count, 0);
}

static void a_repeated_offer_is_accepted_again_in_one_slot(void **state)
{
    struct site *site = *state;
    site_offer(site, 1, 1, SITE_ANA);

    site_offer(site, 1, 1, SITE_ANA);

    assert_int_equal(steps_count_entries(&site->steps, MESSAGE_ACCEPT), 1);
    assert_int_equal(site_metric(site, "ventanilla_agentd_slots_used", ""), 1);
}

static void a_new_attempt_is_refused_while_the_old_outcome_waits(void **state)
{
    struct site *site = *state;
    site_work(site, 1, 1, SITE_ANA);
    site_result(site, 1, 1, 0, OUTCOME_COMPLETE, "mended");
    site_write(site);

    site_offer(site, 1, 2, SITE_ANA);
    assert_int_equal(site_declined(site)->reason, DECLINE_BUSY);
    site_verdict(site, 1, 1, OUTCOME_COMPLETE, VERDICT_NEW_MSGS);
    site_offer(site, 1, 2, SITE_ANA); /* the drop is still being written */

    assert_int_equal(steps_count_entries(&site->steps, MESSAGE_ACCEPT), 1);
}

static void a_deposed_owner_is_not_listened_to(void **state)
{
    struct site *site = *state;
    site_offer(site, 1, 1, SITE_ANA);
    const struct effect *store = steps_find(&site->steps, EFFECT_STORE, 0);
    assert_int_equal(store->store.requests[0].journal.kind, JOURNAL_EPOCH);
    assert_int_equal(store->store.requests[0].journal.a, SITE_PART);
    site_write(site);

    site->epoch = SITE_EPOCH - 1;
    site_confirm(site, 1, 1, SITE_ANA);
    assert_int_equal(site->steps.count, 0);
    site_offer(site, 2, 1, SITE_ANA);

    assert_int_equal(site->steps.count, 0);
}

static void a_journal_that_fails_stops_accepting_and_loses_nothing(void **state)
{
    struct site *site = *state;
    site_work(site, 1, 1, SITE_ANA);
    site_result(site, 1, 1, 0, OUTCOME_COMPLETE, "mended");

    site_write_status(site, STORE_FULL);
    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_OUTCOME), 0);
    site_offer(site, 2, 1, SITE_CARLOS);
    assert_int_equal(site_declined(site)->reason, DECLINE_UNAVAILABLE);
    steps_wait(&site->steps, 100);
    site_write(site);

    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_OUTCOME), 1);
    site_offer(site, 3, 1, SITE_CARLOS);
    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_ACCEPT), 1);
}

static void everything_held_survives_a_change_of_session(void **state)
{
    struct site *site = *state;
    struct address second = {.link = LINK_BROKERS, .peer = 1};
    site_work(site, 1, 1, SITE_ANA);
    site_result(site, 1, 1, 0, OUTCOME_COMPLETE, "mended");
    site_write(site);
    site_work(site, 2, 1, SITE_ANA);

    steps_link_down(&site->steps, site_broker);
    const struct message *held = steps_find_send_to(&site->steps, MESSAGE_HELD, second);
    assert_int_equal(held->count, 2);
    assert_int_equal(steps_find_send(&site->steps, MESSAGE_HELLO, 0)->hello[0].held_count, 2);
    steps_wait(&site->steps, 400);
    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_OUTCOME), 0);
    site_welcome(site, second);

    assert_non_null(steps_find_send_to(&site->steps, MESSAGE_OUTCOME, second));
    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_DESK_DROP), 0);
    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_DESK_WORK), 0);
}

static void beats_carry_the_digest_of_what_is_held(void **state)
{
    struct site *site = *state;
    site_work(site, 1, 1, SITE_ANA);
    struct held held = {
        .part = SITE_PART, .ticket = site_ticket(1), .attempt = 1, .agent = SITE_ANA};

    steps_wait(&site->steps, 1000);

    const struct message *beat = steps_find_send(&site->steps, MESSAGE_BEAT, 0);
    assert_int_equal(beat->header.part, SITE_PART);
    assert_int_equal(beat->header.seq, site->seq);
    assert_int_equal(beat->beat[0].held_count, 1);
    assert_true(beat->beat[0].digest == held_digest(&held));
}

static void an_idle_site_gives_every_owner_a_sign_of_life(void **state)
{
    struct site *site = *state;

    steps_wait(&site->steps, 5000);

    const struct message *beat = steps_find_send(&site->steps, MESSAGE_BEAT, 0);
    assert_int_equal(beat->header.part, PART_ALL);
    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_BEAT), 1);
    wait_alive(site, 24999);
    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_AVAIL), 0);
    steps_wait(&site->steps, 1);
    assert_int_equal(steps_count_entries(&site->steps, MESSAGE_AVAIL), 3);
}

static void an_owner_that_asks_gets_the_list_of_its_part(void **state)
{
    struct site *site = *state;
    site_work(site, 1, 1, SITE_ANA);

    site_say(site, MESSAGE_HELD_ASK, NULL, 0);
    const struct message *held = steps_find_send(&site->steps, MESSAGE_HELD, 0);
    assert_int_equal(held->count, 1);
    assert_int_equal(held->header.part, SITE_PART);
    assert_int_equal(held->header.seq, site->seq);
    assert_int_equal(held->held[0].state, HELD_WORKING);
    site_release(site, 1, 1, SITE_ANA);
    site_say(site, MESSAGE_HELD_ASK, NULL, 0);

    held = steps_find_send(&site->steps, MESSAGE_HELD, 0);
    assert_int_equal(held->count, 0);
    assert_int_equal(held->header.flags, HEADER_FIRST | HEADER_LAST);
}

static void a_full_table_accepts_no_more(void **state)
{
    struct site *site = *state;
    for (uint64_t i = 0; i < 64; i++) {
        site_work(site, i, 1, SITE_ANA);
        site_result(site, i, 1, 0, OUTCOME_COMPLETE, "mended");
        site_write(site);
    }

    site_offer(site, 100, 1, SITE_ANA);
    assert_int_equal(site_declined(site)->reason, DECLINE_BUSY);
    site_verdict(site, 5, 1, OUTCOME_COMPLETE, VERDICT_ACK);
    site_write(site);
    site_offer(site, 101, 1, SITE_ANA);

    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_ACCEPT), 1);
}

static void checks_and_agents_are_reported(void **state)
{
    struct site *site = *state;
    site_work(site, 1, 1, SITE_ANA);

    site_query(site, QUERY_CHECKS);
    assert_true(site_reply(site, ROW_CHECK, 0)->check.is_ok);
    assert_int_equal(site_reply(site, ROW_END, 0)->ref, 5);
    site_query(site, QUERY_AGENTS);
    const struct reply *row = site_reply(site, ROW_AGENT, 0);
    assert_true(bytes_equal_text(row->agent.name, "ana"));
    assert_int_equal(row->agent.busy, 1);
    assert_int_equal(row->agent.capacity, 2);
    assert_non_null(site_reply(site, ROW_AGENT, 2));
    steps_link_down(&site->steps, site_broker);
    site_query(site, QUERY_CHECKS);
    assert_false(site_reply(site, ROW_CHECK, 0)->check.is_ok);
}

#define NEW_TEST(name) cmocka_unit_test_setup_teardown(name, site_setup, site_teardown)
#define UP_TEST(name) cmocka_unit_test_setup_teardown(name, site_setup_up, site_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NEW_TEST(measuring_says_what_opening_takes),
        UP_TEST(a_program_takes_the_offer_at_once),
        UP_TEST(an_agent_without_a_free_slot_declines),
        UP_TEST(accept_is_repeated_until_the_reservation_ends),
        UP_TEST(work_is_shown_only_after_it_is_in_the_journal),
        UP_TEST(a_repeated_confirm_starts_nothing_twice),
        UP_TEST(an_outcome_is_journalled_before_it_is_sent_and_frees_the_slot),
        UP_TEST(an_outcome_is_repeated_until_its_verdict),
        UP_TEST(a_release_stops_work_but_never_an_outcome),
        UP_TEST(a_release_before_the_work_is_written_shows_nothing),
        UP_TEST(a_confirm_without_reservation_is_worked_if_a_slot_is_free),
        UP_TEST(a_confirm_that_was_overtaken_does_not_repeat_finished_work),
        UP_TEST(a_repeated_offer_is_accepted_again_in_one_slot),
        UP_TEST(a_new_attempt_is_refused_while_the_old_outcome_waits),
        UP_TEST(a_deposed_owner_is_not_listened_to),
        UP_TEST(a_journal_that_fails_stops_accepting_and_loses_nothing),
        UP_TEST(everything_held_survives_a_change_of_session),
        UP_TEST(beats_carry_the_digest_of_what_is_held),
        UP_TEST(an_idle_site_gives_every_owner_a_sign_of_life),
        UP_TEST(an_owner_that_asks_gets_the_list_of_its_part),
        UP_TEST(a_full_table_accepts_no_more),
        UP_TEST(checks_and_agents_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
