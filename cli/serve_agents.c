#include "cli/serve_agents.h"

#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "lib/check.h"
#include "lib/options.h"
#include "proto/requirements.h"

#define WARNINGS_MAX 10u
#define NAMES_MAX PLAN_QUEUES_MAX

_Static_assert(PLAN_SKILLS_MAX <= NAMES_MAX, "skills have room where queues have");

struct names {
    char list[NAMES_MAX][NAME_BYTES_MAX + 1];
    const char *pointers[NAMES_MAX];
    uint32_t count;
};

struct warner {
    const struct plan *plan;
    struct names queues;
    struct names skills;
    uint32_t count;
};

static void add(struct names *names, struct bytes name)
{
    CHECK(names->count < NAMES_MAX);
    CHECK(name.size <= NAME_BYTES_MAX);
    char *copy = names->list[names->count];
    memcpy(copy, name.data, name.size);
    copy[name.size] = '\0';
    names->pointers[names->count++] = copy;
}

static void
warn(struct warner *warner, struct bytes agent, const struct names *names, struct bytes name)
{
    const char *nearest = options_nearest(names->pointers, names->count, name);
    const char *kind = names == &warner->queues ? "queue" : "skill";
    warner->count++;
    if (warner->count > WARNINGS_MAX) {
        return;
    }
    cli_error("warning: agent '%.*s' has the %s '%.*s', which the plan does not know%s%s%s",
              (int) agent.size,
              (const char *) agent.data,
              kind,
              (int) name.size,
              (const char *) name.data,
              nearest != NULL ? ", did you mean '" : "",
              nearest != NULL ? nearest : "",
              nearest != NULL ? "'?" : "");
}

static void look_at(struct warner *warner, const struct agents_file_agent *agent)
{
    struct profile profile;
    if (profile_read(agent->profile, &profile) != VT_OK) {
        return;
    }
    for (uint32_t i = 0; i < profile.queue_count; i++) {
        if (plan_find_queue(warner->plan, profile.queues[i]) == NULL) {
            warn(warner, agent->name, &warner->queues, profile.queues[i]);
        }
    }
    for (uint32_t i = 0; i < profile.skill_count && !warner->plan->any_skill; i++) {
        if (!plan_has_skill(warner->plan, profile.skills[i].name)) {
            warn(warner, agent->name, &warner->skills, profile.skills[i].name);
        }
    }
}

uint32_t serve_agents_warn(const struct agents_file *file, const struct plan *plan)
{
    struct warner *warner = calloc(1, sizeof *warner);
    if (warner == NULL) {
        return 0;
    }
    warner->plan = plan;
    for (uint32_t i = 0; i < plan->queue_count; i++) {
        add(&warner->queues, plan->queues[i].name);
    }
    for (uint32_t i = 0; i < plan->skill_count; i++) {
        add(&warner->skills, plan->skills[i]);
    }
    for (uint32_t i = 0; i < file->agent_count; i++) {
        look_at(warner, &file->agents[i]);
    }
    if (warner->count > WARNINGS_MAX) {
        cli_error("warning: and %u more names that the plan does not know",
                  warner->count - WARNINGS_MAX);
    }
    uint32_t count = warner->count;
    free(warner);
    return count;
}
