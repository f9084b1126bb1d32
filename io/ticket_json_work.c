/* The agent's program's side of io/ticket_json.h: what it reads and what it answers. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "io/ticket_json.h"
#include "io/ticket_time.h"
#include "lib/id.h"
#include "lib/options.h"
#include "lib/text.h"
#include "proto/body.h"
#include "proto/requirements.h"

#define ESCAPED_BYTES_MAX 6u /* of one byte */
#define FRAME_BYTES 2048u    /* names, numbers and punctuation */

/* ---- what it reads ---- */

static void add_name(struct text *line, const char *name)
{
    text_add(line, line->size > 1 ? ",\"" : "\"");
    text_add(line, name);
    text_add(line, "\":");
}

static void add_text(struct text *line, const char *name, struct bytes value)
{
    add_name(line, name);
    text_add_json_string(line, value);
}

static void add_number(struct text *line, const char *name, uint64_t value)
{
    add_name(line, name);
    text_add_u64(line, value);
}

static void add_skills(struct text *line, const struct requirements *requirements)
{
    add_name(line, "skills");
    for (uint32_t i = 0; i < requirements->skill_count; i++) {
        text_add_char(line, i == 0 ? '{' : ',');
        text_add_json_string(line, requirements->skills[i].name);
        text_add_char(line, ':');
        text_add_u64(line, requirements->skills[i].level);
    }
    text_add(line, requirements->skill_count == 0 ? "{}" : "}");
}

static void add_attributes(struct text *line, const struct body *body)
{
    add_name(line, "attributes");
    for (uint32_t i = 0; i < body->attribute_count; i++) {
        text_add_char(line, i == 0 ? '{' : ',');
        text_add_json_string(line, body->attributes[i].name);
        text_add_char(line, ':');
        text_add_json_string(line, body->attributes[i].value);
    }
    text_add(line, body->attribute_count == 0 ? "{}" : "}");
}

static void add_ticket(struct text *line,
                       const struct confirm *confirm,
                       const struct requirements *requirements,
                       const struct body *body)
{
    char id[ID_TEXT_SIZE];
    char created[TICKET_TIME_BYTES];
    id_to_text(confirm->ticket, id);
    ticket_time_write(confirm->created_us, created);

    text_add_char(line, '{');
    add_text(line, "id", bytes_of_text(id));
    add_number(line, "attempt", confirm->attempt);
    add_text(line, "queue", confirm->queue_name);
    add_text(line, "language", requirements->language);
    add_text(line, "channel", bytes_of_text(ticket_json_channel_text(requirements->channel)));
    add_number(line, "priority", confirm->priority);
    add_skills(line, requirements);
    add_attributes(line, body);
    add_text(line, "text", body->text);
    add_text(line, "created", bytes_of_text(created));
    add_number(line, "failures", confirm->fails);
    text_add(line, "}\n");
}

vt_err ticket_json_write(const struct confirm *confirm, struct arena *arena, struct bytes *line)
{
    struct requirements requirements;
    struct body body;
    if (requirements_read(confirm->requirements, &requirements) != VT_OK ||
        body_read(confirm->body, &body) != VT_OK) {
        return VT_CORRUPT;
    }
    uint32_t bytes =
        FRAME_BYTES + ESCAPED_BYTES_MAX * (confirm->requirements.size + confirm->body.size +
                                           confirm->queue_name.size);
    char *buffer = arena_try_take(arena, bytes, 1);
    if (buffer == NULL) {
        return VT_TOO_LARGE;
    }
    struct text text;
    text_init(&text, buffer, bytes);
    add_ticket(&text, confirm, &requirements, &body);
    if (text.truncated) {
        return VT_TOO_LARGE;
    }
    *line = text_bytes(&text);
    return VT_OK;
}

/* ---- what it answers ---- */

static const char *const answer_names[] = {"result", "note", "handoff", "park"};
#define ANSWER_NAME_COUNT 4u

