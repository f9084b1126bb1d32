#include "router/ownership.h"

#include "lib/bits.h"
#include "lib/check.h"
#include "lib/hash.h"
#include "proto/plan.h"

#define RETRY_MIN_MS 250
#define RETRY_MAX_MS 5000
#define FAILURES_TO_ALARM 3U

void ownership_init(struct ownership *ownership,
                    struct arena *arena,
                    const struct ownership_options *options)
{
    CHECK(options->parts_max > 0);
    *ownership = (struct ownership){.options = *options, .me = MEMBERS_NONE, .lease_ms = INT64_MIN};
    random_init(&ownership->random, options->seed);
    ownership->parts = ARENA_ARRAY(arena, struct ownership_part, options->parts_max);
    ownership->dirty = ARENA_ARRAY(arena, uint64_t, BITS_WORDS(options->parts_max));
    ownership->pins = ARENA_ARRAY(arena, uint32_t, options->parts_max);
    ownership->members = ARENA_ARRAY(arena, struct member, options->routers_max);
    timers_init(&ownership->timers, arena, options->parts_max);
}

static void look_at(struct ownership *ownership, uint32_t part)
{
    bits_set(ownership->dirty, part);
}

static void look_at_all(struct ownership *ownership)
{
    for (uint32_t part = 0; part < ownership->options.parts_max; part++) {
        const struct ownership_part *row = &ownership->parts[part];
        if (row->is_planned || row->state != OWNERSHIP_NONE) {
            look_at(ownership, part);
        }
    }
}

static bool is_loading(enum ownership_state state)
{
    return state == OWNERSHIP_ACQUIRE || state == OWNERSHIP_CLAIM || state == OWNERSHIP_LOAD;
}

static void move_to(struct ownership *ownership, uint32_t part, enum ownership_state state)
{
    struct ownership_part *row = &ownership->parts[part];
    ownership->loading_count -= is_loading(row->state) ? 1U : 0U;
    ownership->leaving_count -= row->state == OWNERSHIP_LEAVING ? 1U : 0U;
    ownership->loading_count += is_loading(state) ? 1U : 0U;
    ownership->leaving_count += state == OWNERSHIP_LEAVING ? 1U : 0U;
    row->state = state;
    if (state == OWNERSHIP_NONE || state == OWNERSHIP_ACQUIRE) {
        row->epoch = 0;
    }
    look_at(ownership, part);
}

static void retry_later(struct ownership *ownership, uint32_t part, int64_t now_ms)
{
    struct ownership_part *row = &ownership->parts[part];
    int64_t step_ms = RETRY_MIN_MS;
    for (uint32_t i = 0; i < row->failures && step_ms < RETRY_MAX_MS; i++) {
        step_ms *= 2;
    }
    row->retry_ms = now_ms + random_range(&ownership->random, step_ms / 2, step_ms);
    timers_set(&ownership->timers, part, row->retry_ms);
}

void ownership_plan(struct ownership *ownership, const struct plan *plan)
{
    for (uint32_t part = 0; part < ownership->options.parts_max; part++) {
        ownership->parts[part].is_planned = false;
    }
    for (uint32_t i = 0; i < plan->pool_count; i++) {
        if (plan->pools[i].part < ownership->options.parts_max) {
            ownership->parts[plan->pools[i].part].is_planned = true;
        }
    }
    for (uint32_t part = 0; part < ownership->options.parts_max; part++) {
        ownership->parts[part].is_wanted = false;
        look_at(ownership, part);
    }
}

static bool take_members(struct ownership *ownership, const struct membership *membership)
{
    uint32_t count = 0;
    bool has_changed = false;
    ownership->me = MEMBERS_NONE;
    for (uint32_t i = 0; i < membership->node_count; i++) {
        const struct node *node = &membership->nodes[i];
        if (node->kind != NODE_ROUTER || count == ownership->options.routers_max) {
            continue;
        }
        struct member member = {.name_hash = hash_bytes(node->name, MEMBERS_NAME_SEED),
                                .node = node->number,
                                .weight = node->weight < MEMBERS_WEIGHT_MAX ? node->weight
                                                                            : MEMBERS_WEIGHT_MAX,
                                .active = node->state == NODE_ACTIVE};
        const struct member *old = &ownership->members[count];
        has_changed = has_changed || count >= ownership->member_count ||
                      old->name_hash != member.name_hash || old->node != member.node ||
                      old->weight != member.weight || old->active != member.active;
        if (node->incarnation == ownership->options.incarnation) {
            ownership->me = count;
        }
        ownership->members[count] = member;
        count++;
    }
    has_changed = has_changed || count != ownership->member_count;
    ownership->member_count = count;
    return has_changed;
}

