#include "tests/unit/storm.h"

#include <string.h>

#include "lib/check.h"
#include "router/router.h"

#define BROKER 11U
#define ROUTER_INCARNATION UINT64_C(77)

const struct address storm_broker = {LINK_BROKERS, BROKER};

uint32_t storm_below(struct storm *storm, uint32_t bound)
{
    return (uint32_t) random_below(&storm->random, bound);
}

bool storm_chance(struct storm *storm, uint32_t percent)
{
    return storm_below(storm, 100) < percent;
}

static int64_t store_us(const struct storm *storm)
{
    return storm->steps.wall_us + 777777;
}

static struct message *copy_of(struct storm *storm, const struct message *from)
{
    uint32_t size = message_entry_size(from->header.kind) * from->count;
    struct message *to = ARENA_NEW(&storm->arena, struct message);
    *to = *from;
    to->entries = arena_take(&storm->arena, size + 1U, ARENA_ALIGN_MAX);
    if (size > 0) {
        memcpy(to->entries, from->entries, size);
    }
    return to;
}

/* Messages are copied, since the next call frees them. */
void storm_keep(struct storm *storm)
{
    for (uint32_t i = 0; i < storm->steps.count; i++) {
        struct effect effect = storm->steps.list[i];
        if (effect.kind == EFFECT_SEND) {
            effect.send.message = copy_of(storm, effect.send.message);
        }
        assert_true(storm->inbox_count < STORM_INBOX_MAX);
        storm->inbox[(storm->inbox_first + storm->inbox_count) % STORM_INBOX_MAX] = effect;
        storm->inbox_count++;
    }
    storm->steps.count = 0;
}

void storm_receive(struct storm *storm, struct header header, const void *entries, uint32_t count)
{
    if (storm_chance(storm, storm->lost_percent)) {
        return;
    }
    steps_receive(&storm->steps, storm_broker, &header, entries, count);
    storm_keep(storm);
}

static void new_stream(struct storm *storm, uint32_t part, uint64_t epoch)
{
    struct storm_stream *stream = &storm->streams[part];
    if (epoch <= stream->epoch) {
        return;
    }
    stream->epoch = epoch;
    stream->taken = 0;
    stream->count = 1;
    stream->entries[0] = (struct forward){.what = FORWARD_RESYNC, .n = 1, .since_us = 0};
}

static void one_to_broker(struct storm *storm, const struct message *message, uint32_t i)
{
    uint32_t site = message->header.site;
    struct storm_stream *stream = &storm->streams[message->header.part % (STORM_PARTS + 1U)];
    if (message->header.kind == MESSAGE_OWNS) {
        new_stream(storm, message->owns[i].part, message->owns[i].epoch);
    } else if (message->header.kind == MESSAGE_TAKEN) {
        bool is_newer = message->taken[i].upto > stream->taken;
        if (message->header.epoch == stream->epoch && is_newer) {
            stream->taken = message->taken[i].upto;
        }
    } else if (message->header.kind == MESSAGE_SITE_ASK && storm->sites[site - 1U].is_up) {
        storm_site_send_up(storm, site - 1U);
    }
}

static void to_broker(struct storm *storm, const struct message *message)
{
    for (uint32_t i = 0; i < message->count; i++) {
        one_to_broker(storm, message, i);
    }
}

void storm_forward(struct storm *storm)
{
    for (uint32_t part = 1; part <= STORM_PARTS; part++) {
        const struct storm_stream *stream = &storm->streams[part];
        uint32_t count = stream->count - (uint32_t) stream->taken;
        if (stream->epoch != 0 && count > 0) {
            struct header header = {.kind = MESSAGE_FORWARD,
                                    .part = part,
                                    .epoch = stream->epoch,
                                    .origin = STORM_BROKER_INCARNATION};
            storm_receive(
                storm, header, &stream->entries[stream->taken], count > 50U ? 50U : count);
        }
    }
}

static void append(struct storm *storm, uint32_t part, struct forward forward)
{
    struct storm_stream *stream = &storm->streams[part];
    if (stream->epoch != 0) {
        forward.n = stream->count + 1U;
        CHECK(stream->count < STORM_TICKETS_MAX * 2U);
        stream->entries[stream->count++] = forward;
    }
}

void storm_submit(struct storm *storm)
{
    uint32_t part = 1U + storm_below(storm, STORM_PARTS);
    struct store_request request = {
        .kind = STORE_SUBMIT, .part = part, .ticket = {0x0190000000007000U, ++storm->submitted}};
    request.submit.queue = part;
    request.submit.priority = storm_below(storm, 100);
    request.submit.client = bytes_of_text("c");
    struct ticket_id *key = ARENA_NEW(&storm->arena, struct ticket_id);
    *key = request.ticket;
    request.submit.key = bytes_of(key, sizeof *key);
    request.submit.requirements = bytes_of(storm->requirements, storm->requirements_size);
    request.submit.body = bytes_of_text("body");
    struct store_result result;
    store_memory_set_fault(storm->store, FAULT_NONE);
    store_memory_write(storm->store, &request, &result, 1, store_us(storm));
    CHECK(result.status == STORE_DONE);
    append(storm, part, (struct forward){.what = FORWARD_TICKET, .row = result.row});
}

