#include "tests/unit/unit.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/desk_program.h"
#include "io/process.h"
#include "lib/core.h"
#include "proto/body.h"
#include "proto/requirements.h"

#define RESULTS_MAX 64u
#define TEXT_BYTES 512u

/* A core that keeps what the desk tells it. */
struct result {
    enum outcome_kind what;
    struct ticket_id ticket;
    uint32_t agent;
    uint32_t attempt;
    uint32_t seen;
    char text[TEXT_BYTES];
    char note[TEXT_BYTES];
};

struct fixture {
    struct loop *loop;
    struct host *host;
    struct desk_program *desk;
    struct agents_file agents;
    struct trace trace;
    struct result results[RESULTS_MAX];
    uint32_t result_count;
    uint32_t avail_count;
    struct message to_send; /* leaves with the next step */
    bool has_to_send;
    uint32_t peer;
};

static void keep_text(char *to, struct bytes text)
{
    uint32_t size = text.size < TEXT_BYTES ? text.size : TEXT_BYTES - 1;
    memcpy(to, size > 0 ? (const char *) text.data : "", size);
    to[size] = '\0';
}

static void take_results(struct fixture *fixture, const struct message *message)
{
    fixture->avail_count += message->header.kind == MESSAGE_AVAIL ? 1 : 0;
    if (message->header.kind != MESSAGE_DESK_RESULT) {
        return;
    }
    for (uint32_t i = 0; i < message->count && fixture->result_count < RESULTS_MAX; i++) {
        const struct outcome *outcome = &message->outcome[i];
        struct result *result = &fixture->results[fixture->result_count++];
        result->what = outcome->what;
        result->ticket = outcome->ticket;
        result->agent = outcome->agent;
        result->attempt = outcome->attempt;
        result->seen = outcome->seen;
        keep_text(result->text, outcome->text);
        keep_text(result->note, outcome->note);
    }
    loop_stop(fixture->loop);
}

static void core_step(void *self, const struct event *event, struct effects *out)
{
    struct fixture *fixture = self;
    if (event->kind == EVENT_MESSAGE) {
        take_results(fixture, event->received.message);
    }
    if (fixture->has_to_send) {
        struct effect *effect = effects_add(out, EFFECT_SEND);
        effect->send.to = (struct address){.link = LINK_DESK, .peer = fixture->peer};
        effect->send.message = &fixture->to_send;
        fixture->has_to_send = false;
    }
}

static int64_t core_deadline(const void *self)
{
    (void) self;
    return NO_DEADLINE;
}

static void open_desk(struct fixture *fixture, const char *yaml)
{
    assert_int_equal(agents_file_parse(&fixture->agents, "agents.yaml", bytes_of_text(yaml)),
                     VT_OK);
    fixture->loop = loop_open();
    struct host_options host = {
        .loop = fixture->loop, .core = {fixture, core_step, core_deadline}, .name = "test"};
    assert_int_equal(host_open(&host, &fixture->host), VT_OK);
    struct desk_program_options options = {.loop = fixture->loop,
                                           .host = fixture->host,
                                           .agents = &fixture->agents,
                                           .trace = &fixture->trace};
    assert_int_equal(desk_program_open(&options, &fixture->desk), VT_OK);
}

/* One agent whose program is this line of shell. */
static void open_shell(struct fixture *fixture, const char *shell)
{
    char yaml[2048];
    snprintf(yaml,
             sizeof yaml,
             "agents:\n  - name: a\n    capacity: 8\n    timeout_s: 1\n"
             "    run:\n      - sh\n      - -c\n      - |-\n        %s\n"
             "  - name: good\n    run: [sh, -c, 'cat >/dev/null; echo "
             "\"{\\\"result\\\":\\\"ok\\\"}\"']\n",
             shell);
    open_desk(fixture, yaml);
}

static int setup(void **state)
{
    *state = calloc(1, sizeof(struct fixture));
    return *state == NULL;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    desk_program_close(fixture->desk);
    host_close(fixture->host);
    loop_close(fixture->loop);
    agents_file_close(&fixture->agents);
    free(fixture);
    return 0;
}

static void tell(struct fixture *fixture, uint32_t agent, struct message message)
{
    fixture->to_send = message;
    fixture->has_to_send = true;
    fixture->peer = agent;
    struct event event = {.kind = EVENT_TIME};
    host_post(fixture->host, &event);
}

static void give_work(struct fixture *fixture, uint32_t agent, uint64_t ticket, const char *text)
{
    static uint8_t body[BODY_BYTES_MAX];
    uint8_t blob[REQUIREMENTS_BYTES_MAX];
    struct requirements requirements = {.channel = CHANNEL_WEB};
    struct bytes said = bytes_of_text(text);
    body_write(NULL, 0, said, body);
    struct confirm confirm = {
        .ticket = {.hi = 7, .lo = ticket},
        .attempt = 2,
        .msgs = 5,
        .queue_name = bytes_of_text("q"),
        .requirements = bytes_of(blob, requirements_write(&requirements, blob)),
        .body = bytes_of(body, body_size(NULL, 0, said)),
    };
    struct message message = {.header = {.kind = MESSAGE_DESK_WORK}, .count = 1};
    message.confirm = &confirm;
    tell(fixture, agent, message);
}

