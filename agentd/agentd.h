#ifndef AGENTD_AGENTD_H
#define AGENTD_AGENTD_H

/* The core of an agent site: carries agents, decides on their slots, keeps what they work on until
 * its owner has answered for good. See README.md for its files and lib/core.h for the contract.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/bytes.h"
#include "lib/core.h"
#include "lib/trace.h"

#define AGENTD_AGENTS_MAX 4096u
#define AGENTD_JOURNAL_ENTRIES_MAX 131072u

enum agentd_answers {
    ANSWERS_AUTO, /* takes every offer while it has a free slot: a program */
    ANSWERS_DESK  /* the desk is asked (DESK_OFFER): a person */
};

struct agentd_agent {
    struct bytes name;    /* 1..NAME_BYTES_MAX, different from all others of the site */
    struct bytes profile; /* proto/requirements.h, at most PROFILE_BYTES_MAX */
    uint32_t capacity;    /* 1..CAPACITY_MAX */
    bool is_person;
    enum agentd_answers answers;
};

struct agentd_options {
    uint64_t seed;     /* from entropy, another one at each start */
    struct bytes site; /* 1..NAME_BYTES_MAX */
    struct bytes contractor;
    const struct agentd_agent *agents; /* their places here are the LINK_DESK peers */
    uint32_t agent_count;              /* 0..AGENTD_AGENTS_MAX */
    uint32_t broker_count;             /* at least 1: LINK_BROKERS peers 0.., tried in order */
    uint32_t slots_max;                /* in use at once; 0: the sum of the agents' capacities */
    uint32_t journal_entries_max;      /* slots and unanswered outcomes; 0: slots_max + 1024 */
    int64_t reservation_extra_ms;      /* a reservation outlives its offer by this */
    int64_t hello_min_ms;              /* HELLO and dialling are repeated from this ... */
    int64_t hello_max_ms;              /* ... to this */
    int64_t accept_min_ms;             /* ACCEPT is repeated */
    int64_t accept_max_ms;
    int64_t outcome_min_ms; /* OUTCOME is repeated */
    int64_t outcome_max_ms;
    int64_t busy_beat_ms;    /* PING, BEAT per part: while work is held */
    int64_t idle_beat_ms;    /* PING otherwise; BEAT to every owner */
    int64_t avail_ms;        /* every agent's AVAIL is repeated */
    int64_t verdict_wait_ms; /* while stopping, for the answers to the last outcomes */
    struct trace *trace;     /* NULL: silent */
};

struct agentd;

/* Everything but site, agents and broker_count. */
void agentd_options_default(struct agentd_options *options);

/* Copies what the options point at, but for the trace. NULL on a measuring arena. Options out of
 * their ranges are bugs (CHECK): the host has read them from files and said so there. */
struct agentd *agentd_open(struct arena *arena, const struct agentd_options *options);

struct core agentd_core(struct agentd *agentd);

#endif
