#include "cli/bench_submitter.h"

#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "io/endpoint.h"
#include "io/process.h"
#include "lib/check.h"
#include "lib/core.h"
#include "lib/hash.h"

#define HIGH_WATER 4096
#define PACK_MAX 150u /* of 512 B texts fit one frame */
#define RESEND_MS 2000
#define BUSY_MS 5
#define TURN_MS 500
#define US_PER_S 1000000
#define NS_PER_US 1000
#define KEY_BYTES 16u

struct key {
    uint64_t words[2];
};

struct bench_submitter {
    struct bench_submitter_options options;
    struct bench_submitter_figures figures;
    struct link_dialer *dialer;
    struct ticket_id *ids; /* one a ticket; all zero: not acknowledged */
    int64_t *intended_us;
    struct submit *batch; /* PACK_MAX */
    struct key keys[PACK_MAX];
    uint64_t *again; /* numbers answered BUSY, to be sent again; a window of them */
    uint32_t again_count;
    int64_t again_ms;
    uint64_t capacity;
    uint64_t oldest; /* no ticket before it is unacknowledged */
    uint64_t seed;
    int64_t heard_ms;
    int timer_fd;
};

static bool is_acknowledged(const struct bench_submitter *submitter, uint64_t number)
{
    return submitter->ids[number].hi != 0;
}

/* ---- what comes ---- */

static void take_answer(struct bench_submitter *submitter, const struct submitted *answer)
{
    struct bench_submitter_figures *figures = &submitter->figures;
    if (answer->ref >= figures->sent || is_acknowledged(submitter, answer->ref)) {
        return;
    }
    if (answer->answer == ANSWER_BUSY) {
        figures->busy++;
        if (submitter->again_count < submitter->options.window) {
            submitter->again[submitter->again_count++] = answer->ref;
        }
        submitter->again_ms = process_now_ms() + BUSY_MS;
        return;
    }
    if (answer->answer == ANSWER_REJECT) {
        if (figures->rejected++ == 0) {
            cli_error("a ticket was refused: %s; the server needs the bench's plan "
                      "(`ventanilla bench --print-plan`)",
                      reason_text(answer->reason));
        }
        loop_stop(submitter->options.loop);
        return;
    }
    submitter->ids[answer->ref] = answer->ticket;
    figures->acknowledged++;
}

static void message_came(void *context, uint64_t peer, const struct message *message)
{
    struct bench_submitter *submitter = context;
    (void) peer;
    if (message->header.kind != MESSAGE_SUBMITTED) {
        return;
    }
    for (uint32_t i = 0; i < message->count; i++) {
        take_answer(submitter, &message->submitted[i]);
    }
    submitter->figures.last_us = process_now_us();
    submitter->heard_ms = process_now_ms();
    if (submitter->figures.acknowledged == submitter->options.ticket_count) {
        loop_stop(submitter->options.loop);
    }
}

static void link_down(void *context, uint64_t peer)
{
    struct bench_submitter *submitter = context;
    (void) peer;
    submitter->figures.is_cut = true;
    loop_stop(submitter->options.loop);
}

/* ---- what goes ---- */

static void put(struct bench_submitter *submitter, uint32_t at, uint64_t number)
{
    uint32_t class = (uint32_t) (hash_u64(number, submitter->seed) % BENCH_PLAN_CLASSES);
    struct submit *submit = &submitter->batch[at];
    *submit = submitter->options.plan->classes[class];
    submitter->keys[at].words[0] = hash_pair(number, 1, submitter->seed);
    submitter->keys[at].words[1] = hash_pair(number, 2, submitter->seed);
    submit->key = bytes_of(&submitter->keys[at], KEY_BYTES);
    submit->ref = number;
}

static void send(struct bench_submitter *submitter, uint32_t count)
{
    struct message message = {.header = {.kind = MESSAGE_SUBMIT}, .count = count};
    message.submit = submitter->batch;
    if (count > 0) {
        link_dialer_send(submitter->dialer, &message);
    }
}

