#ifndef LIB_STORE_REQUEST_H
#define LIB_STORE_REQUEST_H

/* What cores ask of the store and what it answers; the vocabulary of EFFECT_STORE and EFFECT_LOAD.
 * Every transition is a compare-and-set on the ticket row inside a transaction that proved the
 * partition's epoch first. Each request of a batch succeeds or fails alone.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/bytes.h"
#include "lib/id.h"

/* Durable states; the numbers stand in the store and on the wire. */
enum ticket_state {
    TICKET_NONE = 0,
    TICKET_QUEUED = 1,
    TICKET_SCHEDULED = 2,
    TICKET_ASSIGNED = 3,
    TICKET_DONE = 4,
    TICKET_PARKED = 5,
    TICKET_CANCELLED = 6,
    TICKET_DEAD = 7
};
#define TICKET_STATE_COUNT 8

/* Why a ticket went back to its queue. The first three are losses: they raise `fails` and keep
 * attempt and agent, so that a late COMPLETE of that attempt is still taken. */
enum requeue_cause {
    REQUEUE_GIVE_BACK,       /* the agent (or its program) gave it back; loss */
    REQUEUE_GRACE_OVER,      /* its site stayed away longer than the queue's grace; loss */
    REQUEUE_NEVER_CONFIRMED, /* its site is up and does not hold it; loss */
    REQUEUE_HANDOFF,         /* to a person: agent cleared, person_requested set */
    REQUEUE_NEW_MSGS,        /* the requester wrote meanwhile: same agent preferred */
    REQUEUE_UNPARKED         /* PARKED -> QUEUED by timer or supervisor */
};

/* Kinds of vt_event; the numbers stand in the store. */
enum history_kind {
    HISTORY_SUBMITTED = 1,
    HISTORY_DUE = 2,      /* SCHEDULED -> QUEUED */
    HISTORY_ASSIGNED = 3, /* attempt grew */
    HISTORY_COMPLETED = 4,
    HISTORY_REQUEUED = 5, /* detail: cause and reason */
    HISTORY_PARKED = 6,
    HISTORY_MESSAGE = 7,
    HISTORY_CANCELLED = 8,
    HISTORY_DEAD = 9,
    HISTORY_NOTE = 10 /* text of a COMPLETE that came too late */
};

enum store_kind {
    STORE_SUBMIT,      /* broker: new ticket, recognises repeats by (client, key) */
    STORE_MESSAGE,     /* broker: msgs + 1, PARKED -> QUEUED; recognises repeats by key */
    STORE_SITE,        /* broker: ids for a site's name and its agents' names */
    STORE_CLAIM,       /* router: epoch of a partition; alone in its transaction */
    STORE_DUE,         /* router: SCHEDULED -> QUEUED when due <= now of the store */
    STORE_ASSIGN,      /* router: QUEUED -> ASSIGNED, attempt = t */
    STORE_COMPLETE,    /* router: -> DONE */
    STORE_PARK,        /* router: ASSIGNED -> PARKED if msgs = seen */
    STORE_REQUEUE,     /* router: ASSIGNED (or PARKED) -> QUEUED, by (id, attempt) */
    STORE_CANCEL,      /* router: any open state -> CANCELLED */
    STORE_DEAD,        /* router: QUEUED -> DEAD, if fails >= max_fails */
    STORE_NOTE,        /* router: keeps the text of a stale COMPLETE as an internal note */
    STORE_JOURNAL_PUT, /* agentd: insert or replace one journal entry */
    STORE_JOURNAL_DROP /* agentd: remove one journal entry; absent is success */
};

enum journal_kind {
    JOURNAL_BOOT = 1,    /* a = b = 0; value: boot counter */
    JOURNAL_WORKING = 2, /* (a, b) = ticket id; value: part, attempt, agent */
    JOURNAL_OUTCOME = 3, /* (a, b) = ticket id; value: an unanswered final message */
    JOURNAL_EPOCH = 4    /* a = part; value: highest epoch heard */
};

struct journal_entry {
    enum journal_kind kind;
    uint64_t a;
    uint64_t b;
    struct bytes value;
};

struct store_agent_name {
    struct bytes name;
    bool is_person;
};

/* One request. Fields that a kind does not name are ignored. `part` and `epoch` of router kinds
 * are the fence: if vt_partition does not hold exactly that epoch the group fails as FENCED. */
