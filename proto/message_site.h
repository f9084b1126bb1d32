#ifndef PROTO_MESSAGE_SITE_H
#define PROTO_MESSAGE_SITE_H

/* Entries between brokers, routers and agent sites. Part of proto/message.h: include that. */

#include "proto/message_client.h"

struct owns {
    uint32_t part;
    uint64_t epoch;
};

enum forward_kind {
    FORWARD_TICKET, /* a stored ticket, without its body */
    FORWARD_RESYNC, /* read rows with queued_at >= since - 60 s */
    FORWARD_NOTE,   /* a MESSAGE was stored: msgs, state, person_requested are new */
    FORWARD_CANCEL  /* a client asks to cancel; reason in `text` */
};

struct forward {
    uint64_t n; /* from 1 per (origin, part, epoch), no gaps */
    enum forward_kind what;
    struct ticket_row row; /* TICKET, NOTE: as committed (names empty); CANCEL: id only */
    int64_t since_us;      /* RESYNC */
    struct bytes text;     /* NOTE: the message's body; CANCEL: reason */
};

struct taken {       /* header: part, epoch of the FORWARDs; origin is the router's */
    uint64_t broker; /* incarnation the numbers belong to */
    uint64_t upto;   /* all of 1..upto are in the owner's tables (or read) */
};

struct site_up {
    struct bytes name;
    struct bytes contractor;
    uint32_t agent_count;
    uint32_t held_count;
    uint32_t floor; /* SITE_STALE: highest boot known */
};

struct hello {
    struct bytes name;
    struct bytes contractor;
    uint32_t agent_count; /* in the AGENT list that follows */
    uint32_t held_count;  /* in the HELD list that follows */
};

struct agent {
    uint32_t index; /* in the site's list */
    uint32_t id;    /* 0 from a site; set by the broker */
    struct bytes name;
    bool is_person;
    uint32_t capacity;
    uint32_t free; /* slots */
    int64_t idle_ms;
    struct bytes profile; /* proto/requirements.h */
};

struct held {
    uint32_t part;
    struct ticket_id ticket;
    uint32_t attempt;
    uint32_t agent;
    enum held_state {
        HELD_ACCEPTED,
        HELD_WORKING,
        HELD_ENDED
    } state; /* ENDED: journalled OUTCOME */
};

struct welcome {
    uint32_t index;
    uint32_t agent; /* id */
    vt_err error;   /* VT_OK or VT_DENIED */
};

struct hello_again {
    uint32_t floor; /* boot from floor + 1 if not 0 */
};

struct avail {
    uint32_t agent;
    uint32_t free;
    bool is_available; /* activity: takes offers at all */
    int64_t idle_ms;
};

struct offer {
    uint64_t offer; /* counter; the id is (header.epoch, counter) */
    struct ticket_id ticket;
    uint32_t attempt;
    uint32_t agent;
    int64_t ttl_ms;
    struct bytes queue_name;
    struct bytes language;
    enum channel channel;
    uint32_t priority;
    int64_t waited_ms;
};

struct accept {
    uint64_t offer;
    struct ticket_id ticket;
    uint32_t attempt;
    uint32_t agent;
    uint64_t epoch; /* of the offer */
};

enum decline_reason {
    DECLINE_BUSY,
    DECLINE_REFUSED,
    DECLINE_EXPIRED,
    DECLINE_UNAVAILABLE
};

struct decline {
    uint64_t offer;
    struct ticket_id ticket;
    uint32_t attempt;
    uint32_t agent;
    uint64_t epoch;
    enum decline_reason reason;
    uint32_t free;
};

struct confirm {
    struct ticket_id ticket;
    uint32_t attempt;
    uint32_t agent;
    uint32_t msgs;
    uint32_t priority;
    uint32_t fails;
    int64_t created_us;
    struct bytes queue_name;
    struct bytes requirements;
    struct bytes body;
};

enum release_why {
    RELEASE_TAKEN,
    RELEASE_CANCELLED,
    RELEASE_NOT_YOURS,
    RELEASE_WITHDRAWN
};

struct release {
    struct ticket_id ticket;
    uint32_t attempt;
    uint32_t agent;
    uint64_t offer; /* 0: whatever is held of this ticket and attempt */
    enum release_why why;
};

enum outcome_kind {
    OUTCOME_COMPLETE,
    OUTCOME_PARK,
    OUTCOME_HANDOFF,
    OUTCOME_GIVE_BACK
};

struct outcome {
    enum outcome_kind what;
    struct ticket_id ticket;
    uint32_t attempt;
    uint32_t agent;
    uint32_t seen;
    bool agent_is_person; /* as of the broker's registration; the owner uses its own roster */
    struct bytes text;    /* COMPLETE: answer for the requester */
    struct bytes note;    /* COMPLETE: internal note; others: reason */
};

enum verdict_kind {
    VERDICT_ACK,      /* done, or was done before */
    VERDICT_STALE,    /* somebody newer has it; the text was kept as a note */
    VERDICT_NEW_MSGS, /* the requester wrote meanwhile; ticket is queued again */
    VERDICT_FORBIDDEN
};

struct verdict {
    enum outcome_kind what;
    enum verdict_kind verdict;
    struct ticket_id ticket;
    uint32_t attempt;
    uint32_t agent;
};

struct note_in {
    struct ticket_id ticket;
    uint32_t attempt;
    uint32_t agent;
    uint32_t msgs;
    struct bytes text;
};

struct beat {
    uint32_t held_count;
    uint64_t digest; /* sum of held_digest() of every held entry of this part */
};

/* Order-free digest of what a site holds: both ends add these up. */
uint64_t held_digest(const struct held *held);

#endif