static void take_keys(struct ownership *ownership, const struct membership *membership)
{
    uint32_t me =
        ownership->me == MEMBERS_NONE ? UINT32_MAX : ownership->members[ownership->me].node;
    for (uint32_t part = 0; part < ownership->options.parts_max; part++) {
        ownership->parts[part].is_key_there = false;
        ownership->parts[part].is_key_mine = false;
        ownership->pins[part] = 0;
    }
    for (uint32_t i = 0; i < membership->owner_count; i++) {
        const struct ownership_key *key = &membership->owners[i];
        if (key->part >= ownership->options.parts_max) {
            continue;
        }
        struct ownership_part *row = &ownership->parts[key->part];
        row->is_key_there = true;
        row->is_key_mine = key->node == me && me != UINT32_MAX;
        row->owner = key->node;
        row->key_epoch = key->epoch;
        row->known_epoch = key->epoch > row->known_epoch ? key->epoch : row->known_epoch;
    }
    for (uint32_t i = 0; i < membership->pin_count; i++) {
        const struct ownership_key *pin = &membership->pins[i];
        if (pin->part < ownership->options.parts_max && pin->node != UINT32_MAX) {
            ownership->pins[pin->part] = pin->node + 1U;
        }
    }
}

void ownership_members(struct ownership *ownership,
                       const struct membership *membership,
                       int64_t now_ms)
{
    if (take_members(ownership, membership)) {
        ownership->changed_ms = now_ms;
    }
    take_keys(ownership, membership);
    look_at_all(ownership);
}

void ownership_lease(struct ownership *ownership, int64_t deadline_ms)
{
    bool is_new = ownership->lease_ms == INT64_MIN || deadline_ms < ownership->lease_ms;
    ownership->lease_ms = deadline_ms;
    if (is_new) {
        look_at_all(ownership);
    }
}

void ownership_claimed(struct ownership *ownership, const struct event *event)
{
    uint32_t part = event->claimed.part;
    if (part >= ownership->options.parts_max || !ownership->parts[part].is_claim_out) {
        return;
    }
    struct ownership_part *row = &ownership->parts[part];
    row->is_claim_out = false;
    look_at(ownership, part);
    if (event->claimed.error != VT_OK) {
        if (row->state == OWNERSHIP_ACQUIRE) {
            row->failures++;
            retry_later(ownership, part, event->now_ms);
            move_to(ownership, part, OWNERSHIP_NONE);
        }
        return;
    }
    row->is_key_there = true;
    row->is_key_mine = true;
    row->key_epoch = event->claimed.epoch;
    row->known_epoch = row->key_epoch > row->known_epoch ? row->key_epoch : row->known_epoch;
    if (row->state == OWNERSHIP_ACQUIRE) {
        move_to(ownership, part, OWNERSHIP_NONE); /* the key is ours: the next look claims it */
    }
}

void ownership_store_claimed(struct ownership *ownership,
                             uint32_t part,
                             enum store_status status,
                             int64_t now_ms)
{
    CHECK(part < ownership->options.parts_max);
    struct ownership_part *row = &ownership->parts[part];
    CHECK(row->is_store_claim_out);
    row->is_store_claim_out = false;
    look_at(ownership, part);
    if (row->state != OWNERSHIP_CLAIM) {
        return;
    }
    if (status == STORE_DONE || status == STORE_DUPLICATE) {
        row->failures = 0;
        row->is_load_asked = false;
        move_to(ownership, part, OWNERSHIP_LOAD);
        return;
    }
    row->failures++;
    retry_later(ownership, part, now_ms);
    row->is_refused = status == STORE_FENCED || status == STORE_REFUSED;
    if (!row->is_refused) {
        move_to(ownership, part, OWNERSHIP_NONE);
    }
}

void ownership_loaded(struct ownership *ownership, uint32_t part)
{
    CHECK(part < ownership->options.parts_max);
    if (ownership->parts[part].state == OWNERSHIP_LOAD) {
        move_to(ownership, part, OWNERSHIP_ACTIVE);
    }
}

