#ifndef ROUTER_FIGURES_H
#define ROUTER_FIGURES_H

/* What is counted per queue: how many tickets are at each stage, and what happened to them since
 * this router started. Rates and ratios are made from these by whoever shows them.
 */

#include "lib/map.h"
#include "lib/slab.h"
#include "router/offers.h"
#include "router/tickets.h"

struct figures_queue {
    uint32_t queue; /* id */
    uint64_t entered_total;
    uint64_t answered_total; /* assigned */
    uint64_t completed_total;
    uint64_t cancelled_total;
    uint64_t requeued_total;
    uint64_t dead_total;
    int64_t wait_sum_ms; /* of answered_total */
    uint64_t offers_total[OFFER_END_COUNT];
    uint32_t stages[STAGE_COUNT]; /* tickets in memory */
};

struct figures {
    struct figures_queue *queues; /* row 0: queues that found no row */
    struct slab slab;
    struct map by_id;
};

/* `queues_max` queues and the one for all others. */
void figures_init(struct figures *figures, struct arena *arena, uint32_t queues_max, uint64_t seed);

/* The queue's row, made if needed; 0 when the table is full. Rows are never taken away. */
uint32_t figures_put(struct figures *figures, uint32_t queue);
struct figures_queue *figures_get(const struct figures *figures, uint32_t row);

/* Rows at or above this do not exist. */
uint32_t figures_count(const struct figures *figures);

/* QUEUED in the store: waiting, held back, offered or being assigned. */
uint64_t figures_waiting(const struct figures_queue *queue);
uint64_t figures_offered(const struct figures_queue *queue);
uint64_t figures_assigned(const struct figures_queue *queue);

#endif
