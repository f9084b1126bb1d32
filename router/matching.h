#ifndef ROUTER_MATCHING_H
#define ROUTER_MATCHING_H

/* Tickets to agents: the tables of both sides, kept in step, and the two questions. Deciding is a
 * pure function of the tables; nothing here sends, stores or waits.
 *
 * How the owner of a partition uses it:
 *   a ticket comes (FORWARD, LOADED)   matching_ticket_add(), then matching_wait() if it is QUEUED,
 *                                      then matching_agent_for()
 *   an agent can take one more         (roster_give, roster_hint, roster_site_up, _agent_put)
 *                                      matching_ticket_for(), again while it finds something
 *   an offer is made                   matching_leave(STAGE_OFFERED), roster_take()
 *   it is declined or expires          roster_give(), matching_refuse(), matching_wait(); then
 *                                      matching_agent_for() it and matching_ticket_for() the agent
 *   it is assigned                     refusals_clear_ticket(), tickets_set_stage()
 *   it ends                            roster_give(), matching_ticket_remove()
 *   refusals_pop_due() gives a pair    if the ticket is STAGE_WAITING: matching_agent_for()
 *   the plan changes                   matching_plan(), then matching_ticket_for() every free agent
 *                                      (roster_next_free())
 * Every such call leaves no waiting ticket that a free eligible agent could take, as long as the
 * two questions are asked at those places: that is why there is no sweep.
 *
 * Memory is full (VT_FULL of matching_ticket_add): see matching_horizon().
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/store_request.h"
#include "router/backlog.h"
#include "router/classes.h"
#include "router/eligibility.h"
#include "router/profiles.h"
#include "router/refusals.h"
#include "router/roster.h"
#include "router/terms.h"
#include "router/tickets.h"

struct arena;
struct plan;

#define MATCHING_NONE UINT32_MAX

struct matching {
    struct tickets tickets;
    struct terms terms;
    struct classes classes;
    struct profiles profiles;
    struct eligibility eligibility;
    struct backlog backlog;
    struct roster roster;
    struct refusals refusals;
    const struct plan *plan; /* lent by EVENT_PLAN; NULL before the first */
    /* The names of the plan, so that those which only agents name never take their room. */
    uint32_t *pinned[2]; /* terms; one list is in use */
    uint32_t pinned_counts[2];
    uint32_t pinned_list;
};

struct matching_options {
    uint32_t tickets_max;  /* 0 takes the default: 1,000,000 */
    uint32_t classes_max;  /* 65,536 */
    uint32_t profiles_max; /* 16,384 */
    uint32_t names_max;    /* 16,384: queues, languages and skills of plan, tickets or agents */
    uint32_t queues_max;   /* 4,096 */
    uint32_t agents_max;   /* 65,536 */
    uint32_t sites_max;    /* 4,096 */
    uint32_t refusals_max; /* 65,536 */
    uint64_t seed;         /* for the hash tables */
};

/* Several hundred MB of address space with the defaults, of which little is touched. */
void matching_init(struct matching *matching,
                   struct arena *arena,
                   const struct matching_options *options);

/* EVENT_PLAN. Works out who may serve what again where a queue's name came, went or changed. The
 * plan is lent until the next call. */
void matching_plan(struct matching *matching, const struct plan *plan);

/* Takes the ticket of a row (QUEUED, SCHEDULED, ASSIGNED or PARKED) into the tables, with its
 * class; stage STAGE_HELD_BACK (caller sets what it is, or calls matching_wait()).
 * VT_CONFLICT: it is in already, *ticket says where, and nothing was changed.
 * VT_FULL: tickets_max are in.  VT_UNAVAILABLE: no class slot is left: leave it in the store, and
 * read it again when classes_take_freed() says so.  VT_CORRUPT: its requirements are no such. */
VT_MUST_USE vt_err matching_ticket_add(struct matching *matching,
                                       const struct ticket_row *row,
                                       uint32_t *ticket);

/* Brings priority, times, attempt, fails, msgs, rev, agent and the wish for a person up to the row;
 * the ticket is not STAGE_WAITING. VT_UNAVAILABLE: it needs another class and there is no slot; it
 * is unchanged then: take it out of memory. */
