#include "lib/core.h"

#include <string.h>

#include "lib/check.h"

struct effect *effects_add(struct effects *effects, enum effect_kind kind)
{
    CHECK(effects->count < EFFECTS_MAX);

    struct effect *effect = &effects->list[effects->count++];
    memset(effect, 0, sizeof *effect);
    effect->kind = kind;
    return effect;
}

uint32_t effects_room(const struct effects *effects)
{
    if (effects->scratch.capacity - effects->scratch.used < EFFECTS_SCRATCH_RESERVE) {
        return 0;
    }
    return EFFECTS_MAX - effects->count;
}
