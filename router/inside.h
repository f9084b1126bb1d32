#ifndef ROUTER_INSIDE_H
#define ROUTER_INSIDE_H

/* The router's parts in one place, for the files of its flow: ledger, dispatch, forwards, holding,
 * results, queries, sends. The tables (ownership, offers, sites, commits, loads, figures and the
 * matching half) know nothing of this.
 */

#include "lib/trace.h"
#include "router/commits.h"
#include "router/figures.h"
#include "router/forwards.h"
#include "router/ledger.h"
#include "router/loads.h"
#include "router/matching.h"
#include "router/offers.h"
#include "router/ownership.h"
#include "router/router.h"
#include "router/sites.h"

/* Per partition, beside ownership. */
struct inside_part {
    bool is_serving;  /* its tickets take part in matching */
    bool has_horizon; /* the store holds queued tickets that are worse and not in memory */
    bool is_short;    /* rows were left in the store for want of a class */
    bool has_passed;  /* a ticket was left out since a page was asked for */
    struct service_key horizon;
    struct service_key passed; /* the best of those: the page may have been read before it came */
    uint64_t in_store;         /* about how many rows were left there */
    int64_t check_ms;          /* next reading of the safety net */
    int64_t since_us; /* ours since, by the store's clock; what it held then is read, not told */
};

struct inside_counters {
    uint64_t safety_net_found_total;
    uint64_t sends_dropped_total;
    uint64_t fenced_total;
    uint64_t uncertain_total;
    uint64_t refused_assigns_total;
    uint64_t corrupt_rows_total;
    uint64_t clones_total;
    uint64_t forward_gaps_total;
};

struct router {
    struct router_options options;
    struct random random;
    struct matching matching;
    struct ownership ownership;
    struct offers offers;
    struct sites sites;
    struct commits commits;
    struct loads loads;
    struct forwards forwards;
    struct figures figures;
    struct ledger ledger;
    struct inside_part *parts;
    struct inside_counters counters;
    struct store_request *claims; /* by part: lent to the store until answered */
    const struct plan *plan;
    struct trace *trace;

    /* Of the step at work. */
    struct effects *out;
    int64_t now_ms;
    int64_t wall_us;

    /* The store's clock, as of the last page. */
    int64_t store_us;
    int64_t store_at_ms; /* 0: never heard */

    uint64_t activations;  /* partitions that began to be served */
    uint32_t evict_cursor; /* UINT32_MAX: nothing to evict */
    uint32_t serve_cursor; /* walks_serve(); UINT32_MAX: nothing to serve */
    int64_t next_parts_ms; /* next look at partitions that need one */
    bool is_stopping;
    bool is_stopped;
    int64_t stop_ms;
};

/* The store's clock now, as well as it is known. */
static inline int64_t inside_store_us(const struct router *router)
{
    if (router->store_at_ms == 0) {
        return router->wall_us;
    }
    return router->store_us + (router->now_ms - router->store_at_ms) * 1000;
}

#endif
