#ifndef LIB_BYTES_H
#define LIB_BYTES_H

#include <stdbool.h>
#include <stdint.h>

struct arena;

/* A borrowed view of bytes, also used for text; text is not NUL-terminated.
 * {NULL, 0} is the empty one. Lifetime: the owner's, see where it comes from.
 */
struct bytes {
    const uint8_t *data;
    uint32_t size;
};

/* Of a NUL-terminated text; NULL gives the empty view. The terminator is not part of it. */
struct bytes bytes_of_text(const char *text);

/* Of `size` bytes at any object. */
struct bytes bytes_of(const void *data, uint32_t size);

bool bytes_equal(struct bytes a, struct bytes b);
bool bytes_equal_text(struct bytes a, const char *text);

/* Less than, equal to or greater than 0, by unsigned bytes, a prefix first. */
int bytes_compare(struct bytes a, struct bytes b);

/* Strict UTF-8 of RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
 * A NUL byte is valid UTF-8; ask bytes_has_nul() as well.
 */
bool bytes_is_utf8(struct bytes text);

/* The length of the one character that `text` begins with, 1 to 4; 0 when it begins with none. */
uint32_t bytes_utf8_length(struct bytes text);

bool bytes_has_nul(struct bytes text);

/* Returns a copy in the arena, with a NUL behind it that is not counted. CHECKs on exhaustion;
 * the empty view while measuring.
 */
struct bytes bytes_copy(struct arena *arena, struct bytes source);

/* As bytes_copy(), but *out is untouched and false is returned when the arena has no room. */
bool bytes_try_copy(struct arena *arena, struct bytes source, struct bytes *out);

#endif
