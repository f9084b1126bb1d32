#include "io/ticket_json.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "io/ticket_time.h"
#include "lib/check.h"
#include "lib/options.h"

enum field {
    FIELD_KEY,
    FIELD_QUEUE,
    FIELD_SKILLS,
    FIELD_LANGUAGE,
    FIELD_CHANNEL,
    FIELD_PRIORITY,
    FIELD_ATTRIBUTES,
    FIELD_TEXT,
    FIELD_NOT_BEFORE
};
#define FIELD_COUNT 9

static const char *const field_names[FIELD_COUNT] = {"key",
                                                     "queue",
                                                     "skills",
                                                     "language",
                                                     "channel",
                                                     "priority",
                                                     "attributes",
                                                     "text",
                                                     "not_before"};

static const char *const channel_names[CHANNEL_COUNT] = {
    "web", "chat", "email", "phone", "api", "bulk"};

struct parser {
    const struct ticket_json_options *options;
    struct arena *arena;
    struct submit *submit;
    struct attribute *attributes; /* ATTRIBUTES_MAX */
    char *error;
};

__attribute__((format(printf, 2, 3))) static vt_err fail(char *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error, TICKET_JSON_ERROR_BYTES, format, arguments);
    va_end(arguments);
    return VT_INVALID;
}

/* ---- values ---- */

static const char *type_name(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "a text";
    case JSON_INTEGER:
        return "a number";
    case JSON_REAL:
        return "a fraction";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
        break;
    }
    return "null";
}

static vt_err
read_text(struct parser *parser, const char *field, const json_t *value, struct bytes *text)
{
    if (!json_is_string(value)) {
        return fail(parser->error, "%s: must be a text, not %s", field, type_name(value));
    }
    size_t size = json_string_length(value);
    if (size > TICKET_JSON_LINE_BYTES_MAX) {
        return fail(parser->error, "%s: too long", field);
    }
    if (!bytes_try_copy(parser->arena, bytes_of(json_string_value(value), (uint32_t) size), text)) {
        return fail(parser->error, "%s: too long", field);
    }
    return VT_OK;
}

/* A mapped field may hold a number or a truth value in the submitter's data: it becomes text. */
static vt_err
read_any_text(struct parser *parser, const char *field, const json_t *value, struct bytes *text)
{
    char number[64];
    if (json_is_integer(value)) {
        snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    } else if (json_is_real(value)) {
        snprintf(number, sizeof number, "%.15g", json_real_value(value));
    } else if (json_is_boolean(value)) {
        snprintf(number, sizeof number, "%s", json_is_true(value) ? "true" : "false");
    } else {
        return read_text(parser, field, value, text);
    }
    return bytes_try_copy(parser->arena, bytes_of_text(number), text)
               ? VT_OK
               : fail(parser->error, "%s: too long", field);
}

static vt_err read_skill(struct parser *parser, const char *name, const json_t *value)
{
    struct submit *submit = parser->submit;
    if (submit->skill_count == SKILLS_MAX) {
        return fail(parser->error, "skills: more than %u", SKILLS_MAX);
    }
    if (!json_is_integer(value)) {
        return fail(parser->error,
                    "skills.%.64s: the level must be a whole number from 0 to %u, not %s",
                    name,
                    LEVEL_MAX,
                    type_name(value));
    }
    json_int_t level = json_integer_value(value);
    if (level < 0 || level > (json_int_t) LEVEL_MAX) {
        return fail(parser->error,
                    "skills.%.64s: level %" JSON_INTEGER_FORMAT " is out of range, 0 to %u are "
                    "allowed",
                    name,
                    level,
                    LEVEL_MAX);
    }
    struct skill *skill = &submit->skills[submit->skill_count++];
    skill->level = (uint32_t) level;
    return bytes_try_copy(parser->arena, bytes_of_text(name), &skill->name)
               ? VT_OK
               : fail(parser->error, "skills: too long");
}

static vt_err read_skills(struct parser *parser, json_t *value)
{
    if (!json_is_object(value)) {
        return fail(
            parser->error, "skills: must be an object {\"name\": level}, not %s", type_name(value));
    }
    const char *name = NULL;
    json_t *level = NULL;
    json_object_foreach(value, name, level)
    {
        vt_err err = read_skill(parser, name, level);
        if (err != VT_OK) {
            return err;
        }
    }
    return VT_OK;
}

static vt_err add_attribute(struct parser *parser, struct bytes name, struct bytes value)
{
    if (parser->submit->attribute_count == ATTRIBUTES_MAX) {
        return fail(parser->error, "attributes: more than %u", ATTRIBUTES_MAX);
    }
    struct attribute *attribute = &parser->attributes[parser->submit->attribute_count++];
    attribute->name = name;
    attribute->value = value;
    return VT_OK;
}

