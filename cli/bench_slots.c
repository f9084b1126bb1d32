#include "cli/bench_slots.h"

#include <string.h>

#include "io/process.h"
#include "lib/check.h"

#define AGENT_NONE UINT32_MAX
#define IDS_MAX 65536u
#define ROWS_SPARE 4096u
#define REMIND_MS 1000
#define ARENA_SPARE_BYTES 4096u

struct bench_slots_row {
    struct held held;
    uint64_t epoch; /* of the offer */
    uint64_t offer;
    uint32_t agent; /* index */
    uint32_t seen;
    int64_t said_ms;
    bool is_used;
};

struct bench_slots_answer {
    enum message_kind kind;
    uint32_t part;
    union {
        struct accept accept;
        struct decline decline;
        struct outcome outcome;
    };
};

static struct map_key key_of_ticket(struct ticket_id ticket)
{
    return (struct map_key){.a = ticket.hi, .b = ticket.lo};
}

static struct map_key key_of(const void *context, uint32_t row)
{
    const struct bench_slots *slots = context;
    return key_of_ticket(slots->rows[row].held.ticket);
}

static struct bench_slots_row *find(struct bench_slots *slots, struct ticket_id ticket)
{
    uint32_t row = 0;
    return map_find(&slots->map, key_of_ticket(ticket), &row) ? &slots->rows[row] : NULL;
}

/* ---- opening ---- */

static void lay_out(struct bench_slots *slots)
{
    struct arena *arena = &slots->arena;
    uint32_t rows = slots->row_count;
    slots->agents = ARENA_ARRAY(arena, struct bench_slots_agent, slots->agent_count);
    slots->changed = ARENA_ARRAY(arena, uint32_t, slots->agent_count);
    slots->agent_of_id = ARENA_ARRAY(arena, uint32_t, IDS_MAX);
    slots->rows = ARENA_ARRAY(arena, struct bench_slots_row, rows);
    slots->free_rows = ARENA_ARRAY(arena, uint32_t, rows);
    slots->answers = ARENA_ARRAY(arena, struct bench_slots_answer, slots->answers_max);
    map_init(
        &slots->map,
        arena,
        &(struct map_options){.capacity = rows, .seed = 1, .key_of = key_of, .context = slots});
}

vt_err bench_slots_open(struct bench_slots *slots, uint32_t agent_count, uint32_t capacity)
{
    *slots = (struct bench_slots){.agent_count = agent_count, .capacity = capacity};
    slots->row_count = 8u * agent_count * capacity + ROWS_SPARE;
    slots->answers_max = 2u * slots->row_count;
    uint64_t bytes = (uint64_t) slots->row_count * (sizeof *slots->rows + 4u + 32u) +
                     (uint64_t) slots->answers_max * sizeof *slots->answers +
                     (uint64_t) agent_count * (sizeof *slots->agents + 4u) +
                     (uint64_t) IDS_MAX * 4u + ARENA_SPARE_BYTES;
    vt_err err = process_reserve(bytes, &slots->arena);
    if (err != VT_OK) {
        return err;
    }
    lay_out(slots);
    for (uint32_t i = 0; i < slots->row_count; i++) {
        slots->free_rows[i] = slots->row_count - 1u - i;
    }
    slots->free_count = slots->row_count;
    return VT_OK;
}

void bench_slots_close(struct bench_slots *slots)
{
    process_unreserve(&slots->arena);
}

/* ---- agents ---- */

void bench_slots_set_id(struct bench_slots *slots, uint32_t agent, uint32_t id)
{
    CHECK(agent < slots->agent_count);
    slots->agents[agent].id = id;
    if (id < IDS_MAX) {
        slots->agent_of_id[id] = agent + 1u;
    }
}

static uint32_t find_agent(const struct bench_slots *slots, uint32_t id)
{
    return id < IDS_MAX && slots->agent_of_id[id] > 0 ? slots->agent_of_id[id] - 1u : AGENT_NONE;
}

