#ifndef ROUTER_WALKS_H
#define ROUTER_WALKS_H

/* Over all tickets in memory, for the few moments when a partition comes or goes. */

#include <stdbool.h>
#include <stdint.h>

struct router;

/* Every ticket of the partition leaves memory, its offers without a word. */
void walks_drop_part(struct router *router, uint32_t part);

/* Its queued tickets take part in matching no longer. */
void walks_pause_part(struct router *router, uint32_t part);

/* The queued tickets of partitions that are served from now on take part in matching: begun here,
 * done in slices of so many rows. Nothing is offered before the end, since the best may be last. */
void walks_serve_begin(struct router *router);
bool walks_is_serving(const struct router *router);
void walks_serve(struct router *router, uint32_t row_count);

#endif