/* Until so many results came; ten seconds is for a machine that is very busy. */
static void wait_results(struct fixture *fixture, uint32_t count)
{
    int64_t until_ms = process_now_ms() + 10000;
    while (fixture->result_count < count && process_now_ms() < until_ms) {
        loop_run(fixture->loop, until_ms);
    }
    assert_int_equal(fixture->result_count, count);
}

static void expect_give_back(struct fixture *fixture, const char *part)
{
    give_work(fixture, 0, 1, "text");
    wait_results(fixture, 1);
    assert_int_equal(fixture->results[0].what, OUTCOME_GIVE_BACK);
    if (strstr(fixture->results[0].note, part) == NULL) {
        fail_msg("'%s' is not in '%s'", part, fixture->results[0].note);
    }
}

static void a_program_gets_the_ticket_and_its_answer_completes_it(void **state)
{
    struct fixture *fixture = *state;
    open_shell(fixture,
               "read -r line; case $line in *'\"text\":\"hello\"'*) "
               "echo '{\"result\":\"got it\",\"note\":\"n\"}';; esac");
    give_work(fixture, 0, 1, "hello");
    wait_results(fixture, 1);

    const struct result *result = &fixture->results[0];
    assert_int_equal(result->what, OUTCOME_COMPLETE);
    assert_int_equal(result->ticket.lo, 1);
    assert_int_equal(result->attempt, 2);
    assert_int_equal(result->seen, 5);
    assert_string_equal(result->text, "got it");
    assert_string_equal(result->note, "n");
}

static void a_program_that_does_not_read_a_large_ticket_may_answer(void **state)
{
    struct fixture *fixture = *state;
    char *text = malloc(60001);
    memset(text, 'x', 60000);
    text[60000] = '\0';
    open_shell(fixture, "exec <&-; echo '{\"park\":\"later\"}'");
    give_work(fixture, 0, 1, text);
    wait_results(fixture, 1);
    assert_int_equal(fixture->results[0].what, OUTCOME_PARK);
    assert_string_equal(fixture->results[0].note, "later");
    free(text);
}

static void a_large_ticket_arrives_whole(void **state)
{
    struct fixture *fixture = *state;
    char *text = malloc(65001);
    memset(text, 'x', 65000);
    text[65000] = '\0';
    open_shell(fixture, "echo \"{\\\"result\\\":\\\"$(tr -dc x | wc -c | tr -d ' ')\\\"}\"");
    give_work(fixture, 0, 1, text);
    wait_results(fixture, 1);
    assert_int_equal(fixture->results[0].what, OUTCOME_COMPLETE);
    assert_string_equal(fixture->results[0].text, "65001"); /* and the one in "text" */
    free(text);
}

static void an_exit_code_gives_back(void **state)
{
    open_shell(*state, "echo '{\"result\":\"r\"}'; exit 3");
    expect_give_back(*state, "exit code 3");
}

static void a_death_gives_back(void **state)
{
    open_shell(*state, "kill -9 $$");
    expect_give_back(*state, "signal 9");
}

static void silence_gives_back(void **state)
{
    open_shell(*state, "true");
    expect_give_back(*state, "no answer");
}

static void text_that_is_not_json_gives_back(void **state)
{
    open_shell(*state, "echo hello");
    expect_give_back(*state, "not valid JSON");
}

static void two_lines_give_back(void **state)
{
    open_shell(*state, "echo '{\"result\":\"r\"}'; echo x");
    expect_give_back(*state, "more than one line");
}

static void a_flood_gives_back(void **state)
{
    open_shell(*state, "exec yes");
    expect_give_back(*state, "more than 65536 bytes");
}

static void a_flood_of_errors_is_passed_over(void **state)
{
    struct fixture *fixture = *state;
    open_shell(fixture, "head -c 1000000 /dev/zero >&2; echo '{\"result\":\"r\"}'");
    give_work(fixture, 0, 1, "t");
    wait_results(fixture, 1);
    assert_int_equal(fixture->results[0].what, OUTCOME_COMPLETE);
}

static void the_time_limit_gives_back(void **state)
{
    open_shell(*state, "exec sleep 60");
    expect_give_back(*state, "time limit of 1 s");
}

static void who_ignores_the_end_is_killed_with_all_its_children(void **state)
{
    open_shell(*state, "trap '' TERM; sleep 60 & sleep 60; sleep 60");
    int64_t started_ms = process_now_ms();
    expect_give_back(*state, "time limit of 1 s");
    assert_true(process_now_ms() - started_ms >= 3000);
    assert_int_equal(desk_program_running(((struct fixture *) *state)->desk), 0);
}

static void children_left_behind_do_not_keep_the_ticket(void **state)
{
    struct fixture *fixture = *state;
    open_shell(fixture, "sleep 60 & echo '{\"result\":\"r\"}'");
    give_work(fixture, 0, 1, "t");
    wait_results(fixture, 1);
    assert_int_equal(fixture->results[0].what, OUTCOME_COMPLETE);
}

