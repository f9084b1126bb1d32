#ifndef LIB_TIMERS_H
#define LIB_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/heap.h"

struct arena;

/* One deadline for each of `capacity` rows. Times are CLOCK_BOOTTIME milliseconds as events carry
 * them; this never asks a clock.
 */
#ifndef NO_DEADLINE
#define NO_DEADLINE INT64_MAX
#endif

struct timers {
    struct heap heap;
};

void timers_init(struct timers *timers, struct arena *arena, uint32_t capacity);

/* Sets or moves the row's deadline; NO_DEADLINE clears it. */
void timers_set(struct timers *timers, uint32_t row, int64_t deadline_ms);

/* Nothing happens when none is set. */
void timers_clear(struct timers *timers, uint32_t row);

/* The row's deadline, or NO_DEADLINE. */
int64_t timers_deadline_ms(const struct timers *timers, uint32_t row);

/* The earliest deadline of all, or NO_DEADLINE. */
int64_t timers_next_ms(const struct timers *timers);

/* Takes out one row whose deadline is at or before `now_ms`: earliest first, equal ones in
 * ascending row order. False: none is due.
 */
bool timers_pop_due(struct timers *timers, int64_t now_ms, uint32_t *row);

uint32_t timers_count(const struct timers *timers);

#endif
