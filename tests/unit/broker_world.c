#include "tests/unit/broker_world.h"

#include <stdlib.h>
#include <string.h>

#include "lib/check.h"

const struct address world_client = {LINK_CLIENTS, 5};
const struct address world_router = {LINK_ROUTERS, 3};
const struct address world_site = {LINK_SITES, 8};

static const uint32_t agent_ids[1] = {90};

/* bytes_of_text() is not a constant. */
#define TEXT(text)                                 \
    {                                              \
        (const uint8_t *) (text), sizeof(text) - 1 \
    }

static const struct plan_pool pools[] = {{.part = 1, .name = TEXT("via")},
                                         {.part = 2, .name = TEXT("agua")}};
static const struct plan_queue queues[] = {
    {.id = 10, .part = 1, .name = TEXT("aceras"), .priority = 50, .language = TEXT("es")},
    {.id = 11, .part = 2, .name = TEXT("fugas"), .priority = 60}};
static const struct bytes skills[] = {TEXT("alumbrado"), TEXT("pavimento")};
static const struct plan_rule rules[] = {
    {.when = {{.name = TEXT("service"), .value = TEXT("fuga")}},
     .when_count = 1,
     .queue = 1,
     .skills = {{.name = TEXT("alumbrado"), .level = 2}},
     .skill_count = 1,
     .language = TEXT("gl"),
     .priority = 80}};

void world_options(struct broker_options *options)
{
    broker_options_default(options);
    options->seed = unit_seed();
    options->incarnation = WORLD_INCARNATION;
    options->batch_requests_max = 64;
    options->batch_bytes_max = 1U << 20;
    options->client_window_max = 100;
    options->ring_entries = 64;
    options->ring_entries_per_part = 16;
    options->parts_max = 8;
    options->routers_max = 4;
    options->sites_max = 4;
    options->agents_max = 16;
    options->held_max = 16;
    options->followers_max = 4;
    options->queries_max = 4;
    options->cancels_max = 2;
    options->client_identities_max = 16;
}

struct broker_world *world_open_with(const struct broker_options *options)
{
    struct broker_world *world = calloc(1, sizeof *world);
    CHECK(world != NULL);
    steps_open(&world->steps);
    struct arena measure;
    arena_init_measuring(&measure);
    CHECK(broker_open(&measure, options) == NULL);

    struct broker *broker = broker_open(&world->steps.arena, options);
    CHECK(world->steps.arena.used == measure.used);
    world->steps.core = broker_core(broker);
    world->plan = (struct plan){.revision = 1,
                                .pools = pools,
                                .pool_count = 2,
                                .queues = queues,
                                .queue_count = 2,
                                .skills = skills,
                                .skill_count = 2,
                                .rules = rules,
                                .rule_count = 1,
                                .default_queue = 0};
    steps_plan(&world->steps, &world->plan);
    return world;
}

struct broker_world *world_open(void)
{
    struct broker_options options;
    world_options(&options);
    return world_open_with(&options);
}

void world_close(struct broker_world *world)
{
    steps_close(&world->steps);
    free(world);
}

int world_setup(void **state)
{
    *state = world_open();
    return 0;
}

int world_teardown(void **state)
{
    world_close(*state);
    return 0;
}

struct submit world_submit(uint64_t ref)
{
    static const uint8_t keys[1024 + 8];
    struct submit submit = {.ref = ref,
                            .queue = bytes_of_text("aceras"),
                            .channel = CHANNEL_WEB,
                            .priority = PRIORITY_ABSENT};
    submit.key = bytes_of(keys + ref % 1024U, 8);
    submit.body = bytes_of_text("body");
    return submit;
}

void world_send_submits(struct broker_world *world, uint64_t first_ref, uint32_t count)
{
    struct submit submits[MESSAGE_ENTRIES_MAX > 64 ? 64 : MESSAGE_ENTRIES_MAX];
    CHECK(count <= 64);
    for (uint32_t i = 0; i < count; i++) {
        submits[i] = world_submit(first_ref + i);
    }
    struct header header = {.kind = MESSAGE_SUBMIT};
    steps_receive(&world->steps, world_client, &header, submits, count);
}

static struct store_result done(struct broker_world *world, const struct store_request *request)
{
    struct store_result result = {.status = STORE_DONE};
    result.row = (struct ticket_row){.id = request->ticket,
                                     .part = request->part,
                                     .state = TICKET_QUEUED,
                                     .msgs = 1,
                                     .rev = ++world->next_rev,
                                     .created_us = world->steps.wall_us,
                                     .queued_us = world->steps.wall_us};
    if (request->kind == STORE_SUBMIT) {
        result.row.queue = request->submit.queue;
        result.row.priority = request->submit.priority;
        result.row.requirements = request->submit.requirements;
    } else if (request->kind == STORE_SITE) {
        result.site = 9;
        result.agents = agent_ids;
        result.agent_count = request->site.agent_count;
        CHECK(result.agent_count <= 1);
    }
    return result;
}

void world_store_as(struct broker_world *world, enum store_status status)
{
    const struct effect *effect = steps_find(&world->steps, EFFECT_STORE, 0);
    CHECK(effect != NULL);
    CHECK(effect->store.count <= WORLD_RESULTS_MAX);
    uint32_t count = effect->store.count;
    for (uint32_t i = 0; i < count; i++) {
        world->results[i] = done(world, &effect->store.requests[i]);
        world->results[i].status = status;
    }
    steps_stored(&world->steps, effect->store.token, world->results, count);
}

void world_store(struct broker_world *world)
{
    world_store_as(world, STORE_DONE);
}

void world_owns(struct broker_world *world, struct address router, uint64_t epoch)
{
    struct owns owns = {.part = 1, .epoch = epoch};
    struct header header = {
        .kind = MESSAGE_OWNS, .flags = HEADER_FIRST | HEADER_LAST, .origin = router.peer};
    steps_receive(&world->steps, router, &header, &owns, 1);
}

void world_taken(struct broker_world *world, uint64_t epoch, uint64_t upto)
{
    struct taken taken = {.broker = WORLD_INCARNATION, .upto = upto};
    struct header header = {.kind = MESSAGE_TAKEN, .part = 1, .epoch = epoch};
    steps_receive(&world->steps, world_router, &header, &taken, 1);
}

void world_hello(struct broker_world *world, struct address from, struct session session)
{
    struct hello hello = {.name = bytes_of_text("norte"), .agent_count = 1, .held_count = 1};
    struct agent agent = {.name = bytes_of_text("ana"),
                          .is_person = true,
                          .capacity = 3,
                          .free = 3,
                          .profile = bytes_of_text("profile")};
    struct held held = {.part = 1, .ticket = {7, 7}, .attempt = 1, .agent = 90};
    struct header header = {
        .kind = MESSAGE_HELLO, .flags = HEADER_FIRST | HEADER_LAST, .session = session};
    steps_receive(&world->steps, from, &header, &hello, 1);
    if (steps_count(&world->steps, EFFECT_SEND) > 0) {
        return; /* refused */
    }
    header.kind = MESSAGE_AGENT;
    steps_receive(&world->steps, from, &header, &agent, 1);
    header.kind = MESSAGE_HELD;
    steps_receive(&world->steps, from, &header, &held, 1);
}

void world_site_up(struct broker_world *world)
{
    world_hello(world, world_site, (struct session){.boot = 2, .connect = 1, .nonce = 4});
    world_store(world);
}
