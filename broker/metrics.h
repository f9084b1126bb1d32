#ifndef BROKER_METRICS_H
#define BROKER_METRICS_H

/* What the broker knows of itself, for the process around it: figures for /metrics, and whether it
 * is ready, for /readyz. */

#include "broker/batches.h"
#include "broker/clients.h"
#include "broker/followers.h"
#include "broker/intake.h"
#include "broker/outbox.h"
#include "broker/owners.h"
#include "broker/sessions.h"
#include "broker/turn.h"

struct metrics_sources {
    const struct intake *intake;
    const struct batches *batches;
    const struct clients *clients;
    const struct outbox *outbox;
    const struct owners *owners;
    const struct sessions *sessions;
    const struct followers *followers;
};

/* All METRIC rows and the END of QUERY_METRICS. */
void metrics_reply(const struct metrics_sources *sources,
                   const struct turn *turn,
                   struct address to,
                   uint64_t ref);

/* All CHECK rows and the END of QUERY_CHECKS. */
void metrics_check(const struct metrics_sources *sources,
                   const struct turn *turn,
                   struct address to,
                   uint64_t ref);

#endif
