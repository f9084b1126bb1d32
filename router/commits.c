#include "router/commits.h"

#include "lib/check.h"

#define RETRY_MIN_MS 100
#define RETRY_MAX_MS 5000
#define TOKEN_KIND (UINT64_C(1) << 56) /* the router tells tokens apart by their first byte */

static struct map_key key_of(const void *context, uint32_t row)
{
    const struct commits_batch *batch = context;
    const struct store_request *request = &batch->requests[row];
    return (struct map_key){.a = request->ticket.hi, .b = request->ticket.lo};
}

static void
init_batch(struct commits_batch *batch, struct arena *arena, const struct commits_options *options)
{
    batch->requests = ARENA_ARRAY(arena, struct store_request, options->requests_max);
    batch->commits = ARENA_ARRAY(arena, struct commit, options->requests_max);
    batch->is_kept = ARENA_ARRAY(arena, bool, options->requests_max);
    void *texts = arena_take(arena, options->texts_bytes, ARENA_ALIGN_MAX);
    map_init(&batch->outcomes,
             arena,
             &(struct map_options){.capacity = options->requests_max,
                                   .seed = options->seed,
                                   .key_of = key_of,
                                   .context = batch});
    if (texts != NULL) {
        arena_init_used(&batch->texts, texts, options->texts_bytes);
    }
}

void commits_init(struct commits *commits,
                  struct arena *arena,
                  const struct commits_options *options)
{
    *commits = (struct commits){
        .requests_max = options->requests_max, .retry_ms = NO_DEADLINE, .token = TOKEN_KIND};
    random_init(&commits->random, options->seed);
    backoff_init(&commits->backoff, RETRY_MIN_MS, RETRY_MAX_MS);
    init_batch(&commits->batches[0], arena, options);
    init_batch(&commits->batches[1], arena, options);
}

static struct commits_batch *filling(struct commits *commits)
{
    return &commits->batches[commits->filling];
}

static struct commits_batch *other(struct commits *commits)
{
    return &commits->batches[1U - commits->filling];
}

bool commits_has_room(const struct commits *commits)
{
    return commits->batches[commits->filling].count < commits->requests_max;
}

bool commits_is_healthy(const struct commits *commits)
{
    return commits->retry_ms == NO_DEADLINE;
}

static bool same_outcome(const struct store_request *a, const struct store_request *b)
{
    return a->kind == b->kind && a->epoch == b->epoch && a->move.attempt == b->move.attempt &&
           a->move.agent == b->move.agent && a->move.cause == b->move.cause;
}

static bool is_repeat(const struct commits_batch *batch, const struct store_request *request)
{
    uint32_t row = 0;
    struct map_key key = {.a = request->ticket.hi, .b = request->ticket.lo};
    return map_find(&batch->outcomes, key, &row) && same_outcome(&batch->requests[row], request);
}

vt_err commits_add(struct commits *commits,
                   const struct store_request *request,
                   const struct commit *commit)
{
    struct commits_batch *batch = filling(commits);
    if (commit->asker == COMMIT_AGENT &&
        (is_repeat(batch, request) || is_repeat(other(commits), request))) {
        return VT_CONFLICT;
    }
    uint64_t mark = arena_mark(&batch->texts);
    struct store_request copy = *request;
    if (batch->count == commits->requests_max ||
        !bytes_try_copy(&batch->texts, request->move.text, &copy.move.text) ||
        !bytes_try_copy(&batch->texts, request->move.note, &copy.move.note)) {
        arena_rewind(&batch->texts, mark);
        commits->refused_total++;
        return VT_FULL;
    }
    uint32_t row = batch->count++;
    batch->requests[row] = copy;
    batch->commits[row] = *commit;
    batch->is_kept[row] = false;
    if (commit->asker == COMMIT_AGENT) {
        vt_err error =
            map_put(&batch->outcomes, (struct map_key){copy.ticket.hi, copy.ticket.lo}, row);
        CHECK(error != VT_FULL);
    }
    return VT_OK;
}

