#ifndef ROUTER_COMMITS_H
#define ROUTER_COMMITS_H

/* What the router asks of the store: one batch is in the store, one is filling. Requests are lent
 * to the store until they come back, so each batch has its own rows and its own memory for texts.
 * What the store could not do is kept at the head of the batch and sent again after a while.
 */

#include "lib/backoff.h"
#include "lib/core.h"
#include "lib/map.h"
#include "proto/message.h"

/* What the answer to a request is needed for; kept beside it. */
struct commit {
    enum commit_asker {
        COMMIT_OWNER,  /* nobody waits for an answer */
        COMMIT_ACCEPT, /* `offer` */
        COMMIT_AGENT   /* a VERDICT goes to `site` */
    } asker;
    uint32_t offer; /* row in offers, if it still has this number */
    uint64_t offer_number;
    uint32_t site; /* row in sites */
    enum outcome_kind what;
    enum verdict_kind verdict; /* when it is done */
};

struct commits_batch {
    struct store_request *requests;
    struct commit *commits;
    bool *is_kept;
    struct map outcomes; /* by ticket: outcomes that wait here, so that a repeat is not added */
    struct arena texts;
    uint32_t count;
};

struct commits {
    struct commits_batch batches[2];
    uint32_t filling; /* index */
    uint32_t requests_max;
    bool is_out;      /* the other batch is in the store */
    int64_t retry_ms; /* the other batch waits until then; NO_DEADLINE: it does not */
    uint64_t token;
    struct backoff backoff;
    struct random random;
    uint64_t refused_total; /* requests that found no room */
    uint64_t retried_total;
};

struct commits_options {
    uint64_t seed;
    uint32_t requests_max; /* of a batch */
    uint32_t texts_bytes;  /* of a batch */
};

void commits_init(struct commits *commits,
                  struct arena *arena,
                  const struct commits_options *options);

/* Adds a copy, texts included. VT_FULL: the filling batch has no room; whoever asked asks again.
 * VT_CONFLICT: an outcome of this ticket waits already. */
VT_MUST_USE vt_err commits_add(struct commits *commits,
                               const struct store_request *request,
                               const struct commit *commit);

bool commits_has_room(const struct commits *commits);

/* The store works: nothing waits to be tried again. */
bool commits_is_healthy(const struct commits *commits);

/* Sends what may be sent at `now_ms`. Needs room for one effect. */
void commits_send(struct commits *commits, int64_t now_ms, struct effects *out);

/* The batch that came back; between these two the caller looks at each request. */
struct commits_batch *commits_begin(struct commits *commits, const struct event *event);
void commits_keep(struct commits_batch *batch, uint32_t index);
void commits_end(struct commits *commits, int64_t now_ms);

/* Nothing of this partition goes to the store any more, but what is there already. */
void commits_drop_part(struct commits *commits, uint32_t part);

/* Requests of this partition (PART_ALL: of any) that wait or are in the store. */
uint32_t commits_count(const struct commits *commits, uint32_t part);

int64_t commits_deadline_ms(const struct commits *commits);

#endif
