#ifndef PROTO_MESSAGE_KINDS_H
#define PROTO_MESSAGE_KINDS_H

/* Limits, kinds and the header of messages. Part of proto/message.h: include that. */

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
#define MESSAGE_FRAME_BYTES_MAX 98304u /* body frame */
#define BODY_BYTES_MAX 65536u          /* ticket body: attributes and text (proto/body.h) */
#define NAME_BYTES_MAX 64u             /* queue, pool, skill, agent, site, client names */
#define LANGUAGE_BYTES_MAX 16u         /* BCP 47 tag */
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

#endif
