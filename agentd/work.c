#include "agentd/work.h"

#include <string.h>

#include "lib/bytes.h"
#include "lib/check.h"

static struct map_key key_of(struct ticket_id ticket)
{
    return (struct map_key){.a = ticket.hi, .b = ticket.lo};
}

static struct map_key key_of_row(const void *context, uint32_t row)
{
    const struct work *work = context;
    return key_of(work->rows[row].ticket);
}

void work_init(struct work *work, struct arena *arena, uint32_t capacity, uint64_t seed)
{
    CHECK(capacity > 0);
    *work = (struct work){
        .rows = ARENA_ARRAY(arena, struct work_row, capacity),
        .buffers =
            arena_take(arena, arena_array_bytes(capacity, WORK_BUFFER_BYTES), ARENA_ALIGN_MAX),
        .capacity = capacity,
    };
    slab_init(&work->slab, arena, capacity);
    map_init(&work->by_ticket,
             arena,
             &(struct map_options){
                 .capacity = capacity, .seed = seed, .key_of = key_of_row, .context = work});
    timers_init(&work->timers, arena, capacity);
}

vt_err work_add(struct work *work, struct ticket_id ticket, enum work_state state, uint32_t *row)
{
    CHECK(state != WORK_DROPPING);
    uint32_t taken = 0;
    if (work_find(work, ticket) != WORK_NONE) {
        return VT_CONFLICT;
    }
    vt_err err = slab_take(&work->slab, &taken);
    if (err != VT_OK) {
        return err;
    }
    work->rows[taken] = (struct work_row){
        .state = state, .ticket = ticket, .agent = WORK_AGENT_NONE, .deadline_ms = NO_DEADLINE};
    err = map_put(&work->by_ticket, key_of(ticket), taken);
    CHECK(err == VT_OK);
    work->counts[state]++;
    *row = taken;
    return VT_OK;
}

uint32_t work_find(const struct work *work, struct ticket_id ticket)
{
    uint32_t row = WORK_NONE;
    (void) map_find(&work->by_ticket, key_of(ticket), &row);
    return row;
}

struct work_row *work_get(const struct work *work, uint32_t row)
{
    CHECK(slab_is_taken(&work->slab, row));
    return &work->rows[row];
}

void work_set_state(struct work *work, uint32_t row, enum work_state state)
{
    struct work_row *ticket = work_get(work, row);
    CHECK(ticket->state != WORK_DROPPING);
    CHECK(work->counts[ticket->state] > 0);
    work->counts[ticket->state]--;
    work->counts[state]++;
    ticket->state = state;
    timers_clear(&work->timers, row);
    if (state == WORK_DROPPING) {
        bool was_there = map_remove(&work->by_ticket, key_of(ticket->ticket));
        CHECK(was_there);
    }
}

void work_remove(struct work *work, uint32_t row)
{
    struct work_row *ticket = work_get(work, row);
    CHECK(!ticket->has_slot);
    if (ticket->state != WORK_DROPPING) {
        work_set_state(work, row, WORK_DROPPING);
    }
    work->counts[WORK_DROPPING]--;
    slab_give(&work->slab, row);
}

static uint8_t *buffer_of(const struct work *work, uint32_t row)
{
    return work->buffers + (uint64_t) row * WORK_BUFFER_BYTES;
}

static struct bytes put(uint8_t **end, struct bytes source)
{
    if (source.size == 0) {
        return (struct bytes){0};
    }
    memcpy(*end, source.data, source.size);
    struct bytes copy = {.data = *end, .size = source.size};
    *end += source.size;
    return copy;
}

bool work_keep_confirm(struct work *work, uint32_t row, const struct confirm *confirm)
{
    struct work_row *ticket = work_get(work, row);
    uint64_t size =
        (uint64_t) confirm->queue_name.size + confirm->requirements.size + confirm->body.size;
    if (size > WORK_BUFFER_BYTES) {
        return false;
    }
    uint8_t *end = buffer_of(work, row);
    ticket->confirm = *confirm;
    ticket->confirm.queue_name = put(&end, confirm->queue_name);
    ticket->confirm.requirements = put(&end, confirm->requirements);
    ticket->confirm.body = put(&end, confirm->body);
    ticket->seen = confirm->msgs;
    return true;
}

/* The longest part of `text` of at most `size_max` bytes that ends between two characters. */
static struct bytes cut(struct bytes text, uint32_t size_max)
{
    if (text.size <= size_max) {
        return text;
    }
    uint32_t size = size_max;
    while (size > 0 && (text.data[size] & 0xC0u) == 0x80u) {
        size--;
    }
    return (struct bytes){.data = text.data, .size = size};
}

void work_keep_outcome(struct work *work, uint32_t row, const struct outcome *outcome)
{
    CHECK(outcome->text.size <= BODY_BYTES_MAX);
    struct work_row *ticket = work_get(work, row);
    uint8_t *buffer = buffer_of(work, row);
    struct outcome fitted = *outcome;
    fitted.note = cut(outcome->note, BODY_BYTES_MAX - outcome->text.size);

    uint32_t size = journal_write_outcome(&fitted, ticket->part, buffer);
    CHECK(size <= WORK_BUFFER_BYTES);
    ticket->blob = bytes_of(buffer, size);
    ticket->outcome = fitted;
    const uint8_t *text = buffer + JOURNAL_OUTCOME_HEAD_BYTES;
    ticket->outcome.text = bytes_of(text, fitted.text.size);
    ticket->outcome.note = bytes_of(text + fitted.text.size, fitted.note.size);
}

uint32_t work_next(const struct work *work, uint32_t from)
{
    uint32_t end = slab_high_water(&work->slab);
    for (uint32_t row = from; row < end; row++) {
        if (slab_is_taken(&work->slab, row)) {
            return row;
        }
    }
    return WORK_NONE;
}

static enum held_state held_state_of(enum work_state state)
{
    switch (state) {
    case WORK_ASKED:
    case WORK_ACCEPTED:
    case WORK_AWAITING:
        return HELD_ACCEPTED;
    case WORK_JOURNALLING:
    case WORK_WORKING:
    case WORK_ENDING:
        return HELD_WORKING;
    case WORK_ENDED:
    case WORK_DROPPING:
        break;
    }
    return HELD_ENDED;
}

bool work_is_held(const struct work_row *row, struct held *held)
{
    if (row->state == WORK_ASKED || row->state == WORK_DROPPING) {
        return false;
    }
    *held = (struct held){.part = row->part,
                          .ticket = row->ticket,
                          .attempt = row->attempt,
                          .agent = row->agent_id,
                          .state = held_state_of(row->state)};
    return true;
}

uint32_t work_count(const struct work *work, enum work_state state)
{
    return work->counts[state];
}

uint32_t work_held_count(const struct work *work)
{
    return slab_used(&work->slab) - work->counts[WORK_ASKED] - work->counts[WORK_DROPPING];
}

const char *work_state_text(enum work_state state)
{
    static const char *const texts[WORK_STATE_COUNT] = {
        "asked", "accepted", "journalling", "awaiting", "working", "ending", "ended", "dropping"};
    return texts[state];
}
