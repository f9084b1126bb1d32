#include "lib/options_value.h"

#include <stddef.h>
#include <string.h>

#include "lib/check.h"

struct duration_unit {
    const char *name;
    uint64_t unit_ms;
};

static const struct duration_unit duration_units[] = {
    {"d", 86400000},
    {"h", 3600000},
    {"m", 60000},
    {"s", 1000},
    {"ms", 1},
    {"", 1000},
};

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

vt_err options_parse_duration(struct bytes text, int64_t *ms)
{
    uint32_t digits = 0;
    while (digits < text.size && is_digit(text.data[digits])) {
        digits++;
    }
    uint64_t number = 0;
    vt_err err = text_parse_u64(bytes_of(text.data, digits), UINT64_MAX, &number);
    if (err != VT_OK) {
        return err;
    }

    struct bytes unit = bytes_of(text.data + digits, text.size - digits);
    for (uint32_t i = 0; i < ARRAY_LENGTH(duration_units); i++) {
        if (!bytes_equal_text(unit, duration_units[i].name)) {
            continue;
        }
        if (number > (uint64_t) INT64_MAX / duration_units[i].unit_ms) {
            return VT_TOO_LARGE;
        }
        *ms = (int64_t) (number * duration_units[i].unit_ms);
        return VT_OK;
    }
    return VT_INVALID;
}

/* The place of the last colon, or the size when there is none. */
static uint32_t last_colon(struct bytes text)
{
    for (uint32_t i = text.size; i > 0; i--) {
        if (text.data[i - 1U] == ':') {
            return i - 1U;
        }
    }
    return text.size;
}

static bool is_host(struct bytes host)
{
    if (host.size > 253 || bytes_has_nul(host)) {
        return false;
    }
    bool is_bracketed = host.size >= 4 && host.data[0] == '[' && host.data[host.size - 1U] == ']';
    for (uint32_t i = is_bracketed ? 1 : 0; i < host.size - (is_bracketed ? 1U : 0U); i++) {
        uint8_t byte = host.data[i];
        if (byte <= ' ' || byte >= 0x7F || byte == '/' || byte == '[' || byte == ']' ||
            (byte == ':' && !is_bracketed)) {
            return false;
        }
    }
    return true;
}

vt_err options_check_address(struct bytes text)
{
    uint32_t colon = last_colon(text);
    if (colon == text.size) {
        return VT_INVALID;
    }
    uint64_t port = 0;
    struct bytes digits = bytes_of(text.data + colon + 1U, text.size - colon - 1U);
    if (text_parse_u64(digits, 65535, &port) != VT_OK || digits.size > 5) {
        return VT_INVALID;
    }
    return is_host(bytes_of(text.data, colon)) ? VT_OK : VT_INVALID;
}

/* The row's names are ASCII. */
static char environment_letter(char letter)
{
    static const char lower[] = "abcdefghijklmnopqrstuvwxyz-";
    static const char upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    const char *found = strchr(lower, letter);
    if (found == NULL) {
        return letter;
    }
    return upper[found - lower];
}

void options_value_environment_name(const struct options_row *row, struct text *out)
{
    text_add(out, "VENTANILLA_");
    for (const char *at = row->name; *at != '\0'; at++) {
        text_add_char(out, environment_letter(*at));
    }
}

struct bytes options_value_choice(const char *choices, uint32_t index)
{
    const char *start = choices;
    for (uint32_t i = 0; i < index; i++) {
        start = strchr(start, '|');
        CHECK(start != NULL);
        start++;
    }
    const char *end = strchr(start, '|');
    size_t size = end == NULL ? strlen(start) : (size_t) (end - start);
    return bytes_of(start, (uint32_t) size);
}

uint32_t options_value_choice_count(const char *choices)
{
    uint32_t count = 1;
    for (const char *at = choices; *at != '\0'; at++) {
        count += *at == '|';
    }
    return count;
}

static vt_err store_text(const struct options_row *row, const char *typed, void *at)
{
    size_t size = strlen(typed);
    if (row->max != 0 && (size < row->min || size > row->max)) {
        return VT_INVALID;
    }
    memcpy(at, &typed, sizeof typed);
    return VT_OK;
}

static vt_err store_u64(const struct options_row *row, const char *typed, void *at)
{
    uint64_t max = row->max == 0 ? UINT64_MAX : row->max;
    uint64_t number = 0;
    if (text_parse_u64(bytes_of_text(typed), max, &number) != VT_OK || number < row->min) {
        return VT_INVALID;
    }
    memcpy(at, &number, sizeof number);
    return VT_OK;
}

static vt_err store_duration(const struct options_row *row, const char *typed, void *at)
{
    uint64_t max = row->max == 0 ? INT64_MAX : row->max;
    int64_t ms = 0;
    if (options_parse_duration(bytes_of_text(typed), &ms) != VT_OK || (uint64_t) ms < row->min ||
        (uint64_t) ms > max) {
        return VT_INVALID;
    }
    memcpy(at, &ms, sizeof ms);
    return VT_OK;
}

