#include "cli/bench_matching.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "io/process.h"
#include "lib/check.h"
#include "lib/hash.h"
#include "lib/random.h"
#include "proto/plan.h"
#include "proto/requirements.h"
#include "router/matching.h"

#define AGENT_COUNT 10000u
#define PROFILE_COUNT 2000u
#define CLASS_COUNT 5000u
#define QUEUE_COUNT 40u
#define SKILL_COUNT 200u
#define CAPACITY 3u
#define NS_PER_US 1000.0

struct bench {
    struct matching matching;
    struct random random;
    struct plan_queue queues[QUEUE_COUNT];
    struct plan plan;
    char queue_names[QUEUE_COUNT][8];
    char skill_names[SKILL_COUNT][8];
    struct profile profiles[PROFILE_COUNT];
    uint8_t requirements[CLASS_COUNT][REQUIREMENTS_BYTES_MAX];
    uint32_t requirement_sizes[CLASS_COUNT];
    uint32_t class_queues[CLASS_COUNT];
    uint32_t agents[AGENT_COUNT];
    uint32_t *busy; /* one entry per slot in use */
    uint32_t busy_count;
    uint64_t next_id;
    int64_t now_ms;
    uint32_t *arrive_ns; /* one a step */
    uint32_t *free_ns;
    struct arena arena;
};

static int64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

static uint32_t draw(struct bench *bench, uint32_t bound)
{
    return (uint32_t) random_below(&bench->random, bound);
}

static void name(char *text, char letter, uint32_t number)
{
    snprintf(text, 8, "%c%03u", letter, (unsigned) (number % 1000u));
}

/* Skewed: low numbers are common skills. */
static uint32_t draw_skill(struct bench *bench)
{
    uint32_t a = draw(bench, SKILL_COUNT);
    uint32_t b = draw(bench, SKILL_COUNT);
    return a < b ? a : b;
}

static void make_profile(struct bench *bench, struct profile *profile)
{
    static const char *const languages[] = {"en", "es", "gl"};
    uint32_t levels[SKILL_COUNT] = {0};
    uint32_t wanted = 5u + draw(bench, 16);
    for (uint32_t i = 0; i < wanted; i++) {
        levels[draw_skill(bench)] = 1u + draw(bench, 5);
    }
    for (uint32_t i = 0; i < SKILL_COUNT; i++) {
        if (levels[i] > 0) {
            profile->skills[profile->skill_count++] =
                (struct skill){.name = bytes_of_text(bench->skill_names[i]), .level = levels[i]};
        }
    }
    uint32_t spoken = 1u + draw(bench, 7);
    for (uint32_t i = 0; i < 3u; i++) {
        if ((spoken >> i & 1u) != 0) {
            profile->languages[profile->language_count++] = bytes_of_text(languages[i]);
        }
    }
    if (draw(bench, 4) == 0) {
        return; /* every queue */
    }
    for (uint32_t i = 0; i < QUEUE_COUNT; i++) {
        if (draw(bench, 8) == 0) {
            profile->queues[profile->queue_count++] = bytes_of_text(bench->queue_names[i]);
        }
    }
}

/* 1..5 of the skills of a random profile, so that somebody can serve it. */
static void make_class(struct bench *bench, uint32_t class)
{
    const struct profile *profile = &bench->profiles[draw(bench, PROFILE_COUNT)];
    struct requirements requirements = {.channel = CHANNEL_WEB};
    uint32_t wanted = 1u + draw(bench, 5);
    for (uint32_t i = 0; i < profile->skill_count && requirements.skill_count < wanted; i++) {
        if (draw(bench, profile->skill_count) < wanted) {
            struct skill skill = profile->skills[i];
            skill.level = 1u + draw(bench, skill.level);
            requirements.skills[requirements.skill_count++] = skill;
        }
    }
    requirements.language = profile->languages[draw(bench, profile->language_count)];
    bench->requirement_sizes[class] = requirements_write(&requirements, bench->requirements[class]);
    bench->class_queues[class] = 1u + draw(bench, QUEUE_COUNT);
}

