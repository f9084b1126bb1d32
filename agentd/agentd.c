#include "agentd/agentd.h"

#include "agentd/held.h"
#include "agentd/inside.h"
#include "agentd/moves.h"
#include "agentd/owner.h"
#include "agentd/report.h"
#include "agentd/restore.h"
#include "lib/check.h"

void agentd_options_default(struct agentd_options *options)
{
    *options = (struct agentd_options){
        .broker_count = 1,
        .reservation_extra_ms = 5000,
        .hello_min_ms = 500,
        .hello_max_ms = 10000,
        .accept_min_ms = 1000,
        .accept_max_ms = 5000,
        .outcome_min_ms = 1000,
        .outcome_max_ms = 30000,
        .busy_beat_ms = 1000,
        .idle_beat_ms = 5000,
        .avail_ms = 30000,
        .verdict_wait_ms = 2000,
    };
}

static uint32_t capacity_sum(const struct agentd_options *options)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < options->agent_count; i++) {
        CHECK(options->agents[i].capacity >= 1);
        CHECK(options->agents[i].capacity <= CAPACITY_MAX);
        sum += options->agents[i].capacity;
    }
    return sum;
}

/* Fills what 0 means. The journal's bound wins over slots_max. */
static struct agentd_options complete(const struct agentd_options *options)
{
    struct agentd_options full = *options;
    CHECK(full.agent_count <= AGENTD_AGENTS_MAX);
    CHECK(full.broker_count >= 1);
    CHECK(full.site.size >= 1);
    CHECK(full.site.size <= NAME_BYTES_MAX);
    CHECK(full.contractor.size <= NAME_BYTES_MAX);
    uint32_t sum = capacity_sum(options);
    if (full.slots_max == 0) {
        full.slots_max = sum == 0 ? 1 : sum;
    }
    if (full.journal_entries_max == 0) {
        full.journal_entries_max = full.slots_max + 1024;
    }
    if (full.journal_entries_max > AGENTD_JOURNAL_ENTRIES_MAX) {
        full.journal_entries_max = AGENTD_JOURNAL_ENTRIES_MAX;
    }
    if (full.slots_max > full.journal_entries_max) {
        full.slots_max = full.journal_entries_max;
    }
    return full;
}

static void copy_agents(struct agentd *a, struct arena *arena, const struct agentd_options *given)
{
    struct agentd_agent *agents = ARENA_ARRAY(arena, struct agentd_agent, given->agent_count);
    a->options.site = bytes_copy(arena, given->site);
    a->options.contractor = bytes_copy(arena, given->contractor);
    a->options.agents = agents;
    for (uint32_t i = 0; i < given->agent_count; i++) {
        CHECK(given->agents[i].profile.size <= PROFILE_BYTES_MAX);
        CHECK(given->agents[i].name.size >= 1);
        CHECK(given->agents[i].name.size <= NAME_BYTES_MAX);
        struct bytes name = bytes_copy(arena, given->agents[i].name);
        struct bytes profile = bytes_copy(arena, given->agents[i].profile);
        if (agents != NULL) {
            agents[i] = given->agents[i];
            agents[i].name = name;
            agents[i].profile = profile;
        }
    }
}

/* Works on a scratch object too, while measuring. */
static void cut(struct agentd *a, struct arena *arena, const struct agentd_options *options)
{
    a->options = complete(options);
    copy_agents(a, arena, options);
    random_init(&a->random, options->seed);
    uint32_t rows = a->options.journal_entries_max;
    uint32_t agents = a->options.agent_count;
    slots_init(&a->slots, arena, agents, a->options.slots_max);
    work_init(&a->work, arena, rows, random_u64(&a->random));
    parts_init(&a->parts, arena);
    /* A row has one write waiting, an outcome found at the start one more; and each part one. */
    journal_init(&a->journal, arena, 2 * rows + PARTS_MAX + 1);
    desk_init(&a->desk, arena, agents, random_u64(&a->random));
    uplink_init(&a->uplink,
                arena,
                &(struct uplink_options){.agent_count = agents,
                                         .nonce = random_u64(&a->random),
                                         .hello_min_ms = a->options.hello_min_ms,
                                         .hello_max_ms = a->options.hello_max_ms});
    a->load_retry_ms = NO_DEADLINE;
    a->stop_deadline_ms = NO_DEADLINE;
    a->verdicts_until_ms = NO_DEADLINE;
}

