#include "lib/backoff.h"

#include "lib/check.h"
#include "lib/random.h"

void backoff_init(struct backoff *backoff, int64_t min_ms, int64_t max_ms)
{
    CHECK(min_ms >= 1);
    CHECK(min_ms <= max_ms);
    *backoff = (struct backoff){.min_ms = min_ms, .max_ms = max_ms, .step_ms = min_ms};
}

int64_t backoff_next_ms(struct backoff *backoff, struct random *random)
{
    int64_t step_ms = backoff->step_ms;
    backoff->step_ms = step_ms > backoff->max_ms / 2 ? backoff->max_ms : step_ms * 2;
    return random_range(random, step_ms - step_ms / 2, step_ms);
}

void backoff_reset(struct backoff *backoff)
{
    backoff->step_ms = backoff->min_ms;
}
