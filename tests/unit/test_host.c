#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <czmq.h>

#include "io/host.h"
#include "io/process.h"
#include "lib/core.h"

#define KINDS_MAX 256u
#define PATIENCE_MS 10000
#define READS (4U * STORE_PORT_JOBS_MAX)

/* A core that keeps what it hears and does what the test put down for the next step. */
struct recorder {
    struct loop *loop;
    enum event_kind kinds[KINDS_MAX];
    struct address froms[KINDS_MAX];
    uint64_t tokens[KINDS_MAX];
    uint32_t count;
    uint32_t heard_before; /* is inside a step: must never be */
    struct effect next;
    bool has_next;
    int64_t deadline_ms;
    int64_t last_now_ms;
    uint32_t backwards;
    uint32_t loaded;
    enum event_kind stop_at;
};

static struct address source_of(const struct event *event)
{
    if (event->kind == EVENT_MESSAGE) {
        return event->received.from;
    }
    return event->kind == EVENT_LINK_DOWN ? event->link_down : (struct address){0};
}

static void record_step(void *self, const struct event *event, struct effects *out)
{
    struct recorder *recorder = self;
    recorder->heard_before++;
    assert_int_equal(recorder->heard_before, 1);
    recorder->loaded += event->kind == EVENT_LOADED ? 1U : 0U;
    recorder->backwards += event->now_ms < recorder->last_now_ms ? 1 : 0;
    recorder->last_now_ms = event->now_ms;
    if (recorder->count < KINDS_MAX) {
        recorder->kinds[recorder->count] = event->kind;
        recorder->froms[recorder->count] = source_of(event);
        recorder->tokens[recorder->count] = event->kind == EVENT_STORED ? event->stored.token : 0;
        recorder->count++;
    }
    if (event->kind == EVENT_TIME) {
        recorder->deadline_ms = NO_DEADLINE;
    }
    if (recorder->has_next) {
        *effects_add(out, recorder->next.kind) = recorder->next;
        recorder->has_next = false;
    }
    if (event->kind == recorder->stop_at) {
        loop_stop(recorder->loop);
    }
    recorder->heard_before--;
}

static int64_t record_deadline(const void *self)
{
    return ((const struct recorder *) self)->deadline_ms;
}

struct fixture {
    struct loop *loop;
    struct recorder server;
    struct recorder client;
    struct host *server_host;
    struct host *client_host;
};

static struct host *open_host(struct fixture *fixture, struct recorder *recorder)
{
    struct host *host = NULL;
    recorder->loop = fixture->loop;
    recorder->deadline_ms = NO_DEADLINE;
    recorder->stop_at = EVENT_STOP;
    struct host_options options = {.loop = fixture->loop,
                                   .core = {recorder, record_step, record_deadline},
                                   .name = "test",
                                   .dialers_max = 1};
    assert_int_equal(host_open(&options, &host), VT_OK);
    return host;
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    zsys_handler_set(NULL);
    fixture->loop = loop_open();
    fixture->server_host = open_host(fixture, &fixture->server);
    fixture->client_host = open_host(fixture, &fixture->client);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    host_close(fixture->client_host);
    host_close(fixture->server_host);
    loop_close(fixture->loop);
    free(fixture);
    return 0;
}

static void post_with(struct recorder *recorder, struct host *host, struct effect effect)
{
    struct event event = {.kind = EVENT_TIME};
    recorder->next = effect;
    recorder->has_next = true;
    host_post(host, &event);
}

static void a_deadline_is_kept_and_time_never_falls(void **state)
{
    struct fixture *fixture = *state;
    int64_t started_ms = process_now_ms();
    fixture->server.deadline_ms = started_ms + 30;
    fixture->server.stop_at = EVENT_TIME;
    loop_run(fixture->loop, started_ms + PATIENCE_MS);
    assert_int_equal(fixture->server.count, 1);
    assert_int_equal(fixture->server.kinds[0], EVENT_TIME);
    assert_true(fixture->server.last_now_ms >= started_ms + 30);
    assert_int_equal(fixture->server.backwards, 0);
}

static void connect_hosts(struct fixture *fixture)
{
    char bound[128];
    assert_int_equal(
        host_listen(fixture->server_host, LINK_SITES, "tcp://127.0.0.1:*", bound, sizeof bound),
        VT_OK);
    struct host_dial dial = {.peer = 0, .endpoint = bound, .edge = EDGE_BROKER_TO_SITE};
    assert_int_equal(host_dial(fixture->client_host, &dial), VT_OK);
    dial.peer = 1;
    assert_int_equal(host_dial(fixture->client_host, &dial), VT_FULL);
}

static void a_message_goes_there_and_its_answer_back(void **state)
{
    struct fixture *fixture = *state;
    struct message ping = {.header = {.kind = MESSAGE_PING}};
    struct effect effect = {.kind = EFFECT_SEND,
                            .send = {.to = {.link = LINK_BROKERS, .peer = 0}, .message = &ping}};
    connect_hosts(fixture);
    fixture->server.stop_at = EVENT_MESSAGE;
    post_with(&fixture->client, fixture->client_host, effect);
    loop_run(fixture->loop, process_now_ms() + PATIENCE_MS);
    assert_int_equal(fixture->server.kinds[0], EVENT_MESSAGE);
    assert_int_equal(fixture->server.froms[0].link, LINK_SITES);

    effect.send.to = fixture->server.froms[0];
    fixture->client.stop_at = EVENT_MESSAGE;
    fixture->client.count = 0;
    post_with(&fixture->server, fixture->server_host, effect);
    loop_run(fixture->loop, process_now_ms() + PATIENCE_MS);
    assert_int_equal(fixture->client.kinds[0], EVENT_MESSAGE);
    assert_int_equal(fixture->client.froms[0].link, LINK_BROKERS);
    assert_true(host_link_figures(fixture->client_host).sent == 1);
    assert_true(host_link_figures(fixture->client_host).received == 1);
}

