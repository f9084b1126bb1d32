#ifndef BROKER_STREAM_H
#define BROKER_STREAM_H

/* One partition's numbered stream inside the outbox: a ring of rows whose numbers follow from their
 * place, so that numbering anew under another epoch moves nothing.
 *
 *     head_n ....... taken | taken+1 ....... sent | sent+1 ....... last
 *     kept for a newer epoch | sent, not taken    | not sent yet, from next_row
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/backoff.h"
#include "lib/list.h"

struct stream {
    struct list rows;
    uint64_t epoch;
    uint64_t head_n; /* number of the first row; 0 before first use */
    uint64_t taken;
    uint64_t sent;
    uint64_t sent_max; /* highest ever sent under this epoch */
    uint64_t resync_n; /* number of the last RESYNC in the ring; 0: none */
    uint32_t next_row; /* first row not sent yet, or LIST_NONE */
    bool is_open;
    bool has_contact; /* an owner was heard of */
    bool has_pending_resync;
    int64_t pending_since_us;
    int64_t lost_ms;       /* when a taken row was dropped before its minute was over; 0: never */
    int64_t lost_since_us; /* since when the owner of a newer epoch would have to read */
    struct backoff retry;
};

void stream_open(struct stream *stream);

/* Number of the last row; head_n - 1 when there is none. */
uint64_t stream_last(const struct stream *stream);

void stream_push(struct stream *stream, struct list_link *links, uint32_t row);

/* Whether the first row is taken, so that stream_pop() may drop it. */
bool stream_head_is_taken(const struct stream *stream);
uint32_t stream_pop(struct stream *stream, struct list_link *links);

/* The next row to send with its number *n, which counts as sent from now on. Needs next_row. */
uint32_t stream_advance(struct stream *stream, const struct list_link *links, uint64_t *n);

/* Back to the first row that was not taken. */
void stream_rewind(struct stream *stream, const struct list_link *links);

/* False: the mark did not move. */
bool stream_take(struct stream *stream, const struct list_link *links, uint64_t upto);

/* Numbers all rows anew, from 1; nothing is sent or taken. */
void stream_renumber(struct stream *stream, uint64_t epoch);

#endif
