#include "agentd/slots.h"

#include "lib/bits.h"
#include "lib/check.h"

void slots_init(struct slots *slots, struct arena *arena, uint32_t agent_count, uint32_t used_max)
{
    *slots = (struct slots){
        .agents = ARENA_ARRAY(arena, struct slots_agent, agent_count),
        .changed = ARENA_ARRAY(arena, uint64_t, BITS_WORDS(agent_count)),
        .agent_count = agent_count,
        .used_max = used_max,
    };
}

static struct slots_agent *agent_at(const struct slots *slots, uint32_t agent)
{
    CHECK(agent < slots->agent_count);
    return &slots->agents[agent];
}

static void load_changed(struct slots *slots, uint32_t agent, int64_t now_ms)
{
    slots->agents[agent].idle_since_ms = now_ms;
    bits_set(slots->changed, agent);
}

void slots_set_agent(struct slots *slots, uint32_t agent, uint32_t capacity, int64_t now_ms)
{
    *agent_at(slots, agent) =
        (struct slots_agent){.capacity = capacity, .is_available = true, .idle_since_ms = now_ms};
}

vt_err slots_reserve(struct slots *slots, uint32_t agent, int64_t now_ms)
{
    struct slots_agent *row = agent_at(slots, agent);
    if (!row->is_available) {
        return VT_UNAVAILABLE;
    }
    if (slots_free_count(slots, agent) == 0) {
        return VT_FULL;
    }
    row->reserved++;
    slots->used++;
    load_changed(slots, agent, now_ms);
    CHECK(row->reserved + row->working <= row->capacity);
    return VT_OK;
}

void slots_start(struct slots *slots, uint32_t agent, int64_t now_ms)
{
    struct slots_agent *row = agent_at(slots, agent);
    CHECK(row->reserved > 0);
    row->reserved--;
    row->working++;
    row->idle_since_ms = now_ms;
}

void slots_restore(struct slots *slots, uint32_t agent, int64_t now_ms)
{
    agent_at(slots, agent)->working++;
    slots->used++;
    load_changed(slots, agent, now_ms);
}

void slots_free(struct slots *slots, uint32_t agent, enum slot_use use, int64_t now_ms)
{
    struct slots_agent *row = agent_at(slots, agent);
    uint32_t *count = use == SLOT_RESERVED ? &row->reserved : &row->working;
    CHECK(*count > 0);
    CHECK(slots->used > 0);
    (*count)--;
    slots->used--;
    load_changed(slots, agent, now_ms);
}

uint32_t slots_free_count(const struct slots *slots, uint32_t agent)
{
    const struct slots_agent *row = agent_at(slots, agent);
    uint32_t used = row->reserved + row->working;
    if (!row->is_available || used >= row->capacity || slots->used >= slots->used_max) {
        return 0;
    }
    uint32_t free_of_agent = row->capacity - used;
    uint32_t free_of_site = slots->used_max - slots->used;
    return free_of_agent < free_of_site ? free_of_agent : free_of_site;
}

void slots_set_available(struct slots *slots, uint32_t agent)
{
    struct slots_agent *row = agent_at(slots, agent);
    if (!row->is_available) {
        row->is_available = true;
        bits_set(slots->changed, agent);
    }
}

void slots_set_unavailable(struct slots *slots, uint32_t agent)
{
    struct slots_agent *row = agent_at(slots, agent);
    if (row->is_available) {
        row->is_available = false;
        bits_set(slots->changed, agent);
    }
}

void slots_mark_all(struct slots *slots)
{
    for (uint32_t i = 0; i < slots->agent_count; i++) {
        bits_set(slots->changed, i);
    }
}

bool slots_has_changed(const struct slots *slots)
{
    return !bits_is_empty(slots->changed, BITS_WORDS(slots->agent_count));
}

bool slots_pop_changed(struct slots *slots, uint32_t *agent)
{
    uint32_t found = bits_next(slots->changed, BITS_WORDS(slots->agent_count), 0);
    if (found == BITS_NONE) {
        return false;
    }
    bits_clear(slots->changed, found);
    *agent = found;
    return true;
}
