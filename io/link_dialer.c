#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <czmq.h>

#include "io/endpoint.h"
#include "io/link.h"
#include "io/link_frames.h"
#include "io/process.h"
#include "lib/check.h"

#define ENDPOINT_BYTES 256
#define LINGER_MS 200

struct link_dialer {
    zsock_t *socket;  /* NULL: not dialled */
    zsock_t *monitor; /* tells of connections that broke or could not be made */
    void *handle;
    void *monitor_handle;
    struct loop *loop;
    struct link_events events;
    struct link_codec codec;
    uint64_t peer;
    int high_water;
    char endpoint[ENDPOINT_BYTES];
};

vt_err link_dialer_open(const struct link_dialer_options *options, struct link_dialer **out)
{
    struct link_dialer *dialer = calloc(1, sizeof *dialer);
    if (dialer == NULL || strlen(options->endpoint) >= ENDPOINT_BYTES) {
        free(dialer);
        return VT_UNAVAILABLE;
    }
    if (link_codec_open(&dialer->codec, options->edge) != VT_OK) {
        link_dialer_close(dialer);
        return VT_UNAVAILABLE;
    }
    dialer->loop = options->loop;
    dialer->events = options->events;
    dialer->peer = options->peer;
    dialer->high_water = options->high_water;
    snprintf(dialer->endpoint, sizeof dialer->endpoint, "%s", options->endpoint);
    *out = dialer;
    return VT_OK;
}

static void dialer_ready(void *context)
{
    struct link_dialer *dialer = context;
    for (uint32_t i = 0; i < LINK_DRAIN_MAX && dialer->socket != NULL; i++) {
        struct message message;
        enum link_receive got = link_codec_receive(&dialer->codec, dialer->handle, NULL, &message);
        if (got == LINK_EMPTY) {
            return;
        }
        if (got == LINK_RECEIVED) {
            dialer->events.message(dialer->events.context, dialer->peer, &message);
        }
    }
}

/* Whatever the monitor says is an end: what was connected is gone, or could not be connected. What
 * had arrived before is delivered first. */
static void monitor_ready(void *context)
{
    struct link_dialer *dialer = context;
    dialer_ready(dialer);
    if (dialer->socket == NULL) {
        return;
    }
    zsock_set_linger(dialer->socket,
                     0); /* libzmq would still deliver, with nobody to hear answers */
    link_dialer_hang_up(dialer);
    dialer->events.down(dialer->events.context, dialer->peer);
}

static bool watch(struct link_dialer *dialer)
{
    char name[64];
    /* Never the name of an earlier one: libzmq ends those in the background. */
    snprintf(name, sizeof name, "inproc://dialer-%016" PRIx64, process_random_u64());
    int events = ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CONNECT_RETRIED |
                 ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                 ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
    if (zmq_socket_monitor(dialer->handle, name, events) != 0) {
        return false;
    }
    dialer->monitor = zsock_new(ZMQ_PAIR);
    if (dialer->monitor == NULL || zsock_connect(dialer->monitor, "%s", name) != 0) {
        return false;
    }
    dialer->monitor_handle = zsock_resolve(dialer->monitor);
    struct loop_source source = {
        .socket = dialer->monitor_handle, .ready = monitor_ready, .context = dialer};
    return loop_add(dialer->loop, &source) == VT_OK;
}

static bool dial(struct link_dialer *dialer)
{
    dialer->socket = zsock_new(ZMQ_DEALER);
    if (dialer->socket == NULL) {
        return false;
    }
    dialer->handle = zsock_resolve(dialer->socket);
    zsock_set_sndtimeo(dialer->socket, 0);
    zsock_set_linger(dialer->socket, LINGER_MS);
    link_codec_keep_alive(dialer->socket);
    zsock_set_sndhwm(dialer->socket, dialer->high_water);
    zsock_set_rcvhwm(dialer->socket, dialer->high_water);
    zsock_set_ipv6(dialer->socket, endpoint_is_ipv6(dialer->endpoint) ? 1 : 0);

    struct loop_source source = {
        .socket = dialer->handle, .ready = dialer_ready, .context = dialer};
    return loop_add(dialer->loop, &source) == VT_OK && watch(dialer) &&
           zsock_connect(dialer->socket, "%s", dialer->endpoint) == 0;
}

void link_dialer_send(struct link_dialer *dialer, const struct message *message)
{
    if (dialer->socket == NULL && !dial(dialer)) {
        link_dialer_hang_up(dialer);
        dialer->events.down(dialer->events.context, dialer->peer);
        return;
    }
    (void) link_codec_send(&dialer->codec, dialer->handle, NULL, message);
}

void link_dialer_hang_up(struct link_dialer *dialer)
{
    if (dialer->monitor_handle != NULL) {
        loop_remove(dialer->loop, dialer->monitor_handle, -1);
        zmq_socket_monitor(dialer->handle, NULL, 0);
    }
    if (dialer->handle != NULL) {
        loop_remove(dialer->loop, dialer->handle, -1);
    }
    zsock_destroy(&dialer->monitor);
    zsock_destroy(&dialer->socket);
    dialer->monitor_handle = NULL;
    dialer->handle = NULL;
}

const struct link_figures *link_dialer_figures(const struct link_dialer *dialer)
{
    return &dialer->codec.figures;
}

void link_dialer_close(struct link_dialer *dialer)
{
    if (dialer == NULL) {
        return;
    }
    link_dialer_hang_up(dialer);
    link_codec_close(&dialer->codec);
    free(dialer);
}
