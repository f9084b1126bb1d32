#ifndef ROUTER_OWNERSHIP_H
#define ROUTER_OWNERSHIP_H

/* Which partitions are ours, and under which epoch: from the registry's view, the plan and the
 * lease to a list of things to do, one at a time. What a partition's memory holds is not known
 * here, and no effect is made here: the router asks ownership_next() and does it.
 */

#include "lib/core.h"
#include "lib/members.h"
#include "lib/random.h"
#include "lib/timers.h"

enum ownership_state {
    OWNERSHIP_NONE,    /* not ours */
    OWNERSHIP_ACQUIRE, /* asked the registry for own/<part> */
    OWNERSHIP_CLAIM,   /* own/<part> is ours; telling the store */
    OWNERSHIP_LOAD,    /* reading its rows; no offers yet */
    OWNERSHIP_ACTIVE,
    OWNERSHIP_LEAVING /* somebody else is wanted: no offers, commits in flight end */
};

struct ownership_part {
    enum ownership_state state;
    bool is_planned;
    bool is_wanted;
    bool is_key_there;
    bool is_key_mine;
    bool is_claim_out;       /* EVENT_CLAIMED is still to come */
    bool is_store_claim_out; /* its EVENT_STORED is still to come */
    bool is_drop_due;        /* memory must be dropped before anything else */
    bool is_left;            /* nothing is in flight any more */
    bool is_refused;         /* the store knows a newer epoch than our key's */
    bool is_load_asked;
    uint32_t owner;    /* node number of the key's holder */
    uint32_t failures; /* store claims lost in a row */
    uint64_t key_epoch;
    uint64_t epoch;       /* ours; 0 in NONE and ACQUIRE */
    uint64_t spent_epoch; /* was ours and was dropped; never taken up again */
    uint64_t known_epoch; /* the highest that was ever heard of */
    int64_t retry_ms;     /* not before this */
};

struct ownership_options {
    uint64_t seed;
    uint64_t incarnation;  /* which of the routers is this one */
    uint32_t parts_max;    /* partitions have numbers below this */
    uint32_t routers_max;  /* further ones are not looked at */
    uint32_t loads_max;    /* partitions that may be taken over at once [64] */
    uint32_t moves_max;    /* partitions that may be handed over at once [8] */
    int64_t move_delay_ms; /* after the last change of membership [10,000] */
    int64_t leave_wait_ms; /* for commits in flight [2,000] */
};

struct ownership {
    struct ownership_options options;
    struct ownership_part *parts;
    uint64_t *dirty; /* set of parts to look at */
    struct timers timers;
    struct random random;
    struct member *members;
    uint32_t *pins; /* by part: node number + 1; 0: none */
    uint32_t member_count;
    uint32_t me; /* index in members, or MEMBERS_NONE */
    uint32_t loading_count;
    uint32_t leaving_count;
    int64_t lease_ms;
    int64_t changed_ms; /* last change of who is there */
    bool is_stopping;
};

enum ownership_do {
    OWNERSHIP_DO_CLAIM,       /* EFFECT_CLAIM */
    OWNERSHIP_DO_STORE_CLAIM, /* STORE_CLAIM with `epoch`, alone */
    OWNERSHIP_DO_LOAD,        /* read its rows, then call ownership_loaded() */
    OWNERSHIP_DO_LEAVE,       /* no more offers; ownership_left() when nothing is in flight */
    OWNERSHIP_DO_DROP,        /* forget its memory; nothing may be written any more */
    OWNERSHIP_DO_RELEASE,     /* EFFECT_RELEASE; its memory was dropped before */
    OWNERSHIP_DO_ALARM        /* the registry is older than the store: a person must act */
};

struct ownership_action {
    enum ownership_do what;
    uint32_t part;
    uint64_t epoch;
};

void ownership_init(struct ownership *ownership,
                    struct arena *arena,
                    const struct ownership_options *options);

void ownership_plan(struct ownership *ownership, const struct plan *plan);
void ownership_members(struct ownership *ownership,
                       const struct membership *membership,
                       int64_t now_ms);
void ownership_lease(struct ownership *ownership, int64_t deadline_ms);

/* Answers to what ownership_next() asked for. Answers that nobody waits for are ignored. */
void ownership_claimed(struct ownership *ownership, const struct event *event);
void ownership_store_claimed(struct ownership *ownership,
                             uint32_t part,
                             enum store_status status,
                             int64_t now_ms);
void ownership_loaded(struct ownership *ownership, uint32_t part);
void ownership_left(struct ownership *ownership, uint32_t part);

/* A write under `epoch` failed the fence: somebody newer owns the partition. */
void ownership_fenced(struct ownership *ownership, uint32_t part, uint64_t epoch, int64_t now_ms);

/* Hand over everything. */
void ownership_stop(struct ownership *ownership);

/* False: nothing to do at `now_ms`. */
bool ownership_next(struct ownership *ownership, int64_t now_ms, struct ownership_action *action);

int64_t ownership_deadline_ms(const struct ownership *ownership);

/* Any number may be asked for. */
enum ownership_state ownership_state(const struct ownership *ownership, uint32_t part);

/* 0: not ours (rows may not be read or written for it). */
uint64_t ownership_epoch(const struct ownership *ownership, uint32_t part);
uint64_t ownership_known_epoch(const struct ownership *ownership, uint32_t part);

/* Its rows are known to be ours: brokers may forward its tickets here. */
bool ownership_is_served(const struct ownership *ownership, uint32_t part);

/* Nothing is ours and nothing is on its way. */
bool ownership_is_empty(const struct ownership *ownership);

/* Every partition of the plan that is wanted here is active. */
bool ownership_is_settled(const struct ownership *ownership);

#endif
