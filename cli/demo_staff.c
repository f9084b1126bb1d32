#include "cli/demo_staff.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/process.h"
#include "lib/check.h"
#include "proto/requirements.h"

#define ARENA_BYTES (DEMO_STAFF_AGENTS_MAX * (PROFILE_BYTES_MAX + UINT64_C(1024)))
#define MS_PER_H INT64_C(3600000)
#define MS_PER_DAY INT64_C(86400000)
#define HOURS 24u
/* What a ticket takes an agent beyond its handle time: offer, three commits and the messages
 * between. Real milliseconds: protocol and disk do not run faster with the demo. */
#define CYCLE_MS 8

/* Load and agents by pool and hour of the day. */
struct hours {
    double handled_ms[PLAN_POOLS_MAX][DEMO_STAFF_SLOTS];
    uint32_t wanted[PLAN_POOLS_MAX][DEMO_STAFF_SLOTS];
    uint32_t most[PLAN_POOLS_MAX];
    uint32_t given[PLAN_POOLS_MAX];
    double covered_ms[DEMO_STAFF_SLOTS];
};

/* ---- load ---- */

/* The first of January 1970 was a Thursday. */
uint32_t demo_staff_slot(int64_t unix_ms)
{
    int64_t day = (unix_ms / MS_PER_DAY + 4) % 7; /* 0: Sunday */
    uint32_t hour = (uint32_t) (unix_ms / MS_PER_H % HOURS);
    return day == 0 || day == 6 ? HOURS + hour : hour;
}

static uint32_t pool_of(const struct plan *plan, const struct demo_ticket *ticket)
{
    struct attribute service = {.name = bytes_of_text("service"), .value = ticket->service};
    const struct plan_rule *rule = plan_match(plan, &service, 1);
    return plan->queues[rule == NULL ? plan->default_queue : rule->queue].part;
}

static void cover(struct hours *hours, const struct demo_tickets *tickets)
{
    int64_t at_ms = tickets->first_unix_ms;
    int64_t end_ms = at_ms + tickets->span_ms;
    while (at_ms < end_ms) {
        int64_t next_ms = (at_ms / MS_PER_H + 1) * MS_PER_H;
        next_ms = next_ms < end_ms ? next_ms : end_ms;
        hours->covered_ms[demo_staff_slot(at_ms)] += (double) (next_ms - at_ms);
        at_ms = next_ms;
    }
}

/* A ticket's work is spread over the hours that it takes, from its arrival to the file's end. */
static void add_load(struct hours *hours, uint32_t pool, int64_t at_ms, int64_t end_ms)
{
    while (at_ms < end_ms) {
        int64_t next_ms = (at_ms / MS_PER_H + 1) * MS_PER_H;
        next_ms = next_ms < end_ms ? next_ms : end_ms;
        hours->handled_ms[pool][demo_staff_slot(at_ms)] += (double) (next_ms - at_ms);
        at_ms = next_ms;
    }
}

static void
measure(struct demo_staff *staff, struct hours *hours, const struct demo_staff_options *options)
{
    struct demo_tickets *tickets = options->tickets;
    int64_t cycle_ms = CYCLE_MS * (int64_t) options->speed;
    double work_ms = 0;
    for (uint32_t i = 0; i < tickets->count; i++) {
        struct demo_ticket *ticket = &tickets->list[i];
        ticket->pool = pool_of(&options->plan->plan, ticket);
        work_ms += (double) ticket->handle_ms;
        int64_t at_ms = tickets->first_unix_ms + ticket->at_ms;
        int64_t last_ms = tickets->first_unix_ms + tickets->span_ms;
        int64_t done_ms = at_ms + ticket->handle_ms + cycle_ms;
        add_load(hours, ticket->pool, at_ms, done_ms < last_ms ? done_ms : last_ms);
    }
    staff->erlangs = tickets->span_ms > 0 ? work_ms / (double) tickets->span_ms : 0;
    cover(hours, tickets);
}

