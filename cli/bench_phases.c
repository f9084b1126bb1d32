#include "cli/bench_phases.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/bench_trial.h"
#include "cli/cli.h"
#include "io/process.h"
#include "lib/check.h"

#define SITES 10u
#define CAPACITY 4u
#define FEW_AGENTS 4u
#define SYNC_SHARE 40u /* of the tickets, in the phases that go one by one */
#define FEW_SHARE 20u
#define LATENCY_SHARE 20u
#define LATENCY_RUNS 3u
#define FILL_BASE_SHARE 2u /* tickets / 2 wait before, five times the tickets more after */
#define FILL_FACTOR 5u
#define MATCHING_WAITING 1000000u
#define SETTLE_MS 1000
#define PER_100K 100000.0

const char *bench_phases_name(enum bench_phase phase)
{
    static const char *const names[BENCH_PHASE_COUNT] = {"intake",
                                                         "intake_sync",
                                                         "lifecycles",
                                                         "lifecycles_4x1",
                                                         "latency",
                                                         "fill",
                                                         "restart",
                                                         "matching"};
    return names[phase];
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *) a;
    double y = *(const double *) b;
    return (x > y) - (x < y);
}

static void add_value(struct bench_rate *rate, double value)
{
    CHECK(rate->count < BENCH_RUNS_MAX);
    rate->values[rate->count++] = value;
    qsort(rate->values, rate->count, sizeof rate->values[0], compare_doubles);
}

double bench_phases_median(const struct bench_rate *rate)
{
    return rate->count == 0 ? 0 : rate->values[rate->count / 2];
}

static void progress(enum bench_phase phase, uint64_t run, uint64_t runs)
{
    if (isatty(STDERR_FILENO) != 0) {
        fprintf(stderr, "\r\033[K%s %" PRIu64 "/%" PRIu64, bench_phases_name(phase), run + 1, runs);
    }
}

static uint64_t share(uint64_t tickets, uint64_t divisor)
{
    uint64_t part = tickets / divisor;
    return part > 0 ? part : 1;
}

/* ---- phases that are a rate ---- */

static struct bench_load load_of(const struct bench_options *options, enum bench_phase phase)
{
    struct bench_load load = {.tickets = options->tickets, .window = (uint32_t) options->window};
    switch (phase) {
    case BENCH_INTAKE:
        break;
    case BENCH_INTAKE_SYNC:
        load.tickets = share(options->tickets, SYNC_SHARE);
        load.window = 1;
        break;
    case BENCH_LIFECYCLES:
        load.agents = (uint32_t) options->agents;
        load.sites = load.agents < SITES ? load.agents : SITES;
        load.capacity = CAPACITY;
        break;
    case BENCH_LIFECYCLES_4X1:
        load.tickets = share(options->tickets, FEW_SHARE);
        load.agents = FEW_AGENTS;
        load.sites = FEW_AGENTS;
        load.capacity = 1;
        break;
    case BENCH_LATENCY:
        load.tickets = share(options->tickets, LATENCY_SHARE);
        load.agents = (uint32_t) options->agents;
        load.sites = load.agents < SITES ? load.agents : SITES;
        load.capacity = CAPACITY;
        load.rate = (uint32_t) options->rate;
        break;
    case BENCH_FILL:
    case BENCH_RESTART:
    case BENCH_MATCHING:
        break;
    }
    return load;
}

static void take_cpu(struct bench_results *results, enum bench_phase phase, double cpu_s)
{
    if (phase == BENCH_LIFECYCLES) {
        results->cpu_s_per_100k = cpu_s;
    } else if (phase == BENCH_INTAKE) {
        results->cpu_s_per_100k_intake = cpu_s;
    }
}

static int measure_rate(const struct bench_options *options,
                        enum bench_phase phase,
                        struct bench_results *results)
{
    struct bench_rate cpu = {0};
    int code = EXIT_CODE_OK;
    for (uint64_t i = 0; code == EXIT_CODE_OK && i < options->runs; i++) {
        struct bench_trial trial = {.options = options, .load = load_of(options, phase)};
        progress(phase, i, options->runs);
        code = bench_trial_open(&trial);
        if (code == EXIT_CODE_OK) {
            code = bench_trial_until_done(&trial);
        }
        if (code == EXIT_CODE_OK) {
            add_value(&results->rates[phase], (double) trial.load.tickets / trial.seconds);
            add_value(&cpu, trial.cpu_s * PER_100K / (double) trial.load.tickets);
        }
        code = bench_trial_close(&trial, results, code);
    }
    results->has[phase] = code == EXIT_CODE_OK;
    take_cpu(results, phase, bench_phases_median(&cpu));
    return code;
}

/* ---- latency ---- */

/* What one run found, in the order of struct bench_quantiles. */
static void add_quantiles(struct bench_rate rates[3], const struct bench_quantiles *found)
{
    add_value(&rates[0], found->p50);
    add_value(&rates[1], found->p99);
    add_value(&rates[2], found->p999);
}

static struct bench_quantiles medians_of(const struct bench_rate rates[3])
{
    return (struct bench_quantiles){.p50 = bench_phases_median(&rates[0]),
                                    .p99 = bench_phases_median(&rates[1]),
                                    .p999 = bench_phases_median(&rates[2])};
}