static struct ticket_row draw_ticket(struct bench *bench)
{
    uint32_t class = draw(bench, CLASS_COUNT);
    uint64_t id = ++bench->next_id;
    return (struct ticket_row){
        .id = {.hi = id / 16u, .lo = hash_u64(id, 7)},
        .queue = bench->class_queues[class],
        .priority = 10u * draw(bench, 11),
        .state = TICKET_QUEUED,
        .created_us = (int64_t) id * 10,
        .queued_us = (int64_t) id * 10,
        .requirements = bytes_of(bench->requirements[class], bench->requirement_sizes[class])};
}

static uint32_t add_waiting(struct bench *bench)
{
    struct ticket_row row = draw_ticket(bench);
    uint32_t ticket = 0;
    vt_err err = matching_ticket_add(&bench->matching, &row, &ticket);
    CHECK(err == VT_OK);
    matching_wait(&bench->matching, ticket);
    return ticket;
}

static void take(struct bench *bench, uint32_t agent)
{
    roster_take(&bench->matching.roster, agent, bench->now_ms);
    bench->busy[bench->busy_count++] = agent;
}

VT_MUST_USE static vt_err open_tables(struct bench *bench, uint32_t waiting_count)
{
    const struct matching_options options = {.tickets_max = waiting_count + 1000u, .seed = 11};
    struct arena measure;
    arena_init_measuring(&measure);
    struct matching scratch;
    matching_init(&scratch, &measure, &options);
    vt_err err = process_reserve(measure.used, &bench->arena);
    if (err == VT_OK) {
        matching_init(&bench->matching, &bench->arena, &options);
    }
    return err;
}

static void make_names(struct bench *bench)
{
    for (uint32_t i = 0; i < SKILL_COUNT; i++) {
        name(bench->skill_names[i], 's', i);
    }
    for (uint32_t i = 0; i < QUEUE_COUNT; i++) {
        name(bench->queue_names[i], 'q', i);
        bench->queues[i] =
            (struct plan_queue){.id = i + 1u, .name = bytes_of_text(bench->queue_names[i])};
    }
    bench->plan = (struct plan){.queues = bench->queues, .queue_count = QUEUE_COUNT};
    matching_plan(&bench->matching, &bench->plan);
}

static void put_agents(struct bench *bench)
{
    static uint8_t buffer[PROFILE_BYTES_MAX];
    for (uint32_t i = 0; i < AGENT_COUNT; i++) {
        uint32_t size = profile_write(&bench->profiles[i % PROFILE_COUNT], buffer);
        struct agent agent = {.id = i + 1u,
                              .name = bytes_of_text("agent"),
                              .is_person = true,
                              .capacity = CAPACITY,
                              .free = CAPACITY,
                              .profile = bytes_of(buffer, size)};
        vt_err err = matching_agent_put(
            &bench->matching, 1u + i / 1000u, &agent, bench->now_ms, &bench->agents[i]);
        CHECK(err == VT_OK);
    }
}

/* 95 % of all slots, those of random agents. */
static void make_busy(struct bench *bench)
{
    while (bench->busy_count < AGENT_COUNT * CAPACITY / 100u * 95u) {
        uint32_t agent = bench->agents[draw(bench, AGENT_COUNT)];
        if (bench->matching.roster.agents[agent].is_free) {
            take(bench, agent);
        }
    }
}

static void fill_tables(struct bench *bench, uint32_t waiting_count)
{
    make_names(bench);
    for (uint32_t i = 0; i < PROFILE_COUNT; i++) {
        make_profile(bench, &bench->profiles[i]);
    }
    for (uint32_t i = 0; i < CLASS_COUNT; i++) {
        make_class(bench, i);
    }
    for (uint32_t i = 0; i < waiting_count; i++) {
        add_waiting(bench);
    }
    put_agents(bench);
    make_busy(bench);
}

/* A random slot in use, which is so no longer. */
static uint32_t take_busy(struct bench *bench)
{
    uint32_t at = draw(bench, bench->busy_count);
    uint32_t agent = bench->busy[at];
    bench->busy[at] = bench->busy[--bench->busy_count];
    return agent;
}

