#include "tests/unit/matching_world.h"

#include "lib/check.h"
#include "tests/unit/oracle_blobs.h"

#define ARENA_BYTES (UINT64_C(64) << 20)

static uint32_t draw(struct world *world, uint32_t bound)
{
    return (uint32_t) random_below(&world->random, bound);
}

static bool chance(struct world *world, uint32_t percent)
{
    return draw(world, 100) < percent;
}

static uint32_t agent_number(const struct world *world, uint32_t row)
{
    return row == MATCHING_NONE ? ORACLE_NONE : roster_get(&world->matching.roster, row)->id - 1u;
}

static uint32_t ticket_number(const struct world *world, uint32_t row)
{
    for (uint32_t i = 0; i < ORACLE_TICKETS; i++) {
        const struct oracle_ticket *ticket = &world->oracle.tickets[i];
        if (ticket->stage != ORACLE_ABSENT && ticket->row == row) {
            return i;
        }
    }
    return ORACLE_NONE;
}

/* The two comparisons that all this is for; they return what both sides agreed on. */
static uint32_t compare_agent_for(struct world *world, uint32_t ticket)
{
    uint32_t row = world->oracle.tickets[ticket].row;
    uint32_t found = agent_number(world, matching_agent_for(&world->matching, row));
    assert_int_equal(found, oracle_agent_for(&world->oracle, ticket));
    world->decision_count++;
    world->found_count += found != ORACLE_NONE;
    return found;
}

static uint32_t compare_ticket_for(struct world *world, uint32_t agent)
{
    uint32_t row = world->oracle.agents[agent].row;
    uint32_t found = ticket_number(world, matching_ticket_for(&world->matching, row));
    assert_int_equal(found, oracle_ticket_for(&world->oracle, agent));
    world->decision_count++;
    world->found_count += found != ORACLE_NONE;
    return found;
}

static void offer(struct world *world, uint32_t ticket, uint32_t agent)
{
    struct oracle_ticket *t = &world->oracle.tickets[ticket];
    struct oracle_agent *a = &world->oracle.agents[agent];
    matching_leave(&world->matching, t->row, STAGE_OFFERED);
    roster_take(&world->matching.roster, a->row, world->oracle.now_ms);
    t->stage = ORACLE_WITH_AGENT;
    t->holder = agent;
    a->used++;
    a->told -= a->told > 0;
    a->idle_since_ms = world->oracle.now_ms;
}

static void settle_ticket(struct world *world, uint32_t ticket)
{
    uint32_t agent = compare_agent_for(world, ticket);
    if (agent != ORACLE_NONE && !chance(world, 30)) {
        offer(world, ticket, agent);
    }
}

static void settle_agent(struct world *world, uint32_t agent)
{
    uint32_t ticket = compare_ticket_for(world, agent);
    while (ticket != ORACLE_NONE && !chance(world, 30)) {
        offer(world, ticket, agent);
        ticket = compare_ticket_for(world, agent);
    }
}

/* A random one of a kind, or ORACLE_NONE. */
static uint32_t pick_ticket(struct world *world, enum oracle_stage stage)
{
    uint32_t start = draw(world, ORACLE_TICKETS);
    for (uint32_t i = 0; i < ORACLE_TICKETS; i++) {
        uint32_t ticket = (start + i) % ORACLE_TICKETS;
        if (world->oracle.tickets[ticket].stage == stage) {
            return ticket;
        }
    }
    return ORACLE_NONE;
}

static uint32_t pick_agent(struct world *world)
{
    uint32_t start = draw(world, ORACLE_AGENTS);
    for (uint32_t i = 0; i < ORACLE_AGENTS; i++) {
        uint32_t agent = (start + i) % ORACLE_AGENTS;
        if (world->oracle.agents[agent].is_in) {
            return agent;
        }
    }
    return ORACLE_NONE;
}

static void draw_wishes(struct world *world, struct oracle_ticket *ticket)
{
    const struct shape *shape = world->shape;
    ticket->queue = draw(world, shape->queue_count);
    ticket->language = draw(world, shape->language_count + 1u);
    for (uint32_t i = 0; i < shape->skill_count; i++) {
        bool is_asked = chance(world, shape->need_percent);
        ticket->need[i] = is_asked ? 1u + draw(world, shape->level_max + 1u) : 0;
    }
    ticket->wants_person = chance(world, 5);
    ticket->priority = draw(world, shape->priority_count) * 100u / shape->priority_count;
}