static void a_connection_that_is_gone_is_an_event(void **state)
{
    struct fixture *fixture = *state;
    struct message ping = {.header = {.kind = MESSAGE_PING}};
    struct effect effect = {.kind = EFFECT_SEND,
                            .send = {.to = {.link = LINK_BROKERS, .peer = 0}, .message = &ping}};
    connect_hosts(fixture);
    fixture->server.stop_at = EVENT_MESSAGE;
    post_with(&fixture->client, fixture->client_host, effect);
    loop_run(fixture->loop, process_now_ms() + PATIENCE_MS);
    struct address peer = fixture->server.froms[0];

    struct effect hang_up = {.kind = EFFECT_HANG_UP, .hang_up = {.link = LINK_BROKERS, .peer = 0}};
    post_with(&fixture->client, fixture->client_host, hang_up);
    fixture->server.count = 0;
    fixture->server.stop_at = EVENT_LINK_DOWN;
    effect.send.to = peer;
    int64_t until_ms = process_now_ms() + PATIENCE_MS;
    bool is_told = false;
    while (!is_told && process_now_ms() < until_ms) {
        fixture->server.count = 0;
        post_with(&fixture->server, fixture->server_host, effect);
        loop_run(fixture->loop, process_now_ms() + 20);
        is_told = fixture->server.kinds[fixture->server.count - 1] == EVENT_LINK_DOWN;
    }
    assert_true(is_told);
    assert_true(fixture->server.froms[fixture->server.count - 1].peer == peer.peer);
}

static void nobody_told(void *context, uint64_t peer, const struct message *message)
{
    uint64_t *last = context;
    *last = peer + (uint64_t) message->header.kind;
}

static void a_link_of_this_process_gets_its_messages(void **state)
{
    struct fixture *fixture = *state;
    uint64_t last = 0;
    struct host_local local = {.message = nobody_told, .context = &last};
    struct message message = {.header = {.kind = MESSAGE_DESK_WORK}};
    struct effect effect = {.kind = EFFECT_SEND,
                            .send = {.to = {.link = LINK_DESK, .peer = 1000}, .message = &message}};
    post_with(&fixture->server, fixture->server_host, effect); /* nobody there: lost */
    host_attach(fixture->server_host, LINK_DESK, &local);
    post_with(&fixture->server, fixture->server_host, effect);
    assert_int_equal(last, 1000 + MESSAGE_DESK_WORK);
}

static void stop_is_an_event_and_stopped_is_heard(void **state)
{
    struct fixture *fixture = *state;
    host_stop(fixture->server_host, process_now_ms());
    assert_int_equal(fixture->server.kinds[0], EVENT_STOP);
    assert_false(host_is_stopped(fixture->server_host));
    post_with(&fixture->server, fixture->server_host, (struct effect){.kind = EFFECT_STOPPED});
    assert_true(host_is_stopped(fixture->server_host));
}

static void completions_of_the_store_come_with_their_token(void **state)
{
    struct fixture *fixture = *state;
    char folder[] = "/tmp/test-host-XXXXXX";
    char message[256];
    struct store *journal = NULL;
    static struct recorder recorder;
    struct host *host = NULL;
    memset(&recorder, 0, sizeof recorder);
    recorder.loop = fixture->loop;
    recorder.deadline_ms = NO_DEADLINE;
    assert_non_null(mkdtemp(folder));
    struct store_options options = {.folder = folder, .sync = STORE_SYNC_OFF};
    assert_int_equal(store_open_journal(&options, &journal, message, sizeof message), VT_OK);
    struct host_options host_options = {.loop = fixture->loop,
                                        .core = {&recorder, record_step, record_deadline},
                                        .name = "test",
                                        .store = journal};
    assert_int_equal(host_open(&host_options, &host), VT_OK);

    struct store_request request = {
        .kind = STORE_JOURNAL_PUT,
        .journal = {.kind = JOURNAL_BOOT, .value = bytes_of_text("12345678")}};
    recorder.stop_at = EVENT_STORED;
    struct effect store = {.kind = EFFECT_STORE,
                           .store = {.token = 42, .requests = &request, .count = 1}};
    post_with(&recorder, host, store);
    loop_run(fixture->loop, process_now_ms() + PATIENCE_MS);
    assert_int_equal(recorder.kinds[recorder.count - 1], EVENT_STORED);
    assert_true(recorder.tokens[recorder.count - 1] == 42);

    struct effect load = {
        .kind = EFFECT_LOAD,
        .load = {.token = 43,
                 .request = {.kind = LOAD_JOURNAL, .rows_max = 10, .from_start = true}}};
    recorder.stop_at = EVENT_LOADED;
    post_with(&recorder, host, load);
    loop_run(fixture->loop, process_now_ms() + PATIENCE_MS);
    assert_int_equal(recorder.kinds[recorder.count - 1], EVENT_LOADED);

    /* Many clients ask at once for what only the store knows: all are answered in the end. */
    for (uint32_t i = 1; i < READS; i++) {
        post_with(&recorder, host, load);
    }
    while (recorder.loaded < READS) {
        loop_run(fixture->loop, process_now_ms() + PATIENCE_MS);
    }
    host_close(host);
    store_close(journal);
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a folder of our own */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_deadline_is_kept_and_time_never_falls),
        TEST(a_message_goes_there_and_its_answer_back),
        TEST(a_connection_that_is_gone_is_an_event),
        TEST(a_link_of_this_process_gets_its_messages),
        TEST(stop_is_an_event_and_stopped_is_heard),
        TEST(completions_of_the_store_come_with_their_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
