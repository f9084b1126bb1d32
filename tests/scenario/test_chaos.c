#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/check.h"
#include "lib/random.h"
#include "tests/scenario/world.h"

/* Random days: tickets come while nodes crash, cables are cut, the store fails and agents do what
 * they like. Then everything heals, and after a while nothing may be left over, lost or doubled.
 * VT_SEED chooses one day and VT_TRACE=1 shows it.
 */

#define DAYS 12u
#define TURNS 100u
#define NODES 7u

struct day {
    struct world *world;
    struct random random;
    uint32_t nodes[NODES];
    bool is_up[NODES];
    bool is_cut[NODES];
    uint32_t submitted;
};

static const struct world_agent people[] = {
    {.name = "ana", .profile = "pavimento=7 language=es", .is_person = true, .capacity = 2},
    {.name = "ben", .profile = "queue=aceras pavimento=5", .is_person = true},
};
static const struct world_agent programs[] = {
    {.name = "bot", .profile = "queue=aceras queue=calzadas", .capacity = 3},
    {.name = "all", .profile = "pavimento=9 language=es", .capacity = 2},
};

static void open_day(struct day *day, uint64_t seed)
{
    *day = (struct day){.world = world_open()};
    random_init(&day->random, seed);
    day->nodes[0] = world_add_broker(day->world, "broker1");
    day->nodes[1] = world_add_broker(day->world, "broker2");
    day->nodes[2] = world_add_router(day->world, "router1");
    day->nodes[3] = world_add_router(day->world, "router2");
    day->nodes[4] = world_add_site(day->world, "north", people, ARRAY_LENGTH(people));
    day->nodes[5] = world_add_site(day->world, "south", programs, ARRAY_LENGTH(programs));
    day->nodes[6] = world_add_site(day->world, "west", people, ARRAY_LENGTH(people));
    for (uint32_t i = 0; i < NODES; i++) {
        day->is_up[i] = true;
    }
    world_run(day->world, 1000);
}

static void key_of(uint32_t number, char key[16])
{
    (void) snprintf(key, 16, "ticket-%04u", number);
}

static void submit_one(struct day *day, uint32_t number)
{
    static const char *const queues[] = {"aceras", "calzadas", "padron", NULL};
    char key[16];
    key_of(number, key);
    bool is_hard = number % 5 == 0;
    world_submit(day->world,
                 &(struct world_ticket){.key = key,
                                        .queue = queues[number % 4],
                                        .skill = is_hard ? "pavimento" : NULL,
                                        .level = is_hard ? 6 : 0,
                                        .language = number % 7 == 0 ? "es" : NULL,
                                        .priority = number % 3 == 0 ? 90 : 0,
                                        .wait_ms = number % 11 == 0 ? 20000 : 0,
                                        .text = "a hole"});
}

static void submit_some(struct day *day)
{
    uint32_t count = (uint32_t) random_below(&day->random, 3);
    for (uint32_t i = 0; i < count; i++) {
        submit_one(day, day->submitted++);
    }
    if (day->submitted != 0 && random_below(&day->random, 3) == 0) {
        submit_one(day, (uint32_t) random_below(&day->random, day->submitted));
    }
}

static void write_or_cancel(struct day *day)
{
    char key[16];
    if (day->submitted == 0) {
        return;
    }
    key_of((uint32_t) random_below(&day->random, day->submitted), key);
    if (world_find(day->world, key) == NULL) {
        return;
    }
    if (random_below(&day->random, 6) == 0) {
        world_cancel(day->world, key);
    } else {
        char note_key[16];
        key_of((uint32_t) random_below(&day->random, 1000), note_key);
        world_note(day->world, key, note_key, "and another thing");
    }
}

static void crash_or_start(struct day *day, uint32_t i)
{
    if (day->is_up[i]) {
        world_crash(day->world, day->nodes[i]);
    } else {
        world_start(day->world, day->nodes[i]);
    }
    day->is_up[i] = !day->is_up[i];
}

static void cut_or_mend(struct day *day, uint32_t i)
{
    if (day->is_cut[i]) {
        world_mend(day->world, day->nodes[i]);
    } else {
        world_cut(day->world, day->nodes[i]);
    }
    day->is_cut[i] = !day->is_cut[i];
}

