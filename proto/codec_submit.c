#include <string.h>

#include <sodium.h>

#include "lib/check.h"
#include "proto/body.h"
#include "proto/codec_wire.h"
#include "proto/requirements.h"

/* Everything but the body that makes two submits the same ticket, at its longest. */
#define DIGEST_HEAD_BYTES_MAX (4 * (1 + NAME_BYTES_MAX) + 32 + SKILLS_MAX * (2 + NAME_BYTES_MAX))

/* Notes the first thing that is wrong with an entry; the broker answers it, nobody else hears. */
static bool refuse(struct submit *submit, enum reason_code reason, const char *field)
{
    submit->defect = reason;
    submit->defect_field = bytes_of_text(field);
    return false;
}

static bool
read_text(ProtobufCBinaryData data, struct submit *submit, const char *field, struct bytes *text)
{
    struct bytes view = codec_wire_view(data);
    if (bytes_has_nul(view)) {
        return refuse(submit, REASON_NUL, field);
    }
    if (!bytes_is_utf8(view)) {
        return refuse(submit, REASON_UTF8, field);
    }
    *text = view;
    return true;
}

static bool read_names(const Ventanilla__Submit *wire, struct submit *submit)
{
    if (wire->key.len < KEY_BYTES_MIN || wire->key.len > KEY_BYTES_MAX) {
        return refuse(submit, REASON_KEY, "key");
    }
    submit->key = codec_wire_view(wire->key);
    if (wire->client.len > NAME_BYTES_MAX) {
        return refuse(submit, REASON_TOO_LARGE, "client");
    }
    if (!read_text(wire->client, submit, "client", &submit->client) ||
        !read_text(wire->pool, submit, "pool", &submit->pool) ||
        !read_text(wire->queue, submit, "queue", &submit->queue)) {
        return false;
    }
    /* No queue and no pool has a name as long as that. */
    if (submit->pool.size > NAME_BYTES_MAX) {
        return refuse(submit, REASON_POOL_UNKNOWN, "pool");
    }
    if (submit->queue.size > NAME_BYTES_MAX) {
        return refuse(submit, REASON_QUEUE_UNKNOWN, "queue");
    }
    return true;
}

static bool is_tag(struct bytes language)
{
    for (uint32_t i = 0; i < language.size; i++) {
        uint8_t letter = language.data[i];
        bool is_letter = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
        if (!is_letter && letter != '-' && (letter < '0' || letter > '9')) {
            return false;
        }
    }
    return language.size <= LANGUAGE_BYTES_MAX;
}

static bool read_ranges(const Ventanilla__Submit *wire, struct submit *submit)
{
    submit->language = codec_wire_view(wire->language);
    if (!is_tag(submit->language)) {
        return refuse(submit, REASON_LANGUAGE, "language");
    }
    if ((uint32_t) wire->channel >= CHANNEL_COUNT) {
        return refuse(submit, REASON_CHANNEL, "channel");
    }
    submit->channel = (enum channel) wire->channel;
    submit->priority = wire->priority_plus_one - 1; /* 0 wraps to PRIORITY_ABSENT */
    if (submit->priority > PRIORITY_MAX && submit->priority != PRIORITY_ABSENT) {
        return refuse(submit, REASON_PRIORITY, "priority");
    }
    if (wire->not_before_us >= CODEC_INSTANT_US_MAX) {
        return refuse(submit, REASON_TIME, "not_before");
    }
    /* A time before 1970 has passed like any other. */
    submit->not_before_us = wire->not_before_us < 0 ? 0 : wire->not_before_us;
    return true;
}

