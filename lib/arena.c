#include "lib/arena.h"

#include <string.h>

#include "lib/check.h"

void arena_init(struct arena *arena, void *memory, uint64_t capacity_bytes)
{
    CHECK((uintptr_t) memory % ARENA_ALIGN_MAX == 0);
    CHECK(capacity_bytes < (UINT64_C(1) << 62));
    *arena = (struct arena){.memory = memory, .capacity = capacity_bytes};
}

void arena_init_used(struct arena *arena, void *memory, uint64_t capacity_bytes)
{
    arena_init(arena, memory, capacity_bytes);
    arena->dirty = capacity_bytes;
}

void arena_init_measuring(struct arena *arena)
{
    arena_init(arena, NULL, 0);
}

static uint64_t aligned(uint64_t offset, uint32_t align)
{
    CHECK(align != 0);
    CHECK((align & (align - 1U)) == 0);
    CHECK(align <= ARENA_ALIGN_MAX);
    return (offset + align - 1U) & ~(uint64_t) (align - 1U);
}

void *arena_try_take(struct arena *arena, uint64_t size_bytes, uint32_t align)
{
    uint64_t start = aligned(arena->used, align);
    CHECK(size_bytes < (UINT64_C(1) << 62));
    if (arena_is_measuring(arena)) {
        CHECK(start + size_bytes < (UINT64_C(1) << 62));
        arena->used = start + size_bytes;
        return NULL;
    }
    if (start > arena->capacity || size_bytes > arena->capacity - start) {
        return NULL;
    }
    arena->used = start + size_bytes;
    return arena->memory + start;
}

void *arena_take(struct arena *arena, uint64_t size_bytes, uint32_t align)
{
    void *taken = arena_try_take(arena, size_bytes, align);
    CHECK(taken != NULL || arena_is_measuring(arena));
    return taken;
}

void *arena_take_zeroed(struct arena *arena, uint64_t size_bytes, uint32_t align)
{
    uint8_t *taken = arena_take(arena, size_bytes, align);
    if (taken == NULL) {
        return NULL;
    }

    uint64_t start = arena->used - size_bytes;
    if (start < arena->dirty) {
        uint64_t dirty_end = arena->used < arena->dirty ? arena->used : arena->dirty;
        memset(taken, 0, (size_t) (dirty_end - start));
    }
    return taken;
}

uint64_t arena_free_bytes(const struct arena *arena)
{
    return arena_is_measuring(arena) ? 0 : arena->capacity - arena->used;
}

uint64_t arena_mark(const struct arena *arena)
{
    return arena->used;
}

void arena_rewind(struct arena *arena, uint64_t mark)
{
    CHECK(mark <= arena->used);
    if (arena->used > arena->dirty) {
        arena->dirty = arena->used;
    }
    arena->used = mark;
}

void arena_reset(struct arena *arena)
{
    arena_rewind(arena, 0);
}

uint64_t arena_array_bytes(uint64_t count, uint64_t item_bytes)
{
    CHECK(item_bytes != 0);
    CHECK(count <= (UINT64_C(1) << 61) / item_bytes);
    return count * item_bytes;
}
