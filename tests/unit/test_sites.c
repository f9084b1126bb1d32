#include "router/sites.h"

#include "tests/unit/unit.h"

#define OFICINA 5U

struct fixture {
    struct arena arena;
    struct sites sites;
    int64_t now_ms;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    struct fixture *f = &fixture;
    *state = f;
    f->now_ms = 1000000;
    f->arena = unit_arena(1U << 16);
    sites_init(
        &f->sites,
        &f->arena,
        &(struct sites_options){
            .seed = 1, .sites_max = 2, .pairs_max = 2, .tickets_max = 8, .silence_ms = 15000});
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    unit_arena_close(&f->arena);
    return 0;
}

static struct header header_of(uint32_t boot, uint32_t connect, uint64_t nonce)
{
    return (struct header){.site = OFICINA, .session = {boot, connect, nonce}};
}

static enum sites_standing
begin(struct fixture *f, struct header header, uint32_t agent_count, uint32_t held_count)
{
    struct site_up up = {
        .name = bytes_of_text("oficina"), .agent_count = agent_count, .held_count = held_count};
    struct message message = {.header = header, .count = 1};
    uint32_t site = SITES_NONE;
    message.site_up = &up;
    return sites_begin(&f->sites, &message, 11, f->now_ms, &site);
}

static enum sites_standing hear(struct fixture *f, struct header header)
{
    return sites_hear(&f->sites, &header, 11, f->now_ms);
}

static uint32_t up(struct fixture *f, uint32_t boot, uint32_t connect)
{
    assert_int_equal(begin(f, header_of(boot, connect, 9), 0, 0), SITES_UNKNOWN);
    uint32_t site = sites_find(&f->sites, OFICINA);
    assert_true(sites_is_whole(&f->sites, site));
    sites_set_up(&f->sites, site, f->now_ms);
    return site;
}

static void a_site_is_whole_when_all_agents_and_held_tickets_are_in(void **state)
{
    struct fixture *f = *state;
    begin(f, header_of(1, 1, 9), 3, 1);
    uint32_t site = sites_find(&f->sites, OFICINA);

    assert_false(sites_got_agents(&f->sites, site, 2));
    assert_false(sites_got_held(&f->sites, site, 1));
    assert_true(sites_got_agents(&f->sites, site, 1));
    assert_true(bytes_equal_text(sites_name(&f->sites, site), "oficina"));
}

static void sessions_are_judged_by_boot_and_connect(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(hear(f, header_of(5, 2, 9)), SITES_UNKNOWN);
    up(f, 5, 2);

    assert_int_equal(hear(f, header_of(5, 2, 9)), SITES_LIVE);
    assert_int_equal(hear(f, header_of(5, 2, 8)), SITES_CLONE);
    assert_int_equal(hear(f, header_of(5, 1, 9)), SITES_OLDER);
    assert_int_equal(hear(f, header_of(4, 9, 9)), SITES_STALE);
    assert_int_equal(hear(f, header_of(5, 3, 9)), SITES_UNKNOWN);
    assert_int_equal(hear(f, header_of(6, 1, 9)), SITES_UNKNOWN);
}

static void a_site_up_of_the_live_session_is_not_taken_twice(void **state)
{
    struct fixture *f = *state;
    up(f, 5, 2);

    assert_int_equal(begin(f, header_of(5, 2, 9), 0, 0), SITES_LIVE);
    assert_int_equal(begin(f, header_of(5, 2, 8), 0, 0), SITES_CLONE);
    assert_int_equal(begin(f, header_of(5, 1, 9), 0, 0), SITES_OLDER);
    assert_int_equal(begin(f, header_of(5, 3, 9), 0, 0), SITES_UNKNOWN);
}

static void a_site_that_was_down_returns_with_any_message(void **state)
{
    struct fixture *f = *state;
    uint32_t site = up(f, 1, 1);
    sites_set_down(&f->sites, site);

    assert_int_equal(hear(f, header_of(1, 1, 9)), SITES_RETURNS);
    sites_set_up(&f->sites, site, f->now_ms);
    assert_int_equal(hear(f, header_of(1, 1, 9)), SITES_LIVE);
}

static void silence_counts_from_the_last_word(void **state)
{
    uint32_t silent = SITES_NONE;
    struct fixture *f = *state;
    uint32_t site = up(f, 1, 1);
    f->now_ms += 10000;
    hear(f, header_of(1, 1, 9));

    f->now_ms += 14999;
    assert_false(sites_pop_silent(&f->sites, f->now_ms, &silent));
    f->now_ms += 1;
    assert_true(sites_pop_silent(&f->sites, f->now_ms, &silent));

    assert_int_equal(silent, site);
    assert_false(sites_pop_silent(&f->sites, f->now_ms, &silent));
}

static void messages_are_numbered_from_one_under_each_epoch(void **state)
{
    struct fixture *f = *state;
    uint32_t site = up(f, 1, 1);
    sites_pair(&f->sites, site, 3, 41)->seq = 7;

    assert_int_equal(sites_pair(&f->sites, site, 3, 41)->seq, 7);
    assert_int_equal(sites_pair(&f->sites, site, 4, 41)->seq, 0);
    assert_null(sites_pair(&f->sites, site, 5, 41));
    assert_int_equal(sites_pair(&f->sites, site, 3, 42)->seq, 0);
}

static void the_newest_site_is_refused_when_the_table_is_full(void **state)
{
    struct fixture *f = *state;
    assert_int_not_equal(sites_put(&f->sites, 1), SITES_NONE);
    assert_int_not_equal(sites_put(&f->sites, 2), SITES_NONE);

    assert_int_equal(sites_put(&f->sites, 3), SITES_NONE);
    assert_int_not_equal(sites_put(&f->sites, 2), SITES_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_site_is_whole_when_all_agents_and_held_tickets_are_in, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sessions_are_judged_by_boot_and_connect, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_site_up_of_the_live_session_is_not_taken_twice, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_site_that_was_down_returns_with_any_message, set_up, tear_down),
        cmocka_unit_test_setup_teardown(silence_counts_from_the_last_word, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            messages_are_numbered_from_one_under_each_epoch, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            the_newest_site_is_refused_when_the_table_is_full, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
