#ifndef TESTS_SCENARIO_WORLD_INSIDE_H
#define TESTS_SCENARIO_WORLD_INSIDE_H

/* What the files of the world share; tests include world.h only. */

#include "lib/arena.h"
#include "lib/core.h"
#include "lib/text.h"
#include "lib/trace.h"
#include "proto/codec.h"
#include "tests/scenario/world.h"

#define NODES_MAX 16u
#define CONNECTIONS_MAX 256u
#define PENDING_MAX 4096u
#define PLANS_MAX 256u
#define WORKS_MAX 16u
#define COMPLETIONS_MAX 1024u
#define SEEN_TICKETS_MAX 256u
#define TRACE_BYTES (4u << 20)
#define SCRATCH_BYTES (32u << 20)
#define CLIENT NODES_MAX /* the client's place as an end of a connection */

enum node_sort {
    SORT_BROKER,
    SORT_ROUTER,
    SORT_SITE
};

/* One end of a connection: whose, and what it calls the other. */
struct end {
    uint32_t node;
    struct address address;
};

struct connection {
    struct end dialer;
    struct end broker;
    bool is_open;
};

struct desk_plan {
    uint32_t what; /* enum world_answer or enum outcome_kind */
    int64_t after_ms;
};

struct desk_work {
    struct ticket_id ticket;
    uint32_t attempt;
    uint32_t msgs;
    bool is_active;
};

struct desk {
    struct desk_plan offers[PLANS_MAX];
    uint32_t offers_planned;
    uint32_t offers_used;
    struct desk_plan works[PLANS_MAX];
    uint32_t works_planned;
    uint32_t works_used;
    struct desk_work works_now[WORKS_MAX];
};

struct completion {
    struct ticket_id ticket;
    uint32_t attempt;
};

struct world_node {
    struct world *world;
    enum node_sort sort;
    const char *name;
    bool is_up;
    bool is_cut;
    bool has_stopped;
    bool is_registered;   /* the registry lists it */
    uint64_t incarnation; /* counts starts, over all nodes */
    struct core core;
    void *memory;
    struct trace trace;
    struct store_memory *journal; /* sites */
    struct world_agent agents[WORLD_AGENTS_MAX];
    uint32_t agent_count;
    struct desk desks[WORLD_AGENTS_MAX];
};

enum pending_kind {
    PENDING_MESSAGE,
    PENDING_LINK_DOWN,
    PENDING_STORED,
    PENDING_LOADED,
    PENDING_MEMBERS,
    PENDING_LEASE,
    PENDING_PLAN,
    PENDING_CLAIMED,
    PENDING_FORGET, /* the registry drops a crashed node */
    PENDING_DESK    /* an agent acts */
};

struct pending {
    enum pending_kind kind;
    int64_t due_ms;
    uint64_t order;
    uint32_t node;        /* CLIENT: the client */
    uint64_t incarnation; /* of the node when this was put in; gone with it */
    struct address from;  /* MESSAGE, LINK_DOWN, DESK */
    uint64_t connection;  /* MESSAGE: its number at the broker */
    uint8_t *header;      /* MESSAGE: frames, owned */
    uint32_t header_bytes;
    uint8_t *body;
    uint32_t body_bytes;
    uint64_t token;               /* STORED, LOADED */
    struct store_result *results; /* owned */
    uint32_t count;
    struct load_request load;
    uint32_t part; /* CLAIMED */
    uint64_t epoch;
    vt_err error;
    enum message_kind desk_kind; /* DESK */
    struct desk_work work;
    enum outcome_kind outcome;
    uint64_t offer;
};

struct world {
    int64_t now_ms;
    uint64_t order;
    uint64_t incarnations;
    uint64_t epoch;
    uint64_t connection_number;
    struct world_node nodes[NODES_MAX];
    uint32_t node_count;
    uint32_t site_of_broker[NODES_MAX]; /* agentd's list: the nth broker */
    uint32_t broker_count;
    struct connection connections[CONNECTIONS_MAX];
    uint32_t connection_count;
    struct pending pending[PENDING_MAX];
    uint32_t pending_count;
    struct ownership_key owners[64];
    uint32_t owner_count;
    struct store_memory *store;
    struct arena scratch; /* what events point at; emptied and spoiled after each */
    struct effects effects;
    struct text trace;
    struct ticket_id seen[SEEN_TICKETS_MAX]; /* T1, T2, ... in order of appearance */
    uint32_t seen_count;
    uint64_t refs;
    struct completion completions[COMPLETIONS_MAX]; /* every answer that an agent ever gave */
    uint32_t completion_count;
    struct plan plan;
};

/* world.c */
struct pending *world_add_pending(struct world *world, enum pending_kind kind, int64_t after_ms);
void world_step(struct world_node *node, struct event *event);
void world_tell_members(struct world *world);
void *world_allocate(uint64_t size);

/* world_nodes.c */
void world_forget_node(struct world *world, uint32_t node);

/* world_links.c */
void world_send(struct world *world, struct end from, const struct message *message);
void world_break_connections(struct world *world, uint32_t node);
void world_hang_up(struct world *world, struct end from);
void world_deliver(struct world *world, const struct pending *pending);
/* The client's connection to the first broker that is up, dialled anew if need be. */
bool world_client_end(struct world *world, struct end *end);

/* world_desk.c */
void world_desk_receive(struct world_node *node, uint32_t agent, const struct message *message);
void world_desk_act(struct world_node *node, const struct pending *pending);
void world_desk_forget(struct world_node *node);

/* world_client.c */
void world_client_receive(struct world *world, const struct message *message);

/* world_trace.c */
void world_line(struct world *world, const char *who, const char *line);
void world_add_ticket(struct text *text, struct ticket_id ticket);

/* world_plan.c */
struct plan world_example_plan(void);
struct bytes world_profile(const char *words, struct arena *arena);

#endif
