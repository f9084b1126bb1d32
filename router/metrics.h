#ifndef ROUTER_METRICS_H
#define ROUTER_METRICS_H

/* The router's metrics by their names in Prometheus. */

#include "lib/core.h"

struct router;

/* One METRIC row each. */
void metrics_answer(struct router *router, struct address to, uint64_t ref);

#endif
