#include "tests/unit/unit.h"

#include "lib/check.h"
#include "proto/plan.h"

#define TEXT(literal)                                                               \
    {                                                                               \
        .data = (const uint8_t *) (literal), .size = (uint32_t) sizeof(literal) - 1 \
    }

static const struct plan_pool pools[] = {{.part = 7, .name = TEXT("via-publica")},
                                         {.part = 3, .name = TEXT("social")}};
static const struct plan_queue queues[] = {{.id = 30, .part = 7, .name = TEXT("aceras")},
                                           {.id = 10, .part = 7, .name = TEXT("calzadas")},
                                           {.id = 20, .part = 3, .name = TEXT("padron")}};
static const struct bytes skills[] = {TEXT("alumbrado"), TEXT("pavimento")};
static const struct plan_rule rules[] = {
    {.when = {{TEXT("service"), TEXT("acera")}, {TEXT("zone"), TEXT("1")}}, .when_count = 2},
    {.when = {{TEXT("service"), TEXT("acera")}}, .when_count = 1, .queue = 1},
};
static const struct plan plan = {.pools = pools,
                                 .pool_count = ARRAY_LENGTH(pools),
                                 .queues = queues,
                                 .queue_count = ARRAY_LENGTH(queues),
                                 .skills = skills,
                                 .skill_count = ARRAY_LENGTH(skills),
                                 .rules = rules,
                                 .rule_count = ARRAY_LENGTH(rules)};

static void queues_and_pools_are_found_by_name_and_number(void **state)
{
    (void) state;
    for (uint32_t i = 0; i < ARRAY_LENGTH(queues); i++) {
        assert_ptr_equal(plan_find_queue(&plan, queues[i].name), &queues[i]);
        assert_ptr_equal(plan_find_queue_id(&plan, queues[i].id), &queues[i]);
    }
    assert_null(plan_find_queue(&plan, bytes_of_text("acera")));
    assert_null(plan_find_queue_id(&plan, 40));
    assert_ptr_equal(plan_find_pool(&plan, bytes_of_text("social")), &pools[1]);
    assert_null(plan_find_pool(&plan, bytes_of_text("other")));
    assert_ptr_equal(plan_find_part(&plan, 7), &pools[0]);
    assert_null(plan_find_part(&plan, 0));
}

static void queues_are_found_by_number_through_an_index_too(void **state)
{
    (void) state;
    static const uint32_t by_id[] = {1, 2, 0};
    struct plan indexed = plan;
    indexed.queues_by_id = by_id;

    for (uint32_t i = 0; i < ARRAY_LENGTH(queues); i++) {
        assert_ptr_equal(plan_find_queue_id(&indexed, queues[i].id), &queues[i]);
    }
    assert_null(plan_find_queue_id(&indexed, 5));
    assert_null(plan_find_queue_id(&indexed, 15));
    assert_null(plan_find_queue_id(&indexed, 40));
}

static void only_the_plans_skills_are_known_unless_any_is(void **state)
{
    (void) state;
    struct plan any = plan;
    any.any_skill = true;

    assert_true(plan_has_skill(&plan, bytes_of_text("alumbrado")));
    assert_true(plan_has_skill(&plan, bytes_of_text("pavimento")));
    assert_false(plan_has_skill(&plan, bytes_of_text("agua")));
    assert_true(plan_has_skill(&any, bytes_of_text("agua")));
}

static void the_first_rule_whose_conditions_all_hold_matches(void **state)
{
    (void) state;
    struct attribute attributes[] = {{TEXT("service"), TEXT("acera")}, {TEXT("zone"), TEXT("1")}};

    assert_ptr_equal(plan_match(&plan, attributes, 2), &rules[0]);
    assert_ptr_equal(plan_match(&plan, attributes, 1), &rules[1]);
    assert_null(plan_match(&plan, attributes + 1, 1));
    assert_null(plan_match(&plan, NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queues_and_pools_are_found_by_name_and_number),
        cmocka_unit_test(queues_are_found_by_number_through_an_index_too),
        cmocka_unit_test(only_the_plans_skills_are_known_unless_any_is),
        cmocka_unit_test(the_first_rule_whose_conditions_all_hold_matches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
