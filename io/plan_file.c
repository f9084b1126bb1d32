#include "io/plan_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/process.h"
#include "io/yaml.h"
#include "lib/check.h"
#include "lib/options.h"
#include "proto/requirements.h"

#define GRACE_S_DEFAULT 300u
#define GRACE_S_MAX 604800u
#define OFFER_TTL_S_DEFAULT 20u
#define OFFER_TTL_S_MAX 3600u
#define MAX_FAILS_DEFAULT 8u
#define MAX_FAILS_MAX 1000u
#define MS_PER_S 1000

/* One parse: the tree that is read and the snapshot that is filled. */
struct reader {
    struct yaml yaml;
    struct plan_file *file;
    struct bytes *skills;
    struct plan_rule *rules;
    const char **queue_names; /* NUL-terminated, for "did you mean" */
    struct plan *plan;
};

static struct bytes keep(struct reader *reader, struct bytes text)
{
    return bytes_copy(&reader->file->arena, text);
}

static vt_err read_optional_u32(struct reader *reader,
                                uint32_t map,
                                const struct yaml_number *wanted,
                                uint32_t *value)
{
    uint32_t node = yaml_get(&reader->yaml, map, wanted->what);
    if (node == YAML_NONE) {
        return VT_OK;
    }
    uint64_t number = 0;
    vt_err err = yaml_u64(&reader->yaml, node, wanted, &number);
    if (err == VT_OK) {
        *value = (uint32_t) number;
    }
    return err;
}

static vt_err read_name(
    struct reader *reader, uint32_t map, const char *key, uint32_t bytes_max, struct bytes *name)
{
    uint32_t node = yaml_get(&reader->yaml, map, key);
    if (node == YAML_NONE) {
        return yaml_fail(&reader->yaml, map, "'%s' is missing here", key);
    }
    struct bytes text;
    vt_err err = yaml_name(&reader->yaml, node, key, bytes_max, &text);
    if (err == VT_OK) {
        *name = keep(reader, text);
    }
    return err;
}

/* ---- pools and queues ---- */

static vt_err read_languages(struct reader *reader, uint32_t map, struct plan_queue *queue)
{
    uint32_t node = yaml_get(&reader->yaml, map, "languages");
    if (node == YAML_NONE) {
        return VT_OK;
    }
    uint32_t item = YAML_NONE;
    vt_err err = yaml_items(&reader->yaml, node, "languages", &item);
    bool is_first = true;
    for (; err == VT_OK && item != YAML_NONE; item = reader->yaml.nodes[item].next) {
        struct bytes language;
        err = yaml_name(&reader->yaml, item, "a language", LANGUAGE_BYTES_MAX, &language);
        if (err == VT_OK && is_first) {
            queue->language = keep(reader, language);
            is_first = false;
        }
    }
    return err;
}

static vt_err read_queue_numbers(struct reader *reader, uint32_t map, struct plan_queue *queue)
{
    uint32_t grace_s = GRACE_S_DEFAULT;
    uint32_t ttl_s = OFFER_TTL_S_DEFAULT;
    queue->max_fails = MAX_FAILS_DEFAULT;
    queue->priority = PRIORITY_DEFAULT;
    const struct {
        struct yaml_number wanted;
        uint32_t *value;
    } numbers[] = {
        {{"grace_s", 1, GRACE_S_MAX}, &grace_s},
        {{"offer_ttl_s", 1, OFFER_TTL_S_MAX}, &ttl_s},
        {{"max_fails", 1, MAX_FAILS_MAX}, &queue->max_fails},
        {{"priority", 0, PRIORITY_MAX}, &queue->priority},
    };
    for (uint32_t i = 0; i < ARRAY_LENGTH(numbers); i++) {
        vt_err err = read_optional_u32(reader, map, &numbers[i].wanted, numbers[i].value);
        if (err != VT_OK) {
            return err;
        }
    }
    queue->grace_ms = (int64_t) grace_s * MS_PER_S;
    queue->offer_ttl_ms = (int64_t) ttl_s * MS_PER_S;
    return VT_OK;
}

static const struct plan_queue *find_queue(const struct reader *reader, struct bytes name)
{
    for (uint32_t i = 0; i < reader->plan->queue_count; i++) {
        if (bytes_equal(reader->file->queues[i].name, name)) {
            return &reader->file->queues[i];
        }
    }
    return NULL;
}

