#include "proto/requirements.h"

#include <string.h>

#include "lib/check.h"

#define FORM_VERSION 1u

/* A cursor over a blob; the first thing that is wrong ends all reading. */
struct reader {
    struct bytes rest;
    bool is_bad;
};

static uint8_t *put_name(uint8_t *end, struct bytes name)
{
    CHECK(name.size <= NAME_BYTES_MAX);
    *end++ = (uint8_t) name.size;
    if (name.size != 0) {
        memcpy(end, name.data, name.size);
    }
    return end + name.size;
}

static uint8_t *put_names(uint8_t *end, const struct bytes *names, uint32_t count)
{
    *end++ = (uint8_t) count;
    for (uint32_t i = 0; i < count; i++) {
        CHECK(names[i].size >= 1);
        CHECK(i == 0 || bytes_compare(names[i - 1], names[i]) < 0);
        end = put_name(end, names[i]);
    }
    return end;
}

static uint8_t *put_skills(uint8_t *end, const struct skill *skills, uint32_t count)
{
    *end++ = (uint8_t) count;
    for (uint32_t i = 0; i < count; i++) {
        CHECK(skills[i].level <= LEVEL_MAX);
        CHECK(skills[i].name.size >= 1);
        CHECK(i == 0 || bytes_compare(skills[i - 1].name, skills[i].name) < 0);
        *end++ = (uint8_t) skills[i].level;
        end = put_name(end, skills[i].name);
    }
    return end;
}

uint32_t requirements_write(const struct requirements *requirements, uint8_t *buffer)
{
    CHECK((uint32_t) requirements->channel < CHANNEL_COUNT);
    CHECK(requirements->language.size <= LANGUAGE_BYTES_MAX);
    CHECK(requirements->skill_count <= SKILLS_MAX);

    uint8_t *end = buffer;
    *end++ = FORM_VERSION;
    *end++ = (uint8_t) requirements->channel;
    end = put_name(end, requirements->language);
    end = put_skills(end, requirements->skills, requirements->skill_count);
    return (uint32_t) (end - buffer);
}

uint32_t profile_write(const struct profile *profile, uint8_t *buffer)
{
    CHECK(profile->queue_count <= AGENT_QUEUES_MAX);
    CHECK(profile->language_count <= AGENT_LANGUAGES_MAX);
    CHECK(profile->skill_count <= AGENT_SKILLS_MAX);

    uint8_t *end = buffer;
    *end++ = FORM_VERSION;
    end = put_names(end, profile->queues, profile->queue_count);
    end = put_names(end, profile->languages, profile->language_count);
    end = put_skills(end, profile->skills, profile->skill_count);
    return (uint32_t) (end - buffer);
}

static struct bytes read_bytes(struct reader *reader, uint32_t size)
{
    if (reader->is_bad || reader->rest.size < size) {
        reader->is_bad = true;
        return (struct bytes){0};
    }
    struct bytes front = {.data = reader->rest.data, .size = size};
    reader->rest.data += size;
    reader->rest.size -= size;
    return front;
}

static uint32_t read_byte(struct reader *reader, uint32_t max)
{
    struct bytes byte = read_bytes(reader, 1);
    if (reader->is_bad || byte.data[0] > max) {
        reader->is_bad = true;
        return 0;
    }
    return byte.data[0];
}

static struct bytes read_name(struct reader *reader, uint32_t size_max)
{
    struct bytes name = read_bytes(reader, read_byte(reader, size_max));
    if (!bytes_is_utf8(name) || bytes_has_nul(name)) {
        reader->is_bad = true;
    }
    return name;
}

/* Empty names and names out of order are refused: only one form of each content is canonical. */
static void expect_rising(struct reader *reader, struct bytes before, struct bytes name)
{
    if (bytes_compare(before, name) >= 0) {
        reader->is_bad = true;
    }
}

static void read_skills(struct reader *reader, struct skill *skills, uint32_t count)
{
    struct bytes before = {0};
    for (uint32_t i = 0; i < count && !reader->is_bad; i++) {
        skills[i].level = read_byte(reader, LEVEL_MAX);
        skills[i].name = read_name(reader, NAME_BYTES_MAX);
        expect_rising(reader, before, skills[i].name);
        before = skills[i].name;
    }
}

