#ifndef LIB_ARENA_H
#define LIB_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A bump allocator over the caller's memory. A core is cut from one arena while it opens.
 *
 * Memory given to arena_init() must read as zero, as fresh mmap and calloc memory does. The arena
 * knows what it has handed out before (rewind, reset), so that "zeroed" only writes what may be
 * dirty: a table of a million rows costs no page until it is used.
 *
 * An arena on NULL memory measures: it hands out NULL and counts. An opener serves both with one
 * path by working on a scratch object that is thrown away:
 *
 *     struct router scratch = {0};
 *     struct router *router = ARENA_NEW(arena, struct router);
 *     if (router == NULL) {
 *         router = &scratch;
 *     }
 *     router->rows = ARENA_ARRAY(arena, struct row, options->row_count);
 *     slab_init(&router->slab, arena, options->row_count);
 *     if (arena_is_measuring(arena)) {
 *         return NULL;
 *     }
 *     ... loops that write into rows ...
 *     return router;
 *
 * Every *_init() of lib/ that takes an arena can be called on a measuring one.
 */

/* The memory's own alignment, and the greatest alignment that can be asked for. */
#define ARENA_ALIGN_MAX 16U

struct arena {
    uint8_t *memory;
    uint64_t used;
    uint64_t capacity;
    uint64_t dirty; /* bytes below this may be non-zero although they are free */
};

/* `memory`: aligned to ARENA_ALIGN_MAX, all zero, or NULL to measure. Outlives the arena. */
void arena_init(struct arena *arena, void *memory, uint64_t capacity_bytes);

/* The same for memory with any content, for example a buffer on the stack or one used before. */
void arena_init_used(struct arena *arena, void *memory, uint64_t capacity_bytes);

/* Only for measuring; `arena->used` is the answer. */
void arena_init_measuring(struct arena *arena);

static inline bool arena_is_measuring(const struct arena *arena)
{
    return arena->memory == NULL;
}

/* `size_bytes` bytes of any content. Exhaustion is a bug (CHECK): what is taken this way was
 * measured before. NULL only while measuring. `align` is a power of two up to ARENA_ALIGN_MAX.
 */
void *arena_take(struct arena *arena, uint64_t size_bytes, uint32_t align);

/* The same, all zero; touches only pages that were handed out before. */
void *arena_take_zeroed(struct arena *arena, uint64_t size_bytes, uint32_t align);

/* As arena_take(), but NULL when there is no room; for scratch arenas of bounded batches. */
void *arena_try_take(struct arena *arena, uint64_t size_bytes, uint32_t align);

/* Room left, before alignment. 0 while measuring. */
uint64_t arena_free_bytes(const struct arena *arena);

/* Everything taken after the mark is given back by rewinding to it. */
uint64_t arena_mark(const struct arena *arena);
void arena_rewind(struct arena *arena, uint64_t mark);
void arena_reset(struct arena *arena);

/* The product of two sizes; CHECKs that it does not overflow. */
uint64_t arena_array_bytes(uint64_t count, uint64_t item_bytes);

/* Zeroed objects. NULL while measuring. */
#define ARENA_NEW(arena, type) ((type *) arena_take_zeroed((arena), sizeof(type), _Alignof(type)))
#define ARENA_ARRAY(arena, type, count) \
    ((type *) arena_take_zeroed((arena), arena_array_bytes((count), sizeof(type)), _Alignof(type)))

#endif
