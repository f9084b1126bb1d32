#include "lib/timers.h"

#include "lib/arena.h"

void timers_init(struct timers *timers, struct arena *arena, uint32_t capacity)
{
    heap_init(&timers->heap, arena, capacity);
}

void timers_set(struct timers *timers, uint32_t row, int64_t deadline_ms)
{
    if (deadline_ms == NO_DEADLINE) {
        heap_remove(&timers->heap, row);
    } else {
        heap_set(&timers->heap, row, deadline_ms);
    }
}

void timers_clear(struct timers *timers, uint32_t row)
{
    heap_remove(&timers->heap, row);
}

int64_t timers_deadline_ms(const struct timers *timers, uint32_t row)
{
    return heap_has(&timers->heap, row) ? heap_key(&timers->heap, row) : NO_DEADLINE;
}

int64_t timers_next_ms(const struct timers *timers)
{
    uint32_t first = heap_first(&timers->heap);
    return first == HEAP_NONE ? NO_DEADLINE : heap_key(&timers->heap, first);
}

bool timers_pop_due(struct timers *timers, int64_t now_ms, uint32_t *row)
{
    uint32_t first = heap_first(&timers->heap);
    if (first == HEAP_NONE || heap_key(&timers->heap, first) > now_ms) {
        return false;
    }
    heap_remove(&timers->heap, first);
    *row = first;
    return true;
}

uint32_t timers_count(const struct timers *timers)
{
    return heap_count(&timers->heap);
}
