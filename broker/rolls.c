#include "broker/rolls.h"

#include "lib/check.h"

#define NAME_BYTES 64u
#define PROFILE_BYTES 1024u /* expected on average; many agents share one */

void rolls_init(struct rolls *rolls, struct arena *arena, const struct rolls_options *options)
{
    uint64_t names = (uint64_t) options->agents_max + options->names_max;
    uint64_t bytes = names * NAME_BYTES + (uint64_t) options->agents_max * PROFILE_BYTES;
    rolls->agents = ARENA_ARRAY(arena, struct rolls_agent, options->agents_max);
    rolls->agent_links = ARENA_ARRAY(arena, struct list_link, options->agents_max);
    slab_init(&rolls->agent_slab, arena, options->agents_max);
    rolls->held = ARENA_ARRAY(arena, struct held, options->held_max);
    rolls->held_links = ARENA_ARRAY(arena, struct list_link, options->held_max);
    slab_init(&rolls->held_slab, arena, options->held_max);
    shared_init(&rolls->strings,
                arena,
                &(struct intern_options){.entry_count_max = (uint32_t) names + options->agents_max,
                                         .byte_count_max = bytes,
                                         .seed = options->seed});
}

static vt_err take_strings(struct rolls *rolls, struct rolls_agent *row, const struct agent *agent)
{
    uint32_t name = 0;
    vt_err err = shared_take(&rolls->strings, agent->name, &name);
    if (err != VT_OK) {
        return err;
    }
    err = shared_take(&rolls->strings, agent->profile, &row->profile);
    if (err != VT_OK) {
        shared_give(&rolls->strings, name);
        return err;
    }
    row->name = name;
    return VT_OK;
}

vt_err rolls_add_agent(struct rolls *rolls, struct roll *roll, const struct agent *agent)
{
    struct rolls_agent row = {.capacity = agent->capacity,
                              .free = agent->free,
                              .is_person = agent->is_person,
                              .idle_ms = agent->idle_ms};
    vt_err err = take_strings(rolls, &row, agent);
    if (err != VT_OK) {
        return err;
    }
    uint32_t place = 0;
    err = slab_take(&rolls->agent_slab, &place);
    if (err != VT_OK) {
        shared_give(&rolls->strings, row.name);
        shared_give(&rolls->strings, row.profile);
        return err;
    }
    rolls->agents[place] = row;
    list_push_back(&roll->agents, rolls->agent_links, place);
    return VT_OK;
}

vt_err rolls_add_held(struct rolls *rolls, struct roll *roll, const struct held *held)
{
    uint32_t place = 0;
    vt_err err = slab_take(&rolls->held_slab, &place);
    if (err != VT_OK) {
        return err;
    }
    rolls->held[place] = *held;
    list_push_back(&roll->held, rolls->held_links, place);
    return VT_OK;
}

void rolls_clear_agents(struct rolls *rolls, struct roll *roll)
{
    while (roll->agents.count > 0) {
        uint32_t row = list_pop_front(&roll->agents, rolls->agent_links);
        shared_give(&rolls->strings, rolls->agents[row].name);
        shared_give(&rolls->strings, rolls->agents[row].profile);
        slab_give(&rolls->agent_slab, row);
    }
}

void rolls_clear_held(struct rolls *rolls, struct roll *roll)
{
    while (roll->held.count > 0) {
        slab_give(&rolls->held_slab, list_pop_front(&roll->held, rolls->held_links));
    }
}

void rolls_set_ids(struct rolls *rolls, const struct roll *roll, const uint32_t *ids)
{
    uint32_t index = 0;
    for (uint32_t row = list_first(&roll->agents); row != LIST_NONE;
         row = list_next(rolls->agent_links, row)) {
        rolls->agents[row].id = ids[index++];
    }
    CHECK(index == roll->agents.count);
}

/* A message with room for the whole list: the codec cuts it into frames. */
static struct message *
whole_list(const struct turn *turn, struct address to, const struct header *like, uint32_t count)
{
    struct message *message = message_send(turn->out, to, like);
    uint64_t bytes = arena_array_bytes(count, message_entry_size(like->kind));
    message->entries = arena_take_zeroed(&turn->out->scratch, bytes, ARENA_ALIGN_MAX);
    message->count = count;
    return message;
}

static void send_agents(const struct rolls *rolls,
                        const struct roll *roll,
                        const struct turn *turn,
                        struct address to,
                        const struct header *like)
{
    struct message *message = whole_list(turn, to, like, roll->agents.count);
    uint32_t index = 0;
    for (uint32_t row = list_first(&roll->agents); row != LIST_NONE;
         row = list_next(rolls->agent_links, row)) {
        const struct rolls_agent *agent = &rolls->agents[row];
        message->agent[index] =
            (struct agent){.index = index,
                           .id = agent->id,
                           .name = shared_get(&rolls->strings, agent->name),
                           .is_person = agent->is_person,
                           .capacity = agent->capacity,
                           .free = agent->free,
                           .idle_ms = agent->idle_ms,
                           .profile = shared_get(&rolls->strings, agent->profile)};
        index++;
    }
}

static void send_held(const struct rolls *rolls,
                      const struct roll *roll,
                      const struct turn *turn,
                      struct address to,
                      const struct header *like)
{
    struct message *message = whole_list(turn, to, like, roll->held.count);
    uint32_t index = 0;
    for (uint32_t row = list_first(&roll->held); row != LIST_NONE;
         row = list_next(rolls->held_links, row)) {
        message->held[index++] = rolls->held[row];
    }
}

void rolls_send(const struct rolls *rolls,
                const struct roll *roll,
                const struct turn *turn,
                struct address to,
                const struct header *like)
{
    struct header header = *like;
    header.flags = HEADER_FIRST | HEADER_LAST;
    if (roll->agents.count > 0) {
        header.kind = MESSAGE_AGENT;
        send_agents(rolls, roll, turn, to, &header);
    }
    if (roll->held.count > 0) {
        header.kind = MESSAGE_HELD;
        send_held(rolls, roll, turn, to, &header);
    }
}

void rolls_welcome(const struct rolls *rolls,
                   const struct roll *roll,
                   const struct turn *turn,
                   struct address to,
                   const struct header *like)
{
    struct message *message = whole_list(turn, to, like, roll->agents.count);
    uint32_t index = 0;
    for (uint32_t row = list_first(&roll->agents); row != LIST_NONE;
         row = list_next(rolls->agent_links, row)) {
        message->welcome[index] =
            (struct welcome){.index = index, .agent = rolls->agents[row].id, .error = VT_OK};
        index++;
    }
}

struct store_agent_name *
rolls_names(const struct rolls *rolls, const struct roll *roll, struct arena *arena)
{
    struct store_agent_name *names =
        ARENA_ARRAY(arena, struct store_agent_name, roll->agents.count);
    uint32_t index = 0;
    for (uint32_t row = list_first(&roll->agents); row != LIST_NONE;
         row = list_next(rolls->agent_links, row)) {
        const struct rolls_agent *agent = &rolls->agents[row];
        names[index++] = (struct store_agent_name){
            .name = bytes_copy(arena, shared_get(&rolls->strings, agent->name)),
            .is_person = agent->is_person};
    }
    return names;
}
