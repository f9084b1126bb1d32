#ifndef CLI_BENCH_TRIAL_H
#define CLI_BENCH_TRIAL_H

/* One run of the bench: a server, a client, sites, and the loop that turns the last two. */

#include <stdint.h>

#include "cli/bench_phases.h"
#include "cli/bench_plan.h"
#include "cli/bench_server.h"
#include "cli/bench_sites.h"
#include "cli/bench_submitter.h"
#include "io/loop.h"

struct bench_load {
    uint64_t tickets;
    uint32_t window;
    uint32_t rate;   /* 0: as fast as may be */
    uint32_t agents; /* 0: nobody takes them */
    uint32_t sites;
    uint32_t capacity;
};

struct bench_trial {
    const struct bench_options *options;
    struct bench_load load;
    struct bench_server server;
    struct bench_plan *plan;
    struct loop *loop;
    struct bench_submitter *submitter;
    struct bench_sites *sites;
    uint64_t tickets_extra; /* sent besides the submitter's */
    double seconds;
    double cpu_s;
};

/* All return exit codes, after having said what is wrong. */
int bench_trial_open(struct bench_trial *trial);
/* Until all tickets are acknowledged, and completed if there are agents. */
int bench_trial_until_done(struct bench_trial *trial);
/* Anew, after the server was started again: until one more ticket is acknowledged and one offered.
 */
int bench_trial_until_serving(struct bench_trial *trial);
void bench_trial_idle(struct bench_trial *trial, int64_t ms);
/* Adds the commits and syncs of the server that runs now, which is to be killed. */
void bench_trial_take_commits(const struct bench_trial *trial, struct bench_results *results);
/* Ends the server, reads its store into results->check, and returns `code` or what went wrong. */
int bench_trial_close(struct bench_trial *trial, struct bench_results *results, int code);

struct bench_latency {
    struct bench_quantiles offer_ms;     /* from the intended time of sending */
    struct bench_quantiles lifecycle_ms; /* the same until the completion is acknowledged */
};
VT_MUST_USE vt_err bench_trial_latency(const struct bench_trial *trial,
                                       struct bench_latency *latency);

#endif
