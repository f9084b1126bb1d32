#ifndef BROKER_BROKER_H
#define BROKER_BROKER_H

/* The broker's core: takes tickets in durably, connects agent sites with routers, tells followers.
 * Pure: see lib/core.h. */

#include <stdint.h>

#include "lib/arena.h"
#include "lib/bytes.h"
#include "lib/core.h"

struct trace;
struct broker;

struct broker_options {
    uint64_t seed;                  /* from entropy: ticket ids are made of it */
    uint64_t incarnation;           /* 64 random bits a start, not 0 */
    struct bytes name;              /* outlives the broker */
    uint32_t batch_requests_max;    /* SUBMITs in one batch for the store [2000] */
    uint32_t batch_bytes_max;       /* texts in one batch [8 MiB] */
    uint32_t client_window_max;     /* unanswered entries of one client connection [4096] */
    uint32_t ring_entries;          /* outbox, all partitions [65536] */
    uint32_t ring_entries_per_part; /* [16384] */
    uint32_t parts_max;             /* partitions are numbered below this [4096] */
    uint32_t routers_max;           /* connections, at most 64 [64] */
    uint32_t sites_max;             /* [4096] */
    uint32_t agents_max;            /* of all sites [65536] */
    uint32_t held_max;              /* tickets that sites held when they connected [262144] */
    uint32_t followers_max;         /* [16384] */
    uint32_t queries_max;           /* at the same time [1024] */
    uint32_t cancels_max;           /* at the same time [1024] */
    uint32_t client_identities_max; /* client connections with something unanswered [16384] */
    struct trace *trace;            /* NULL: none; outlives the broker */
};

void broker_options_default(struct broker_options *options);

/* NULL only when the arena measures. */
struct broker *broker_open(struct arena *arena, const struct broker_options *options);

struct core broker_core(struct broker *broker);

#endif
