#include "tests/unit/matching_fixture.h"

#include "lib/bits.h"

static uint32_t profile_of(const struct matching_fixture *fixture, uint32_t agent)
{
    return roster_get(&fixture->matching.roster, agent)->profile;
}

static void equal_abilities_are_one_profile_but_a_program_is_not_a_person(void **state)
{
    struct matching_fixture *fixture = *state;
    struct matching_talent talent = {.id = 1, .skill = "zanjas", .level = 4};
    uint32_t ana = matching_fixture_put(fixture, &talent);
    talent.id = 2;
    uint32_t breixo = matching_fixture_put(fixture, &talent);
    talent.id = 3;
    talent.is_program = 1;
    uint32_t program = matching_fixture_put(fixture, &talent);

    assert_int_equal(profile_of(fixture, ana), profile_of(fixture, breixo));
    assert_int_not_equal(profile_of(fixture, ana), profile_of(fixture, program));
    assert_int_equal(profiles_count(&fixture->matching.profiles), 2);
}

static void a_profile_stands_in_the_sets_of_its_level_and_of_all_below(void **state)
{
    struct matching_fixture *fixture = *state;
    struct matching_talent talent = {.id = 1, .skill = "zanjas", .level = 4};
    uint32_t profile = profile_of(fixture, matching_fixture_put(fixture, &talent));

    const struct terms *terms = &fixture->matching.terms;
    uint32_t term = terms_find(terms, TERM_SKILL, bytes_of_text("zanjas"));
    assert_true(bits_test(terms_set(terms, term, 0), profile));
    assert_true(bits_test(terms_set(terms, term, 4), profile));
    assert_false(bits_test(terms_set(terms, term, 5), profile));
}

static void a_profile_goes_with_its_last_agent_and_leaves_nothing_behind(void **state)
{
    struct matching_fixture *fixture = *state;
    struct matching_talent talent = {
        .id = 1, .queue = "aceras", .language = "gl", .skill = "zanjas", .level = 10};
    uint32_t agent = matching_fixture_put(fixture, &talent);
    const struct terms *terms = &fixture->matching.terms;
    uint64_t *set = terms_set(terms, terms_find(terms, TERM_SKILL, bytes_of_text("zanjas")), 10);
    assert_int_not_equal(*set, 0);

    matching_agent_remove(&fixture->matching, agent);
    assert_int_equal(profiles_count(&fixture->matching.profiles), 0);
    assert_int_equal(intern_count(&terms->names), 2); /* the plan's queues */
    assert_int_equal(*set, 0);
}

static void a_full_table_refuses_the_agent_and_counts(void **state)
{
    struct matching_fixture *fixture = *state;
    for (uint32_t i = 0; i < 4; i++) {
        struct matching_talent talent = {.id = i + 1, .skill = "zanjas", .level = i};
        matching_fixture_put(fixture, &talent);
    }

    uint32_t agent = 77;
    struct matching_talent more = {.id = 5, .skill = "zanjas", .level = 9};
    assert_int_equal(matching_fixture_try_put(fixture, &more, &agent), VT_FULL);
    assert_int_equal(agent, 77);
    assert_int_equal(fixture->matching.profiles.refused_total, 1);
    assert_int_equal(roster_count(&fixture->matching.roster), 4);
}

static void names_that_find_no_room_are_given_back(void **state)
{
    struct matching_fixture *fixture = *state;
    static uint8_t buffer[PROFILE_BYTES_MAX];
    static const char *const names[] = {
        "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n"};
    static struct profile profile;
    for (uint32_t i = 0; i < 14; i++) {
        profile.skills[profile.skill_count++] = (struct skill){.name = bytes_of_text(names[i])};
    }
    struct profile_key key = {.blob = bytes_of(buffer, profile_write(&profile, buffer))};
    struct profiles_put put;

    assert_int_equal(profiles_add(&fixture->matching.profiles, &key, &put), VT_FULL);
    assert_int_equal(profiles_count(&fixture->matching.profiles), 0);
    assert_int_equal(intern_count(&fixture->matching.terms.names), 2); /* the plan's queues */
}

static void a_profile_that_is_none_is_refused_as_corrupt(void **state)
{
    struct matching_fixture *fixture = *state;
    uint8_t junk[] = {9, 9, 9};
    struct profile_key key = {.blob = bytes_of(junk, sizeof junk)};
    struct profiles_put put;

    assert_int_equal(profiles_add(&fixture->matching.profiles, &key, &put), VT_CORRUPT);
    key.blob.size = 0;
    assert_int_equal(profiles_add(&fixture->matching.profiles, &key, &put), VT_CORRUPT);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, matching_fixture_open, matching_fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(equal_abilities_are_one_profile_but_a_program_is_not_a_person),
        TEST(a_profile_stands_in_the_sets_of_its_level_and_of_all_below),
        TEST(a_profile_goes_with_its_last_agent_and_leaves_nothing_behind),
        TEST(a_full_table_refuses_the_agent_and_counts),
        TEST(names_that_find_no_room_are_given_back),
        TEST(a_profile_that_is_none_is_refused_as_corrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
