#include "io/link_frames.h"

#include <errno.h>
#include <string.h>

#include "io/process.h"
#include "lib/check.h"

#define KEEPALIVE_IDLE_S 10
#define KEEPALIVE_INTERVAL_S 5
#define KEEPALIVE_PROBES 3

#define ARENA_BYTES (UINT64_C(8) * 1024u * 1024u)

/* Routing ids that libzmq gives itself: a zero byte and a counter. A peer cannot choose one that
 * begins with zero, so whatever has another form was chosen by the peer and is not served. */
#define IDENTITY_BYTES 5u

vt_err link_codec_open(struct link_codec *codec, enum codec_edge edge)
{
    memset(codec, 0, sizeof *codec);
    codec->edge = edge;
    zmq_msg_init(&codec->header);
    zmq_msg_init(&codec->body);
    vt_err err = process_reserve(ARENA_BYTES, &codec->decode);
    if (err != VT_OK) {
        return err;
    }
    return process_reserve(ARENA_BYTES, &codec->encode);
}

void link_codec_close(struct link_codec *codec)
{
    zmq_msg_close(&codec->header);
    zmq_msg_close(&codec->body);
    process_unreserve(&codec->decode);
    process_unreserve(&codec->encode);
}

void link_codec_keep_alive(zsock_t *socket)
{
    zsock_set_tcp_keepalive(socket, 1);
    zsock_set_tcp_keepalive_idle(socket, KEEPALIVE_IDLE_S);
    zsock_set_tcp_keepalive_intvl(socket, KEEPALIVE_INTERVAL_S);
    zsock_set_tcp_keepalive_cnt(socket, KEEPALIVE_PROBES);
}

static bool is_last_frame(zmq_msg_t *frame)
{
    return zmq_msg_more(frame) == 0;
}

/* A message has exactly its frames; of anything longer the rest is read and thrown away. */
static void skip_rest(void *socket)
{
    int more = 1;
    while (more != 0) {
        zmq_msg_t frame;
        zmq_msg_init(&frame);
        bool is_read = zmq_msg_recv(&frame, socket, ZMQ_DONTWAIT) >= 0;
        more = is_read ? zmq_msg_more(&frame) : 0;
        zmq_msg_close(&frame);
    }
}

static uint64_t identity_number(const uint8_t *bytes)
{
    return (uint64_t) bytes[1] << 24 | (uint64_t) bytes[2] << 16 | (uint64_t) bytes[3] << 8 |
           (uint64_t) bytes[4];
}

static void identity_bytes(uint64_t number, uint8_t bytes[IDENTITY_BYTES])
{
    bytes[0] = 0;
    bytes[1] = (uint8_t) (number >> 24);
    bytes[2] = (uint8_t) (number >> 16);
    bytes[3] = (uint8_t) (number >> 8);
    bytes[4] = (uint8_t) number;
}

/* LINK_EMPTY: nothing there. LINK_MALFORMED: an identity of the peer's own choice. */
static enum link_receive receive_identity(void *socket, uint64_t *identity)
{
    uint8_t bytes[256];
    int size = zmq_recv(socket, bytes, sizeof bytes, ZMQ_DONTWAIT);
    if (size < 0) {
        return LINK_EMPTY;
    }
    if (size != (int) IDENTITY_BYTES || bytes[0] != 0) {
        skip_rest(socket);
        return LINK_MALFORMED;
    }
    *identity = identity_number(bytes);
    return LINK_RECEIVED;
}

static enum link_receive receive_frames(struct link_codec *codec, void *socket)
{
    if (zmq_msg_recv(&codec->header, socket, ZMQ_DONTWAIT) < 0) {
        return LINK_EMPTY;
    }
    if (is_last_frame(&codec->header)) {
        return LINK_MALFORMED;
    }
    if (zmq_msg_recv(&codec->body, socket, ZMQ_DONTWAIT) < 0) {
        return LINK_MALFORMED;
    }
    if (!is_last_frame(&codec->body)) {
        skip_rest(socket);
        return LINK_MALFORMED;
    }
    return LINK_RECEIVED;
}

static struct bytes frame_bytes(zmq_msg_t *frame)
{
    return (struct bytes){.data = zmq_msg_data(frame), .size = (uint32_t) zmq_msg_size(frame)};
}

enum link_receive link_codec_receive(struct link_codec *codec,
                                     void *socket,
                                     uint64_t *identity,
                                     struct message *message)
{
    enum link_receive got = LINK_RECEIVED;
    if (identity != NULL) {
        got = receive_identity(socket, identity);
    }
    if (got == LINK_RECEIVED) {
        got = receive_frames(codec, socket);
    }
    if (got == LINK_EMPTY) {
        return LINK_EMPTY;
    }

    codec->figures.received++;
    arena_reset(&codec->decode);
    if (got == LINK_MALFORMED || codec_decode(codec->edge,
                                              frame_bytes(&codec->header),
                                              frame_bytes(&codec->body),
                                              &codec->decode,
                                              message) != VT_OK) {
        codec->figures.malformed++;
        return LINK_MALFORMED;
    }
    return LINK_RECEIVED;
}

static enum link_sent send_frame(void *socket, struct bytes frame, int flags)
{
    int sent = 0;
    do {
        sent = zmq_send(socket, frame.data, frame.size, flags | ZMQ_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    if (sent >= 0) {
        return LINK_SENT;
    }
    return errno == EHOSTUNREACH ? LINK_GONE : LINK_DROPPED;
}

/* Only the first frame can fail: libzmq takes a message whole or not at all. */
static enum link_sent
send_frames(void *socket, const uint64_t *identity, struct bytes header, struct bytes body)
{
    if (identity != NULL) {
        uint8_t bytes[IDENTITY_BYTES];
        identity_bytes(*identity, bytes);
        enum link_sent sent = send_frame(socket, bytes_of(bytes, IDENTITY_BYTES), ZMQ_SNDMORE);
        if (sent != LINK_SENT) {
            return sent;
        }
    }
    enum link_sent sent = send_frame(socket, header, ZMQ_SNDMORE);
    if (sent != LINK_SENT) {
        return sent;
    }
    return send_frame(socket, body, 0);
}

enum link_sent link_codec_send(struct link_codec *codec,
                               void *socket,
                               const uint64_t *identity,
                               const struct message *message)
{
    uint32_t first = 0;
    do {
        struct codec_encoded encoded;
        arena_reset(&codec->encode);
        vt_err err = codec_encode(message, first, &codec->encode, &encoded);
        CHECK(err == VT_OK);
        enum link_sent sent = send_frames(socket, identity, encoded.header, encoded.body);
        if (sent != LINK_SENT) {
            codec->figures.dropped++;
            return sent;
        }
        codec->figures.sent++;
        first += encoded.packed;
    } while (first < message->count);
    return LINK_SENT;
}
