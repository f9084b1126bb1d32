#include "tests/unit/site.h"

static const struct address second_broker = {.link = LINK_BROKERS, .peer = 1};

static int open_site(void **state)
{
    static struct site site;
    site_init(&site);
    *state = &site;
    return 0;
}

static const struct journal_entry *boot_entry(uint32_t boot)
{
    static uint8_t value[5];
    static struct journal_entry entry;
    value[0] = 1;
    for (uint32_t i = 0; i < 4; i++) {
        value[1 + i] = (uint8_t) (boot >> (8 * i));
    }
    entry = (struct journal_entry){.kind = JOURNAL_BOOT, .value = bytes_of(value, sizeof value)};
    return &entry;
}

static void the_boot_counter_is_written_before_the_first_hello(void **state)
{
    struct site *site = *state;
    site_open(site);

    site_load(site, boot_entry(41), 1);
    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_HELLO), 0);
    site_write(site);

    const struct message *hello = steps_find_send_to(&site->steps, MESSAGE_HELLO, site_broker);
    assert_non_null(hello);
    assert_int_equal(hello->header.session.boot, 42);
    assert_int_equal(hello->header.session.connect, 1);
    assert_true(hello->header.session.nonce != 0);
    assert_true(bytes_equal_text(hello->hello[0].name, "centro"));
    assert_int_equal(hello->hello[0].agent_count, 3);
    assert_int_equal(hello->hello[0].held_count, 0);
    const struct message *agents = steps_find_send(&site->steps, MESSAGE_AGENT, 0);
    assert_int_equal(agents->count, 3);
    assert_int_equal(agents->header.flags, HEADER_FIRST | HEADER_LAST);
    assert_int_equal(agents->agent[1].is_person, 1);
    assert_int_equal(agents->agent[0].free, 2);
}

static void a_boot_counter_that_cannot_be_written_keeps_the_site_silent(void **state)
{
    struct site *site = *state;
    site_open(site);
    site_load(site, NULL, 0);

    site_write_status(site, STORE_FAILED);

    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_HELLO), 0);
    steps_wait(&site->steps, 200);
    site_write(site);
    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_HELLO), 1);
}

static void hello_is_repeated_in_the_same_session_until_welcome(void **state)
{
    struct site *site = *state;
    site_open(site);
    site_load(site, NULL, 0);
    site_write(site);

    steps_wait(&site->steps, 500);
    const struct message *hello = steps_find_send(&site->steps, MESSAGE_HELLO, 0);
    assert_non_null(hello);
    assert_int_equal(hello->header.session.connect, 1);

    site_welcome(site, site_broker);
    assert_int_equal(steps_count_entries(&site->steps, MESSAGE_AVAIL), 3);
    steps_wait(&site->steps, 1200);
    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_HELLO), 0);
}

static void a_welcome_without_all_agents_is_not_enough(void **state)
{
    struct site *site = *state;
    struct welcome welcome = {.index = 0, .agent = SITE_ANA};
    site_open(site);
    site_load(site, NULL, 0);
    site_write(site);

    steps_receive(
        &site->steps, site_broker, &(struct header){.kind = MESSAGE_WELCOME}, &welcome, 1);

    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_AVAIL), 0);
}

static void a_broken_connection_leads_to_the_next_broker_at_once(void **state)
{
    struct site *site = *state;
    site_open(site);
    site_up(site);

    steps_link_down(&site->steps, site_broker);

    assert_int_equal(steps_find(&site->steps, EFFECT_HANG_UP, 0)->hang_up.peer, 0);
    const struct message *hello = steps_find_send_to(&site->steps, MESSAGE_HELLO, second_broker);
    assert_non_null(hello);
    assert_int_equal(hello->header.session.boot, 1);
    assert_int_equal(hello->header.session.connect, 2);
}

static void after_a_round_in_vain_the_site_pauses(void **state)
{
    struct site *site = *state;
    site_open(site);
    site_up(site);
    steps_link_down(&site->steps, site_broker);

    steps_link_down(&site->steps, second_broker);

    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_HELLO), 0);
    steps_wait(&site->steps, 500);
    const struct message *hello = steps_find_send_to(&site->steps, MESSAGE_HELLO, site_broker);
    assert_int_equal(hello->header.session.connect, 3);
}

static void three_unanswered_pings_are_a_dead_broker(void **state)
{
    struct site *site = *state;
    site_open(site);
    site_up(site);

    steps_wait(&site->steps, 5000);
    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_PING), 1);
    steps_wait(&site->steps, 5000);
    steps_wait(&site->steps, 5000);

    assert_non_null(steps_find_send_to(&site->steps, MESSAGE_HELLO, second_broker));
}

