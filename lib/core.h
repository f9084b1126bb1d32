#ifndef LIB_CORE_H
#define LIB_CORE_H

/* THE CONTRACT between the three cores (broker, router, agentd) and whoever runs them: the
 * production host (io/host.c) and the simulated world (tests/sim). Events go in through step(),
 * all that a core wants done comes out as effects. A core has no clock, no I/O, no entropy and no
 * memory but the arena it was opened on. Same events, same effects, on every machine.
 *
 * Ownership: what an event points at is lent for the call. What an effect points at is lent until
 * the core's next step, except the requests of EFFECT_STORE, which are lent until their
 * EVENT_STORED (the store thread reads them where they are).
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/bytes.h"
#include "lib/err.h"
#include "lib/store_request.h"

struct message; /* proto/message.h */
struct plan;    /* proto/plan.h */

#define NO_DEADLINE INT64_MAX

/* Which edge of a node a message came in on or goes out on. */
enum link {
    LINK_CLIENTS, /* broker: clients and gateways; peer = connection */
    LINK_ROUTERS, /* broker: routers; peer = connection */
    LINK_SITES,   /* broker: agent sites; peer = connection */
    LINK_BROKERS, /* router: peer = the broker's node number in EVENT_MEMBERS;
                     agentd: peer = index in its list of broker addresses. The host dials at the
                     first SEND and again whenever the connection broke. */
    LINK_DESK,    /* agentd: its agents' side (programs, people's desks); peer = agent index */
    LINK_LOCAL,   /* any: the process around the core (HTTP pages, status); QUERY in, REPLY out */
    LINK_COUNT
};

/* A peer number names one connection and is never reused while the process lives. */
struct address {
    enum link link;
    uint64_t peer;
};

enum node_kind {
    NODE_BROKER,
    NODE_ROUTER
};
enum node_state {
    NODE_JOINING,
    NODE_ACTIVE,
    NODE_DRAINING
};

struct node {
    enum node_kind kind;
    enum node_state state;
    uint32_t number;      /* stable in this process; LINK_BROKERS peer for brokers */
    uint32_t weight;      /* routers: share of partitions, 1.. */
    uint64_t incarnation; /* 64 random bits a start */
    struct bytes name;
};

/* own/<part> and want/<part> of the registry. */
struct ownership_key {
    uint32_t part;
    uint32_t node; /* number of a node in the same list, or UINT32_MAX: unknown to it */
    uint64_t epoch;
};

struct membership {
    const struct node *nodes;
    uint32_t node_count;
    const struct ownership_key *owners;
    uint32_t owner_count;
    const struct ownership_key *pins;
    uint32_t pin_count;
};

enum event_kind {
    EVENT_TIME,      /* deadline reached (or any time: a core must tolerate spurious ones) */
    EVENT_MESSAGE,   /* a decoded message */
    EVENT_LINK_DOWN, /* a connection is known to be gone; sends on it may have been lost */
    EVENT_STORED,    /* completes an EFFECT_STORE, exactly once */
    EVENT_LOADED,    /* completes an EFFECT_LOAD, exactly once */
    EVENT_MEMBERS,   /* the registry's whole view, after every change */
    EVENT_CLAIMED,   /* completes an EFFECT_CLAIM, exactly once */
    EVENT_LEASE,     /* this node's lease: until when it may act */
    EVENT_PLAN,      /* a new immutable plan, lent until the step of the next EVENT_PLAN ended */
    EVENT_STOP       /* drain; a second one: stop at once */
};

struct event {
    enum event_kind kind;
    int64_t now_ms;  /* CLOCK_BOOTTIME; never falls */
    int64_t wall_us; /* since 1970 UTC; to order or to show, never for safety */
    union {
        struct {
            struct address from;
            const struct message *message;
        } received;
        struct address link_down;
        struct {
            uint64_t token;
            const struct store_result *results; /* one per request, in their order */
            uint32_t count;
        } stored;
        struct {
            uint64_t token;
            vt_err error; /* VT_OK, or VT_UNAVAILABLE: nothing was read */
            const struct load_page *page;
        } loaded;
        const struct membership *members;
        struct {
            uint32_t part;
            vt_err error;   /* VT_OK; VT_CONFLICT: somebody else holds it; VT_UNAVAILABLE */
            uint64_t epoch; /* fencing token: (gen << 48) | create_revision */
        } claimed;
        struct {
            int64_t deadline_ms; /* self-fence from here on; NO_DEADLINE: never */
        } lease;
        const struct plan *plan;
        struct {
            int64_t deadline_ms; /* drain no longer than this */
        } stop;
    };
};

enum effect_kind {
    EFFECT_SEND,    /* may be lost, silently: retries live in the cores */
    EFFECT_STORE,   /* always answered by one EVENT_STORED of the same token */
    EFFECT_LOAD,    /* always answered by one EVENT_LOADED of the same token */
    EFFECT_CLAIM,   /* acquire own/<part> in the registry; answered by one EVENT_CLAIMED */
    EFFECT_RELEASE, /* delete own/<part> if the epoch is still ours */
    EFFECT_HANG_UP, /* close a connection; the next SEND to a LINK_BROKERS peer dials anew */
    EFFECT_STOPPED  /* drained: the host may end */
};

struct effect {
    enum effect_kind kind;
    union {
        struct {
            struct address to;
            struct message *message;
        } send;
        struct {
            uint64_t token;
            const struct store_request *requests; /* lent until EVENT_STORED */
            uint32_t count;
        } store;
        struct {
            uint64_t token;
            struct load_request request;
        } load;
        uint32_t claim_part;
        struct {
            uint32_t part;
            uint64_t epoch;
        } release;
        struct address hang_up;
    };
};

/* A step adds at most this many effects; a core with more to do keeps it in its tables and returns
 * a deadline of now. The host hands in an empty list each time. */
#define EFFECTS_MAX 1024u

/* Scratch memory for what one step's effects point at (entries, copied text). A step that finds
 * less than EFFECTS_SCRATCH_RESERVE left must leave the rest for a later one. */
#define EFFECTS_SCRATCH_BYTES (UINT64_C(16) * 1024u * 1024u)
#define EFFECTS_SCRATCH_RESERVE (UINT64_C(256) * 1024u)

struct effects {
    struct effect *list; /* EFFECTS_MAX of them */
    uint32_t count;
    struct arena scratch;
};

/* Appends one effect, zeroed but for its kind. A full list is a bug of the core: CHECK. */
struct effect *effects_add(struct effects *effects, enum effect_kind kind);

/* How many more effects fit; 0 as well when the scratch memory is nearly used up. */
uint32_t effects_room(const struct effects *effects);

struct core {
    void *self;
    void (*step)(void *self, const struct event *event, struct effects *out);
    int64_t (*deadline_ms)(const void *self); /* when it next wants EVENT_TIME, or NO_DEADLINE */
};

#endif
