#ifndef BROKER_CANCELS_H
#define BROKER_CANCELS_H

/* CANCEL: a wish that only the owner can fulfil. It is repeated to the owner until the ticket's row
 * is seen closed, by the owner's UPDATE or by reading; then, or when it takes too long, the client
 * is answered. Asking twice is harmless. */

#include <stdbool.h>
#include <stdint.h>

#include "broker/outbox.h"
#include "broker/turn.h"
#include "lib/arena.h"
#include "lib/core.h"

struct cancels;

struct cancels_options {
    uint32_t cancels_max;
    uint64_t seed;
    struct outbox *outbox;
};

struct cancels *cancels_open(struct arena *arena, const struct cancels_options *options);

/* A CANCEL of client connection `peer`. */
void cancels_ask(struct cancels *cancels,
                 const struct turn *turn,
                 uint64_t peer,
                 const struct message *message);

/* An owner says that a ticket changed. */
void cancels_update(struct cancels *cancels, const struct turn *turn, const struct update *update);

/* EVENT_LOADED of a load of ours. */
void cancels_loaded(struct cancels *cancels,
                    const struct turn *turn,
                    uint64_t token,
                    const struct event *event);

void cancels_drop_client(struct cancels *cancels, uint64_t peer);

void cancels_run(struct cancels *cancels, const struct turn *turn);
int64_t cancels_deadline_ms(const struct cancels *cancels);

#endif
