#ifndef BROKER_CLIENTS_H
#define BROKER_CLIENTS_H

/* How many entries of each client connection wait for their answer, so that none takes it all. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"

struct clients;

struct clients_options {
    uint32_t clients_max; /* connections with something unanswered at the same time */
    uint32_t window_max;  /* unanswered entries of one connection */
    uint64_t seed;
};

/* NULL only when measuring. */
struct clients *clients_open(struct arena *arena, const struct clients_options *options);

/* One more unanswered entry of connection `peer`. VT_FULL: its window, or the table, is full. */
VT_MUST_USE vt_err clients_charge(struct clients *clients, uint64_t peer);

/* One less. False: the connection is gone, nobody waits for the answer. */
bool clients_discharge(struct clients *clients, uint64_t peer);

/* The connection is gone, with all that it waited for. */
void clients_drop(struct clients *clients, uint64_t peer);

uint64_t clients_unanswered(const struct clients *clients);

#endif
