#include "cli/client.h"

#include <stdlib.h>
#include <string.h>

#include "io/endpoint.h"
#include "io/link.h"
#include "io/loop.h"
#include "io/process.h"
#include "lib/arena.h"
#include "lib/check.h"

#define HIGH_WATER 1000
#define PATIENCE_MS_DEFAULT 30000
#define REDIAL_MS 100
#define RESEND_MS_FIRST 1000
#define RESEND_MS_LAST 4000
#define RETRY_STEP_MS 20

/* A ticket on its way. Its place is its ref modulo the window. */
struct slot {
    struct submit *submit; /* one block with all it points at; NULL: free */
    uint64_t caller_ref;
    int64_t next_ms; /* when it is sent (again) */
    int64_t wait_ms; /* until the time after that */
};

/* A question that waits for its answer. */
struct ask {
    uint64_t ref;
    bool is_done;
    vt_err error;
    uint64_t cursor;
    client_row_fn *row;
    void *context;
    struct answered answer;
};

struct client {
    struct loop *loop;
    struct link_dialer *dialer;
    client_answer_fn *answered;
    void *context;
    int64_t timeout_ms;
    int64_t patience_ms;
    int64_t heard_ms;    /* anything came, or there was nothing to hear */
    int64_t progress_ms; /* an answer that is not BUSY came, or there was nothing to wait for */
    int64_t retry_ms;    /* no slot that was sent before is due before this */
    struct slot *slots;
    uint32_t window;
    uint64_t first_ref; /* oldest that may be unanswered */
    uint64_t fresh_ref; /* from here on never sent */
    uint64_t next_ref;
    uint32_t pending;
    struct submit *batch; /* MESSAGE_ENTRIES_MAX */
    struct ask ask;
};

static struct slot *slot_of(struct client *client, uint64_t ref)
{
    return &client->slots[ref % client->window];
}

/* ---- what comes ---- */

static void take_busy(struct client *client, struct slot *slot, uint32_t retry_ms)
{
    int64_t wait_ms = retry_ms < RETRY_STEP_MS ? RETRY_STEP_MS : retry_ms;
    slot->next_ms =
        process_now_ms() + wait_ms + (int64_t) (process_random_u64() % (uint64_t) wait_ms);
    client->retry_ms = slot->next_ms < client->retry_ms ? slot->next_ms : client->retry_ms;
}

static void take_answer(struct client *client, const struct submitted *answer)
{
    struct slot *slot = slot_of(client, answer->ref);
    if (slot->submit == NULL || slot->submit->ref != answer->ref) {
        return; /* answered before: it was sent twice */
    }
    if (answer->answer == ANSWER_BUSY) {
        take_busy(client, slot, answer->retry_ms);
        return;
    }
    struct submitted told = *answer;
    told.ref = slot->caller_ref;
    free(slot->submit);
    slot->submit = NULL;
    client->pending--;
    client->progress_ms = process_now_ms();
    while (client->first_ref < client->next_ref &&
           slot_of(client, client->first_ref)->submit == NULL) {
        client->first_ref++;
    }
    client->answered(client->context, &told);
}

static void take_reply(struct client *client, const struct reply *reply)
{
    struct ask *ask = &client->ask;
    if (ask->is_done || reply->ref != ask->ref || ask->row == NULL) {
        return;
    }
    if (reply->row != ROW_END) {
        ask->row(ask->context, reply);
        return;
    }
    ask->is_done = true;
    ask->error = reply->end.error;
    ask->cursor = reply->end.cursor;
}

static void take_answered(struct client *client, const struct answered *answer)
{
    struct ask *ask = &client->ask;
    if (!ask->is_done && answer->ref == ask->ref && answer->answer != ANSWER_BUSY) {
        ask->is_done = true;
        ask->error = VT_OK;
        ask->answer = *answer;
    }
}