static bool read_skills(const Ventanilla__Submit *wire, struct submit *submit)
{
    if (wire->n_skills > SKILLS_MAX) {
        return refuse(submit, REASON_SKILLS, "skills");
    }
    for (size_t i = 0; i < wire->n_skills; i++) {
        struct skill *skill = &submit->skills[i];
        const Ventanilla__Skill *from = wire->skills[i];
        if (from->name.len == 0 || from->name.len > NAME_BYTES_MAX) {
            return refuse(submit, REASON_SKILLS, "skills");
        }
        if (!read_text(from->name, submit, "skills", &skill->name)) {
            return false;
        }
        if (from->level > LEVEL_MAX) {
            return refuse(submit, REASON_LEVEL, "skills");
        }
        skill->level = from->level;
    }
    if (skills_sort(submit->skills, (uint32_t) wire->n_skills) != VT_OK) {
        return refuse(submit, REASON_SKILLS, "skills");
    }
    submit->skill_count = (uint32_t) wire->n_skills;
    return true;
}

static vt_err sort_attributes(struct attribute *attributes, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        struct attribute moved = attributes[i];
        uint32_t at = i;
        while (at > 0 && bytes_compare(attributes[at - 1].name, moved.name) > 0) {
            attributes[at] = attributes[at - 1];
            at--;
        }
        attributes[at] = moved;
        if (at > 0 && bytes_equal(attributes[at - 1].name, moved.name)) {
            return VT_CONFLICT;
        }
    }
    return VT_OK;
}

static bool
read_attributes(const Ventanilla__Submit *wire, struct submit *submit, struct attribute *attributes)
{
    CHECK(attributes != NULL || submit->attribute_count == 0);
    for (uint32_t i = 0; i < submit->attribute_count; i++) {
        const Ventanilla__Attribute *from = wire->attributes[i];
        if (from->name.len == 0 || from->name.len > NAME_BYTES_MAX ||
            from->value.len > ATTRIBUTE_VALUE_BYTES_MAX) {
            return refuse(submit, REASON_ATTRIBUTES, "attributes");
        }
        if (!read_text(from->name, submit, "attributes", &attributes[i].name) ||
            !read_text(from->value, submit, "attributes", &attributes[i].value)) {
            return false;
        }
    }
    if (sort_attributes(attributes, submit->attribute_count) != VT_OK) {
        return refuse(submit, REASON_ATTRIBUTES, "attributes");
    }
    submit->attributes = attributes;
    return true;
}

static uint8_t *put_name(uint8_t *end, struct bytes name)
{
    *end++ = (uint8_t) name.size;
    if (name.size != 0) {
        memcpy(end, name.data, name.size);
    }
    return end + name.size;
}

static uint8_t *put_number(uint8_t *end, uint64_t number)
{
    for (uint32_t i = 0; i < 8; i++) {
        *end++ = (uint8_t) (number >> (8 * i));
    }
    return end;
}

/* Names have at most 64 bytes and a length before them, so no two tickets write the same. */
static uint32_t write_digest_head(const struct submit *submit, uint8_t *head)
{
    uint8_t *end = put_name(head, submit->pool);
    end = put_name(end, submit->queue);
    end = put_name(end, submit->language);
    end = put_number(end, (uint64_t) submit->channel);
    end = put_number(end, submit->priority);
    end = put_number(end, (uint64_t) submit->not_before_us);
    *end++ = (uint8_t) submit->skill_count;
    for (uint32_t i = 0; i < submit->skill_count; i++) {
        *end++ = (uint8_t) submit->skills[i].level;
        end = put_name(end, submit->skills[i].name);
    }
    return (uint32_t) (end - head);
}

static void digest(struct submit *submit)
{
    uint8_t head[DIGEST_HEAD_BYTES_MAX];
    crypto_generichash_state state;
    uint32_t head_size = write_digest_head(submit, head);

    int failed = crypto_generichash_init(&state, NULL, 0, sizeof submit->digest);
    CHECK(failed == 0);
    (void) crypto_generichash_update(&state, head, head_size);
    (void) crypto_generichash_update(&state, submit->body.data, submit->body.size);
    (void) crypto_generichash_final(&state, submit->digest, sizeof submit->digest);
}

/* The stored body, in the form the store and CONFIRM have it. */
static vt_err build_body(struct submit *submit, struct arena *arena)
{
    uint32_t size = body_size(submit->attributes, submit->attribute_count, submit->text);
    uint8_t *body = arena_try_take(arena, size, 1);
    if (body == NULL) {
        return VT_TOO_LARGE;
    }
    body_write(submit->attributes, submit->attribute_count, submit->text, body);
    submit->body = bytes_of(body, size);
    return VT_OK;
}

