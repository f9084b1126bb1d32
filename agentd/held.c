#include "agentd/held.h"

#include "agentd/inside.h"

uint32_t held_message_count(const struct agentd *a)
{
    return work_held_count(&a->work) / MESSAGE_ENTRIES_MAX + 1;
}

/* A new message of the list; its sender fills it, so it has room for a whole one. */
static struct message *begin_message(struct agentd *a, struct address to, uint32_t part)
{
    struct header header = {.kind = MESSAGE_HELD, .session = a->uplink.session};
    if (part != HELD_EVERY_PART) {
        header.part = part;
        header.epoch = parts_epoch(&a->parts, part);
        header.seq = parts_seq(&a->parts, part);
    }
    struct message *message = message_send(a->out, to, &header);
    message->held = ARENA_ARRAY(&a->out->scratch, struct held, MESSAGE_ENTRIES_MAX);
    return message;
}

void held_send_list(struct agentd *a, struct address to, uint32_t part)
{
    if (part == HELD_EVERY_PART && work_held_count(&a->work) == 0) {
        return;
    }
    struct message *message = begin_message(a, to, part);
    message->header.flags = HEADER_FIRST;
    for (uint32_t row = work_next(&a->work, 0); row != WORK_NONE;
         row = work_next(&a->work, row + 1)) {
        struct held held;
        if (!work_is_held(work_get(&a->work, row), &held) ||
            (part != HELD_EVERY_PART && held.part != part)) {
            continue;
        }
        if (message->count == MESSAGE_ENTRIES_MAX) {
            message = begin_message(a, to, part);
        }
        message->held[message->count++] = held;
    }
    message->header.flags |= HEADER_LAST;
}

static void send_asked(struct agentd *a)
{
    uint32_t part = 0;
    while (effects_room(a->out) > INSIDE_ROOM_MIN + held_message_count(a) &&
           parts_pop_asked(&a->parts, &part)) {
        held_send_list(a, uplink_address(&a->uplink), part);
    }
}

static void send_avail(struct agentd *a)
{
    struct header header = {.kind = MESSAGE_AVAIL, .part = PART_ALL, .session = a->uplink.session};
    uint32_t agent = 0;
    if (a->now_ms >= a->next_avail_ms) {
        slots_mark_all(&a->slots);
        a->next_avail_ms = a->now_ms + a->options.avail_ms;
    }
    while (effects_room(a->out) > INSIDE_ROOM_MIN && slots_pop_changed(&a->slots, &agent)) {
        if (desk_id(&a->desk, agent) == 0) {
            continue;
        }
        const struct slots_agent *row = &a->slots.agents[agent];
        bool is_available = row->is_available && a->stage == STAGE_READY;
        struct avail *avail = message_add(a->out, uplink_address(&a->uplink), &header);
        *avail = (struct avail){
            .agent = desk_id(&a->desk, agent),
            .free = is_available ? slots_free_count(&a->slots, agent) : 0,
            .is_available = is_available,
            .idle_ms = a->now_ms - row->idle_since_ms,
        };
    }
}

static struct beat *add_beat(struct agentd *a, uint32_t part)
{
    struct header header = {.kind = MESSAGE_BEAT, .part = part, .session = a->uplink.session};
    if (part != PART_ALL) {
        header.epoch = parts_epoch(&a->parts, part);
        header.seq = parts_seq(&a->parts, part);
    }
    return message_add(a->out, uplink_address(&a->uplink), &header);
}

static void sum_parts(struct agentd *a)
{
    for (uint32_t row = work_next(&a->work, 0); row != WORK_NONE;
         row = work_next(&a->work, row + 1)) {
        struct held held;
        if (work_is_held(work_get(&a->work, row), &held)) {
            a->parts.rows[held.part].held_count++;
            a->parts.rows[held.part].digest += held_digest(&held);
        }
    }
}

/* One BEAT for each part of which something is held, from beat_part on. */
static void send_beats(struct agentd *a)
{
    sum_parts(a);
    a->is_beating = false;
    for (uint32_t i = 0; i < PARTS_MAX; i++) {
        struct part *part = &a->parts.rows[i];
        bool is_due = part->held_count > 0 && i >= a->beat_part && !a->is_beating;
        if (is_due && effects_room(a->out) <= INSIDE_ROOM_MIN) {
            a->is_beating = true;
            a->beat_part = i;
        } else if (is_due) {
            struct beat *beat = add_beat(a, i);
            *beat = (struct beat){.held_count = part->held_count, .digest = part->digest};
        }
        part->held_count = 0;
        part->digest = 0;
    }
    if (!a->is_beating) {
        a->beat_part = 0;
    }
}

void held_send_due(struct agentd *a)
{
    if (!uplink_is_up(&a->uplink)) {
        return;
    }
    send_asked(a);
    send_avail(a);
    if (a->now_ms >= a->next_life_ms && effects_room(a->out) > INSIDE_ROOM_MIN) {
        (void) add_beat(a, PART_ALL);
        a->next_life_ms = a->now_ms + a->options.idle_beat_ms;
    }
    if (a->is_beating || a->now_ms >= a->next_beat_ms) {
        a->next_beat_ms = a->now_ms + a->options.busy_beat_ms;
        if (work_held_count(&a->work) > 0) {
            send_beats(a);
        }
    }
}

int64_t held_deadline_ms(const struct agentd *a)
{
    if (!uplink_is_up(&a->uplink)) {
        return NO_DEADLINE;
    }
    if (a->is_beating || slots_has_changed(&a->slots) || parts_has_asked(&a->parts)) {
        return a->now_ms;
    }
    int64_t next_ms = a->next_avail_ms < a->next_life_ms ? a->next_avail_ms : a->next_life_ms;
    bool is_holding = work_held_count(&a->work) > 0;
    return is_holding && a->next_beat_ms < next_ms ? a->next_beat_ms : next_ms;
}
