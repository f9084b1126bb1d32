#ifndef CLI_DEMO_STAFF_H
#define CLI_DEMO_STAFF_H

/* The simulated agents: how many, with which skills, and when they are on duty. For each pool and
 * hour of a working or weekend day the offered load in Erlangs (arrival rate x handle time, from
 * the file itself) over the wanted occupancy gives the agents on duty; a pool has as many as its
 * busiest hour takes. Days above the average queue. Agent 0 serves every queue, with every skill
 * and language, always, so that every ticket can be served.
 */

#include <stdint.h>

#include "agentd/agentd.h"
#include "cli/demo_tickets.h"
#include "io/plan_file.h"
#include "lib/arena.h"

#define DEMO_STAFF_AGENTS_MAX 2048u
#define DEMO_STAFF_OCCUPANCY_PERCENT 96u /* of the agents on duty, when a day is as the average */
#define DEMO_STAFF_SLOTS 48u
#define DEMO_STAFF_NAME_BYTES 80u

struct demo_staff {
    struct agentd_agent *agents;
    uint64_t *duty;  /* by agent: bit s is set when on duty in slot s */
    uint32_t *pools; /* by agent: index into the plan's pools; agent 0: pool_count */
    uint32_t agent_count;
    uint32_t pool_count;
    double erlangs; /* offered load, over the whole file */
    struct arena arena;
};

struct demo_staff_options {
    const struct plan_file *plan; /* before the store numbered it */
    struct demo_tickets *tickets; /* gets the pool of each */
    uint64_t speed;
    uint32_t agents; /* 0: as many as the load takes */
};

/* VT_UNAVAILABLE: no memory. Close in every case. */
VT_MUST_USE vt_err demo_staff_open(struct demo_staff *staff,
                                   const struct demo_staff_options *options);

/* The slot of an instant (UTC): hours 0 to 23 of working days, then those of weekends. */
uint32_t demo_staff_slot(int64_t unix_ms);

void demo_staff_close(struct demo_staff *staff);

#endif
