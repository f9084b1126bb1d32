#ifndef AGENTD_WORK_H
#define AGENTD_WORK_H

/* The tickets at this site, one row each, from the reservation until the owner's final answer: a
 * table and its timers. What moves a row from state to state is owner.c (offers, confirmations,
 * verdicts), desk.c (results) and agentd.c (what the journal has written).
 *
 *     OFFER -> [ASKED ->] ACCEPTED -> JOURNALLING -> WORKING -> ENDING -> ENDED -> DROPPING -> gone
 *                                       AWAITING ----^
 */

#include <stdbool.h>
#include <stdint.h>

#include "agentd/journal.h"
#include "lib/arena.h"
#include "lib/backoff.h"
#include "lib/map.h"
#include "lib/slab.h"
#include "lib/timers.h"
#include "proto/message.h"

#define WORK_NONE UINT32_MAX
#define WORK_AGENT_NONE UINT32_MAX

/* Everything variable of a CONFIRM, or the whole journal value of an OUTCOME. */
#define WORK_BUFFER_BYTES (BODY_BYTES_MAX + REQUIREMENTS_BYTES_MAX + 512u)

enum work_state {
    WORK_ASKED,       /* reserved; the desk is asked */
    WORK_ACCEPTED,    /* reserved; ACCEPT is repeated until CONFIRM, RELEASE or the deadline */
    WORK_JOURNALLING, /* CONFIRM came; JOURNAL_WORKING is being written */
    WORK_AWAITING,    /* in the journal, but its payload is not here (restart, desk lost):
                         ACCEPT is repeated until CONFIRM brings it, or RELEASE */
    WORK_WORKING,     /* the desk has it */
    WORK_ENDING,      /* the outcome is being journalled */
    WORK_ENDED,       /* OUTCOME is repeated until its VERDICT; the slot is free again */
    WORK_DROPPING     /* leaves the journal; not found by its ticket any more */
};
#define WORK_STATE_COUNT 8

struct work_row {
    enum work_state state;
    struct ticket_id ticket;
    uint32_t part;
    uint32_t attempt;
    uint32_t agent;    /* index of the agents file, or WORK_AGENT_NONE: not known here */
    uint32_t agent_id; /* as on the wire */
    uint64_t offer;
    uint64_t epoch;      /* of the offer */
    int64_t deadline_ms; /* of the reservation; NO_DEADLINE: none */
    uint32_t seen;       /* number of the requester's last message that the desk was given */
    bool has_slot;       /* counts in slots.c */
    bool is_released;    /* JOURNALLING: RELEASE came meanwhile */
    struct backoff backoff;
    struct confirm confirm; /* JOURNALLING, WORKING; views into the row's buffer */
    struct outcome outcome; /* ENDING, ENDED; views into the row's buffer */
    struct bytes blob;      /* ENDING, ENDED: the journal value, in the row's buffer */
};

struct work {
    struct work_row *rows;
    uint8_t *buffers; /* WORK_BUFFER_BYTES a row */
    struct slab slab;
    struct map by_ticket;
    struct timers timers; /* repeat or deadline, by row */
    uint32_t capacity;
    uint32_t counts[WORK_STATE_COUNT];
};

/* `capacity`: slots and unanswered outcomes together. A slot's row becomes its outcome's row, so a
 * finished ticket never lacks room; when the table is full nothing new is accepted. `work` must
 * not move afterwards. */
void work_init(struct work *work, struct arena *arena, uint32_t capacity, uint64_t seed);

/* Adds a zeroed row of this ticket. VT_FULL: no row is free.  VT_CONFLICT: the ticket has one. */
VT_MUST_USE vt_err work_add(struct work *work,
                            struct ticket_id ticket,
                            enum work_state state,
                            uint32_t *row);

/* The ticket's row, or WORK_NONE. DROPPING rows are not found. */
uint32_t work_find(const struct work *work, struct ticket_id ticket);

struct work_row *work_get(const struct work *work, uint32_t row);

/* DROPPING takes the row's ticket out of the index. Clears the timer. */
void work_set_state(struct work *work, uint32_t row, enum work_state state);

void work_remove(struct work *work, uint32_t row);

/* Copies what the views of `confirm` point at. False: larger than the limits allow. */
VT_MUST_USE bool work_keep_confirm(struct work *work, uint32_t row, const struct confirm *confirm);

/* Makes the row's outcome and its journal value. The text is at most BODY_BYTES_MAX (CHECK); a note
 * is cut to what fits beside it. */
void work_keep_outcome(struct work *work, uint32_t row, const struct outcome *outcome);

/* Of rows in [0, work_row_end()) those that are in use, ascending. */
uint32_t work_next(const struct work *work, uint32_t from);

/* What the owner of its part is told that this site holds. False: nothing (not accepted yet). */
bool work_is_held(const struct work_row *row, struct held *held);

uint32_t work_count(const struct work *work, enum work_state state);
uint32_t work_held_count(const struct work *work);

const char *work_state_text(enum work_state state);

#endif
