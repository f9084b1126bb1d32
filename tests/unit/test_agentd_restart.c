/* How an agent site starts from its journal, and how it stops. */

#include "agentd/journal.h"
#include "tests/unit/site.h"

/* A journal with a boot counter, one WORKING ticket (1) and one OUTCOME (2). */
struct old_journal {
    uint8_t values[4][64];
    struct journal_entry entries[4];
};

static void write_old(struct old_journal *old, uint32_t agent)
{
    struct journal_working working = {.part = SITE_PART, .attempt = 3, .agent = agent};
    struct outcome outcome = {.attempt = 1, .agent = SITE_ANA, .text = bytes_of_text("mended")};
    uint32_t sizes[4] = {
        journal_write_boot(8, old->values[0]),
        journal_write_working(&working, old->values[1]),
        journal_write_outcome(&outcome, SITE_PART, old->values[2]),
        journal_write_epoch(SITE_EPOCH, old->values[3]),
    };
    const struct journal_entry keys[4] = {
        {.kind = JOURNAL_BOOT},
        {.kind = JOURNAL_WORKING, .a = site_ticket(1).hi, .b = site_ticket(1).lo},
        {.kind = JOURNAL_OUTCOME, .a = site_ticket(2).hi, .b = site_ticket(2).lo},
        {.kind = JOURNAL_EPOCH, .a = SITE_PART},
    };
    for (uint32_t i = 0; i < 4; i++) {
        old->entries[i] = keys[i];
        old->entries[i].value = bytes_of(old->values[i], sizes[i]);
    }
}

static void a_restart_is_a_reconnect(void **state)
{
    struct site *site = *state;
    struct old_journal old;
    write_old(&old, SITE_CARLOS);

    site_load(site, old.entries, 4);
    site_write(site);
    const struct message *hello = steps_find_send(&site->steps, MESSAGE_HELLO, 0);
    assert_int_equal(hello->header.session.boot, 9);
    assert_int_equal(hello->hello[0].held_count, 2);
    const struct message *held = steps_find_send(&site->steps, MESSAGE_HELD, 0);
    assert_int_equal(held->held[0].state, HELD_ACCEPTED);
    assert_int_equal(held->held[0].agent, SITE_CARLOS);
    assert_int_equal(held->held[0].attempt, 3);
    assert_int_equal(held->held[1].state, HELD_ENDED);
    site_welcome(site, site_broker);

    const struct message *outcome = steps_find_send(&site->steps, MESSAGE_OUTCOME, 0);
    assert_true(bytes_equal_text(outcome->outcome[0].text, "mended"));
    assert_true(id_equal(outcome->outcome[0].ticket, site_ticket(2)));
    const struct message *accept = steps_find_send(&site->steps, MESSAGE_ACCEPT, 0);
    assert_int_equal(accept->accept[0].attempt, 3);
    assert_int_equal(accept->accept[0].epoch, SITE_EPOCH);
    site_offer(site, 3, 1, SITE_CARLOS);
    assert_int_equal(site_declined(site)->reason, DECLINE_BUSY);
    site_confirm(site, 1, 3, SITE_CARLOS);
    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_DESK_WORK), 1);
    assert_int_equal(steps_count(&site->steps, EFFECT_STORE), 0);
}

static void restored_work_of_an_agent_who_left_is_given_back(void **state)
{
    struct site *site = *state;
    struct old_journal old;
    write_old(&old, 555);
    site_load(site, old.entries, 2);
    site_write(site);

    site_welcome(site, site_broker);
    site_write(site);

    const struct message *outcome = steps_find_send(&site->steps, MESSAGE_OUTCOME, 0);
    assert_int_equal(outcome->outcome[0].what, OUTCOME_GIVE_BACK);
    assert_int_equal(outcome->outcome[0].agent, 555);
    assert_int_equal(outcome->outcome[0].attempt, 3);
}

static void of_a_ticket_with_work_and_outcome_in_the_journal_the_outcome_counts(void **state)
{
    struct site *site = *state;
    struct old_journal old;
    write_old(&old, SITE_ANA);
    old.entries[2].b = old.entries[1].b;

    site_load(site, old.entries, 3);
    site_write(site);

    const struct message *held = steps_find_send(&site->steps, MESSAGE_HELD, 0);
    assert_int_equal(held->count, 1);
    assert_int_equal(held->held[0].state, HELD_ENDED);
}

static void an_unreadable_journal_is_asked_for_again(void **state)
{
    struct site *site = *state;
    steps_wait(&site->steps, 0);
    const struct effect *load = steps_find(&site->steps, EFFECT_LOAD, 0);

    steps_loaded(&site->steps, load->load.token, VT_UNAVAILABLE, NULL);
    assert_int_equal(steps_count(&site->steps, EFFECT_LOAD), 0);
    steps_wait(&site->steps, 1000);

    assert_int_equal(steps_count(&site->steps, EFFECT_LOAD), 1);
}