static vt_err store_choice(const struct options_row *row, const char *typed, void *at)
{
    uint32_t count = options_value_choice_count(row->choices);
    for (uint32_t i = 0; i < count; i++) {
        if (bytes_equal_text(options_value_choice(row->choices, i), typed)) {
            memcpy(at, &i, sizeof i);
            return VT_OK;
        }
    }
    return VT_INVALID;
}

static vt_err
store_item(const struct options_row *row, struct bytes item, struct options_list *list)
{
    if (item.size == 0 ||
        (row->kind == OPTIONS_ADDRESSES && options_check_address(item) != VT_OK)) {
        return VT_INVALID;
    }
    if (list->count == OPTIONS_LIST_MAX) {
        return VT_FULL;
    }
    list->items[list->count] = item;
    list->count++;
    return VT_OK;
}

static vt_err
store_list(const struct options_row *row, const char *typed, struct options_list *list)
{
    const char *start = typed;
    while (start != NULL) {
        const char *comma = strchr(start, ',');
        size_t size = comma == NULL ? strlen(start) : (size_t) (comma - start);
        vt_err err = store_item(row, bytes_of(start, (uint32_t) size), list);
        if (err != VT_OK) {
            return err;
        }
        start = comma == NULL ? NULL : comma + 1;
    }
    return VT_OK;
}

static vt_err store_flag(const char *typed, void *at)
{
    bool is_on = strcmp(typed, "1") == 0 || strcmp(typed, "true") == 0 || strcmp(typed, "yes") == 0;
    bool is_off =
        strcmp(typed, "0") == 0 || strcmp(typed, "false") == 0 || strcmp(typed, "no") == 0;
    if (!is_on && !is_off) {
        return VT_INVALID;
    }
    memcpy(at, &is_on, sizeof is_on);
    return VT_OK;
}

vt_err options_value_store(const struct options_row *row, const char *typed, void *values)
{
    void *at = (uint8_t *) values + row->offset;
    switch (row->kind) {
    case OPTIONS_FLAG:
        return store_flag(typed, at);
    case OPTIONS_TEXT:
        return store_text(row, typed, at);
    case OPTIONS_U64:
        return store_u64(row, typed, at);
    case OPTIONS_DURATION:
        return store_duration(row, typed, at);
    case OPTIONS_CHOICE:
        return store_choice(row, typed, at);
    case OPTIONS_ADDRESS:
        if (options_check_address(bytes_of_text(typed)) != VT_OK) {
            return VT_INVALID;
        }
        memcpy(at, &typed, sizeof typed);
        return VT_OK;
    case OPTIONS_ADDRESSES:
    case OPTIONS_TEXTS:
        return store_list(row, typed, at);
    }
    CHECK(row->kind <= OPTIONS_TEXTS);
    return VT_INVALID;
}

/* The shortest way to write it: 90000 is "90s", 3600000 is "1h". */
static void add_duration(struct text *out, uint64_t ms)
{
    for (uint32_t i = 0; i < ARRAY_LENGTH(duration_units) - 1U; i++) {
        if (ms % duration_units[i].unit_ms == 0 && (ms > 0 || duration_units[i].unit_ms == 1000)) {
            text_add_u64(out, ms / duration_units[i].unit_ms);
            text_add(out, duration_units[i].name);
            return;
        }
    }
}

static void add_bound(const struct options_row *row, uint64_t bound, struct text *out)
{
    if (row->kind == OPTIONS_DURATION) {
        add_duration(out, bound);
    } else {
        text_add_u64(out, bound);
    }
}

static void add_bounds(const struct options_row *row, struct text *out)
{
    if (row->max != 0) {
        text_add(out, " from ");
        add_bound(row, row->min, out);
        text_add(out, " to ");
        add_bound(row, row->max, out);
    } else if (row->min != 0) {
        text_add(out, " of at least ");
        add_bound(row, row->min, out);
    }
}

static void add_choices(const struct options_row *row, struct text *out)
{
    uint32_t count = options_value_choice_count(row->choices);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) {
            text_add(out, i + 1U == count ? " or " : ", ");
        }
        text_add_bytes(out, options_value_choice(row->choices, i));
    }
}

void options_value_expected(const struct options_row *row, struct text *out)
{
    switch (row->kind) {
    case OPTIONS_FLAG:
        text_add(out, "true or false");
        break;
    case OPTIONS_TEXT:
        text_add(out, "a text");
        if (row->max != 0) {
            add_bounds(row, out);
            text_add(out, " bytes long");
        }
        break;
    case OPTIONS_U64:
        text_add(out, "a number");
        add_bounds(row, out);
        break;
    case OPTIONS_DURATION:
        text_add(out, "a duration like 250ms, 20s, 5m or 2h");
        add_bounds(row, out);
        break;
    case OPTIONS_CHOICE:
        add_choices(row, out);
        break;
    case OPTIONS_ADDRESS:
        text_add(out, "HOST:PORT");
        break;
    case OPTIONS_ADDRESSES:
        text_add(out, "HOST:PORT[,HOST:PORT...]");
        break;
    case OPTIONS_TEXTS:
        text_add(out, "texts with commas between them");
        break;
    }
}
