#ifndef PROTO_MESSAGE_CLIENT_H
#define PROTO_MESSAGE_CLIENT_H

/* Entries between clients and brokers. Part of proto/message.h: include that. */

#include "proto/message_kinds.h"

enum channel {
    CHANNEL_WEB,
    CHANNEL_CHAT,
    CHANNEL_EMAIL,
    CHANNEL_PHONE,
    CHANNEL_API,
    CHANNEL_BULK
};
#define CHANNEL_COUNT 6

struct skill {
    struct bytes name;
    uint32_t level; /* 0..10 */
};

struct attribute {
    struct bytes name;
    struct bytes value;
};

struct submit {
    uint64_t ref;        /* chosen by the client, comes back in the answer */
    struct bytes client; /* who keeps the keys apart; empty: "anonymous" */
    struct bytes key;
    struct bytes pool;               /* empty: absent */
    struct bytes queue;              /* empty: absent */
    struct skill skills[SKILLS_MAX]; /* sorted by name, no repeats (codec sorts and refuses) */
    uint32_t skill_count;
    struct bytes language; /* empty: any */
    enum channel channel;
    uint32_t priority; /* PRIORITY_ABSENT: the plan's rule or 50 */
    int64_t not_before_us;
    const struct attribute *attributes; /* sorted by name, no repeats */
    uint32_t attribute_count;
    struct bytes text;
    struct bytes body;  /* attributes and text as stored (proto/body.h), made by the codec */
    uint8_t digest[16]; /* of all that makes the ticket, made by the codec */
    enum reason_code {
        REASON_NONE,
        REASON_KEY, /* shorter than 8 or longer than 64 bytes */
        REASON_QUEUE_UNKNOWN,
        REASON_POOL_UNKNOWN,
        REASON_SKILL_UNKNOWN,
        REASON_SKILLS, /* too many, repeated, or a bad name */
        REASON_LEVEL,  /* not 0..10 */
        REASON_LANGUAGE,
        REASON_CHANNEL,
        REASON_PRIORITY, /* not 0..100 */
        REASON_ATTRIBUTES,
        REASON_UTF8,
        REASON_NUL,       /* NUL byte inside text */
        REASON_TOO_LARGE, /* body over 64 KiB */
        REASON_MISMATCH,  /* key used before with another ticket */
        REASON_STORE,     /* store down, slow or full: try again */
        REASON_OVERLOAD,  /* batch, window or keys full: try again */
        REASON_DRAINING,  /* this broker stops: go elsewhere */
        REASON_NO_TICKET,
        REASON_CLOSED, /* ticket is DONE, CANCELLED or DEAD */
        REASON_TIME    /* not_before lies beyond the year 9999 */
    } defect;          /* set by the codec: this entry alone is bad, broker answers REJECT */
    struct bytes defect_field; /* name of the field, for the answer */
};
#define REASON_COUNT 21
#define PRIORITY_ABSENT UINT32_MAX
#define PRIORITY_DEFAULT 50u

const char *reason_text(enum reason_code reason); /* one plain sentence part, for people */

enum answer {
    ANSWER_OK,
    ANSWER_DUPLICATE,
    ANSWER_REJECT,
    ANSWER_BUSY
};

struct submitted {
    uint64_t ref;
    enum answer answer;
    struct ticket_id ticket; /* OK, DUPLICATE */
    enum reason_code reason; /* REJECT, BUSY */
    struct bytes field;      /* REJECT: which field, or the unknown name; may be empty */
    uint32_t retry_ms;       /* BUSY */
};

struct note {
    uint64_t ref;
    struct ticket_id ticket;
    struct bytes author;
    struct bytes key;
    struct bytes text;
    bool wants_person;
};

struct cancel {
    uint64_t ref;
    struct ticket_id ticket;
    struct bytes reason;
};

struct answered { /* NOTED, CANCELLED */
    uint64_t ref;
    enum answer answer;
    enum reason_code reason;
    uint32_t retry_ms;
    struct ticket_id ticket;
};

struct follow {
    struct ticket_id ticket;
    uint32_t rev; /* what the follower knows; 0: nothing */
};

struct update {
    struct ticket_id ticket;
    uint32_t rev;
    enum ticket_state state;
    uint32_t attempt;
};

enum query_what {
    QUERY_TICKET = 1,  /* row TICKET, then HISTORY rows, then END */
    QUERY_QUEUES = 2,  /* row QUEUE per queue */
    QUERY_AGENTS = 3,  /* row AGENT per agent */
    QUERY_METRICS = 4, /* row METRIC; local only */
    QUERY_CHECKS = 5   /* row CHECK: readiness; local only */
};

struct query {
    uint64_t ref;
    enum query_what what;
    struct ticket_id ticket;
    uint64_t cursor; /* where to go on; 0: from the start */
};

struct queue_figures {
    uint32_t queue;
    struct bytes pool_name;
    struct bytes name;
    uint64_t waiting; /* QUEUED, not offered at the moment, plus offered */
    uint64_t scheduled;
    uint64_t offered; /* offers on their way */
    uint64_t assigned;
    uint64_t parked;
    uint64_t unservable; /* waiting, and no agent that is up could serve it */
    int64_t oldest_wait_ms;
    uint64_t agents_up; /* agents up that may take from this queue */
    uint64_t agents_free;
    uint64_t entered_total;
    uint64_t answered_total; /* CONFIRM */
    uint64_t completed_total;
    uint64_t cancelled_total;
    uint64_t requeued_total;
    uint64_t dead_total;
    int64_t wait_sum_ms; /* of answered_total: ASA = sum / answered */
};

struct agent_figures {
    uint32_t agent;
    struct bytes site_name;
    struct bytes name;
    bool is_up;
    bool is_person;
    uint32_t capacity;
    uint32_t busy;    /* working */
    uint32_t offered; /* offers not answered yet */
    uint64_t completed_total;
    int64_t idle_ms; /* since its load changed */
};

struct metric {
    struct bytes name;   /* ventanilla_..., Prometheus rules */
    struct bytes labels; /* `queue="aceras"`, may be empty */
    struct bytes help;
    enum metric_type {
        METRIC_COUNTER,
        METRIC_GAUGE
    } type;
    int64_t value;
    uint32_t divisor; /* shown value = value / divisor: 1, 1000, 1000000 */
};

struct check_result {
    struct bytes name;
    bool is_ok;
    struct bytes text;
};

enum reply_row {
    ROW_END,
    ROW_TICKET,
    ROW_HISTORY,
    ROW_QUEUE,
    ROW_AGENT,
    ROW_METRIC,
    ROW_CHECK
};

struct reply {
    uint64_t ref;
    enum reply_row row;
    union {
        struct {
            vt_err error;    /* VT_OK, VT_NOT_FOUND, VT_UNAVAILABLE, VT_TIMEOUT */
            uint64_t cursor; /* not 0: ask again from here */
        } end;
        struct {
            struct ticket_row row;
            struct bytes queue_name;
            struct bytes answer;  /* last answer for the requester */
            uint32_t agents_able; /* agents up that could serve it; UINT32_MAX: not known */
        } ticket;
        struct history_row history;
        struct queue_figures queue;
        struct agent_figures agent;
        struct metric metric;
        struct check_result check;
    };
};

#endif
