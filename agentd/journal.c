#include "agentd/journal.h"

#include <string.h>

#include "lib/check.h"

#define VALUE_VERSION 1u
#define RETRY_MIN_MS 100
#define RETRY_MAX_MS 5000
#define WORKING_BYTES 13u
#define BOOT_BYTES 5u
#define EPOCH_BYTES 9u

static void put_u32(uint8_t *buffer, uint32_t number)
{
    for (uint32_t i = 0; i < 4; i++) {
        buffer[i] = (uint8_t) (number >> (8 * i));
    }
}

static uint32_t get_u32(const uint8_t *buffer)
{
    uint32_t number = 0;
    for (uint32_t i = 0; i < 4; i++) {
        number |= (uint32_t) buffer[i] << (8 * i);
    }
    return number;
}

static vt_err check_version(struct bytes value)
{
    if (value.size == 0 || value.data[0] == 0) {
        return VT_CORRUPT;
    }
    return value.data[0] > VALUE_VERSION ? VT_NEWER : VT_OK;
}

uint32_t journal_write_boot(uint32_t boot, uint8_t *buffer)
{
    buffer[0] = VALUE_VERSION;
    put_u32(buffer + 1, boot);
    return BOOT_BYTES;
}

uint32_t journal_write_epoch(uint64_t epoch, uint8_t *buffer)
{
    buffer[0] = VALUE_VERSION;
    put_u32(buffer + 1, (uint32_t) epoch);
    put_u32(buffer + 5, (uint32_t) (epoch >> 32));
    return EPOCH_BYTES;
}

uint32_t journal_write_working(const struct journal_working *working, uint8_t *buffer)
{
    buffer[0] = VALUE_VERSION;
    put_u32(buffer + 1, working->part);
    put_u32(buffer + 5, working->attempt);
    put_u32(buffer + 9, working->agent);
    return WORKING_BYTES;
}

uint32_t journal_write_outcome(const struct outcome *outcome, uint32_t part, uint8_t *buffer)
{
    buffer[0] = VALUE_VERSION;
    buffer[1] = (uint8_t) outcome->what;
    buffer[2] = outcome->agent_is_person ? 1 : 0;
    put_u32(buffer + 3, part);
    put_u32(buffer + 7, outcome->attempt);
    put_u32(buffer + 11, outcome->agent);
    put_u32(buffer + 15, outcome->seen);
    put_u32(buffer + 19, outcome->text.size);
    uint8_t *text = buffer + JOURNAL_OUTCOME_HEAD_BYTES;
    if (outcome->text.size > 0) {
        memmove(text, outcome->text.data, outcome->text.size);
    }
    if (outcome->note.size > 0) {
        memmove(text + outcome->text.size, outcome->note.data, outcome->note.size);
    }
    return JOURNAL_OUTCOME_HEAD_BYTES + outcome->text.size + outcome->note.size;
}

vt_err journal_read_boot(struct bytes value, uint32_t *boot)
{
    vt_err err = check_version(value);
    if (err != VT_OK) {
        return err;
    }
    if (value.size != BOOT_BYTES) {
        return VT_CORRUPT;
    }
    *boot = get_u32(value.data + 1);
    return VT_OK;
}

vt_err journal_read_epoch(struct bytes value, uint64_t *epoch)
{
    vt_err err = check_version(value);
    if (err != VT_OK) {
        return err;
    }
    if (value.size != EPOCH_BYTES) {
        return VT_CORRUPT;
    }
    *epoch = get_u32(value.data + 1) | (uint64_t) get_u32(value.data + 5) << 32;
    return VT_OK;
}

vt_err journal_read_working(struct bytes value, struct journal_working *working)
{
    vt_err err = check_version(value);
    if (err != VT_OK) {
        return err;
    }
    if (value.size != WORKING_BYTES) {
        return VT_CORRUPT;
    }
    *working = (struct journal_working){.part = get_u32(value.data + 1),
                                        .attempt = get_u32(value.data + 5),
                                        .agent = get_u32(value.data + 9)};
    return VT_OK;
}

vt_err journal_read_outcome(struct bytes value, struct outcome *outcome, uint32_t *part)
{
    vt_err err = check_version(value);
    if (err != VT_OK) {
        return err;
    }
    if (value.size < JOURNAL_OUTCOME_HEAD_BYTES || value.data[1] > OUTCOME_GIVE_BACK ||
        value.data[2] > 1) {
        return VT_CORRUPT;
    }
    uint32_t text_size = get_u32(value.data + 19);
    uint32_t rest_size = value.size - JOURNAL_OUTCOME_HEAD_BYTES;
    if (text_size > rest_size) {
        return VT_CORRUPT;
    }
    const uint8_t *text = value.data + JOURNAL_OUTCOME_HEAD_BYTES;
    *part = get_u32(value.data + 3);
    *outcome = (struct outcome){
        .what = (enum outcome_kind) value.data[1],
        .attempt = get_u32(value.data + 7),
        .agent = get_u32(value.data + 11),
        .seen = get_u32(value.data + 15),
        .agent_is_person = value.data[2] == 1,
        .text = {.data = text, .size = text_size},
        .note = {.data = text + text_size, .size = rest_size - text_size},
    };
    return VT_OK;
}

