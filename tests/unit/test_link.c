#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <czmq.h>

#include "io/link.h"
#include "io/process.h"
#include "lib/check.h"

#define ECHOES 2000u
#define PATIENCE_MS 15000

/* A broker that answers each question, and a client that asks the next one only then. */
struct fixture {
    struct loop *loop;
    struct link_listener *listener;
    struct link_dialer *dialer;
    char bound[128];
    uint32_t wanted; /* echoes */
    uint32_t echoes;
    uint32_t downs;
    uint64_t last_peer;
};

static void ask(struct fixture *fixture)
{
    struct query query = {.ref = fixture->echoes + 1u, .what = QUERY_QUEUES};
    struct message message = {.header = {.kind = MESSAGE_QUERY}, .count = 1};
    message.query = &query;
    link_dialer_send(fixture->dialer, &message);
}

static void question_came(void *context, uint64_t peer, const struct message *message)
{
    struct fixture *fixture = context;
    fixture->last_peer = peer;
    for (uint32_t i = 0; i < message->count && message->header.kind == MESSAGE_QUERY; i++) {
        struct reply reply = {.ref = message->query[i].ref, .row = ROW_END};
        struct message answer = {.header = {.kind = MESSAGE_REPLY}, .count = 1};
        answer.reply = &reply;
        link_listener_send(fixture->listener, peer, &answer);
    }
}

static void answer_came(void *context, uint64_t peer, const struct message *message)
{
    struct fixture *fixture = context;
    assert_int_equal(peer, 7);
    assert_int_equal(message->header.kind, MESSAGE_REPLY);
    assert_int_equal(message->reply[0].ref, fixture->echoes + 1);
    fixture->echoes++;
    if (fixture->echoes == fixture->wanted) {
        loop_stop(fixture->loop);
    } else {
        ask(fixture);
    }
}

static void dialer_down(void *context, uint64_t peer)
{
    struct fixture *fixture = context;
    assert_int_equal(peer, 7);
    fixture->downs++;
    loop_stop(fixture->loop);
}

static void listener_down(void *context, uint64_t peer)
{
    (void) context;
    (void) peer;
}

static void open_links(struct fixture *fixture, const char *endpoint)
{
    struct link_listener_options listener = {
        .loop = fixture->loop,
        .edge = EDGE_CLIENT_TO_BROKER,
        .send_high_water = 100,
        .receive_high_water = 100,
        .events = {.message = question_came, .down = listener_down, .context = fixture}};
    assert_int_equal(link_listener_open(&listener, &fixture->listener), VT_OK);
    assert_int_equal(
        link_listener_bind(fixture->listener, endpoint, fixture->bound, sizeof fixture->bound),
        VT_OK);
    struct link_dialer_options dialer = {
        .loop = fixture->loop,
        .edge = EDGE_BROKER_TO_CLIENT,
        .peer = 7,
        .endpoint = fixture->bound,
        .high_water = 100,
        .events = {.message = answer_came, .down = dialer_down, .context = fixture}};
    assert_int_equal(link_dialer_open(&dialer, &fixture->dialer), VT_OK);
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    zsys_handler_set(NULL);
    fixture->loop = loop_open();
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    link_dialer_close(fixture->dialer);
    link_listener_close(fixture->listener);
    loop_close(fixture->loop);
    free(fixture);
    return 0;
}

/* A stall costs a second each (the loop's longest wait), so a few of them are seen. */
static void expect_echoes(struct fixture *fixture, uint32_t count)
{
    int64_t started_ms = process_now_ms();
    fixture->wanted = fixture->echoes + count;
    ask(fixture);
    loop_run(fixture->loop, started_ms + PATIENCE_MS);
    assert_int_equal(fixture->echoes, fixture->wanted);
}

static void with_a_window_of_one_nothing_stalls_over_tcp(void **state)
{
    open_links(*state, "tcp://127.0.0.1:*");
    expect_echoes(*state, ECHOES);
}

