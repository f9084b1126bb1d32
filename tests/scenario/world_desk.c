#include <string.h>

#include "lib/check.h"
#include "tests/scenario/world_inside.h"

/* What agents do: they answer offers and end their work as the test planned. */

#define OFFER_MS 100
#define WORK_MS 1000

void world_plan_offer(
    struct world *world, uint32_t site, uint32_t agent, enum world_answer answer, int64_t after_ms)
{
    struct desk *desk = &world->nodes[site].desks[agent];
    CHECK(desk->offers_planned < PLANS_MAX);
    desk->offers[desk->offers_planned++] =
        (struct desk_plan){.what = (uint32_t) answer, .after_ms = after_ms};
}

void world_plan_work(
    struct world *world, uint32_t site, uint32_t agent, enum outcome_kind what, int64_t after_ms)
{
    struct desk *desk = &world->nodes[site].desks[agent];
    CHECK(desk->works_planned < PLANS_MAX);
    desk->works[desk->works_planned++] =
        (struct desk_plan){.what = (uint32_t) what, .after_ms = after_ms};
}

void world_desk_forget(struct world_node *node)
{
    for (uint32_t i = 0; i < WORLD_AGENTS_MAX; i++) {
        memset(node->desks[i].works_now, 0, sizeof node->desks[i].works_now);
    }
}

static void say(struct world_node *node, uint32_t agent, const char *what, struct ticket_id ticket)
{
    char buffer[256];
    struct text text;
    text_init(&text, buffer, sizeof buffer);
    text_add(&text, node->agents[agent].name);
    text_add(&text, " ");
    text_add(&text, what);
    text_add(&text, " ");
    world_add_ticket(&text, ticket);
    world_line(node->world, "desk", text.data);
}

static struct pending *act_later(struct world_node *node, uint32_t agent, int64_t after_ms)
{
    struct pending *pending = world_add_pending(node->world, PENDING_DESK, after_ms);
    pending->node = (uint32_t) (node - node->world->nodes);
    pending->incarnation = node->incarnation;
    pending->from = (struct address){.link = LINK_DESK, .peer = agent};
    return pending;
}

static struct desk_work *
find_work(struct world_node *node, uint32_t agent, struct ticket_id ticket, uint32_t attempt)
{
    struct desk *desk = &node->desks[agent];
    for (uint32_t i = 0; i < WORKS_MAX; i++) {
        struct desk_work *work = &desk->works_now[i];
        if (work->is_active && work->attempt == attempt && id_equal(work->ticket, ticket)) {
            return work;
        }
    }
    return NULL;
}

/* ------------------------------------------------------------------ asked by agentd */

static void take_offer(struct world_node *node, uint32_t agent, const struct offer *offer)
{
    struct desk *desk = &node->desks[agent];
    struct desk_plan plan = {.what = ANSWERS_YES, .after_ms = OFFER_MS};
    if (desk->offers_used < desk->offers_planned) {
        plan = desk->offers[desk->offers_used++];
    }
    say(node, agent, "is offered", offer->ticket);
    if (plan.what == ANSWERS_NOTHING) {
        return;
    }
    struct pending *pending = act_later(node, agent, plan.after_ms);
    pending->desk_kind = plan.what == ANSWERS_YES ? MESSAGE_DESK_ACCEPT : MESSAGE_DESK_DECLINE;
    pending->work = (struct desk_work){.ticket = offer->ticket, .attempt = offer->attempt};
    pending->offer = offer->offer;
}

/* An agent never has more than fits its slots, whatever happened before. */
static uint32_t free_place(const struct world_node *node, uint32_t agent)
{
    const struct desk *desk = &node->desks[agent];
    uint32_t capacity = node->agents[agent].capacity == 0 ? 1 : node->agents[agent].capacity;
    uint32_t active = 0;
    uint32_t free = WORKS_MAX;
    for (uint32_t i = 0; i < WORKS_MAX; i++) {
        active += desk->works_now[i].is_active ? 1 : 0;
        free = desk->works_now[i].is_active ? free : i;
    }
    CHECK(active < capacity);
    return free;
}

static void take_work(struct world_node *node, uint32_t agent, const struct confirm *confirm)
{
    struct desk *desk = &node->desks[agent];
    struct desk_plan plan = {.what = OUTCOME_COMPLETE, .after_ms = WORK_MS};
    if (find_work(node, agent, confirm->ticket, confirm->attempt) != NULL) {
        say(node, agent, "is given again", confirm->ticket);
        return;
    }
    if (desk->works_used < desk->works_planned) {
        plan = desk->works[desk->works_used++];
    }
    uint32_t at = free_place(node, agent);
    desk->works_now[at] = (struct desk_work){.ticket = confirm->ticket,
                                             .attempt = confirm->attempt,
                                             .msgs = confirm->msgs,
                                             .is_active = true};
    say(node, agent, "starts on", confirm->ticket);
    struct pending *pending = act_later(node, agent, plan.after_ms);
    pending->desk_kind = MESSAGE_DESK_RESULT;
    pending->work = desk->works_now[at];
    pending->outcome = (enum outcome_kind) plan.what;
}