void journal_init(struct journal *journal, struct arena *arena, uint32_t capacity)
{
    CHECK(capacity > 0);
    *journal = (struct journal){
        .items = ARENA_ARRAY(arena, struct journal_item, capacity),
        /* PUT_OUTCOME is two requests. */
        .requests = ARENA_ARRAY(arena, struct store_request, UINT64_C(2) * JOURNAL_BATCH_MAX),
        .capacity = capacity,
    };
    backoff_init(&journal->backoff, RETRY_MIN_MS, RETRY_MAX_MS);
}

static struct journal_item *item_at(const struct journal *journal, uint32_t offset)
{
    return &journal->items[(journal->first + offset) % journal->capacity];
}

void journal_add(struct journal *journal, const struct journal_item *item)
{
    CHECK(journal->count < journal->capacity);
    *item_at(journal, journal->count) = *item;
    journal->count++;
}

static void add_request(struct journal *journal,
                        const struct journal_item *item,
                        enum store_kind store,
                        enum journal_kind kind)
{
    struct store_request *request = &journal->requests[journal->request_count++];
    *request = (struct store_request){.kind = store, .ticket = item->ticket};
    request->journal.kind = kind;
    if (kind == JOURNAL_WORKING || kind == JOURNAL_OUTCOME) {
        request->journal.a = item->ticket.hi;
        request->journal.b = item->ticket.lo;
    }
    if (kind == JOURNAL_EPOCH) {
        request->journal.a = item->subject;
    }
    if (store == STORE_JOURNAL_PUT) {
        request->journal.value =
            kind == JOURNAL_OUTCOME ? item->outcome
                                    : (struct bytes){.data = item->value, .size = item->value_size};
    }
}

static void add_requests(struct journal *journal, const struct journal_item *item)
{
    switch (item->op) {
    case JOURNAL_PUT_BOOT:
        add_request(journal, item, STORE_JOURNAL_PUT, JOURNAL_BOOT);
        return;
    case JOURNAL_PUT_EPOCH:
        add_request(journal, item, STORE_JOURNAL_PUT, JOURNAL_EPOCH);
        return;
    case JOURNAL_PUT_WORKING:
        add_request(journal, item, STORE_JOURNAL_PUT, JOURNAL_WORKING);
        return;
    case JOURNAL_DROP_WORKING:
        add_request(journal, item, STORE_JOURNAL_DROP, JOURNAL_WORKING);
        return;
    case JOURNAL_PUT_OUTCOME:
        add_request(journal, item, STORE_JOURNAL_PUT, JOURNAL_OUTCOME);
        add_request(journal, item, STORE_JOURNAL_DROP, JOURNAL_WORKING);
        return;
    case JOURNAL_DROP_OUTCOME:
        add_request(journal, item, STORE_JOURNAL_DROP, JOURNAL_OUTCOME);
        return;
    }
}

void journal_send(struct journal *journal, int64_t now_ms, struct effects *out)
{
    CHECK(journal->done_count == 0);
    if (journal->sent_count > 0 || journal->count == 0 || now_ms < journal->retry_ms) {
        return;
    }
    uint64_t bytes = 0;
    journal->request_count = 0;
    while (journal->sent_count < journal->count && journal->sent_count < JOURNAL_BATCH_MAX &&
           bytes < JOURNAL_BATCH_BYTES_MAX) {
        const struct journal_item *item = item_at(journal, journal->sent_count);
        add_requests(journal, item);
        bytes += item->outcome.size;
        journal->sent_count++;
    }
    struct effect *effect = effects_add(out, EFFECT_STORE);
    effect->store.token = ++journal->token;
    effect->store.requests = journal->requests;
    effect->store.count = journal->request_count;
}

static bool is_done(const struct store_request *request, const struct store_result *result)
{
    return result->status == STORE_DONE || result->status == STORE_DUPLICATE ||
           (result->status == STORE_ABSENT && request->kind == STORE_JOURNAL_DROP);
}

void journal_stored(struct journal *journal, const struct event *event, struct random *random)
{
    CHECK(journal->sent_count > 0);
    CHECK(event->stored.token == journal->token);
    CHECK(event->stored.count == journal->request_count);

    uint32_t good_count = 0;
    while (good_count < journal->request_count &&
           is_done(&journal->requests[good_count], &event->stored.results[good_count])) {
        good_count++;
    }
    uint32_t used = 0;
    for (uint32_t i = 0; i < journal->sent_count; i++) {
        used += item_at(journal, i)->op == JOURNAL_PUT_OUTCOME ? 2 : 1;
        if (used > good_count) {
            break;
        }
        journal->done_count++;
    }
    journal->is_failing = good_count < journal->request_count;
    if (journal->is_failing) {
        journal->retry_ms = event->now_ms + backoff_next_ms(&journal->backoff, random);
    } else {
        backoff_reset(&journal->backoff);
        journal->retry_ms = 0;
    }
    journal->sent_count = 0;
}

bool journal_pop_done(struct journal *journal, struct journal_item *item)
{
    if (journal->done_count == 0) {
        return false;
    }
    *item = *item_at(journal, 0);
    journal->first = (journal->first + 1) % journal->capacity;
    journal->count--;
    journal->done_count--;
    return true;
}

bool journal_is_idle(const struct journal *journal)
{
    return journal->count == 0;
}

bool journal_is_in_store(const struct journal *journal)
{
    return journal->sent_count > 0;
}

int64_t journal_deadline_ms(const struct journal *journal)
{
    if (journal->count == 0 || journal->sent_count > 0) {
        return NO_DEADLINE;
    }
    return journal->retry_ms;
}
