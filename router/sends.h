#ifndef ROUTER_SENDS_H
#define ROUTER_SENDS_H

/* What the router says. Every send may be lost and all retries are in the protocol, so when a step
 * has no room left for another effect the message is dropped and counted.
 */

#include "proto/message.h"

struct router;

/* Room that sends leave for stores, loads, claims and releases. */
#define SENDS_ROOM_KEPT 160u

bool sends_has_room(const struct router *router);

/* One zeroed entry to the live session of the site (row in sites) about a partition of ours; NULL:
 * no room, or the site has no session. */
void *sends_to_site(struct router *router, uint32_t site, uint32_t part, enum message_kind kind);

/* The number of the last message that went to the site about the partition. */
uint64_t sends_last_seq(struct router *router, uint32_t site, uint32_t part);

/* One zeroed entry to a broker (node number); NULL: no room. */
void *
sends_to_broker(struct router *router, uint64_t broker, uint32_t part, enum message_kind kind);

void sends_release(struct router *router,
                   uint32_t site,
                   uint32_t part,
                   const struct release *release);

/* To every broker: a hint that the ticket changed. */
void sends_update(struct router *router, uint32_t part, const struct update *update);

/* SITE_ASK or SITE_STALE about the session of a header. */
void sends_about_session(struct router *router,
                         uint64_t broker,
                         const struct header *header,
                         enum message_kind kind);

/* HELD_ASK, at most every five seconds for a site and partition. */
void sends_held_ask(struct router *router, uint32_t site, uint32_t part);

/* OWNS to one broker. */
void sends_owns(struct router *router, uint64_t broker);

/* A text that only lives for the event, for a message of this step; false: no memory for it. */
bool sends_copy(struct router *router, struct bytes text, struct bytes *copy);

#endif
