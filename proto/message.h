#ifndef PROTO_MESSAGE_H
#define PROTO_MESSAGE_H

/* Every message of the protocol as bounded structs: all that a core ever sees of the wire.
 * A message is a header and a list of entries of one kind; every entry is answered on its own.
 * codec.c turns frames into these and back and has checked every limit below: nobody checks again.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/bytes.h"
#include "lib/core.h"
#include "lib/id.h"
#include "lib/store_request.h"

#define PROTO_VERSION 1u

/* header.part of AVAIL and BEAT that go to every owner. */
#define PART_ALL UINT32_MAX

#define MESSAGE_ENTRIES_MAX 256u
#define MESSAGE_FRAME_BYTES_MAX (96u * 1024u) /* body frame */
#define BODY_BYTES_MAX (64u * 1024u)          /* ticket body: attributes and text (proto/body.h) */
#define NAME_BYTES_MAX 64u                    /* queue, pool, skill, agent, site, client names */
#define LANGUAGE_BYTES_MAX 16u                /* BCP 47 tag */
#define KEY_BYTES_MIN 8u
#define KEY_BYTES_MAX 64u
#define SKILLS_MAX 16u       /* a ticket's requirements */
#define AGENT_SKILLS_MAX 64u /* an agent's skills */
#define AGENT_QUEUES_MAX 64u
#define AGENT_LANGUAGES_MAX 16u
#define ATTRIBUTES_MAX 32u
#define ATTRIBUTE_VALUE_BYTES_MAX 1024u
#define REASON_BYTES_MAX 256u
#define LEVEL_MAX 10u
#define PRIORITY_MAX 100u
#define CAPACITY_MAX 1024u           /* slots of one agent */
#define REQUIREMENTS_BYTES_MAX 1536u /* canonical blob of a ticket's requirements */
#define PROFILE_BYTES_MAX 12288u     /* canonical blob of an agent's skills, queues, languages */

enum message_kind {
    MESSAGE_NONE = 0,
    /* client <-> broker */
    MESSAGE_SUBMIT = 1,    /* c->b  struct submit */
    MESSAGE_SUBMITTED = 2, /* b->c  struct submitted */
    MESSAGE_NOTE = 3,      /* c->b  struct note: the requester writes on a ticket */
    MESSAGE_NOTED = 4,     /* b->c  struct answered */
    MESSAGE_CANCEL = 5,    /* c->b  struct cancel */
    MESSAGE_CANCELLED = 6, /* b->c  struct answered */
    MESSAGE_FOLLOW = 7,    /* c->b  struct follow */
    MESSAGE_UPDATE = 8,    /* b->c, r->b  struct update: a hint that a ticket changed */
    MESSAGE_QUERY = 9,     /* c->b, b->r, local  struct query */
    MESSAGE_REPLY = 10,    /* answers to QUERY  struct reply */
    /* router <-> broker */
    MESSAGE_OWNS = 20,    /* r->b  struct owns: hello, and every second; full list of partitions */
    MESSAGE_FORWARD = 21, /* b->r  struct forward */
    MESSAGE_TAKEN = 22,   /* r->b  struct taken */
    MESSAGE_NOT_OWNER =
        23,               /* r->b  struct owns: this part is (as far as known) owned under epoch */
    MESSAGE_SITE_UP = 24, /* b->r  struct site_up; AGENT and HELD lists follow it */
    MESSAGE_SITE_DOWN = 25,  /* b->r  struct site_up (counts unused) */
    MESSAGE_SITE_ASK = 26,   /* r->b  struct site_up (counts unused): say SITE_UP again */
    MESSAGE_SITE_STALE = 27, /* r->b struct site_up: its session is below one I know; floor */
    /* site <-> broker */
    MESSAGE_HELLO = 40,       /* s->b  struct hello; AGENT and HELD lists follow it */
    MESSAGE_AGENT = 41,       /* s->b, b->r  struct agent */
    MESSAGE_HELD = 42,        /* s->b, b->r  struct held */
    MESSAGE_WELCOME = 43,     /* b->s  struct welcome, one entry per agent of the HELLO */
    MESSAGE_HELLO_AGAIN = 44, /* b->s  struct hello_again */
    MESSAGE_GOAWAY = 45,      /* b->s  header only */
    MESSAGE_PING = 46,        /* s<->b header only: session liveness, answered by PING */
    /* site <-> owner, carried by the broker */
    MESSAGE_AVAIL = 60,   /* s->r  struct avail */
    MESSAGE_OFFER = 61,   /* r->s  struct offer */
    MESSAGE_ACCEPT = 62,  /* s->r  struct accept */
    MESSAGE_DECLINE = 63, /* s->r  struct decline */
    MESSAGE_CONFIRM = 64, /* r->s  struct confirm */
    MESSAGE_RELEASE = 65, /* r->s  struct release: drop reservation or work */
    MESSAGE_OUTCOME = 66, /* s->r  struct outcome: COMPLETE, PARK, HANDOFF, GIVE_BACK; journalled */
    MESSAGE_VERDICT = 67, /* r->s  struct verdict: the final answer to one OUTCOME */
    MESSAGE_NOTE_IN = 68, /* r->s  struct note_in: the requester wrote */
    MESSAGE_BEAT = 69,    /* s->r  struct beat: digest of what the site holds of this part */
    MESSAGE_HELD_ASK = 70, /* r->s  header only: send the full HELD list of this part */
    /* agentd <-> its desk (LINK_DESK only, never on the wire) */
    MESSAGE_DESK_OFFER = 80,   /* struct offer: ask the person */
    MESSAGE_DESK_ACCEPT = 81,  /* struct accept */
    MESSAGE_DESK_DECLINE = 82, /* struct decline */
    MESSAGE_DESK_WORK = 83,    /* struct confirm: start */
    MESSAGE_DESK_RESULT = 84,  /* struct outcome: how it ended */
    MESSAGE_DESK_DROP = 85,    /* struct release: stop working on it */
    MESSAGE_DESK_NOTE = 86     /* struct note_in */
};
#define MESSAGE_KIND_COUNT 87

