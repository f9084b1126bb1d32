#include "tests/unit/oracle_blobs.h"

#include "lib/check.h"
#include "proto/requirements.h"

static const char *const skill_names[ORACLE_SKILLS] = {
    "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"};
static const char *const language_names[] = {"", "ca", "es", "eu", "gl"};
static const char *const queue_names[ORACLE_QUEUES] = {
    "q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7"};

static uint32_t write_skills(const uint32_t *levels, struct skill *skills)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < ORACLE_SKILLS; i++) {
        if (levels[i] > 0) {
            skills[count++] =
                (struct skill){.name = bytes_of_text(skill_names[i]), .level = levels[i] - 1u};
        }
    }
    return count;
}

struct ticket_row oracle_blobs_row(const struct oracle_ticket *ticket, uint8_t *buffer)
{
    struct requirements requirements = {.channel = CHANNEL_WEB};
    requirements.language = bytes_of_text(language_names[ticket->language]);
    requirements.skill_count = write_skills(ticket->need, requirements.skills);
    uint32_t size = requirements_write(&requirements, buffer);
    return (struct ticket_row){.id = ticket->id,
                               .queue = ticket->queue + 100u,
                               .priority = ticket->priority,
                               .state = TICKET_QUEUED,
                               .agent =
                                   ticket->preferred == ORACLE_NONE ? 0 : ticket->preferred + 1u,
                               .person_requested = ticket->wants_person,
                               .created_us = ticket->created_us,
                               .queued_us = ticket->queued_us,
                               .requirements = bytes_of(buffer, size)};
}

struct bytes oracle_blobs_profile(const struct oracle_agent *agent, uint8_t *buffer)
{
    struct profile profile = {0};
    for (uint32_t i = 0; i < ORACLE_QUEUES; i++) {
        if ((agent->queues >> i & 1u) != 0) {
            profile.queues[profile.queue_count++] = bytes_of_text(queue_names[i]);
        }
    }
    for (uint32_t i = 1; i < ARRAY_LENGTH(language_names); i++) {
        if ((agent->languages >> i & 1u) != 0) {
            profile.languages[profile.language_count++] = bytes_of_text(language_names[i]);
        }
    }
    profile.skill_count = write_skills(agent->has, profile.skills);
    return bytes_of(buffer, profile_write(&profile, buffer));
}

struct bytes oracle_blobs_queue(uint32_t name)
{
    return bytes_of_text(queue_names[name]);
}
