#ifndef BROKER_TURN_H
#define BROKER_TURN_H

/* What every module of the broker needs while one event is worked off. */

#include <stdint.h>

#include "lib/bytes.h"
#include "lib/core.h"
#include "lib/random.h"
#include "lib/trace.h"
#include "proto/message.h"
#include "proto/plan.h"

struct turn {
    int64_t now_ms;
    int64_t wall_us;
    uint64_t incarnation;    /* this broker's */
    const struct plan *plan; /* NULL before the first EVENT_PLAN */
    struct random *random;
    struct trace *trace;
    struct effects *out;
};

/* Whether `count` more effects fit. A module that is told no leaves its work for a later step. */
static inline bool turn_has_room(const struct turn *turn, uint32_t count)
{
    return effects_room(turn->out) >= count;
}

/* A copy in the step's scratch memory, for what an event lends and an effect must carry; empty when
 * the memory is used up. */
struct bytes turn_copy(const struct turn *turn, struct bytes source);

/* A wait for clients that are told BUSY, drawn between the half and the whole of `ms`. */
uint32_t turn_retry_ms(const struct turn *turn, uint32_t ms);

static inline int64_t turn_earlier(int64_t a_ms, int64_t b_ms)
{
    return a_ms < b_ms ? a_ms : b_ms;
}

#endif