static void arrive(struct world *world)
{
    uint32_t number = draw(world, world->shape->ticket_count);
    struct oracle_ticket *ticket = &world->oracle.tickets[number];
    if (ticket->stage != ORACLE_ABSENT) {
        return;
    }
    *ticket = (struct oracle_ticket){.preferred = ORACLE_NONE, .holder = ORACLE_NONE};
    ticket->id = (struct ticket_id){.hi = draw(world, 4), .lo = ++world->next_id};
    draw_wishes(world, ticket);
    /* Few different times, so that ids decide often. */
    ticket->created_us = world->oracle.now_ms / 50 * 50000 - (int64_t) draw(world, 3) * 50000;
    ticket->queued_us = ticket->created_us + draw(world, 1000);
    if (chance(world, 10)) {
        ticket->preferred = draw(world, ORACLE_AGENTS);
    }
    uint8_t buffer[REQUIREMENTS_BYTES_MAX];
    struct ticket_row row = oracle_blobs_row(ticket, buffer);
    assert_int_equal(matching_ticket_add(&world->matching, &row, &ticket->row), VT_OK);
    matching_wait(&world->matching, ticket->row);
    ticket->stage = ORACLE_WAITING;
    settle_ticket(world, number);
}

/* The oracle's account of matching_agent_give(). True: the agent is gone. */
static bool give(struct world *world, uint32_t agent)
{
    struct oracle_agent *a = &world->oracle.agents[agent];
    bool is_gone = matching_agent_give(&world->matching, a->row, world->oracle.now_ms);
    a->used--;
    a->told += a->told < a->capacity;
    a->idle_since_ms = world->oracle.now_ms;
    assert_int_equal(is_gone, a->is_leaving && a->used == 0);
    return is_gone;
}

static void agent_is_gone(struct world *world, uint32_t agent)
{
    struct oracle *oracle = &world->oracle;
    oracle_forget_agent(oracle, agent);
    uint32_t site = oracle->agents[agent].site;
    oracle->agents[agent] = (struct oracle_agent){0};
    for (uint32_t i = 0; i < ORACLE_AGENTS; i++) {
        if (oracle->agents[i].is_in && oracle->agents[i].site == site) {
            return;
        }
    }
    oracle->site_is_up[site] = true; /* an unknown site is up when it comes */
}

static void note_dropped(struct world *world, const struct refusal *dropped, int64_t until_ms)
{
    uint32_t ticket = ticket_number(world, dropped->ticket);
    uint32_t agent = agent_number(world, dropped->agent);
    assert_true(ticket != ORACLE_NONE);
    assert_true(dropped->until_ms <= until_ms);
    assert_true(oracle_unrefuse(&world->oracle, ticket, agent));
    world->dropped_count++;
}

static void refuse(struct world *world, uint32_t ticket, uint32_t agent)
{
    struct oracle_ticket *t = &world->oracle.tickets[ticket];
    int64_t until_ms =
        world->oracle.now_ms + world->shape->refusal_ms + (int64_t) draw(world, 3) * 500;
    struct refusal dropped;
    bool is_dropped = matching_refuse(
        &world->matching, t->row, world->oracle.agents[agent].row, until_ms, &dropped);
    (void) oracle_unrefuse(&world->oracle, ticket, agent);
    if (is_dropped) {
        note_dropped(world, &dropped, until_ms + 1000);
    }
    assert_true(t->refusal_count < ORACLE_REFUSALS);
    t->refusals[t->refusal_count++] = (struct oracle_refusal){.agent = agent, .until_ms = until_ms};
}

static void requeue(struct world *world, uint32_t ticket)
{
    struct oracle_ticket *t = &world->oracle.tickets[ticket];
    t->holder = ORACLE_NONE;
    t->queued_us = world->oracle.now_ms * 1000;
    if (chance(world, 20)) {
        draw_wishes(world, t); /* also another class */
    }
    uint8_t buffer[REQUIREMENTS_BYTES_MAX];
    struct ticket_row row = oracle_blobs_row(t, buffer);
    assert_int_equal(matching_ticket_update(&world->matching, t->row, &row), VT_OK);
    matching_wait(&world->matching, t->row);
    t->stage = ORACLE_WAITING;
    settle_ticket(world, ticket);
}

static void remove_ticket(struct world *world, uint32_t ticket)
{
    matching_ticket_remove(&world->matching, world->oracle.tickets[ticket].row);
    world->oracle.tickets[ticket] = (struct oracle_ticket){0};
}

/* Completed, declined, given back with a preference, or put aside. */
static void end_work(struct world *world)
{
    uint32_t ticket = pick_ticket(world, ORACLE_WITH_AGENT);
    if (ticket == ORACLE_NONE) {
        return;
    }
    struct oracle_ticket *t = &world->oracle.tickets[ticket];
    uint32_t agent = t->holder;
    bool declines = chance(world, world->shape->decline_percent);
    if (declines) {
        refuse(world, ticket, agent);
    }
    bool is_gone = give(world, agent);
    if (is_gone) {
        agent_is_gone(world, agent);
    }
    if (!declines && chance(world, 60)) {
        remove_ticket(world, ticket);
    } else if (chance(world, 10)) {
        tickets_set_stage(&world->matching.tickets, t->row, STAGE_PARKED);
        t->stage = ORACLE_ASIDE;
    } else {
        t->preferred = !declines && chance(world, 50) ? agent : ORACLE_NONE;
        requeue(world, ticket);
    }
    if (!is_gone) {
        settle_agent(world, agent);
    }
}

