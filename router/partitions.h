#ifndef ROUTER_PARTITIONS_H
#define ROUTER_PARTITIONS_H

/* Does what ownership.h decides: claims in registry and store, reading a partition in, handing it
 * over, dropping it.
 */

#include <stdbool.h>
#include <stdint.h>

struct event;
struct router;

/* Before anything else of a step: a lease that is over ends everything that it allowed. */
void partitions_run(struct router *router);

/* Whether a batch's token is that of a STORE_CLAIM, and its result. */
bool partitions_is_claim(uint64_t token);
void partitions_claimed(struct router *router, const struct event *event);

/* Partitions that leave, are to be checked or may be paged in; looks at all of them, at most when
 * one may need it and every second. */
void partitions_look(struct router *router);

#endif
