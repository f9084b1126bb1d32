#ifndef IO_STORE_BACKEND_H
#define IO_STORE_BACKEND_H

/* What store.c (ports, queue, thread) asks of a database. All of it is called by one thread at a
 * time: the opener's before store_start(), the store's own afterwards.
 */

#include <stdbool.h>
#include <stdint.h>

#include "io/store.h"
#include "io/store_memory.h"
#include "lib/store_request.h"

/* Requests of one transaction; a group of more gains nothing and costs latency. */
#define STORE_ITEMS_MAX 2000u

struct store_item {
    const struct store_request *request;
    struct store_result *result; /* zeroed */
    struct store_memory *memory; /* for what the result points at */
};

struct store_outcome {
    bool wrote;
    bool has_failed; /* as a whole */
    uint64_t tickets;
    uint64_t keys;
    uint64_t file_bytes;
    uint64_t syncs; /* since opening */
};

enum store_names {
    STORE_NAMES_POOLS,
    STORE_NAMES_QUEUES
};

struct store_backend {
    void *self;
    /* One transaction; sets every status. A STORE_CLAIM comes alone. */
    void (*write)(void *self,
                  const struct store_item *items,
                  uint32_t count,
                  struct store_outcome *outcome);
    vt_err (*load)(void *self,
                   const struct load_request *request,
                   struct load_page *page,
                   struct store_memory *memory);
    vt_err (*intern)(void *self, enum store_names kind, struct store_name *names, uint32_t count);
    void (*close)(void *self);
    uint64_t generation;
    uint64_t epoch_max;
    struct store_outcome first; /* figures as found at opening */
};

/* Takes the backend, also on error, and starts the thread. VT_UNAVAILABLE: no thread, no memory. */
VT_MUST_USE vt_err store_start(const struct store_backend *backend,
                               uint32_t ports_max,
                               struct store **out);

#endif