struct store_request {
    enum store_kind kind;
    uint32_t part;
    uint64_t epoch;
    struct ticket_id ticket;
    union {
        struct { /* STORE_SUBMIT */
            uint32_t queue;
            uint32_t priority;   /* 0..100, higher first */
            int64_t due_us;      /* 0: now; else SCHEDULED until then */
            struct bytes client; /* 1..64 B, name of the submitter */
            struct bytes key;    /* 8..64 B */
            uint8_t digest[16];  /* of queue, requirements, priority, due and body */
            struct bytes requirements;
            struct bytes body;
        } submit;
        struct { /* STORE_MESSAGE */
            struct bytes author;
            struct bytes key;
            struct bytes body;
            bool wants_person;
        } message;
        struct { /* STORE_SITE */
            struct bytes name;
            struct bytes contractor;
            const struct store_agent_name *agents;
            uint32_t agent_count;
        } site;
        struct { /* STORE_CLAIM: epoch above is the new one */
            struct bytes owner;
        } claim;
        struct {              /* ASSIGN, COMPLETE, PARK, REQUEUE, CANCEL, DEAD, NOTE, DUE */
            uint32_t attempt; /* ASSIGN: the new one, t; the row must hold t - 1 */
            uint32_t agent;   /* COMPLETE, PARK, REQUEUE: must equal the row's */
            uint32_t site;    /* ASSIGN */
            uint32_t seen;    /* COMPLETE, PARK: number of the last message the agent saw */
            bool agent_is_person;
            uint32_t max_fails;       /* DEAD */
            enum requeue_cause cause; /* REQUEUE */
            struct bytes text;        /* COMPLETE: answer for the requester; NOTE: its text */
            struct bytes note;        /* COMPLETE, REQUEUE, PARK, CANCEL: reason or internal note */
        } move;
        struct journal_entry journal;
    };
};

enum store_status {
    STORE_DONE,      /* committed */
    STORE_DUPLICATE, /* SUBMIT, MESSAGE: this key with the same body was committed before;
                        COMPLETE, PARK, REQUEUE, CANCEL: the row already says so */
    STORE_MISMATCH,  /* SUBMIT: this key was used with another body */
    STORE_REFUSED,   /* the guard failed; `row` is a re-read after the fence held */
    STORE_ABSENT,    /* no such ticket in this partition */
    STORE_FENCED,    /* a newer epoch owns the partition: say nothing to anybody */
    STORE_FULL,      /* keys table or disk full: nothing written, try later */
    STORE_FAILED,    /* the store is down: nothing written */
    STORE_UNCERTAIN  /* outcome of COMMIT unknown: re-read before deciding anything */
};

/* Order of service everywhere: priority falling, created rising, id rising. */
struct service_key {
    uint32_t priority;
    int64_t created_us;
    struct ticket_id id;
};

/* A ticket's state row. Views are lent with the page or result they come in. */
struct ticket_row {
    struct ticket_id id;
    uint32_t part;
    uint32_t queue;
    uint32_t priority;
    enum ticket_state state;
    uint32_t attempt;
    uint32_t fails;
    uint32_t agent; /* 0: none */
    uint32_t site;  /* 0: none */
    uint32_t msgs;
    uint32_t rev;
    bool person_requested;
    int64_t created_us;
    int64_t queued_us;
    int64_t due_us;
    struct bytes requirements; /* proto/requirements.h */
    struct bytes agent_name;   /* LOAD_TICKET only */
    struct bytes site_name;    /* LOAD_TICKET only */
};

struct store_result {
    enum store_status status;
    struct ticket_row row;  /* SUBMIT, MESSAGE, ASSIGN: as committed (or as found for DUPLICATE);
                               REFUSED and DUPLICATE moves: as re-read */
    struct bytes body;      /* ASSIGN, STORE_DONE: the payload for CONFIRM */
    uint32_t site;          /* SITE: id */
    const uint32_t *agents; /* SITE: ids, one per name */
    uint32_t agent_count;
};

enum load_kind {
    LOAD_HELD,   /* ASSIGNED and PARKED rows of a partition, by id after `after.id` */
    LOAD_QUEUED, /* QUEUED and SCHEDULED rows, in order of service after `after` */
    LOAD_RECENT, /* QUEUED, SCHEDULED rows with queued_at >= since_us, by id after `after.id` */
    LOAD_TICKET, /* one row by id, with its events (at most LOAD_ROWS_MAX) and answer */
    LOAD_JOURNAL /* agentd: every entry after (kind, a, b) of `after_journal` */
};

#define LOAD_ROWS_MAX 1000u

struct load_request {
    enum load_kind kind;
    uint32_t part;
    uint32_t rows_max; /* 1..LOAD_ROWS_MAX */
    int64_t since_us;
    struct ticket_id ticket;
    struct service_key after;
    bool from_start; /* ignore `after` */
    struct journal_entry after_journal;
};

struct history_row {
    uint64_t seq;
    uint32_t stream;
    enum history_kind kind;
    uint32_t attempt;
    uint64_t epoch;
    int64_t at_us;
    struct bytes agent_name; /* empty: none */
    struct bytes detail;
};

/* One page, lent for the step. */
struct load_page {
    const struct ticket_row *rows;
    uint32_t row_count;
    const struct history_row *history; /* LOAD_TICKET */
    uint32_t history_count;
    struct bytes body;                   /* LOAD_TICKET: payload */
    struct bytes answer;                 /* LOAD_TICKET: last answer for the requester */
    const struct journal_entry *journal; /* LOAD_JOURNAL */
    uint32_t journal_count;
    bool has_more;
    int64_t store_now_us; /* the store's clock when it read */
};

#endif
