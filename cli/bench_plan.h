#ifndef CLI_BENCH_PLAN_H
#define CLI_BENCH_PLAN_H

/* The world of the benchmark, drawn from a fixed seed: one pool of 40 queues, 200 skills, 3
 * languages; agents with 10 to 30 skills; 1,000 classes of tickets, each asking for what some
 * agent can do.
 */

#include <stdint.h>
#include <stdio.h>

#include "lib/err.h"
#include "proto/message.h"
#include "proto/requirements.h"

#define BENCH_PLAN_QUEUES 40u
#define BENCH_PLAN_SKILLS 200u
#define BENCH_PLAN_CLASSES 1000u
#define BENCH_PLAN_AGENTS_MAX 4096u
#define BENCH_PLAN_TEXT_BYTES 512u

struct bench_plan {
    char queue_names[BENCH_PLAN_QUEUES][8];
    char skill_names[BENCH_PLAN_SKILLS][8];
    struct profile *profiles; /* one an agent */
    uint32_t agent_count;
    struct submit *classes; /* BENCH_PLAN_CLASSES, without ref and key */
    char text[BENCH_PLAN_TEXT_BYTES];
};

/* `agent_count` 1 to BENCH_PLAN_AGENTS_MAX; the classes are those that these agents can serve.
 * VT_UNAVAILABLE: out of memory. Close in every case. */
VT_MUST_USE vt_err bench_plan_open(struct bench_plan *plan, uint32_t agent_count);
void bench_plan_close(struct bench_plan *plan);

/* As a plan file (YAML) for `serve --plan`. */
void bench_plan_write(FILE *file);

#endif