static int measure_latency(const struct bench_options *options, struct bench_results *results)
{
    struct bench_rate offer[3] = {{{0}, 0}};
    struct bench_rate whole[3] = {{{0}, 0}};
    uint64_t runs = options->runs < LATENCY_RUNS ? options->runs : LATENCY_RUNS;
    int code = EXIT_CODE_OK;
    for (uint64_t i = 0; code == EXIT_CODE_OK && i < runs; i++) {
        struct bench_trial trial = {.options = options, .load = load_of(options, BENCH_LATENCY)};
        struct bench_latency latency = {0};
        progress(BENCH_LATENCY, i, runs);
        code = bench_trial_open(&trial);
        if (code == EXIT_CODE_OK) {
            code = bench_trial_until_done(&trial);
        }
        if (code == EXIT_CODE_OK && bench_trial_latency(&trial, &latency) == VT_OK) {
            add_quantiles(offer, &latency.offer_ms);
            add_quantiles(whole, &latency.lifecycle_ms);
        }
        code = bench_trial_close(&trial, results, code);
    }
    results->has[BENCH_LATENCY] = code == EXIT_CODE_OK;
    results->offer_ms = medians_of(offer);
    results->lifecycle_ms = medians_of(whole);
    return code;
}

/* ---- memory and restart ---- */

static int fill(struct bench_trial *trial, struct bench_results *results)
{
    uint64_t base = share(trial->options->tickets, FILL_BASE_SHARE);
    uint64_t pss[2] = {0};
    progress(BENCH_FILL, 0, 1);
    bench_submitter_limit(trial->submitter, base);
    int code = bench_trial_until_done(trial);
    if (code == EXIT_CODE_OK) {
        bench_trial_idle(trial, SETTLE_MS);
        pss[0] = bench_server_pss_bytes(&trial->server);
        bench_submitter_limit(trial->submitter, trial->load.tickets);
        code = bench_trial_until_done(trial);
    }
    if (code == EXIT_CODE_OK) {
        bench_trial_idle(trial, SETTLE_MS);
        pss[1] = bench_server_pss_bytes(&trial->server);
        results->bytes_per_waiting =
            ((double) pss[1] - (double) pss[0]) / (double) (trial->load.tickets - base);
        results->has[BENCH_FILL] = pss[1] > 0;
    }
    return code;
}

/* Killed, so that the restart has the log to recover as well; it is over when a ticket was taken in
 * and one was offered. */
static int restart(struct bench_trial *trial, struct bench_results *results)
{
    progress(BENCH_RESTART, 0, 1);
    bench_trial_take_commits(trial, results);
    bench_server_kill(&trial->server);
    int64_t started_us = process_now_us();
    if (bench_server_start(&trial->server) != VT_OK) {
        return EXIT_CODE_FAILED;
    }
    int code = bench_trial_until_serving(trial);
    if (code == EXIT_CODE_OK) {
        results->restart_s = (double) (process_now_us() - started_us) / 1e6;
        results->has[BENCH_RESTART] = true;
    }
    return code;
}

static int measure_fill(const struct bench_options *options, struct bench_results *results)
{
    struct bench_trial trial = {.options = options,
                                .load = {.tickets = share(options->tickets, FILL_BASE_SHARE) +
                                                    FILL_FACTOR * options->tickets,
                                         .window = (uint32_t) options->window}};
    int code = bench_trial_open(&trial);
    if (code == EXIT_CODE_OK) {
        code = fill(&trial, results);
    }
    if (code == EXIT_CODE_OK && options->wanted[BENCH_RESTART]) {
        code = restart(&trial, results);
    }
    return bench_trial_close(&trial, results, code);
}

/* ---- all of them ---- */

static int measure_matching(const struct bench_options *options, struct bench_results *results)
{
    uint64_t waiting = options->tickets * FILL_FACTOR;
    uint64_t steps = options->tickets < MATCHING_WAITING ? options->tickets : MATCHING_WAITING;
    progress(BENCH_MATCHING, 0, 1);
    struct bench_matching_options shape = {
        .waiting_count = waiting < MATCHING_WAITING ? (uint32_t) waiting : MATCHING_WAITING,
        .step_count = (uint32_t) steps,
    };
    if (bench_matching_run(&shape, &results->decision) != VT_OK) {
        return EXIT_CODE_FAILED;
    }
    results->has[BENCH_MATCHING] = true;
    return EXIT_CODE_OK;
}

static int
measure(const struct bench_options *options, enum bench_phase phase, struct bench_results *results)
{
    switch (phase) {
    case BENCH_INTAKE:
    case BENCH_INTAKE_SYNC:
    case BENCH_LIFECYCLES:
    case BENCH_LIFECYCLES_4X1:
        return measure_rate(options, phase, results);
    case BENCH_LATENCY:
        return measure_latency(options, results);
    case BENCH_FILL:
        return options->broker == NULL ? measure_fill(options, results) : EXIT_CODE_OK;
    case BENCH_RESTART:
        return options->broker == NULL && !options->wanted[BENCH_FILL]
                   ? measure_fill(options, results)
                   : EXIT_CODE_OK;
    case BENCH_MATCHING:
        return measure_matching(options, results);
    }
    return EXIT_CODE_OK;
}

int bench_phases_run(const struct bench_options *options, struct bench_results *results)
{
    int code = EXIT_CODE_OK;
    memset(results, 0, sizeof *results);
    for (uint32_t i = 0; code == EXIT_CODE_OK && i < BENCH_PHASE_COUNT; i++) {
        if (options->wanted[i]) {
            code = measure(options, (enum bench_phase) i, results);
        }
    }
    if (isatty(STDERR_FILENO) != 0) {
        fputs("\r\033[K", stderr);
    }
    if (code == EXIT_CODE_OK && results->check.lost + results->check.doubled > 0) {
        code = EXIT_CODE_CHECK_FAILED;
    }
    return code;
}