static void message_came(void *context, uint64_t peer, const struct message *message)
{
    struct client *client = context;
    (void) peer;
    client->heard_ms = process_now_ms();
    loop_stop(client->loop);
    for (uint32_t i = 0; i < message->count; i++) {
        if (message->header.kind == MESSAGE_SUBMITTED) {
            take_answer(client, &message->submitted[i]);
        } else if (message->header.kind == MESSAGE_REPLY) {
            take_reply(client, &message->reply[i]);
        } else if (message->header.kind == MESSAGE_NOTED ||
                   message->header.kind == MESSAGE_CANCELLED) {
            take_answered(client, &message->answered[i]);
        }
    }
}

/* Whatever was on its way may be lost: all of it goes again, over a new connection. */
static void link_down(void *context, uint64_t peer)
{
    struct client *client = context;
    (void) peer;
    int64_t again_ms = process_now_ms() + REDIAL_MS + (int64_t) (process_random_u64() % REDIAL_MS);
    for (uint64_t ref = client->first_ref; ref < client->fresh_ref; ref++) {
        slot_of(client, ref)->next_ms = again_ms;
    }
    client->retry_ms = again_ms;
    loop_stop(client->loop);
}

/* ---- what goes ---- */

static void send_batch(struct client *client, uint32_t count)
{
    struct message message = {.header = {.kind = MESSAGE_SUBMIT}, .count = count};
    message.submit = client->batch;
    if (count > 0) {
        link_dialer_send(client->dialer, &message);
    }
}

static void mark_sent(struct slot *slot, int64_t now_ms)
{
    slot->next_ms = now_ms + slot->wait_ms;
    slot->wait_ms = slot->wait_ms * 2 > RESEND_MS_LAST ? RESEND_MS_LAST : slot->wait_ms * 2;
}

/* Sends every slot in [from, to) that is due. */
static void send_due(struct client *client, uint64_t from, uint64_t to, int64_t now_ms)
{
    uint32_t count = 0;
    for (uint64_t ref = from; ref < to; ref++) {
        struct slot *slot = slot_of(client, ref);
        if (slot->submit == NULL || slot->next_ms > now_ms) {
            continue;
        }
        client->batch[count++] = *slot->submit;
        mark_sent(slot, now_ms);
        if (count == MESSAGE_ENTRIES_MAX) {
            send_batch(client, count);
            count = 0;
        }
    }
    send_batch(client, count);
}

static void flush(struct client *client, int64_t now_ms)
{
    if (now_ms >= client->retry_ms) {
        send_due(client, client->first_ref, client->fresh_ref, now_ms);
        client->retry_ms = now_ms + RETRY_STEP_MS;
    }
    send_due(client, client->fresh_ref, client->next_ref, now_ms);
    client->fresh_ref = client->next_ref;
}

static vt_err judge_silence(const struct client *client, int64_t now_ms)
{
    if (now_ms - client->heard_ms >= client->timeout_ms) {
        return VT_UNAVAILABLE;
    }
    return now_ms - client->progress_ms >= client->patience_ms ? VT_TIMEOUT : VT_OK;
}

vt_err client_run(struct client *client, int64_t until_ms)
{
    int64_t now_ms = process_now_ms();
    if (client->pending == 0) {
        client->heard_ms = now_ms;
        client->progress_ms = now_ms;
    }
    flush(client, now_ms);

    int64_t wake_ms = client->heard_ms + client->timeout_ms;
    if (client->pending > 0 && client->retry_ms < wake_ms) {
        wake_ms = client->retry_ms;
    }
    wake_ms = until_ms < wake_ms ? until_ms : wake_ms;
    loop_run(client->loop, wake_ms > now_ms ? wake_ms : now_ms + 1); /* reads what is there */
    return client->pending == 0 ? VT_OK : judge_silence(client, process_now_ms());
}

vt_err client_drain(struct client *client, uint32_t below)
{
    vt_err err = VT_OK;
    while (err == VT_OK && client->pending >= below) {
        err = client_run(client, INT64_MAX);
    }
    return err;
}

uint32_t client_pending(const struct client *client)
{
    return client->pending;
}

/* ---- a ticket's copy ---- */

