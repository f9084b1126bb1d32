#ifndef IO_DESK_PROGRAM_H
#define IO_DESK_PROGRAM_H

/* The desk of agents that are programs: one process per ticket in its own process group. It reads
 * the ticket as one JSON line on standard input and answers with one JSON line of at most 64 KiB on
 * standard output (io/ticket_json.h). Exit 0 and a valid line is COMPLETE, HANDOFF or PARK.
 * Anything else gives the ticket back with the reason: no such program, a signal, another exit
 * code, no line, not JSON, too much output, or the time limit (SIGTERM to the group, SIGKILL after
 * 2 s). Standard error is the operator's: the last 4 KiB go to the log when a program fails. An
 * agent whose program fails three times in a row takes no offers for 1 s, doubled with each further
 * failure up to 60 s.
 */

#include <stdint.h>

#include "io/agents_file.h"
#include "io/host.h"
#include "io/loop.h"
#include "lib/err.h"
#include "lib/trace.h"

struct desk_program;

struct desk_program_options {
    struct loop *loop;
    struct host *host; /* of the agentd core; LINK_DESK is attached */
    const struct agents_file *agents;
    struct trace *trace;
};

VT_MUST_USE vt_err desk_program_open(const struct desk_program_options *options,
                                     struct desk_program **desk);

/* Ends every program that runs (SIGKILL to its group) and waits for it. */
void desk_program_close(struct desk_program *desk);

uint32_t desk_program_running(const struct desk_program *desk);

#endif
