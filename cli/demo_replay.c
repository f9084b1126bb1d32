#include "cli/demo_replay.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/client.h"
#include "io/process.h"
#include "lib/check.h"
#include "lib/timers.h"

#define TIMEOUT_MS 30000
#define BUSY_MS 60000
#define READY_MS 10000
#define READY_STEP_MS 20
/* Real time. The protocol's own timers are not divided by the speed (an agent who declined a ticket
 * is not asked again for 15 s), and nobody's patience should end because of them. */
#define PATIENCE_MS_MIN 20000
#define LEAD_MS 20 /* between ready and the first arrival */
#define IDLE_MS 50
#define OPEN_MS 100 /* between two questions whether anything is open */
#define US_PER_MS 1000
#define CANCEL_TEXT "lost patience"

struct demo_replay {
    struct demo_replay_options options;
    struct demo_board *board;
    struct client *client;
    struct timers patience; /* by ticket */
    uint32_t next;          /* ticket to hand in */
    uint64_t seen;          /* agents up, or tickets open: a question's sum */
    vt_err err;
    const char *doing; /* when it failed */
    pthread_t thread;
    struct arena arena;
};

/* ---- answers ---- */

static void answered(void *context, const struct submitted *answer)
{
    struct demo_replay *replay = context;
    struct demo_board *board = replay->board;
    uint32_t number = (uint32_t) answer->ref;
    if (answer->answer == ANSWER_REJECT) {
        atomic_fetch_add(&board->refused_count, 1);
        fprintf(stderr,
                "%s:%" PRIu32 ": refused: %.*s%s%s\n",
                replay->options.path,
                board->tickets->list[number].line,
                (int) answer->field.size,
                answer->field.size > 0 ? (const char *) answer->field.data : "",
                answer->field.size > 0 ? ": " : "",
                reason_text(answer->reason));
        return;
    }
    board->acknowledged[number] = answer->ticket;
    atomic_fetch_add(&board->acknowledged_count, 1);
    int64_t patience_ms = demo_board_real_ms(board, board->tickets->list[number].patience_ms);
    patience_ms = patience_ms < PATIENCE_MS_MIN ? PATIENCE_MS_MIN : patience_ms;
    timers_set(&replay->patience, number, board->submitted_us[number] / US_PER_MS + patience_ms);
}

static void count_agent(void *context, const struct reply *row)
{
    struct demo_replay *replay = context;
    if (row == NULL) {
        replay->seen = 0;
    } else if (row->row == ROW_AGENT && row->agent.is_up) {
        replay->seen++;
    }
}

static void count_open(void *context, const struct reply *row)
{
    struct demo_replay *replay = context;
    if (row == NULL) {
        replay->seen = 0;
    } else if (row->row == ROW_QUEUE) {
        replay->seen +=
            row->queue.waiting + row->queue.scheduled + row->queue.assigned + row->queue.parked;
    }
}

static vt_err ask(struct demo_replay *replay, enum query_what what, client_row_fn *row)
{
    struct client_question question = {.what = what, .row = row, .context = replay};
    return client_query(replay->client, &question);
}

/* ---- handing in ---- */

static int64_t arrival_ms(const struct demo_replay *replay, uint32_t number)
{
    const struct demo_board *board = replay->board;
    return (int64_t) atomic_load(&board->start_ms) +
           demo_board_real_ms(board, board->tickets->list[number].at_ms);
}

static vt_err submit_one(struct demo_replay *replay, uint32_t number)
{
    const struct demo_tickets *tickets = replay->board->tickets;
    const struct demo_ticket *ticket = &tickets->list[number];
    struct attribute attributes[DEMO_ATTRIBUTES];
    char text[DEMO_NUMBER_BYTES];
    char key[DEMO_KEY_BYTES];
    demo_tickets_describe(tickets, number, attributes, text);
    demo_tickets_key(number, key);
    struct submit submit = {.ref = number,
                            .client = bytes_of_text(DEMO_REPLAY_CLIENT),
                            .key = bytes_of_text(key),
                            .language = bytes_of_text(ticket->language),
                            .channel = ticket->channel,
                            .priority = ticket->priority,
                            .attributes = attributes,
                            .attribute_count = DEMO_ATTRIBUTES,
                            .text = ticket->text};
    return client_submit(replay->client, &submit);
}

/* What is due. The client's window bounds it; it leaves with the next client_run(). */
static void submit_due(struct demo_replay *replay)
{
    struct demo_board *board = replay->board;
    int64_t now_ms = process_now_ms();
    while (replay->next < board->tickets->count && arrival_ms(replay, replay->next) <= now_ms) {
        if (submit_one(replay, replay->next) != VT_OK) {
            break; /* the window is full */
        }
        board->submitted_us[replay->next] = process_now_us();
        replay->next++;
    }
    atomic_store(&board->released, replay->next); /* before the cluster can see them */
}

/* ---- patience ---- */

static vt_err cancel_one(struct demo_replay *replay, uint32_t number)
{
    struct demo_board *board = replay->board;
    if (atomic_load(&board->told[number]) != DEMO_TOLD_NOTHING) {
        return VT_OK; /* it was answered in time */
    }
    struct cancel cancel = {.ticket = board->acknowledged[number],
                            .reason = bytes_of_text(CANCEL_TEXT)};
    struct answered answer = {0};
    vt_err err = client_cancel(replay->client, &cancel, &answer);
    if (err == VT_OK && answer.answer != ANSWER_REJECT) {
        board->cancelled[number] = true;
        atomic_fetch_add(&board->cancelled_count, 1);
    }
    return err;
}

