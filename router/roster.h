#ifndef ROUTER_ROSTER_H
#define ROUTER_ROSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/bytes.h"
#include "lib/err.h"
#include "lib/list.h"
#include "lib/map.h"
#include "lib/slab.h"
#include "lib/tree.h"
#include "proto/message.h"
#include "router/heads.h"

struct arena;

/* The agents of every site that was heard of: who they are, what they have in hand as this router
 * knows it, and per profile those who can take one more ticket, in order (rank.h).
 *
 * An agent can take one more if its site is up, it is available, and min(capacity - used, what its
 * site said it has free) is above 0. The site's slots decide in the end; this is only whom to ask.
 */
#define ROSTER_NONE UINT32_MAX

struct roster_agent {
    uint32_t id;
    uint32_t site; /* id */
    uint32_t profile;
    uint32_t index;           /* in the site's list */
    uint32_t capacity;        /* slots */
    uint32_t used;            /* slots with an offer or a ticket of this router's partitions */
    uint32_t told;            /* free slots as its site last said, less what was taken since */
    int64_t idle_since_ms;    /* its load has not changed since */
    uint64_t completed_total; /* counted by lifecycle.c */
    uint32_t working;         /* for lifecycle.c: of `used`, what is ASSIGNED */
    bool is_person;
    bool is_available; /* takes offers at all */
    bool is_up;        /* its site is */
    bool is_leaving;   /* removed, but slots are still used: goes with the last of them */
    bool is_free;      /* in the set of its profile: can take one more */
    uint8_t name_size;
    uint8_t generation; /* of its site's list, see roster_site_begin() */
    uint8_t name[NAME_BYTES_MAX];
};

struct roster_site {
    uint32_t id;
    uint8_t generation;
    bool is_up;
    struct list agents; /* last put last */
};

struct roster {
    struct roster_agent *agents;
    struct slab agent_slab;
    struct map agents_by_id;
    struct list_link *site_links; /* by agent */
    struct roster_site *sites;
    struct slab site_slab;
    struct map sites_by_id;
    struct tree_kind by_rank;
    struct tree *free_of_profile; /* by profile: agents that can take one more */
    struct heads heads;           /* by profile: rank of its first free agent */
    uint32_t *up_counts;          /* by profile: agents up, busy or not */
    uint64_t *up_profiles;        /* profiles with up_counts above 0 */
    uint32_t up_count;
    uint32_t free_count;
};

struct roster_options {
    uint32_t agents_max;
    uint32_t sites_max;
    uint32_t profiles_max;
    uint64_t seed;
};

struct roster_entry {
    uint32_t id;
    uint32_t site;
    uint32_t profile; /* profiles.h */
    uint32_t index;
    uint32_t capacity;
    uint32_t free;
    int64_t idle_ms;
    bool is_person;
    struct bytes name; /* at most NAME_BYTES_MAX */
};

void roster_init(struct roster *roster, struct arena *arena, const struct roster_options *options);

/* Adds the agent, or changes what is new about it (`used` stays; a new profile, site or capacity
 * counts at once). It is available, and up if its site is. *old_profile is the profile it had, or
 * ROSTER_NONE. Callers use matching_agent_put(), which also counts references to profiles.
 * VT_FULL: agents_max or sites_max are in. */
struct roster_put {
    uint32_t agent;
    uint32_t old_profile;
};
VT_MUST_USE vt_err roster_put(struct roster *roster,
                              const struct roster_entry *entry,
                              int64_t now_ms,
                              struct roster_put *put);

/* Takes the row away at once; `used` must be 0 (CHECK). */
void roster_remove(struct roster *roster, uint32_t agent);
void roster_leave(struct roster *roster, uint32_t agent); /* see matching_agent_remove() */

uint32_t roster_find(const struct roster *roster, uint32_t agent_id);
struct roster_agent *roster_get(const struct roster *roster, uint32_t agent);

/* One slot more (less) in use; the load changed now. */
void roster_take(struct roster *roster, uint32_t agent, int64_t now_ms);
void roster_give(struct roster *roster, uint32_t agent, int64_t now_ms);

/* AVAIL or DECLINE: what its site says. Only ever makes `idle_since_ms` later. */
struct roster_hint {
    uint32_t free;
    bool is_available;
    int64_t idle_ms; /* below 0: not told */
};
void roster_hint(struct roster *roster,
                 uint32_t agent,
                 const struct roster_hint *hint,
                 int64_t now_ms);

/* Whether the site's agents may be offered anything. Unknown sites are made (up) when there is
 * room; otherwise nothing happens (their agents are refused by roster_put() as well). */
void roster_site_up(struct roster *roster, uint32_t site);
void roster_site_down(struct roster *roster, uint32_t site);

/* A new list of the site's agents begins; roster_put() marks who is in it. */
void roster_site_begin(struct roster *roster, uint32_t site);

/* An agent of the site that was not put since roster_site_begin(), or ROSTER_NONE: call it and
 * matching_agent_remove() until there is none. */
uint32_t roster_site_stale(const struct roster *roster, uint32_t site);

/* The site's agents, last put last; ROSTER_NONE: none, or no such site. */
uint32_t roster_site_first(const struct roster *roster, uint32_t site);
uint32_t roster_site_next(const struct roster *roster, uint32_t agent);

/* The first agent at or after row `from` (that can take one more): walks in row order. */
uint32_t roster_next(const struct roster *roster, uint32_t from);
uint32_t roster_next_free(const struct roster *roster, uint32_t from);

uint32_t roster_count(const struct roster *roster);

/* The profile's best free agent, and the next one; ROSTER_NONE at the end. */
uint32_t roster_first_free(const struct roster *roster, uint32_t profile);
uint32_t roster_after_free(const struct roster *roster, uint32_t agent);

#endif