static void with_a_window_of_one_nothing_stalls_over_inproc(void **state)
{
    open_links(*state, "inproc://test-link");
    expect_echoes(*state, ECHOES);
}

static void a_port_in_use_is_a_conflict_and_a_foreign_address_invalid(void **state)
{
    struct fixture *fixture = *state;
    struct fixture other = {.loop = fixture->loop};
    open_links(fixture, "tcp://127.0.0.1:*");
    struct link_listener_options options = {
        .loop = fixture->loop, .edge = EDGE_CLIENT_TO_BROKER, .events = {.context = &other}};
    assert_int_equal(link_listener_open(&options, &other.listener), VT_OK);
    assert_int_equal(link_listener_bind(other.listener, fixture->bound, NULL, 0), VT_CONFLICT);
    assert_int_equal(link_listener_bind(other.listener, "tcp://192.0.2.1:7441", NULL, 0),
                     VT_INVALID);
    link_listener_close(other.listener);
}

/* ---- hostile peers ---- */

static int raw_connect(const struct fixture *fixture)
{
    const char *colon = strrchr(fixture->bound, ':');
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t) atoi(colon + 1)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *) &at, sizeof at), 0);
    return fd;
}

static void raw_send(int fd, const void *bytes, size_t size)
{
    (void) !send(fd, bytes, size, MSG_NOSIGNAL);
}

/* ZMTP 3.0: the greeting, and READY of a DEALER. */
static const uint8_t greeting[64] = {0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0, 'N', 'U', 'L', 'L'};
static const uint8_t ready[] = "\x04\x1c\x05READY\x0bSocket-Type\x00\x00\x00\x06"
                               "DEALER";

static void garbage_half_and_oversized_frames_hurt_nobody_else(void **state)
{
    struct fixture *fixture = *state;
    static uint8_t noise[4096];
    int fds[5];
    open_links(fixture, "tcp://127.0.0.1:*");
    expect_echoes(fixture, 10);
    for (size_t i = 0; i < sizeof noise; i++) {
        noise[i] = (uint8_t) (i * 37 + 11);
    }
    for (uint32_t i = 0; i < ARRAY_LENGTH(fds); i++) {
        fds[i] = raw_connect(fixture);
    }
    raw_send(fds[0], noise, sizeof noise);           /* no greeting at all */
    raw_send(fds[1], greeting, sizeof greeting / 2); /* half a greeting, then silence */
    raw_send(fds[2], greeting, sizeof greeting);     /* a frame of half a gigabyte */
    raw_send(fds[2], ready, sizeof ready - 1);
    raw_send(fds[2], "\x02\x00\x00\x00\x00\x20\x00\x00\x00", 9);
    raw_send(fds[2], noise, sizeof noise);
    raw_send(fds[3], greeting, sizeof greeting); /* a whole frame of noise */
    raw_send(fds[3], ready, sizeof ready - 1);
    raw_send(fds[3], "\x01\x10", 2);
    raw_send(fds[3], noise, 16);
    raw_send(fds[3], "\x00\x10", 2);
    raw_send(fds[3], noise, 16);
    raw_send(fds[4], greeting, sizeof greeting); /* half a frame, then gone */
    raw_send(fds[4], ready, sizeof ready - 1);
    raw_send(fds[4],
             "\x00\x40"
             "abc",
             5);
    close(fds[4]);
    expect_echoes(fixture, 500);
    int64_t until_ms = process_now_ms() + PATIENCE_MS;
    while (link_listener_figures(fixture->listener)->malformed == 0 &&
           process_now_ms() < until_ms) {
        loop_run(fixture->loop, process_now_ms() + 20);
    }
    assert_true(link_listener_figures(fixture->listener)->malformed > 0);
    for (uint32_t i = 0; i < 4; i++) {
        close(fds[i]);
    }
    expect_echoes(fixture, 100);
}

static zsock_t *dealer(const struct fixture *fixture, const char *identity)
{
    zsock_t *socket = zsock_new(ZMQ_DEALER);
    zsock_set_linger(socket, 0);
    if (identity != NULL) {
        zsock_set_identity(socket, identity);
    }
    assert_int_equal(zsock_connect(socket, "%s", fixture->bound), 0);
    return socket;
}

