#ifndef ROUTER_LIFECYCLE_H
#define ROUTER_LIFECYCLE_H

/* One ticket's states as one table, the store requests that move it, and what each result means.
 * No memory and no effects: the flow asks and does.
 */

#include "proto/message.h"

enum lifecycle_move {
    LIFECYCLE_DUE,      /* its time has come */
    LIFECYCLE_ASSIGN,   /* an offer was accepted */
    LIFECYCLE_COMPLETE, /* by the agent of the present attempt */
    LIFECYCLE_PARK,     /* its agent waits for the requester */
    LIFECYCLE_REQUEUE,  /* lost, given back, handed off */
    LIFECYCLE_UNPARK,   /* the requester wrote */
    LIFECYCLE_CANCEL,
    LIFECYCLE_DEAD
};
#define LIFECYCLE_MOVE_COUNT 8

/* TICKET_NONE: this move does not start in this state. */
enum ticket_state lifecycle_next(enum ticket_state state, enum lifecycle_move move);

/* QUEUED, SCHEDULED, ASSIGNED, PARKED. */
bool lifecycle_is_open(enum ticket_state state);

/* Attempt and fails are kept apart: only these causes count as a loss. */
bool lifecycle_is_loss(enum requeue_cause cause);

/* What a committed request has made of `row`, as far as it can be known without reading it: rev
 * grows by at least one. CHECKs that the table allows the move, unless the row was behind. */
void lifecycle_apply(const struct store_request *request, struct ticket_row *row);

/* The request for an agent's final message; texts are the message's own. `is_person` is what the
 * owner's roster knows of the agent. */
struct store_request lifecycle_outcome_request(const struct header *header,
                                               const struct outcome *outcome,
                                               bool is_person);

enum lifecycle_ruling {
    LIFECYCLE_SILENT,       /* fenced: no answer to anybody; the partition is no longer ours */
    LIFECYCLE_RETRY,        /* nothing was written: keep the request and try again later */
    LIFECYCLE_REREAD,       /* nobody knows: read the row before deciding anything */
    LIFECYCLE_DONE,         /* it is so, by this request or by an earlier one of the same content */
    LIFECYCLE_BEHIND,       /* the row is not what we thought: take over the one that was read */
    LIFECYCLE_STALE,        /* the outcome's attempt is over */
    LIFECYCLE_KEEP_TEXT,    /* the same, and its text must be kept by STORE_NOTE first */
    LIFECYCLE_NEW_MSGS,     /* the requester wrote meanwhile, and the ticket waits already */
    LIFECYCLE_REQUEUE_FIRST /* the same, after STORE_REQUEUE for NEW_MSGS */
};

enum lifecycle_asker {
    LIFECYCLE_BY_AGENT, /* the request answers an agent's final message: it needs a verdict */
    LIFECYCLE_BY_OWNER
};

enum lifecycle_ruling lifecycle_judge(const struct store_request *request,
                                      const struct store_result *result,
                                      enum lifecycle_asker asker);

#endif
