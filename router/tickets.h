#ifndef ROUTER_TICKETS_H
#define ROUTER_TICKETS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/id.h"
#include "lib/map.h"
#include "lib/slab.h"
#include "lib/store_request.h"

struct arena;

/* The open tickets that this router holds in memory: one narrow row each, found by id. What a
 * ticket asks for is not here but in its class (classes.h); where it waits is backlog.h.
 *
 * Rows keep their number while they are in; whoever needs more per ticket keeps an array of its
 * own beside this one, `tickets_max` long (arena memory is not touched before it is used).
 */
#define TICKETS_NONE UINT32_MAX

/* What the owner of the partition is doing with the ticket; finer than the durable state. */
enum stage {
    STAGE_NONE = 0,
    STAGE_SCHEDULED, /* row SCHEDULED; waits for its due time */
    STAGE_WAITING,   /* row QUEUED and in the backlog: the only stage that matching looks at */
    STAGE_HELD_BACK, /* row QUEUED, but not to be matched now (a statement about it is in flight,
                        its partition is being left or loaded) */
    STAGE_OFFERED,   /* row QUEUED, one offer on its way; its agent's slot is counted as used */
    STAGE_ASSIGNING, /* accepted, STORE_ASSIGN in flight */
    STAGE_ASSIGNED,  /* row ASSIGNED, its site is up and holds it */
    STAGE_VERIFY,    /* row ASSIGNED, its site has not said yet that it holds it; grace runs */
    STAGE_MOVING,    /* row ASSIGNED, its COMPLETE, PARK or REQUEUE is in flight */
    STAGE_PARKED     /* row PARKED */
};
#define STAGE_COUNT 10

enum tickets_flags {
    TICKETS_PERSON_REQUESTED = 1, /* no program may take it; part of its class */
    TICKETS_CANCEL_ASKED = 2,     /* for lifecycle.c */
    TICKETS_REREAD = 4,           /* for lifecycle.c: its row is to be read before any decision */
    TICKETS_MARK = 8,             /* for lifecycle.c: seen in the list that is being compared */
    TICKETS_BY_TREE = 16          /* for backlog.c: where it stands among those of its queue */
};

/* 64 bytes. Zeroed by tickets_add() but for `id`. */
struct ticket {
    struct ticket_id id;
    int64_t created_us;
    int64_t queued_us; /* since when it waits; SCHEDULED: when it is due */
    uint32_t class;    /* classes.h */
    uint32_t agent;    /* id: the preferred one while it waits, its holder later; 0: none */
    uint32_t part;
    uint32_t attempt;
    uint32_t msgs;
    uint32_t rev;
    uint32_t link; /* for the stage's owner: row of its offer, of its held entry ... */
    uint8_t priority;
    uint8_t stage; /* enum stage; WAITING is set and left by matching_wait() / matching_leave() */
    uint8_t fails; /* stays at 255 */
    uint8_t flags; /* enum tickets_flags */
};

struct tickets {
    struct ticket *rows;
    struct map by_id;
    struct slab slab;
    uint32_t stage_counts[STAGE_COUNT]; /* kept by tickets_set_stage() */
};

/* `tickets_max` below 2^30. */
void tickets_init(struct tickets *tickets,
                  struct arena *arena,
                  uint32_t tickets_max,
                  uint64_t seed);

/* VT_FULL: tickets_max are in.  VT_CONFLICT: it is in already, and *ticket says where. */
VT_MUST_USE vt_err tickets_add(struct tickets *tickets, struct ticket_id id, uint32_t *ticket);

/* TICKETS_NONE: it is not in memory (which says nothing about the store). */
uint32_t tickets_find(const struct tickets *tickets, struct ticket_id id);

/* `ticket` is in (CHECK). Never write `id`, `created_us`, `queued_us`, `priority`, `class` of one
 * that is STAGE_WAITING, and never `stage` directly. */
struct ticket *tickets_get(const struct tickets *tickets, uint32_t ticket);

void tickets_set_stage(struct tickets *tickets, uint32_t ticket, enum stage stage);

void tickets_remove(struct tickets *tickets, uint32_t ticket);

uint32_t tickets_count(const struct tickets *tickets);
bool tickets_is_full(const struct tickets *tickets);

/* The first ticket at or after row `from`, or TICKETS_NONE: a walk in row order over all of them,
 * to be sliced by the caller. */
uint32_t tickets_next(const struct tickets *tickets, uint32_t from);

#endif
