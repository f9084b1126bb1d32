#ifndef BROKER_INTAKE_H
#define BROKER_INTAKE_H

/* SUBMIT: judges each entry on its own, completes it by the plan's rules, puts it into the batch
 * for the store or pushes back. A repeated submit is recognised by the store, by (client, key). */

#include <stdbool.h>
#include <stdint.h>

#include "broker/batches.h"
#include "broker/clients.h"
#include "broker/outbox.h"
#include "broker/turn.h"
#include "lib/arena.h"
#include "lib/store_request.h"

struct intake;

struct intake_options {
    uint64_t seed; /* of ticket ids: no two brokers may share it */
    uint32_t parts_max;
    uint32_t queues_max; /* queues with a counter of their own */
    struct batches *batches;
    struct clients *clients;
    struct outbox *outbox;
};

/* How entries ended. */
enum intake_end {
    INTAKE_OK,
    INTAKE_DUPLICATE,
    INTAKE_REJECTED,
    INTAKE_BUSY,
    INTAKE_UNKNOWN, /* the store does not know whether it committed */
    INTAKE_END_COUNT
};

struct intake *intake_open(struct arena *arena, const struct intake_options *options);

/* A SUBMIT of client connection `peer`. */
void intake_submit(struct intake *intake,
                   const struct turn *turn,
                   uint64_t peer,
                   const struct message *message);

/* The store's answer to a request of ours; fills in what *entry will tell the client. */
void intake_stored(struct intake *intake,
                   const struct turn *turn,
                   const struct store_request *request,
                   const struct store_result *result,
                   struct batch_entry *entry);

/* From now on every SUBMIT is BUSY{DRAINING}. */
void intake_drain(struct intake *intake);

uint64_t intake_total(const struct intake *intake, enum intake_end end);

/* Tickets created in this queue through this channel since the start. */
uint64_t intake_created_total(const struct intake *intake, uint32_t queue, enum channel channel);

/* Whether the last batch that came back was written. */
bool intake_store_is_well(const struct intake *intake);

#endif
