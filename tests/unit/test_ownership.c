#include "router/ownership.h"

#include "proto/plan.h"
#include "tests/unit/unit.h"

#define ME UINT64_C(77)
#define OTHER UINT64_C(78)
#define EPOCH 41U

struct world {
    struct arena arena;
    struct ownership ownership;
    struct plan_pool pools[100];
    struct plan plan;
    int64_t now_ms;
};

static void open_world(struct world *world, uint32_t part_count)
{
    *world = (struct world){.now_ms = 1000000};
    world->arena = unit_arena(1U << 20);
    struct ownership_options options = {.seed = 1,
                                        .incarnation = ME,
                                        .parts_max = 128,
                                        .routers_max = 4,
                                        .loads_max = 64,
                                        .moves_max = 8,
                                        .move_delay_ms = 10000,
                                        .leave_wait_ms = 2000};
    ownership_init(&world->ownership, &world->arena, &options);
    for (uint32_t i = 0; i < part_count; i++) {
        world->pools[i].part = i;
    }
    world->plan = (struct plan){.pools = world->pools, .pool_count = part_count};
    ownership_plan(&world->ownership, &world->plan);
    ownership_lease(&world->ownership, NO_DEADLINE);
}

/* Two routers are there, me as node 1 in this state, the other as node 2; parts 0.. have keys. */
static void members(struct world *world,
                    enum node_state my_state,
                    enum node_state other_state,
                    const struct ownership_key *keys,
                    uint32_t key_count)
{
    const struct node nodes[] = {{.kind = NODE_ROUTER,
                                  .state = my_state,
                                  .number = 1,
                                  .weight = 1,
                                  .incarnation = ME,
                                  .name = bytes_of_text("r1")},
                                 {.kind = NODE_ROUTER,
                                  .state = other_state,
                                  .number = 2,
                                  .weight = 1,
                                  .incarnation = OTHER,
                                  .name = bytes_of_text("r2")}};
    struct membership membership = {
        .nodes = nodes, .node_count = 2, .owners = keys, .owner_count = key_count};
    ownership_members(&world->ownership, &membership, world->now_ms);
}

static bool next(struct world *world, struct ownership_action *action)
{
    return ownership_next(&world->ownership, world->now_ms, action);
}

static void expect(struct world *world, enum ownership_do what, uint32_t part)
{
    struct ownership_action action;
    assert_true(next(world, &action));
    assert_int_equal(action.what, what);
    assert_int_equal(action.part, part);
}

static void expect_nothing(struct world *world)
{
    struct ownership_action action;
    assert_false(next(world, &action));
}

static void claimed(struct world *world, uint32_t part, vt_err error, uint64_t epoch)
{
    struct event event = {.kind = EVENT_CLAIMED, .now_ms = world->now_ms};
    event.claimed.part = part;
    event.claimed.error = error;
    event.claimed.epoch = epoch;
    ownership_claimed(&world->ownership, &event);
}

static void take_part_0(struct world *world)
{
    members(world, NODE_ACTIVE, NODE_DRAINING, NULL, 0);
    expect(world, OWNERSHIP_DO_CLAIM, 0);
    claimed(world, 0, VT_OK, EPOCH);
    expect(world, OWNERSHIP_DO_STORE_CLAIM, 0);
    ownership_store_claimed(&world->ownership, 0, STORE_DONE, world->now_ms);
    expect(world, OWNERSHIP_DO_LOAD, 0);
    ownership_loaded(&world->ownership, 0);
    expect_nothing(world);
    assert_int_equal(ownership_state(&world->ownership, 0), OWNERSHIP_ACTIVE);
}

static void an_absent_partition_is_claimed_told_to_the_store_and_loaded(void **state)
{
    struct world world;
    (void) state;
    open_world(&world, 1);

    take_part_0(&world);

    assert_int_equal(ownership_epoch(&world.ownership, 0), EPOCH);
    assert_true(ownership_is_settled(&world.ownership));
    unit_arena_close(&world.arena);
}

