#ifndef IO_PROCESS_H
#define IO_PROCESS_H

/* What a process takes from the system: clocks, entropy, memory, signals, its log. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "lib/trace.h"

int64_t process_now_ms(void);  /* CLOCK_BOOTTIME */
int64_t process_now_us(void);  /* CLOCK_BOOTTIME */
int64_t process_wall_us(void); /* CLOCK_REALTIME, since 1970 UTC */

uint64_t process_random_u64(void); /* from the kernel */

/* Address space that costs memory only where it is touched; zero. Gives back VT_UNAVAILABLE. */
VT_MUST_USE vt_err process_reserve(uint64_t bytes, struct arena *arena);
void process_unreserve(struct arena *arena);

/* As many descriptors as the system allows: a connection is one, and the usual limit of 1,024 is
 * there for programs that select(). Where that fails the limit stays. */
void process_raise_descriptors(void);

/* SIGTERM, SIGINT and SIGHUP become readable on one descriptor. Must run before any thread is
 * started (libzmq's included), so that all inherit the mask. SIGPIPE is ignored. Returns -1 and
 * leaves errno on failure. */
int process_signals_open(void);
/* The next signal's number, or 0. */
int process_signals_next(int fd);

/* Writes to standard error, one line a record, time first (UTC, milliseconds). */
void process_log_open(struct trace *trace, enum trace_level level, const char *node);

#endif