static uint64_t copy_bytes(const struct submit *submit)
{
    uint64_t texts = (uint64_t) submit->client.size + submit->key.size + submit->pool.size +
                     submit->queue.size + submit->language.size + submit->text.size;
    uint64_t count = 6;
    for (uint32_t i = 0; i < submit->skill_count; i++) {
        texts += submit->skills[i].name.size;
        count++;
    }
    for (uint32_t i = 0; i < submit->attribute_count; i++) {
        texts += submit->attributes[i].name.size + submit->attributes[i].value.size;
        count += 2;
    }
    return sizeof *submit + submit->attribute_count * sizeof(struct attribute) + texts + count +
           4 * (uint64_t) ARENA_ALIGN_MAX;
}

static void copy_texts(struct arena *arena, struct submit *copy)
{
    struct attribute *attributes = ARENA_ARRAY(arena, struct attribute, copy->attribute_count);
    for (uint32_t i = 0; i < copy->attribute_count; i++) {
        attributes[i].name = bytes_copy(arena, copy->attributes[i].name);
        attributes[i].value = bytes_copy(arena, copy->attributes[i].value);
    }
    copy->attributes = attributes;
    for (uint32_t i = 0; i < copy->skill_count; i++) {
        copy->skills[i].name = bytes_copy(arena, copy->skills[i].name);
    }
    copy->client = bytes_copy(arena, copy->client);
    copy->key = bytes_copy(arena, copy->key);
    copy->pool = bytes_copy(arena, copy->pool);
    copy->queue = bytes_copy(arena, copy->queue);
    copy->language = bytes_copy(arena, copy->language);
    copy->text = bytes_copy(arena, copy->text);
    copy->body = (struct bytes){0};
}

static struct submit *copy_of(const struct submit *submit)
{
    uint64_t size = copy_bytes(submit);
    uint8_t *block = calloc(1, size);
    if (block == NULL) {
        return NULL;
    }
    struct arena arena;
    arena_init(&arena, block, size);
    struct submit *copy = ARENA_NEW(&arena, struct submit);
    *copy = *submit;
    copy_texts(&arena, copy);
    return copy;
}

vt_err client_submit(struct client *client, const struct submit *submit)
{
    struct slot *slot = slot_of(client, client->next_ref);
    if (slot->submit != NULL) {
        return VT_FULL;
    }
    struct submit *copy = copy_of(submit);
    if (copy == NULL) {
        return VT_UNAVAILABLE;
    }
    int64_t now_ms = process_now_ms();
    if (client->pending == 0) {
        client->heard_ms = now_ms;
        client->progress_ms = now_ms;
    }
    copy->ref = client->next_ref++;
    *slot = (struct slot){
        .submit = copy, .caller_ref = submit->ref, .next_ms = now_ms, .wait_ms = RESEND_MS_FIRST};
    client->pending++;
    return VT_OK;
}

/* ---- one question, one answer ---- */

/* Sends `message` until the ask is done. Each try has a ref of its own, written to its entry's
 * `ref`, so that the rows of two tries never mix. */
static vt_err ask(struct client *client, const struct message *message, uint64_t *ref)
{
    int64_t started_ms = process_now_ms();
    int64_t wait_ms = RESEND_MS_FIRST / 4;
    client->heard_ms = started_ms;
    while (!client->ask.is_done) {
        int64_t now_ms = process_now_ms();
        if (now_ms - started_ms >= client->timeout_ms) {
            return VT_UNAVAILABLE;
        }
        if (client->ask.row != NULL) {
            client->ask.row(client->ask.context, NULL);
        }
        *ref = ++client->ask.ref;
        link_dialer_send(client->dialer, message);
        int64_t again_ms = now_ms + wait_ms;
        while (!client->ask.is_done && process_now_ms() < again_ms) {
            loop_run(client->loop, again_ms);
        }
        wait_ms = wait_ms * 2 > RESEND_MS_LAST ? RESEND_MS_LAST : wait_ms * 2;
    }
    return client->ask.error;
}

static void begin(struct client *client, struct ask what)
{
    what.ref = client->ask.ref;
    client->ask = what;
}

/* Forgets nothing between pages: only the first page's start is told. */
struct pages {
    client_row_fn *row;
    void *context;
    uint64_t count; /* rows of this page that were told */
    uint64_t seen;  /* rows of this page that came in this try */
};

