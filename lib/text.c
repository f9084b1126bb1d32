#include "lib/text.h"

#include <string.h>

#include "lib/check.h"

void text_init(struct text *text, char *buffer, uint32_t capacity)
{
    CHECK(capacity >= 1);
    buffer[0] = '\0';
    *text = (struct text){.data = buffer, .capacity = capacity};
}

void text_clear(struct text *text)
{
    text_init(text, text->data, text->capacity);
}

struct bytes text_bytes(const struct text *text)
{
    return bytes_of(text->data, text->size);
}

/* A prefix that does not end inside a character. Only the tail is looked at; of bytes that are
 * not UTF-8 at most three are lost.
 */
static uint32_t whole_characters(struct bytes addition, uint32_t size)
{
    uint32_t back = 0;
    while (back < 3 && back < size && (addition.data[size - back] & 0xC0) == 0x80) {
        back++;
    }
    return size - back;
}

void text_add_bytes(struct text *text, struct bytes addition)
{
    if (text->truncated || addition.size == 0) {
        return;
    }

    uint32_t room = text->capacity - 1U - text->size;
    uint32_t size = addition.size;
    if (size > room) {
        size = whole_characters(addition, room);
        text->truncated = true;
    }
    memcpy(text->data + text->size, addition.data, size);
    text->size += size;
    text->data[text->size] = '\0';
}

void text_add(struct text *text, const char *addition)
{
    text_add_bytes(text, bytes_of_text(addition));
}

void text_add_char(struct text *text, char addition)
{
    text_add_bytes(text, bytes_of(&addition, 1));
}

void text_add_u64_padded(struct text *text, uint64_t number, uint32_t width)
{
    char digits[20];
    CHECK(width <= sizeof digits);

    uint32_t start = (uint32_t) sizeof digits;
    while (number > 0 || start > sizeof digits - width) {
        start--;
        digits[start] = (char) ('0' + (int) (number % 10U));
        number /= 10U;
    }
    text_add_bytes(text, bytes_of(digits + start, (uint32_t) sizeof digits - start));
}

void text_add_u64(struct text *text, uint64_t number)
{
    text_add_u64_padded(text, number, 1);
}

/* The distance from 0, also of INT64_MIN. */
static uint64_t magnitude(int64_t number)
{
    return number < 0 ? UINT64_C(0) - (uint64_t) number : (uint64_t) number;
}

void text_add_i64(struct text *text, int64_t number)
{
    if (number < 0) {
        text_add_char(text, '-');
    }
    text_add_u64(text, magnitude(number));
}

void text_add_decimal(struct text *text, int64_t number, uint32_t decimals)
{
    CHECK(decimals <= 18);
    uint64_t unit = 1;
    for (uint32_t i = 0; i < decimals; i++) {
        unit *= 10U;
    }

    if (number < 0) {
        text_add_char(text, '-');
    }
    text_add_u64(text, magnitude(number) / unit);
    if (decimals > 0) {
        text_add_char(text, '.');
        text_add_u64_padded(text, magnitude(number) % unit, decimals);
    }
}

void text_add_hex(struct text *text, const void *data, uint32_t size)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = data;
    for (uint32_t i = 0; i < size; i++) {
        text_add_char(text, digits[bytes[i] >> 4]);
        text_add_char(text, digits[bytes[i] & 0x0F]);
    }
}

/* What must be escaped, and DEL, which terminals do not like. */
static bool is_plain_json(uint8_t byte)
{
    return byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\';
}

static char escape_letter(uint8_t byte)
{
    static const char escaped[] = "\b\t\n\f\r\"\\";
    static const char letters[] = "btnfr\"\\";
    const char *found = byte == 0 ? NULL : strchr(escaped, (char) byte);
    char letter = '\0';
    if (found != NULL) {
        letter = letters[found - escaped];
    }
    return letter;
}

static void add_json_escape(struct text *text, uint8_t byte)
{
    static const char digits[] = "0123456789abcdef";
    char escape[6] = {'\\', escape_letter(byte)};
    uint32_t size = 2;
    if (escape[1] == '\0') {
        escape[1] = 'u';
        escape[2] = '0';
        escape[3] = '0';
        escape[4] = digits[byte >> 4];
        escape[5] = digits[byte & 0x0F];
        size = 6;
    }
    if (text->capacity - 1U - text->size < size) {
        text->truncated = true; /* rather than to end inside an escape */
        return;
    }
    text_add_bytes(text, bytes_of(escape, size));
}

/* Adds the longest plain run, or one escaped or foreign character; returns the bytes used up. */
static uint32_t add_json_piece(struct text *text, struct bytes addition)
{
    uint32_t plain = 0;
    while (plain < addition.size && is_plain_json(addition.data[plain])) {
        plain++;
    }
    if (plain > 0) {
        text_add_bytes(text, bytes_of(addition.data, plain));
        return plain;
    }
    if (addition.data[0] < 0x80) {
        add_json_escape(text, addition.data[0]);
        return 1;
    }

    uint32_t length = bytes_utf8_length(addition);
    if (length == 0) {
        text_add(text, "\xEF\xBF\xBD");
        return 1;
    }
    text_add_bytes(text, bytes_of(addition.data, length));
    return length;
}

void text_add_json_string(struct text *text, struct bytes addition)
{
    text_add_char(text, '"');
    while (addition.size > 0) {
        uint32_t used = add_json_piece(text, addition);
        addition.data += used;
        addition.size -= used;
    }
    text_add_char(text, '"');
}

void text_add_label(struct text *text, const char *name, struct bytes value)
{
    if (text->size > 0) {
        text_add_char(text, ',');
    }
    text_add(text, name);
    text_add(text, "=\"");
    for (uint32_t i = 0; i < value.size; i++) {
        char c = (char) value.data[i];
        if (c == '"' || c == '\\') {
            text_add_char(text, '\\');
        }
        text_add_char(text, c);
    }
    text_add_char(text, '"');
}

void text_add_spaces_to(struct text *text, uint32_t column)
{
    while (text->size < column && !text->truncated) {
        text_add_char(text, ' ');
    }
}

vt_err text_parse_u64(struct bytes digits, uint64_t max, uint64_t *out)
{
    if (digits.size == 0) {
        return VT_INVALID;
    }
    for (uint32_t i = 0; i < digits.size; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9') {
            return VT_INVALID;
        }
    }

    uint64_t number = 0;
    for (uint32_t i = 0; i < digits.size; i++) {
        uint64_t digit = (uint64_t) (digits.data[i] - '0');
        if (number > (UINT64_MAX - digit) / 10U) {
            return VT_TOO_LARGE;
        }
        number = number * 10U + digit;
    }
    if (number > max) {
        return VT_TOO_LARGE;
    }
    *out = number;
    return VT_OK;
}
