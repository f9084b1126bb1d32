#ifndef ROUTER_LOADS_H
#define ROUTER_LOADS_H

/* What is to be read from the store, one page at a time: single tickets, and per partition its
 * recent rows, all its rows, more of its queued rows when there is room again, and the slow
 * re-reading that must find nothing.
 */

#include "lib/backoff.h"
#include "lib/core.h"
#include "lib/timers.h"

enum loads_what {
    LOADS_TICKET, /* one row, to decide or to CONFIRM */
    LOADS_RECENT, /* after a loss of messages */
    LOADS_ALL,    /* the partition is new here */
    LOADS_MORE,   /* queued rows behind the horizon */
    LOADS_CHECK   /* the safety net */
};

struct loads_ticket {
    struct ticket_id id;
    uint32_t part;
    uint64_t epoch;
    bool wants_confirm; /* its holder waits for the body */
};

struct loads_part {
    uint64_t epoch;
    bool wants_all;
    bool wants_recent;
    bool wants_more;
    bool wants_check;
    bool is_in_queued; /* LOADS_ALL, LOADS_CHECK: past the HELD rows */
    bool is_begun;     /* `after` counts */
    int64_t since_us;
    int64_t again_us; /* since, for the second reading; 0: none wanted */
    uint32_t round;   /* readings of recent rows begun */
    uint32_t rounds_done;
    struct service_key after; /* of the reading at work; kept apart for LOADS_CHECK */
    struct service_key check_after;
    bool check_is_in_queued;
    bool check_is_begun;
    struct service_key more_after;
};

/* The reading that is out. */
struct loads_job {
    enum loads_what what;
    uint32_t part;
    uint64_t epoch;
    struct ticket_id ticket;
    bool wants_confirm;
    struct load_request request;
};

struct loads {
    struct loads_part *parts;
    uint64_t *wanted;    /* set of parts that want anything */
    struct timers again; /* by part: second readings */
    uint32_t parts_max;
    uint32_t last_part;           /* served last */
    struct loads_ticket *tickets; /* a ring */
    uint32_t tickets_max;
    uint32_t ticket_first;
    uint32_t ticket_count;
    bool was_ticket; /* the last job was one; partitions come next */
    bool is_out;
    struct loads_job job;
    uint64_t token;
    int64_t retry_ms;
    struct backoff backoff;
    struct random random;
};

struct loads_options {
    uint64_t seed;
    uint32_t parts_max;
    uint32_t tickets_max;
};

void loads_init(struct loads *loads, struct arena *arena, const struct loads_options *options);

/* VT_FULL: the ring is. */
VT_MUST_USE vt_err loads_ticket(struct loads *loads, const struct loads_ticket *ticket);

/* A partition comes (goes): nothing wanted of it before stays. */
void loads_open(struct loads *loads, uint32_t part, uint64_t epoch);
void loads_close(struct loads *loads, uint32_t part);

void loads_all(struct loads *loads, uint32_t part);
void loads_check(struct loads *loads, uint32_t part);
void loads_more(struct loads *loads, uint32_t part, const struct service_key *after);

/* Returns the round that must be done before the rows count as read. */
uint32_t loads_recent(struct loads *loads, uint32_t part, int64_t since_us);

/* Sends the next reading if none is out. Needs room for one effect. */
void loads_send(struct loads *loads, int64_t now_ms, struct effects *out);

/* The answer to the reading that is out. */
const struct loads_job *loads_begin(struct loads *loads, const struct event *event);

enum loads_end {
    LOADS_GOES_ON, /* the same reading has further pages */
    LOADS_ENDED,
    LOADS_FAILED,  /* it will be tried again */
    LOADS_OBSOLETE /* the partition went or began anew meanwhile: forget the page */
};

/* What the answer means for the reading: call it before the rows are used. */
enum loads_end loads_end(struct loads *loads, const struct event *event);

int64_t loads_deadline_ms(const struct loads *loads);

#endif
