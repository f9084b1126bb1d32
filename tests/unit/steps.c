#include "tests/unit/steps.h"

#include <string.h>

#include "lib/check.h"

#define ARENA_BYTES (UINT64_C(512) << 20)

void steps_open(struct steps *steps)
{
    *steps = (struct steps){.now_ms = 1000000, .wall_us = INT64_C(1700000000000000)};
    uint64_t list_bytes = (uint64_t) STEPS_TURNS_MAX * EFFECTS_MAX * sizeof(struct effect);
    steps->arena = unit_arena(ARENA_BYTES);
    steps->memory = unit_arena(list_bytes + (uint64_t) STEPS_TURNS_MAX * EFFECTS_SCRATCH_BYTES);
    steps->list = ARENA_ARRAY(&steps->memory, struct effect, STEPS_TURNS_MAX * EFFECTS_MAX);
}

void steps_close(struct steps *steps)
{
    unit_arena_close(&steps->arena);
    unit_arena_close(&steps->memory);
}

/* One step into its own part of the list and of the memory, so that the effects of a call's turns
 * all stay readable. */
static void turn(struct steps *steps, struct event *event)
{
    CHECK(steps->turns < STEPS_TURNS_MAX);
    event->now_ms = steps->now_ms;
    event->wall_us = steps->wall_us;

    uint8_t *scratch =
        steps->memory.memory + steps->memory.used + (uint64_t) steps->turns * EFFECTS_SCRATCH_BYTES;
    struct effects out = {.list = steps->list + steps->count};
    arena_init_used(&out.scratch, scratch, EFFECTS_SCRATCH_BYTES);
    steps->core.step(steps->core.self, event, &out);
    CHECK(out.count <= EFFECTS_MAX);
    steps->count += out.count;
    steps->turns++;
}

void steps_event(struct steps *steps, struct event event)
{
    steps->count = 0;
    steps->turns = 0;
    turn(steps, &event);
    while (steps->turns < STEPS_TURNS_MAX &&
           steps->core.deadline_ms(steps->core.self) <= steps->now_ms) {
        turn(steps, &(struct event){.kind = EVENT_TIME});
    }
}

void steps_wait(struct steps *steps, int64_t ms)
{
    CHECK(ms >= 0);
    steps->now_ms += ms;
    steps->wall_us += ms * 1000;
    steps_event(steps, (struct event){.kind = EVENT_TIME});
}

static void receive(struct steps *steps, struct address from, const struct message *message)
{
    struct event event = {.kind = EVENT_MESSAGE};
    event.received.from = from;
    event.received.message = message;
    steps_event(steps, event);
}

void steps_receive(struct steps *steps,
                   struct address from,
                   const struct header *header,
                   const void *entries,
                   uint32_t count)
{
    /* The copy, padded for any entry type, is what makes the test find reads after the call. */
    uint8_t *copy = NULL;
    uint64_t size = (uint64_t) count * message_entry_size(header->kind);
    struct arena arena = unit_arena(size + ARENA_ALIGN_MAX);
    copy = arena_take(&arena, size + 1, ARENA_ALIGN_MAX);
    if (size > 0) {
        memcpy(copy, entries, (size_t) size);
    }
    struct message message = {.header = *header, .count = count, .capacity = count};
    message.entries = copy;
    receive(steps, from, &message);
    unit_arena_close(&arena);
}

void steps_receive_carried(struct steps *steps,
                           struct address from,
                           const struct header *header,
                           const char *carried)
{
    struct message message = {.header = *header, .carried_count = 1};
    message.carried = bytes_of_text(carried);
    receive(steps, from, &message);
}

void steps_link_down(struct steps *steps, struct address address)
{
    struct event event = {.kind = EVENT_LINK_DOWN};
    event.link_down = address;
    steps_event(steps, event);
}

void steps_plan(struct steps *steps, const struct plan *plan)
{
    struct event event = {.kind = EVENT_PLAN};
    event.plan = plan;
    steps_event(steps, event);
}

void steps_stored(struct steps *steps,
                  uint64_t token,
                  const struct store_result *results,
                  uint32_t count)
{
    struct event event = {.kind = EVENT_STORED};
    event.stored.token = token;
    event.stored.results = results;
    event.stored.count = count;
    steps_event(steps, event);
}

void steps_loaded(struct steps *steps, uint64_t token, vt_err error, const struct load_page *page)
{
    struct event event = {.kind = EVENT_LOADED};
    event.loaded.token = token;
    event.loaded.error = error;
    event.loaded.page = page;
    steps_event(steps, event);
}

void steps_stop(struct steps *steps, int64_t deadline_ms)
{
    struct event event = {.kind = EVENT_STOP};
    event.stop.deadline_ms = deadline_ms;
    steps_event(steps, event);
}

const struct effect *steps_find(const struct steps *steps, enum effect_kind kind, uint32_t nth)
{
    for (uint32_t i = 0; i < steps->count; i++) {
        if (steps->list[i].kind == kind && nth-- == 0) {
            return &steps->list[i];
        }
    }
    return NULL;
}

uint32_t steps_count(const struct steps *steps, enum effect_kind kind)
{
    uint32_t count = 0;
    while (steps_find(steps, kind, count) != NULL) {
        count++;
    }
    return count;
}

static const struct message *sent(const struct effect *effect, enum message_kind kind)
{
    if (effect->kind != EFFECT_SEND || effect->send.message->header.kind != kind) {
        return NULL;
    }
    return effect->send.message;
}

const struct message *
steps_find_send(const struct steps *steps, enum message_kind kind, uint32_t nth)
{
    for (uint32_t i = 0; i < steps->count; i++) {
        const struct message *message = sent(&steps->list[i], kind);
        if (message != NULL && nth-- == 0) {
            return message;
        }
    }
    return NULL;
}

const struct message *
steps_find_send_to(const struct steps *steps, enum message_kind kind, struct address to)
{
    for (uint32_t i = 0; i < steps->count; i++) {
        const struct effect *effect = &steps->list[i];
        const struct message *message = sent(effect, kind);
        if (message != NULL && effect->send.to.link == to.link && effect->send.to.peer == to.peer) {
            return message;
        }
    }
    return NULL;
}

uint32_t steps_count_sends(const struct steps *steps, enum message_kind kind)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < steps->count; i++) {
        if (sent(&steps->list[i], kind) != NULL) {
            count++;
        }
    }
    return count;
}

uint32_t steps_count_entries(const struct steps *steps, enum message_kind kind)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < steps->count; i++) {
        const struct message *message = sent(&steps->list[i], kind);
        count += message == NULL ? 0 : message->count;
    }
    return count;
}
