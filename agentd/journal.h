#ifndef AGENTD_JOURNAL_H
#define AGENTD_JOURNAL_H

/* What this site must not forget: the form of the journal's values, and the writes that wait.
 *
 * Writes are done strictly in their order: one batch is in the store, what comes meanwhile waits.
 * When a write of a batch fails, it and all behind it are written again, after a pause; writes are
 * idempotent, so the journal always ends up as if each had been done once, in order.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/backoff.h"
#include "lib/bytes.h"
#include "lib/core.h"
#include "lib/err.h"
#include "lib/random.h"
#include "proto/message.h"

#define JOURNAL_BATCH_MAX 256u                      /* writes */
#define JOURNAL_BATCH_BYTES_MAX (UINT64_C(8) << 20) /* values; one write more may exceed it */
#define JOURNAL_SMALL_BYTES_MAX 16u                 /* any value but an OUTCOME's */
#define JOURNAL_OUTCOME_HEAD_BYTES 23u              /* an OUTCOME's value without text and note */

struct journal_working {
    uint32_t part;
    uint32_t attempt;
    uint32_t agent; /* the id that the broker gave, which outlives changes of the agents file */
};

/* Each returns the size written; the buffers have JOURNAL_SMALL_BYTES_MAX bytes. */
uint32_t journal_write_boot(uint32_t boot, uint8_t *buffer);
uint32_t journal_write_epoch(uint64_t epoch, uint8_t *buffer);
uint32_t journal_write_working(const struct journal_working *working, uint8_t *buffer);

/* `buffer` has JOURNAL_OUTCOME_HEAD_BYTES + text + note bytes; the ticket is the entry's key. */
uint32_t journal_write_outcome(const struct outcome *outcome, uint32_t part, uint8_t *buffer);

/* VT_CORRUPT: not such a value.  VT_NEWER: a later version wrote it. */
VT_MUST_USE vt_err journal_read_boot(struct bytes value, uint32_t *boot);
VT_MUST_USE vt_err journal_read_epoch(struct bytes value, uint64_t *epoch);
VT_MUST_USE vt_err journal_read_working(struct bytes value, struct journal_working *working);

/* Text and note point into `value`; the ticket is not set. */
VT_MUST_USE vt_err journal_read_outcome(struct bytes value,
                                        struct outcome *outcome,
                                        uint32_t *part);

enum journal_op {
    JOURNAL_PUT_BOOT,
    JOURNAL_PUT_EPOCH,
    JOURNAL_PUT_WORKING,
    JOURNAL_DROP_WORKING,
    JOURNAL_PUT_OUTCOME, /* and drops WORKING of the same ticket */
    JOURNAL_DROP_OUTCOME
};

struct journal_item {
    enum journal_op op;
    uint32_t subject; /* the caller's: row or part */
    struct ticket_id ticket;
    struct bytes outcome; /* PUT_OUTCOME: the value; unchanged until the write is done */
    uint8_t value[JOURNAL_SMALL_BYTES_MAX]; /* of the other PUTs */
    uint32_t value_size;
};

struct journal {
    struct journal_item *items; /* a ring */
    struct store_request *requests;
    uint32_t capacity;
    uint32_t first;
    uint32_t count;
    uint32_t sent_count;    /* items of the batch in the store; 0: none is there */
    uint32_t request_count; /* of that batch */
    uint32_t done_count;    /* items at the front that are written, for journal_pop_done() */
    uint64_t token;         /* of the batch in the store, or the last one */
    struct backoff backoff;
    int64_t retry_ms;
    bool is_failing; /* the last batch did not go through as a whole */
};

/* `capacity`: writes that may wait. The callers bound them; one more is a bug (CHECK). */
void journal_init(struct journal *journal, struct arena *arena, uint32_t capacity);

/* Copies the item. */
void journal_add(struct journal *journal, const struct journal_item *item);

/* Gives the store what waits, if it is free and no pause is on. */
void journal_send(struct journal *journal, int64_t now_ms, struct effects *out);

/* Takes the answer; afterwards journal_pop_done() tells each write that is done, in order. */
void journal_stored(struct journal *journal, const struct event *event, struct random *random);
bool journal_pop_done(struct journal *journal, struct journal_item *item);

bool journal_is_idle(const struct journal *journal);
bool journal_is_in_store(const struct journal *journal);

/* When journal_send() has something to do: now_ms of the last try, a pause's end, NO_DEADLINE. */
int64_t journal_deadline_ms(const struct journal *journal);

#endif
