#ifndef ROUTER_QUERIES_H
#define ROUTER_QUERIES_H

/* Answers to QUERY: queues, agents, how many could serve a ticket, and (to the process around us)
 * metrics and readiness. Nothing is kept between pages: the cursor is a row number.
 */

#include "proto/message.h"

struct router;

/* One more row of an answer; NULL: no room in this step. */
struct reply *
queries_row(struct router *router, struct address to, uint64_t ref, enum reply_row row);

void queries_received(struct router *router, struct address from, const struct message *message);

#endif
