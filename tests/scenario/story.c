#include "tests/scenario/story.h"

#include "tests/unit/unit.h"

const struct world_agent story_ana = {
    .name = "ana", .profile = "queue=aceras pavimento=7 language=es", .is_person = true};
const struct world_agent story_ben = {
    .name = "ben", .profile = "queue=aceras pavimento=5 language=gl", .is_person = true};
const struct world_agent story_bot = {.name = "bot", .profile = "queue=aceras", .capacity = 2};

uint32_t story_add_site(struct world *world, const char *name, const struct world_agent *agent)
{
    uint32_t site = world_add_site(world, name, agent, 1);
    world_run(world, 400);
    return site;
}

void story_submit(struct world *world, const char *key)
{
    world_submit(world, &(struct world_ticket){.key = key, .queue = "aceras", .text = "a hole"});
}

const struct ticket_row *story_row(struct world *world, const char *key)
{
    const struct store_memory_ticket *ticket = world_find(world, key);
    assert_non_null(ticket);
    return &ticket->row;
}

void story_expect_done(struct world *world, const char *key, const char *agent, uint32_t attempt)
{
    const struct ticket_row *row = story_row(world, key);
    assert_int_equal(row->state, TICKET_DONE);
    assert_int_equal(row->attempt, attempt);
    assert_true(bytes_equal_text(store_memory_agent_name(world_store(world), row->agent), agent));
    assert_int_equal(world_find(world, key)->answer_count, 1);
}