void storm_message(struct storm *storm, const struct ticket_row *row)
{
    struct store_request request = {.kind = STORE_MESSAGE, .part = row->part, .ticket = row->id};
    uint64_t *key = ARENA_NEW(&storm->arena, uint64_t);
    *key = random_u64(&storm->random);
    request.message.author = bytes_of_text("c");
    request.message.key = bytes_of(key, sizeof *key);
    request.message.body = bytes_of_text("hello");
    struct store_result result;
    store_memory_set_fault(storm->store, FAULT_NONE);
    store_memory_write(storm->store, &request, &result, 1, store_us(storm));
    if (result.status == STORE_DONE) {
        append(storm, result.row.part, (struct forward){.what = FORWARD_NOTE, .row = result.row});
    }
}

void storm_disturb(struct storm *storm)
{
    if (storm->submitted == 0) {
        return;
    }
    const struct store_memory_ticket *ticket =
        store_memory_ticket_at(storm->store, storm_below(storm, storm->submitted));
    if (storm_chance(storm, 70)) {
        storm_message(storm, &ticket->row);
    } else if (storm_chance(storm, 20)) {
        append(storm,
               ticket->row.part,
               (struct forward){.what = FORWARD_CANCEL, .row = {.id = ticket->row.id}});
    }
}

static void do_store(struct storm *storm, const struct effect *effect)
{
    static struct store_result results[1000];
    enum store_memory_fault fault = FAULT_NONE;
    bool is_claim = effect->store.requests[0].kind == STORE_CLAIM;
    if (storm->lost_percent > 0 && storm_chance(storm, 8)) {
        fault = !is_claim && storm_chance(storm, 50) ? FAULT_UNCERTAIN : FAULT_DOWN;
    }
    store_memory_set_fault(storm->store, fault);
    store_memory_write(
        storm->store, effect->store.requests, results, effect->store.count, store_us(storm));
    store_memory_set_fault(storm->store, FAULT_NONE);
    steps_stored(&storm->steps, effect->store.token, results, effect->store.count);
    storm_keep(storm);
}

static void do_load(struct storm *storm, const struct effect *effect)
{
    struct load_page page = {0};
    bool is_down = storm->lost_percent > 0 && storm_chance(storm, 5);
    arena_reset(&storm->pages);
    struct load_request request = effect->load.request;
    request.rows_max = 20;
    store_memory_set_fault(storm->store, is_down ? FAULT_DOWN : FAULT_NONE);
    vt_err error = store_memory_load(storm->store, &request, &page, &storm->pages, store_us(storm));
    store_memory_set_fault(storm->store, FAULT_NONE);
    steps_loaded(&storm->steps, effect->load.token, error, &page);
    storm_keep(storm);
}

void storm_members(struct storm *storm)
{
    const struct node nodes[] = {{.kind = NODE_ROUTER,
                                  .state = NODE_ACTIVE,
                                  .number = 1,
                                  .weight = 1,
                                  .incarnation = ROUTER_INCARNATION,
                                  .name = bytes_of_text("r1")},
                                 {.kind = NODE_BROKER,
                                  .state = NODE_ACTIVE,
                                  .number = BROKER,
                                  .incarnation = STORM_BROKER_INCARNATION,
                                  .name = bytes_of_text("b1")}};
    struct membership membership = {
        .nodes = nodes, .node_count = 2, .owners = storm->keys, .owner_count = storm->key_count};
    steps_event(&storm->steps, (struct event){.kind = EVENT_MEMBERS, .members = &membership});
    storm_keep(storm);
}

static void remove_key(struct storm *storm, uint32_t part)
{
    for (uint32_t i = 0; i < storm->key_count; i++) {
        if (storm->keys[i].part == part) {
            storm->keys[i] = storm->keys[--storm->key_count];
            return;
        }
    }
}

static void do_claim(struct storm *storm, uint32_t part)
{
    struct event event = {.kind = EVENT_CLAIMED};
    remove_key(storm, part);
    storm->keys[storm->key_count++] =
        (struct ownership_key){.part = part, .node = 1, .epoch = ++storm->last_epoch};
    event.claimed.part = part;
    event.claimed.epoch = storm->last_epoch;
    steps_event(&storm->steps, event);
    storm_keep(storm);
    storm_members(storm);
}

