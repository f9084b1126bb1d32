#ifndef CLI_BENCH_CHECK_H
#define CLI_BENCH_CHECK_H

/* What clients and sites were told, against what stands in the store's file once its server is
 * gone.
 */

#include <stdint.h>

#include "cli/bench_submitter.h"
#include "lib/err.h"

struct bench_check {
    uint64_t acknowledged;
    uint64_t completed; /* told to sites as done */
    uint64_t lost;      /* acknowledged and not there, or told done and not done */
    uint64_t doubled;   /* one key with two tickets, or one ticket completed twice */
};

/* What was told in one trial. */
struct bench_check_told {
    const struct bench_submitter *submitter;
    uint64_t completed;     /* to sites */
    uint64_t tickets_extra; /* sent by another client */
};

/* Adds to `sums`. VT_UNAVAILABLE: the file cannot be read; the reason is on standard error. */
VT_MUST_USE vt_err bench_check_store(const char *folder,
                                     const struct bench_check_told *told,
                                     struct bench_check *sums);

#endif
