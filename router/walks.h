#ifndef ROUTER_WALKS_H
#define ROUTER_WALKS_H

/* Over all tickets in memory, for the few moments when a partition comes or goes. */

#include <stdint.h>

struct router;

/* Every ticket of the partition leaves memory, its offers without a word. */
void walks_drop_part(struct router *router, uint32_t part);

/* Its queued tickets take part in matching from now on (or no longer). */
void walks_serve_part(struct router *router, uint32_t part);
void walks_pause_part(struct router *router, uint32_t part);

#endif