static void mark(struct bench_slots *slots, uint32_t agent)
{
    if (!slots->agents[agent].is_changed) {
        slots->agents[agent].is_changed = true;
        slots->changed[slots->changed_count++] = agent;
    }
}

void bench_slots_mark_all(struct bench_slots *slots)
{
    for (uint32_t i = 0; i < slots->agent_count; i++) {
        mark(slots, i);
    }
}

uint32_t bench_slots_take_avails(struct bench_slots *slots, struct avail *avails)
{
    uint32_t count = 0;
    while (slots->changed_count > 0 && count < MESSAGE_ENTRIES_MAX) {
        struct bench_slots_agent *agent = &slots->agents[slots->changed[--slots->changed_count]];
        agent->is_changed = false;
        if (agent->id != 0) {
            avails[count++] = (struct avail){
                .agent = agent->id, .free = slots->capacity - agent->used, .is_available = true};
        }
    }
    return count;
}

static void free_slot(struct bench_slots *slots, uint32_t agent)
{
    CHECK(slots->agents[agent].used > 0);
    slots->agents[agent].used--;
    mark(slots, agent);
}

/* ---- parts ---- */

static struct bench_slots_part *part_of(struct bench_slots *slots, uint32_t part)
{
    for (uint32_t i = 0; i < slots->part_count; i++) {
        if (slots->parts[i].part == part) {
            return &slots->parts[i];
        }
    }
    if (slots->part_count == BENCH_SLOTS_PARTS_MAX) {
        return NULL;
    }
    slots->parts[slots->part_count] = (struct bench_slots_part){.part = part};
    return &slots->parts[slots->part_count++];
}

void bench_slots_hear(struct bench_slots *slots, const struct header *header)
{
    struct bench_slots_part *part = part_of(slots, header->part);
    if (part == NULL || header->epoch < part->epoch) {
        return;
    }
    if (header->epoch > part->epoch) {
        part->epoch = header->epoch;
        part->seq = 0;
    }
    part->seq = header->seq > part->seq ? header->seq : part->seq;
}

static const struct bench_slots_part *look_up(const struct bench_slots *slots, uint32_t part)
{
    for (uint32_t i = 0; i < slots->part_count; i++) {
        if (slots->parts[i].part == part) {
            return &slots->parts[i];
        }
    }
    return NULL;
}

uint64_t bench_slots_epoch(const struct bench_slots *slots, uint32_t part)
{
    const struct bench_slots_part *found = look_up(slots, part);
    return found == NULL ? 0 : found->epoch;
}

uint64_t bench_slots_seq(const struct bench_slots *slots, uint32_t part)
{
    const struct bench_slots_part *found = look_up(slots, part);
    return found == NULL ? 0 : found->seq;
}

/* ---- rows ---- */

static struct bench_slots_row *add_row(struct bench_slots *slots, const struct held *held)
{
    if (slots->free_count == 0) {
        return NULL;
    }
    uint32_t number = slots->free_rows[--slots->free_count];
    CHECK(slots->rows != NULL);
    struct bench_slots_row *row = &slots->rows[number];
    *row = (struct bench_slots_row){.held = *held, .agent = AGENT_NONE, .is_used = true};
    vt_err err = map_put(&slots->map, key_of_ticket(held->ticket), number);
    CHECK(err == VT_OK);
    slots->held_count++;
    return row;
}

static void remove_row(struct bench_slots *slots, struct bench_slots_row *row)
{
    if (row->held.state != HELD_ENDED && row->agent != AGENT_NONE) {
        free_slot(slots, row->agent);
    }
    (void) map_remove(&slots->map, key_of_ticket(row->held.ticket));
    row->is_used = false;
    slots->free_rows[slots->free_count++] = (uint32_t) (row - slots->rows);
    slots->held_count--;
}

/* NULL: no room; it is lost as a message may be. */
static struct bench_slots_answer *
add_answer(struct bench_slots *slots, enum message_kind kind, uint32_t part)
{
    if (slots->answer_count == slots->answers_max) {
        return NULL;
    }
    struct bench_slots_answer *answer = &slots->answers[slots->answer_count++];
    answer->kind = kind;
    answer->part = part;
    return answer;
}

