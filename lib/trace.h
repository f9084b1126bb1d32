#ifndef LIB_TRACE_H
#define LIB_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/bytes.h"
#include "lib/id.h"
#include "lib/text.h"

/* Write-only records of decisions and faults: the log in production, the golden trace in tests.
 *
 *     trace_event(trace, TRACE_WARN, "offer.expired");
 *     trace_id(trace, "ticket", ticket);
 *     trace_text(trace, "agent", "ana");
 *     trace_ms(trace, "waited", waited_ms);
 *     trace_end(trace);
 *
 * writes `warn offer.expired ticket=01904... agent=ana waited_ms=5000`. The host puts the time in
 * front. A record above the wanted level costs one branch per call. A text with anything but
 * printable ASCII, or with blanks, quotes or `=`, is written as a JSON string. Never a ticket's
 * body.
 */
enum trace_level {
    TRACE_ERROR,
    TRACE_WARN,
    TRACE_INFO,
    TRACE_DEBUG
};

#define TRACE_LINE_BYTES 1024U

/* `line` is NUL-terminated too, without a newline, and valid during the call. */
typedef void trace_write_fn(void *context, enum trace_level level, const char *line, uint32_t size);

struct trace {
    enum trace_level level;   /* records above it are not written; may be set at any time */
    enum trace_level current; /* of the open record */
    bool is_open;             /* a record is being written */
    struct text line;
    trace_write_fn *write; /* NULL: nothing is ever written */
    void *context;
    char buffer[TRACE_LINE_BYTES];
};

/* A zeroed struct trace is valid and silent. The struct must not be copied after this. */
void trace_init(struct trace *trace, enum trace_level level, trace_write_fn *write, void *context);

/* "error", "warn", "info", "debug". */
const char *trace_level_text(enum trace_level level);

/* VT_INVALID: not one of the four. */
VT_MUST_USE vt_err trace_level_parse(struct bytes text, enum trace_level *level);

/* These do the work for the inline guards below; do not call them. */
void trace_open_record(struct trace *trace, enum trace_level level, const char *event);
void trace_add_id(struct trace *trace, const char *key, struct ticket_id id);
void trace_add_bytes(struct trace *trace, const char *key, struct bytes value);
void trace_add_u64(struct trace *trace, const char *key, uint64_t value);
void trace_add_i64(struct trace *trace, const char *key, int64_t value);
void trace_add_ms(struct trace *trace, const char *key, int64_t value_ms);
void trace_close_record(struct trace *trace);

static inline bool trace_wants(const struct trace *trace, enum trace_level level)
{
    return level <= trace->level && trace->write != NULL;
}

/* `event` is `noun.verb` in the past. The last record must have been ended. */
static inline void trace_event(struct trace *trace, enum trace_level level, const char *event)
{
    if (trace_wants(trace, level)) {
        trace_open_record(trace, level, event);
    }
}

/* The id's canonical text. */
static inline void trace_id(struct trace *trace, const char *key, struct ticket_id id)
{
    if (trace->is_open) {
        trace_add_id(trace, key, id);
    }
}

static inline void trace_bytes(struct trace *trace, const char *key, struct bytes value)
{
    if (trace->is_open) {
        trace_add_bytes(trace, key, value);
    }
}

static inline void trace_text(struct trace *trace, const char *key, const char *value)
{
    if (trace->is_open) {
        trace_add_bytes(trace, key, bytes_of_text(value));
    }
}

static inline void trace_u64(struct trace *trace, const char *key, uint64_t value)
{
    if (trace->is_open) {
        trace_add_u64(trace, key, value);
    }
}

static inline void trace_i64(struct trace *trace, const char *key, int64_t value)
{
    if (trace->is_open) {
        trace_add_i64(trace, key, value);
    }
}

/* Appends "_ms" to the key. */
static inline void trace_ms(struct trace *trace, const char *key, int64_t value_ms)
{
    if (trace->is_open) {
        trace_add_ms(trace, key, value_ms);
    }
}

static inline void trace_end(struct trace *trace)
{
    if (trace->is_open) {
        trace_close_record(trace);
    }
}

#endif
