#ifndef LIB_BACKOFF_H
#define LIB_BACKOFF_H

#include <stdint.h>

struct random;

/* Waits between attempts: they double from `min_ms` to `max_ms`, and each is drawn between the half
 * and the whole of its step, so that many waiters spread out.
 */
struct backoff {
    int64_t min_ms;
    int64_t max_ms;
    int64_t step_ms; /* the next wait's upper end */
};

/* 1 <= min_ms <= max_ms. */
void backoff_init(struct backoff *backoff, int64_t min_ms, int64_t max_ms);

/* How long to wait before the next attempt, in [min_ms / 2, max_ms] and at least 1. */
int64_t backoff_next_ms(struct backoff *backoff, struct random *random);

/* After a success. */
void backoff_reset(struct backoff *backoff);

#endif