/* An hour of the day that the file does not cover is staffed like none: agent 0 is there. */
static void want(struct demo_staff *staff, struct hours *hours)
{
    for (uint32_t pool = 0; pool < staff->pool_count; pool++) {
        for (uint32_t slot = 0; slot < DEMO_STAFF_SLOTS; slot++) {
            double covered_ms = hours->covered_ms[slot];
            double erlangs = covered_ms > 0 ? hours->handled_ms[pool][slot] / covered_ms : 0;
            double agents = ceil(erlangs * 100.0 / DEMO_STAFF_OCCUPANCY_PERCENT - 0.1);
            agents = agents > DEMO_STAFF_AGENTS_MAX ? DEMO_STAFF_AGENTS_MAX : agents;
            uint32_t count = agents > 0 ? (uint32_t) agents : 0;
            hours->wanted[pool][slot] = count;
            hours->most[pool] = count > hours->most[pool] ? count : hours->most[pool];
        }
    }
}

/* Largest remainders: first everybody's whole share, then one each to who lost most. */
static void share(const struct demo_staff *staff, struct hours *hours, uint32_t agents)
{
    uint32_t total = 0;
    for (uint32_t pool = 0; pool < staff->pool_count; pool++) {
        total += hours->most[pool];
        hours->given[pool] = hours->most[pool];
    }
    if (total == 0 || agents == 0) {
        return;
    }
    uint32_t left = agents - 1; /* one is agent 0 */
    double lost[PLAN_POOLS_MAX];
    for (uint32_t pool = 0; pool < staff->pool_count; pool++) {
        double exact = (double) hours->most[pool] * (double) (agents - 1) / (double) total;
        hours->given[pool] = (uint32_t) exact;
        lost[pool] = exact - floor(exact);
        left -= hours->given[pool];
    }
    while (left > 0) {
        uint32_t best = 0;
        for (uint32_t pool = 1; pool < staff->pool_count; pool++) {
            best = lost[pool] > lost[best] ? pool : best;
        }
        hours->given[best]++;
        lost[best] -= 1.0;
        left--;
    }
}

/* ---- people ---- */

/* The highest level counts; what does not fit is left out. */
static void add_skill(struct profile *profile, const struct skill *skill)
{
    for (uint32_t i = 0; i < profile->skill_count; i++) {
        struct skill *own = &profile->skills[i];
        if (bytes_equal(own->name, skill->name)) {
            own->level = own->level < skill->level ? skill->level : own->level;
            return;
        }
    }
    if (profile->skill_count < AGENT_SKILLS_MAX) {
        profile->skills[profile->skill_count++] = *skill;
    }
}

/* Skills that the rules of a pool's queues ask for, at the highest level asked; every pool's for
 * `pool` == pool_count. */
static void add_skills(struct profile *profile, const struct plan *plan, uint32_t pool)
{
    for (uint32_t i = 0; i < plan->rule_count; i++) {
        const struct plan_rule *rule = &plan->rules[i];
        if (pool < plan->pool_count && plan->queues[rule->queue].part != pool) {
            continue;
        }
        for (uint32_t s = 0; s < rule->skill_count; s++) {
            add_skill(profile, &rule->skills[s]);
        }
    }
    CHECK(skills_sort(profile->skills, profile->skill_count) == VT_OK);
}

static void add_queues(struct profile *profile, const struct plan *plan, uint32_t pool)
{
    for (uint32_t i = 0; i < plan->queue_count && profile->queue_count < AGENT_QUEUES_MAX; i++) {
        if (plan->queues[i].part == pool) {
            profile->queues[profile->queue_count++] = plan->queues[i].name;
        }
    }
}

/* Every third agent of a pool is as skilled as its matters ask for; the next knows everything but
 * the hardest, and the third is a beginner who masters one thing. */
static void soften(struct profile *profile, uint32_t place)
{
    if (place % 3 == 0 || profile->skill_count == 0) {
        return;
    }
    uint32_t mastered = place / 3 % profile->skill_count;
    uint32_t ceiling = place % 3 == 1 ? 5 : 3;
    for (uint32_t i = 0; i < profile->skill_count; i++) {
        bool is_mastered = place % 3 == 2 && i == mastered;
        if (!is_mastered && profile->skills[i].level > ceiling) {
            profile->skills[i].level = ceiling;
        }
    }
}

