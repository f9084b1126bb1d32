#include "io/plan_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/plan_file_reader.h"
#include "io/process.h"
#include "lib/check.h"

#define GRACE_S_DEFAULT 300u
#define GRACE_S_MAX 604800u
#define OFFER_TTL_S_DEFAULT 20u
#define OFFER_TTL_S_MAX 3600u
#define MAX_FAILS_DEFAULT 8u
#define MAX_FAILS_MAX 1000u
#define MS_PER_S 1000

struct bytes plan_reader_keep(struct plan_reader *reader, struct bytes text)
{
    return bytes_copy(&reader->file->arena, text);
}

vt_err plan_reader_u32(struct plan_reader *reader,
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

vt_err plan_reader_name(struct plan_reader *reader,
                        uint32_t map,
                        const char *key,
                        uint32_t bytes_max,
                        struct bytes *name)
{
    uint32_t node = yaml_get(&reader->yaml, map, key);
    if (node == YAML_NONE) {
        return yaml_fail(&reader->yaml, map, "'%s' is missing here", key);
    }
    struct bytes text;
    vt_err err = yaml_name(&reader->yaml, node, key, bytes_max, &text);
    if (err == VT_OK) {
        *name = plan_reader_keep(reader, text);
    }
    return err;
}

/* ---- pools and queues ---- */

static vt_err read_languages(struct plan_reader *reader, uint32_t map, struct plan_queue *queue)
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
            queue->language = plan_reader_keep(reader, language);
            is_first = false;
        }
    }
    return err;
}

static vt_err read_queue_numbers(struct plan_reader *reader, uint32_t map, struct plan_queue *queue)
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
        vt_err err = plan_reader_u32(reader, map, &numbers[i].wanted, numbers[i].value);
        if (err != VT_OK) {
            return err;
        }
    }
    queue->grace_ms = (int64_t) grace_s * MS_PER_S;
    queue->offer_ttl_ms = (int64_t) ttl_s * MS_PER_S;
    return VT_OK;
}

const struct plan_queue *plan_reader_find_queue(const struct plan_reader *reader, struct bytes name)
{
    for (uint32_t i = 0; i < reader->plan->queue_count; i++) {
        if (bytes_equal(reader->file->queues[i].name, name)) {
            return &reader->file->queues[i];
        }
    }
    return NULL;
}

/* `pool` is the pool's index until the store has numbered the partitions. */
static vt_err read_queue(struct plan_reader *reader, uint32_t node, uint32_t pool)
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
    err = plan_reader_name(reader, node, "name", NAME_BYTES_MAX, &queue->name);
    if (err == VT_OK && plan_reader_find_queue(reader, queue->name) != NULL) {
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

static bool has_pool(const struct plan_reader *reader, struct bytes name)
{
    for (uint32_t i = 0; i < reader->plan->pool_count; i++) {
        if (bytes_equal(reader->file->pools[i].name, name)) {
            return true;
        }
    }
    return false;
}

static vt_err read_pool(struct plan_reader *reader, uint32_t node)
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
    err = plan_reader_name(reader, node, "name", NAME_BYTES_MAX, &name);
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
    err = queues == YAML_NONE ? VT_OK : yaml_items(&reader->yaml, queues, "queues", &item);
    if (err == VT_OK && item == YAML_NONE) {
        return yaml_fail(&reader->yaml, node, "a pool needs at least one queue");
    }
    for (; err == VT_OK && item != YAML_NONE; item = reader->yaml.nodes[item].next) {
        err = read_queue(reader, item, index);
    }
    return err;
}

static vt_err read_pools(struct plan_reader *reader)
{
    uint32_t node = yaml_get(&reader->yaml, reader->yaml.root, "pools");
    uint32_t item = YAML_NONE;
    vt_err err = node == YAML_NONE ? VT_OK : yaml_items(&reader->yaml, node, "pools", &item);
    if (err == VT_OK && item == YAML_NONE) {
        return yaml_fail(&reader->yaml, reader->yaml.root, "'pools' is missing: one at least");
    }
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
static vt_err settle_queues(struct plan_reader *reader)
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

static vt_err read_plan(struct plan_reader *reader)
{
    static const char *const keys[] = {"pools", "skills", "intake", "default_queue"};
    vt_err err = yaml_check_map(&reader->yaml, reader->yaml.root, keys, ARRAY_LENGTH(keys));
    vt_err (*const parts[])(struct plan_reader *) = {read_pools,
                                                     settle_queues,
                                                     plan_reader_skills,
                                                     plan_reader_intake,
                                                     plan_reader_default_queue};
    for (uint32_t i = 0; err == VT_OK && i < ARRAY_LENGTH(parts); i++) {
        err = parts[i](reader);
    }
    return err;
}

/* ---- opening ---- */

static vt_err open_file(struct plan_file *file, struct plan_reader *reader)
{
    memset(file, 0, sizeof *file);
    memset(reader, 0, sizeof *reader);
    uint64_t tables = PLAN_POOLS_MAX * sizeof(struct plan_pool) +
                      PLAN_QUEUES_MAX * (sizeof(struct plan_queue) + sizeof(uint32_t)) +
                      PLAN_RULES_MAX * sizeof(struct plan_rule) +
                      PLAN_SKILLS_MAX * sizeof(struct bytes);
    if (process_reserve(tables + 4 * (uint64_t) YAML_FILE_BYTES_MAX, &file->arena) != VT_OK) {
        snprintf(file->error, sizeof file->error, "out of memory");
        return VT_UNAVAILABLE;
    }
    file->pools = ARENA_ARRAY(&file->arena, struct plan_pool, PLAN_POOLS_MAX);
    file->queues = ARENA_ARRAY(&file->arena, struct plan_queue, PLAN_QUEUES_MAX);
    file->queues_by_id = ARENA_ARRAY(&file->arena, uint32_t, PLAN_QUEUES_MAX);
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

static vt_err finish(struct plan_file *file, struct plan_reader *reader, vt_err err)
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
    struct plan_reader reader;
    vt_err err = open_file(file, &reader);
    return err != VT_OK ? err : finish(file, &reader, yaml_load_file(&reader.yaml, path));
}

vt_err plan_file_parse(struct plan_file *file, const char *name, struct bytes text)
{
    struct plan_reader reader;
    vt_err err = open_file(file, &reader);
    return err != VT_OK ? err : finish(file, &reader, yaml_load_bytes(&reader.yaml, name, text));
}

vt_err plan_file_default(struct plan_file *file)
{
    return plan_file_parse(file,
                           "default plan",
                           bytes_of_text("pools: [{name: default, queues: [{name: default}]}]\n"));
}

/* Insertion, since the store numbers the queues of a new plan in their order. */
void plan_file_numbered(struct plan_file *file)
{
    for (uint32_t i = 0; i < file->plan.queue_count; i++) {
        uint32_t at = i;
        while (at > 0 && file->queues[file->queues_by_id[at - 1]].id > file->queues[i].id) {
            file->queues_by_id[at] = file->queues_by_id[at - 1];
            at--;
        }
        file->queues_by_id[at] = i;
    }
    file->plan.queues_by_id = file->queues_by_id;
}

void plan_file_close(struct plan_file *file)
{
    process_unreserve(&file->arena);
}