static bool
read_content(const Ventanilla__Submit *wire, struct submit *submit, struct attribute *attributes)
{
    if (!read_names(wire, submit) || !read_ranges(wire, submit) || !read_skills(wire, submit) ||
        !read_attributes(wire, submit, attributes) ||
        !read_text(wire->text, submit, "text", &submit->text)) {
        return false;
    }
    if (wire->text.len > BODY_BYTES_MAX ||
        body_size(attributes, submit->attribute_count, submit->text) > BODY_BYTES_MAX) {
        return refuse(submit, REASON_TOO_LARGE, "text");
    }
    return true;
}

static vt_err read_submit(const void *from, void *entry, struct arena *arena)
{
    const Ventanilla__Submit *wire = from;
    struct submit *submit = entry;
    struct attribute *attributes = NULL;
    submit->ref = wire->ref;
    if (wire->n_attributes > ATTRIBUTES_MAX) {
        refuse(submit, REASON_ATTRIBUTES, "attributes");
        return VT_OK;
    }
    submit->attribute_count = (uint32_t) wire->n_attributes;
    if (submit->attribute_count != 0) {
        attributes = arena_try_take(arena, submit->attribute_count * sizeof *attributes, 8);
        if (attributes == NULL) {
            return VT_TOO_LARGE;
        }
    }
    if (!read_content(wire, submit, attributes)) {
        *submit = (struct submit){
            .ref = wire->ref, .defect = submit->defect, .defect_field = submit->defect_field};
        return VT_OK;
    }

    vt_err err = build_body(submit, arena);
    if (err == VT_OK) {
        digest(submit);
    }
    return err;
}

static void fill_lists(const struct submit *submit, struct codec_scratch *scratch)
{
    for (uint32_t i = 0; i < submit->skill_count; i++) {
        ventanilla__skill__init(&scratch->skills[i]);
        scratch->skills[i].name = codec_wire_data(submit->skills[i].name);
        scratch->skills[i].level = submit->skills[i].level;
        scratch->skill_list[i] = &scratch->skills[i];
    }
    for (uint32_t i = 0; i < submit->attribute_count; i++) {
        ventanilla__attribute__init(&scratch->attributes[i]);
        scratch->attributes[i].name = codec_wire_data(submit->attributes[i].name);
        scratch->attributes[i].value = codec_wire_data(submit->attributes[i].value);
        scratch->attribute_list[i] = &scratch->attributes[i];
    }
}

static const ProtobufCMessage *fill_submit(const void *entry, struct codec_scratch *scratch)
{
    const struct submit *submit = entry;
    Ventanilla__Submit *wire = &scratch->submit;
    if (submit->skill_count > SKILLS_MAX || submit->attribute_count > ATTRIBUTES_MAX) {
        return NULL;
    }
    fill_lists(submit, scratch);

    ventanilla__submit__init(wire);
    wire->ref = submit->ref;
    wire->client = codec_wire_data(submit->client);
    wire->key = codec_wire_data(submit->key);
    wire->pool = codec_wire_data(submit->pool);
    wire->queue = codec_wire_data(submit->queue);
    wire->n_skills = submit->skill_count;
    wire->skills = scratch->skill_list;
    wire->language = codec_wire_data(submit->language);
    wire->channel = (Ventanilla__Channel) submit->channel;
    wire->priority_plus_one = submit->priority + 1;
    wire->not_before_us = submit->not_before_us;
    wire->n_attributes = submit->attribute_count;
    wire->attributes = scratch->attribute_list;
    wire->text = codec_wire_data(submit->text);
    return &wire->base;
}

const struct codec_kind codec_submit_kind = {.wire = &ventanilla__submit__descriptor,
                                             .count_min = 1,
                                             .count_max = MESSAGE_ENTRIES_MAX,
                                             .fill = fill_submit,
                                             .read = read_submit};