static void a_missing_program_gives_back_and_costs_others_nothing(void **state)
{
    struct fixture *fixture = *state;
    open_desk(fixture,
              "agents:\n  - name: a\n    run: [/nonexistent/program]\n"
              "  - name: good\n    run: [sh, -c, 'echo \"{\\\"result\\\":\\\"ok\\\"}\"']\n");
    give_work(fixture, 0, 1, "t");
    give_work(fixture, 1, 2, "t");
    wait_results(fixture, 2);
    bool is_first_missing = fixture->results[0].agent == 0;
    const struct result *missing = &fixture->results[is_first_missing ? 0 : 1];
    const struct result *good = &fixture->results[is_first_missing ? 1 : 0];
    assert_int_equal(missing->what, OUTCOME_GIVE_BACK);
    assert_non_null(strstr(missing->note, "No such file"));
    assert_int_equal(good->what, OUTCOME_COMPLETE);
}

static void an_agent_that_fails_three_times_rests(void **state)
{
    struct fixture *fixture = *state;
    open_shell(fixture, "exit 1");
    for (uint32_t i = 1; i <= 3; i++) {
        assert_int_equal(fixture->avail_count, 0);
        give_work(fixture, 0, i, "t");
        wait_results(fixture, i);
    }
    assert_int_equal(fixture->avail_count, 1);
}

static void a_dropped_ticket_has_no_result(void **state)
{
    struct fixture *fixture = *state;
    open_shell(fixture, "exec sleep 60");
    give_work(fixture, 0, 1, "t");
    loop_run(fixture->loop, process_now_ms() + 50);
    struct release release = {.ticket = {.hi = 7, .lo = 1}, .attempt = 2};
    struct message message = {.header = {.kind = MESSAGE_DESK_DROP}, .count = 1};
    message.release = &release;
    tell(fixture, 0, message);
    int64_t until_ms = process_now_ms() + 5000;
    while (desk_program_running(fixture->desk) > 0 && process_now_ms() < until_ms) {
        loop_run(fixture->loop, process_now_ms() + 20);
    }
    assert_int_equal(desk_program_running(fixture->desk), 0);
    assert_int_equal(fixture->result_count, 0);
}

static void a_ticket_shown_twice_runs_once(void **state)
{
    struct fixture *fixture = *state;
    open_shell(fixture, "echo '{\"result\":\"r\"}'");
    give_work(fixture, 0, 1, "t");
    give_work(fixture, 0, 1, "t");
    assert_int_equal(desk_program_running(fixture->desk), 1);
    wait_results(fixture, 1);
}

static uint32_t descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    uint32_t count = 0;
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count;
}

static void a_program_inherits_no_descriptor_and_no_blocked_signal(void **state)
{
    struct fixture *fixture = *state;
    int pipe_ends[2];
    assert_int_equal(pipe(pipe_ends), 0); /* not close-on-exec: must not get through */
    open_shell(fixture,
               "n=$(ls /proc/self/fd | wc -l); b=$(grep SigBlk /proc/$$/status | cut -f2); "
               "i=$(grep SigIgn /proc/$$/status | cut -f2); "
               "echo \"{\\\"result\\\":\\\"$n $b $i\\\"}\"");
    give_work(fixture, 0, 1, "t");
    wait_results(fixture, 1);
    /* The fourth is the folder that ls reads; 32 and 33 are what the C library ignores for itself.
     */
    assert_string_equal(fixture->results[0].text, "4 0000000000000000 0000000180000000");
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

static void a_hundred_programs_leak_no_descriptor(void **state)
{
    struct fixture *fixture = *state;
    open_shell(fixture, "exec true");
    give_work(fixture, 1, 1000, "t");
    wait_results(fixture, 1);
    uint32_t before = descriptors();
    for (uint32_t i = 0; i < 100; i++) {
        fixture->result_count = 0;
        give_work(fixture, i % 2, i + 1, "t");
        wait_results(fixture, 1);
    }
    assert_int_equal(descriptors(), before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_program_gets_the_ticket_and_its_answer_completes_it),
        TEST(a_program_that_does_not_read_a_large_ticket_may_answer),
        TEST(a_large_ticket_arrives_whole),
        TEST(an_exit_code_gives_back),
        TEST(a_death_gives_back),
        TEST(silence_gives_back),
        TEST(text_that_is_not_json_gives_back),
        TEST(two_lines_give_back),
        TEST(a_flood_gives_back),
        TEST(a_flood_of_errors_is_passed_over),
        TEST(the_time_limit_gives_back),
        TEST(who_ignores_the_end_is_killed_with_all_its_children),
        TEST(children_left_behind_do_not_keep_the_ticket),
        TEST(a_missing_program_gives_back_and_costs_others_nothing),
        TEST(an_agent_that_fails_three_times_rests),
        TEST(a_dropped_ticket_has_no_result),
        TEST(a_ticket_shown_twice_runs_once),
        TEST(a_program_inherits_no_descriptor_and_no_blocked_signal),
        TEST(a_hundred_programs_leak_no_descriptor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