static void two_active_routers_share_the_partitions_and_none_is_left_out(void **state)
{
    struct world world;
    struct ownership_action action;
    uint32_t mine = 0;
    (void) state;
    open_world(&world, 100);
    members(&world, NODE_ACTIVE, NODE_ACTIVE, NULL, 0);

    while (next(&world, &action)) {
        assert_int_equal(action.what, OWNERSHIP_DO_CLAIM);
        mine++;
    }

    assert_in_range(mine, 30, 64);
    unit_arena_close(&world.arena);
}

static void at_most_64_partitions_are_taken_over_at_once(void **state)
{
    struct world world;
    struct ownership_action action;
    uint32_t count = 0;
    (void) state;
    open_world(&world, 100);
    members(&world, NODE_ACTIVE, NODE_DRAINING, NULL, 0);

    while (next(&world, &action)) {
        count++;
    }

    assert_int_equal(count, 64);
    unit_arena_close(&world.arena);
}

static void a_joining_router_claims_nothing(void **state)
{
    struct world world;
    (void) state;
    open_world(&world, 1);

    members(&world, NODE_JOINING, NODE_DRAINING, NULL, 0);

    expect_nothing(&world);
    unit_arena_close(&world.arena);
}

static void a_partition_that_another_holds_is_left_to_it(void **state)
{
    struct world world;
    struct ownership_key key = {.part = 0, .node = 2, .epoch = 9};
    (void) state;
    open_world(&world, 1);

    members(&world, NODE_ACTIVE, NODE_DRAINING, &key, 1);

    expect_nothing(&world);
    assert_int_equal(ownership_known_epoch(&world.ownership, 0), 9);
    unit_arena_close(&world.arena);
}

static void a_newer_key_of_another_drops_the_partition(void **state)
{
    struct world world;
    struct ownership_key key = {.part = 0, .node = 2, .epoch = EPOCH + 1};
    (void) state;
    open_world(&world, 1);
    take_part_0(&world);

    members(&world, NODE_ACTIVE, NODE_DRAINING, &key, 1);

    expect(&world, OWNERSHIP_DO_DROP, 0);
    expect_nothing(&world);
    assert_int_equal(ownership_epoch(&world.ownership, 0), 0);
    unit_arena_close(&world.arena);
}

static void past_the_lease_everything_is_dropped_and_nothing_claimed(void **state)
{
    struct world world;
    (void) state;
    open_world(&world, 1);
    take_part_0(&world);
    ownership_lease(&world.ownership, world.now_ms + 1000);
    expect_nothing(&world);
    assert_true(ownership_deadline_ms(&world.ownership) == world.now_ms + 1000);
    world.now_ms += 1000;

    expect(&world, OWNERSHIP_DO_DROP, 0);
    expect_nothing(&world);

    ownership_lease(&world.ownership, world.now_ms + 6000);
    expect(&world, OWNERSHIP_DO_RELEASE, 0);
    expect(&world, OWNERSHIP_DO_CLAIM, 0);
    unit_arena_close(&world.arena);
}

static void a_live_owner_hands_over_ten_seconds_after_the_change(void **state)
{
    struct world world;
    struct ownership_key key = {.part = 0, .node = 1, .epoch = EPOCH};
    (void) state;
    open_world(&world, 1);
    take_part_0(&world);
    members(&world, NODE_DRAINING, NODE_ACTIVE, &key, 1);
    expect_nothing(&world);
    world.now_ms += 9999;
    expect_nothing(&world);
    world.now_ms += 1;

    expect(&world, OWNERSHIP_DO_LEAVE, 0);
    expect_nothing(&world);
    ownership_left(&world.ownership, 0);
    expect(&world, OWNERSHIP_DO_DROP, 0);
    expect(&world, OWNERSHIP_DO_RELEASE, 0);
    expect_nothing(&world);
    assert_true(ownership_is_empty(&world.ownership));
    unit_arena_close(&world.arena);
}

