#ifndef CLI_DEMO_TICKETS_H
#define CLI_DEMO_TICKETS_H

/* The tickets of a demo: read from a file of JSON lines
 * {"at": "2024-01-15T18:44:48Z", "service": "...", "kind": "...", "text": "..."}, sorted by
 * arrival, with everything drawn that the data does not say. Other fields are left out.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/bytes.h"
#include "lib/err.h"
#include "proto/message.h"

#define DEMO_SEED UINT64_C(20240115)
#define DEMO_TICKETS_MAX 4000000u

struct demo_ticket {
    int64_t at_ms; /* city's time since the first arrival */
    struct bytes at;
    struct bytes service;
    struct bytes kind; /* may be empty */
    struct bytes text;
    uint32_t line; /* in the file, from 1 */
    uint32_t pool; /* where the plan sends it; index into the plan's pools */
    /* drawn */
    const char *language;
    enum channel channel;
    uint32_t priority;   /* PRIORITY_ABSENT: the plan's */
    int64_t handle_ms;   /* city's time */
    int64_t patience_ms; /* city's time; waits longer: the citizen cancels */
    char *memory;
};

struct demo_tickets {
    struct demo_ticket *list;
    uint32_t count;
    uint32_t capacity;
    uint64_t refused;      /* lines of the file */
    int64_t first_unix_ms; /* arrival of the first */
    int64_t span_ms;       /* from the first arrival to the last, city's time */
    int64_t handle_median_ms;
};

/* "-" is standard input. Bad lines go to standard error as FILE:LINE: reason and are left out.
 * VT_NOT_FOUND: no such file.  VT_INVALID: it cannot be read, or not one line is a ticket. Both are
 * said on standard error. Close in every case. */
VT_MUST_USE vt_err demo_tickets_load(struct demo_tickets *tickets, const char *path);
void demo_tickets_close(struct demo_tickets *tickets);

/* What of a ticket goes out with it. `attributes` has DEMO_ATTRIBUTES of them, `number` room for
 * its number as text; both must live as long as the submit. */
#define DEMO_ATTRIBUTES 4u
#define DEMO_NUMBER_BYTES 12u
#define DEMO_KEY_BYTES 24u
void demo_tickets_describe(const struct demo_tickets *tickets,
                           uint32_t number,
                           struct attribute attributes[DEMO_ATTRIBUTES],
                           char text[DEMO_NUMBER_BYTES]);
/* The idempotency key of ticket `number`, NUL-terminated, and back (UINT32_MAX: none of ours). */
void demo_tickets_key(uint32_t number, char key[DEMO_KEY_BYTES]);
uint32_t demo_tickets_number(struct bytes key);

/* A coin for ticket `number`, the same in every run: true in `percent` of 100. `salt` tells coins
 * apart. */
#define DEMO_SALT_DECLINE 1u
#define DEMO_SALT_GIVE_BACK 2u
bool demo_tickets_coin(uint32_t number, uint64_t salt, uint32_t percent);

#endif
