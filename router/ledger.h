#ifndef ROUTER_LEDGER_H
#define ROUTER_LEDGER_H

/* What memory knows of each open ticket of our partitions: takes rows in (never an older one over a
 * newer), sets the ticket's stage, counts it, binds an assigned one to its site and to a slot of
 * its agent, and asks for what falls due. The durable truth is the row; this follows it.
 */

#include "lib/list.h"
#include "lib/timers.h"
#include "proto/message.h"
#include "router/tickets.h"

struct router;
struct arena;

/* Beside each row of tickets. */
struct ledger_row {
    uint32_t holder; /* row in the roster + 1 whose slot is counted; 0: none */
    uint32_t site;   /* row in sites + 1; 0: none */
    uint32_t queue;  /* row in figures */
    uint8_t is_dirty;
    uint8_t is_confirm_asked; /* its body is being read for another CONFIRM */
    uint8_t is_behind;        /* a message was stored behind what is in flight for it */
    uint64_t confirm_seq;     /* of its CONFIRM under this epoch; 0: none was sent */
};

struct ledger {
    struct ledger_row *rows;
    struct timers timers;          /* by ticket: due, grace, or another try */
    struct list dirty_tickets;     /* to be matched */
    struct list_link *dirty_links; /* by ticket */
    struct list dirty_agents;
    struct list_link *agent_links;
    uint64_t *is_agent_dirty; /* set */
};

void ledger_init(struct router *router, struct arena *arena);

/* A row as the store has it. Older ones than memory's are ignored. */
void ledger_take(struct router *router, const struct ticket_row *row);

/* The same for a row that was read after a request of ours failed or was lost: it ends whatever was
 * in flight for the ticket. */
void ledger_take_over(struct router *router, const struct ticket_row *row);

/* A request is committed. The ticket may be unknown here. */
void ledger_commit(struct router *router, const struct store_request *request);

/* A message of the requester was stored: number of messages, wish for a person. */
void ledger_note(struct router *router, const struct ticket_row *row);

/* What was in flight for the ticket is decided: its row is read if a note came in meanwhile. */
void ledger_catch_up(struct router *router, struct ticket_id id);

/* Out of memory, with everything that hangs on it but its offer (CHECK). */
void ledger_forget(struct router *router, uint32_t ticket);

void ledger_stage(struct router *router, uint32_t ticket, enum stage stage);

/* Waits again after an offer ended, or goes DEAD when it failed too often. */
void ledger_wait(struct router *router, uint32_t ticket);

/* ASSIGNED, but its site must say first that it holds it: grace begins now. */
void ledger_verify(struct router *router, uint32_t ticket);

/* The site says so. */
void ledger_verified(struct router *router, uint32_t ticket);

/* ASSIGNED -> QUEUED by loss; `cause` as for STORE_REQUEUE. */
void ledger_requeue(struct router *router, uint32_t ticket, enum requeue_cause cause);

/* Binds to the site and to the agent's slot what the rows say; counts slots of an agent that was
 * not known before. */
void ledger_bind(struct router *router, uint32_t ticket, uint32_t agent_id, uint32_t site_id);
void ledger_bind_agent(struct router *router, uint32_t site, uint32_t agent);

/* Timers that are due; at most `count` of them. */
void ledger_due(struct router *router, uint32_t count);

void ledger_touch_ticket(struct router *router, uint32_t ticket);
void ledger_touch_agent(struct router *router, uint32_t agent);

/* The row as memory knows it. The requirements are lent until the ticket's class changes. */
struct ticket_row ledger_row_of(const struct router *router, uint32_t ticket);

/* Fields of a request about this ticket. */
struct store_request
ledger_request(const struct router *router, uint32_t ticket, enum store_kind kind);

#endif
