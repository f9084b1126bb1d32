#ifndef CLI_BENCH_MATCHING_H
#define CLI_BENCH_MATCHING_H

/* How long a matching decision takes with both its index updates, in the shape of a large help
 * desk: 10,000 agents of 2,000 profiles, tickets waiting in 5,000 classes, 40 queues, 200 skills
 * with levels, 3 languages, 95 % of the slots busy. No server, no sockets.
 */

#include <stdint.h>

#include "lib/err.h"

struct bench_matching_options {
    uint32_t waiting_count;
    uint32_t step_count; /* decisions of each kind */
};

struct bench_matching_times { /* us */
    double p50;
    double p99;
};

struct bench_matching_figures {
    struct bench_matching_times arrive; /* a ticket arrives */
    struct bench_matching_times free;   /* an agent frees a slot */
};

/* VT_UNAVAILABLE: out of memory. */
VT_MUST_USE vt_err bench_matching_run(const struct bench_matching_options *options,
                                      struct bench_matching_figures *figures);

#endif
