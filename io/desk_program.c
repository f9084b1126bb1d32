#include "io/desk_program.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/child.h"
#include "io/process.h"
#include "io/ticket_json.h"
#include "lib/arena.h"
#include "lib/check.h"
#include "lib/core.h"
#include "proto/message.h"

#define KILL_AFTER_MS 2000
#define START_AGAIN_MS 200
#define SCRATCH_BYTES (UINT64_C(2) * 1024u * 1024u)
#define MS_PER_S 1000
#define FAILURES_BEFORE_REST 3u
#define REST_MS_FIRST 1000
#define REST_MS_LAST 60000

/* One newline belongs to the answer's line but not to its 64 KiB; so does a carriage return. */
#define OUTPUT_BYTES_MAX (TICKET_ANSWER_BYTES_MAX + 2u)

enum run_state {
    RUN_WAITING, /* no process yet: the system had no room */
    RUN_RUNNING,
    RUN_ENDING, /* told to end by SIGTERM; SIGKILL follows */
    RUN_DONE    /* result was posted, or nobody wants one */
};

struct run {
    struct child child;
    struct run *next;
    enum run_state state;
    uint32_t agent;
    struct ticket_id ticket;
    uint32_t attempt;
    uint32_t msgs;
    int64_t give_up_ms; /* the ticket's time limit */
    int64_t wake_ms;    /* next start, limit or SIGKILL */
    bool is_dropped;    /* nobody wants its result */
    char reason[REASON_BYTES_MAX];
    uint8_t *input; /* until it has been started */
    uint32_t input_size;
};

/* An agent whose program fails time and again would be free at once each time and eat up the
 * queue; it rests in between, longer and longer, and others take its tickets. */
struct desk_agent {
    uint32_t failures;  /* in a row */
    int64_t resting_ms; /* until then; 0: takes offers */
};

struct desk_program {
    struct desk_agent *rests; /* by agent */
    struct loop *loop;
    struct host *host;
    const struct agents_file *agents;
    struct trace *trace;
    struct arena scratch;
    struct run *runs;
    uint32_t run_count;
    int epoll_fd;
    uint8_t tail[CHILD_TAIL_BYTES];
};

/* ---- how a run ends ---- */

static void log_failure(struct desk_program *desk, const struct run *run)
{
    struct bytes tail = child_tail(&run->child, desk->tail);
    struct bytes agent = desk->agents->agents[run->agent].name;
    trace_event(desk->trace, TRACE_WARN, "program.failed");
    trace_bytes(desk->trace, "agent", agent);
    trace_id(desk->trace, "ticket", run->ticket);
    trace_u64(desk->trace, "attempt", run->attempt);
    trace_text(desk->trace, "reason", run->reason);
    trace_end(desk->trace);
    while (tail.size > 0) {
        const uint8_t *end = memchr(tail.data, '\n', tail.size);
        uint32_t size = end == NULL ? tail.size : (uint32_t) (end - tail.data);
        trace_event(desk->trace, TRACE_WARN, "program.said");
        trace_bytes(desk->trace, "agent", agent);
        trace_bytes(desk->trace, "stderr", bytes_of(tail.data, size));
        trace_end(desk->trace);
        uint32_t step = end == NULL ? size : size + 1;
        tail = bytes_of(tail.data + step, tail.size - step);
    }
}

static void post(struct desk_program *desk, struct run *run, struct outcome *outcome)
{
    struct message message = {.header = {.kind = MESSAGE_DESK_RESULT}, .count = 1};
    struct address from = {.link = LINK_DESK, .peer = run->agent};
    outcome->ticket = run->ticket;
    outcome->attempt = run->attempt;
    outcome->agent = run->agent;
    outcome->seen = run->msgs;
    message.outcome = outcome;
    run->state = RUN_DONE;
    host_post_message(desk->host, from, &message);
}

static void tell_availability(struct desk_program *desk, uint32_t agent)
{
    struct avail avail = {.agent = agent, .is_available = desk->rests[agent].resting_ms == 0};
    struct message message = {.header = {.kind = MESSAGE_AVAIL}, .count = 1};
    struct address from = {.link = LINK_DESK, .peer = agent};
    message.avail = &avail;
    host_post_message(desk->host, from, &message);
}

