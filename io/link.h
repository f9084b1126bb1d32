#ifndef IO_LINK_H
#define IO_LINK_H

/* ZeroMQ sockets as cores know them: a listener (ROUTER) whose peers are connections, and dialers
 * (one DEALER each) to brokers. Frames become struct message here and back (proto/codec.h). A send
 * never blocks and may be lost. A listener may be bound to TCP and to inproc at once: inside one
 * process the very same code runs.
 */

#include <stdbool.h>
#include <stdint.h>

#include "io/loop.h"
#include "lib/core.h"
#include "lib/err.h"
#include "proto/codec.h"
#include "proto/message.h"

#define LINK_DRAIN_MAX 256u /* messages taken from one socket in one turn */

struct link_events {
    void (*message)(void *context, uint64_t peer, const struct message *message);
    void (*down)(void *context, uint64_t peer); /* that connection is gone */
    void *context;
};

struct link_figures {
    uint64_t received;
    uint64_t sent;
    uint64_t dropped;   /* peer gone, or its high-water mark reached */
    uint64_t malformed; /* did not decode; dropped */
};

/* ---- listener: broker's side ---- */

struct link_listener;

struct link_listener_options {
    struct loop *loop;
    enum codec_edge edge; /* what comes in */
    int send_high_water;  /* messages per peer */
    int receive_high_water;
    struct link_events events;
};

/* VT_UNAVAILABLE: no socket to be had. */
VT_MUST_USE vt_err link_listener_open(const struct link_listener_options *options,
                                      struct link_listener **listener);

/* "tcp://127.0.0.1:7441", "tcp://127.0.0.1:*", "inproc://name". VT_CONFLICT: in use; VT_DENIED;
 * VT_INVALID: not an address of this machine. `bound` (if not NULL) gets the real endpoint. */
VT_MUST_USE vt_err link_listener_bind(struct link_listener *listener,
                                      const char *endpoint,
                                      char *bound,
                                      uint32_t bound_size);

void link_listener_send(struct link_listener *listener,
                        uint64_t peer,
                        const struct message *message);
const struct link_figures *link_listener_figures(const struct link_listener *listener);
void link_listener_close(struct link_listener *listener);

/* ---- dialer: routers', agent sites' and clients' side ---- */

struct link_dialer;

struct link_dialer_options {
    struct loop *loop;
    enum codec_edge edge; /* what comes in */
    uint64_t peer;        /* what events call it */
    const char *endpoint; /* copied */
    int high_water;       /* messages, each way */
    struct link_events events;
};

/* Connects at the first send. */
VT_MUST_USE vt_err link_dialer_open(const struct link_dialer_options *options,
                                    struct link_dialer **dialer);
/* Dials if there is no connection. When it breaks (or cannot be made), `down` is called once and
 * the next send dials anew, with nothing left over from before. */
void link_dialer_send(struct link_dialer *dialer, const struct message *message);
void link_dialer_hang_up(struct link_dialer *dialer); /* no `down` is called */
const struct link_figures *link_dialer_figures(const struct link_dialer *dialer);
void link_dialer_close(struct link_dialer *dialer);

#endif
