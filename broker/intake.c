#include "broker/intake.h"

#include <string.h>

#include "broker/draft.h"
#include "lib/check.h"
#include "lib/id.h"
#include "lib/map.h"

#define OVERLOAD_RETRY_MS 500u
#define STORE_RETRY_MS 1500u
#define DRAINING_RETRY_MS 1000u
#define BULK_FILL_PERCENT_MAX 75u /* above it bulk waits, so that people do not */

struct created {
    uint32_t queue;
    uint64_t total[CHANNEL_COUNT];
};

struct intake {
    struct batches *batches;
    struct clients *clients;
    struct outbox *outbox;
    struct id_source ids;
    uint32_t parts_max;
    bool is_draining;
    bool is_store_ill;
    uint64_t totals[INTAKE_END_COUNT];
    struct created *created;
    struct map created_by_queue;
};

static struct map_key created_key(const void *context, uint32_t row)
{
    const struct intake *intake = context;
    return (struct map_key){.a = intake->created[row].queue};
}

static void init(struct intake *intake, struct arena *arena, const struct intake_options *options)
{
    intake->batches = options->batches;
    intake->clients = options->clients;
    intake->outbox = options->outbox;
    intake->parts_max = options->parts_max;
    id_source_init(&intake->ids, options->seed);
    intake->created = ARENA_ARRAY(arena, struct created, options->queues_max);
    map_init(&intake->created_by_queue,
             arena,
             &(struct map_options){.capacity = options->queues_max,
                                   .seed = options->seed,
                                   .key_of = created_key,
                                   .context = intake});
}

struct intake *intake_open(struct arena *arena, const struct intake_options *options)
{
    struct intake scratch = {0};
    struct intake *intake = ARENA_NEW(arena, struct intake);
    init(intake == NULL ? &scratch : intake, arena, options);
    return intake;
}

static struct submitted *
answer(const struct turn *turn, uint64_t peer, uint64_t ref, enum answer answer)
{
    struct header like = {.kind = MESSAGE_SUBMITTED, .origin = turn->incarnation};
    struct submitted *submitted =
        message_add(turn->out, (struct address){.link = LINK_CLIENTS, .peer = peer}, &like);
    submitted->ref = ref;
    submitted->answer = answer;
    return submitted;
}

static void reject(struct intake *intake,
                   const struct turn *turn,
                   uint64_t peer,
                   const struct submit *submit,
                   const struct draft *draft)
{
    struct submitted *submitted = answer(turn, peer, submit->ref, ANSWER_REJECT);
    submitted->reason = draft->reason;
    submitted->field = turn_copy(turn, draft->field);
    intake->totals[INTAKE_REJECTED]++;
}

static void push_back(struct intake *intake,
                      const struct turn *turn,
                      uint64_t peer,
                      uint64_t ref,
                      enum reason_code reason)
{
    struct submitted *submitted = answer(turn, peer, ref, ANSWER_BUSY);
    submitted->reason = reason;
    submitted->retry_ms =
        turn_retry_ms(turn, reason == REASON_DRAINING ? DRAINING_RETRY_MS : OVERLOAD_RETRY_MS);
    intake->totals[INTAKE_BUSY]++;
}

static void put(struct intake *intake,
                const struct turn *turn,
                uint64_t peer,
                const struct submit *submit,
                const struct draft *draft)
{
    uint8_t blob[REQUIREMENTS_BYTES_MAX];
    uint32_t blob_bytes = requirements_write(&draft->requirements, blob);
    struct batches *batches = intake->batches;
    struct batch_entry entry = {
        .use = BATCH_SUBMIT, .client = peer, .ref = submit->ref, .channel = submit->channel};
    struct bytes client = submit->client.size > 0 ? submit->client : bytes_of_text("anonymous");

    struct store_request *request = batches_add(batches, &entry);
    request->kind = STORE_SUBMIT;
    request->part = draft->queue->part;
    int64_t unix_ms = turn->wall_us > 0 ? turn->wall_us / 1000 : 0;
    request->ticket = id_next(&intake->ids, unix_ms, draft->queue->part);
    request->submit.queue = draft->queue->id;
    request->submit.priority = draft->priority;
    request->submit.due_us = submit->not_before_us > 0 ? submit->not_before_us : 0;
    request->submit.client = batches_copy(batches, client);
    request->submit.key = batches_copy(batches, submit->key);
    memcpy(request->submit.digest, submit->digest, sizeof request->submit.digest);
    request->submit.requirements = batches_copy(batches, bytes_of(blob, blob_bytes));
    request->submit.body = batches_copy(batches, submit->body);
}

/* REASON_NONE: there is room for one more. */
static enum reason_code overload(const struct intake *intake, const struct submit *submit)
{
    if (submit->channel == CHANNEL_BULK &&
        batches_fill_percent(intake->batches) >= BULK_FILL_PERCENT_MAX) {
        return REASON_OVERLOAD;
    }
    uint64_t bytes = (uint64_t) submit->client.size + submit->key.size + submit->body.size +
                     REQUIREMENTS_BYTES_MAX;
    if (!batches_has_room(intake->batches, BATCH_SUBMIT, bytes)) {
        return REASON_OVERLOAD;
    }
    return REASON_NONE;
}