static void send_again(struct bench_submitter *submitter, int64_t now_ms)
{
    if (submitter->again_count == 0 || now_ms < submitter->again_ms) {
        return;
    }
    for (uint32_t done = 0; done < submitter->again_count;) {
        uint32_t count = 0;
        while (count < PACK_MAX && done < submitter->again_count) {
            put(submitter, count++, submitter->again[done++]);
        }
        send(submitter, count);
    }
    submitter->again_count = 0;
}

/* A message was lost: all that is unanswered goes again, under the same keys. */
static void send_lost(struct bench_submitter *submitter, int64_t now_ms)
{
    uint32_t count = 0;
    if (submitter->figures.acknowledged == submitter->figures.sent ||
        now_ms - submitter->heard_ms < RESEND_MS) {
        return;
    }
    submitter->heard_ms = now_ms;
    while (submitter->oldest < submitter->figures.sent &&
           is_acknowledged(submitter, submitter->oldest)) {
        submitter->oldest++;
    }
    for (uint64_t i = submitter->oldest; i < submitter->figures.sent; i++) {
        if (is_acknowledged(submitter, i)) {
            continue;
        }
        put(submitter, count++, i);
        if (count == PACK_MAX) {
            send(submitter, count);
            count = 0;
        }
    }
    send(submitter, count);
}

/* How many tickets may have been sent by now. */
static uint64_t allowance(const struct bench_submitter *submitter, int64_t now_us)
{
    const struct bench_submitter_options *options = &submitter->options;
    const struct bench_submitter_figures *figures = &submitter->figures;
    uint64_t allowed = figures->acknowledged + options->window;
    if (options->completed != NULL && *options->completed + options->waiting_max < allowed) {
        allowed = *options->completed + options->waiting_max;
    }
    if (options->rate > 0) {
        uint64_t gone_us = (uint64_t) (now_us - figures->first_us);
        uint64_t due = gone_us * options->rate / US_PER_S + 1;
        allowed = due < allowed ? due : allowed;
    }
    return allowed < options->ticket_count ? allowed : options->ticket_count;
}

/* Sends one pack of at most PACK_MAX, up to ticket number `allowed`. */
static void send_pack(struct bench_submitter *submitter, uint64_t allowed)
{
    struct bench_submitter_figures *figures = &submitter->figures;
    uint32_t count = 0;
    while (count < PACK_MAX && figures->sent < allowed) {
        uint64_t number = figures->sent++;
        if (submitter->intended_us != NULL && submitter->options.rate > 0) {
            submitter->intended_us[number] =
                figures->first_us + (int64_t) (number * US_PER_S / submitter->options.rate);
        }
        put(submitter, count++, number);
    }
    send(submitter, count);
}

static void send_fresh(struct bench_submitter *submitter, int64_t now_us)
{
    uint64_t allowed = allowance(submitter, now_us);
    while (submitter->figures.sent < allowed) {
        send_pack(submitter, allowed);
    }
}

static int64_t turn(void *context, int64_t now_ms)
{
    struct bench_submitter *submitter = context;
    if (submitter->figures.is_cut || submitter->figures.rejected > 0) {
        return NO_DEADLINE;
    }
    int64_t now_us = process_now_us();
    if (submitter->figures.first_us == 0) {
        submitter->figures.first_us = now_us;
        submitter->heard_ms = now_ms;
    }
    send_again(submitter, now_ms);
    send_lost(submitter, now_ms);
    send_fresh(submitter, now_us);
    return submitter->again_count > 0 ? submitter->again_ms : now_ms + TURN_MS;
}

/* ---- a clock finer than the loop's ---- */

static void tick(void *context)
{
    const struct bench_submitter *submitter = context;
    uint64_t ticks = 0;
    while (read(submitter->timer_fd, &ticks, sizeof ticks) > 0) {
    }
}