static void come_back(struct world *world)
{
    uint32_t ticket = pick_ticket(world, ORACLE_ASIDE);
    if (ticket != ORACLE_NONE) {
        requeue(world, ticket);
    }
}

static void cancel(struct world *world)
{
    enum oracle_stage stage = chance(world, 80) ? ORACLE_WAITING : ORACLE_ASIDE;
    uint32_t ticket = pick_ticket(world, stage);
    if (ticket != ORACLE_NONE) {
        remove_ticket(world, ticket);
    }
}

static void draw_abilities(struct world *world, struct oracle_agent *agent)
{
    const struct shape *shape = world->shape;
    for (uint32_t i = 0; i < shape->skill_count; i++) {
        bool has_it = chance(world, shape->skill_percent);
        agent->has[i] = has_it ? 1u + draw(world, shape->level_max + 1u) : 0;
    }
    agent->languages = draw(world, 1u << (shape->language_count + 1u)) & ~1u;
    agent->queues = chance(world, 30) ? 0 : draw(world, 1u << shape->queue_count);
    agent->is_person = chance(world, 70);
    agent->capacity = 1u + draw(world, shape->capacity_max);
}

/* A new agent, or new skills or another capacity of a known one. */
static void put_agent(struct world *world)
{
    uint32_t number = draw(world, world->shape->agent_count);
    struct oracle_agent *agent = &world->oracle.agents[number];
    int64_t idle_ms = draw(world, 500);
    int64_t idle_since_ms = world->oracle.now_ms - idle_ms;
    if (!agent->is_in || idle_since_ms > agent->idle_since_ms) {
        agent->idle_since_ms = idle_since_ms;
    }
    if (!agent->is_in || chance(world, 50)) {
        draw_abilities(world, agent);
    } else {
        agent->capacity = 1u + draw(world, world->shape->capacity_max);
    }
    agent->is_in = true;
    agent->is_leaving = false;
    agent->is_available = true;
    agent->site = number % ORACLE_SITES;
    agent->told = chance(world, 80) ? agent->capacity : draw(world, agent->capacity + 1u);

    static uint8_t buffer[PROFILE_BYTES_MAX];
    struct agent entry = {.id = number + 1u,
                          .index = number,
                          .name = bytes_of_text("agent"),
                          .is_person = agent->is_person,
                          .capacity = agent->capacity,
                          .free = agent->told,
                          .idle_ms = idle_ms,
                          .profile = oracle_blobs_profile(agent, buffer)};
    assert_int_equal(
        matching_agent_put(
            &world->matching, agent->site + 1u, &entry, world->oracle.now_ms, &agent->row),
        VT_OK);
    settle_agent(world, number);
}

static void remove_agent(struct world *world)
{
    uint32_t agent = pick_agent(world);
    if (agent == ORACLE_NONE) {
        return;
    }
    struct oracle_agent *a = &world->oracle.agents[agent];
    matching_agent_remove(&world->matching, a->row);
    a->is_leaving = true;
    if (a->used == 0) {
        agent_is_gone(world, agent);
    }
}

static void hint(struct world *world)
{
    uint32_t agent = pick_agent(world);
    if (agent == ORACLE_NONE) {
        return;
    }
    struct oracle_agent *a = &world->oracle.agents[agent];
    struct roster_hint told = {.free = draw(world, a->capacity + 1u),
                               .is_available = !chance(world, 20),
                               .idle_ms = (int64_t) draw(world, 100) - 10};
    roster_hint(&world->matching.roster, a->row, &told, world->oracle.now_ms);
    a->told = told.free;
    a->is_available = told.is_available;
    int64_t since_ms = world->oracle.now_ms - told.idle_ms;
    if (told.idle_ms >= 0 && since_ms > a->idle_since_ms) {
        a->idle_since_ms = since_ms;
    }
    settle_agent(world, agent);
}

static bool has_agents(const struct oracle *oracle, uint32_t site)
{
    for (uint32_t i = 0; i < ORACLE_AGENTS; i++) {
        if (oracle->agents[i].is_in && oracle->agents[i].site == site) {
            return true;
        }
    }
    return false;
}

static void move_site(struct world *world)
{
    uint32_t site = draw(world, ORACLE_SITES);
    if (chance(world, 40)) {
        roster_site_down(&world->matching.roster, site + 1u);
        world->oracle.site_is_up[site] = !has_agents(&world->oracle, site);
        return;
    }
    roster_site_up(&world->matching.roster, site + 1u);
    world->oracle.site_is_up[site] = true;
    for (uint32_t agent = site; agent < ORACLE_AGENTS; agent += ORACLE_SITES) {
        if (world->oracle.agents[agent].is_in) {
            settle_agent(world, agent);
        }
    }
}

