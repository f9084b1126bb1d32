#ifndef IO_REGISTRY_H
#define IO_REGISTRY_H

/* Who is there and who should own which partition. One implementation for now: in-process
 * (registry_local.c), for a broker, a router and their agents in one process.
 */

#include <stdint.h>

#include "lib/core.h"
#include "lib/err.h"

struct registry;

/* What a host gives to hear from the registry: EVENT_MEMBERS, EVENT_LEASE, EVENT_CLAIMED. Called
 * from registry_turn() only. */
struct registry_listener {
    void (*event)(void *context, struct event *event);
    void *context;
};

/* `epoch_floor`: the highest epoch any partition of the store has ever had; claims get larger ones.
 */
VT_MUST_USE vt_err registry_open_local(uint64_t epoch_floor, struct registry **registry);
void registry_close(struct registry *registry);

/* Puts a node on the list. `name` is copied. Its number is chosen here. VT_FULL: 64 are there. */
VT_MUST_USE vt_err registry_add_node(struct registry *registry,
                                     struct node *node,
                                     const struct registry_listener *listener);

/* Answered by EVENT_CLAIMED to the listener of `node`. */
void registry_claim(struct registry *registry, uint32_t node, uint32_t part);
void registry_release(struct registry *registry, uint32_t node, uint32_t part, uint64_t epoch);

/* Tells listeners what they have not heard yet. Returns when it wants to be called again (ms). */
int64_t registry_turn(struct registry *registry, int64_t now_ms);

#endif
