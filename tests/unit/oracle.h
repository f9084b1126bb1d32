#ifndef TESTS_UNIT_ORACLE_H
#define TESTS_UNIT_ORACLE_H

/* The brute-force oracle of matching: plain arrays, every question answered by looking at every
 * ticket and every agent. It shares no code with router/; what it keeps is what it was told.
 */
#include <stdbool.h>
#include <stdint.h>

#include "lib/id.h"

#define ORACLE_SKILLS 12u
#define ORACLE_TICKETS 400u
#define ORACLE_AGENTS 80u
#define ORACLE_SITES 6u
#define ORACLE_QUEUES 8u
#define ORACLE_REFUSALS 16u
#define ORACLE_NONE UINT32_MAX

enum oracle_stage {
    ORACLE_ABSENT,
    ORACLE_WAITING,
    ORACLE_WITH_AGENT,
    ORACLE_ASIDE
};

struct oracle_refusal {
    uint32_t agent;
    int64_t until_ms;
};

struct oracle_ticket {
    enum oracle_stage stage;
    struct ticket_id id;
    uint32_t queue;               /* 0..ORACLE_QUEUES - 1 */
    uint32_t language;            /* 0: any; else 1.. */
    uint32_t need[ORACLE_SKILLS]; /* level + 1; 0: not asked for */
    bool wants_person;
    uint32_t priority;
    int64_t created_us;
    int64_t queued_us;
    uint32_t preferred; /* number of an agent, or ORACLE_NONE */
    uint32_t holder;    /* number of an agent, ORACLE_WITH_AGENT */
    struct oracle_refusal refusals[ORACLE_REFUSALS];
    uint32_t refusal_count;
    uint32_t row; /* in the tables under test */
};

struct oracle_agent {
    bool is_in;
    bool is_leaving;
    bool is_available;
    bool is_person;
    uint32_t site;
    uint32_t queues;             /* bits of names; 0: every queue */
    uint32_t languages;          /* bits */
    uint32_t has[ORACLE_SKILLS]; /* level + 1; 0: does not have it */
    uint32_t capacity;
    uint32_t used;
    uint32_t told;
    int64_t idle_since_ms;
    uint32_t row;
};

struct oracle {
    struct oracle_ticket tickets[ORACLE_TICKETS];
    struct oracle_agent agents[ORACLE_AGENTS];
    bool site_is_up[ORACLE_SITES];
    uint32_t queue_names[ORACLE_QUEUES]; /* what the plan calls it; ORACLE_NONE: not in the plan */
    int64_t now_ms;
};

bool oracle_may(const struct oracle *oracle, uint32_t ticket, uint32_t agent);
bool oracle_is_free(const struct oracle *oracle, uint32_t agent);
bool oracle_has_refused(const struct oracle *oracle, uint32_t ticket, uint32_t agent);

/* Numbers in the arrays above, or ORACLE_NONE. Agents' ids are their number + 1. */
uint32_t oracle_agent_for(const struct oracle *oracle, uint32_t ticket);
uint32_t oracle_ticket_for(const struct oracle *oracle, uint32_t agent);

uint32_t oracle_agents_able(const struct oracle *oracle, uint32_t ticket);

struct oracle_figures {
    uint64_t waiting;
    uint64_t unservable;
    int64_t oldest_queued_us;
    uint64_t agents_up;
    uint64_t agents_free;
};

struct oracle_figures oracle_figures(const struct oracle *oracle, uint32_t queue);

/* Takes the refusal out; false: there was none. */
bool oracle_unrefuse(struct oracle *oracle, uint32_t ticket, uint32_t agent);
void oracle_forget_agent(struct oracle *oracle, uint32_t agent);

/* Refusals whose time is over. */
uint32_t oracle_due_count(const struct oracle *oracle);

#endif
