#include "tests/unit/unit.h"

#include <string.h>

#include "io/yaml.h"

static struct yaml yaml;

static vt_err load(const char *text)
{
    return yaml_load_bytes(&yaml, "f.yaml", bytes_of_text(text));
}

static void expect_error(const char *part)
{
    if (strstr(yaml.error, part) == NULL) {
        fail_msg("'%s' is not in '%s'", part, yaml.error);
    }
}

static void every_node_knows_its_place_and_scalars_stay_text(void **state)
{
    (void) state;
    assert_int_equal(load("a: no\nb:\n  - 1\n  - {c: d}\n"), VT_OK);
    uint32_t a = yaml_get(&yaml, yaml.root, "a");
    uint32_t b = yaml_get(&yaml, yaml.root, "b");
    uint32_t item = YAML_NONE;

    assert_true(bytes_equal_text(yaml.nodes[a].text, "no"));
    assert_int_equal(yaml.nodes[a].line, 1);
    assert_int_equal(yaml.nodes[a].column, 4);
    assert_int_equal(yaml_items(&yaml, b, "b", &item), VT_OK);
    item = yaml.nodes[item].next;
    assert_int_equal(yaml.nodes[item].kind, YAML_MAP);
    assert_int_equal(yaml.nodes[item].line, 4);
    assert_int_equal(yaml_get(&yaml, yaml.root, "x"), YAML_NONE);
    yaml_close(&yaml);
}

static void unknown_and_repeated_keys_are_refused_with_the_nearest_name(void **state)
{
    (void) state;
    static const char *const names[] = {"skills", "queue"};
    assert_int_equal(load("queue: q\nskils: {}\n"), VT_OK);
    assert_int_equal(yaml_check_map(&yaml, yaml.root, names, 2), VT_INVALID);
    expect_error("f.yaml:2:1: unknown key 'skils', did you mean 'skills'?");
    yaml_close(&yaml);

    assert_int_equal(load("queue: q\nqueue: r\n"), VT_OK);
    assert_int_equal(yaml_check_map(&yaml, yaml.root, names, 2), VT_INVALID);
    expect_error("f.yaml:2:1: ");
    yaml_close(&yaml);

    assert_int_equal(load("- queue\n"), VT_OK);
    assert_int_equal(yaml_check_map(&yaml, yaml.root, names, 2), VT_INVALID);
    expect_error("f.yaml:1:1: ");
    yaml_close(&yaml);
}

static void numbers_and_names_are_held_to_their_range(void **state)
{
    (void) state;
    static const char *const wrong[] = {"11", "-1", "a", "1.5", "", "0x1"};
    struct yaml_number number = {"a level", 0, 10};
    struct bytes name;
    uint64_t value = 0;
    assert_int_equal(load("[10]"), VT_OK);
    assert_int_equal(yaml_u64(&yaml, yaml.nodes[yaml.root].first, &number, &value), VT_OK);
    assert_int_equal(value, 10);
    yaml_close(&yaml);
    for (uint32_t i = 0; i < 6; i++) {
        char text[32] = "['";
        strcat(text, wrong[i]);
        strcat(text, "']");
        assert_int_equal(load(text), VT_OK);
        assert_int_equal(yaml_u64(&yaml, yaml.nodes[yaml.root].first, &number, &value), VT_INVALID);
        expect_error("f.yaml:1:2: ");
        yaml_close(&yaml);
    }
    assert_int_equal(load("[abc, \"a\\tb\", [x]]"), VT_OK);
    uint32_t item = yaml.nodes[yaml.root].first;
    assert_int_equal(yaml_name(&yaml, item, "name", 2, &name), VT_INVALID);
    assert_int_equal(yaml_name(&yaml, item, "name", 3, &name), VT_OK);
    item = yaml.nodes[item].next;
    assert_int_equal(yaml_name(&yaml, item, "name", 8, &name), VT_INVALID);
    item = yaml.nodes[item].next;
    assert_int_equal(yaml_name(&yaml, item, "name", 8, &name), VT_INVALID);
    yaml_close(&yaml);
}

static void what_is_not_plain_yaml_is_refused_with_its_place(void **state)
{
    (void) state;
    static const char *const wrong[] = {"a: [1\n",
                                        "a: &x 1\nb: *x\n",
                                        "a: 1\n---\nb: 2\n",
                                        "a: \xff\n",
                                        "",
                                        "{{{{{{{{{{{{{{{{{{{{: }}}}}}}}}}}}}}}}}}}}}\n",
                                        "[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]"};
    for (uint32_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_not_equal(load(wrong[i]), VT_OK);
        expect_error("f.yaml:");
        yaml_close(&yaml);
    }
}

static void a_file_that_is_not_there_says_so(void **state)
{
    (void) state;
    assert_int_equal(yaml_load_file(&yaml, "/nonexistent/plan.yaml"), VT_NOT_FOUND);
    expect_error("/nonexistent/plan.yaml");
    yaml_close(&yaml);
    assert_int_not_equal(yaml_load_file(&yaml, "/"), VT_OK);
    yaml_close(&yaml);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_node_knows_its_place_and_scalars_stay_text),
        cmocka_unit_test(unknown_and_repeated_keys_are_refused_with_the_nearest_name),
        cmocka_unit_test(numbers_and_names_are_held_to_their_range),
        cmocka_unit_test(what_is_not_plain_yaml_is_refused_with_its_place),
        cmocka_unit_test(a_file_that_is_not_there_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
