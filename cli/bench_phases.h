#ifndef CLI_BENCH_PHASES_H
#define CLI_BENCH_PHASES_H

/* What is measured, one after the other, each run on a server and a store of its own. */

#include <stdbool.h>
#include <stdint.h>

#include "cli/bench_check.h"
#include "cli/bench_matching.h"
#include "cli/bench_server.h"

enum bench_phase {
    BENCH_INTAKE,
    BENCH_INTAKE_SYNC,
    BENCH_LIFECYCLES,
    BENCH_LIFECYCLES_4X1,
    BENCH_LATENCY,
    BENCH_FILL,
    BENCH_RESTART,
    BENCH_MATCHING
};
#define BENCH_PHASE_COUNT 8u

/* "intake", as in --only. */
const char *bench_phases_name(enum bench_phase phase);

struct bench_options {
    const char *broker; /* HOST:PORT of a server that runs; NULL: our own */
    const char *sites;
    const char *http;
    uint64_t tickets;
    uint64_t agents;
    uint64_t window;
    uint64_t rate;
    uint64_t runs;
    bool wanted[BENCH_PHASE_COUNT];
};

struct bench_quantiles {
    double p50;
    double p99;
    double p999;
};

#define BENCH_RUNS_MAX 15u

/* Of the runs of one phase. */
struct bench_rate {
    double values[BENCH_RUNS_MAX]; /* ascending */
    uint32_t count;
};

struct bench_results {
    bool has[BENCH_PHASE_COUNT];
    struct bench_rate rates[BENCH_LATENCY]; /* tickets a second, of the phases before */
    struct bench_quantiles offer_ms;        /* medians of the runs */
    struct bench_quantiles lifecycle_ms;
    double bytes_per_waiting;
    double restart_s;
    struct bench_matching_figures decision;
    double cpu_s_per_100k; /* lifecycles */
    double cpu_s_per_100k_intake;
    uint64_t commits;
    uint64_t fsyncs;
    struct bench_check check;
};

double bench_phases_median(const struct bench_rate *rate);

/* Returns an exit code; what was measured until then is in `results`. */
int bench_phases_run(const struct bench_options *options, struct bench_results *results);

#endif
