#ifndef CLI_DEMO_REPLAY_H
#define CLI_DEMO_REPLAY_H

/* The citizens: a thread of their own that hands in every ticket at its time, through a TCP socket
 * like any other client, cancels those who lost patience, and waits until the cluster says that no
 * ticket is open.
 */

#include "cli/demo_board.h"
#include "lib/err.h"

#define DEMO_REPLAY_CLIENT "demo"
#define DEMO_REPLAY_ERROR_BYTES 256u

struct demo_replay;

struct demo_replay_options {
    const char *server; /* HOST:PORT; lives as long as the replay */
    const char *path;   /* of the tickets, for messages */
    struct demo_board *board;
    uint32_t agents; /* so many must be up before it begins */
};

/* VT_UNAVAILABLE: no thread or memory. */
VT_MUST_USE vt_err demo_replay_start(const struct demo_replay_options *options,
                                     struct demo_replay **replay);

/* Waits for the thread's end: board->is_over was set, or must_end. Empty text: all went well. NULL
 * is fine. */
void demo_replay_join(struct demo_replay *replay, char error[DEMO_REPLAY_ERROR_BYTES]);

#endif