__attribute__((format(printf, 2, 3))) static vt_err fail(char *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error, TICKET_JSON_ERROR_BYTES, format, arguments);
    va_end(arguments);
    return VT_INVALID;
}

struct answer_limit {
    const char *name;
    uint32_t bytes_max;
};

static vt_err read_part(const json_t *root,
                        const struct answer_limit *limit,
                        struct arena *arena,
                        struct bytes *text,
                        char *error)
{
    const json_t *value = json_object_get(root, limit->name);
    if (value == NULL) {
        return VT_OK;
    }
    if (!json_is_string(value)) {
        return fail(error, "'%s' in the answer is not a text", limit->name);
    }
    size_t size = json_string_length(value);
    if (size > limit->bytes_max) {
        return fail(
            error, "'%s' in the answer has more than %u bytes", limit->name, limit->bytes_max);
    }
    struct bytes view = bytes_of(json_string_value(value), (uint32_t) size);
    if (bytes_has_nul(view)) {
        return fail(error, "'%s' in the answer contains a NUL byte", limit->name);
    }
    return bytes_try_copy(arena, view, text) ? VT_OK : VT_TOO_LARGE;
}

static vt_err check_names(json_t *root, char *error)
{
    const char *name = NULL;
    const json_t *value = NULL;
    if (!json_is_object(root)) {
        return fail(error, "the answer is not a JSON object");
    }
    json_object_foreach(root, name, value)
    {
        bool is_known = false;
        for (uint32_t i = 0; i < ANSWER_NAME_COUNT; i++) {
            is_known = is_known || strcmp(name, answer_names[i]) == 0;
        }
        if (!is_known) {
            return fail(error,
                        "unknown field '%.64s' in the answer; known are result, note, handoff, "
                        "park",
                        name);
        }
    }
    return VT_OK;
}

static bool has(const json_t *root, const char *name)
{
    return json_object_get(root, name) != NULL;
}

static vt_err read_answer(json_t *root, struct arena *arena, struct outcome *outcome, char *error)
{
    bool is_complete = has(root, "result");
    bool is_handoff = has(root, "handoff");
    bool is_park = has(root, "park");
    if ((int) is_complete + (int) is_handoff + (int) is_park != 1) {
        return fail(error, "the answer must have exactly one of 'result', 'handoff' and 'park'");
    }
    if (!is_complete && has(root, "note")) {
        return fail(error, "'note' in the answer goes with 'result' only");
    }
    if (is_complete) {
        struct answer_limit result = {"result", TICKET_ANSWER_BYTES_MAX};
        struct answer_limit note = {"note", TICKET_ANSWER_BYTES_MAX};
        outcome->what = OUTCOME_COMPLETE;
        vt_err err = read_part(root, &result, arena, &outcome->text, error);
        return err == VT_OK ? read_part(root, &note, arena, &outcome->note, error) : err;
    }
    struct answer_limit reason = {is_handoff ? "handoff" : "park", REASON_BYTES_MAX};
    outcome->what = is_handoff ? OUTCOME_HANDOFF : OUTCOME_PARK;
    return read_part(root, &reason, arena, &outcome->note, error);
}

vt_err ticket_json_parse_answer(struct bytes line,
                                struct arena *arena,
                                struct outcome *outcome,
                                char error[TICKET_JSON_ERROR_BYTES])
{
    if (line.size > TICKET_ANSWER_BYTES_MAX) {
        return fail(error, "the answer has more than %u bytes", TICKET_ANSWER_BYTES_MAX);
    }
    json_error_t wrong;
    json_t *root = json_loadb(
        (const char *) line.data, line.size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &wrong);
    if (root == NULL) {
        return fail(error, "the answer is not valid JSON: %.120s", wrong.text);
    }
    struct outcome found = *outcome;
    found.text = found.note = (struct bytes){0};
    vt_err err = check_names(root, error);
    if (err == VT_OK) {
        err = read_answer(root, arena, &found, error);
    }
    json_decref(root);
    if (err == VT_OK) {
        *outcome = found;
    }
    return err;
}