static void
read_names(struct reader *reader, struct bytes *names, uint32_t count, uint32_t size_max)
{
    struct bytes before = {0};
    for (uint32_t i = 0; i < count && !reader->is_bad; i++) {
        names[i] = read_name(reader, size_max);
        expect_rising(reader, before, names[i]);
        before = names[i];
    }
}

static vt_err read_end(const struct reader *reader)
{
    return reader->is_bad || reader->rest.size != 0 ? VT_CORRUPT : VT_OK;
}

vt_err requirements_read(struct bytes blob, struct requirements *requirements)
{
    struct reader reader = {.rest = blob};
    if (read_byte(&reader, FORM_VERSION) != FORM_VERSION) {
        return VT_CORRUPT;
    }

    struct requirements found;
    found.channel = (enum channel) read_byte(&reader, CHANNEL_COUNT - 1);
    found.language = read_name(&reader, LANGUAGE_BYTES_MAX);
    found.skill_count = read_byte(&reader, SKILLS_MAX);
    read_skills(&reader, found.skills, found.skill_count);
    if (read_end(&reader) != VT_OK) {
        return VT_CORRUPT;
    }
    *requirements = found;
    return VT_OK;
}

vt_err profile_read(struct bytes blob, struct profile *profile)
{
    struct reader reader = {.rest = blob};
    if (read_byte(&reader, FORM_VERSION) != FORM_VERSION) {
        return VT_CORRUPT;
    }

    struct profile found;
    found.queue_count = read_byte(&reader, AGENT_QUEUES_MAX);
    read_names(&reader, found.queues, found.queue_count, NAME_BYTES_MAX);
    found.language_count = read_byte(&reader, AGENT_LANGUAGES_MAX);
    read_names(&reader, found.languages, found.language_count, LANGUAGE_BYTES_MAX);
    found.skill_count = read_byte(&reader, AGENT_SKILLS_MAX);
    read_skills(&reader, found.skills, found.skill_count);
    if (read_end(&reader) != VT_OK) {
        return VT_CORRUPT;
    }
    *profile = found;
    return VT_OK;
}

/* Insertion sort: at most 64 names, mostly in order already. */
vt_err skills_sort(struct skill *skills, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        struct skill moved = skills[i];
        uint32_t at = i;
        while (at > 0 && bytes_compare(skills[at - 1].name, moved.name) > 0) {
            skills[at] = skills[at - 1];
            at--;
        }
        skills[at] = moved;
        if (at > 0 && bytes_equal(skills[at - 1].name, moved.name)) {
            return VT_CONFLICT;
        }
    }
    return VT_OK;
}

vt_err names_sort(struct bytes *names, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        struct bytes moved = names[i];
        uint32_t at = i;
        while (at > 0 && bytes_compare(names[at - 1], moved) > 0) {
            names[at] = names[at - 1];
            at--;
        }
        names[at] = moved;
        if (at > 0 && bytes_equal(names[at - 1], moved)) {
            return VT_CONFLICT;
        }
    }
    return VT_OK;
}

static bool has_name(const struct bytes *names, uint32_t count, struct bytes name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (bytes_equal(names[i], name)) {
            return true;
        }
    }
    return false;
}

/* Both lists are sorted: one walk over the two. */
static bool has_skills(const struct profile *profile, const struct requirements *requirements)
{
    uint32_t has = 0;
    for (uint32_t i = 0; i < requirements->skill_count; i++) {
        const struct skill *wanted = &requirements->skills[i];
        while (has < profile->skill_count &&
               bytes_compare(profile->skills[has].name, wanted->name) < 0) {
            has++;
        }
        if (has == profile->skill_count || profile->skills[has].level < wanted->level ||
            !bytes_equal(profile->skills[has].name, wanted->name)) {
            return false;
        }
    }
    return true;
}

bool profile_may_serve(const struct profile *profile,
                       struct bytes queue,
                       const struct requirements *requirements)
{
    if (profile->queue_count != 0 && !has_name(profile->queues, profile->queue_count, queue)) {
        return false;
    }
    if (requirements->language.size != 0 &&
        !has_name(profile->languages, profile->language_count, requirements->language)) {
        return false;
    }
    return has_skills(profile, requirements);
}
