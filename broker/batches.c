#include "broker/batches.h"

#include "lib/check.h"

/* Behind the SUBMITs, for sites' ids and requesters' notes: intake must not starve them. */
#define SPARE_REQUESTS 64u
#define SPARE_BYTES (UINT64_C(2) << 20)
/* A request's texts are at most this many and each is aligned and ends in a NUL. */
#define REQUEST_OVERHEAD_BYTES 128u
#define ANSWERS_EACH 4u /* room that answers leave to others in a step */

enum store_side {
    STORE_IDLE,
    STORE_WORKING,
    STORE_ANSWERING
};

struct batches {
    struct batch both[2];
    uint32_t filling; /* index; the other is the store's */
    enum store_side side;
    bool is_stopped;
    uint64_t token;
    uint64_t requests_total;
    uint32_t requests_max;
    uint64_t bytes_max;
};

static void batch_init(struct batch *batch, struct arena *arena, const struct batches *batches)
{
    uint32_t capacity = batches->requests_max + SPARE_REQUESTS;
    uint64_t bytes =
        batches->bytes_max + SPARE_BYTES + (uint64_t) capacity * REQUEST_OVERHEAD_BYTES;
    batch->requests = ARENA_ARRAY(arena, struct store_request, capacity);
    batch->entries = ARENA_ARRAY(arena, struct batch_entry, capacity);
    void *memory = arena_take(arena, bytes, ARENA_ALIGN_MAX);
    if (memory != NULL) {
        arena_init(&batch->bytes, memory, bytes);
    }
}

static void
init(struct batches *batches, struct arena *arena, const struct batches_options *options)
{
    batches->requests_max = options->requests_max;
    batches->bytes_max = options->bytes_max;
    batch_init(&batches->both[0], arena, batches);
    batch_init(&batches->both[1], arena, batches);
}

struct batches *batches_open(struct arena *arena, const struct batches_options *options)
{
    struct batches scratch = {0};
    struct batches *batches = ARENA_NEW(arena, struct batches);
    init(batches == NULL ? &scratch : batches, arena, options);
    return batches;
}

static struct batch *filling(struct batches *batches)
{
    return &batches->both[batches->filling];
}

static struct batch *stores(struct batches *batches)
{
    return &batches->both[1U - batches->filling];
}

bool batches_has_room(const struct batches *batches, enum batch_use use, uint64_t bytes)
{
    const struct batch *batch = &batches->both[batches->filling];
    uint64_t overhead = (uint64_t) batch->count * REQUEST_OVERHEAD_BYTES;
    if (use == BATCH_SUBMIT) {
        return batch->count < batches->requests_max &&
               batch->bytes.used + bytes <= batches->bytes_max + overhead;
    }
    return batch->count < batches->requests_max + SPARE_REQUESTS &&
           batch->bytes.used + bytes + REQUEST_OVERHEAD_BYTES <= batch->bytes.capacity;
}

uint32_t batches_fill_percent(const struct batches *batches)
{
    const struct batch *batch = &batches->both[batches->filling];
    uint64_t by_count = (uint64_t) batch->count * 100U / batches->requests_max;
    uint64_t by_bytes = batch->bytes.used * 100U / batches->bytes_max;
    return (uint32_t) (by_count > by_bytes ? by_count : by_bytes);
}

struct store_request *batches_add(struct batches *batches, const struct batch_entry *entry)
{
    struct batch *batch = filling(batches);
    CHECK(batch->count < batches->requests_max + SPARE_REQUESTS);
    batch->entries[batch->count] = *entry;
    batch->requests[batch->count] = (struct store_request){0};
    return &batch->requests[batch->count++];
}

struct bytes batches_copy(struct batches *batches, struct bytes source)
{
    return bytes_copy(&filling(batches)->bytes, source);
}

struct arena *batches_bytes(struct batches *batches)
{
    return &filling(batches)->bytes;
}

struct batch *batches_stored(struct batches *batches, uint64_t token)
{
    if (batches->side != STORE_WORKING || token != batches->token) {
        return NULL;
    }
    batches->side = STORE_ANSWERING;
    return stores(batches);
}

static void answer(const struct batch_entry *entry, const struct turn *turn)
{
    struct address to = {.link = LINK_CLIENTS, .peer = entry->client};
    struct header like = {.kind = MESSAGE_SUBMITTED, .origin = turn->incarnation};
    if (entry->use == BATCH_SUBMIT) {
        struct submitted *submitted = message_add(turn->out, to, &like);
        submitted->ref = entry->ref;
        submitted->answer = entry->answer;
        submitted->ticket = entry->ticket;
        submitted->reason = entry->reason;
        submitted->retry_ms = entry->retry_ms;
        if (entry->reason == REASON_MISMATCH) {
            submitted->field = bytes_of_text("key");
        }
        return;
    }
    like.kind = MESSAGE_NOTED;
    struct answered *noted = message_add(turn->out, to, &like);
    noted->ref = entry->ref;
    noted->answer = entry->answer;
    noted->ticket = entry->ticket;
    noted->reason = entry->reason;
    noted->retry_ms = entry->retry_ms;
}

void batches_answer(struct batches *batches, struct clients *clients, const struct turn *turn)
{
    if (batches->side != STORE_ANSWERING) {
        return;
    }
    struct batch *batch = stores(batches);
    while (batch->answered_count < batch->count) {
        if (!turn_has_room(turn, ANSWERS_EACH)) {
            return;
        }
        const struct batch_entry *entry = &batch->entries[batch->answered_count++];
        if (entry->use == BATCH_SITE) {
            continue;
        }
        if (clients_discharge(clients, entry->client) && !entry->is_silent) {
            answer(entry, turn);
        }
    }
    batch->count = 0;
    batch->answered_count = 0;
    arena_reset(&batch->bytes);
    batches->side = STORE_IDLE;
}

void batches_send(struct batches *batches, const struct turn *turn)
{
    struct batch *batch = filling(batches);
    if (batches->side != STORE_IDLE || batch->count == 0 || batches->is_stopped ||
        !turn_has_room(turn, 1)) {
        return;
    }
    batch->sent_wall_us = turn->wall_us;
    batches->filling = 1U - batches->filling;
    batches->side = STORE_WORKING;
    batches->token++;
    batches->requests_total += batch->count;

    struct effect *effect = effects_add(turn->out, EFFECT_STORE);
    effect->store.token = batches->token;
    effect->store.requests = batch->requests;
    effect->store.count = batch->count;
}

void batches_stop(struct batches *batches)
{
    batches->is_stopped = true;
}

bool batches_is_idle(const struct batches *batches)
{
    const struct batch *batch = &batches->both[batches->filling];
    return batches->side == STORE_IDLE && (batch->count == 0 || batches->is_stopped);
}

bool batches_is_due(const struct batches *batches)
{
    const struct batch *batch = &batches->both[batches->filling];
    return batches->side == STORE_ANSWERING ||
           (batches->side == STORE_IDLE && batch->count > 0 && !batches->is_stopped);
}

uint64_t batches_sent_total(const struct batches *batches)
{
    return batches->token;
}

uint64_t batches_requests_total(const struct batches *batches)
{
    return batches->requests_total;
}