struct agentd *agentd_open(struct arena *arena, const struct agentd_options *options)
{
    struct agentd *a = ARENA_NEW(arena, struct agentd);
    if (arena_is_measuring(arena)) {
        struct agentd scratch = {0};
        cut(&scratch, arena, options);
        return NULL;
    }
    cut(a, arena, options);
    a->trace = options->trace != NULL ? options->trace : &a->silent;
    return a;
}

static void begin(struct agentd *a)
{
    for (uint32_t i = 0; i < a->options.agent_count; i++) {
        slots_set_agent(&a->slots, i, a->options.agents[i].capacity, a->now_ms);
    }
    restore_begin(a);
}

static void receive(struct agentd *a, struct address from, const struct message *message)
{
    switch (from.link) {
    case LINK_BROKERS:
        if (a->stage == STAGE_LOADING || !uplink_is_ours(&a->uplink, from)) {
            return;
        }
        uplink_receive(a, from.peer, message);
        if (message_is_carried_kind(message->header.kind)) {
            owner_receive(a, message);
        }
        return;
    case LINK_DESK:
        desk_receive(a, from.peer, message);
        return;
    case LINK_LOCAL:
        report_receive(a, from, message);
        return;
    case LINK_CLIENTS:
    case LINK_ROUTERS:
    case LINK_SITES:
    case LINK_COUNT:
        return;
    }
}

static void receive_stored(struct agentd *a, const struct event *event)
{
    bool was_failing = a->journal.is_failing;
    journal_stored(&a->journal, event, &a->random);
    if (a->journal.is_failing != was_failing) {
        trace_event(a->trace,
                    was_failing ? TRACE_INFO : TRACE_ERROR,
                    was_failing ? "journal.recovered" : "journal.failed");
        trace_u64(a->trace, "waiting", a->journal.count);
        trace_end(a->trace);
    }
    struct journal_item item;
    while (journal_pop_done(&a->journal, &item)) {
        moves_written(a, &item);
    }
}

static void receive_stop(struct agentd *a, int64_t deadline_ms)
{
    if (a->stage == STAGE_STOPPING) {
        a->must_stop = true;
        return;
    }
    trace_event(a->trace, TRACE_INFO, "site.stopping");
    trace_u64(a->trace, "slots_used", a->slots.used);
    trace_end(a->trace);
    a->stage = STAGE_STOPPING;
    a->stop_deadline_ms = deadline_ms;
    slots_mark_all(&a->slots);
}

static void link_down(struct agentd *a, struct address address)
{
    if (address.link == LINK_BROKERS) {
        uplink_link_down(a, address.peer);
    } else if (address.link == LINK_DESK) {
        desk_lost(a, address.peer);
    }
}

static void take_event(struct agentd *a, const struct event *event)
{
    switch (event->kind) {
    case EVENT_MESSAGE:
        receive(a, event->received.from, event->received.message);
        return;
    case EVENT_LINK_DOWN:
        link_down(a, event->link_down);
        return;
    case EVENT_STORED:
        receive_stored(a, event);
        return;
    case EVENT_LOADED:
        restore_loaded(a, event);
        return;
    case EVENT_STOP:
        receive_stop(a, event->stop.deadline_ms);
        return;
    case EVENT_TIME:
    case EVENT_MEMBERS:
    case EVENT_CLAIMED:
    case EVENT_LEASE:
    case EVENT_PLAN:
        return;
    }
}

static void work_due(struct agentd *a)
{
    uint32_t row = WORK_NONE;
    while (effects_room(a->out) > INSIDE_ROOM_MIN &&
           timers_pop_due(&a->work.timers, a->now_ms, &row)) {
        moves_due(a, row);
    }
}

