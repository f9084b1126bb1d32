/* Differential test: router/matching against a brute-force oracle (oracle.h), which looks at every
 * ticket and agent each time.
 */
#include "tests/unit/matching_world.h"

#include <stdio.h>

static void expect_agreement(const struct shape *shape)
{
    static struct world world;
    matching_world_open(&world, shape);
    while (world.decision_count < shape->decision_count) {
        matching_world_change(&world);
        matching_world_look(&world);
    }
    printf("%s: %llu decisions, %llu found somebody, %llu refusals dropped\n",
           shape->name,
           (unsigned long long) world.decision_count,
           (unsigned long long) world.found_count,
           (unsigned long long) world.dropped_count);
    assert_true(world.found_count > shape->decision_count / 100u);
    unit_arena_close(&world.arena);
}

static void few_classes_and_many_who_may_serve_them(void **state)
{
    (void) state;
    expect_agreement(&(struct shape){.name = "few classes",
                                     .decision_count = 100000,
                                     .queue_count = 2,
                                     .skill_count = 1,
                                     .skill_percent = 80,
                                     .need_percent = 30,
                                     .level_max = 1,
                                     .language_count = 1,
                                     .agent_count = 60,
                                     .ticket_count = 300,
                                     .capacity_max = 3,
                                     .priority_count = 3,
                                     .refusals_max = 1000,
                                     .decline_percent = 10,
                                     .refusal_ms = 1000});
}

static void many_classes_and_few_who_may_serve_them(void **state)
{
    (void) state;
    expect_agreement(&(struct shape){.name = "many classes",
                                     .decision_count = 100000,
                                     .queue_count = 8,
                                     .skill_count = 12,
                                     .skill_percent = 70,
                                     .need_percent = 10,
                                     .level_max = 10,
                                     .language_count = 4,
                                     .agent_count = 80,
                                     .ticket_count = 400,
                                     .capacity_max = 5,
                                     .priority_count = 100,
                                     .refusals_max = 2000,
                                     .decline_percent = 15,
                                     .refusal_ms = 2000});
}

static void agents_of_one_slot_with_many_declines(void **state)
{
    (void) state;
    expect_agreement(&(struct shape){.name = "declines",
                                     .decision_count = 100000,
                                     .queue_count = 3,
                                     .skill_count = 2,
                                     .skill_percent = 90,
                                     .need_percent = 20,
                                     .level_max = 2,
                                     .language_count = 2,
                                     .agent_count = 80,
                                     .ticket_count = 60,
                                     .capacity_max = 1,
                                     .priority_count = 1,
                                     .refusals_max = 1000,
                                     .decline_percent = 80,
                                     .refusal_ms = 20000});
}

static void a_table_of_refusals_that_is_always_full(void **state)
{
    (void) state;
    expect_agreement(&(struct shape){.name = "refusals full",
                                     .decision_count = 20000,
                                     .queue_count = 1,
                                     .skill_count = 1,
                                     .skill_percent = 90,
                                     .need_percent = 10,
                                     .level_max = 1,
                                     .language_count = 0,
                                     .agent_count = 30,
                                     .ticket_count = 100,
                                     .capacity_max = 2,
                                     .priority_count = 2,
                                     .refusals_max = 8,
                                     .decline_percent = 50,
                                     .refusal_ms = 1000});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_classes_and_many_who_may_serve_them),
        cmocka_unit_test(many_classes_and_few_who_may_serve_them),
        cmocka_unit_test(agents_of_one_slot_with_many_declines),
        cmocka_unit_test(a_table_of_refusals_that_is_always_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