static void say(struct bench_slots *slots, struct bench_slots_row *row, int64_t now_ms)
{
    bool is_ended = row->held.state == HELD_ENDED;
    struct bench_slots_answer *answer =
        add_answer(slots, is_ended ? MESSAGE_OUTCOME : MESSAGE_ACCEPT, row->held.part);
    row->said_ms = now_ms;
    if (answer == NULL) {
        return;
    }
    if (is_ended) {
        answer->outcome = (struct outcome){.what = OUTCOME_COMPLETE,
                                           .ticket = row->held.ticket,
                                           .attempt = row->held.attempt,
                                           .agent = row->held.agent,
                                           .seen = row->seen};
    } else {
        answer->accept = (struct accept){.offer = row->offer,
                                         .ticket = row->held.ticket,
                                         .attempt = row->held.attempt,
                                         .agent = row->held.agent,
                                         .epoch = row->epoch};
    }
}

static void
decline(struct bench_slots *slots, const struct header *header, const struct offer *offer)
{
    struct bench_slots_answer *answer = add_answer(slots, MESSAGE_DECLINE, header->part);
    uint32_t agent = find_agent(slots, offer->agent);
    if (answer != NULL) {
        answer->decline = (struct decline){
            .offer = offer->offer,
            .ticket = offer->ticket,
            .attempt = offer->attempt,
            .agent = offer->agent,
            .epoch = header->epoch,
            .reason = agent == AGENT_NONE ? DECLINE_UNAVAILABLE : DECLINE_BUSY,
            .free = agent == AGENT_NONE ? 0 : slots->capacity - slots->agents[agent].used};
    }
}

enum bench_slots_taken
bench_slots_offer(struct bench_slots *slots, const struct header *header, const struct offer *offer)
{
    struct bench_slots_row *row = find(slots, offer->ticket);
    int64_t now_ms = process_now_ms();
    if (row != NULL && row->held.attempt < offer->attempt && row->held.state == HELD_ACCEPTED) {
        remove_row(slots, row);
        row = NULL;
    }
    if (row != NULL) {
        row->offer = offer->offer;
        row->epoch = header->epoch;
        say(slots, row, now_ms);
        return BENCH_SLOTS_REPEATED;
    }
    uint32_t agent = find_agent(slots, offer->agent);
    if (agent == AGENT_NONE || slots->agents[agent].used == slots->capacity) {
        decline(slots, header, offer);
        return BENCH_SLOTS_REFUSED;
    }
    struct held held = {.part = header->part,
                        .ticket = offer->ticket,
                        .attempt = offer->attempt,
                        .agent = offer->agent,
                        .state = HELD_ACCEPTED};
    row = add_row(slots, &held);
    if (row == NULL) {
        decline(slots, header, offer);
        return BENCH_SLOTS_REFUSED;
    }
    row->agent = agent;
    row->offer = offer->offer;
    row->epoch = header->epoch;
    slots->agents[agent].used++;
    mark(slots, agent);
    say(slots, row, now_ms);
    return BENCH_SLOTS_TAKEN;
}

enum bench_slots_taken bench_slots_confirm(struct bench_slots *slots,
                                           const struct header *header,
                                           const struct confirm *confirm)
{
    struct bench_slots_row *row = find(slots, confirm->ticket);
    bool is_new = row == NULL;
    if (is_new) {
        struct held held = {.part = header->part,
                            .ticket = confirm->ticket,
                            .attempt = confirm->attempt,
                            .agent = confirm->agent,
                            .state = HELD_ENDED};
        row = add_row(slots, &held);
    }
    if (row == NULL || row->held.attempt != confirm->attempt) {
        return BENCH_SLOTS_REFUSED;
    }
    bool is_first = row->held.state == HELD_ACCEPTED;
    if (is_first) {
        row->held.state = HELD_ENDED;
        free_slot(slots, row->agent);
    }
    row->seen = confirm->msgs;
    say(slots, row, process_now_ms());
    return is_first ? BENCH_SLOTS_TAKEN : BENCH_SLOTS_REPEATED;
}

