#ifndef IO_HTTP_H
#define IO_HTTP_H

/* The process's HTTP port: /livez, /readyz (?verbose) and /metrics (Prometheus text 0.0.4). What
 * they say comes from the cores (QUERY_CHECKS, QUERY_METRICS over LINK_LOCAL), the store and the
 * links. libmicrohttpd runs inside the loop; every answer is complete before its handler returns.
 * Bounds: 64 connections, one request on each, 15 s for all of it, headers of 32 KiB, no body.
 */

#include <stdbool.h>
#include <stdint.h>

#include "io/host.h"
#include "io/loop.h"
#include "io/store.h"
#include "lib/err.h"

#define HTTP_SOURCES_MAX 4u
#define HTTP_MESSAGE_BYTES 256u
#define HTTP_ADDRESS_BYTES 96u

struct http;

struct http_source {
    const char *name; /* label `node` */
    struct host *host;
};

struct http_options {
    struct loop *loop;
    const char *address; /* HOST:PORT, numeric host; port 0: any */
    struct http_source sources[HTTP_SOURCES_MAX];
    uint32_t source_count;
    struct store *store; /* NULL: none */
    bool (*is_draining)(void *context);
    void *context;
};

/* Attaches itself to LINK_LOCAL of every source. VT_CONFLICT: the port is in use; VT_DENIED;
 * VT_INVALID: not an address of this machine. `message` says it for people. */
VT_MUST_USE vt_err http_open(const struct http_options *options,
                             struct http **http,
                             char message[HTTP_MESSAGE_BYTES]);

/* Before the hosts are closed; the loop must not run any more. NULL is fine. */
void http_close(struct http *http);

/* Where it really listens, as "127.0.0.1:8080". */
const char *http_address(const struct http *http);

#endif