static void count_failure(struct desk_program *desk, uint32_t agent)
{
    struct desk_agent *rest = &desk->rests[agent];
    rest->failures++;
    if (rest->failures < FAILURES_BEFORE_REST || rest->resting_ms != 0) {
        return;
    }
    uint32_t doublings = rest->failures - FAILURES_BEFORE_REST;
    int64_t wait_ms = doublings < 6 ? (int64_t) REST_MS_FIRST << doublings : REST_MS_LAST;
    rest->resting_ms = process_now_ms() + wait_ms;
    trace_event(desk->trace, TRACE_WARN, "agent.resting");
    trace_bytes(desk->trace, "agent", desk->agents->agents[agent].name);
    trace_u64(desk->trace, "failures", rest->failures);
    trace_ms(desk->trace, "rest", wait_ms);
    trace_end(desk->trace);
    tell_availability(desk, agent);
}

static void give_back(struct desk_program *desk, struct run *run)
{
    struct outcome outcome = {.what = OUTCOME_GIVE_BACK, .note = bytes_of_text(run->reason)};
    log_failure(desk, run);
    count_failure(desk, run->agent); /* before its slot is free */
    post(desk, run, &outcome);
}

/* Says when the next agent's rest ends. */
static int64_t end_rests(struct desk_program *desk, int64_t now_ms)
{
    int64_t wanted_ms = NO_DEADLINE;
    for (uint32_t i = 0; i < desk->agents->agent_count; i++) {
        struct desk_agent *rest = &desk->rests[i];
        if (rest->resting_ms != 0 && now_ms >= rest->resting_ms) {
            rest->resting_ms = 0;
            tell_availability(desk, i);
            wanted_ms = now_ms;
        } else if (rest->resting_ms != 0 && rest->resting_ms < wanted_ms) {
            wanted_ms = rest->resting_ms;
        }
    }
    return wanted_ms;
}

/* The answer without its end of line; more than one line is no answer. */
static bool take_line(struct run *run, struct bytes *line)
{
    uint32_t size = run->child.output_size;
    const uint8_t *data = run->child.output;
    if (size > 0 && data[size - 1] == '\n') {
        size--;
    }
    if (size > 0 && data[size - 1] == '\r') {
        size--;
    }
    if (size == 0) {
        snprintf(run->reason, sizeof run->reason, "no answer on standard output");
        return false;
    }
    if (memchr(data, '\n', size) != NULL) {
        snprintf(run->reason, sizeof run->reason, "more than one line of answer");
        return false;
    }
    *line = bytes_of(data, size);
    return true;
}

static bool read_answer(struct desk_program *desk, struct run *run, struct outcome *outcome)
{
    int status = run->child.status;
    char error[TICKET_JSON_ERROR_BYTES] = "out of memory";
    struct bytes line;
    if (run->reason[0] != '\0') { /* was ended by us */
        return false;
    }
    if (WIFSIGNALED(status)) {
        snprintf(run->reason,
                 sizeof run->reason,
                 "program was ended by signal %d (%s)",
                 WTERMSIG(status),
                 sigdescr_np(WTERMSIG(status)));
        return false;
    }
    if (WEXITSTATUS(status) != 0) {
        snprintf(run->reason,
                 sizeof run->reason,
                 "program ended with exit code %d",
                 WEXITSTATUS(status));
        return false;
    }
    if (!take_line(run, &line)) {
        return false;
    }
    arena_reset(&desk->scratch);
    if (ticket_json_parse_answer(line, &desk->scratch, outcome, error) != VT_OK) {
        snprintf(run->reason, sizeof run->reason, "%.*s", REASON_BYTES_MAX - 1, error);
        return false;
    }
    return true;
}

static void finish(struct desk_program *desk, struct run *run)
{
    struct outcome outcome = {0};
    if (run->is_dropped) {
        run->state = RUN_DONE;
    } else if (read_answer(desk, run, &outcome)) {
        desk->rests[run->agent].failures = 0;
        post(desk, run, &outcome);
    } else {
        give_back(desk, run);
    }
}

/* ---- what a run goes through ---- */

static void end_run(struct run *run, int64_t now_ms)
{
    run->state = RUN_ENDING;
    run->wake_ms = now_ms + KILL_AFTER_MS;
    child_signal(&run->child, SIGTERM);
}