static void plan_something(struct day *day)
{
    uint32_t site = day->nodes[4 + random_below(&day->random, 3)];
    uint32_t agent = (uint32_t) random_below(&day->random, 2);
    int64_t after_ms = random_range(&day->random, 1, 40000);
    if (random_below(&day->random, 3) == 0) {
        world_plan_offer(day->world,
                         site,
                         agent,
                         (enum world_answer) random_below(&day->random, 3),
                         after_ms / 10);
    } else {
        enum outcome_kind what = (enum outcome_kind) random_below(&day->random, 4);
        world_plan_work(day->world, site, agent, what, after_ms);
    }
}

/* What is broken stays so for about four turns. */
static void mend_some(struct day *day)
{
    for (uint32_t i = 0; i < NODES; i++) {
        if (!day->is_up[i] && random_below(&day->random, 4) == 0) {
            crash_or_start(day, i);
        }
        if (day->is_cut[i] && random_below(&day->random, 4) == 0) {
            cut_or_mend(day, i);
        }
    }
    if (random_below(&day->random, 2) == 0) {
        store_memory_set_fault(world_store(day->world), FAULT_NONE);
    }
}

static void break_something(struct day *day)
{
    uint32_t node = (uint32_t) random_below(&day->random, NODES);
    switch (random_below(&day->random, 8)) {
    case 0:
    case 1:
        crash_or_start(day, node);
        break;
    case 2:
    case 3:
        cut_or_mend(day, node);
        break;
    case 4:
        store_memory_set_fault(world_store(day->world),
                               (enum store_memory_fault) random_below(&day->random, 3));
        break;
    default:
        break;
    }
}

static void turn(struct day *day)
{
    mend_some(day);
    break_something(day);
    submit_some(day);
    plan_something(day);
    if (random_below(&day->random, 2) == 0) {
        write_or_cancel(day);
    }
    int64_t wait_ms = random_below(&day->random, 3) == 0 ? 20000 : 1000;
    world_run(day->world, random_range(&day->random, 1, wait_ms));
}

static void heal(struct day *day)
{
    world_say(day->world, "everything heals");
    store_memory_set_fault(world_store(day->world), FAULT_NONE);
    for (uint32_t i = 0; i < NODES; i++) {
        if (!day->is_up[i]) {
            crash_or_start(day, i);
        }
        if (day->is_cut[i]) {
            cut_or_mend(day, i);
        }
    }
    for (uint32_t i = 0; i < 10; i++) {
        world_run(day->world, 60000);
    }
}

/* What waits for its requester may wait for ever; all else must have ended. */
static const char *left_over(struct day *day, uint32_t *ended)
{
    for (uint32_t i = 0; i < store_memory_ticket_count(world_store(day->world)); i++) {
        const struct store_memory_ticket *ticket =
            store_memory_ticket_at(world_store(day->world), i);
        enum ticket_state state = ticket->row.state;
        if (state == TICKET_QUEUED || state == TICKET_SCHEDULED || state == TICKET_ASSIGNED) {
            static char text[ID_TEXT_SIZE];
            id_to_text(ticket->row.id, text);
            fprintf(stderr, "left over: %.*s\n", (int) ticket->key.size, ticket->key.data);
            return text;
        }
        *ended += state == TICKET_DONE ? 1 : 0;
    }
    return NULL;
}

static void live_one_day(uint64_t seed)
{
    static struct day day;
    uint32_t ended = 0;
    open_day(&day, seed);
    for (uint32_t i = 0; i < TURNS; i++) {
        turn(&day);
    }
    heal(&day);
    const char *left = left_over(&day, &ended);
    if (getenv("VT_TRACE") != NULL) {
        fputs(world_trace(day.world), stdout);
    }
    if (left != NULL) {
        fprintf(stderr, "replay with VT_SEED=%llu\n", (unsigned long long) seed);
    }
    assert_null(left);
    assert_true(ended > 0);
    world_expect_sound(day.world);
    world_expect_settled(day.world);
    world_close(day.world);
}

static void after_any_day_every_ticket_ends_once(void **state)
{
    (void) state;
    const char *seed = getenv("VT_SEED");
    if (seed != NULL) {
        live_one_day(strtoull(seed, NULL, 0));
        return;
    }
    for (uint64_t i = 1; i <= DAYS; i++) {
        live_one_day(i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_any_day_every_ticket_ends_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
