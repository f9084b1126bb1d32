#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/http.h"
#include "io/process.h"
#include "lib/check.h"
#include "proto/message.h"

#define ANSWER_BYTES 65536u
#define PATIENCE_MS 10000

/* A core that answers for itself over LINK_LOCAL. */
struct fixture {
    struct loop *loop;
    struct host *host;
    struct http *http;
    bool is_draining;
    bool is_ready;
    char answer[ANSWER_BYTES];
    uint32_t answer_size;
};

static const struct metric metrics[] = {
    {.name = {(const uint8_t *) "ventanilla_b_total", 18},
     .labels = {(const uint8_t *) "queue=\"y\"", 9},
     .help = {(const uint8_t *) "Help of b.", 10},
     .type = METRIC_COUNTER,
     .value = 5,
     .divisor = 1},
    {.name = {(const uint8_t *) "ventanilla_a_seconds", 20},
     .help = {(const uint8_t *) "Help\nof \\ a.", 12},
     .type = METRIC_GAUGE,
     .value = -1500,
     .divisor = 1000},
    {.name = {(const uint8_t *) "ventanilla_b_total", 18},
     .labels = {(const uint8_t *) "queue=\"x\"", 9},
     .help = {(const uint8_t *) "Help of b.", 10},
     .type = METRIC_COUNTER,
     .value = 7,
     .divisor = 1},
};

static void answer_query(struct fixture *fixture, struct effects *out, const struct event *event)
{
    static struct reply replies[4];
    static struct message message;
    bool is_metrics = event->received.message->query[0].what == QUERY_METRICS;
    uint32_t count = 0;
    for (uint32_t i = 0; is_metrics && i < 3; i++) {
        replies[count++] = (struct reply){.row = ROW_METRIC, .metric = metrics[i]};
    }
    if (!is_metrics) {
        replies[count++] = (struct reply){
            .row = ROW_CHECK,
            .check = {bytes_of_text("work"), fixture->is_ready, bytes_of_text("as it is")}};
    }
    replies[count++] = (struct reply){.row = ROW_END};
    message = (struct message){.header = {.kind = MESSAGE_REPLY}, .count = count};
    message.reply = replies;
    struct effect *effect = effects_add(out, EFFECT_SEND);
    effect->send.to = event->received.from;
    effect->send.message = &message;
}

static void core_step(void *self, const struct event *event, struct effects *out)
{
    if (event->kind == EVENT_MESSAGE && event->received.from.link == LINK_LOCAL) {
        answer_query(self, out, event);
    }
}

static int64_t core_deadline(const void *self)
{
    (void) self;
    return NO_DEADLINE;
}

static bool is_draining(void *context)
{
    return ((struct fixture *) context)->is_draining;
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    char message[HTTP_MESSAGE_BYTES];
    fixture->is_ready = true;
    fixture->loop = loop_open();
    struct host_options host = {
        .loop = fixture->loop, .core = {fixture, core_step, core_deadline}, .name = "test"};
    assert_int_equal(host_open(&host, &fixture->host), VT_OK);
    struct http_options options = {.loop = fixture->loop,
                                   .address = "127.0.0.1:0",
                                   .sources = {{"test", fixture->host}},
                                   .source_count = 1,
                                   .is_draining = is_draining,
                                   .context = fixture};
    assert_int_equal(http_open(&options, &fixture->http, message), VT_OK);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    http_close(fixture->http);
    host_close(fixture->host);
    loop_close(fixture->loop);
    free(fixture);
    return 0;
}

static int raw_connect(const struct fixture *fixture)
{
    const char *colon = strrchr(http_address(fixture->http), ':');
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t) atoi(colon + 1)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *) &at, sizeof at), 0);
    (void) fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

/* Runs the loop until the other side closes; what it said is in `answer`. */
static void read_answer(struct fixture *fixture, int fd)
{
    int64_t until_ms = process_now_ms() + PATIENCE_MS;
    ssize_t got = -1;
    fixture->answer_size = 0;
    while (got != 0 && process_now_ms() < until_ms) {
        loop_run(fixture->loop, process_now_ms() + 2);
        got = read(
            fd, fixture->answer + fixture->answer_size, ANSWER_BYTES - 1 - fixture->answer_size);
        fixture->answer_size += got > 0 ? (uint32_t) got : 0;
    }
    assert_int_equal(got, 0);
    fixture->answer[fixture->answer_size] = '\0';
    close(fd);
}

static void request(struct fixture *fixture, const char *text)
{
    int fd = raw_connect(fixture);
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t) strlen(text));
    read_answer(fixture, fd);
}

static void expect(const struct fixture *fixture, const char *part)
{
    if (strstr(fixture->answer, part) == NULL) {
        fail_msg("'%s' is not in:\n%s", part, fixture->answer);
    }
}