static bool may_pass(int error)
{
    return error == EAGAIN || error == EMFILE || error == ENFILE || error == ENOMEM;
}

static void start(struct desk_program *desk, struct run *run, int64_t now_ms)
{
    const struct agents_file_agent *agent = &desk->agents->agents[run->agent];
    struct child_options options = {.run = agent->run,
                                    .input = bytes_of(run->input, run->input_size),
                                    .output_max = OUTPUT_BYTES_MAX,
                                    .epoll_fd = desk->epoll_fd};
    int error = child_start(&run->child, &options);
    if (may_pass(error) && now_ms < run->give_up_ms) {
        run->wake_ms = now_ms + START_AGAIN_MS;
        return;
    }
    free(run->input);
    run->input = NULL;
    if (error != 0) {
        snprintf(run->reason,
                 sizeof run->reason,
                 "program '%.120s' cannot be started: %s",
                 agent->run[0],
                 strerrordesc_np(error));
        give_back(desk, run);
        return;
    }
    run->state = RUN_RUNNING;
    run->wake_ms = run->give_up_ms;
    trace_event(desk->trace, TRACE_DEBUG, "program.started");
    trace_bytes(desk->trace, "agent", agent->name);
    trace_id(desk->trace, "ticket", run->ticket);
    trace_u64(desk->trace, "pid", (uint64_t) run->child.pid);
    trace_end(desk->trace);
}

static void out_of_time(struct desk_program *desk, struct run *run, int64_t now_ms)
{
    int64_t limit_ms = desk->agents->agents[run->agent].timeout_ms;
    snprintf(run->reason,
             sizeof run->reason,
             "time limit of %lld s is over",
             (long long) (limit_ms / MS_PER_S));
    end_run(run, now_ms);
}

static void advance(struct desk_program *desk, struct run *run, int64_t now_ms)
{
    if (run->state == RUN_WAITING && run->reason[0] != '\0') {
        give_back(desk, run); /* there is nothing to show */
    }
    if (run->state == RUN_WAITING && now_ms >= run->wake_ms) {
        start(desk, run, now_ms);
    }
    if (run->state == RUN_RUNNING && run->child.is_flooding) {
        snprintf(run->reason,
                 sizeof run->reason,
                 "the answer has more than %u bytes",
                 TICKET_ANSWER_BYTES_MAX);
        end_run(run, now_ms);
    }
    if ((run->state == RUN_RUNNING || run->state == RUN_ENDING) && run->child.is_ended) {
        finish(desk, run);
    }
    if (run->state == RUN_RUNNING && now_ms >= run->wake_ms) {
        out_of_time(desk, run, now_ms);
    }
    if (run->state == RUN_ENDING && now_ms >= run->wake_ms) {
        child_signal(&run->child, SIGKILL);
        run->wake_ms = NO_DEADLINE;
    }
}

static void remove_run(struct desk_program *desk, struct run **place)
{
    struct run *run = *place;
    *place = run->next;
    desk->run_count--;
    child_close(&run->child);
    free(run->input);
    free(run);
}

static int64_t desk_turn(void *context, int64_t now_ms)
{
    struct desk_program *desk = context;
    int64_t wanted_ms = end_rests(desk, now_ms);
    for (struct run **place = &desk->runs; *place != NULL;) {
        struct run *run = *place;
        advance(desk, run, now_ms);
        if (run->state == RUN_DONE) {
            remove_run(desk, place);
            wanted_ms = now_ms; /* the core has heard of it and may want its turn */
            continue;
        }
        wanted_ms = run->wake_ms < wanted_ms ? run->wake_ms : wanted_ms;
        place = &run->next;
    }
    return wanted_ms;
}

static void desk_ready(void *context)
{
    struct desk_program *desk = context;
    child_work(desk->epoll_fd);
}

/* ---- what the core says ---- */

static struct run *find_run(struct desk_program *desk, struct ticket_id ticket, uint32_t attempt)
{
    struct run *run = desk->runs;
    while (run != NULL && (!id_equal(run->ticket, ticket) || run->attempt != attempt ||
                           run->is_dropped || run->state == RUN_DONE)) {
        run = run->next;
    }
    return run;
}

