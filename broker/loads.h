#ifndef BROKER_LOADS_H
#define BROKER_LOADS_H

/* Reading one ticket's row from the store. The token names who asked: which module, which row of
 * its table, and a serial, so that the answer for a row that was given back meets nobody. */

#include <stdint.h>

#include "broker/turn.h"
#include "lib/id.h"

enum loads_use {
    LOADS_CANCELS = 1,
    LOADS_FOLLOWERS = 2,
    LOADS_QUERIES = 3
};

struct loads_name {
    enum loads_use use;
    uint32_t row;
    uint32_t serial; /* its low 24 bits count */
};

/* Adds one EFFECT_LOAD; the caller made sure of room. */
void loads_ask_ticket(const struct turn *turn, struct loads_name name, struct ticket_id ticket);

struct loads_name loads_name_of(uint64_t token);

static inline uint32_t loads_serial(uint32_t serial)
{
    return serial & 0xFFFFFFu;
}

#endif