static vt_err read_attributes(struct parser *parser, json_t *value)
{
    if (!json_is_object(value)) {
        return fail(parser->error,
                    "attributes: must be an object {\"name\": \"text\"}, not %s",
                    type_name(value));
    }
    const char *name = NULL;
    json_t *item = NULL;
    json_object_foreach(value, name, item)
    {
        struct bytes copy = {0};
        struct bytes text = {0};
        char field[sizeof "attributes." + NAME_BYTES_MAX];
        snprintf(field, sizeof field, "attributes.%.*s", (int) NAME_BYTES_MAX, name);
        if (!bytes_try_copy(parser->arena, bytes_of_text(name), &copy)) {
            return fail(parser->error, "attributes: too long");
        }
        vt_err err = read_text(parser, field, item, &text);
        if (err == VT_OK) {
            err = add_attribute(parser, copy, text);
        }
        if (err != VT_OK) {
            return err;
        }
    }
    return VT_OK;
}

static vt_err read_priority(struct parser *parser, const json_t *value)
{
    if (!json_is_integer(value)) {
        return fail(parser->error,
                    "priority: must be a whole number from 0 to %u, not %s",
                    PRIORITY_MAX,
                    type_name(value));
    }
    json_int_t priority = json_integer_value(value);
    if (priority < 0 || priority > (json_int_t) PRIORITY_MAX) {
        return fail(parser->error,
                    "priority: %" JSON_INTEGER_FORMAT " is out of range, 0 to %u are allowed",
                    priority,
                    PRIORITY_MAX);
    }
    parser->submit->priority = (uint32_t) priority;
    return VT_OK;
}

static vt_err read_channel(struct parser *parser, const json_t *value)
{
    struct bytes text = {0};
    vt_err err = read_text(parser, "channel", value, &text);
    if (err == VT_OK && ticket_json_parse_channel(text, &parser->submit->channel) != VT_OK) {
        return fail(parser->error,
                    "channel: '%.32s' is none of web, chat, email, phone, api, bulk",
                    json_string_value(value));
    }
    return err;
}

static vt_err read_not_before(struct parser *parser, const json_t *value)
{
    struct bytes text = {0};
    vt_err err = read_text(parser, "not_before", value, &text);
    if (err == VT_OK && ticket_time_parse(text, &parser->submit->not_before_us) != VT_OK) {
        return fail(parser->error,
                    "not_before: '%.40s' is not a time as 2026-01-31T08:00:00Z",
                    json_string_value(value));
    }
    return err;
}

static vt_err read_field(struct parser *parser, enum field field, json_t *value)
{
    struct submit *submit = parser->submit;
    switch (field) {
    case FIELD_KEY:
        return read_any_text(parser, "key", value, &submit->key);
    case FIELD_QUEUE:
        return read_text(parser, "queue", value, &submit->queue);
    case FIELD_SKILLS:
        return read_skills(parser, value);
    case FIELD_LANGUAGE:
        return read_text(parser, "language", value, &submit->language);
    case FIELD_CHANNEL:
        return read_channel(parser, value);
    case FIELD_PRIORITY:
        return read_priority(parser, value);
    case FIELD_ATTRIBUTES:
        return read_attributes(parser, value);
    case FIELD_TEXT:
        return read_text(parser, "text", value, &submit->text);
    case FIELD_NOT_BEFORE:
        return read_not_before(parser, value);
    }
    return VT_OK;
}

/* ---- names ---- */

static int find_field(struct bytes name)
{
    for (int i = 0; i < FIELD_COUNT; i++) {
        if (bytes_equal_text(name, field_names[i])) {
            return i;
        }
    }
    return -1;
}

static bool is_mapped(const struct ticket_json_options *options, struct bytes field)
{
    for (uint32_t i = 0; i < options->mapping_count; i++) {
        if (bytes_equal(options->mappings[i].field, field)) {
            return true;
        }
    }
    return false;
}

static vt_err refuse_name(struct parser *parser, const char *name)
{
    const char *near = options_nearest(field_names, FIELD_COUNT, bytes_of_text(name));
    return fail(parser->error,
                "unknown field '%.64s'%s%s%s; known are key, queue, skills, language, channel, "
                "priority, attributes, text, not_before",
                name,
                near != NULL ? ", did you mean '" : "",
                near != NULL ? near : "",
                near != NULL ? "'?" : "");
}

/* Fields under their own names; one that is mapped is taken from elsewhere. */
static vt_err read_own(struct parser *parser, const char *name, json_t *value)
{
    struct bytes typed = bytes_of_text(name);
    int field = find_field(typed);
    if (field >= 0 && !is_mapped(parser->options, typed)) {
        return read_field(parser, (enum field) field, value);
    }
    return parser->options->mapping_count > 0 ? VT_OK : refuse_name(parser, name);
}

