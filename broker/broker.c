#include "broker/broker.h"

#include "broker/loads.h"
#include "broker/state.h"
#include "lib/check.h"

void broker_options_default(struct broker_options *options)
{
    *options = (struct broker_options){.batch_requests_max = 2000,
                                       .batch_bytes_max = 8U << 20,
                                       .client_window_max = 4096,
                                       .ring_entries = 65536,
                                       .ring_entries_per_part = 16384,
                                       .parts_max = 4096,
                                       .routers_max = OWNERS_ROUTERS_MAX,
                                       .sites_max = 4096,
                                       .agents_max = 65536,
                                       .held_max = 262144,
                                       .followers_max = 16384,
                                       .queries_max = 1024,
                                       .cancels_max = 1024,
                                       .client_identities_max = 16384};
}

static void
open_store_side(struct broker *broker, struct arena *arena, const struct broker_options *options)
{
    broker->owners = owners_open(arena,
                                 &(struct owners_options){.routers_max = options->routers_max,
                                                          .parts_max = options->parts_max});
    broker->clients =
        clients_open(arena,
                     &(struct clients_options){.clients_max = options->client_identities_max,
                                               .window_max = options->client_window_max,
                                               .seed = random_u64(&broker->random)});
    broker->batches =
        batches_open(arena,
                     &(struct batches_options){.requests_max = options->batch_requests_max,
                                               .bytes_max = options->batch_bytes_max});
    broker->outbox =
        outbox_open(arena,
                    &(struct outbox_options){.parts_max = options->parts_max,
                                             .entries_max = options->ring_entries,
                                             .entries_per_part_max = options->ring_entries_per_part,
                                             .seed = random_u64(&broker->random),
                                             .owners = broker->owners});
    broker->intake = intake_open(arena,
                                 &(struct intake_options){.seed = random_u64(&broker->random),
                                                          .parts_max = options->parts_max,
                                                          .queues_max = PLAN_QUEUES_MAX,
                                                          .batches = broker->batches,
                                                          .clients = broker->clients,
                                                          .outbox = broker->outbox});
    broker->notes = (struct notes){
        .batches = broker->batches, .clients = broker->clients, .outbox = broker->outbox};
}

static void
open_rest(struct broker *broker, struct arena *arena, const struct broker_options *options)
{
    broker->cancels = cancels_open(
        arena,
        &(struct cancels_options){.cancels_max = options->cancels_max, .outbox = broker->outbox});
    broker->sessions = sessions_open(arena,
                                     &(struct sessions_options){.sites_max = options->sites_max,
                                                                .agents_max = options->agents_max,
                                                                .held_max = options->held_max,
                                                                .seed = random_u64(&broker->random),
                                                                .owners = broker->owners,
                                                                .batches = broker->batches});
    broker->followers =
        followers_open(arena,
                       &(struct followers_options){.followers_max = options->followers_max,
                                                   .seed = random_u64(&broker->random)});
    broker->queries = queries_open(
        arena,
        &(struct queries_options){.queries_max = options->queries_max, .owners = broker->owners});
}

static void init(struct broker *broker, struct arena *arena, const struct broker_options *options)
{
    broker->incarnation = options->incarnation;
    broker->name = options->name;
    broker->trace = options->trace == NULL ? &broker->silence : options->trace;
    broker->stop_ms = NO_DEADLINE;
    random_init(&broker->random, options->seed);
    open_store_side(broker, arena, options);
    open_rest(broker, arena, options);
}

struct broker *broker_open(struct arena *arena, const struct broker_options *options)
{
    struct broker scratch = {0};
    struct broker *broker = ARENA_NEW(arena, struct broker);
    init(broker == NULL ? &scratch : broker, arena, options);
    return broker;
}

static void stored(struct broker *broker, const struct turn *turn, const struct event *event)
{
    struct batch *batch = batches_stored(broker->batches, event->stored.token);
    CHECK(batch != NULL);
    CHECK(batch->count == event->stored.count);
    /* An owner that must read what may have been written reads from when it was sent. */
    struct turn then = *turn;
    then.wall_us = batch->sent_wall_us < turn->wall_us ? batch->sent_wall_us : turn->wall_us;
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct store_request *request = &batch->requests[i];
        const struct store_result *result = &event->stored.results[i];
        struct batch_entry *entry = &batch->entries[i];
        switch (entry->use) {
        case BATCH_SUBMIT:
            intake_stored(broker->intake, &then, request, result, entry);
            break;
        case BATCH_NOTE:
            notes_stored(&broker->notes, &then, request, result, entry);
            break;
        case BATCH_SITE:
            sessions_stored(broker->sessions, turn, entry, result);
            break;
        }
    }
}

