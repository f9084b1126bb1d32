#ifndef CLI_DEMO_BOARD_H
#define CLI_DEMO_BOARD_H

/* What the demo's two threads know of each other: one runs the cluster and its agents, the other
 * is the citizens, who submit and cancel through a socket. Plain arrays are written by one thread
 * and read by the other after it ended, or below a count that was published after them.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/demo_tickets.h"
#include "lib/arena.h"
#include "lib/id.h"

enum demo_told { /* what of a ticket an agent has been told or has said */
    DEMO_TOLD_NOTHING,
    DEMO_TOLD_WORK,
    DEMO_TOLD_DONE
};

struct demo_board {
    const struct demo_tickets *tickets;
    uint64_t speed;       /* city's time / real time */
    int64_t threshold_us; /* of the service level, real time */

    /* by the citizens */
    int64_t *submitted_us;          /* CLOCK_BOOTTIME; of the first `released` tickets */
    struct ticket_id *acknowledged; /* zero: not acknowledged */
    atomic_int_fast64_t start_ms;   /* CLOCK_BOOTTIME of the first arrival; 0: not yet */
    atomic_uint_fast32_t released;  /* tickets 0.. have been submitted */
    atomic_uint_fast32_t acknowledged_count;
    atomic_uint_fast32_t refused_count;
    atomic_uint_fast32_t cancelled_count; /* by citizens who lost patience */
    atomic_bool is_over;                  /* nothing more will be submitted or cancelled */
    bool *cancelled;                      /* by ticket; read after the thread ended */

    /* by the agents */
    atomic_uchar *told; /* enum demo_told by ticket */
    atomic_uint_fast32_t done_count;

    atomic_bool must_end; /* the user asked for it, or it takes too long */
};

/* Cut from `arena`, which may be a measuring one. */
static inline void
demo_board_init(struct demo_board *board, struct arena *arena, const struct demo_tickets *tickets)
{
    board->tickets = tickets;
    board->submitted_us = ARENA_ARRAY(arena, int64_t, tickets->count);
    board->acknowledged = ARENA_ARRAY(arena, struct ticket_id, tickets->count);
    board->cancelled = ARENA_ARRAY(arena, bool, tickets->count);
    board->told = ARENA_ARRAY(arena, atomic_uchar, tickets->count);
}

/* The city's milliseconds in real ones, and back from real microseconds. */
static inline int64_t demo_board_real_ms(const struct demo_board *board, int64_t city_ms)
{
    return city_ms / (int64_t) board->speed;
}

static inline int64_t demo_board_city_ms(const struct demo_board *board, int64_t real_us)
{
    return (int64_t) ((double) real_us * (double) board->speed / 1000.0);
}

#endif
