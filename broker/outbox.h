#ifndef BROKER_OUTBOX_H
#define BROKER_OUTBOX_H

/* What owners of partitions must hear of: stored tickets, requesters' messages, wishes to cancel.
 * Each partition has a stream, numbered from 1 for every epoch of its owner. What was sent is kept
 * for a minute, so that an owner of a newer epoch gets it again; TAKEN only moves a mark. What
 * finds no room is replaced by one RESYNC: the owner reads the store instead. */

#include <stdint.h>

#include "broker/owners.h"
#include "broker/turn.h"
#include "lib/arena.h"
#include "lib/store_request.h"

struct outbox;

struct outbox_options {
    uint32_t parts_max;
    uint32_t entries_max; /* in all streams */
    uint32_t entries_per_part_max;
    uint64_t seed;
    const struct owners *owners;
};

struct outbox_figures {
    bool is_open;     /* something was ever to be told of this partition */
    uint32_t entries; /* kept, taken or not */
    uint32_t untaken;
    bool has_pending_resync;
};

struct outbox *outbox_open(struct arena *arena, const struct outbox_options *options);

/* A stored row of partition row->part; copied. */
void outbox_ticket(struct outbox *outbox, const struct turn *turn, const struct ticket_row *row);

/* The requester's message that made the row what it is; both copied. */
void outbox_note(struct outbox *outbox,
                 const struct turn *turn,
                 const struct ticket_row *row,
                 struct bytes text);

/* A wish to cancel; lost silently when there is no room, since it is repeated anyhow. */
void outbox_cancel(struct outbox *outbox,
                   const struct turn *turn,
                   const struct ticket_row *row,
                   struct bytes reason);

/* The owner must read what was queued since `since_us`. */
void outbox_resync(struct outbox *outbox, uint32_t part, int64_t since_us);

/* The partition's owner was heard under a higher epoch, or over another connection: everything kept
 * is sent again and numbered anew, or what was not taken is sent again. */
void outbox_new_owner(struct outbox *outbox, const struct turn *turn, uint32_t part);

/* TAKEN of `epoch`: everything up to number `upto` is with the owner. */
void outbox_taken(struct outbox *outbox,
                  const struct turn *turn,
                  const struct header *header,
                  uint64_t upto);

/* Sends what may be sent, as far as the step has room. */
void outbox_run(struct outbox *outbox, const struct turn *turn);

/* When outbox_run() next has something to do; now_ms: at once. */
int64_t outbox_deadline_ms(const struct outbox *outbox, int64_t now_ms);

struct outbox_figures outbox_figures(const struct outbox *outbox, uint32_t part);
uint64_t outbox_resyncs_total(const struct outbox *outbox);

/* Untaken entries of all partitions whose owner is reachable. */
uint64_t outbox_untaken(const struct outbox *outbox);

#endif
