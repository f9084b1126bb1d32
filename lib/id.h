#ifndef LIB_ID_H
#define LIB_ID_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/bytes.h"
#include "lib/err.h"
#include "lib/random.h"

/* Ticket ids are UUIDv7 (RFC 9562 section 5.7):
 *
 *     hi: unix_ms 48 | version 7, 4 | birth partition 12 (rand_a)
 *     lo: variant 2, 2 | counter 22 | random 40
 *
 * The birth partition is a hint where to ask; the row's partition is the truth. Ids that one
 * source makes for one partition ascend strictly, whatever the wall clock does.
 */
struct ticket_id {
    uint64_t hi;
    uint64_t lo;
};

#define ID_BYTES 16U
#define ID_TEXT_SIZE 37U    /* 36 characters and the terminator */
#define ID_SHORT_SIZE 9U    /* "K7F3-QDX" and the terminator */
#define ID_PARTITIONS 4096U /* partitions are below this */

struct id_source {
    struct random random;
    int64_t last_unix_ms;
    uint32_t counter;
};

/* `seed` from entropy: two sources in the world must not share one. */
void id_source_init(struct id_source *source, uint64_t seed);

/* `unix_ms` is wall clock, at least 0; when it has not moved on, or went back, the last one is
 * used and the counter goes up. `partition` below ID_PARTITIONS.
 */
struct ticket_id id_next(struct id_source *source, int64_t unix_ms, uint32_t partition);

uint32_t id_partition(struct ticket_id id);
int64_t id_unix_ms(struct ticket_id id);

/* Less than, equal to or greater than 0, in the order of the bytes. */
int id_compare(struct ticket_id a, struct ticket_id b);
bool id_equal(struct ticket_id a, struct ticket_id b);
bool id_is_zero(struct ticket_id id);

/* Big-endian, as the store and the wire have them. */
void id_to_bytes(struct ticket_id id, uint8_t bytes[ID_BYTES]);
struct ticket_id id_from_bytes(const uint8_t bytes[ID_BYTES]);

/* The canonical 36 characters in lower case, NUL-terminated. */
void id_to_text(struct ticket_id id, char text[ID_TEXT_SIZE]);

/* Any case; VT_INVALID: not 36 characters of the canonical form. Any UUID version is let through,
 * since a wrong one is simply not found.
 */
VT_MUST_USE vt_err id_from_text(struct bytes text, struct ticket_id *out);

/* The short form for people: the last 30 bits in Crockford's base 32 and a check character, as
 * "K7F3-QDX". It does not name a ticket alone; it is searched for among recent ones.
 */
void id_to_short(struct ticket_id id, char text[ID_SHORT_SIZE]);

/* Reads a typed-in short form: any case, O as 0, I and L as 1, hyphens and blanks ignored. *bits is
 * what id_short_bits() gives for the ids meant.
 * VT_INVALID: wrong length or letter, or the check character does not fit (a slip of one character
 * or of two neighbours is always found).
 */
VT_MUST_USE vt_err id_short_parse(struct bytes text, uint32_t *bits);
uint32_t id_short_bits(struct ticket_id id);
bool id_short_matches(struct ticket_id id, uint32_t bits);

#endif