static vt_err
read_mapped(struct parser *parser, const struct ticket_json_mapping *mapping, const json_t *line)
{
    char name[NAME_BYTES_MAX + 1];
    CHECK(mapping->name.size <= NAME_BYTES_MAX);
    memcpy(name, mapping->name.data, mapping->name.size);
    name[mapping->name.size] = '\0';
    json_t *value = json_object_get(line, name);
    if (value == NULL || json_is_null(value)) {
        return VT_OK;
    }
    int field = find_field(mapping->field);
    if (field == FIELD_TEXT) {
        return read_any_text(parser, name, value, &parser->submit->text);
    }
    if (field >= 0) {
        return read_field(parser, (enum field) field, value);
    }
    struct bytes text = {0};
    vt_err err = read_any_text(parser, name, value, &text);
    return err == VT_OK ? add_attribute(parser, mapping->field, text) : err;
}

static vt_err read_line(struct parser *parser, json_t *line)
{
    if (!json_is_object(line)) {
        return fail(parser->error, "the line must be a JSON object, not %s", type_name(line));
    }
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(line, name, value)
    {
        vt_err err = read_own(parser, name, value);
        if (err != VT_OK) {
            return err;
        }
    }
    for (uint32_t i = 0; i < parser->options->mapping_count; i++) {
        vt_err err = read_mapped(parser, &parser->options->mappings[i], line);
        if (err != VT_OK) {
            return err;
        }
    }
    return VT_OK;
}

/* ---- the public story ---- */

vt_err ticket_json_parse(struct bytes line,
                         const struct ticket_json_options *options,
                         struct arena *arena,
                         struct submit *submit,
                         char error[TICKET_JSON_ERROR_BYTES])
{
    if (line.size > TICKET_JSON_LINE_BYTES_MAX) {
        return fail(error, "the line is longer than %u bytes", TICKET_JSON_LINE_BYTES_MAX);
    }
    json_error_t wrong;
    json_t *root = json_loadb((const char *) line.data,
                              line.size,
                              JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY,
                              &wrong);
    if (root == NULL) {
        return fail(error, "not valid JSON: %.160s (column %d)", wrong.text, wrong.column);
    }
    struct submit found = {.ref = submit->ref,
                           .client = submit->client,
                           .key = submit->key,
                           .priority = PRIORITY_ABSENT,
                           .channel = CHANNEL_API};
    struct parser parser = {.options = options, .arena = arena, .submit = &found, .error = error};
    parser.attributes =
        arena_try_take(arena, ATTRIBUTES_MAX * sizeof(struct attribute), ARENA_ALIGN_MAX);
    CHECK(parser.attributes != NULL);
    found.attributes = parser.attributes;
    vt_err err = read_line(&parser, root);
    json_decref(root);
    if (err == VT_OK) {
        err = ticket_json_check(&found, error);
    }
    if (err == VT_OK) {
        *submit = found;
    }
    return err;
}

static struct bytes cut(struct bytes *text, char at)
{
    uint32_t size = 0;
    while (size < text->size && text->data[size] != (uint8_t) at) {
        size++;
    }
    struct bytes piece = bytes_of(text->data, size);
    uint32_t skipped = size < text->size ? size + 1 : size;
    *text = bytes_of(text->data + skipped, text->size - skipped);
    return piece;
}

vt_err ticket_json_parse_mapping(struct bytes text, struct ticket_json_options *options)
{
    while (text.size > 0) {
        struct bytes name = cut(&text, ',');
        struct bytes field = cut(&name, '=');
        if (options->mapping_count == TICKET_JSON_MAPPINGS_MAX || field.size == 0 ||
            name.size == 0 || field.size > NAME_BYTES_MAX || name.size > NAME_BYTES_MAX ||
            is_mapped(options, field)) {
            return VT_INVALID;
        }
        options->mappings[options->mapping_count++] =
            (struct ticket_json_mapping){.field = field, .name = name};
    }
    return options->mapping_count > 0 ? VT_OK : VT_INVALID;
}

vt_err ticket_json_parse_channel(struct bytes text, enum channel *channel)
{
    for (uint32_t i = 0; i < CHANNEL_COUNT; i++) {
        if (bytes_equal_text(text, channel_names[i])) {
            *channel = (enum channel) i;
            return VT_OK;
        }
    }
    return VT_INVALID;
}

const char *ticket_json_channel_text(enum channel channel)
{
    return (uint32_t) channel < CHANNEL_COUNT ? channel_names[channel] : "unknown";
}
