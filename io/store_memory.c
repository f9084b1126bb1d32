#include "io/store_memory.h"

#include <stdlib.h>
#include <string.h>

#include "lib/check.h"

#define CHUNK_BYTES (UINT64_C(256) * 1024U)
#define ALIGNMENT 16U

struct store_chunk {
    struct store_chunk *next;
    uint64_t capacity;
    uint64_t used;
    uint64_t padding; /* the bytes behind the header start aligned */
};

_Static_assert(sizeof(struct store_chunk) % ALIGNMENT == 0, "chunks start aligned");

static struct store_chunk *chunk_new(uint64_t size_bytes)
{
    uint64_t capacity = size_bytes > CHUNK_BYTES ? size_bytes : CHUNK_BYTES;
    struct store_chunk *chunk = malloc(sizeof *chunk + (size_t) capacity);
    CHECK(chunk != NULL);
    *chunk = (struct store_chunk){.capacity = capacity};
    return chunk;
}

void *store_memory_take(struct store_memory *memory, uint64_t size_bytes)
{
    CHECK(size_bytes < (UINT64_C(1) << 40));
    uint64_t size = (size_bytes + ALIGNMENT - 1U) & ~(uint64_t) (ALIGNMENT - 1U);
    struct store_chunk *chunk = memory->chunks;
    if (chunk == NULL || chunk->capacity - chunk->used < size) {
        chunk = chunk_new(size);
        chunk->next = memory->chunks;
        memory->chunks = chunk;
    }
    uint8_t *taken = (uint8_t *) (chunk + 1) + chunk->used;
    chunk->used += size;
    return taken;
}

struct bytes store_memory_copy(struct store_memory *memory, const void *data, uint32_t size)
{
    if (size == 0) {
        return (struct bytes){0};
    }
    void *copy = store_memory_take(memory, size);
    memcpy(copy, data, size);
    return bytes_of(copy, size);
}

void store_memory_reset(struct store_memory *memory)
{
    struct store_chunk *kept = NULL;
    struct store_chunk *next = NULL;
    for (struct store_chunk *chunk = memory->chunks; chunk != NULL; chunk = next) {
        next = chunk->next;
        if (kept == NULL && chunk->capacity == CHUNK_BYTES) {
            kept = chunk;
        } else {
            free(chunk);
        }
    }
    if (kept != NULL) {
        kept->next = NULL;
        kept->used = 0;
    }
    memory->chunks = kept;
}

void store_memory_close(struct store_memory *memory)
{
    store_memory_reset(memory);
    free(memory->chunks);
    memory->chunks = NULL;
}
