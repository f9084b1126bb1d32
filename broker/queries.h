#ifndef BROKER_QUERIES_H
#define BROKER_QUERIES_H

/* QUERY: reads a ticket from the store, or asks the routers and passes on what they answer. Nothing
 * here changes anything. What the broker knows of itself is in metrics.h. */

#include <stdint.h>

#include "broker/owners.h"
#include "broker/turn.h"
#include "lib/arena.h"
#include "lib/core.h"

struct queries;

struct queries_options {
    uint32_t queries_max;
    const struct owners *owners;
};

struct queries *queries_open(struct arena *arena, const struct queries_options *options);

/* One QUERY for a ticket, queues or agents, of a client or of the process around. */
void queries_ask(struct queries *queries,
                 const struct turn *turn,
                 struct address from,
                 const struct query *query);

/* A REPLY of a router. */
void queries_reply(struct queries *queries,
                   const struct turn *turn,
                   uint32_t router,
                   const struct message *message);

/* EVENT_LOADED of a load of ours. */
void queries_loaded(struct queries *queries,
                    const struct turn *turn,
                    uint64_t token,
                    const struct event *event);

void queries_drop_client(struct queries *queries, uint64_t peer);
void queries_router_down(struct queries *queries, uint32_t router);

void queries_run(struct queries *queries, const struct turn *turn);
int64_t queries_deadline_ms(const struct queries *queries);

/* The last row of an answer. */
void queries_end(const struct turn *turn, struct address to, uint64_t ref, vt_err error);

#endif