void ownership_left(struct ownership *ownership, uint32_t part)
{
    CHECK(part < ownership->options.parts_max);
    if (ownership->parts[part].state == OWNERSHIP_LEAVING) {
        ownership->parts[part].is_left = true;
        look_at(ownership, part);
    }
}

void ownership_fenced(struct ownership *ownership, uint32_t part, uint64_t epoch, int64_t now_ms)
{
    if (part >= ownership->options.parts_max || ownership->parts[part].epoch != epoch) {
        return;
    }
    ownership->parts[part].failures++;
    ownership->parts[part].is_drop_due = true;
    retry_later(ownership, part, now_ms);
    look_at(ownership, part);
}

void ownership_stop(struct ownership *ownership)
{
    ownership->is_stopping = true;
    look_at_all(ownership);
}

static bool wants(struct ownership *ownership, uint32_t part)
{
    if (ownership->is_stopping || ownership->me == MEMBERS_NONE ||
        !ownership->members[ownership->me].active) {
        return false;
    }
    for (uint32_t i = 0; ownership->pins[part] != 0 && i < ownership->member_count; i++) {
        if (ownership->members[i].node + 1U == ownership->pins[part] &&
            ownership->members[i].active) {
            return i == ownership->me;
        }
    }
    return members_owner(ownership->members, ownership->member_count, part) == ownership->me;
}

static bool
act(struct ownership_action *action, enum ownership_do what, uint32_t part, uint64_t epoch)
{
    *action = (struct ownership_action){.what = what, .part = part, .epoch = epoch};
    return true;
}

static bool
give_key_back(struct ownership_part *row, uint32_t part, struct ownership_action *action)
{
    row->is_key_there = false;
    row->is_key_mine = false;
    return act(action, OWNERSHIP_DO_RELEASE, part, row->key_epoch);
}

static bool look_none(struct ownership *ownership,
                      uint32_t part,
                      int64_t now_ms,
                      struct ownership_action *action)
{
    struct ownership_part *row = &ownership->parts[part];
    if (row->is_claim_out || row->is_store_claim_out) {
        return false;
    }
    if (row->is_key_mine && !row->is_wanted) {
        /* A claim that came back after the plan or the members changed. */
        return give_key_back(row, part, action);
    }
    if (!row->is_wanted || !row->is_planned || now_ms >= ownership->lease_ms) {
        return false;
    }
    if (row->is_key_mine && row->key_epoch == row->spent_epoch) {
        /* Brokers count what was taken under an epoch, and writes under it may still be on their
         * way: what memory forgot is only told again under a new one. */
        return give_key_back(row, part, action);
    }
    if (now_ms < row->retry_ms) {
        timers_set(&ownership->timers, part, row->retry_ms);
        return false;
    }
    if (ownership->loading_count >= ownership->options.loads_max) {
        timers_set(&ownership->timers, part, now_ms + RETRY_MIN_MS);
        return false;
    }
    if (row->is_key_mine) {
        move_to(ownership, part, OWNERSHIP_CLAIM);
        row->epoch = row->key_epoch;
        row->is_store_claim_out = true;
        return act(action, OWNERSHIP_DO_STORE_CLAIM, part, row->epoch);
    }
    if (row->is_key_there) {
        return false;
    }
    move_to(ownership, part, OWNERSHIP_ACQUIRE);
    row->is_claim_out = true;
    return act(action, OWNERSHIP_DO_CLAIM, part, 0);
}

/* The store refused the epoch of our key: it goes back, and a newer one is asked for. */
static bool look_claim(struct ownership *ownership, uint32_t part, struct ownership_action *action)
{
    struct ownership_part *row = &ownership->parts[part];
    if (!row->is_refused) {
        return false;
    }
    if (row->failures == FAILURES_TO_ALARM) {
        row->failures++; /* said once */
        return act(action, OWNERSHIP_DO_ALARM, part, row->epoch);
    }
    uint64_t epoch = row->epoch;
    row->is_refused = false;
    row->is_key_there = false;
    row->is_key_mine = false;
    move_to(ownership, part, OWNERSHIP_NONE);
    return act(action, OWNERSHIP_DO_RELEASE, part, epoch);
}