static void wait_malformed(struct fixture *fixture, uint64_t count)
{
    int64_t until_ms = process_now_ms() + PATIENCE_MS;
    while (link_listener_figures(fixture->listener)->malformed < count &&
           process_now_ms() < until_ms) {
        loop_run(fixture->loop, process_now_ms() + 10);
    }
    assert_int_equal(link_listener_figures(fixture->listener)->malformed, count);
}

static void messages_of_other_shapes_are_counted_and_dropped(void **state)
{
    struct fixture *fixture = *state;
    open_links(fixture, "tcp://127.0.0.1:*");
    expect_echoes(fixture, 1);
    zsock_t *peer = dealer(fixture, NULL);
    void *handle = zsock_resolve(peer);
    zmq_send(handle, "one", 3, 0);
    zmq_send(handle, "one", 3, ZMQ_SNDMORE);
    zmq_send(handle, "two", 3, 0);
    zmq_send(handle, "one", 3, ZMQ_SNDMORE);
    zmq_send(handle, "two", 3, ZMQ_SNDMORE);
    zmq_send(handle, "three", 5, 0);
    zmq_send(handle, "", 0, ZMQ_SNDMORE);
    zmq_send(handle, "", 0, 0);
    wait_malformed(fixture, 4);
    expect_echoes(fixture, 100);
    zsock_destroy(&peer);
}

static void a_routing_id_of_the_peers_choice_is_not_served(void **state)
{
    struct fixture *fixture = *state;
    open_links(fixture, "tcp://127.0.0.1:*");
    expect_echoes(fixture, 1);
    fixture->last_peer = UINT64_MAX;
    zsock_t *peer = dealer(fixture, "mine");
    void *handle = zsock_resolve(peer);
    zmq_send(handle, "one", 3, ZMQ_SNDMORE);
    zmq_send(handle, "two", 3, 0);
    wait_malformed(fixture, 1);
    assert_true(fixture->last_peer == UINT64_MAX);
    expect_echoes(fixture, 100);
    zsock_destroy(&peer);
}

/* ---- connections that end ---- */

static void a_broken_connection_is_told_once_and_dialled_again(void **state)
{
    struct fixture *fixture = *state;
    open_links(fixture, "tcp://127.0.0.1:*");
    expect_echoes(fixture, 10);
    link_listener_close(fixture->listener);
    fixture->listener = NULL;
    loop_run(fixture->loop, process_now_ms() + PATIENCE_MS);
    assert_int_equal(fixture->downs, 1);
    loop_run(fixture->loop, process_now_ms() + 50);
    assert_int_equal(fixture->downs, 1);

    ask(fixture); /* nobody listens: told again, once */
    loop_run(fixture->loop, process_now_ms() + PATIENCE_MS);
    assert_int_equal(fixture->downs, 2);

    struct link_listener_options again = {
        .loop = fixture->loop,
        .edge = EDGE_CLIENT_TO_BROKER,
        .send_high_water = 100,
        .receive_high_water = 100,
        .events = {.message = question_came, .down = listener_down, .context = fixture}};
    assert_int_equal(link_listener_open(&again, &fixture->listener), VT_OK);
    assert_int_equal(link_listener_bind(fixture->listener, fixture->bound, NULL, 0), VT_OK);
    expect_echoes(fixture, 10);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(with_a_window_of_one_nothing_stalls_over_tcp),
        TEST(with_a_window_of_one_nothing_stalls_over_inproc),
        TEST(a_port_in_use_is_a_conflict_and_a_foreign_address_invalid),
        TEST(garbage_half_and_oversized_frames_hurt_nobody_else),
        TEST(messages_of_other_shapes_are_counted_and_dropped),
        TEST(a_routing_id_of_the_peers_choice_is_not_served),
        TEST(a_broken_connection_is_told_once_and_dialled_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
