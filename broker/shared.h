#ifndef BROKER_SHARED_H
#define BROKER_SHARED_H

/* Byte strings that many rows point at (requirements, profiles, names): each is kept once and goes
 * with its last user. */

#include <stdint.h>

#include "lib/arena.h"
#include "lib/bytes.h"
#include "lib/intern.h"

struct shared {
    struct intern strings;
    uint32_t *users; /* by number */
};

void shared_init(struct shared *shared, struct arena *arena, const struct intern_options *options);

/* One more user of the string. VT_FULL, VT_TOO_LARGE: see intern_put(). */
VT_MUST_USE vt_err shared_take(struct shared *shared, struct bytes string, uint32_t *number);

/* One user less. */
void shared_give(struct shared *shared, uint32_t number);

/* Valid as long as it has a user. */
struct bytes shared_get(const struct shared *shared, uint32_t number);

#endif