static vt_err open_timer(struct bench_submitter *submitter)
{
    uint32_t rate = submitter->options.rate;
    if (rate == 0) {
        return VT_OK;
    }
    int64_t period_us = US_PER_S / rate > 100 ? US_PER_S / rate : 100;
    struct timespec period = {.tv_sec = period_us / US_PER_S,
                              .tv_nsec = (long) (period_us % US_PER_S) * NS_PER_US};
    struct itimerspec every = {.it_interval = period, .it_value = period};
    submitter->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (submitter->timer_fd < 0 || timerfd_settime(submitter->timer_fd, 0, &every, NULL) != 0) {
        return VT_UNAVAILABLE;
    }
    struct loop_source source = {.fd = submitter->timer_fd, .ready = tick, .context = submitter};
    return loop_add(submitter->options.loop, &source);
}

/* ---- opening ---- */

static vt_err open_dialer(struct bench_submitter *submitter)
{
    char endpoint[ENDPOINT_BYTES_MAX];
    endpoint_dial(submitter->options.address, endpoint);
    struct link_dialer_options options = {
        .loop = submitter->options.loop,
        .edge = EDGE_BROKER_TO_CLIENT,
        .endpoint = endpoint,
        .high_water = HIGH_WATER,
        .events = {.message = message_came, .down = link_down, .context = submitter},
    };
    return link_dialer_open(&options, &submitter->dialer);
}

static vt_err open_tables(struct bench_submitter *submitter)
{
    const struct bench_submitter_options *options = &submitter->options;
    submitter->ids = calloc(options->ticket_count, sizeof *submitter->ids);
    submitter->batch = calloc(PACK_MAX, sizeof *submitter->batch);
    submitter->again = calloc(options->window, sizeof *submitter->again);
    if (options->keeps_times) {
        submitter->intended_us = calloc(options->ticket_count, sizeof *submitter->intended_us);
    }
    bool has_all = submitter->ids != NULL && submitter->batch != NULL && submitter->again != NULL &&
                   (!options->keeps_times || submitter->intended_us != NULL);
    return has_all ? VT_OK : VT_UNAVAILABLE;
}

vt_err bench_submitter_open(const struct bench_submitter_options *options,
                            struct bench_submitter **out)
{
    CHECK(options->window > 0 && options->window <= BENCH_WINDOW_MAX);

    struct bench_submitter *submitter = calloc(1, sizeof *submitter);
    if (submitter == NULL) {
        return VT_UNAVAILABLE;
    }
    submitter->options = *options;
    submitter->capacity = options->ticket_count;
    submitter->seed = process_random_u64();
    submitter->timer_fd = -1;
    vt_err err = open_tables(submitter);
    if (err == VT_OK) {
        err = open_dialer(submitter);
    }
    if (err == VT_OK) {
        err = open_timer(submitter);
    }
    if (err == VT_OK) {
        struct loop_turner turner = {.turn = turn, .context = submitter};
        err = loop_add_turner(options->loop, &turner);
    }
    if (err != VT_OK) {
        bench_submitter_close(submitter);
        return err;
    }
    *out = submitter;
    return VT_OK;
}

void bench_submitter_close(struct bench_submitter *submitter)
{
    if (submitter == NULL) {
        return;
    }
    if (submitter->timer_fd >= 0) {
        loop_remove(submitter->options.loop, NULL, submitter->timer_fd);
        close(submitter->timer_fd);
    }
    link_dialer_close(submitter->dialer);
    free(submitter->ids);
    free(submitter->intended_us);
    free(submitter->batch);
    free(submitter->again);
    free(submitter);
}

void bench_submitter_limit(struct bench_submitter *submitter, uint64_t ticket_count)
{
    CHECK(ticket_count <= submitter->capacity);
    submitter->options.ticket_count = ticket_count;
}

uint64_t bench_submitter_wanted(const struct bench_submitter *submitter)
{
    return submitter->options.ticket_count;
}

const struct bench_submitter_figures *
bench_submitter_figures(const struct bench_submitter *submitter)
{
    return &submitter->figures;
}

bool bench_submitter_ticket(const struct bench_submitter *submitter,
                            uint64_t number,
                            struct ticket_id *id)
{
    if (!is_acknowledged(submitter, number)) {
        return false;
    }
    *id = submitter->ids[number];
    return true;
}

int64_t bench_submitter_intended_us(const struct bench_submitter *submitter, uint64_t number)
{
    CHECK(submitter->intended_us != NULL);
    return submitter->intended_us[number];
}
