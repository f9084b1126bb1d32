#ifndef IO_LINK_FRAMES_H
#define IO_LINK_FRAMES_H

/* Frames of one message, shared by listener and dialer. Internal to io/link*.c. */

#include <stdbool.h>

#include <czmq.h>
#include <zmq.h>

#include "io/link.h"

struct link_codec {
    enum codec_edge edge;
    struct arena decode; /* reset for each message: what is decoded is lent for one event */
    struct arena encode;
    zmq_msg_t header; /* the frames received last: carried messages point into them */
    zmq_msg_t body;
    struct link_figures figures;
};

VT_MUST_USE vt_err link_codec_open(struct link_codec *codec, enum codec_edge edge);
void link_codec_close(struct link_codec *codec);

/* TCP's keepalive finds dead connections, and the protocol's own PING, OWNS and BEAT do. ZMTP's
 * heartbeats stay off: in libzmq 4.3.4 the heartbeat's timer of a connection that broke while its
 * input was held back by the high-water mark ends the process (stream_engine_base.cpp:331). */
void link_codec_keep_alive(zsock_t *socket);

enum link_receive {
    LINK_RECEIVED,
    LINK_EMPTY,
    LINK_MALFORMED
};

/* Takes one message off `socket`. `identity` is filled for sockets that give one (it is then the
 * connection's number), or NULL. The message is lent until the next call. */
enum link_receive link_codec_receive(struct link_codec *codec,
                                     void *socket,
                                     uint64_t *identity,
                                     struct message *message);

/* What became of a send. */
enum link_sent {
    LINK_SENT,
    LINK_DROPPED,
    LINK_GONE
};

/* Sends all entries of `message`, in as many messages as they need. `identity` as above. */
enum link_sent link_codec_send(struct link_codec *codec,
                               void *socket,
                               const uint64_t *identity,
                               const struct message *message);

#endif