/* A site's standing with a broker: larger (boot, connect) wins; equal counters with another nonce
 * are two machines with one name. */
struct session {
    uint32_t boot;
    uint32_t connect;
    uint64_t nonce;
};

int session_compare(struct session a, struct session b); /* by (boot, connect) only */
bool session_equal(struct session a, struct session b);

enum header_flags {
    HEADER_FIRST = 1, /* first message of a list that spans messages (AGENT, HELD, OWNS) */
    HEADER_LAST = 2   /* its last; both: the whole list */
};

struct header {
    enum message_kind kind;
    uint32_t flags;
    uint32_t part;
    uint32_t site;          /* stamped by the broker from the connection */
    uint32_t node;          /* OWNS: the router's number is not known to brokers; 0 */
    struct session session; /* stamped by the broker from the connection */
    uint64_t epoch;         /* r->*: of part; b->r FORWARD: newest the broker knows */
    uint64_t origin;        /* incarnation of the sending broker or router */
    uint64_t seq;           /* r->s: counts this owner's messages to this site, from 1 per epoch;
                               s->r HELD, BEAT: highest such seq received */
};

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
    struct bytes field;      /* REJECT: which field, may be empty */
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

struct message {
    struct header header;
    uint32_t count;    /* entries; 0 for header-only kinds and carried messages */
    uint32_t capacity; /* of the list, while a core builds it */
    union {
        void *entries; /* of message_entry_size(kind) each */
        struct submit *submit;
        struct submitted *submitted;
        struct note *note;
        struct cancel *cancel;
        struct answered *answered;
        struct follow *follow;
        struct update *update;
        struct query *query;
        struct reply *reply;
        struct owns *owns;
        struct forward *forward;
        struct taken *taken;
        struct site_up *site_up;
        struct hello *hello;
        struct agent *agent;
        struct held *held;
        struct welcome *welcome;
        struct hello_again *hello_again;
        struct avail *avail;
        struct offer *offer;
        struct accept *accept;
        struct decline *decline;
        struct confirm *confirm;
        struct release *release;
        struct outcome *outcome;
        struct verdict *verdict;
        struct note_in *note_in;
        struct beat *beat;
    };
    struct bytes carried; /* not decoded: the received body frame, to be sent on as it is. A broker
                             gets kinds 60..79 like this; sending a message with `carried` set puts
                             these bytes behind the (re-stamped) header. */
    uint32_t carried_count; /* entries in it, as its header says */
};

uint32_t message_entry_size(enum message_kind kind);   /* 0: header only */
const char *message_kind_text(enum message_kind kind); /* "SUBMIT" */
static inline bool message_is_carried_kind(enum message_kind kind)
{
    return kind >= MESSAGE_AVAIL && kind <= MESSAGE_HELD_ASK;
}

/* Adds one zeroed entry to what this step sends: to the open SEND effect of the same address, kind,
 * part, site and session if there is one with room, else to a new one. `like` gives the header of
 * a new message (kind set by its .kind). Needs effects_room(); see EFFECTS_MAX. */
void *message_add(struct effects *out, struct address to, const struct header *like);

/* A header-only message, or one whose list the caller fills: always a new effect. */
struct message *message_send(struct effects *out, struct address to, const struct header *like);

#endif
