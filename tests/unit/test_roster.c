#include "tests/unit/matching_fixture.h"

#include "lib/bits.h"

static struct roster *roster_of(void **state)
{
    struct matching_fixture *fixture = *state;
    return &fixture->matching.roster;
}

static uint32_t put(void **state, uint32_t id, uint32_t capacity, int64_t idle_ms)
{
    return matching_fixture_put(
        *state,
        &(struct matching_talent){.id = id, .site = 1, .capacity = capacity, .idle_ms = idle_ms});
}

static void free_agents_come_least_occupied_first_then_longest_idle(void **state)
{
    struct roster *roster = roster_of(state);
    uint32_t short_idle = put(state, 1, 2, 100);
    uint32_t long_idle = put(state, 2, 2, 900);
    uint32_t busy = put(state, 3, 2, 2000);
    roster_take(roster, busy, 1000);

    assert_int_equal(roster_first_free(roster, 0), long_idle);
    assert_int_equal(roster_after_free(roster, long_idle), short_idle);
    assert_int_equal(roster_after_free(roster, short_idle), busy);
    assert_int_equal(roster_after_free(roster, busy), ROSTER_NONE);
    assert_int_equal(roster->free_count, 3);
    assert_int_equal(roster->heads.ranks[0], rank_agent(roster_get(roster, long_idle)));
}

static void a_change_of_load_begins_the_idle_time_anew(void **state)
{
    struct roster *roster = roster_of(state);
    uint32_t first = put(state, 1, 1, 900);
    uint32_t second = put(state, 2, 1, 100);
    assert_int_equal(roster_first_free(roster, 0), first);

    roster_take(roster, first, 1500);
    assert_int_equal(roster_first_free(roster, 0), second);
    roster_give(roster, first, 2000);
    assert_int_equal(roster_first_free(roster, 0), second);
    assert_int_equal(roster_get(roster, first)->idle_since_ms, 2000);
}

static void an_agent_with_all_slots_used_is_free_no_longer(void **state)
{
    struct roster *roster = roster_of(state);
    uint32_t agent = put(state, 1, 2, 0);
    roster_take(roster, agent, 1000);
    assert_true(roster_get(roster, agent)->is_free);
    roster_take(roster, agent, 1000);
    assert_false(roster_get(roster, agent)->is_free);
    assert_int_equal(roster_first_free(roster, 0), ROSTER_NONE);
    assert_false(bits_test(roster->heads.present, 0));

    roster_give(roster, agent, 1100);
    assert_true(roster_get(roster, agent)->is_free);
    assert_true(bits_test(roster->heads.present, 0));
}

static void what_the_site_says_counts_when_it_is_less(void **state)
{
    struct roster *roster = roster_of(state);
    uint32_t agent = put(state, 1, 3, 0);
    struct roster_hint none = {.free = 0, .is_available = true, .idle_ms = -1};
    roster_hint(roster, agent, &none, 1000);
    assert_false(roster_get(roster, agent)->is_free);

    struct roster_hint one = {.free = 1, .is_available = true, .idle_ms = -1};
    roster_hint(roster, agent, &one, 1000);
    roster_take(roster, agent, 1000);
    assert_false(roster_get(roster, agent)->is_free);
    roster_give(roster, agent, 1000);
    assert_true(roster_get(roster, agent)->is_free);

    struct roster_hint pause = {.free = 3, .is_available = false, .idle_ms = -1};
    roster_hint(roster, agent, &pause, 1000);
    assert_false(roster_get(roster, agent)->is_free);
}

static void a_hint_never_makes_an_agent_idle_for_longer(void **state)
{
    struct roster *roster = roster_of(state);
    uint32_t agent = put(state, 1, 1, 0);
    struct roster_hint longer = {.free = 1, .is_available = true, .idle_ms = 800};
    roster_hint(roster, agent, &longer, 1500);
    assert_int_equal(roster_get(roster, agent)->idle_since_ms, 1000);

    struct roster_hint shorter = {.free = 1, .is_available = true, .idle_ms = 100};
    roster_hint(roster, agent, &shorter, 1500);
    assert_int_equal(roster_get(roster, agent)->idle_since_ms, 1400);
}

