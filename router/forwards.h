#ifndef ROUTER_FORWARDS_H
#define ROUTER_FORWARDS_H

/* What brokers tell the owner: stored tickets, messages, cancellations, each stream numbered per
 * (broker incarnation, partition, epoch) without gaps. TAKEN says up to where all of it is in our
 * tables, or read. When numbers may have been lost for good, recent rows are read instead.
 */

#include "proto/message.h"

struct arena;
struct router;

struct forwards_broker {
    uint32_t node;
    uint64_t incarnation;
};

struct forwards_stream {
    uint64_t incarnation;
    uint64_t epoch;
    uint64_t received;     /* all of 1..received came */
    uint64_t resync;       /* first number whose reading is not done; 0: none */
    uint32_t resync_round; /* of loads_recent() that ends the waiting */
};

struct forwards {
    struct forwards_broker *brokers; /* of the registry's view, in its order */
    struct forwards_stream *streams; /* [broker row][part] */
    uint32_t broker_count;
    uint32_t brokers_max;
    int64_t owns_ms; /* next OWNS to everybody */
};

void forwards_init(struct router *router, struct arena *arena);

/* Who is there; a broker that went or started anew leaves rows that only the store knows. */
void forwards_members(struct router *router, const struct membership *membership);

void forwards_received(struct router *router, uint64_t broker, const struct message *message);

/* NOT_OWNER, for any message about a partition that is not ours. */
void forwards_not_owner(struct router *router, uint64_t broker, uint32_t part);

/* A reading of recent rows of the partition is done. */
void forwards_read(struct router *router, uint32_t part);

/* OWNS to every broker: at once if something changed, and every second. */
void forwards_owns(struct router *router);
void forwards_owns_changed(struct router *router);

#endif
