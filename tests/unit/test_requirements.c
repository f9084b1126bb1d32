#include "tests/unit/unit.h"

#include <string.h>

#include "proto/requirements.h"

static struct skill skill(const char *name, uint32_t level)
{
    return (struct skill){.name = bytes_of_text(name), .level = level};
}

static struct requirements wanted(void)
{
    return (struct requirements){.channel = CHANNEL_PHONE,
                                 .language = bytes_of_text("gl"),
                                 .skills = {skill("alumbrado", 3), skill("pavimento", 7)},
                                 .skill_count = 2};
}

static struct profile offered(void)
{
    return (struct profile){.queues = {bytes_of_text("aceras"), bytes_of_text("calzadas")},
                            .queue_count = 2,
                            .languages = {bytes_of_text("es"), bytes_of_text("gl")},
                            .language_count = 2,
                            .skills = {skill("alumbrado", 3), skill("pavimento", 8)},
                            .skill_count = 2};
}

static void requirements_come_out_as_they_went_in(void **state)
{
    (void) state;
    uint8_t blob[REQUIREMENTS_BYTES_MAX];
    struct requirements in = wanted();
    struct requirements got;
    uint32_t size = requirements_write(&in, blob);

    assert_int_equal(requirements_read(bytes_of(blob, size), &got), VT_OK);
    assert_int_equal(got.channel, CHANNEL_PHONE);
    assert_true(bytes_equal_text(got.language, "gl"));
    assert_int_equal(got.skill_count, 2);
    assert_int_equal(got.skills[1].level, 7);
    assert_true(bytes_equal_text(got.skills[1].name, "pavimento"));
}

static void the_longest_requirements_and_profile_fit_their_buffers(void **state)
{
    (void) state;
    static uint8_t names[AGENT_SKILLS_MAX][NAME_BYTES_MAX];
    static uint8_t blob[PROFILE_BYTES_MAX];
    struct requirements requirements = {.language = bytes_of_text("0123456789abcdef")};
    struct profile profile = {0};
    for (uint32_t i = 0; i < AGENT_SKILLS_MAX; i++) {
        memset(names[i], 'a', NAME_BYTES_MAX);
        names[i][0] = (uint8_t) (' ' + i);
        struct bytes name = bytes_of(names[i], NAME_BYTES_MAX);
        profile.skills[i] = (struct skill){.name = name, .level = 10};
        profile.queues[i] = name;
        profile.languages[i % AGENT_LANGUAGES_MAX] = bytes_of(names[i], LANGUAGE_BYTES_MAX);
        requirements.skills[i % SKILLS_MAX] = profile.skills[i];
    }
    requirements.skill_count = SKILLS_MAX;
    profile.skill_count = AGENT_SKILLS_MAX;
    profile.queue_count = AGENT_QUEUES_MAX;
    profile.language_count = AGENT_LANGUAGES_MAX;

    uint32_t size = requirements_write(&requirements, blob);
    assert_true(size <= REQUIREMENTS_BYTES_MAX);
    assert_int_equal(requirements_read(bytes_of(blob, size), &requirements), VT_OK);
    size = profile_write(&profile, blob);
    assert_true(size <= PROFILE_BYTES_MAX);
    assert_int_equal(profile_read(bytes_of(blob, size), &profile), VT_OK);
}

static void what_is_not_canonical_is_corrupt(void **state)
{
    (void) state;
#define BAD(text)                                                                                 \
    do {                                                                                          \
        static struct requirements got_;                                                          \
        assert_int_equal(requirements_read(bytes_of(text, sizeof(text) - 1), &got_), VT_CORRUPT); \
    } while (0)
    BAD("");
    BAD("\0\0\0\0"); /* version 0 */
    BAD("\2\0\0\0"); /* version 2 */
    BAD("\1\6\0\0"); /* channel */
    BAD("\1\0\21"
        "0123456789abcdefg\0"); /* language of 17 */
    BAD("\1\0\0\1\13\1a");      /* level 11 */
    BAD("\1\0\0\1\1\0");        /* empty name */
    BAD("\1\0\0\2\1\1b\1\1a");  /* falling */
    BAD("\1\0\0\2\1\1a\1\1a");  /* repeated */
    BAD("\1\0\0\1\1\1\xff");    /* not UTF-8 */
    BAD("\1\0\0\1\1\1\0");      /* NUL */
    BAD("\1\0\0\0x");           /* something behind */
    BAD("\1\0\0\1\1\2a");       /* cut */
}

static void cut_or_lengthened_profiles_are_corrupt(void **state)
{
    (void) state;
    static uint8_t blob[PROFILE_BYTES_MAX];
    static struct profile profile;
    static struct profile got;
    profile = offered();
    uint32_t size = profile_write(&profile, blob);
    assert_int_equal(profile_read(bytes_of(blob, size), &got), VT_OK);
    assert_int_equal(got.queue_count, 2);
    assert_true(bytes_equal_text(got.languages[1], "gl"));

    blob[size] = 0;
    for (uint32_t cut = 0; cut <= size + 1; cut++) {
        vt_err err = profile_read(bytes_of(blob, cut), &got);
        assert_int_equal(err, cut == size ? VT_OK : VT_CORRUPT);
    }
}

static void sorting_orders_by_name_and_finds_repeats(void **state)
{
    (void) state;
    struct skill skills[3] = {skill("c", 1), skill("a", 2), skill("b", 3)};
    struct bytes names[3] = {bytes_of_text("b"), bytes_of_text("a"), bytes_of_text("b")};

    assert_int_equal(skills_sort(skills, 3), VT_OK);
    assert_int_equal(skills[0].level, 2);
    assert_int_equal(skills[2].level, 1);
    skills[2] = skills[0];
    assert_int_equal(skills_sort(skills, 3), VT_CONFLICT);
    assert_int_equal(names_sort(names, 3), VT_CONFLICT);
    assert_int_equal(names_sort(names, 2), VT_OK);
}

static void an_agent_serves_what_its_profile_covers(void **state)
{
    (void) state;
    struct bytes aceras = bytes_of_text("aceras");
    struct profile profile = offered();
    struct requirements requirements = wanted();
    assert_true(profile_may_serve(&profile, aceras, &requirements));

    assert_false(profile_may_serve(&profile, bytes_of_text("tasas"), &requirements));
    requirements.skills[1].level = 9;
    assert_false(profile_may_serve(&profile, aceras, &requirements));
    requirements = wanted();
    requirements.skills[0].name = bytes_of_text("agua");
    assert_false(profile_may_serve(&profile, aceras, &requirements));
    requirements = wanted();
    requirements.language = bytes_of_text("en");
    assert_false(profile_may_serve(&profile, aceras, &requirements));
    requirements.language = (struct bytes){0};
    assert_true(profile_may_serve(&profile, aceras, &requirements));
    profile.queue_count = 0;
    assert_true(profile_may_serve(&profile, bytes_of_text("tasas"), &requirements));
    profile.skill_count = 1;
    assert_false(profile_may_serve(&profile, aceras, &requirements));
    requirements.skill_count = 0;
    assert_true(profile_may_serve(&profile, aceras, &requirements));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requirements_come_out_as_they_went_in),
        cmocka_unit_test(the_longest_requirements_and_profile_fit_their_buffers),
        cmocka_unit_test(what_is_not_canonical_is_corrupt),
        cmocka_unit_test(cut_or_lengthened_profiles_are_corrupt),
        cmocka_unit_test(sorting_orders_by_name_and_finds_repeats),
        cmocka_unit_test(an_agent_serves_what_its_profile_covers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