static void any_message_of_the_broker_is_a_sign_of_life(void **state)
{
    struct site *site = *state;
    site_open(site);
    site_up(site);

    for (uint32_t i = 0; i < 6; i++) {
        steps_receive(&site->steps, site_broker, &(struct header){.kind = MESSAGE_PING}, NULL, 0);
        steps_wait(&site->steps, 5000);
        assert_int_equal(steps_count_sends(&site->steps, MESSAGE_HELLO), 0);
    }
}

static void pings_come_every_second_while_work_is_held(void **state)
{
    struct site *site = *state;
    site_open(site);
    site_up(site);
    site_work(site, 1, 1, SITE_ANA);

    steps_wait(&site->steps, 1000);
    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_PING), 1);
    steps_wait(&site->steps, 1000);
    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_PING), 1);
}

static void a_floor_above_the_boot_counter_is_journalled_before_hello(void **state)
{
    struct site *site = *state;
    struct hello_again again = {.floor = 17};
    site_open(site);
    site_load(site, NULL, 0);
    site_write(site);

    steps_receive(
        &site->steps, site_broker, &(struct header){.kind = MESSAGE_HELLO_AGAIN}, &again, 1);
    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_HELLO), 0);
    site_write(site);

    const struct message *hello = steps_find_send(&site->steps, MESSAGE_HELLO, 0);
    assert_int_equal(hello->header.session.boot, 18);
    assert_int_equal(hello->header.session.connect, 1);
}

static void a_broker_that_forgot_the_site_gets_one_hello(void **state)
{
    struct site *site = *state;
    struct hello_again again = {.floor = 0};
    struct header header = {.kind = MESSAGE_HELLO_AGAIN};
    site_open(site);
    site_up(site);

    steps_receive(&site->steps, site_broker, &header, &again, 1);
    const struct message *hello = steps_find_send(&site->steps, MESSAGE_HELLO, 0);
    assert_int_equal(hello->header.session.connect, 2);
    steps_receive(&site->steps, site_broker, &header, &again, 1);

    assert_int_equal(steps_count_sends(&site->steps, MESSAGE_HELLO), 0);
}

static void goaway_says_hello_elsewhere_before_hanging_up(void **state)
{
    struct site *site = *state;
    site_open(site);
    site_up(site);

    steps_receive(&site->steps, site_broker, &(struct header){.kind = MESSAGE_GOAWAY}, NULL, 0);
    assert_non_null(steps_find_send_to(&site->steps, MESSAGE_HELLO, second_broker));
    assert_null(steps_find(&site->steps, EFFECT_HANG_UP, 0));
    site_welcome(site, second_broker);

    assert_int_equal(steps_find(&site->steps, EFFECT_HANG_UP, 0)->hang_up.peer, 0);
    assert_non_null(steps_find_send_to(&site->steps, MESSAGE_AVAIL, second_broker));
}

static void an_only_broker_that_goes_away_is_kept(void **state)
{
    struct site *site = *state;
    site->options.broker_count = 1;
    site_open(site);
    site_up(site);

    steps_receive(&site->steps, site_broker, &(struct header){.kind = MESSAGE_GOAWAY}, NULL, 0);

    assert_int_equal(site->steps.count, 0);
    site_offer(site, 1, 1, SITE_ANA);
    assert_int_equal(steps_count_entries(&site->steps, MESSAGE_ACCEPT), 1);
}

#define SITE_TEST(name) cmocka_unit_test_setup_teardown(name, open_site, site_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SITE_TEST(the_boot_counter_is_written_before_the_first_hello),
        SITE_TEST(a_boot_counter_that_cannot_be_written_keeps_the_site_silent),
        SITE_TEST(hello_is_repeated_in_the_same_session_until_welcome),
        SITE_TEST(a_welcome_without_all_agents_is_not_enough),
        SITE_TEST(a_broken_connection_leads_to_the_next_broker_at_once),
        SITE_TEST(after_a_round_in_vain_the_site_pauses),
        SITE_TEST(three_unanswered_pings_are_a_dead_broker),
        SITE_TEST(any_message_of_the_broker_is_a_sign_of_life),
        SITE_TEST(pings_come_every_second_while_work_is_held),
        SITE_TEST(a_floor_above_the_boot_counter_is_journalled_before_hello),
        SITE_TEST(a_broker_that_forgot_the_site_gets_one_hello),
        SITE_TEST(goaway_says_hello_elsewhere_before_hanging_up),
        SITE_TEST(an_only_broker_that_goes_away_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