/* `pool` is the pool's index until the store has numbered the partitions. */
static vt_err read_queue(struct reader *reader, uint32_t node, uint32_t pool)
{
    static const char *const keys[] = {
        "name", "grace_s", "offer_ttl_s", "max_fails", "priority", "languages"};
    vt_err err = yaml_check_map(&reader->yaml, node, keys, ARRAY_LENGTH(keys));
    if (err != VT_OK) {
        return err;
    }
    if (reader->plan->queue_count == PLAN_QUEUES_MAX) {
        return yaml_fail(&reader->yaml, node, "more than %u queues", PLAN_QUEUES_MAX);
    }

    struct plan_queue *queue = &reader->file->queues[reader->plan->queue_count];
    *queue = (struct plan_queue){.part = pool};
    err = read_name(reader, node, "name", NAME_BYTES_MAX, &queue->name);
    if (err == VT_OK && find_queue(reader, queue->name) != NULL) {
        err = yaml_fail(&reader->yaml, node, "a queue of this name stands above already");
    }
    if (err == VT_OK) {
        err = read_queue_numbers(reader, node, queue);
    }
    if (err == VT_OK) {
        err = read_languages(reader, node, queue);
    }
    if (err == VT_OK) {
        reader->plan->queue_count++;
    }
    return err;
}

static bool has_pool(const struct reader *reader, struct bytes name)
{
    for (uint32_t i = 0; i < reader->plan->pool_count; i++) {
        if (bytes_equal(reader->file->pools[i].name, name)) {
            return true;
        }
    }
    return false;
}

static vt_err read_pool(struct reader *reader, uint32_t node)
{
    static const char *const keys[] = {"name", "queues"};
    vt_err err = yaml_check_map(&reader->yaml, node, keys, ARRAY_LENGTH(keys));
    if (err != VT_OK) {
        return err;
    }
    if (reader->plan->pool_count == PLAN_POOLS_MAX) {
        return yaml_fail(&reader->yaml, node, "more than %u pools", PLAN_POOLS_MAX);
    }

    uint32_t index = reader->plan->pool_count;
    struct bytes name;
    err = read_name(reader, node, "name", NAME_BYTES_MAX, &name);
    if (err != VT_OK) {
        return err;
    }
    if (has_pool(reader, name)) {
        return yaml_fail(&reader->yaml, node, "a pool of this name stands above already");
    }
    reader->file->pools[index] = (struct plan_pool){.name = name};
    reader->plan->pool_count++;

    uint32_t queues = yaml_get(&reader->yaml, node, "queues");
    uint32_t item = YAML_NONE;
    if (queues == YAML_NONE || reader->yaml.nodes[queues].first == YAML_NONE) {
        return yaml_fail(&reader->yaml, node, "a pool needs at least one queue");
    }
    err = yaml_items(&reader->yaml, queues, "queues", &item);
    for (; err == VT_OK && item != YAML_NONE; item = reader->yaml.nodes[item].next) {
        err = read_queue(reader, item, index);
    }
    return err;
}

static vt_err read_pools(struct reader *reader)
{
    uint32_t node = yaml_get(&reader->yaml, reader->yaml.root, "pools");
    uint32_t item = YAML_NONE;
    if (node == YAML_NONE || reader->yaml.nodes[node].first == YAML_NONE) {
        return yaml_fail(&reader->yaml, reader->yaml.root, "'pools' is missing: one at least");
    }
    vt_err err = yaml_items(&reader->yaml, node, "pools", &item);
    for (; err == VT_OK && item != YAML_NONE; item = reader->yaml.nodes[item].next) {
        err = read_pool(reader, item);
    }
    return err;
}

static int compare_queues(const void *a, const void *b)
{
    const struct plan_queue *left = a;
    const struct plan_queue *right = b;
    return bytes_compare(left->name, right->name);
}

/* From here on queues are in their final order, so that rules can name them by index. */
static vt_err settle_queues(struct reader *reader)
{
    struct plan *plan = reader->plan;
    qsort(reader->file->queues, plan->queue_count, sizeof reader->file->queues[0], compare_queues);
    reader->queue_names = calloc(plan->queue_count, sizeof *reader->queue_names);
    if (reader->queue_names == NULL) {
        return VT_UNAVAILABLE;
    }
    for (uint32_t i = 0; i < plan->queue_count; i++) {
        reader->queue_names[i] = (const char *) reader->file->queues[i].name.data;
    }
    return VT_OK;
}

/* ---- skills ---- */

static vt_err read_skills(struct reader *reader)
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
            reader->skills[plan->skill_count++] = keep(reader, name);
        }
    }
    if (err == VT_OK && names_sort(reader->skills, plan->skill_count) != VT_OK) {
        return yaml_fail(&reader->yaml, node, "a skill stands here twice");
    }
    return err;
}

static vt_err read_level(struct reader *reader, uint32_t key, struct skill *skill)
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
        *skill = (struct skill){.name = keep(reader, name), .level = (uint32_t) level};
    }
    return err;
}