static bool look_active(struct ownership *ownership,
                        uint32_t part,
                        int64_t now_ms,
                        struct ownership_action *action)
{
    struct ownership_part *row = &ownership->parts[part];
    if (row->is_wanted || !row->is_planned) {
        return false;
    }
    int64_t due_ms = ownership->changed_ms + ownership->options.move_delay_ms;
    if (!ownership->is_stopping) {
        if (now_ms < due_ms) {
            timers_set(&ownership->timers, part, due_ms);
            return false;
        }
        if (ownership->leaving_count >= ownership->options.moves_max) {
            timers_set(&ownership->timers, part, now_ms + RETRY_MIN_MS);
            return false;
        }
    }
    move_to(ownership, part, OWNERSHIP_LEAVING);
    row->is_left = false;
    timers_set(&ownership->timers, part, now_ms + ownership->options.leave_wait_ms);
    return act(action, OWNERSHIP_DO_LEAVE, part, row->epoch);
}

/* Memory goes first, in an action of its own; then the key. */
static bool look_leaving(struct ownership *ownership,
                         uint32_t part,
                         int64_t now_ms,
                         struct ownership_action *action)
{
    struct ownership_part *row = &ownership->parts[part];
    if (!row->is_left && now_ms < timers_deadline_ms(&ownership->timers, part) &&
        timers_deadline_ms(&ownership->timers, part) != NO_DEADLINE) {
        return false;
    }
    uint64_t epoch = row->epoch;
    timers_clear(&ownership->timers, part);
    row->is_left = false;
    move_to(ownership, part, OWNERSHIP_NONE);
    /* With the key still ours and the part not wanted, the next look releases it. */
    row->is_key_mine = true;
    row->key_epoch = epoch;
    return act(action, OWNERSHIP_DO_DROP, part, epoch);
}

static bool
must_drop(const struct ownership *ownership, const struct ownership_part *row, int64_t now_ms)
{
    if (row->epoch == 0) {
        return false;
    }
    return row->is_drop_due || now_ms >= ownership->lease_ms ||
           (row->is_key_there && !row->is_key_mine && row->key_epoch > row->epoch);
}

static bool
look(struct ownership *ownership, uint32_t part, int64_t now_ms, struct ownership_action *action)
{
    struct ownership_part *row = &ownership->parts[part];
    row->is_wanted = row->is_planned && wants(ownership, part);
    if (must_drop(ownership, row, now_ms)) {
        uint64_t epoch = row->epoch;
        row->is_drop_due = false;
        row->is_refused = false;
        row->spent_epoch = epoch;
        move_to(ownership, part, OWNERSHIP_NONE);
        return act(action, OWNERSHIP_DO_DROP, part, epoch);
    }
    switch (row->state) {
    case OWNERSHIP_NONE:
        return look_none(ownership, part, now_ms, action);
    case OWNERSHIP_ACQUIRE:
        return false;
    case OWNERSHIP_CLAIM:
        return look_claim(ownership, part, action);
    case OWNERSHIP_LOAD:
        if (!row->is_load_asked) {
            row->is_load_asked = true;
            return act(action, OWNERSHIP_DO_LOAD, part, row->epoch);
        }
        return look_active(ownership, part, now_ms, action);
    case OWNERSHIP_ACTIVE:
        return look_active(ownership, part, now_ms, action);
    case OWNERSHIP_LEAVING:
        return look_leaving(ownership, part, now_ms, action);
    }
    return false;
}

bool ownership_next(struct ownership *ownership, int64_t now_ms, struct ownership_action *action)
{
    uint32_t part = 0;
    if (ownership->lease_ms != INT64_MIN && now_ms >= ownership->lease_ms) {
        ownership->lease_ms = INT64_MIN;
        look_at_all(ownership);
    }
    while (timers_pop_due(&ownership->timers, now_ms, &part)) {
        look_at(ownership, part);
    }
    uint32_t words = BITS_WORDS(ownership->options.parts_max);
    for (part = bits_next(ownership->dirty, words, 0); part != BITS_NONE;
         part = bits_next(ownership->dirty, words, part + 1U)) {
        bits_clear(ownership->dirty, part);
        if (look(ownership, part, now_ms, action)) {
            look_at(ownership, part);
            return true;
        }
    }
    return false;
}

int64_t ownership_deadline_ms(const struct ownership *ownership)
{
    if (!bits_is_empty(ownership->dirty, BITS_WORDS(ownership->options.parts_max))) {
        return 0;
    }
    int64_t next_ms = timers_next_ms(&ownership->timers);
    if (ownership->lease_ms != INT64_MIN && ownership->lease_ms < next_ms) {
        next_ms = ownership->lease_ms;
    }
    return next_ms;
}