static void add_languages(struct profile *profile, uint32_t place)
{
    if (place % 3 == 0) {
        profile->languages[profile->language_count++] = bytes_of_text("en");
    }
    profile->languages[profile->language_count++] = bytes_of_text("es");
    if (place % 6 == 0) {
        profile->languages[profile->language_count++] = bytes_of_text("fr");
    }
}

static void hire(struct demo_staff *staff, const struct plan *plan, uint32_t pool, uint32_t place)
{
    struct profile profile = {0};
    add_skills(&profile, plan, pool);
    add_queues(&profile, plan, pool); /* none for agent 0: every queue */
    soften(&profile, place);
    add_languages(&profile, place);

    char name[DEMO_STAFF_NAME_BYTES];
    if (pool == plan->pool_count) {
        snprintf(name, sizeof name, "generalista");
    } else {
        const struct bytes *of = &plan->pools[pool].name;
        int size = of->size > NAME_BYTES_MAX - 6 ? (int) NAME_BYTES_MAX - 6 : (int) of->size;
        snprintf(name, sizeof name, "%.*s-%02" PRIu32, size, (const char *) of->data, place + 1);
    }
    uint8_t *blob = arena_take(&staff->arena, PROFILE_BYTES_MAX, 1);
    uint32_t size = profile_write(&profile, blob);
    staff->pools[staff->agent_count] = pool;
    staff->agents[staff->agent_count++] =
        (struct agentd_agent){.name = bytes_copy(&staff->arena, bytes_of_text(name)),
                              .profile = bytes_of(blob, size),
                              .capacity = 1,
                              .is_person = true,
                              .answers = ANSWERS_DESK};
}

/* With fewer agents than the load takes, as large a part of them is on duty as would have been. */
static uint64_t duty_of(const struct hours *hours, uint32_t pool, uint32_t place)
{
    uint64_t duty = 0;
    for (uint32_t slot = 0; slot < DEMO_STAFF_SLOTS; slot++) {
        double on_duty = ceil((double) hours->wanted[pool][slot] * (double) hours->given[pool] /
                              (double) hours->most[pool]);
        if ((double) place < on_duty) {
            duty |= UINT64_C(1) << slot;
        }
    }
    return duty;
}

static void hire_all(struct demo_staff *staff, const struct plan *plan, const struct hours *hours)
{
    staff->duty[0] = UINT64_MAX;
    hire(staff, plan, plan->pool_count, 0);
    for (uint32_t pool = 0; pool < plan->pool_count; pool++) {
        uint32_t room = DEMO_STAFF_AGENTS_MAX - staff->agent_count;
        uint32_t places = hours->given[pool] < room ? hours->given[pool] : room;
        for (uint32_t place = 0; place < places; place++) {
            staff->duty[staff->agent_count] = duty_of(hours, pool, place);
            hire(staff, plan, pool, place);
        }
    }
}

vt_err demo_staff_open(struct demo_staff *staff, const struct demo_staff_options *options)
{
    *staff = (struct demo_staff){.pool_count = options->plan->plan.pool_count};
    struct hours *hours = calloc(1, sizeof *hours);
    if (hours == NULL || process_reserve(ARENA_BYTES, &staff->arena) != VT_OK) {
        free(hours);
        return VT_UNAVAILABLE;
    }
    staff->agents = ARENA_ARRAY(&staff->arena, struct agentd_agent, DEMO_STAFF_AGENTS_MAX);
    staff->duty = ARENA_ARRAY(&staff->arena, uint64_t, DEMO_STAFF_AGENTS_MAX);
    staff->pools = ARENA_ARRAY(&staff->arena, uint32_t, DEMO_STAFF_AGENTS_MAX);
    measure(staff, hours, options);
    want(staff, hours);
    share(staff, hours, options->agents);
    hire_all(staff, &options->plan->plan, hours);
    free(hours);
    return VT_OK;
}

void demo_staff_close(struct demo_staff *staff)
{
    process_unreserve(&staff->arena);
}