static void loaded(struct broker *broker, const struct turn *turn, const struct event *event)
{
    uint64_t token = event->loaded.token;
    switch (loads_name_of(token).use) {
    case LOADS_CANCELS:
        cancels_loaded(broker->cancels, turn, token, event);
        return;
    case LOADS_FOLLOWERS:
        followers_loaded(broker->followers, turn, token, event);
        return;
    case LOADS_QUERIES:
        queries_loaded(broker->queries, turn, token, event);
        return;
    }
}

static void stop(struct broker *broker, const struct turn *turn, int64_t deadline_ms)
{
    if (broker->stage == STAGE_WORKING) {
        broker->stage = STAGE_DRAINING;
        broker->stop_ms = deadline_ms;
        intake_drain(broker->intake);
        broker->notes.is_draining = true;
        sessions_drain(broker->sessions);
        trace_event(turn->trace, TRACE_INFO, "broker.draining");
        trace_end(turn->trace);
    } else if (broker->stage == STAGE_DRAINING) {
        broker->stage = STAGE_STOPPING;
    }
}

/* Sites leave first, since what they finish goes through here; what owners have not taken yet they
 * would have to read. With no owner left nobody would hear either. */
static bool is_drained(const struct broker *broker)
{
    if (owners_owning(broker->owners) == 0) {
        return true;
    }
    return sessions_figures(broker->sessions).sites_up == 0 && outbox_untaken(broker->outbox) == 0;
}

static void stop_if_done(struct broker *broker, const struct turn *turn)
{
    if (broker->stage == STAGE_DRAINING && turn->now_ms >= broker->stop_ms) {
        broker->stage = STAGE_STOPPING;
    }
    if (broker->stage == STAGE_STOPPING) {
        batches_stop(broker->batches);
    }
    bool may_stop =
        broker->stage == STAGE_STOPPING || (broker->stage == STAGE_DRAINING && is_drained(broker));
    if (may_stop && batches_is_idle(broker->batches) && turn_has_room(turn, 1)) {
        broker->stage = STAGE_STOPPED;
        effects_add(turn->out, EFFECT_STOPPED);
    }
}

static void run(struct broker *broker, const struct turn *turn, enum event_kind kind)
{
    hear_silence(broker, turn);
    batches_answer(broker->batches, broker->clients, turn);
    outbox_run(broker->outbox, turn);
    sessions_run(broker->sessions, turn);
    cancels_run(broker->cancels, turn);
    followers_run(broker->followers, turn);
    queries_run(broker->queries, turn);
    stop_if_done(broker, turn);
    if (kind == EVENT_TIME) {
        batches_send(broker->batches, turn);
    }
}

static void step(void *self, const struct event *event, struct effects *out)
{
    struct broker *broker = self;
    struct turn turn = {.now_ms = event->now_ms,
                        .wall_us = event->wall_us,
                        .incarnation = broker->incarnation,
                        .plan = event->kind == EVENT_PLAN ? event->plan : broker->plan,
                        .random = &broker->random,
                        .trace = broker->trace,
                        .out = out};
    broker->now_ms = event->now_ms;
    broker->plan = turn.plan;
    switch (event->kind) {
    case EVENT_MESSAGE:
        hear_message(broker, &turn, event);
        break;
    case EVENT_LINK_DOWN:
        hear_link_down(broker, &turn, event->link_down);
        break;
    case EVENT_STORED:
        stored(broker, &turn, event);
        break;
    case EVENT_LOADED:
        loaded(broker, &turn, event);
        break;
    case EVENT_STOP:
        stop(broker, &turn, event->stop.deadline_ms);
        break;
    case EVENT_TIME:
    case EVENT_PLAN:
    case EVENT_MEMBERS: /* routers name themselves, by OWNS */
    case EVENT_CLAIMED:
    case EVENT_LEASE:
        break;
    }
    if (broker->stage != STAGE_STOPPED) {
        run(broker, &turn, event->kind);
    }
}

static int64_t deadline_ms(const void *self)
{
    const struct broker *broker = self;
    if (broker->stage == STAGE_STOPPED) {
        return NO_DEADLINE;
    }
    if (batches_is_due(broker->batches)) {
        return broker->now_ms;
    }
    int64_t next_ms = owners_deadline_ms(broker->owners);
    next_ms = turn_earlier(next_ms, outbox_deadline_ms(broker->outbox, broker->now_ms));
    next_ms = turn_earlier(next_ms, sessions_deadline_ms(broker->sessions, broker->now_ms));
    next_ms = turn_earlier(next_ms, cancels_deadline_ms(broker->cancels));
    next_ms = turn_earlier(next_ms, followers_deadline_ms(broker->followers));
    next_ms = turn_earlier(next_ms, queries_deadline_ms(broker->queries));
    return broker->stage == STAGE_DRAINING ? turn_earlier(next_ms, broker->stop_ms) : next_ms;
}

struct core broker_core(struct broker *broker)
{
    return (struct core){.self = broker, .step = step, .deadline_ms = deadline_ms};
}
