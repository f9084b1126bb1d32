#include "agentd/desk.h"

#include "agentd/inside.h"
#include "agentd/moves.h"
#include "lib/bits.h"
#include "lib/check.h"

static struct map_key key_of_row(const void *context, uint32_t row)
{
    const struct desk *desk = context;
    return (struct map_key){.a = desk->ids[row]};
}

void desk_init(struct desk *desk, struct arena *arena, uint32_t agent_count, uint64_t seed)
{
    *desk = (struct desk){
        .ids = ARENA_ARRAY(arena, uint32_t, agent_count),
        .lost = ARENA_ARRAY(arena, uint64_t, BITS_WORDS(agent_count)),
        .agent_count = agent_count,
    };
    map_init(&desk->by_id,
             arena,
             &(struct map_options){.capacity = agent_count == 0 ? 1 : agent_count,
                                   .seed = seed,
                                   .key_of = key_of_row,
                                   .context = desk});
}

static void forget_id(struct desk *desk, uint32_t agent)
{
    if (desk->ids[agent] != 0) {
        bool was_there = map_remove(&desk->by_id, (struct map_key){.a = desk->ids[agent]});
        CHECK(was_there);
        desk->ids[agent] = 0;
    }
}

void desk_set_id(struct desk *desk, uint32_t agent, uint32_t id)
{
    CHECK(agent < desk->agent_count);
    uint32_t other = desk_find(desk, id);
    if (other != WORK_AGENT_NONE) {
        forget_id(desk, other);
    }
    forget_id(desk, agent);
    if (id == 0) {
        return;
    }
    desk->ids[agent] = id;
    vt_err err = map_put(&desk->by_id, (struct map_key){.a = id}, agent);
    CHECK(err == VT_OK);
}

uint32_t desk_find(const struct desk *desk, uint32_t id)
{
    uint32_t agent = WORK_AGENT_NONE;
    if (id != 0) {
        (void) map_find(&desk->by_id, (struct map_key){.a = id}, &agent);
    }
    return agent;
}

uint32_t desk_id(const struct desk *desk, uint32_t agent)
{
    CHECK(agent < desk->agent_count);
    return desk->ids[agent];
}

bool desk_is_lost(const struct desk *desk, uint32_t agent)
{
    CHECK(agent < desk->agent_count);
    return bits_test(desk->lost, agent);
}

static void *add(struct agentd *a, enum message_kind kind, uint32_t agent)
{
    struct header header = {.kind = kind};
    return message_add(a->out, (struct address){.link = LINK_DESK, .peer = agent}, &header);
}

void desk_send_offer(struct agentd *a, const struct offer *offer, uint32_t agent)
{
    struct offer *shown = add(a, MESSAGE_DESK_OFFER, agent);
    *shown = *offer;
    shown->agent = agent;
    /* The event's texts are lent for this step only, but what a send points at lives longer. */
    shown->queue_name = bytes_copy(&a->out->scratch, offer->queue_name);
    shown->language = bytes_copy(&a->out->scratch, offer->language);
}

void desk_send_work(struct agentd *a, uint32_t row)
{
    const struct work_row *ticket = work_get(&a->work, row);
    struct confirm *shown = add(a, MESSAGE_DESK_WORK, ticket->agent);
    *shown = ticket->confirm;
    shown->agent = ticket->agent;
}

void desk_send_drop(struct agentd *a, uint32_t row, enum release_why why)
{
    const struct work_row *ticket = work_get(&a->work, row);
    struct release *release = add(a, MESSAGE_DESK_DROP, ticket->agent);
    *release = (struct release){.ticket = ticket->ticket,
                                .attempt = ticket->attempt,
                                .agent = ticket->agent,
                                .offer = ticket->offer,
                                .why = why};
}

void desk_send_note(struct agentd *a, uint32_t row, const struct note_in *note)
{
    const struct work_row *ticket = work_get(&a->work, row);
    struct note_in *shown = add(a, MESSAGE_DESK_NOTE, ticket->agent);
    *shown = *note;
    shown->agent = ticket->agent;
    shown->text = bytes_copy(&a->out->scratch, note->text);
}

/* The row of this ticket and attempt if it is this agent's and in `state`, else WORK_NONE. */
static uint32_t find_row(const struct agentd *a, const struct work_row *like, enum work_state state)
{
    uint32_t row = work_find(&a->work, like->ticket);
    if (row == WORK_NONE) {
        return WORK_NONE;
    }
    const struct work_row *ticket = work_get(&a->work, row);
    bool fits =
        ticket->state == state && ticket->attempt == like->attempt && ticket->agent == like->agent;
    return fits ? row : WORK_NONE;
}

