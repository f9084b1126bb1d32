#include "tests/unit/unit.h"

#include "tests/scenario/world.h"

/* Tickets' ordinary lives. Each test's story stands in golden/<test>.txt. */

static const struct world_agent ana = {.name = "ana", .profile = "queue=aceras pavimento=7",
                                       .is_person = true};
static const struct world_agent ben = {.name = "ben", .profile = "queue=aceras pavimento=7",
                                       .is_person = true};

static struct world *world;

static uint32_t open_with(const struct world_agent *agents, uint32_t count)
{
    world = world_open();
    (void) world_add_broker(world, "broker");
    (void) world_add_router(world, "router");
    world_run(world, 100);
    uint32_t site = world_add_site(world, "north", agents, count);
    world_run(world, 400);
    return site;
}

static int close_world(void **state)
{
    (void) state;
    world_close(world);
    world = NULL;
    return 0;
}

static enum ticket_state state_of(const char *key)
{
    const struct store_memory_ticket *ticket = world_find(world, key);
    return ticket == NULL ? TICKET_NONE : ticket->row.state;
}

static void a_ticket_is_taken_in_worked_and_completed(void **state)
{
    (void) state;
    (void) open_with(&ana, 1);

    world_submit(world, &(struct world_ticket){.key = "ticket-1", .queue = "aceras",
                                               .skill = "pavimento", .level = 3, .text = "hole"});
    world_run(world, 3000);

    assert_int_equal(state_of("ticket-1"), TICKET_DONE);
    world_expect(world, "happy_path");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, close_world)
    const struct CMUnitTest tests[] = {
        TEST(a_ticket_is_taken_in_worked_and_completed),
    };
    (void) ben;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
