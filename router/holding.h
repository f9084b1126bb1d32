#ifndef ROUTER_HOLDING_H
#define ROUTER_HOLDING_H

/* What sites say about themselves: who their agents are, what they hold, that they live. Compares
 * what a site holds with what its tickets' rows say and puts differences right.
 */

#include <stdbool.h>
#include <stdint.h>

struct message;
struct router;

/* Any message of a site by kind: SITE_UP, SITE_DOWN, AGENT, HELD, AVAIL, ACCEPT, DECLINE, OUTCOME,
 * BEAT, carried by a broker (node number). */
void holding_received(struct router *router, uint64_t broker, const struct message *message);

/* Sites that were silent for too long are down. */
void holding_expire(struct router *router);

/* The partition's rows are read: sites that are up are asked what they hold of it. */
void holding_ask_all(struct router *router, uint32_t part);

#endif
