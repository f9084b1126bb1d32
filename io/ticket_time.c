#include "io/ticket_time.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/text.h"

#define US_PER_S 1000000
#define FRACTION_DIGITS 6u
#define S_PER_MIN 60
#define MIN_PER_H 60

struct cursor {
    struct bytes rest;
    bool is_bad;
};

static bool next_is(struct cursor *cursor, char wanted)
{
    if (cursor->rest.size == 0 || cursor->rest.data[0] != (uint8_t) wanted) {
        return false;
    }
    cursor->rest = bytes_of(cursor->rest.data + 1, cursor->rest.size - 1);
    return true;
}

static void expect(struct cursor *cursor, char wanted)
{
    cursor->is_bad = !next_is(cursor, wanted) || cursor->is_bad;
}

/* Exactly `width` digits, at most `max`. */
static int digits(struct cursor *cursor, uint32_t width, uint64_t max)
{
    uint64_t value = 0;
    if (cursor->rest.size < width ||
        text_parse_u64(bytes_of(cursor->rest.data, width), max, &value) != VT_OK) {
        cursor->is_bad = true;
        return 0;
    }
    cursor->rest = bytes_of(cursor->rest.data + width, cursor->rest.size - width);
    return (int) value;
}

static int64_t fraction_us(struct cursor *cursor)
{
    int64_t us = 0;
    uint32_t count = 0;
    if (!next_is(cursor, '.')) {
        return 0;
    }
    while (cursor->rest.size > 0 && cursor->rest.data[0] >= '0' && cursor->rest.data[0] <= '9') {
        int digit = digits(cursor, 1, 9);
        us = count < FRACTION_DIGITS ? us * 10 + digit : us;
        count++;
    }
    cursor->is_bad = cursor->is_bad || count == 0;
    for (; count < FRACTION_DIGITS; count++) {
        us *= 10;
    }
    return us;
}

static int offset_s(struct cursor *cursor)
{
    if (next_is(cursor, 'Z') || next_is(cursor, 'z')) {
        return 0;
    }
    int sign = next_is(cursor, '-') ? -1 : 1;
    if (sign > 0) {
        expect(cursor, '+');
    }
    int hours = digits(cursor, 2, 23);
    expect(cursor, ':');
    return sign * S_PER_MIN * (hours * MIN_PER_H + digits(cursor, 2, 59));
}

vt_err ticket_time_parse(struct bytes text, int64_t *unix_us)
{
    struct cursor cursor = {.rest = text};
    struct tm at = {0};
    at.tm_year = digits(&cursor, 4, 9999) - 1900;
    expect(&cursor, '-');
    at.tm_mon = digits(&cursor, 2, 12) - 1;
    expect(&cursor, '-');
    at.tm_mday = digits(&cursor, 2, 31);
    if (!next_is(&cursor, 'T')) {
        expect(&cursor, ' ');
    }
    at.tm_hour = digits(&cursor, 2, 23);
    expect(&cursor, ':');
    at.tm_min = digits(&cursor, 2, 59);
    expect(&cursor, ':');
    at.tm_sec = digits(&cursor, 2, 60);
    int64_t us = fraction_us(&cursor);
    int offset = offset_s(&cursor);
    if (cursor.is_bad || cursor.rest.size > 0 || at.tm_year < 70 || at.tm_mon < 0 ||
        at.tm_mday < 1) {
        return VT_INVALID;
    }
    struct tm wanted = at;
    int64_t unix_s = (int64_t) timegm(&at);
    if (at.tm_mday != wanted.tm_mday || unix_s < offset) { /* 31 April moves on to 1 May */
        return VT_INVALID;
    }
    *unix_us = (unix_s - offset) * US_PER_S + us;
    return VT_OK;
}

void ticket_time_write(int64_t unix_us, char text[TICKET_TIME_BYTES])
{
    time_t unix_s = (time_t) (unix_us / US_PER_S);
    struct tm utc;
    if (gmtime_r(&unix_s, &utc) == NULL ||
        strftime(text, TICKET_TIME_BYTES, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0) {
        snprintf(text, TICKET_TIME_BYTES, "1970-01-01T00:00:00Z");
    }
}
