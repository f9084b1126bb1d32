#include "cli/bench_plan.h"

#include <stdlib.h>
#include <string.h>

#include "lib/check.h"
#include "lib/random.h"

#define SEED 7u
#define LEVEL_DRAWN_MAX 5u
#define SKILLS_DRAWN_MIN 10u
#define SKILLS_DRAWN_RANGE 21u
#define CLASS_SKILLS_MAX 3u

static const char *const languages[] = {"en", "es", "gl"};

static uint32_t draw(struct random *random, uint32_t bound)
{
    return (uint32_t) random_below(random, bound);
}

static void write_name(char name[8], char letter, uint32_t number)
{
    snprintf(name, 8, "%c%03u", letter, (unsigned) (number % 1000u));
}

/* Skewed: low numbers are common skills. */
static uint32_t draw_skill(struct random *random)
{
    uint32_t a = draw(random, BENCH_PLAN_SKILLS);
    uint32_t b = draw(random, BENCH_PLAN_SKILLS);
    return a < b ? a : b;
}

static void draw_profile(struct bench_plan *plan, struct profile *profile, struct random *random)
{
    uint32_t levels[BENCH_PLAN_SKILLS] = {0};
    uint32_t wanted = SKILLS_DRAWN_MIN + draw(random, SKILLS_DRAWN_RANGE);
    for (uint32_t i = 0; i < wanted; i++) {
        levels[draw_skill(random)] = 1u + draw(random, LEVEL_DRAWN_MAX);
    }
    for (uint32_t i = 0; i < BENCH_PLAN_SKILLS; i++) {
        if (levels[i] > 0) {
            profile->skills[profile->skill_count++] =
                (struct skill){.name = bytes_of_text(plan->skill_names[i]), .level = levels[i]};
        }
    }
    uint32_t spoken = 1u + draw(random, 7);
    for (uint32_t i = 0; i < ARRAY_LENGTH(languages); i++) {
        if ((spoken >> i & 1u) != 0) {
            profile->languages[profile->language_count++] = bytes_of_text(languages[i]);
        }
    }
    if (draw(random, 4) == 0) {
        return; /* every queue */
    }
    for (uint32_t i = 0; i < BENCH_PLAN_QUEUES; i++) {
        if (draw(random, 5) == 0) {
            profile->queues[profile->queue_count++] = bytes_of_text(plan->queue_names[i]);
        }
    }
}

/* What a random agent can do, so that somebody can serve it. */
static void draw_class(struct bench_plan *plan, struct submit *class, struct random *random)
{
    const struct profile *profile = &plan->profiles[draw(random, plan->agent_count)];
    *class = (struct submit){
        .channel = CHANNEL_WEB,
        .priority = PRIORITY_ABSENT,
        .client = bytes_of_text("bench"),
        .language = profile->languages[draw(random, profile->language_count)],
        .text = bytes_of(plan->text, BENCH_PLAN_TEXT_BYTES),
    };
    class->queue = profile->queue_count > 0
                       ? profile->queues[draw(random, profile->queue_count)]
                       : bytes_of_text(plan->queue_names[draw(random, BENCH_PLAN_QUEUES)]);
    uint32_t wanted = 1u + draw(random, CLASS_SKILLS_MAX);
    for (uint32_t i = 0; i < profile->skill_count && class->skill_count < wanted; i++) {
        if (draw(random, profile->skill_count) < wanted) {
            struct skill skill = profile->skills[i];
            skill.level = 1u + draw(random, skill.level);
            class->skills[class->skill_count++] = skill;
        }
    }
}

static void write_text(char text[BENCH_PLAN_TEXT_BYTES])
{
    static const char words[] = "La farola de la esquina no se enciende desde hace dias. ";
    for (uint32_t i = 0; i < BENCH_PLAN_TEXT_BYTES; i++) {
        text[i] = words[i % (sizeof words - 1)];
    }
}

vt_err bench_plan_open(struct bench_plan *plan, uint32_t agent_count)
{
    CHECK(agent_count > 0 && agent_count <= BENCH_PLAN_AGENTS_MAX);

    struct random random;
    random_init(&random, SEED);
    *plan = (struct bench_plan){.agent_count = agent_count};
    plan->profiles = calloc(agent_count, sizeof *plan->profiles);
    plan->classes = calloc(BENCH_PLAN_CLASSES, sizeof *plan->classes);
    if (plan->profiles == NULL || plan->classes == NULL) {
        return VT_UNAVAILABLE;
    }
    write_text(plan->text);
    for (uint32_t i = 0; i < BENCH_PLAN_SKILLS; i++) {
        write_name(plan->skill_names[i], 's', i);
    }
    for (uint32_t i = 0; i < BENCH_PLAN_QUEUES; i++) {
        write_name(plan->queue_names[i], 'q', i);
    }
    for (uint32_t i = 0; i < agent_count; i++) {
        draw_profile(plan, &plan->profiles[i], &random);
    }
    for (uint32_t i = 0; i < BENCH_PLAN_CLASSES; i++) {
        draw_class(plan, &plan->classes[i], &random);
    }
    return VT_OK;
}

void bench_plan_close(struct bench_plan *plan)
{
    free(plan->profiles);
    free(plan->classes);
    plan->profiles = NULL;
    plan->classes = NULL;
}

void bench_plan_write(FILE *file)
{
    char name[8];
    fputs("pools:\n  - name: bench\n    queues:\n", file);
    for (uint32_t i = 0; i < BENCH_PLAN_QUEUES; i++) {
        write_name(name, 'q', i);
        fprintf(file, "      - {name: %s, languages: [es]}\n", name);
    }
    fputs("skills:\n", file);
    for (uint32_t i = 0; i < BENCH_PLAN_SKILLS; i++) {
        write_name(name, 's', i);
        fprintf(file, "  - %s\n", name);
    }
    write_name(name, 'q', 0);
    fprintf(file, "default_queue: %s\n", name);
}
