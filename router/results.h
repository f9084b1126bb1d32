#ifndef ROUTER_RESULTS_H
#define ROUTER_RESULTS_H

/* Agents' final messages on their way into the store, and what every result of a batch means for
 * memory and for whoever waits. The rulings are lifecycle.h's.
 */

#include "proto/message.h"

struct event;
struct router;

void results_outcome(struct router *router, uint32_t site, const struct message *message);

/* FORWARD_CANCEL. False: there is no room now; the broker sends it again. */
bool results_cancel(struct router *router, uint32_t part, const struct forward *forward);

/* EVENT_STORED of a batch. */
void results_stored(struct router *router, const struct event *event);

#endif
