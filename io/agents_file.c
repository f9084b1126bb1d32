#include "io/agents_file.h"

#include <stdio.h>
#include <string.h>

#include "io/process.h"
#include "io/yaml.h"
#include "lib/check.h"
#include "proto/message.h"
#include "proto/requirements.h"

#define TIMEOUT_S_DEFAULT 300u
#define TIMEOUT_S_MAX 86400u
#define ARGUMENT_BYTES_MAX 1024u
#define MS_PER_S 1000

struct reader {
    struct yaml yaml;
    struct agents_file *file;
    struct profile profile; /* of the agent being read */
    uint8_t blob[PROFILE_BYTES_MAX];
};

struct name_list {
    const char *what;
    uint32_t max;
    uint32_t bytes_max;
    struct bytes *names;
    uint32_t *count;
};

static vt_err read_names(struct reader *reader, uint32_t map, const struct name_list *list)
{
    uint32_t node = yaml_get(&reader->yaml, map, list->what);
    if (node == YAML_NONE) {
        return VT_OK;
    }
    uint32_t item = YAML_NONE;
    vt_err err = yaml_items(&reader->yaml, node, list->what, &item);
    for (; err == VT_OK && item != YAML_NONE; item = reader->yaml.nodes[item].next) {
        if (*list->count == list->max) {
            return yaml_fail(&reader->yaml, item, "more than %u %s", list->max, list->what);
        }
        err =
            yaml_name(&reader->yaml, item, list->what, list->bytes_max, &list->names[*list->count]);
        *list->count += err == VT_OK ? 1 : 0;
    }
    if (err == VT_OK && names_sort(list->names, *list->count) != VT_OK) {
        return yaml_fail(&reader->yaml, node, "one of these %s stands here twice", list->what);
    }
    return err;
}

static vt_err read_skills(struct reader *reader, uint32_t map)
{
    uint32_t node = yaml_get(&reader->yaml, map, "skills");
    if (node == YAML_NONE) {
        return VT_OK;
    }
    if (reader->yaml.nodes[node].kind != YAML_MAP) {
        return yaml_fail(&reader->yaml, node, "skills must be a map: {name: level}");
    }
    struct profile *profile = &reader->profile;
    for (uint32_t key = reader->yaml.nodes[node].first; key != YAML_NONE;) {
        uint32_t value = reader->yaml.nodes[key].next;
        struct yaml_number wanted = {"a level", 0, LEVEL_MAX};
        uint64_t level = 0;
        if (profile->skill_count == AGENT_SKILLS_MAX) {
            return yaml_fail(&reader->yaml, key, "more than %u skills", AGENT_SKILLS_MAX);
        }
        struct skill *skill = &profile->skills[profile->skill_count];
        vt_err err = yaml_name(&reader->yaml, key, "a skill", NAME_BYTES_MAX, &skill->name);
        if (err == VT_OK) {
            err = yaml_u64(&reader->yaml, value, &wanted, &level);
        }
        if (err != VT_OK) {
            return err;
        }
        skill->level = (uint32_t) level;
        profile->skill_count++;
        key = reader->yaml.nodes[value].next;
    }
    if (skills_sort(profile->skills, profile->skill_count) != VT_OK) {
        return yaml_fail(&reader->yaml, node, "a skill stands here twice");
    }
    return VT_OK;
}

static vt_err read_profile(struct reader *reader, uint32_t map, struct agents_file_agent *agent)
{
    struct profile *profile = &reader->profile;
    memset(profile, 0, sizeof *profile);
    struct name_list queues = {
        "queues", AGENT_QUEUES_MAX, NAME_BYTES_MAX, profile->queues, &profile->queue_count};
    struct name_list languages = {"languages",
                                  AGENT_LANGUAGES_MAX,
                                  LANGUAGE_BYTES_MAX,
                                  profile->languages,
                                  &profile->language_count};
    vt_err err = read_names(reader, map, &queues);
    if (err == VT_OK) {
        err = read_names(reader, map, &languages);
    }
    if (err == VT_OK) {
        err = read_skills(reader, map);
    }
    if (err == VT_OK) {
        uint32_t size = profile_write(profile, reader->blob);
        agent->profile = bytes_copy(&reader->file->arena, bytes_of(reader->blob, size));
    }
    return err;
}

static vt_err read_run(struct reader *reader, uint32_t map, struct agents_file_agent *agent)
{
    uint32_t node = yaml_get(&reader->yaml, map, "run");
    uint32_t item = YAML_NONE;
    vt_err err = node == YAML_NONE ? VT_OK : yaml_items(&reader->yaml, node, "run", &item);
    if (err == VT_OK && item == YAML_NONE) {
        return yaml_fail(
            &reader->yaml, map, "'run: [program, argument, ...]' is missing: what works a ticket");
    }
    char **arguments = ARENA_ARRAY(&reader->file->arena, char *, AGENTS_FILE_ARGUMENTS_MAX + 1);
    uint32_t count = 0;
    for (; err == VT_OK && item != YAML_NONE; item = reader->yaml.nodes[item].next) {
        const struct yaml_node *at = &reader->yaml.nodes[item];
        if (at->kind != YAML_SCALAR || at->text.size > ARGUMENT_BYTES_MAX ||
            bytes_has_nul(at->text) || (count == 0 && at->text.size == 0)) {
            return yaml_fail(&reader->yaml,
                             item,
                             "an argument of 'run' must be a text of up to %u bytes",
                             ARGUMENT_BYTES_MAX);
        }
        if (count == AGENTS_FILE_ARGUMENTS_MAX) {
            return yaml_fail(
                &reader->yaml, item, "more than %u arguments", AGENTS_FILE_ARGUMENTS_MAX);
        }
        char *argument = arena_take_zeroed(&reader->file->arena, at->text.size + 1u, 1);
        memcpy(argument, at->text.data, at->text.size);
        arguments[count++] = argument;
    }
    arguments[count] = NULL;
    agent->run = arguments;
    return err;
}