/* A ticket arrives: into the tables, decided, and taken by the agent that was found. */
static void arrive(struct bench *bench, uint32_t step)
{
    struct ticket_row row = draw_ticket(bench);
    bench->now_ms++;
    uint32_t ticket = 0;
    int64_t start_ns = clock_ns();
    vt_err err = matching_ticket_add(&bench->matching, &row, &ticket);
    CHECK(err == VT_OK);
    matching_wait(&bench->matching, ticket);
    uint32_t agent = matching_agent_for(&bench->matching, ticket);
    if (agent != MATCHING_NONE) {
        matching_leave(&bench->matching, ticket, STAGE_OFFERED);
        take(bench, agent);
    }
    bench->arrive_ns[step] = (uint32_t) (clock_ns() - start_ns);
    matching_ticket_remove(&bench->matching, ticket);
    if (agent != MATCHING_NONE) {
        /* Somebody else goes home with nothing to do, so that the load stays where it is. */
        matching_agent_give(&bench->matching, take_busy(bench), bench->now_ms);
    }
}

/* An agent frees: one slot given back, decided, and the ticket taken out. */
static void become_free(struct bench *bench, uint32_t step)
{
    uint32_t agent = take_busy(bench);
    bench->now_ms++;
    int64_t start_ns = clock_ns();
    matching_agent_give(&bench->matching, agent, bench->now_ms);
    uint32_t ticket = matching_ticket_for(&bench->matching, agent);
    if (ticket != MATCHING_NONE) {
        matching_leave(&bench->matching, ticket, STAGE_OFFERED);
        take(bench, agent);
    }
    bench->free_ns[step] = (uint32_t) (clock_ns() - start_ns);
    if (ticket != MATCHING_NONE) {
        matching_ticket_remove(&bench->matching, ticket);
        add_waiting(bench);
    }
}

static int compare_ns(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *) a;
    uint32_t y = *(const uint32_t *) b;
    return (x > y) - (x < y);
}

static struct bench_matching_times times_of(uint32_t *ns, uint32_t count)
{
    qsort(ns, count, sizeof *ns, compare_ns);
    uint32_t half = count / 2u;
    uint32_t nearly_all = (uint32_t) ((uint64_t) count * 99u / 100u);
    return (struct bench_matching_times){.p50 = ns[half] / NS_PER_US,
                                         .p99 = ns[nearly_all] / NS_PER_US};
}

static void close_bench(struct bench *bench)
{
    process_unreserve(&bench->arena);
    free(bench->busy);
    free(bench->arrive_ns);
    free(bench->free_ns);
    free(bench);
}

static vt_err open_bench(struct bench *bench, const struct bench_matching_options *options)
{
    random_init(&bench->random, 5);
    bench->now_ms = 1000000;
    bench->busy = calloc((size_t) AGENT_COUNT * CAPACITY, sizeof *bench->busy);
    bench->arrive_ns = calloc(options->step_count, sizeof *bench->arrive_ns);
    bench->free_ns = calloc(options->step_count, sizeof *bench->free_ns);
    if (bench->busy == NULL || bench->arrive_ns == NULL || bench->free_ns == NULL) {
        return VT_UNAVAILABLE;
    }
    return open_tables(bench, options->waiting_count);
}

vt_err bench_matching_run(const struct bench_matching_options *options,
                          struct bench_matching_figures *figures)
{
    CHECK(options->step_count > 0);

    struct bench *bench = calloc(1, sizeof *bench);
    if (bench == NULL) {
        return VT_UNAVAILABLE;
    }
    vt_err err = open_bench(bench, options);
    if (err == VT_OK) {
        fill_tables(bench, options->waiting_count);
        for (uint32_t i = 0; i < options->step_count; i++) {
            arrive(bench, i);
            become_free(bench, i);
        }
        figures->arrive = times_of(bench->arrive_ns, options->step_count);
        figures->free = times_of(bench->free_ns, options->step_count);
    }
    close_bench(bench);
    return err;
}