static void a_second_page_continues_behind_the_first(void **state)
{
    struct site *site = *state;
    struct old_journal old;
    write_old(&old, SITE_ANA);
    struct load_page page = {.journal = old.entries, .journal_count = 2, .has_more = true};
    steps_wait(&site->steps, 0);
    const struct effect *load = steps_find(&site->steps, EFFECT_LOAD, 0);
    assert_true(load->load.request.from_start);

    steps_loaded(&site->steps, load->load.token, VT_OK, &page);

    load = steps_find(&site->steps, EFFECT_LOAD, 0);
    assert_false(load->load.request.from_start);
    assert_int_equal(load->load.request.after_journal.kind, JOURNAL_WORKING);
    assert_int_equal(load->load.request.after_journal.b, site_ticket(1).lo);
}

static void stopping_lets_work_end_and_its_outcome_be_answered(void **state)
{
    struct site *site = *state;
    site_work(site, 1, 1, SITE_ANA);

    steps_stop(&site->steps, site->steps.now_ms + 60000);
    assert_int_equal(steps_count(&site->steps, EFFECT_STOPPED), 0);
    const struct message *avail = steps_find_send(&site->steps, MESSAGE_AVAIL, 0);
    assert_int_equal(avail->count, 3);
    assert_false(avail->avail[0].is_available);
    site_offer(site, 2, 1, SITE_CARLOS);
    assert_int_equal(site_declined(site)->reason, DECLINE_UNAVAILABLE);
    site_result(site, 1, 1, 0, OUTCOME_COMPLETE, "mended");
    site_write(site);
    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_OUTCOME), 1);
    assert_int_equal(steps_count(&site->steps, EFFECT_STOPPED), 0);
    site_verdict(site, 1, 1, OUTCOME_COMPLETE, VERDICT_ACK);
    site_write(site);

    assert_int_equal(steps_count(&site->steps, EFFECT_STOPPED), 1);
    assert_int_equal(steps_count(&site->steps, EFFECT_HANG_UP), 1);
}

static void at_the_deadline_work_stays_in_the_journal(void **state)
{
    struct site *site = *state;
    site_work(site, 1, 1, SITE_ANA);
    steps_stop(&site->steps, site->steps.now_ms + 500);

    steps_wait(&site->steps, 500);

    assert_int_equal(steps_count(&site->steps, EFFECT_STOPPED), 1);
    assert_int_equal(steps_count(&site->steps, EFFECT_STORE), 0);
    assert_non_null(steps_find_send_to(&site->steps, MESSAGE_DESK_DROP, site_ana));
}

static void a_second_stop_waits_only_for_the_store(void **state)
{
    struct site *site = *state;
    site_work(site, 1, 1, SITE_ANA);
    site_result(site, 1, 1, 0, OUTCOME_COMPLETE, "mended");
    const struct effect store = *steps_find(&site->steps, EFFECT_STORE, 0);
    struct store_result results[2] = {{.status = STORE_DONE}, {.status = STORE_DONE}};
    steps_stop(&site->steps, site->steps.now_ms + 60000);

    steps_stop(&site->steps, site->steps.now_ms + 60000);
    assert_int_equal(steps_count(&site->steps, EFFECT_STOPPED), 0);
    steps_stored(&site->steps, store.store.token, results, 2);

    assert_int_equal(steps_count(&site->steps, EFFECT_STOPPED), 1);
}

static void an_idle_site_stops_at_once(void **state)
{
    struct site *site = *state;

    steps_stop(&site->steps, site->steps.now_ms + 60000);

    assert_int_equal(steps_count(&site->steps, EFFECT_STOPPED), 1);
}

#define NEW_TEST(name) cmocka_unit_test_setup_teardown(name, site_setup, site_teardown)
#define UP_TEST(name) cmocka_unit_test_setup_teardown(name, site_setup_up, site_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NEW_TEST(a_restart_is_a_reconnect),
        NEW_TEST(restored_work_of_an_agent_who_left_is_given_back),
        NEW_TEST(of_a_ticket_with_work_and_outcome_in_the_journal_the_outcome_counts),
        NEW_TEST(an_unreadable_journal_is_asked_for_again),
        NEW_TEST(a_second_page_continues_behind_the_first),
        UP_TEST(stopping_lets_work_end_and_its_outcome_be_answered),
        UP_TEST(at_the_deadline_work_stays_in_the_journal),
        UP_TEST(a_second_stop_waits_only_for_the_store),
        UP_TEST(an_idle_site_stops_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
