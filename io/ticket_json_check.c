/* The limits of a ticket, for io/ticket_json.h. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "io/ticket_json.h"
#include "lib/check.h"
#include "proto/body.h"
#include "proto/requirements.h"

__attribute__((format(printf, 2, 3))) static vt_err fail(char *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error, TICKET_JSON_ERROR_BYTES, format, arguments);
    va_end(arguments);
    return VT_INVALID;
}

struct limit {
    const char *field;
    struct bytes text;
    uint32_t min;
    uint32_t max;
};

static vt_err check_text(const struct limit *limit, char *error)
{
    if (bytes_has_nul(limit->text)) {
        return fail(error, "%s: contains a NUL byte", limit->field);
    }
    if (!bytes_is_utf8(limit->text)) {
        return fail(error, "%s: is not valid UTF-8", limit->field);
    }
    if (limit->text.size < limit->min || limit->text.size > limit->max) {
        return fail(error,
                    "%s: has %" PRIu32 " bytes, %" PRIu32 " to %" PRIu32 " are allowed",
                    limit->field,
                    limit->text.size,
                    limit->min,
                    limit->max);
    }
    return VT_OK;
}

static vt_err check_lists(struct submit *submit, char *error)
{
    vt_err err = VT_OK;
    for (uint32_t i = 0; err == VT_OK && i < submit->skill_count; i++) {
        struct limit name = {"skills: a name", submit->skills[i].name, 1, NAME_BYTES_MAX};
        err = check_text(&name, error);
    }
    for (uint32_t i = 0; err == VT_OK && i < submit->attribute_count; i++) {
        const struct attribute *attribute = &submit->attributes[i];
        struct limit name = {"attributes: a name", attribute->name, 1, NAME_BYTES_MAX};
        struct limit value = {
            "attributes: a value", attribute->value, 0, ATTRIBUTE_VALUE_BYTES_MAX};
        err = check_text(&name, error);
        if (err == VT_OK) {
            err = check_text(&value, error);
        }
    }
    if (err == VT_OK && skills_sort(submit->skills, submit->skill_count) != VT_OK) {
        return fail(error, "skills: a name stands there twice");
    }
    return err;
}

vt_err ticket_json_check(struct submit *submit, char error[TICKET_JSON_ERROR_BYTES])
{
    struct limit limits[] = {
        {"client", submit->client, 0, NAME_BYTES_MAX},
        {"queue", submit->queue, 0, NAME_BYTES_MAX},
        {"language", submit->language, 0, LANGUAGE_BYTES_MAX},
        {"text", submit->text, 0, TICKET_JSON_LINE_BYTES_MAX},
    };
    for (uint32_t i = 0; i < ARRAY_LENGTH(limits); i++) {
        vt_err err = check_text(&limits[i], error);
        if (err != VT_OK) {
            return err;
        }
    }
    if (submit->key.size < KEY_BYTES_MIN || submit->key.size > KEY_BYTES_MAX) {
        return fail(error,
                    "key: has %" PRIu32 " bytes, %u to %u are allowed",
                    submit->key.size,
                    KEY_BYTES_MIN,
                    KEY_BYTES_MAX);
    }
    vt_err err = check_lists(submit, error);
    if (err != VT_OK) {
        return err;
    }
    uint32_t size = body_size(submit->attributes, submit->attribute_count, submit->text);
    if (size > BODY_BYTES_MAX) {
        return fail(error,
                    "text: too large, text and attributes have %" PRIu32 " bytes, %u are allowed",
                    size,
                    BODY_BYTES_MAX);
    }
    return VT_OK;
}