static vt_err read_rule_skills(struct reader *reader, uint32_t map, struct plan_rule *rule)
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

static vt_err read_conditions(struct reader *reader, uint32_t map, struct plan_rule *rule)
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
        rule->when[rule->when_count++] = (struct attribute){
            .name = keep(reader, name), .value = keep(reader, reader->yaml.nodes[value].text)};
        key = reader->yaml.nodes[value].next;
    }
    return VT_OK;
}

/* The index of the queue that `node` names. */
static vt_err read_queue_name(struct reader *reader, uint32_t node, uint32_t *index)
{
    struct bytes name;
    vt_err err = yaml_name(&reader->yaml, node, "a queue", NAME_BYTES_MAX, &name);
    if (err != VT_OK) {
        return err;
    }
    const struct plan_queue *queue = find_queue(reader, name);
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

static vt_err read_rule_language(struct reader *reader, uint32_t map, struct plan_rule *rule)
{
    if (yaml_get(&reader->yaml, map, "language") == YAML_NONE) {
        return VT_OK;
    }
    return read_name(reader, map, "language", LANGUAGE_BYTES_MAX, &rule->language);
}

static vt_err read_rule(struct reader *reader, uint32_t node)
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
        err = read_optional_u32(reader, node, &priority, &rule->priority);
    }
    if (err == VT_OK) {
        reader->plan->rule_count++;
    }
    return err;
}

static vt_err read_intake(struct reader *reader)
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

static vt_err read_default_queue(struct reader *reader)
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

static vt_err read_plan(struct reader *reader)
{
    static const char *const keys[] = {"pools", "skills", "intake", "default_queue"};
    vt_err err = yaml_check_map(&reader->yaml, reader->yaml.root, keys, ARRAY_LENGTH(keys));
    vt_err (*const parts[])(struct reader *) = {
        read_pools, settle_queues, read_skills, read_intake, read_default_queue};
    for (uint32_t i = 0; err == VT_OK && i < ARRAY_LENGTH(parts); i++) {
        err = parts[i](reader);
    }
    return err;
}

/* ---- opening ---- */

static vt_err open_file(struct plan_file *file, struct reader *reader)
{
    memset(file, 0, sizeof *file);
    memset(reader, 0, sizeof *reader);
    uint64_t tables =
        PLAN_POOLS_MAX * sizeof(struct plan_pool) + PLAN_QUEUES_MAX * sizeof(struct plan_queue) +
        PLAN_RULES_MAX * sizeof(struct plan_rule) + PLAN_SKILLS_MAX * sizeof(struct bytes);
    if (process_reserve(tables + 4 * (uint64_t) YAML_FILE_BYTES_MAX, &file->arena) != VT_OK) {
        snprintf(file->error, sizeof file->error, "out of memory");
        return VT_UNAVAILABLE;
    }
    file->pools = ARENA_ARRAY(&file->arena, struct plan_pool, PLAN_POOLS_MAX);
    file->queues = ARENA_ARRAY(&file->arena, struct plan_queue, PLAN_QUEUES_MAX);
    reader->rules = ARENA_ARRAY(&file->arena, struct plan_rule, PLAN_RULES_MAX);
    reader->skills = ARENA_ARRAY(&file->arena, struct bytes, PLAN_SKILLS_MAX);
    reader->file = file;
    reader->plan = &file->plan;
    file->plan = (struct plan){.revision = 1,
                               .pools = file->pools,
                               .queues = file->queues,
                               .rules = reader->rules,
                               .skills = reader->skills};
    return VT_OK;
}

static vt_err finish(struct plan_file *file, struct reader *reader, vt_err err)
{
    if (err == VT_OK) {
        err = read_plan(reader);
    }
    snprintf(file->error, sizeof file->error, "%s", reader->yaml.error);
    free(reader->queue_names);
    yaml_close(&reader->yaml);
    return err;
}

vt_err plan_file_load(struct plan_file *file, const char *path)
{
    struct reader reader;
    vt_err err = open_file(file, &reader);
    return err != VT_OK ? err : finish(file, &reader, yaml_load_file(&reader.yaml, path));
}

vt_err plan_file_parse(struct plan_file *file, const char *name, struct bytes text)
{
    struct reader reader;
    vt_err err = open_file(file, &reader);
    return err != VT_OK ? err : finish(file, &reader, yaml_load_bytes(&reader.yaml, name, text));
}

vt_err plan_file_default(struct plan_file *file)
{
    return plan_file_parse(file,
                           "default plan",
                           bytes_of_text("pools: [{name: default, queues: [{name: default}]}]\n"));
}

void plan_file_close(struct plan_file *file)
{
    process_unreserve(&file->arena);
}
