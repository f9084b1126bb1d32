#ifndef BROKER_ROLLS_H
#define BROKER_ROLLS_H

/* What each site said in its HELLO: its agents, and what they hold. Kept to be told to routers. */

#include <stdint.h>

#include "broker/shared.h"
#include "broker/turn.h"
#include "lib/arena.h"
#include "lib/list.h"
#include "lib/slab.h"
#include "proto/message.h"

struct rolls_agent {
    uint32_t id; /* given by the store */
    uint32_t name;
    uint32_t profile; /* both in `strings` */
    uint32_t capacity;
    uint32_t free;
    bool is_person;
    int64_t idle_ms;
};

struct rolls {
    struct rolls_agent *agents;
    struct list_link *agent_links;
    struct slab agent_slab;
    struct held *held;
    struct list_link *held_links;
    struct slab held_slab;
    struct shared strings; /* names of sites, contractors and agents; profiles */
};

struct rolls_options {
    uint32_t agents_max;
    uint32_t held_max;
    uint32_t names_max; /* of sites and contractors */
    uint64_t seed;
};

/* One site's. */
struct roll {
    struct list agents;
    struct list held;
};

void rolls_init(struct rolls *rolls, struct arena *arena, const struct rolls_options *options);

/* VT_FULL: agents of all sites together fill the table. */
VT_MUST_USE vt_err rolls_add_agent(struct rolls *rolls,
                                   struct roll *roll,
                                   const struct agent *agent);
VT_MUST_USE vt_err rolls_add_held(struct rolls *rolls, struct roll *roll, const struct held *held);

/* Empties one list. */
void rolls_clear_agents(struct rolls *rolls, struct roll *roll);
void rolls_clear_held(struct rolls *rolls, struct roll *roll);

/* The ids that the store gave, in the order of the agents; `count` is theirs. */
void rolls_set_ids(struct rolls *rolls, const struct roll *roll, const uint32_t *ids);

/* Adds AGENT and HELD with the whole lists to what is sent: one effect each, if not empty. */
void rolls_send(const struct rolls *rolls,
                const struct roll *roll,
                const struct turn *turn,
                struct address to,
                const struct header *like);

/* Adds WELCOME, one entry per agent. */
void rolls_welcome(const struct rolls *rolls,
                   const struct roll *roll,
                   const struct turn *turn,
                   struct address to,
                   const struct header *like);

/* The agents' names, for the store's request: in `arena`, which has room for them. */
struct store_agent_name *
rolls_names(const struct rolls *rolls, const struct roll *roll, struct arena *arena);

#endif
