#ifndef AGENTD_SLOTS_H
#define AGENTD_SLOTS_H

/* The slot authority: it alone says whether one more ticket fits an agent of this site. Routers
 * hold hints; several may offer to one agent, and the first reservation here wins.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"

enum slot_use {
    SLOT_RESERVED, /* an offer was taken, its CONFIRM has not come */
    SLOT_WORKING
};

struct slots_agent {
    uint32_t capacity;
    uint32_t reserved;
    uint32_t working;
    bool is_available;
    int64_t idle_since_ms; /* since its load last changed */
};

struct slots {
    struct slots_agent *agents;
    uint64_t *changed; /* agents whose free count or availability is to be told */
    uint32_t agent_count;
    uint32_t used;
    uint32_t used_max; /* of all agents together */
};

void slots_init(struct slots *slots, struct arena *arena, uint32_t agent_count, uint32_t used_max);

/* Once per agent, before anything else is asked of it. It begins available. */
void slots_set_agent(struct slots *slots, uint32_t agent, uint32_t capacity, int64_t now_ms);

/* VT_UNAVAILABLE: the agent takes no offers now.  VT_FULL: it has no free slot, or the site has
 * used_max slots in use.
 */
VT_MUST_USE vt_err slots_reserve(struct slots *slots, uint32_t agent, int64_t now_ms);

/* One reserved slot becomes a working one. */
void slots_start(struct slots *slots, uint32_t agent, int64_t now_ms);

/* A slot that was working before a restart, without asking whether it fits: the work is there, and
 * an agents file with less capacity only means that nothing more is taken. */
void slots_restore(struct slots *slots, uint32_t agent, int64_t now_ms);

void slots_free(struct slots *slots, uint32_t agent, enum slot_use use, int64_t now_ms);

/* Never below 0, and 0 while the agent is not available. */
uint32_t slots_free_count(const struct slots *slots, uint32_t agent);

void slots_set_available(struct slots *slots, uint32_t agent);
void slots_set_unavailable(struct slots *slots, uint32_t agent);

/* All agents are to be told. */
void slots_mark_all(struct slots *slots);
bool slots_has_changed(const struct slots *slots);

/* Takes out the lowest agent that is to be told. False: none. */
bool slots_pop_changed(struct slots *slots, uint32_t *agent);

#endif
