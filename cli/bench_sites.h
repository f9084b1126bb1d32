#ifndef CLI_BENCH_SITES_H
#define CLI_BENCH_SITES_H

/* The bench's agent sites: the protocol of agentd over TCP, for agents who accept whatever fits and
 * complete it at once. There is no journal, so a site that dies forgets; the bench has none that
 * dies.
 */

#include <stdint.h>

#include "cli/bench_plan.h"
#include "io/loop.h"
#include "lib/err.h"
#include "lib/id.h"

#define BENCH_SITES_MAX 64u

struct bench_sites;

struct bench_sites_options {
    struct loop *loop; /* stopped when `completed` reaches the target */
    const struct bench_plan *plan;
    const char *address; /* HOST:PORT of the sites' port */
    uint32_t site_count; /* at most the agents, who are dealt out evenly */
    uint32_t capacity;   /* of one agent */
    uint64_t times_max;  /* how many offers and completions to keep times of */
    uint64_t target;     /* of completions */
};

VT_MUST_USE vt_err bench_sites_open(const struct bench_sites_options *options,
                                    struct bench_sites **out);
void bench_sites_close(struct bench_sites *sites);

/* When a ticket was offered or its completion acknowledged. CLOCK_BOOTTIME. */
struct bench_sites_time {
    struct ticket_id ticket;
    int64_t at_us;
};

struct bench_sites_figures {
    uint32_t up; /* sites that were welcomed */
    uint64_t offered;
    uint64_t declined;
    uint64_t confirmed;
    uint64_t completed; /* acknowledged as done */
    uint64_t stale;     /* any other verdict */
    uint64_t repeated;  /* offers, confirms and requests said again */
    int64_t first_offer_us;
    int64_t last_us; /* the last completion was acknowledged */
    uint32_t cuts;   /* connections that broke */
    const struct bench_sites_time *offers;
    uint64_t offer_count;
    const struct bench_sites_time *ends;
    uint64_t end_count;
};

const struct bench_sites_figures *bench_sites_figures(const struct bench_sites *sites);

#endif
