#ifndef BROKER_BATCHES_H
#define BROKER_BATCHES_H

/* What goes to the store: one batch is in the store's thread, one is being filled. There is no
 * timer: the filling one leaves as soon as the other has come back and is answered. */

#include <stdbool.h>
#include <stdint.h>

#include "broker/clients.h"
#include "broker/turn.h"
#include "lib/arena.h"
#include "lib/store_request.h"

enum batch_use {
    BATCH_SUBMIT,
    BATCH_NOTE,
    BATCH_SITE
};

/* Who asked, and once the store has answered, what to tell. */
struct batch_entry {
    enum batch_use use;
    uint64_t client; /* connection; SUBMIT, NOTE */
    uint64_t ref;
    enum channel channel; /* SUBMIT */
    uint32_t session;     /* SITE: row and serial of sessions.c */
    uint32_t serial;
    bool is_silent; /* no answer: the outcome is not known */
    enum answer answer;
    enum reason_code reason;
    uint32_t retry_ms;
    struct ticket_id ticket;
};

struct batch {
    struct store_request *requests;
    struct batch_entry *entries; /* as many as requests */
    uint32_t count;
    uint32_t answered_count;
    int64_t sent_wall_us;
    struct arena bytes; /* backs what the requests point at */
};

struct batches;

struct batches_options {
    uint32_t requests_max; /* SUBMITs; a few other requests fit behind them */
    uint64_t bytes_max;
};

struct batches *batches_open(struct arena *arena, const struct batches_options *options);

/* Whether a request with `bytes` of texts and blobs fits into the filling batch. */
bool batches_has_room(const struct batches *batches, enum batch_use use, uint64_t bytes);

/* Share of the filling batch's places in use, 0..100. */
uint32_t batches_fill_percent(const struct batches *batches);

/* Adds a zeroed request; the caller asked batches_has_room(). *entry gets who asked. */
struct store_request *batches_add(struct batches *batches, const struct batch_entry *entry);

/* A copy that lives as long as the request that was added last. */
struct bytes batches_copy(struct batches *batches, struct bytes source);
struct arena *batches_bytes(struct batches *batches);

/* EVENT_STORED: the batch it completes; its entries are to be given their answers now.
 * NULL: the token is not ours. */
struct batch *batches_stored(struct batches *batches, uint64_t token);

/* Answers clients of the batch that came back, as far as the step has room. */
void batches_answer(struct batches *batches, struct clients *clients, const struct turn *turn);

/* Sends the filling batch if the store is free. Called when the host has handed in all that waited,
 * so that what arrives together is committed together. */
void batches_send(struct batches *batches, const struct turn *turn);

/* From now on nothing more is sent to the store. */
void batches_stop(struct batches *batches);

/* Nothing filled (or it never will be sent), nothing in the store, nothing to answer. */
bool batches_is_idle(const struct batches *batches);

/* True: one of the two above has something to do at once. */
bool batches_is_due(const struct batches *batches);

uint64_t batches_sent_total(const struct batches *batches);
uint64_t batches_requests_total(const struct batches *batches);

#endif
