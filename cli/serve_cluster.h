#ifndef CLI_SERVE_CLUSTER_H
#define CLI_SERVE_CLUSTER_H

/* Broker, router and agentd in one process: one loop, one store thread, the in-process registry,
 * links over inproc with the same code as over TCP. `ventanilla serve` and `ventanilla demo` run
 * it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "agentd/agentd.h"
#include "io/agents_file.h"
#include "io/host.h"
#include "io/loop.h"
#include "io/plan_file.h"
#include "io/store.h"
#include "lib/err.h"
#include "lib/trace.h"

#define SERVE_MESSAGE_BYTES 512u
#define SERVE_ENDPOINT_BYTES 128u

struct serve_cluster;

struct serve_options {
    const char *data;                  /* folder of the store; created if absent */
    struct plan_file *plan;            /* gets its numbers from the store; must outlive it */
    const struct agentd_agent *agents; /* the agents of this process; NULL: no agentd */
    uint32_t agent_count;
    const char *site;    /* name of this process's site */
    const char *clients; /* "tcp://127.0.0.1:7441"; NULL: none */
    const char *sites;
    const char *routers;
    enum trace_level log_level;
    uint32_t waiting_max; /* tickets in the router's memory; 0: its default */
};

/* On error `message` says what, where and what to do. VT_CONFLICT: a port or the data folder is in
 * use; VT_DENIED, VT_NEWER, VT_CORRUPT, VT_FULL: of the data folder; VT_INVALID: an address. */
VT_MUST_USE vt_err serve_cluster_open(const struct serve_options *options,
                                      struct serve_cluster **cluster,
                                      char message[SERVE_MESSAGE_BYTES]);

struct loop *serve_cluster_loop(struct serve_cluster *cluster);
struct store *serve_cluster_store(struct serve_cluster *cluster);
struct trace *serve_cluster_trace(struct serve_cluster *cluster);
struct host *serve_cluster_agentd(struct serve_cluster *cluster); /* NULL: no agents here */

enum serve_part {
    SERVE_BROKER,
    SERVE_ROUTER,
    SERVE_AGENTD
};
#define SERVE_PART_COUNT 3
struct host *serve_cluster_host(struct serve_cluster *cluster, enum serve_part part); /* or NULL */

/* Where it really listens ("tcp://127.0.0.1:40123" for port 0); "" where it does not. */
const char *serve_cluster_endpoint(const struct serve_cluster *cluster, enum link link);

/* Starts to drain: the agents first, then the router, then the broker. Once more: be quick.
 * serve_cluster_is_stopped() tells when it is over; the loop stops by itself then. */
void serve_cluster_stop(struct serve_cluster *cluster, int64_t drain_ms);
bool serve_cluster_is_stopping(const struct serve_cluster *cluster);
bool serve_cluster_is_stopped(const struct serve_cluster *cluster);

/* The store last: what is queued is committed. Accepts NULL. */
void serve_cluster_close(struct serve_cluster *cluster);

#endif