static void page_row(void *context, const struct reply *row)
{
    struct pages *pages = context;
    if (row == NULL) {
        pages->seen = 0;
        return;
    }
    pages->seen++;
    if (pages->seen > pages->count) {
        pages->count = pages->seen;
        pages->row(pages->context, row);
    }
}

static vt_err query_page(struct client *client, struct query *query, struct pages *pages)
{
    pages->count = 0;
    pages->seen = 0;
    begin(client, (struct ask){.row = page_row, .context = pages});
    struct message message = {.header = {.kind = MESSAGE_QUERY}, .count = 1};
    message.query = query;
    return ask(client, &message, &query->ref);
}

vt_err client_query(struct client *client, const struct client_question *question)
{
    int64_t until_ms = process_now_ms() + client->timeout_ms;
    vt_err err = VT_UNAVAILABLE;
    while (err == VT_UNAVAILABLE || err == VT_TIMEOUT) {
        struct pages pages = {.row = question->row, .context = question->context};
        struct query query = {.what = question->what, .ticket = question->ticket};
        question->row(question->context, NULL);
        do {
            err = query_page(client, &query, &pages);
            query.cursor = client->ask.cursor;
        } while (err == VT_OK && query.cursor != 0);
        if (process_now_ms() >= until_ms) {
            break;
        }
        if (err != VT_OK && err != VT_NOT_FOUND) { /* it is starting or moving: ask again soon */
            loop_run(client->loop, process_now_ms() + REDIAL_MS);
        }
    }
    return err == VT_TIMEOUT ? VT_UNAVAILABLE : err;
}

vt_err client_cancel(struct client *client, const struct cancel *cancel, struct answered *answer)
{
    struct cancel entry = *cancel;
    begin(client, (struct ask){0});
    struct message message = {.header = {.kind = MESSAGE_CANCEL}, .count = 1};
    message.cancel = &entry;
    vt_err err = ask(client, &message, &entry.ref);
    *answer = client->ask.answer;
    return err;
}

vt_err client_note(struct client *client, const struct note *note, struct answered *answer)
{
    struct note entry = *note;
    begin(client, (struct ask){0});
    struct message message = {.header = {.kind = MESSAGE_NOTE}, .count = 1};
    message.note = &entry;
    vt_err err = ask(client, &message, &entry.ref);
    *answer = client->ask.answer;
    return err;
}

/* ---- opening ---- */

static vt_err open_dialer(struct client *client, const char *server)
{
    char endpoint[ENDPOINT_BYTES_MAX];
    endpoint_dial(server, endpoint);
    struct link_dialer_options options = {
        .loop = client->loop,
        .edge = EDGE_BROKER_TO_CLIENT,
        .endpoint = endpoint,
        .high_water = HIGH_WATER,
        .events = {.message = message_came, .down = link_down, .context = client},
    };
    return link_dialer_open(&options, &client->dialer);
}

vt_err client_open(const struct client_options *options, struct client **out)
{
    CHECK(options->window <= CLIENT_WINDOW_MAX);

    struct client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        return VT_UNAVAILABLE;
    }
    client->window = options->window > 0 ? options->window : CLIENT_WINDOW_DEFAULT;
    client->timeout_ms = options->timeout_ms;
    client->patience_ms = options->patience_ms > 0 ? options->patience_ms : PATIENCE_MS_DEFAULT;
    client->answered = options->answered;
    client->context = options->context;
    client->first_ref = client->fresh_ref = client->next_ref = 1;
    client->ask.is_done = true;
    client->loop = loop_open();
    client->slots = calloc(client->window, sizeof *client->slots);
    client->batch = calloc(MESSAGE_ENTRIES_MAX, sizeof *client->batch);
    if (client->loop == NULL || client->slots == NULL || client->batch == NULL ||
        open_dialer(client, options->server) != VT_OK) {
        client_close(client);
        return VT_UNAVAILABLE;
    }
    *out = client;
    return VT_OK;
}

void client_close(struct client *client)
{
    if (client == NULL) {
        return;
    }
    link_dialer_close(client->dialer);
    for (uint32_t i = 0; client->slots != NULL && i < client->window; i++) {
        free(client->slots[i].submit);
    }
    free(client->slots);
    free(client->batch);
    loop_close(client->loop);
    free(client);
}