static struct run *add_run(struct desk_program *desk, uint32_t agent, const struct confirm *confirm)
{
    struct run *run = calloc(1, sizeof *run);
    CHECK(run != NULL);
    int64_t now_ms = process_now_ms();
    run->agent = agent;
    run->ticket = confirm->ticket;
    run->attempt = confirm->attempt;
    run->msgs = confirm->msgs;
    run->wake_ms = now_ms;
    run->give_up_ms = now_ms + desk->agents->agents[agent].timeout_ms;
    run->next = desk->runs;
    desk->runs = run;
    desk->run_count++;
    return run;
}

/* The process is started by the next turn: this is called in the middle of the core's step. */
static void take_work(struct desk_program *desk, uint32_t agent, const struct confirm *confirm)
{
    struct bytes line = {0};
    if (agent >= desk->agents->agent_count ||
        find_run(desk, confirm->ticket, confirm->attempt) != NULL) {
        return; /* shown again */
    }
    arena_reset(&desk->scratch);
    vt_err err = ticket_json_write(confirm, &desk->scratch, &line);
    struct run *run = add_run(desk, agent, confirm);
    run->input = malloc(line.size + 1u);
    CHECK(run->input != NULL);
    if (err == VT_OK) {
        memcpy(run->input, line.data, line.size);
        run->input_size = line.size;
        return;
    }
    snprintf(run->reason, sizeof run->reason, "the ticket's body is %s", err_text(err));
}

static void take_drop(struct desk_program *desk, const struct release *release)
{
    struct run *run = find_run(desk, release->ticket, release->attempt);
    if (run == NULL) {
        return;
    }
    run->is_dropped = true;
    if (run->state == RUN_WAITING) {
        run->state = RUN_DONE;
    } else if (run->state == RUN_RUNNING) {
        end_run(run, process_now_ms());
    }
}

static void desk_message(void *context, uint64_t peer, const struct message *message)
{
    struct desk_program *desk = context;
    for (uint32_t i = 0; i < message->count; i++) {
        if (message->header.kind == MESSAGE_DESK_WORK) {
            take_work(desk, (uint32_t) peer, &message->confirm[i]);
        } else if (message->header.kind == MESSAGE_DESK_DROP) {
            take_drop(desk, &message->release[i]);
        }
    }
}

/* ---- opening ---- */

vt_err desk_program_open(const struct desk_program_options *options, struct desk_program **out)
{
    struct desk_program *desk = calloc(1, sizeof *desk);
    if (desk == NULL) {
        return VT_UNAVAILABLE;
    }
    (void) signal(SIGPIPE, SIG_IGN); /* a program that does not read its input ends only itself */
    desk->loop = options->loop;
    desk->host = options->host;
    desk->agents = options->agents;
    desk->trace = options->trace;
    desk->rests = calloc(options->agents->agent_count + 1u, sizeof *desk->rests);
    desk->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (desk->rests == NULL || desk->epoll_fd < 0 ||
        process_reserve(SCRATCH_BYTES, &desk->scratch) != VT_OK) {
        desk_program_close(desk);
        return VT_UNAVAILABLE;
    }

    struct loop_source source = {.fd = desk->epoll_fd, .ready = desk_ready, .context = desk};
    struct loop_turner turner = {.turn = desk_turn, .context = desk};
    vt_err err = loop_add(desk->loop, &source);
    if (err == VT_OK) {
        err = loop_add_turner(desk->loop, &turner);
    }
    if (err != VT_OK) {
        desk_program_close(desk);
        return err;
    }
    struct host_local local = {.message = desk_message, .context = desk};
    host_attach(desk->host, LINK_DESK, &local);
    *out = desk;
    return VT_OK;
}

void desk_program_close(struct desk_program *desk)
{
    if (desk == NULL) {
        return;
    }
    while (desk->runs != NULL) {
        remove_run(desk, &desk->runs);
    }
    if (desk->epoll_fd >= 0) {
        loop_remove(desk->loop, NULL, desk->epoll_fd);
        close(desk->epoll_fd);
    }
    process_unreserve(&desk->scratch);
    free(desk->rests);
    free(desk);
}

uint32_t desk_program_running(const struct desk_program *desk)
{
    return desk->run_count;
}