static void take_drop(struct world_node *node, uint32_t agent, const struct release *release)
{
    struct desk_work *work = find_work(node, agent, release->ticket, release->attempt);
    say(node,
        agent,
        work == NULL ? "no longer needs to answer for" : "stops working on",
        release->ticket);
    if (work != NULL) {
        work->is_active = false;
    }
}

static void take_note(struct world_node *node, uint32_t agent, const struct note_in *note)
{
    struct desk_work *work = find_work(node, agent, note->ticket, note->attempt);
    say(node, agent, "reads a message on", note->ticket);
    if (work != NULL) {
        work->msgs = note->msgs;
    }
}

void world_desk_receive(struct world_node *node, uint32_t agent, const struct message *message)
{
    CHECK(agent < node->agent_count);
    for (uint32_t i = 0; i < message->count; i++) {
        if (message->header.kind == MESSAGE_DESK_OFFER) {
            take_offer(node, agent, &message->offer[i]);
        } else if (message->header.kind == MESSAGE_DESK_WORK) {
            take_work(node, agent, &message->confirm[i]);
        } else if (message->header.kind == MESSAGE_DESK_DROP) {
            take_drop(node, agent, &message->release[i]);
        } else if (message->header.kind == MESSAGE_DESK_NOTE) {
            take_note(node, agent, &message->note_in[i]);
        }
    }
}

/* ------------------------------------------------------------------ acting */

static void tell_agentd(struct world_node *node,
                        const struct pending *pending,
                        enum message_kind kind,
                        void *entry)
{
    struct message message = {.header = {.kind = kind}, .count = 1, .entries = entry};
    struct event event = {.kind = EVENT_MESSAGE};
    event.received.from = pending->from;
    event.received.message = &message;
    world_step(node, &event);
}

static void answer_offer(struct world_node *node, const struct pending *pending)
{
    uint32_t agent = (uint32_t) pending->from.peer;
    struct accept accept = {.offer = pending->offer,
                            .ticket = pending->work.ticket,
                            .attempt = pending->work.attempt,
                            .agent = agent};
    struct decline decline = {.offer = pending->offer,
                              .ticket = pending->work.ticket,
                              .attempt = pending->work.attempt,
                              .agent = agent,
                              .reason = DECLINE_REFUSED};
    if (pending->desk_kind == MESSAGE_DESK_ACCEPT) {
        say(node, agent, "accepts", pending->work.ticket);
        tell_agentd(node, pending, MESSAGE_DESK_ACCEPT, &accept);
    } else {
        say(node, agent, "declines", pending->work.ticket);
        tell_agentd(node, pending, MESSAGE_DESK_DECLINE, &decline);
    }
}

static void remember(struct world *world, const struct desk_work *work)
{
    CHECK(world->completion_count < COMPLETIONS_MAX);
    world->completions[world->completion_count++] =
        (struct completion){.ticket = work->ticket, .attempt = work->attempt};
}

static void end_work(struct world_node *node, const struct pending *pending)
{
    static const char *const words[] = {"completes", "parks", "hands off", "gives back"};
    uint32_t agent = (uint32_t) pending->from.peer;
    struct desk_work *work = find_work(node, agent, pending->work.ticket, pending->work.attempt);
    if (work == NULL) {
        return; /* dropped meanwhile */
    }
    bool is_complete = pending->outcome == OUTCOME_COMPLETE;
    struct outcome outcome = {.what = pending->outcome,
                              .ticket = work->ticket,
                              .attempt = work->attempt,
                              .agent = agent,
                              .seen = work->msgs,
                              .text = bytes_of_text(is_complete ? "solved" : ""),
                              .note = bytes_of_text(is_complete ? "" : "as planned")};
    work->is_active = false;
    if (is_complete) {
        remember(node->world, work);
    }
    say(node, agent, words[pending->outcome], outcome.ticket);
    tell_agentd(node, pending, MESSAGE_DESK_RESULT, &outcome);
}

void world_desk_act(struct world_node *node, const struct pending *pending)
{
    if (pending->desk_kind == MESSAGE_DESK_RESULT) {
        end_work(node, pending);
    } else {
        answer_offer(node, pending);
    }
}