static void leaving_waits_two_seconds_for_commits_and_no_longer(void **state)
{
    struct world world;
    (void) state;
    open_world(&world, 1);
    take_part_0(&world);
    ownership_stop(&world.ownership);
    expect(&world, OWNERSHIP_DO_LEAVE, 0);
    world.now_ms += 1999;
    expect_nothing(&world);
    world.now_ms += 1;

    expect(&world, OWNERSHIP_DO_DROP, 0);
    expect(&world, OWNERSHIP_DO_RELEASE, 0);
    unit_arena_close(&world.arena);
}

static void a_claim_that_the_registry_cannot_take_is_tried_again(void **state)
{
    struct world world;
    (void) state;
    open_world(&world, 1);
    members(&world, NODE_ACTIVE, NODE_DRAINING, NULL, 0);
    expect(&world, OWNERSHIP_DO_CLAIM, 0);

    claimed(&world, 0, VT_UNAVAILABLE, 0);
    expect_nothing(&world);
    world.now_ms += 10000;

    expect(&world, OWNERSHIP_DO_CLAIM, 0);
    unit_arena_close(&world.arena);
}

static void a_registry_older_than_the_store_gives_its_key_back_and_alarms(void **state)
{
    struct world world;
    struct ownership_action action;
    uint32_t alarms = 0;
    (void) state;
    open_world(&world, 1);
    members(&world, NODE_ACTIVE, NODE_DRAINING, NULL, 0);

    for (uint32_t i = 0; i < 3; i++) {
        expect(&world, OWNERSHIP_DO_CLAIM, 0);
        claimed(&world, 0, VT_OK, EPOCH + i);
        expect(&world, OWNERSHIP_DO_STORE_CLAIM, 0);
        ownership_store_claimed(&world.ownership, 0, STORE_FENCED, world.now_ms);
        while (next(&world, &action)) {
            alarms += action.what == OWNERSHIP_DO_ALARM ? 1U : 0U;
        }
        world.now_ms += 10000;
    }

    assert_int_equal(alarms, 1);
    unit_arena_close(&world.arena);
}

static void a_fenced_write_drops_the_partition_and_claims_anew(void **state)
{
    struct world world;
    (void) state;
    open_world(&world, 1);
    take_part_0(&world);

    ownership_fenced(&world.ownership, 0, EPOCH - 1, world.now_ms);
    expect_nothing(&world);
    ownership_fenced(&world.ownership, 0, EPOCH, world.now_ms);

    expect(&world, OWNERSHIP_DO_DROP, 0);
    expect(&world, OWNERSHIP_DO_RELEASE, 0);
    expect_nothing(&world);
    world.now_ms += 10000;
    expect(&world, OWNERSHIP_DO_CLAIM, 0);
    unit_arena_close(&world.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_absent_partition_is_claimed_told_to_the_store_and_loaded),
        cmocka_unit_test(two_active_routers_share_the_partitions_and_none_is_left_out),
        cmocka_unit_test(at_most_64_partitions_are_taken_over_at_once),
        cmocka_unit_test(a_joining_router_claims_nothing),
        cmocka_unit_test(a_partition_that_another_holds_is_left_to_it),
        cmocka_unit_test(a_newer_key_of_another_drops_the_partition),
        cmocka_unit_test(past_the_lease_everything_is_dropped_and_nothing_claimed),
        cmocka_unit_test(a_live_owner_hands_over_ten_seconds_after_the_change),
        cmocka_unit_test(leaving_waits_two_seconds_for_commits_and_no_longer),
        cmocka_unit_test(a_claim_that_the_registry_cannot_take_is_tried_again),
        cmocka_unit_test(a_registry_older_than_the_store_gives_its_key_back_and_alarms),
        cmocka_unit_test(a_fenced_write_drops_the_partition_and_claims_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
