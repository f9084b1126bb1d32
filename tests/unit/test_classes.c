#include "tests/unit/matching_fixture.h"

static struct classes_put put(struct matching_fixture *fixture, const struct matching_wish *wish)
{
    struct ticket_row row = matching_fixture_row(wish);
    struct class_key key = {.queue = row.queue,
                            .person = wish->wants_person ? CLASS_PERSON : CLASS_ANYBODY,
                            .requirements = row.requirements};
    struct classes_put found;
    assert_int_equal(classes_add(&fixture->matching.classes, &key, &found), VT_OK);
    return found;
}

static void equal_requirements_are_one_class(void **state)
{
    struct classes_put first = put(*state, &(struct matching_wish){.skill = "zanjas", .level = 2});
    struct classes_put again = put(*state, &(struct matching_wish){.skill = "zanjas", .level = 2});

    assert_true(first.is_new);
    assert_false(again.is_new);
    assert_int_equal(first.class, again.class);
}

static void another_level_queue_language_or_wish_for_a_person_is_another_class(void **state)
{
    uint32_t plain = put(*state, &(struct matching_wish){.skill = "zanjas", .level = 2}).class;

    assert_int_not_equal(plain,
                         put(*state, &(struct matching_wish){.skill = "zanjas", .level = 3}).class);
    assert_int_not_equal(
        plain,
        put(*state, &(struct matching_wish){.queue = 2, .skill = "zanjas", .level = 2}).class);
    assert_int_not_equal(
        plain,
        put(*state, &(struct matching_wish){.wants_person = 1, .skill = "zanjas", .level = 2})
            .class);
}

static void the_key_of_a_class_is_what_was_put(void **state)
{
    struct matching_fixture *fixture = *state;
    struct matching_wish wish = {.queue = 2, .wants_person = 1, .language = "gl"};
    uint32_t class = put(fixture, &wish).class;

    struct class_key key = classes_key(&fixture->matching.classes, class);
    assert_int_equal(key.queue, 2);
    assert_int_equal(key.person, CLASS_PERSON);
    assert_true(bytes_equal(key.requirements, matching_fixture_row(&wish).requirements));
}

static void a_class_goes_with_its_last_ticket_and_its_number_serves_another(void **state)
{
    struct matching_fixture *fixture = *state;
    struct classes *classes = &fixture->matching.classes;
    struct matching_wish wish = {.skill = "zanjas"};
    uint32_t class = put(fixture, &wish).class;
    put(fixture, &wish);

    assert_false(classes_release(classes, class));
    assert_true(classes_is_last(classes, class));
    assert_true(classes_release(classes, class));
    assert_false(classes_has(classes, class));
    assert_int_equal(put(fixture, &(struct matching_wish){.language = "es"}).class, class);
    assert_int_equal(terms_find(&fixture->matching.terms, TERM_SKILL, bytes_of_text("zanjas")),
                     TERMS_NONE);
}

static void a_skill_and_a_language_of_the_same_name_are_two_names(void **state)
{
    struct matching_fixture *fixture = *state;
    put(fixture, &(struct matching_wish){.language = "es", .skill = "es"});

    uint32_t skill = terms_find(&fixture->matching.terms, TERM_SKILL, bytes_of_text("es"));
    uint32_t language = terms_find(&fixture->matching.terms, TERM_LANGUAGE, bytes_of_text("es"));
    assert_int_not_equal(skill, TERMS_NONE);
    assert_int_not_equal(language, TERMS_NONE);
    assert_int_not_equal(skill, language);
}

static void a_full_table_refuses_counts_and_says_once_when_a_slot_was_freed(void **state)
{
    struct matching_fixture *fixture = *state;
    struct classes *classes = &fixture->matching.classes;
    for (uint32_t level = 0; level < 4; level++) {
        put(fixture, &(struct matching_wish){.skill = "zanjas", .level = level});
    }

    struct ticket_row row =
        matching_fixture_row(&(struct matching_wish){.skill = "zanjas", .level = 9});
    struct class_key key = {.queue = 1, .requirements = row.requirements};
    struct classes_put found;
    assert_int_equal(classes_add(classes, &key, &found), VT_FULL);
    assert_int_equal(classes->refused_total, 1);
    assert_false(classes_take_freed(classes));

    assert_true(classes_release(classes, 2));
    assert_true(classes_take_freed(classes));
    assert_false(classes_take_freed(classes));
    assert_int_equal(classes_add(classes, &key, &found), VT_OK);
}

static void a_slot_that_is_freed_while_nobody_was_refused_is_no_news(void **state)
{
    struct matching_fixture *fixture = *state;
    uint32_t class = put(fixture, &(struct matching_wish){.skill = "zanjas"}).class;

    assert_true(classes_release(&fixture->matching.classes, class));
    assert_false(classes_take_freed(&fixture->matching.classes));
}

static void requirements_that_are_none_are_refused_as_corrupt(void **state)
{
    struct matching_fixture *fixture = *state;
    uint8_t junk[] = {9, 9, 9};
    struct class_key key = {.queue = 1, .requirements = bytes_of(junk, sizeof junk)};
    struct classes_put found;

    assert_int_equal(classes_add(&fixture->matching.classes, &key, &found), VT_CORRUPT);
    assert_int_equal(classes_count(&fixture->matching.classes), 0);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, matching_fixture_open, matching_fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(equal_requirements_are_one_class),
        TEST(another_level_queue_language_or_wish_for_a_person_is_another_class),
        TEST(the_key_of_a_class_is_what_was_put),
        TEST(a_class_goes_with_its_last_ticket_and_its_number_serves_another),
        TEST(a_skill_and_a_language_of_the_same_name_are_two_names),
        TEST(a_full_table_refuses_counts_and_says_once_when_a_slot_was_freed),
        TEST(a_slot_that_is_freed_while_nobody_was_refused_is_no_news),
        TEST(requirements_that_are_none_are_refused_as_corrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
