#include "tests/unit/unit.h"

#include <string.h>

#include "io/agents_file.h"
#include "proto/requirements.h"

static struct agents_file file;

static vt_err parse(const char *text)
{
    return agents_file_parse(&file, "agents.yaml", bytes_of_text(text));
}

static void expect_refusal(const char *text, const char *part)
{
    assert_int_equal(parse(text), VT_INVALID);
    if (strstr(file.error, part) == NULL) {
        fail_msg("'%s' is not in '%s'", part, file.error);
    }
    agents_file_close(&file);
}

static void a_whole_agent_is_read(void **state)
{
    (void) state;
    static struct profile profile;
    assert_int_equal(parse("agents:\n"
                           "  - name: ana\n"
                           "    skills: {pavimento: 7, alumbrado: 3}\n"
                           "    languages: [gl, es]\n"
                           "    queues: [aceras, calzadas]\n"
                           "    capacity: 3\n"
                           "    run: [./answer.sh, --polite]\n"
                           "    timeout_s: 120\n"
                           "  - {name: bea, run: [x]}\n"),
                     VT_OK);
    assert_int_equal(file.agent_count, 2);
    const struct agents_file_agent *ana = &file.agents[0];
    assert_true(bytes_equal_text(ana->name, "ana"));
    assert_int_equal(ana->capacity, 3);
    assert_int_equal(ana->timeout_ms, 120000);
    assert_string_equal(ana->run[0], "./answer.sh");
    assert_string_equal(ana->run[1], "--polite");
    assert_null(ana->run[2]);
    assert_int_equal(profile_read(ana->profile, &profile), VT_OK);
    assert_int_equal(profile.skill_count, 2);
    assert_true(bytes_equal_text(profile.skills[0].name, "alumbrado"));
    assert_int_equal(profile.language_count, 2);
    assert_int_equal(profile.queue_count, 2);
    assert_int_equal(file.agents[1].capacity, 1);
    assert_int_equal(file.agents[1].timeout_ms, 300000);
    agents_file_close(&file);
}

static void what_is_wrong_is_named_with_its_place(void **state)
{
    (void) state;
    expect_refusal("", "agents.yaml");
    expect_refusal("agents: []\n", "'agents' is missing");
    expect_refusal("agents:\n  - name: a\n    run: [x]\n    skils: {}\n",
                   "agents.yaml:4:5: unknown key 'skils', did you mean 'skills'?");
    expect_refusal("agents: [{name: a}]\n", "'run: [program, argument, ...]' is missing");
    expect_refusal("agents: [{run: [x]}]\n", "'name' is missing");
    expect_refusal("agents: [{name: a, run: x}]\n", "agents.yaml:1:");
    expect_refusal("agents: [{name: a, run: [x]}, {name: a, run: [x]}]\n", "already");
    expect_refusal("agents: [{name: a, run: [x], capacity: 0}]\n", "capacity");
    expect_refusal("agents: [{name: a, run: [x], capacity: many}]\n", "agents.yaml:1:40");
    expect_refusal("agents: [{name: a, run: [x], timeout_s: 0}]\n", "timeout_s");
    expect_refusal("agents: [{name: a, run: [x], skills: {b: 11}}]\n", "level");
    expect_refusal("agents: [{name: a, run: [x], skills: [b]}]\n", "skills must be a map");
    expect_refusal("agents: [{name: a, run: [x], languages: [es, es]}]\n", "twice");
    expect_refusal("agents: [{name: a, run: [[x]]}]\n", "argument of 'run'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_agent_is_read),
        cmocka_unit_test(what_is_wrong_is_named_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
