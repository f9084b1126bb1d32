#include "tests/unit/unit.h"

#include <string.h>

#include "io/plan_file.h"

static struct plan_file file;

static vt_err parse(const char *text)
{
    return plan_file_parse(&file, "plan.yaml", bytes_of_text(text));
}

static void expect_refusal(const char *text, const char *part)
{
    assert_int_equal(parse(text), VT_INVALID);
    if (strstr(file.error, part) == NULL) {
        fail_msg("'%s' is not in '%s'", part, file.error);
    }
    plan_file_close(&file);
}

static const char whole[] = "pools:\n"
                            "  - name: via-publica\n"
                            "    queues:\n"
                            "      - name: calzadas\n"
                            "      - name: aceras\n"
                            "        grace_s: 30\n"
                            "        offer_ttl_s: 10\n"
                            "        max_fails: 3\n"
                            "        priority: 70\n"
                            "        languages: [es, gl]\n"
                            "  - name: otros\n"
                            "    queues: [{name: varios}]\n"
                            "skills: [pavimento, alumbrado]\n"
                            "intake:\n"
                            "  - when: {service: \"Desperfecto en acera\", kind: Aviso}\n"
                            "    queue: aceras\n"
                            "    skills: {pavimento: 2}\n"
                            "    priority: 60\n"
                            "default_queue: varios\n";

static void a_whole_plan_is_read(void **state)
{
    (void) state;
    assert_int_equal(parse(whole), VT_OK);
    const struct plan *plan = &file.plan;

    assert_int_equal(plan->pool_count, 2);
    assert_int_equal(plan->queue_count, 3);
    const struct plan_queue *aceras = plan_find_queue(plan, bytes_of_text("aceras"));
    assert_non_null(aceras);
    assert_int_equal(aceras->grace_ms, 30000);
    assert_int_equal(aceras->offer_ttl_ms, 10000);
    assert_int_equal(aceras->max_fails, 3);
    assert_int_equal(aceras->priority, 70);
    assert_true(bytes_equal_text(aceras->language, "es"));
    const struct plan_queue *calzadas = plan_find_queue(plan, bytes_of_text("calzadas"));
    assert_int_equal(calzadas->grace_ms, 300000);
    assert_int_equal(calzadas->priority, PRIORITY_DEFAULT);
    assert_true(bytes_equal_text(plan->queues[plan->default_queue].name, "varios"));
    assert_false(plan->any_skill);
    assert_true(plan_has_skill(plan, bytes_of_text("alumbrado")));

    struct attribute attributes[] = {
        {bytes_of_text("kind"), bytes_of_text("Aviso")},
        {bytes_of_text("service"), bytes_of_text("Desperfecto en acera")}};
    const struct plan_rule *rule = plan_match(plan, attributes, 2);
    assert_non_null(rule);
    assert_int_equal(rule->skill_count, 1);
    assert_int_equal(rule->skills[0].level, 2);
    assert_int_equal(rule->priority, 60);
    assert_null(plan_match(plan, attributes, 1));
    plan_file_close(&file);
}

static void queues_are_found_by_their_numbers_in_any_order(void **state)
{
    (void) state;
    assert_int_equal(parse("pools: [{name: a, queues: [{name: q1}, {name: q2}, {name: q3}]}]\n"
                           "default_queue: q1\n"),
                     VT_OK);
    file.queues[0].id = 9;
    file.queues[1].id = 4;
    file.queues[2].id = 7;

    plan_file_numbered(&file);

    assert_non_null(file.plan.queues_by_id);
    for (uint32_t i = 0; i < 3; i++) {
        assert_ptr_equal(plan_find_queue_id(&file.plan, file.queues[i].id), &file.queues[i]);
    }
    assert_null(plan_find_queue_id(&file.plan, 5));
    plan_file_close(&file);
}

static void without_a_plan_there_is_one_queue_and_any_skill(void **state)
{
    (void) state;
    assert_int_equal(plan_file_default(&file), VT_OK);
    assert_int_equal(file.plan.queue_count, 1);
    assert_true(bytes_equal_text(file.plan.queues[0].name, "default"));
    assert_true(file.plan.any_skill);
    plan_file_close(&file);
}

static void what_is_wrong_is_named_with_its_place(void **state)
{
    (void) state;
    expect_refusal("", "plan.yaml");
    expect_refusal("pool: []\n", "plan.yaml:1:1: unknown key 'pool', did you mean 'pools'?");
    expect_refusal("pools: 5\n", "plan.yaml:1:8");
    expect_refusal("pools: []\n", "plan.yaml:1:");
    expect_refusal("pools: [{name: a}]\n", "plan.yaml:1:");
    expect_refusal("pools: [{name: a, queues: [{name: q}, {name: q}]}]\n", "already");
    expect_refusal("pools: [{name: a, queues: [{name: q, grace_s: x}]}]\n", "plan.yaml:1:");
    expect_refusal("pools:\n  - name: a\n    queues:\n      - name: q\n        grase_s: 3\n",
                   "plan.yaml:5:9: unknown key 'grase_s', did you mean 'grace_s'?");
    expect_refusal("pools: [{name: a, queues: [{name: aceras}]}]\ndefault_queue: acera\n",
                   "did you mean 'aceras'?");
    expect_refusal("pools: [{name: a, queues: [{name: q}]}]\n"
                   "intake: [{when: {s: x}, queue: q, skills: {a: 11}}]\n",
                   "plan.yaml:2:");
    expect_refusal("pools: [{name: a, queues: [{name: q}]}]\nskills: [b]\n"
                   "intake: [{when: {s: x}, queue: q, skills: {a: 1}}]\n",
                   "plan.yaml:3:");
    expect_refusal("pools: [{name: a, queues: [{name: q, priority: 101}]}]\n", "plan.yaml:1:");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_plan_is_read),
        cmocka_unit_test(queues_are_found_by_their_numbers_in_any_order),
        cmocka_unit_test(without_a_plan_there_is_one_queue_and_any_skill),
        cmocka_unit_test(what_is_wrong_is_named_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
