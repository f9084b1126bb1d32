#include "io/plan_file_reader.h"
#include "lib/check.h"
#include "lib/options.h"
#include "proto/requirements.h"

/* ---- skills ---- */

vt_err plan_reader_skills(struct plan_reader *reader)
{
    struct plan *plan = reader->plan;
    uint32_t node = yaml_get(&reader->yaml, reader->yaml.root, "skills");
    if (node == YAML_NONE) {
        plan->any_skill = true;
        return VT_OK;
    }
    uint32_t item = YAML_NONE;
    vt_err err = yaml_items(&reader->yaml, node, "skills", &item);
    for (; err == VT_OK && item != YAML_NONE; item = reader->yaml.nodes[item].next) {
        struct bytes name;
        if (plan->skill_count == PLAN_SKILLS_MAX) {
            return yaml_fail(&reader->yaml, item, "more than %u skills", PLAN_SKILLS_MAX);
        }
        err = yaml_name(&reader->yaml, item, "a skill", NAME_BYTES_MAX, &name);
        if (err == VT_OK) {
            reader->skills[plan->skill_count++] = plan_reader_keep(reader, name);
        }
    }
    if (err == VT_OK && names_sort(reader->skills, plan->skill_count) != VT_OK) {
        return yaml_fail(&reader->yaml, node, "a skill stands here twice");
    }
    return err;
}

static vt_err read_level(struct plan_reader *reader, uint32_t key, struct skill *skill)
{
    struct bytes name;
    uint64_t level = 0;
    struct yaml_number wanted = {"a level", 0, LEVEL_MAX};
    vt_err err = yaml_name(&reader->yaml, key, "a skill", NAME_BYTES_MAX, &name);
    if (err == VT_OK && !plan_has_skill(reader->plan, name)) {
        return yaml_fail(&reader->yaml,
                         key,
                         "unknown skill '%.*s': it is not in this plan's list of skills",
                         (int) name.size,
                         (const char *) name.data);
    }
    if (err == VT_OK) {
        err = yaml_u64(&reader->yaml, reader->yaml.nodes[key].next, &wanted, &level);
    }
    if (err == VT_OK) {
        *skill = (struct skill){.name = plan_reader_keep(reader, name), .level = (uint32_t) level};
    }
    return err;
}

static vt_err read_rule_skills(struct plan_reader *reader, uint32_t map, struct plan_rule *rule)
{
    uint32_t node = yaml_get(&reader->yaml, map, "skills");
    if (node == YAML_NONE) {
        return VT_OK;
    }
    if (reader->yaml.nodes[node].kind != YAML_MAP) {
        return yaml_fail(&reader->yaml, node, "skills must be a map: {name: level}");
    }
    for (uint32_t key = reader->yaml.nodes[node].first; key != YAML_NONE;) {
        if (rule->skill_count == SKILLS_MAX) {
            return yaml_fail(&reader->yaml, key, "more than %u skills", SKILLS_MAX);
        }
        vt_err err = read_level(reader, key, &rule->skills[rule->skill_count]);
        if (err != VT_OK) {
            return err;
        }
        rule->skill_count++;
        key = reader->yaml.nodes[reader->yaml.nodes[key].next].next;
    }
    if (skills_sort(rule->skills, rule->skill_count) != VT_OK) {
        return yaml_fail(&reader->yaml, node, "a skill stands here twice");
    }
    return VT_OK;
}

/* ---- intake rules ---- */

static vt_err read_conditions(struct plan_reader *reader, uint32_t map, struct plan_rule *rule)
{
    uint32_t node = yaml_get(&reader->yaml, map, "when");
    if (node == YAML_NONE || reader->yaml.nodes[node].kind != YAML_MAP) {
        return yaml_fail(&reader->yaml, map, "a rule needs 'when: {attribute: value}'");
    }
    for (uint32_t key = reader->yaml.nodes[node].first; key != YAML_NONE;) {
        uint32_t value = reader->yaml.nodes[key].next;
        struct bytes name;
        vt_err err = yaml_name(&reader->yaml, key, "an attribute", NAME_BYTES_MAX, &name);
        if (err != VT_OK) {
            return err;
        }
        if (reader->yaml.nodes[value].kind != YAML_SCALAR) {
            return yaml_fail(&reader->yaml, value, "an attribute's value must be plain text");
        }
        if (rule->when_count == PLAN_CONDITIONS_MAX) {
            return yaml_fail(&reader->yaml, key, "more than %u conditions", PLAN_CONDITIONS_MAX);
        }
        rule->when[rule->when_count++] =
            (struct attribute){.name = plan_reader_keep(reader, name),
                               .value = plan_reader_keep(reader, reader->yaml.nodes[value].text)};
        key = reader->yaml.nodes[value].next;
    }
    return VT_OK;
}

