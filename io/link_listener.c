#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <czmq.h>

#include "io/endpoint.h"
#include "io/link.h"
#include "io/link_frames.h"
#include "lib/check.h"

#define HANDSHAKE_MS 5000
#define BACKLOG 1024 /* connections not yet accepted; more and each waits a second for its turn */
#define LINGER_MS 200

/* A message's frames are bounded by libzmq before a byte of them is looked at. */
#define FRAME_BYTES_MAX (MESSAGE_FRAME_BYTES_MAX + 1024)

struct link_listener {
    zsock_t *socket;
    void *handle; /* the libzmq socket in it */
    struct loop *loop;
    struct link_events events;
    struct link_codec codec;
};

static void listener_ready(void *context)
{
    struct link_listener *listener = context;
    for (uint32_t i = 0; i < LINK_DRAIN_MAX; i++) {
        struct message message;
        uint64_t peer = 0;
        enum link_receive got =
            link_codec_receive(&listener->codec, listener->handle, &peer, &message);
        if (got == LINK_EMPTY) {
            return;
        }
        if (got == LINK_RECEIVED) {
            listener->events.message(listener->events.context, peer, &message);
        }
    }
}

vt_err link_listener_open(const struct link_listener_options *options, struct link_listener **out)
{
    struct link_listener *listener = calloc(1, sizeof *listener);
    if (listener == NULL) {
        return VT_UNAVAILABLE;
    }

    listener->loop = options->loop;
    listener->events = options->events;
    vt_err err = link_codec_open(&listener->codec, options->edge);
    listener->socket = zsock_new(ZMQ_ROUTER);
    if (err != VT_OK || listener->socket == NULL) {
        link_listener_close(listener);
        return VT_UNAVAILABLE;
    }
    listener->handle = zsock_resolve(listener->socket);
    zsock_set_backlog(listener->socket, BACKLOG);
    zsock_set_router_mandatory(listener->socket, 1);
    zsock_set_sndtimeo(listener->socket, 0);
    zsock_set_linger(listener->socket, LINGER_MS);
    zsock_set_maxmsgsize(listener->socket, FRAME_BYTES_MAX);
    zsock_set_handshake_ivl(listener->socket, HANDSHAKE_MS);
    link_codec_keep_alive(listener->socket);
    zsock_set_sndhwm(listener->socket, options->send_high_water);
    zsock_set_rcvhwm(listener->socket, options->receive_high_water);

    struct loop_source source = {
        .socket = listener->handle, .ready = listener_ready, .context = listener};
    err = loop_add(listener->loop, &source);
    if (err != VT_OK) {
        link_listener_close(listener);
        return err;
    }
    *out = listener;
    return VT_OK;
}

vt_err link_listener_bind(struct link_listener *listener,
                          const char *endpoint,
                          char *bound,
                          uint32_t bound_size)
{
    zsock_set_ipv6(listener->socket, endpoint_is_ipv6(endpoint) ? 1 : 0);
    if (zmq_bind(listener->handle, endpoint) != 0) {
        if (errno == EADDRINUSE) {
            return VT_CONFLICT;
        }
        return errno == EACCES || errno == EPERM ? VT_DENIED : VT_INVALID;
    }
    if (bound != NULL) {
        size_t size = bound_size;
        int got = zmq_getsockopt(listener->handle, ZMQ_LAST_ENDPOINT, bound, &size);
        CHECK(got == 0);
    }
    return VT_OK;
}

void link_listener_send(struct link_listener *listener,
                        uint64_t peer,
                        const struct message *message)
{
    if (link_codec_send(&listener->codec, listener->handle, &peer, message) == LINK_GONE) {
        listener->events.down(listener->events.context, peer);
    }
}

const struct link_figures *link_listener_figures(const struct link_listener *listener)
{
    return &listener->codec.figures;
}

void link_listener_close(struct link_listener *listener)
{
    if (listener == NULL) {
        return;
    }
    if (listener->handle != NULL) {
        loop_remove(listener->loop, listener->handle, -1);
    }
    zsock_destroy(&listener->socket);
    link_codec_close(&listener->codec);
    free(listener);
}
