#include "tests/scenario/story.h"

#include "tests/unit/unit.h"

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
