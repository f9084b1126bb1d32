#include "lib/bytes.h"

#include <string.h>

#include "lib/arena.h"
#include "lib/check.h"

struct bytes bytes_of_text(const char *text)
{
    size_t size = text == NULL ? 0 : strlen(text);
    CHECK(size <= UINT32_MAX);
    return bytes_of(text, (uint32_t) size);
}

struct bytes bytes_of(const void *data, uint32_t size)
{
    return (struct bytes){.data = data, .size = size};
}

bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

bool bytes_equal_text(struct bytes a, const char *text)
{
    return bytes_equal(a, bytes_of_text(text));
}

int bytes_compare(struct bytes a, struct bytes b)
{
    uint32_t common = a.size < b.size ? a.size : b.size;
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);
    if (order != 0) {
        return order;
    }
    return (a.size > b.size) - (a.size < b.size);
}

/* The well-formed sequences of RFC 3629 section 4, by their first byte: the length, and the range
 * of the second byte. All further bytes are 80..BF.
 */
struct utf8_row {
    uint8_t first_low;
    uint8_t first_high;
    uint8_t second_low;
    uint8_t second_high;
    uint8_t length;
};

static const struct utf8_row utf8_rows[] = {
    {0xC2, 0xDF, 0x80, 0xBF, 2},
    {0xE0, 0xE0, 0xA0, 0xBF, 3},
    {0xE1, 0xEC, 0x80, 0xBF, 3},
    {0xED, 0xED, 0x80, 0x9F, 3},
    {0xEE, 0xEF, 0x80, 0xBF, 3},
    {0xF0, 0xF0, 0x90, 0xBF, 4},
    {0xF1, 0xF3, 0x80, 0xBF, 4},
    {0xF4, 0xF4, 0x80, 0x8F, 4},
};

static const struct utf8_row *utf8_row_of(uint8_t first)
{
    for (uint32_t i = 0; i < ARRAY_LENGTH(utf8_rows); i++) {
        if (first >= utf8_rows[i].first_low && first <= utf8_rows[i].first_high) {
            return &utf8_rows[i];
        }
    }
    return NULL;
}

uint32_t bytes_utf8_length(struct bytes text)
{
    if (text.size == 0) {
        return 0;
    }
    if (text.data[0] < 0x80) {
        return 1;
    }

    const struct utf8_row *row = utf8_row_of(text.data[0]);
    if (row == NULL || text.size < row->length) {
        return 0;
    }
    if (text.data[1] < row->second_low || text.data[1] > row->second_high) {
        return 0;
    }
    for (uint32_t i = 2; i < row->length; i++) {
        if ((text.data[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return row->length;
}

/* Length of the ASCII that `text` begins with; eight bytes at a time, since most text is. */
static uint32_t ascii_length(struct bytes text)
{
    uint32_t length = 0;
    while (text.size - length >= sizeof(uint64_t)) {
        uint64_t word = 0;
        memcpy(&word, text.data + length, sizeof word);
        if ((word & UINT64_C(0x8080808080808080)) != 0) {
            break;
        }
        length += (uint32_t) sizeof word;
    }
    while (length < text.size && text.data[length] < 0x80) {
        length++;
    }
    return length;
}

bool bytes_is_utf8(struct bytes text)
{
    while (text.size > 0) {
        uint32_t ascii = ascii_length(text);
        text.data += ascii;
        text.size -= ascii;
        if (text.size == 0) {
            return true;
        }

        uint32_t length = bytes_utf8_length(text);
        if (length == 0) {
            return false;
        }
        text.data += length;
        text.size -= length;
    }
    return true;
}

bool bytes_has_nul(struct bytes text)
{
    return text.size > 0 && memchr(text.data, 0, text.size) != NULL;
}

bool bytes_try_copy(struct arena *arena, struct bytes source, struct bytes *out)
{
    uint8_t *copy = arena_try_take(arena, (uint64_t) source.size + 1U, 1);
    if (copy == NULL) {
        return false;
    }
    if (source.size > 0) {
        memcpy(copy, source.data, source.size);
    }
    copy[source.size] = 0;
    *out = bytes_of(copy, source.size);
    return true;
}

struct bytes bytes_copy(struct arena *arena, struct bytes source)
{
    struct bytes copy = {0};
    bool copied = bytes_try_copy(arena, source, &copy);
    CHECK(copied || arena_is_measuring(arena));
    return copy;
}
