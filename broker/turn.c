#include "broker/turn.h"

#include "lib/arena.h"

struct bytes turn_copy(const struct turn *turn, struct bytes source)
{
    struct bytes copy = {0};
    if (source.size == 0 || !bytes_try_copy(&turn->out->scratch, source, &copy)) {
        return (struct bytes){0};
    }
    return copy;
}

uint32_t turn_retry_ms(const struct turn *turn, uint32_t ms)
{
    return ms / 2U + (uint32_t) random_below(turn->random, ms / 2U + 1U);
}
