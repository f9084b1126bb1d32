#ifndef IO_TICKET_TIME_H
#define IO_TICKET_TIME_H

/* Instants as texts (RFC 3339), both ways. */

#include <stdint.h>

#include "lib/bytes.h"
#include "lib/err.h"

#define TICKET_TIME_BYTES 40u

/* "2026-01-31T08:00:00Z", with a fraction of a second or an offset as +02:00 if wanted.
 * VT_INVALID: not of that form, or before 1970. */
VT_MUST_USE vt_err ticket_time_parse(struct bytes text, int64_t *unix_us);

/* In UTC, to the second. */
void ticket_time_write(int64_t unix_us, char text[TICKET_TIME_BYTES]);

#endif