/* Every refusal whose time is over comes out once, and makes its ticket matchable again. */
static void pass_time(struct world *world)
{
    world->oracle.now_ms += draw(world, 100);
    struct refusal due;
    while (refusals_pop_due(&world->matching.refusals, world->oracle.now_ms, &due)) {
        uint32_t ticket = ticket_number(world, due.ticket);
        uint32_t agent = agent_number(world, due.agent);
        assert_true(due.until_ms <= world->oracle.now_ms);
        assert_true(oracle_unrefuse(&world->oracle, ticket, agent));
        if (world->oracle.tickets[ticket].stage == ORACLE_WAITING) {
            settle_ticket(world, ticket);
        }
    }
    assert_int_equal(oracle_due_count(&world->oracle), 0);
}

/* Queues are renamed, go and come. */
static void change_plan(struct world *world)
{
    world->plan.queue_count = 0;
    for (uint32_t i = 0; i < ORACLE_QUEUES; i++) {
        uint32_t name = chance(world, 80) ? i : draw(world, ORACLE_QUEUES);
        world->oracle.queue_names[i] = chance(world, 90) ? name : ORACLE_NONE;
        if (world->oracle.queue_names[i] != ORACLE_NONE) {
            world->queues[world->plan.queue_count++] =
                (struct plan_queue){.id = i + 100u, .name = oracle_blobs_queue(name)};
        }
    }
    world->plan.queues = world->queues;
    matching_plan(&world->matching, &world->plan);
}

static void compare_figures(struct world *world)
{
    uint32_t queue = draw(world, world->shape->queue_count);
    struct matching_figures found = matching_queue_figures(&world->matching, queue + 100u);
    struct oracle_figures wanted = oracle_figures(&world->oracle, queue);
    assert_int_equal(found.waiting, wanted.waiting);
    assert_int_equal(found.unservable, wanted.unservable);
    assert_int_equal(found.oldest_queued_us, wanted.oldest_queued_us);
    assert_int_equal(found.agents_up, wanted.agents_up);
    assert_int_equal(found.agents_free, wanted.agents_free);
    uint32_t ticket = pick_ticket(world, ORACLE_WAITING);
    if (ticket != ORACLE_NONE) {
        uint32_t class =
            tickets_get(&world->matching.tickets, world->oracle.tickets[ticket].row)->class;
        assert_int_equal(matching_agents_able(&world->matching, class),
                         oracle_agents_able(&world->oracle, ticket));
    }
}

void matching_world_change(struct world *world)
{
    static const struct {
        void (*change)(struct world *world);
        uint32_t weight;
    } changes[] = {{arrive, 400},
                   {end_work, 330},
                   {pass_time, 90},
                   {come_back, 30},
                   {cancel, 30},
                   {put_agent, 40},
                   {remove_agent, 12},
                   {hint, 50},
                   {move_site, 8},
                   {change_plan, 1},
                   {compare_figures, 9}};
    uint32_t at = draw(world, 1000);
    for (uint32_t i = 0; i < ARRAY_LENGTH(changes); i++) {
        if (at < changes[i].weight) {
            changes[i].change(world);
            return;
        }
        at -= changes[i].weight;
    }
}

void matching_world_look(struct world *world)
{
    uint32_t ticket = pick_ticket(world, ORACLE_WAITING);
    if (ticket != ORACLE_NONE) {
        (void) compare_agent_for(world, ticket);
    }
    uint32_t agent = pick_agent(world);
    if (agent != ORACLE_NONE) {
        (void) compare_ticket_for(world, agent);
    }
}

void matching_world_open(struct world *world, const struct shape *shape)
{
    *world = (struct world){.shape = shape, .arena = unit_arena(ARENA_BYTES)};
    random_init(&world->random, unit_seed() + bytes_of_text(shape->name).size);
    matching_init(&world->matching,
                  &world->arena,
                  &(struct matching_options){.tickets_max = ORACLE_TICKETS,
                                             .classes_max = ORACLE_TICKETS,
                                             .profiles_max = ORACLE_AGENTS + 1u,
                                             .names_max = 64,
                                             .queues_max = ORACLE_QUEUES,
                                             .agents_max = ORACLE_AGENTS,
                                             .sites_max = ORACLE_SITES,
                                             .refusals_max = shape->refusals_max,
                                             .seed = random_u64(&world->random)});
    for (uint32_t i = 0; i < ORACLE_SITES; i++) {
        world->oracle.site_is_up[i] = true;
    }
    world->oracle.now_ms = 1000;
    change_plan(world);
}