static void
take_in(struct intake *intake, const struct turn *turn, uint64_t peer, const struct submit *submit)
{
    struct draft draft;
    if (overload(intake, submit) != REASON_NONE) { /* first: pushing back has to be cheap */
        push_back(intake, turn, peer, submit->ref, REASON_OVERLOAD);
        return;
    }
    draft_make(&draft, turn->plan, submit);
    if (draft.reason == REASON_NONE && draft.queue->part >= intake->parts_max) {
        draft.reason = REASON_QUEUE_UNKNOWN;
        draft.field = bytes_of_text("queue");
    }
    if (draft.reason != REASON_NONE) {
        reject(intake, turn, peer, submit, &draft);
        return;
    }
    if (clients_charge(intake->clients, peer) != VT_OK) {
        push_back(intake, turn, peer, submit->ref, REASON_OVERLOAD);
        return;
    }
    put(intake, turn, peer, submit, &draft);
}

void intake_submit(struct intake *intake,
                   const struct turn *turn,
                   uint64_t peer,
                   const struct message *message)
{
    for (uint32_t i = 0; i < message->count; i++) {
        const struct submit *submit = &message->submit[i];
        if (intake->is_draining) {
            push_back(intake, turn, peer, submit->ref, REASON_DRAINING);
        } else if (turn->plan == NULL) {
            push_back(intake, turn, peer, submit->ref, REASON_OVERLOAD);
        } else {
            take_in(intake, turn, peer, submit);
        }
    }
}

static void count_created(struct intake *intake, uint32_t queue, enum channel channel)
{
    uint32_t row = map_count(&intake->created_by_queue);
    struct map_key key = {.a = queue};
    if (!map_find(&intake->created_by_queue, key, &row)) {
        intake->created[row].queue = queue;
        if (map_put(&intake->created_by_queue, key, row) != VT_OK) {
            return;
        }
    }
    intake->created[row].total[channel]++;
}

static void stored_new(struct intake *intake,
                       const struct turn *turn,
                       const struct ticket_row *row,
                       struct batch_entry *entry)
{
    entry->answer = ANSWER_OK;
    entry->ticket = row->id;
    intake->totals[INTAKE_OK]++;
    count_created(intake, row->queue, entry->channel);
    outbox_ticket(intake->outbox, turn, row);
    trace_event(turn->trace, TRACE_DEBUG, "ticket.stored");
    trace_id(turn->trace, "ticket", row->id);
    trace_u64(turn->trace, "part", row->part);
    trace_end(turn->trace);
}

static void stored_before(struct intake *intake,
                          const struct turn *turn,
                          const struct ticket_row *row,
                          struct batch_entry *entry)
{
    bool is_waiting = row->state == TICKET_QUEUED || row->state == TICKET_SCHEDULED;
    entry->answer = ANSWER_DUPLICATE;
    entry->ticket = row->id;
    intake->totals[INTAKE_DUPLICATE]++;
    /* Whoever committed it may have died before it told the owner. */
    if (is_waiting && row->attempt == 0) {
        outbox_ticket(intake->outbox, turn, row);
    }
}

static void not_stored(struct intake *intake, const struct turn *turn, struct batch_entry *entry)
{
    entry->answer = ANSWER_BUSY;
    entry->reason = REASON_STORE;
    entry->retry_ms = turn_retry_ms(turn, STORE_RETRY_MS);
    intake->totals[INTAKE_BUSY]++;
    intake->is_store_ill = true;
}

void intake_stored(struct intake *intake,
                   const struct turn *turn,
                   const struct store_request *request,
                   const struct store_result *result,
                   struct batch_entry *entry)
{
    intake->is_store_ill = false;
    switch (result->status) {
    case STORE_DONE:
        stored_new(intake, turn, &result->row, entry);
        return;
    case STORE_DUPLICATE:
        stored_before(intake, turn, &result->row, entry);
        return;
    case STORE_MISMATCH:
        entry->answer = ANSWER_REJECT;
        entry->reason = REASON_MISMATCH;
        intake->totals[INTAKE_REJECTED]++;
        return;
    case STORE_UNCERTAIN:
        /* The client's retry meets its key; the owner reads what may have been written. */
        entry->is_silent = true;
        intake->totals[INTAKE_UNKNOWN]++;
        intake->is_store_ill = true;
        outbox_resync(intake->outbox, request->part, turn->wall_us);
        return;
    case STORE_FULL:
    case STORE_FAILED:
    case STORE_REFUSED:
    case STORE_ABSENT:
    case STORE_FENCED:
        not_stored(intake, turn, entry);
        return;
    }
}

void intake_drain(struct intake *intake)
{
    intake->is_draining = true;
}

uint64_t intake_total(const struct intake *intake, enum intake_end end)
{
    CHECK(end < INTAKE_END_COUNT);
    return intake->totals[end];
}

uint64_t intake_created_total(const struct intake *intake, uint32_t queue, enum channel channel)
{
    uint32_t row = 0;
    if (!map_find(&intake->created_by_queue, (struct map_key){.a = queue}, &row)) {
        return 0;
    }
    return intake->created[row].total[channel];
}

bool intake_store_is_well(const struct intake *intake)
{
    return !intake->is_store_ill;
}