static void livez_asks_nobody(void **state)
{
    struct fixture *fixture = *state;
    fixture->is_ready = false;
    fixture->is_draining = true;
    request(fixture, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(fixture, "HTTP/1.1 200 OK");
    expect(fixture, "\r\n\r\nok\n");
}

static void readyz_is_what_the_checks_say(void **state)
{
    struct fixture *fixture = *state;
    request(fixture, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(fixture, "HTTP/1.1 200 OK");
    expect(fixture, "\r\n\r\nready\n");
    request(fixture, "GET /readyz?verbose HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(fixture, "[+] test work: as it is\n");

    fixture->is_ready = false;
    request(fixture, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(fixture, "HTTP/1.1 503 ");
    expect(fixture, "[-] test work: as it is\nnot ready\n");
}

static void readyz_is_503_as_soon_as_the_process_drains(void **state)
{
    struct fixture *fixture = *state;
    fixture->is_draining = true;
    request(fixture, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(fixture, "HTTP/1.1 503 ");
    expect(fixture, "[-] process draining: this process is stopping\n");
}

static void metrics_of_one_name_stand_together_below_its_help(void **state)
{
    struct fixture *fixture = *state;
    request(fixture, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(fixture, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
    expect(fixture,
           "# HELP ventanilla_a_seconds Help of \\\\ a.\n# TYPE ventanilla_a_seconds gauge\n"
           "ventanilla_a_seconds -1.500\n"
           "# HELP ventanilla_b_total Help of b.\n# TYPE ventanilla_b_total counter\n"
           "ventanilla_b_total{queue=\"x\"} 7\nventanilla_b_total{queue=\"y\"} 5\n");
    expect(fixture, "ventanilla_build_info{version=\"");
    expect(fixture, "\nprocess_resident_memory_bytes ");
    expect(fixture, "ventanilla_link_received_total{node=\"test\"} 0\n");
}

static void other_pages_are_404_and_other_methods_405(void **state)
{
    struct fixture *fixture = *state;
    request(fixture, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(fixture, "HTTP/1.1 404 ");
    expect(fixture, "/livez");
    request(fixture, "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
    expect(fixture, "HTTP/1.1 405 ");
    expect(fixture, "Allow: GET, HEAD\r\n");
    request(fixture, "HEAD /livez HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(fixture, "HTTP/1.1 200 OK");
}

static void what_is_not_http_or_too_large_is_sent_away_and_others_are_served(void **state)
{
    struct fixture *fixture = *state;
    static char large[200000];
    int idle = raw_connect(fixture); /* says nothing, and holds its connection */
    request(fixture, "no http\r\n\r\n");
    assert_null(strstr(fixture->answer, "200"));
    memset(large, 'a', sizeof large - 1);
    memcpy(large, "GET /", 5);
    int fd = raw_connect(fixture);
    (void) !send(fd, large, sizeof large - 1, MSG_NOSIGNAL);
    int64_t until_ms = process_now_ms() + 200;
    while (process_now_ms() < until_ms) {
        loop_run(fixture->loop, until_ms);
    }
    close(fd);
    request(fixture, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(fixture, "HTTP/1.1 200 OK");
    close(idle);
}

static void after_too_many_connections_the_next_one_is_served(void **state)
{
    struct fixture *fixture = *state;
    int idle[64]; /* as many as it takes at once */
    for (uint32_t i = 0; i < ARRAY_LENGTH(idle); i++) {
        idle[i] = raw_connect(fixture);
    }
    loop_run(fixture->loop, process_now_ms() + 50);
    for (uint32_t i = 0; i < ARRAY_LENGTH(idle); i++) {
        close(idle[i]);
    }
    loop_run(fixture->loop, process_now_ms() + 50);

    request(fixture, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");

    expect(fixture, "HTTP/1.1 200 OK");
}

static void a_port_in_use_is_said(void **state)
{
    struct fixture *fixture = *state;
    struct http *second = NULL;
    char message[HTTP_MESSAGE_BYTES];
    struct http_options options = {.loop = fixture->loop, .address = http_address(fixture->http)};
    assert_int_equal(http_open(&options, &second, message), VT_CONFLICT);
    assert_non_null(strstr(message, "in use"));
    options.address = "192.0.2.1:80";
    assert_int_equal(http_open(&options, &second, message), VT_INVALID);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(livez_asks_nobody),
        TEST(readyz_is_what_the_checks_say),
        TEST(readyz_is_503_as_soon_as_the_process_drains),
        TEST(metrics_of_one_name_stand_together_below_its_help),
        TEST(other_pages_are_404_and_other_methods_405),
        TEST(what_is_not_http_or_too_large_is_sent_away_and_others_are_served),
        TEST(after_too_many_connections_the_next_one_is_served),
        TEST(a_port_in_use_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
