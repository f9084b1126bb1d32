#include "tests/unit/matching_fixture.h"

#include <stdlib.h>

#include "lib/check.h"
#include "proto/requirements.h"

int matching_fixture_open(void **state)
{
    struct matching_fixture *fixture = calloc(1, sizeof *fixture);
    CHECK(fixture != NULL);
    fixture->arena = unit_arena(UINT64_C(16) << 20);
    matching_init(&fixture->matching,
                  &fixture->arena,
                  &(struct matching_options){.tickets_max = 8,
                                             .classes_max = 4,
                                             .profiles_max = 4,
                                             .names_max = 12,
                                             .queues_max = 2,
                                             .agents_max = 6,
                                             .sites_max = 3,
                                             .refusals_max = 20,
                                             .seed = 3});
    fixture->queues[0] = (struct plan_queue){.id = 1, .name = bytes_of_text("aceras")};
    fixture->queues[1] = (struct plan_queue){.id = 2, .name = bytes_of_text("calzadas")};
    fixture->plan = (struct plan){.queues = fixture->queues, .queue_count = 2};
    matching_plan(&fixture->matching, &fixture->plan);
    *state = fixture;
    return 0;
}

int matching_fixture_close(void **state)
{
    struct matching_fixture *fixture = *state;
    unit_arena_close(&fixture->arena);
    free(fixture);
    return 0;
}

struct ticket_row matching_fixture_row(const struct matching_wish *wish)
{
    static uint8_t buffer[REQUIREMENTS_BYTES_MAX];
    struct requirements requirements = {.channel = CHANNEL_WEB,
                                        .language = bytes_of_text(wish->language)};
    if (wish->skill != NULL) {
        requirements.skills[requirements.skill_count++] =
            (struct skill){.name = bytes_of_text(wish->skill), .level = wish->level};
    }
    uint32_t size = requirements_write(&requirements, buffer);
    return (struct ticket_row){.id = {.hi = 1, .lo = wish->id},
                               .queue = wish->queue == 0 ? 1 : wish->queue,
                               .priority = wish->priority,
                               .state = TICKET_QUEUED,
                               .agent = wish->agent,
                               .person_requested = wish->wants_person,
                               .created_us = wish->created_us,
                               .queued_us = wish->queued_us,
                               .requirements = bytes_of(buffer, size)};
}

vt_err matching_fixture_add(struct matching_fixture *fixture,
                            const struct matching_wish *wish,
                            uint32_t *ticket)
{
    struct ticket_row row = matching_fixture_row(wish);
    return matching_ticket_add(&fixture->matching, &row, ticket);
}

uint32_t matching_fixture_wait(struct matching_fixture *fixture, const struct matching_wish *wish)
{
    uint32_t ticket = MATCHING_NONE;
    assert_int_equal(matching_fixture_add(fixture, wish, &ticket), VT_OK);
    matching_wait(&fixture->matching, ticket);
    return ticket;
}

vt_err matching_fixture_try_put(struct matching_fixture *fixture,
                                const struct matching_talent *talent,
                                uint32_t *agent)
{
    static uint8_t buffer[PROFILE_BYTES_MAX];
    static struct profile profile;
    profile = (struct profile){0};
    if (talent->queue != NULL) {
        profile.queues[profile.queue_count++] = bytes_of_text(talent->queue);
    }
    if (talent->language != NULL) {
        profile.languages[profile.language_count++] = bytes_of_text(talent->language);
    }
    if (talent->skill != NULL) {
        profile.skills[profile.skill_count++] =
            (struct skill){.name = bytes_of_text(talent->skill), .level = talent->level};
    }
    uint32_t capacity = talent->capacity == 0 ? 1 : talent->capacity;
    struct agent entry = {.id = talent->id,
                          .name = bytes_of_text("ana"),
                          .is_person = !talent->is_program,
                          .capacity = capacity,
                          .free = capacity,
                          .idle_ms = talent->idle_ms,
                          .profile = bytes_of(buffer, profile_write(&profile, buffer))};
    return matching_agent_put(&fixture->matching, talent->site, &entry, 1000, agent);
}

uint32_t matching_fixture_put(struct matching_fixture *fixture,
                              const struct matching_talent *talent)
{
    uint32_t agent = MATCHING_NONE;
    assert_int_equal(matching_fixture_try_put(fixture, talent, &agent), VT_OK);
    return agent;
}