static void a_site_that_is_down_has_nobody_free_and_nobody_up(void **state)
{
    struct roster *roster = roster_of(state);
    uint32_t agent = put(state, 1, 1, 0);
    assert_int_equal(roster->up_count, 1);

    roster_site_down(roster, 1);
    assert_int_equal(roster->free_count, 0);
    assert_int_equal(roster->up_count, 0);
    assert_false(bits_test(roster->up_profiles, 0));
    roster_site_up(roster, 1);
    assert_true(roster_get(roster, agent)->is_free);
    assert_int_equal(roster->up_count, 1);
}

static void an_agent_that_is_put_again_keeps_its_load(void **state)
{
    struct roster *roster = roster_of(state);
    uint32_t agent = put(state, 1, 2, 0);
    roster_take(roster, agent, 1000);

    assert_int_equal(put(state, 1, 1, 0), agent);
    assert_int_equal(roster_get(roster, agent)->used, 1);
    assert_false(roster_get(roster, agent)->is_free);
    assert_int_equal(roster_count(roster), 1);
    assert_int_equal(roster_find(roster, 1), agent);
}

static void who_is_not_in_the_new_list_of_its_site_is_stale(void **state)
{
    struct matching_fixture *fixture = *state;
    struct roster *roster = roster_of(state);
    uint32_t goes = put(state, 1, 1, 0);
    uint32_t works = put(state, 2, 1, 0);
    uint32_t stays = put(state, 3, 1, 0);
    roster_take(roster, works, 1000);

    roster_site_begin(roster, 1);
    put(state, 3, 1, 0);
    assert_int_equal(roster_site_stale(roster, 1), goes);
    matching_agent_remove(&fixture->matching, goes);
    assert_int_equal(roster_site_stale(roster, 1), works);
    matching_agent_remove(&fixture->matching, works);
    assert_int_equal(roster_site_stale(roster, 1), ROSTER_NONE);

    assert_int_equal(roster_find(roster, 1), ROSTER_NONE);
    assert_true(roster_get(roster, works)->is_leaving);
    assert_int_equal(roster->up_count, 1);
    assert_true(matching_agent_give(&fixture->matching, works, 1100));
    assert_int_equal(roster_find(roster, 2), ROSTER_NONE);
    assert_int_equal(roster_site_first(roster, 1), stays);
    assert_int_equal(roster_site_next(roster, stays), ROSTER_NONE);
}

static void full_tables_refuse_the_newest(void **state)
{
    struct matching_fixture *fixture = *state;
    uint32_t agent = 77;
    for (uint32_t i = 0; i < 3; i++) {
        struct matching_talent talent = {.id = i + 1, .site = i + 1};
        matching_fixture_put(fixture, &talent);
    }
    struct matching_talent elsewhere = {.id = 9, .site = 4};
    assert_int_equal(matching_fixture_try_put(fixture, &elsewhere, &agent), VT_FULL);

    for (uint32_t i = 3; i < 6; i++) {
        struct matching_talent talent = {.id = i + 1, .site = 1};
        matching_fixture_put(fixture, &talent);
    }
    struct matching_talent seventh = {.id = 7, .site = 1};
    assert_int_equal(matching_fixture_try_put(fixture, &seventh, &agent), VT_FULL);
    assert_int_equal(agent, 77);
    assert_int_equal(roster_count(roster_of(state)), 6);
}

static void give_back_what_was_not_taken(void *argument)
{
    roster_give(argument, 0, 1000);
}

static void giving_back_what_was_not_taken_is_a_bug(void **state)
{
    put(state, 1, 1, 0);
    assert_true(unit_check_fails(give_back_what_was_not_taken, roster_of(state)));
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, matching_fixture_open, matching_fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(free_agents_come_least_occupied_first_then_longest_idle),
        TEST(a_change_of_load_begins_the_idle_time_anew),
        TEST(an_agent_with_all_slots_used_is_free_no_longer),
        TEST(what_the_site_says_counts_when_it_is_less),
        TEST(a_hint_never_makes_an_agent_idle_for_longer),
        TEST(a_site_that_is_down_has_nobody_free_and_nobody_up),
        TEST(an_agent_that_is_put_again_keeps_its_load),
        TEST(who_is_not_in_the_new_list_of_its_site_is_stale),
        TEST(full_tables_refuse_the_newest),
        TEST(giving_back_what_was_not_taken_is_a_bug),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