static vt_err cancel_due(struct demo_replay *replay)
{
    uint32_t number = 0;
    vt_err err = VT_OK;
    while (err == VT_OK && timers_pop_due(&replay->patience, process_now_ms(), &number)) {
        err = cancel_one(replay, number);
    }
    return err;
}

/* ---- the thread ---- */

static bool must_end(const struct demo_replay *replay)
{
    return atomic_load(&replay->board->must_end);
}

static vt_err wait_ready(struct demo_replay *replay)
{
    int64_t until_ms = process_now_ms() + READY_MS;
    vt_err err = VT_OK;
    replay->doing = "waiting for the agents to be up";
    do {
        err = ask(replay, QUERY_AGENTS, count_agent);
        if (err == VT_OK && replay->seen >= replay->options.agents) {
            return VT_OK;
        }
        err = client_run(replay->client, process_now_ms() + READY_STEP_MS);
    } while (err == VT_OK && !must_end(replay) && process_now_ms() < until_ms);
    return err == VT_OK && !must_end(replay) ? VT_TIMEOUT : err;
}

static bool all_ended(const struct demo_replay *replay)
{
    const struct demo_board *board = replay->board;
    return replay->next == board->tickets->count && client_pending(replay->client) == 0 &&
           atomic_load(&board->done_count) + atomic_load(&board->cancelled_count) >=
               atomic_load(&board->acknowledged_count);
}

static int64_t next_ms(const struct demo_replay *replay)
{
    int64_t idle_ms = process_now_ms() + IDLE_MS;
    int64_t patience_ms = timers_next_ms(&replay->patience);
    int64_t wake_ms = patience_ms < idle_ms ? patience_ms : idle_ms;
    if (replay->next < replay->board->tickets->count) {
        int64_t due_ms = arrival_ms(replay, replay->next);
        wake_ms = due_ms < wake_ms ? due_ms : wake_ms;
    }
    return wake_ms;
}

static vt_err hand_in(struct demo_replay *replay)
{
    vt_err err = VT_OK;
    replay->doing = "handing in tickets";
    while (err == VT_OK && !must_end(replay) && !all_ended(replay)) {
        submit_due(replay);
        err = cancel_due(replay);
        if (err == VT_OK) {
            err = client_run(replay->client, next_ms(replay));
        }
    }
    return err;
}

/* Agents have said that all is done; that the cluster knows it too is asked of the cluster. */
static vt_err wait_closed(struct demo_replay *replay)
{
    vt_err err = VT_OK;
    replay->doing = "waiting for the last tickets to close";
    while (!must_end(replay)) {
        err = ask(replay, QUERY_QUEUES, count_open);
        if (err != VT_OK || replay->seen == 0) {
            break;
        }
        err = client_run(replay->client, process_now_ms() + OPEN_MS);
        if (err != VT_OK) {
            break;
        }
    }
    return err;
}

static void *run(void *context)
{
    struct demo_replay *replay = context;
    replay->err = wait_ready(replay);
    if (replay->err == VT_OK) {
        atomic_store(&replay->board->start_ms, process_now_ms() + LEAD_MS);
        replay->err = hand_in(replay);
    }
    if (replay->err == VT_OK) {
        replay->err = wait_closed(replay);
    }
    atomic_store(&replay->board->is_over, true);
    return NULL;
}

static vt_err start(struct demo_replay *replay)
{
    struct client_options options = {.server = replay->options.server,
                                     .timeout_ms = TIMEOUT_MS,
                                     .patience_ms = BUSY_MS,
                                     .window = CLIENT_WINDOW_MAX,
                                     .answered = answered,
                                     .context = replay};
    struct arena measure = {0};
    timers_init(&replay->patience, &measure, replay->board->tickets->count);
    vt_err err = process_reserve(measure.used, &replay->arena);
    if (err == VT_OK) {
        timers_init(&replay->patience, &replay->arena, replay->board->tickets->count);
        err = client_open(&options, &replay->client);
    }
    if (err == VT_OK && pthread_create(&replay->thread, NULL, run, replay) != 0) {
        err = VT_UNAVAILABLE;
    }
    return err;
}

static void release(struct demo_replay *replay)
{
    client_close(replay->client);
    process_unreserve(&replay->arena);
    free(replay);
}

vt_err demo_replay_start(const struct demo_replay_options *options, struct demo_replay **out)
{
    struct demo_replay *replay = calloc(1, sizeof *replay);
    if (replay == NULL) {
        return VT_UNAVAILABLE;
    }
    replay->options = *options;
    replay->board = options->board;
    vt_err err = start(replay);
    if (err != VT_OK) {
        release(replay);
        return err;
    }
    *out = replay;
    return VT_OK;
}

void demo_replay_join(struct demo_replay *replay, char error[DEMO_REPLAY_ERROR_BYTES])
{
    error[0] = '\0';
    if (replay == NULL) {
        return;
    }
    CHECK(pthread_join(replay->thread, NULL) == 0);
    if (replay->err != VT_OK) {
        snprintf(error, DEMO_REPLAY_ERROR_BYTES, "%s: %s", replay->doing, err_text(replay->err));
    }
    release(replay);
}
