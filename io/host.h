#ifndef IO_HOST_H
#define IO_HOST_H

/* Runs one core on a loop: events in, effects out. Takes no decision: what a message means is the
 * core's business. Several hosts may share a loop and a store (ventanilla serve).
 */

#include <stdbool.h>
#include <stdint.h>

#include "io/link.h"
#include "io/loop.h"
#include "io/registry.h"
#include "io/store.h"
#include "lib/core.h"
#include "lib/err.h"

struct host;

/* Where the messages of LINK_DESK and LINK_LOCAL go: a module of this process. Called during the
 * core's step; must not call back into the host but by host_post() from a later turn. */
struct host_local {
    void (*message)(void *context, uint64_t peer, const struct message *message);
    void *context;
};

struct host_options {
    struct loop *loop;
    struct core core;
    const char *name; /* in the log */
    struct store *store;
    struct registry *registry; /* NULL: no EFFECT_CLAIM will come */
    uint32_t dialers_max;      /* LINK_BROKERS peers, 0.. */
};

VT_MUST_USE vt_err host_open(const struct host_options *options, struct host **host);
void host_close(struct host *host);

/* Edges; before the loop runs. A listener's address may be bound several times (TCP and inproc). */
VT_MUST_USE vt_err host_listen(
    struct host *host, enum link link, const char *endpoint, char *bound, uint32_t bound_size);
/* How LINK_BROKERS peer `peer` is reached. VT_FULL: not below dialers_max. */
struct host_dial {
    uint64_t peer;
    const char *endpoint;
    enum codec_edge edge; /* EDGE_BROKER_TO_ROUTER or EDGE_BROKER_TO_SITE */
};
VT_MUST_USE vt_err host_dial(struct host *host, const struct host_dial *dial);
/* Puts the host's node on the registry's list; it hears from it with registry_turn(). */
VT_MUST_USE vt_err host_join(struct host *host, struct node *node);
void host_attach(struct host *host, enum link link, const struct host_local *local);

/* Gives the core an event from this process; times are filled in. */
void host_post(struct host *host, struct event *event);
void host_post_message(struct host *host, struct address from, const struct message *message);

/* Asks the core to drain until `deadline_ms`; a second call asks it to be quick. */
void host_stop(struct host *host, int64_t deadline_ms);
bool host_is_stopped(const struct host *host);

/* Sums over the host's links. */
struct link_figures host_link_figures(const struct host *host);

#endif