/* The index of the queue that `node` names. */
static vt_err read_queue_name(struct plan_reader *reader, uint32_t node, uint32_t *index)
{
    struct bytes name;
    vt_err err = yaml_name(&reader->yaml, node, "a queue", NAME_BYTES_MAX, &name);
    if (err != VT_OK) {
        return err;
    }
    const struct plan_queue *queue = plan_reader_find_queue(reader, name);
    if (queue != NULL) {
        *index = (uint32_t) (queue - reader->file->queues);
        return VT_OK;
    }
    const char *nearest = options_nearest(reader->queue_names, reader->plan->queue_count, name);
    return yaml_fail(&reader->yaml,
                     node,
                     "unknown queue '%.*s'%s%s%s",
                     (int) name.size,
                     (const char *) name.data,
                     nearest != NULL ? ", did you mean '" : "",
                     nearest != NULL ? nearest : "",
                     nearest != NULL ? "'?" : "");
}

static vt_err read_rule_language(struct plan_reader *reader, uint32_t map, struct plan_rule *rule)
{
    if (yaml_get(&reader->yaml, map, "language") == YAML_NONE) {
        return VT_OK;
    }
    return plan_reader_name(reader, map, "language", LANGUAGE_BYTES_MAX, &rule->language);
}

static vt_err read_rule(struct plan_reader *reader, uint32_t node)
{
    static const char *const keys[] = {"when", "queue", "skills", "language", "priority"};
    vt_err err = yaml_check_map(&reader->yaml, node, keys, ARRAY_LENGTH(keys));
    if (err != VT_OK) {
        return err;
    }
    if (reader->plan->rule_count == PLAN_RULES_MAX) {
        return yaml_fail(&reader->yaml, node, "more than %u rules", PLAN_RULES_MAX);
    }

    struct plan_rule *rule = &reader->rules[reader->plan->rule_count];
    *rule = (struct plan_rule){.priority = PRIORITY_ABSENT};
    uint32_t queue = yaml_get(&reader->yaml, node, "queue");
    if (queue == YAML_NONE) {
        return yaml_fail(&reader->yaml, node, "a rule needs 'queue: NAME'");
    }
    struct yaml_number priority = {"priority", 0, PRIORITY_MAX};
    err = read_queue_name(reader, queue, &rule->queue);
    if (err == VT_OK) {
        err = read_conditions(reader, node, rule);
    }
    if (err == VT_OK) {
        err = read_rule_skills(reader, node, rule);
    }
    if (err == VT_OK) {
        err = read_rule_language(reader, node, rule);
    }
    if (err == VT_OK) {
        err = plan_reader_u32(reader, node, &priority, &rule->priority);
    }
    if (err == VT_OK) {
        reader->plan->rule_count++;
    }
    return err;
}

vt_err plan_reader_intake(struct plan_reader *reader)
{
    uint32_t node = yaml_get(&reader->yaml, reader->yaml.root, "intake");
    if (node == YAML_NONE) {
        return VT_OK;
    }
    uint32_t item = YAML_NONE;
    vt_err err = yaml_items(&reader->yaml, node, "intake", &item);
    for (; err == VT_OK && item != YAML_NONE; item = reader->yaml.nodes[item].next) {
        err = read_rule(reader, item);
    }
    return err;
}

vt_err plan_reader_default_queue(struct plan_reader *reader)
{
    uint32_t node = yaml_get(&reader->yaml, reader->yaml.root, "default_queue");
    if (node == YAML_NONE) {
        if (reader->plan->queue_count > 1) {
            return yaml_fail(&reader->yaml,
                             reader->yaml.root,
                             "'default_queue' is missing: where tickets go that no rule fits");
        }
        return VT_OK;
    }
    return read_queue_name(reader, node, &reader->plan->default_queue);
}
