#ifndef ROUTER_ROUTER_H
#define ROUTER_ROUTER_H

/* The router core: owns partitions, matches their tickets to agents, and is the only writer of
 * their rows meanwhile. Pure; see lib/core.h for the contract and README.md for the map.
 */

#include "lib/core.h"

struct trace; /* lib/trace.h */
struct router;

/* 0 in a bound takes the default in brackets. */
struct router_options {
    uint64_t seed;
    uint64_t incarnation;        /* that of its node in EVENT_MEMBERS */
    struct bytes name;           /* written into the store with a claim; outlives the router */
    uint32_t tickets_max;        /* in memory [1,000,000] */
    uint32_t classes_max;        /* [65,536] */
    uint32_t profiles_max;       /* [16,384] */
    uint32_t agents_max;         /* [65,536] */
    uint32_t sites_max;          /* [4,096] */
    uint32_t offers_max;         /* on their way [65,536] */
    uint32_t brokers_max;        /* [64] */
    uint32_t routers_max;        /* [256] */
    uint32_t parts_max;          /* partitions have numbers below this [4,096] */
    uint32_t queues_max;         /* [4,096] */
    uint32_t batch_requests_max; /* requests in one batch to the store [4,000]: what does not fit
                                    is said again a second later, so a burst of all agents has to */
    uint32_t batch_texts_bytes;  /* answers and notes in one batch [8 MiB] */
    int64_t site_silence_ms;     /* a site is down after this without a word [15,000] */
    int64_t refusal_ms;          /* a ticket is not offered to the same agent again [15,000] */
    int64_t check_ms;            /* between two readings of the safety net [60,000] */
    struct trace *trace;         /* NULL: silent */
};

struct router_options router_options_default(void);

/* NULL while the arena is measuring. */
struct router *router_open(struct arena *arena, const struct router_options *options);

struct core router_core(struct router *router);

#endif