void bench_slots_release(struct bench_slots *slots, const struct release *release)
{
    struct bench_slots_row *row = find(slots, release->ticket);
    if (row != NULL && row->held.attempt == release->attempt && row->held.state == HELD_ACCEPTED) {
        remove_row(slots, row);
    }
}

bool bench_slots_verdict(struct bench_slots *slots, const struct verdict *verdict)
{
    struct bench_slots_row *row = find(slots, verdict->ticket);
    if (row == NULL || row->held.attempt != verdict->attempt || row->held.state != HELD_ENDED) {
        return false;
    }
    remove_row(slots, row);
    return true;
}

void bench_slots_remind(struct bench_slots *slots, int64_t now_ms)
{
    if (now_ms < slots->remind_ms || slots->held_count == 0) {
        return;
    }
    slots->remind_ms = now_ms + REMIND_MS;
    for (uint32_t i = 0; i < slots->row_count; i++) {
        struct bench_slots_row *row = &slots->rows[i];
        if (row->is_used && now_ms - row->said_ms >= REMIND_MS) {
            say(slots, row, now_ms);
        }
    }
}

/* ---- what goes out ---- */

static bool pack(struct bench_slots_batch *batch, const struct bench_slots_answer *answer)
{
    if (answer->part != batch->part) {
        return false;
    }
    if (answer->kind == MESSAGE_ACCEPT && batch->accept_count < MESSAGE_ENTRIES_MAX) {
        batch->accepts[batch->accept_count++] = answer->accept;
    } else if (answer->kind == MESSAGE_DECLINE && batch->decline_count < MESSAGE_ENTRIES_MAX) {
        batch->declines[batch->decline_count++] = answer->decline;
    } else if (answer->kind == MESSAGE_OUTCOME && batch->outcome_count < MESSAGE_ENTRIES_MAX) {
        batch->outcomes[batch->outcome_count++] = answer->outcome;
    } else {
        return false;
    }
    return true;
}

bool bench_slots_take_batch(struct bench_slots *slots, struct bench_slots_batch *batch)
{
    uint32_t kept = 0;
    if (slots->answer_count == 0) {
        return false;
    }
    batch->part = slots->answers[0].part;
    batch->accept_count = 0;
    batch->decline_count = 0;
    batch->outcome_count = 0;
    for (uint32_t i = 0; i < slots->answer_count; i++) {
        if (!pack(batch, &slots->answers[i])) {
            slots->answers[kept++] = slots->answers[i];
        }
    }
    slots->answer_count = kept;
    return true;
}

uint32_t bench_slots_count(const struct bench_slots *slots)
{
    return slots->held_count;
}

static struct bench_slots_beat beat_of(const struct bench_slots *slots, uint32_t part)
{
    struct bench_slots_beat beat = {.part = part};
    for (uint32_t row = 0; row < slots->row_count; row++) {
        if (slots->rows[row].is_used && slots->rows[row].held.part == part) {
            beat.beat.held_count++;
            beat.beat.digest += held_digest(&slots->rows[row].held);
        }
    }
    return beat;
}

uint32_t bench_slots_beats(const struct bench_slots *slots,
                           struct bench_slots_beat beats[BENCH_SLOTS_PARTS_MAX])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < slots->part_count; i++) {
        beats[count] = beat_of(slots, slots->parts[i].part);
        count += beats[count].beat.held_count > 0 ? 1u : 0u;
    }
    return count;
}

bool bench_slots_held(const struct bench_slots *slots, struct bench_slots_page *page)
{
    page->count = 0;
    for (; page->next_row < slots->row_count; page->next_row++) {
        const struct bench_slots_row *row = &slots->rows[page->next_row];
        bool is_wanted =
            row->is_used && (page->part == BENCH_SLOTS_EVERY_PART || row->held.part == page->part);
        if (is_wanted && page->count == ARRAY_LENGTH(page->held)) {
            return true;
        }
        if (is_wanted) {
            page->held[page->count++] = row->held;
        }
    }
    return false;
}
