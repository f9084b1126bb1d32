#ifndef IO_STORE_MEMORY_H
#define IO_STORE_MEMORY_H

/* What results and pages point at: a bump allocator that grows by chunks and is emptied at once.
 * Zeroed is empty. Memory that runs out ends the process, as it does everywhere on Linux.
 */

#include <stdint.h>

#include "lib/bytes.h"

struct store_chunk;

struct store_memory {
    struct store_chunk *chunks; /* newest first */
};

/* Aligned to 16 bytes, any content. */
void *store_memory_take(struct store_memory *memory, uint64_t size_bytes);

/* A copy; the empty view for nothing. */
struct bytes store_memory_copy(struct store_memory *memory, const void *data, uint32_t size);

/* Gives everything back but keeps one chunk of ordinary size for the next use. */
void store_memory_reset(struct store_memory *memory);

/* Gives everything back. */
void store_memory_close(struct store_memory *memory);

#endif