VT_MUST_USE vt_err matching_ticket_update(struct matching *matching,
                                          uint32_t ticket,
                                          const struct ticket_row *row);

/* From any stage; takes its refusals, its place in the backlog and its class along. */
void matching_ticket_remove(struct matching *matching, uint32_t ticket);

/* Into the backlog (STAGE_WAITING), and out of it to `stage`. */
void matching_wait(struct matching *matching, uint32_t ticket);
void matching_leave(struct matching *matching, uint32_t ticket, enum stage stage);

/* Queue id and requirements of a ticket; the view lives while the ticket keeps its class. */
struct class_key matching_class_of(const struct matching *matching, uint32_t ticket);

/* The site's AGENT entry, with header.site. VT_FULL: agents, sites, profiles or names are full.
 * VT_CORRUPT: its profile is no such. The agent's `used` survives if it was known. */
VT_MUST_USE vt_err matching_agent_put(struct matching *matching,
                                      uint32_t site,
                                      const struct agent *agent,
                                      int64_t now_ms,
                                      uint32_t *row);

/* At once, or, while slots are in use, when the last of them is given back by
 * matching_agent_give(). It is not offered anything from now on. */
void matching_agent_remove(struct matching *matching, uint32_t agent);

/* roster_give(), and the removal of an agent that was leaving: true if it is gone now. */
bool matching_agent_give(struct matching *matching, uint32_t agent, int64_t now_ms);

/* The agent does not get this ticket until `until_ms`. True: see refusals_add(). */
bool matching_refuse(struct matching *matching,
                     uint32_t ticket,
                     uint32_t agent,
                     int64_t until_ms,
                     struct refusal *dropped);

/* Who should get this ticket now: the preferred agent (ticket.agent) if it may and can, else the
 * first in rank of all that may and can and have not refused it. MATCHING_NONE: nobody. */
uint32_t matching_agent_for(const struct matching *matching, uint32_t ticket);

/* What this agent should get now: the first in order of service of all waiting tickets that it may
 * serve and has not refused. MATCHING_NONE: nothing, or it cannot take one more. */
uint32_t matching_ticket_for(const struct matching *matching, uint32_t agent);

/* Whether this agent may serve this ticket at all, busy, down or not. */
bool matching_may(const struct matching *matching, uint32_t ticket, uint32_t agent);

/* Agents up that may serve the class, busy or not. */
uint32_t matching_agents_able(const struct matching *matching, uint32_t class);

struct matching_figures {
    uint64_t waiting;
    uint64_t unservable;      /* waiting, and nobody who is up may serve them */
    int64_t oldest_queued_us; /* INT64_MAX: nobody waits */
    uint64_t agents_up;       /* agents up that name this queue or every queue */
    uint64_t agents_free;     /* of those, can take one more */
};

/* For dashboards: touches every class and profile once, so not for the path of a ticket. */
struct matching_figures matching_queue_figures(const struct matching *matching, uint32_t queue);

/* When memory is full the owner keeps the better tickets. `horizon` means: memory holds every
 * QUEUED ticket of the owned partitions that is not worse than it (rank_compare_keys() <= 0), and
 * the store may hold worse ones that are not in memory. Without a horizon memory holds them all.
 *
 * - matching_horizon() proposes one so that about `keep_percent` (1..99) of the waiting tickets are
 *   not worse (from a sample; one at least stays, one at least goes). False: fewer than two wait.
 * - matching_evict() then removes waiting tickets that are worse, looking at most at `row_count`
 *   rows from *cursor (start at 0) on, and moves it; UINT32_MAX: done. Slices may be spread over
 *   steps: tickets still there that are worse do no harm, they are only more than needed.
 * - A FORWARD whose key is worse than the horizon is TAKEN but not kept.
 * - When tickets_count() is under 75 % the owner reads LOAD_QUEUED pages after the horizon, and the
 *   last row's key of each is the new horizon; with several partitions each has its own (the lower
 *   of its old one and the proposal). When a page says there is no more, there is no horizon.
 */
bool matching_horizon(const struct matching *matching,
                      uint32_t keep_percent,
                      struct service_key *horizon);
uint32_t matching_evict(struct matching *matching,
                        const struct service_key *horizon,
                        uint32_t *cursor,
                        uint32_t row_count);

#endif