/* While stopping, questions still at a desk are declined; what is accepted or worked on may end. */
static void decline_questions(struct agentd *a)
{
    uint32_t row = work_count(&a->work, WORK_ASKED) == 0 ? WORK_NONE : work_next(&a->work, 0);
    while (row != WORK_NONE && effects_room(a->out) > INSIDE_ROOM_MIN) {
        if (work_get(&a->work, row)->state == WORK_ASKED) {
            moves_decline(a, row, DECLINE_UNAVAILABLE);
            desk_send_drop(a, row, RELEASE_WITHDRAWN);
            moves_forget(a, row);
        }
        row = work_next(&a->work, row + 1);
    }
}

static bool has_work_in_hand(const struct agentd *a)
{
    return work_count(&a->work, WORK_ASKED) > 0 || work_count(&a->work, WORK_ACCEPTED) > 0 ||
           work_count(&a->work, WORK_JOURNALLING) > 0 || work_count(&a->work, WORK_WORKING) > 0 ||
           work_count(&a->work, WORK_ENDING) > 0;
}

static bool may_stop(struct agentd *a)
{
    if (journal_is_in_store(&a->journal)) {
        return false;
    }
    if (a->must_stop || a->now_ms >= a->stop_deadline_ms) {
        return true;
    }
    if (has_work_in_hand(a)) {
        return false;
    }
    if (a->verdicts_until_ms == NO_DEADLINE) {
        a->verdicts_until_ms = a->now_ms + a->options.verdict_wait_ms;
    }
    bool is_quiet = work_count(&a->work, WORK_ENDED) == 0 && journal_is_idle(&a->journal);
    return is_quiet || a->now_ms >= a->verdicts_until_ms;
}

/* What is in hand stays in the journal: the next start goes on with it. */
static void stop(struct agentd *a)
{
    for (uint32_t row = work_next(&a->work, 0); row != WORK_NONE;
         row = work_next(&a->work, row + 1)) {
        if (work_get(&a->work, row)->state == WORK_WORKING &&
            effects_room(a->out) > INSIDE_ROOM_MIN) {
            desk_send_drop(a, row, RELEASE_WITHDRAWN);
        }
    }
    trace_event(a->trace, TRACE_INFO, "site.stopped");
    trace_u64(a->trace, "kept", work_held_count(&a->work));
    trace_end(a->trace);
    uplink_close(a);
    effects_add(a->out, EFFECT_STOPPED);
    a->stage = STAGE_STOPPED;
}

static int64_t earliest(int64_t x, int64_t y)
{
    return x < y ? x : y;
}

static int64_t stop_due_ms(const struct agentd *a)
{
    if (a->stage != STAGE_STOPPING || journal_is_in_store(&a->journal)) {
        return NO_DEADLINE;
    }
    if (work_count(&a->work, WORK_ASKED) > 0) {
        return a->now_ms;
    }
    return earliest(a->stop_deadline_ms, a->verdicts_until_ms);
}

static int64_t deadline_ms(const void *self)
{
    const struct agentd *a = self;
    if (a->stage == STAGE_NEW) {
        return 0;
    }
    if (a->stage == STAGE_STOPPED) {
        return NO_DEADLINE;
    }
    int64_t next_ms = earliest(timers_next_ms(&a->work.timers), journal_deadline_ms(&a->journal));
    next_ms = earliest(next_ms, uplink_deadline_ms(&a->uplink));
    next_ms = earliest(next_ms, held_deadline_ms(a));
    next_ms = earliest(next_ms, restore_deadline_ms(a));
    return earliest(next_ms, stop_due_ms(a));
}

static void step(void *self, const struct event *event, struct effects *out)
{
    struct agentd *a = self;
    a->now_ms = event->now_ms;
    a->out = out;
    if (a->stage == STAGE_STOPPED) {
        return;
    }
    if (a->stage == STAGE_NEW) {
        begin(a);
    }
    take_event(a, event);
    restore_time(a);
    if (a->stage == STAGE_STOPPING) {
        decline_questions(a);
    }
    work_due(a);
    uplink_time(a);
    held_send_due(a);
    bool is_ending = a->must_stop || a->now_ms >= a->stop_deadline_ms;
    if (!is_ending) {
        journal_send(&a->journal, a->now_ms, out);
    }
    if (a->stage == STAGE_STOPPING && may_stop(a)) {
        stop(a);
    }
}

struct core agentd_core(struct agentd *agentd)
{
    return (struct core){.self = agentd, .step = step, .deadline_ms = deadline_ms};
}