static void clear_outcomes(struct commits_batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        if (batch->commits[i].asker == COMMIT_AGENT) {
            const struct store_request *request = &batch->requests[i];
            map_remove(&batch->outcomes, (struct map_key){request->ticket.hi, request->ticket.lo});
        }
    }
}

void commits_send(struct commits *commits, int64_t now_ms, struct effects *out)
{
    if (commits->is_out) {
        return;
    }
    if (commits->retry_ms != NO_DEADLINE) {
        if (now_ms < commits->retry_ms) {
            return;
        }
        commits->retry_ms = NO_DEADLINE;
    } else {
        if (filling(commits)->count == 0) {
            return;
        }
        commits->filling = 1U - commits->filling;
    }
    struct commits_batch *batch = other(commits);
    if (batch->count == 0) {
        return;
    }
    commits->is_out = true;
    commits->token++;
    struct effect *effect = effects_add(out, EFFECT_STORE);
    effect->store.token = commits->token;
    effect->store.requests = batch->requests;
    effect->store.count = batch->count;
}

struct commits_batch *commits_begin(struct commits *commits, const struct event *event)
{
    CHECK(commits->is_out);
    CHECK(event->stored.token == commits->token);
    CHECK(event->stored.count == other(commits)->count);
    commits->is_out = false;
    return other(commits);
}

void commits_keep(struct commits_batch *batch, uint32_t index)
{
    CHECK(index < batch->count);
    batch->is_kept[index] = true;
}

/* Moves the wanted requests to the front; their texts stay where they are. */
static void compact(struct commits_batch *batch)
{
    clear_outcomes(batch);
    uint32_t count = 0;
    for (uint32_t i = 0; i < batch->count; i++) {
        if (!batch->is_kept[i]) {
            continue;
        }
        batch->requests[count] = batch->requests[i];
        batch->commits[count] = batch->commits[i];
        batch->is_kept[count] = false;
        count++;
    }
    batch->count = count;
    for (uint32_t i = 0; i < count; i++) {
        const struct ticket_id id = batch->requests[i].ticket;
        if (batch->commits[i].asker == COMMIT_AGENT) {
            vt_err error = map_put(&batch->outcomes, (struct map_key){id.hi, id.lo}, i);
            CHECK(error != VT_FULL);
        }
    }
    if (count == 0) {
        arena_reset(&batch->texts);
    }
}

void commits_end(struct commits *commits, int64_t now_ms)
{
    struct commits_batch *batch = other(commits);
    compact(batch);
    if (batch->count == 0) {
        backoff_reset(&commits->backoff);
        return;
    }
    commits->retried_total += batch->count;
    commits->retry_ms = now_ms + backoff_next_ms(&commits->backoff, &commits->random);
}

static void drop_part_of(struct commits_batch *batch, uint32_t part)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        batch->is_kept[i] = batch->requests[i].part != part;
    }
    compact(batch);
}

void commits_drop_part(struct commits *commits, uint32_t part)
{
    drop_part_of(filling(commits), part);
    if (!commits->is_out) {
        drop_part_of(other(commits), part);
        if (other(commits)->count == 0) {
            commits->retry_ms = NO_DEADLINE;
        }
    }
}

uint32_t commits_count(const struct commits *commits, uint32_t part)
{
    uint32_t count = 0;
    for (uint32_t b = 0; b < 2; b++) {
        const struct commits_batch *batch = &commits->batches[b];
        for (uint32_t i = 0; i < batch->count; i++) {
            count += part == PART_ALL || batch->requests[i].part == part ? 1U : 0U;
        }
    }
    return count;
}

int64_t commits_deadline_ms(const struct commits *commits)
{
    if (commits->is_out) {
        return NO_DEADLINE;
    }
    if (commits->retry_ms != NO_DEADLINE) {
        return commits->retry_ms;
    }
    return commits->batches[commits->filling].count == 0 ? NO_DEADLINE : 0;
}
