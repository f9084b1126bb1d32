#ifndef IO_LOOP_H
#define IO_LOOP_H

/* One thread's loop: a few ZeroMQ sockets and descriptors, and the hosts that run cores on them.
 * A turn is: wait, drain what is ready (each source up to its own bound), then let every host work
 * off completions and deadlines. Batches form in the cores during a turn; nothing ever sleeps to
 * form one. zmq_poll is used directly because the end of a turn is where batches leave, and czmq's
 * zloop has no such hook.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

#define LOOP_SOURCES_MAX 160u
#define LOOP_TURNERS_MAX 16u

struct loop;

struct loop *loop_open(void);
void loop_close(struct loop *loop); /* NULL is fine */

/* What to call when a source is readable. */
struct loop_source {
    void *socket; /* libzmq socket (zsock_resolve), or NULL */
    int fd;       /* used when socket is NULL */
    void (*ready)(void *context);
    void *context;
};

/* VT_FULL: LOOP_SOURCES_MAX are there. May be called from within ready(). */
VT_MUST_USE vt_err loop_add(struct loop *loop, const struct loop_source *source);
void loop_remove(struct loop *loop, void *socket, int fd);

/* Called at the end of every turn, in the order of adding; says when it wants the next turn at the
 * latest (CLOCK_BOOTTIME, ms). */
struct loop_turner {
    int64_t (*turn)(void *context, int64_t now_ms);
    void *context;
};
VT_MUST_USE vt_err loop_add_turner(struct loop *loop, const struct loop_turner *turner);

/* Runs until loop_stop() was called, or until `until_ms` (CLOCK_BOOTTIME) passed. */
void loop_run(struct loop *loop, int64_t until_ms);
void loop_stop(struct loop *loop); /* from a handler of the same thread */

/* For metrics: longest time one turn took without waiting, since the last call. */
int64_t loop_take_longest_turn_us(struct loop *loop);

#endif