static void do_effect(struct storm *storm, const struct effect *effect)
{
    if (effect->kind == EFFECT_STORE) {
        do_store(storm, effect);
    } else if (effect->kind == EFFECT_LOAD) {
        do_load(storm, effect);
    } else if (effect->kind == EFFECT_CLAIM) {
        do_claim(storm, effect->claim_part);
    } else if (effect->kind == EFFECT_RELEASE) {
        remove_key(storm, effect->release.part);
        storm_members(storm);
    } else if (effect->kind == EFFECT_SEND && !storm_chance(storm, storm->lost_percent)) {
        const struct message *message = effect->send.message;
        if (message_is_carried_kind(message->header.kind)) {
            storm_site_receive(storm, message);
        } else {
            to_broker(storm, message);
        }
    }
}

void storm_drain(struct storm *storm)
{
    while (storm->inbox_count > 0) {
        struct effect effect = storm->inbox[storm->inbox_first];
        storm->inbox_first = (storm->inbox_first + 1U) % STORM_INBOX_MAX;
        storm->inbox_count--;
        do_effect(storm, &effect);
    }
}

void storm_depose(struct storm *storm)
{
    uint32_t part = 1U + storm_below(storm, STORM_PARTS);
    struct store_request request = {
        .kind = STORE_CLAIM, .part = part, .epoch = ++storm->last_epoch};
    struct store_result result;
    request.claim.owner = bytes_of_text("r2");
    store_memory_write(storm->store, &request, &result, 1, store_us(storm));
    if (storm_chance(storm, 50)) {
        remove_key(storm, part);
        storm->keys[storm->key_count++] =
            (struct ownership_key){.part = part, .node = 2, .epoch = storm->last_epoch};
        storm_members(storm);
        remove_key(storm, part);
        storm_members(storm);
    }
}

void storm_end_lease(struct storm *storm)
{
    struct event lease = {.kind = EVENT_LEASE};
    lease.lease.deadline_ms = storm->steps.now_ms;
    steps_event(&storm->steps, lease);
    storm_keep(storm);
    lease.lease.deadline_ms = NO_DEADLINE;
    steps_event(&storm->steps, lease);
    storm_keep(storm);
}

void storm_open(struct storm *storm, uint64_t seed)
{
    memset(storm, 0, sizeof *storm);
    steps_open(&storm->steps);
    storm->arena = unit_arena(64U << 20);
    storm->pages = unit_arena(8U << 20);
    storm->store = store_memory_open();
    random_init(&storm->random, seed);
    struct requirements requirements = {.channel = CHANNEL_WEB};
    struct profile profile = {.queue_count = 0};
    storm->requirements_size = requirements_write(&requirements, storm->requirements);
    storm->profile_size = profile_write(&profile, storm->profile);
    struct router_options options = {.seed = seed,
                                     .incarnation = ROUTER_INCARNATION,
                                     .name = bytes_of_text("r1"),
                                     .tickets_max = 48,
                                     .classes_max = 8,
                                     .profiles_max = 8,
                                     .agents_max = 16,
                                     .sites_max = STORM_SITES,
                                     .offers_max = 6,
                                     .brokers_max = 2,
                                     .parts_max = 4,
                                     .queues_max = 4,
                                     .batch_requests_max = 8,
                                     .batch_texts_bytes = 4096};
    storm->steps.core = router_core(router_open(&storm->steps.arena, &options));
    for (uint32_t i = 0; i < STORM_PARTS; i++) {
        storm->pools[i] = (struct plan_pool){.part = i + 1U, .name = bytes_of_text("pool")};
        storm->queues[i] = (struct plan_queue){.id = i + 1U,
                                               .part = i + 1U,
                                               .name = bytes_of_text("queue"),
                                               .grace_ms = 10000,
                                               .offer_ttl_ms = 5000,
                                               .max_fails = 100};
        storm->streams[i + 1U].entries =
            ARENA_ARRAY(&storm->steps.arena, struct forward, (uint64_t) STORM_TICKETS_MAX * 2U);
    }
    storm->plan = (struct plan){.pools = storm->pools,
                                .pool_count = STORM_PARTS,
                                .queues = storm->queues,
                                .queue_count = STORM_PARTS};
    steps_plan(&storm->steps, &storm->plan);
    storm_keep(storm);
    struct event lease = {.kind = EVENT_LEASE};
    lease.lease.deadline_ms = NO_DEADLINE;
    steps_event(&storm->steps, lease);
    storm_keep(storm);
    storm_members(storm);
    for (uint32_t site = 0; site < STORM_SITES; site++) {
        storm->sites[site].session.nonce = site + 5U;
        storm_site_restart(storm, site);
    }
    storm_drain(storm);
}

void storm_close(struct storm *storm)
{
    store_memory_close(storm->store);
    unit_arena_close(&storm->pages);
    unit_arena_close(&storm->arena);
    steps_close(&storm->steps);
}