static vt_err
read_number(struct reader *reader, uint32_t map, const struct yaml_number *wanted, uint64_t *value)
{
    uint32_t node = yaml_get(&reader->yaml, map, wanted->what);
    return node == YAML_NONE ? VT_OK : yaml_u64(&reader->yaml, node, wanted, value);
}

static vt_err read_own_name(struct reader *reader, uint32_t map, struct agents_file_agent *agent)
{
    uint32_t node = yaml_get(&reader->yaml, map, "name");
    if (node == YAML_NONE) {
        return yaml_fail(&reader->yaml, map, "'name' is missing here");
    }
    struct bytes name;
    vt_err err = yaml_name(&reader->yaml, node, "name", NAME_BYTES_MAX, &name);
    if (err != VT_OK) {
        return err;
    }
    for (uint32_t i = 0; i < reader->file->agent_count; i++) {
        if (bytes_equal(reader->file->agents[i].name, name)) {
            return yaml_fail(&reader->yaml, node, "an agent of this name stands above already");
        }
    }
    agent->name = bytes_copy(&reader->file->arena, name);
    return VT_OK;
}

static vt_err read_agent(struct reader *reader, uint32_t node)
{
    static const char *const keys[] = {
        "name", "skills", "languages", "queues", "capacity", "run", "timeout_s"};
    struct agents_file_agent agent = {0};
    uint64_t capacity = 1;
    uint64_t timeout_s = TIMEOUT_S_DEFAULT;
    struct yaml_number capacity_wanted = {"capacity", 1, CAPACITY_MAX};
    struct yaml_number timeout_wanted = {"timeout_s", 1, TIMEOUT_S_MAX};

    vt_err err = yaml_check_map(&reader->yaml, node, keys, ARRAY_LENGTH(keys));
    if (err == VT_OK) {
        err = read_own_name(reader, node, &agent);
    }
    if (err == VT_OK) {
        err = read_profile(reader, node, &agent);
    }
    if (err == VT_OK) {
        err = read_number(reader, node, &capacity_wanted, &capacity);
    }
    if (err == VT_OK) {
        err = read_number(reader, node, &timeout_wanted, &timeout_s);
    }
    if (err == VT_OK) {
        err = read_run(reader, node, &agent);
    }
    if (err == VT_OK) {
        agent.capacity = (uint32_t) capacity;
        agent.timeout_ms = (int64_t) timeout_s * MS_PER_S;
        reader->file->agents[reader->file->agent_count++] = agent;
    }
    return err;
}

static vt_err read_agents(struct reader *reader)
{
    static const char *const keys[] = {"agents"};
    uint32_t root = reader->yaml.root;
    vt_err err = yaml_check_map(&reader->yaml, root, keys, ARRAY_LENGTH(keys));
    if (err != VT_OK) {
        return err;
    }
    uint32_t node = yaml_get(&reader->yaml, root, "agents");
    uint32_t item = YAML_NONE;
    err = node == YAML_NONE ? VT_OK : yaml_items(&reader->yaml, node, "agents", &item);
    if (err == VT_OK && item == YAML_NONE) {
        return yaml_fail(&reader->yaml, root, "'agents' is missing: one at least");
    }
    for (; err == VT_OK && item != YAML_NONE; item = reader->yaml.nodes[item].next) {
        if (reader->file->agent_count == AGENTS_FILE_AGENTS_MAX) {
            return yaml_fail(
                &reader->yaml, item, "more than %u agents in one site", AGENTS_FILE_AGENTS_MAX);
        }
        err = read_agent(reader, item);
    }
    return err;
}

/* Profiles repeat the names of queues and skills; each agent's is bounded, and so is their sum. */
static vt_err open_file(struct agents_file *file, struct reader **out)
{
    memset(file, 0, sizeof *file);
    uint64_t an_agent = sizeof(struct agents_file_agent) + PROFILE_BYTES_MAX +
                        (AGENTS_FILE_ARGUMENTS_MAX + 1) * (sizeof(char *) + 8);
    uint64_t bytes = AGENTS_FILE_AGENTS_MAX * an_agent + 4 * (uint64_t) YAML_FILE_BYTES_MAX;
    bytes += sizeof(struct reader);
    if (process_reserve(bytes, &file->arena) != VT_OK) {
        snprintf(file->error, sizeof file->error, "out of memory");
        return VT_UNAVAILABLE;
    }
    file->agents = ARENA_ARRAY(&file->arena, struct agents_file_agent, AGENTS_FILE_AGENTS_MAX);
    *out = ARENA_NEW(&file->arena, struct reader);
    (*out)->file = file;
    return VT_OK;
}

static vt_err finish(struct agents_file *file, struct reader *reader, vt_err err)
{
    if (err == VT_OK) {
        err = read_agents(reader);
    }
    snprintf(file->error, sizeof file->error, "%s", reader->yaml.error);
    yaml_close(&reader->yaml);
    return err;
}

vt_err agents_file_load(struct agents_file *file, const char *path)
{
    struct reader *reader = NULL;
    vt_err err = open_file(file, &reader);
    return err != VT_OK ? err : finish(file, reader, yaml_load_file(&reader->yaml, path));
}

vt_err agents_file_parse(struct agents_file *file, const char *name, struct bytes text)
{
    struct reader *reader = NULL;
    vt_err err = open_file(file, &reader);
    return err != VT_OK ? err : finish(file, reader, yaml_load_bytes(&reader->yaml, name, text));
}

void agents_file_close(struct agents_file *file)
{
    process_unreserve(&file->arena);
}
