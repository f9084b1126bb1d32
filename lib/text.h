#ifndef LIB_TEXT_H
#define LIB_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/bytes.h"
#include "lib/err.h"

/* An append-only text in the caller's buffer, without stdio and without locale. It is always
 * NUL-terminated. What does not fit is dropped and `truncated` is set; later appends are dropped
 * too, so a truncated text is always a prefix of the whole one, cut between two characters of
 * UTF-8.
 */
struct text {
    char *data;
    uint32_t size;     /* bytes before the terminator */
    uint32_t capacity; /* bytes of the buffer, terminator included */
    bool truncated;
};

/* `capacity` is the buffer's size in bytes, at least 1. */
void text_init(struct text *text, char *buffer, uint32_t capacity);

/* Empties it for the next use of the same buffer. */
void text_clear(struct text *text);

/* What was written, as a view; lives as long as the buffer is not written again. */
struct bytes text_bytes(const struct text *text);

void text_add(struct text *text, const char *addition);
void text_add_bytes(struct text *text, struct bytes addition);
void text_add_char(struct text *text, char addition);
void text_add_u64(struct text *text, uint64_t number);
void text_add_i64(struct text *text, int64_t number);

/* Decimal with leading zeros up to `width` digits (at most 20). */
void text_add_u64_padded(struct text *text, uint64_t number, uint32_t width);

/* `number` / 10^`decimals` with exactly that many decimals (0 to 18): 12345, 3 is "12.345". */
void text_add_decimal(struct text *text, int64_t number, uint32_t decimals);

/* Two lower-case hexadecimal digits per byte. */
void text_add_hex(struct text *text, const void *data, uint32_t size);

/* A JSON string with its quotes (RFC 8259 section 7). Bytes that are not UTF-8 become U+FFFD, so
 * the output is always valid JSON.
 */
void text_add_json_string(struct text *text, struct bytes addition);

/* Adds `,` if the text is not empty, then name="value" with the escapes of the Prometheus text
 * format. The value holds no line break (names never do).
 */
void text_add_label(struct text *text, const char *name, struct bytes value);

/* Spaces until the text's size is `column`; nothing when it is already there. */
void text_add_spaces_to(struct text *text, uint32_t column);

/* Decimal digits only: no sign, no blank, nothing behind.
 * VT_INVALID: not a number.  VT_TOO_LARGE: greater than `max`.
 */
VT_MUST_USE vt_err text_parse_u64(struct bytes digits, uint64_t max, uint64_t *out);

#endif