static void trace_ignored(struct agentd *a, enum message_kind kind, const struct work_row *like)
{
    trace_event(a->trace, TRACE_WARN, "desk.ignored");
    trace_text(a->trace, "kind", message_kind_text(kind));
    trace_id(a->trace, "ticket", like->ticket);
    trace_u64(a->trace, "attempt", like->attempt);
    trace_u64(a->trace, "agent_index", like->agent);
    trace_end(a->trace);
}

static void receive_accept(struct agentd *a, uint32_t agent, const struct accept *accept)
{
    struct work_row like = {.ticket = accept->ticket, .attempt = accept->attempt, .agent = agent};
    uint32_t row = find_row(a, &like, WORK_ASKED);
    if (row == WORK_NONE) {
        trace_ignored(a, MESSAGE_DESK_ACCEPT, &like);
        return;
    }
    moves_accept(a, row);
}

static void receive_decline(struct agentd *a, uint32_t agent, const struct decline *decline)
{
    struct work_row like = {.ticket = decline->ticket, .attempt = decline->attempt, .agent = agent};
    uint32_t row = find_row(a, &like, WORK_ASKED);
    if (row == WORK_NONE) {
        trace_ignored(a, MESSAGE_DESK_DECLINE, &like);
        return;
    }
    moves_decline(a, row, decline->reason);
    moves_forget(a, row);
}

static void receive_result(struct agentd *a, uint32_t agent, const struct outcome *outcome)
{
    struct work_row like = {.ticket = outcome->ticket, .attempt = outcome->attempt, .agent = agent};
    uint32_t row = find_row(a, &like, WORK_WORKING);
    if (row == WORK_NONE) {
        trace_ignored(a, MESSAGE_DESK_RESULT, &like);
        return;
    }
    if (outcome->text.size > BODY_BYTES_MAX) {
        moves_give_back(a, row, "the answer is larger than 64 KiB");
        return;
    }
    const struct work_row *ticket = work_get(&a->work, row);
    bool knows_less = outcome->seen != 0 && outcome->seen < ticket->seen;
    struct outcome final = *outcome;
    final.agent = ticket->agent_id;
    final.agent_is_person = a->options.agents[agent].is_person;
    final.seen = knows_less ? outcome->seen : ticket->seen;
    moves_finish(a, row, &final);
}

/* Work that waited for this desk asks for its payload now. */
static void desk_back(struct agentd *a, uint32_t agent)
{
    bits_clear(a->desk.lost, agent);
    for (uint32_t row = work_next(&a->work, 0); row != WORK_NONE;
         row = work_next(&a->work, row + 1)) {
        const struct work_row *ticket = work_get(&a->work, row);
        if (ticket->state == WORK_AWAITING && ticket->agent == agent) {
            moves_await(a, row);
        }
    }
}

static void receive_avail(struct agentd *a, uint32_t agent, const struct avail *avail)
{
    if (!avail->is_available) {
        slots_set_unavailable(&a->slots, agent);
        return;
    }
    if (desk_is_lost(&a->desk, agent)) {
        desk_back(a, agent);
    }
    slots_set_available(&a->slots, agent);
}

static void receive_entry(struct agentd *a, uint32_t agent, const struct message *m, uint32_t i)
{
    enum message_kind kind = m->header.kind;
    if (kind == MESSAGE_DESK_ACCEPT) {
        receive_accept(a, agent, &m->accept[i]);
    } else if (kind == MESSAGE_DESK_DECLINE) {
        receive_decline(a, agent, &m->decline[i]);
    } else if (kind == MESSAGE_DESK_RESULT) {
        receive_result(a, agent, &m->outcome[i]);
    } else if (kind == MESSAGE_AVAIL) {
        receive_avail(a, agent, &m->avail[i]);
    }
}

void desk_receive(struct agentd *a, uint64_t peer, const struct message *message)
{
    if (peer >= a->desk.agent_count) {
        return;
    }
    for (uint32_t i = 0; i < message->count; i++) {
        receive_entry(a, (uint32_t) peer, message, i);
    }
}

static void lose(struct agentd *a, uint32_t row)
{
    enum work_state state = work_get(&a->work, row)->state;
    if (state == WORK_ASKED) {
        moves_decline(a, row, DECLINE_UNAVAILABLE);
        moves_forget(a, row);
    } else if (state == WORK_WORKING) {
        moves_await(a, row);
    }
}

void desk_lost(struct agentd *a, uint64_t peer)
{
    if (peer >= a->desk.agent_count) {
        return;
    }
    uint32_t agent = (uint32_t) peer;
    trace_event(a->trace, TRACE_WARN, "desk.lost");
    trace_bytes(a->trace, "agent", a->options.agents[agent].name);
    trace_end(a->trace);
    bits_set(a->desk.lost, agent);
    slots_set_unavailable(&a->slots, agent);
    for (uint32_t row = work_next(&a->work, 0); row != WORK_NONE;
         row = work_next(&a->work, row + 1)) {
        if (work_get(&a->work, row)->agent == agent) {
            lose(a, row);
        }
    }
}
