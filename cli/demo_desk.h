#ifndef CLI_DEMO_DESK_H
#define CLI_DEMO_DESK_H

/* The desks of the simulated agents: they look at offers, decline some, work each ticket for its
 * handle time, give some back, and go on and off duty with the city's hours. Runs inside the
 * cluster's loop, on LINK_DESK of the agentd host. Keeps the times that the report is made of.
 */

#include <stdint.h>

#include "cli/demo_board.h"
#include "cli/demo_staff.h"
#include "io/host.h"
#include "io/loop.h"
#include "lib/err.h"
#include "lib/histogram.h"

#define DEMO_DESK_DECLINE_PERCENT 3u
#define DEMO_DESK_GIVE_BACK_PERCENT 2u

struct demo_desk;

struct demo_desk_options {
    struct loop *loop;
    struct host *host; /* of the agentd core */
    struct demo_board *board;
    const struct demo_staff *staff;
};

/* Sums of what happened. Times are real microseconds; a wait is from entering the queue (submitted,
 * or given back) to the start of work. */
struct demo_desk_figures {
    uint64_t offers;
    uint64_t declined;
    uint64_t dropped;  /* an offer or work was taken back */
    uint64_t answered; /* work begun */
    uint64_t answered_in_time;
    uint64_t given_back;
    uint64_t ended;                    /* work ended, given back or done */
    uint64_t overbooked;               /* an agent was given a second ticket at a time: must be 0 */
    uint64_t twice;                    /* work was given out that had been completed: must be 0 */
    int64_t wait_us;                   /* of `answered` */
    int64_t worked_us;                 /* of `ended` */
    int64_t busy_us;                   /* all agents, until the last arrival */
    int64_t idle_us;                   /* on duty without work, until the last arrival */
    struct histogram offer_us;         /* first offer of each ticket, from its submit */
    struct histogram offer_at_once_us; /* the same, of those that found an agent free */
};

/* By ticket. */
struct demo_desk_ticket {
    int64_t entered_us; /* into its queue, the last time; 0: its submit */
    int64_t wait_us;    /* sum of its waits */
    uint32_t answers;   /* times an agent got it */
};

VT_MUST_USE vt_err demo_desk_open(const struct demo_desk_options *options, struct demo_desk **desk);
void demo_desk_close(struct demo_desk *desk);

const struct demo_desk_figures *demo_desk_figures(struct demo_desk *desk);
const struct demo_desk_ticket *demo_desk_tickets(const struct demo_desk *desk);

/* Agents of a pool at this moment; pool_count: agent 0. */
struct demo_desk_load {
    uint32_t on_duty;
    uint32_t busy;
    uint32_t answered; /* tickets of this pool so far, given back or not */
    uint32_t done;
};
struct demo_desk_load demo_desk_load(const struct demo_desk *desk, uint32_t pool);

#endif
