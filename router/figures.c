#include "router/figures.h"

#include "lib/arena.h"
#include "lib/check.h"

static struct map_key key_of(const void *context, uint32_t row)
{
    const struct figures *figures = context;
    return (struct map_key){.a = figures->queues[row].queue};
}

void figures_init(struct figures *figures, struct arena *arena, uint32_t queues_max, uint64_t seed)
{
    *figures = (struct figures){0};
    figures->queues = ARENA_ARRAY(arena, struct figures_queue, queues_max + 1U);
    slab_init(&figures->slab, arena, queues_max + 1U);
    map_init(&figures->by_id,
             arena,
             &(struct map_options){
                 .capacity = queues_max + 1U, .seed = seed, .key_of = key_of, .context = figures});
    if (!arena_is_measuring(arena)) {
        uint32_t others = 0;
        vt_err error = slab_take(&figures->slab, &others);
        CHECK(error == VT_OK);
        CHECK(others == 0);
    }
}

uint32_t figures_put(struct figures *figures, uint32_t queue)
{
    uint32_t row = 0;
    struct map_key key = {.a = queue};
    if (map_find(&figures->by_id, key, &row)) {
        return row;
    }
    if (slab_take(&figures->slab, &row) != VT_OK) {
        return 0;
    }
    figures->queues[row] = (struct figures_queue){.queue = queue};
    vt_err error = map_put(&figures->by_id, key, row);
    CHECK(error == VT_OK);
    return row;
}

struct figures_queue *figures_get(const struct figures *figures, uint32_t row)
{
    CHECK(row < slab_high_water(&figures->slab));
    return &figures->queues[row];
}

uint32_t figures_count(const struct figures *figures)
{
    return slab_high_water(&figures->slab);
}

uint64_t figures_waiting(const struct figures_queue *queue)
{
    return (uint64_t) queue->stages[STAGE_WAITING] + queue->stages[STAGE_HELD_BACK] +
           figures_offered(queue);
}

uint64_t figures_offered(const struct figures_queue *queue)
{
    return (uint64_t) queue->stages[STAGE_OFFERED] + queue->stages[STAGE_ASSIGNING];
}

uint64_t figures_assigned(const struct figures_queue *queue)
{
    return (uint64_t) queue->stages[STAGE_ASSIGNED] + queue->stages[STAGE_VERIFY] +
           queue->stages[STAGE_MOVING];
}
