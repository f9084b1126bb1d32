#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

/* The client's side of the protocol for programs that may wait: tickets go out through a window,
 * everything else is one question and its answer. What is not answered is sent again under the same
 * key, so nothing is created twice. A client is used by one thread, which need not be the main one.
 */

#include <stdint.h>

#include "lib/err.h"
#include "proto/message.h"

#define CLIENT_WINDOW_MAX 4096u
#define CLIENT_WINDOW_DEFAULT 1024u

struct client;

/* OK, DUPLICATE or REJECT, once for each ticket; BUSY is dealt with here. `ref` is the caller's. */
typedef void client_answer_fn(void *context, const struct submitted *answer);

struct client_options {
    const char *server;  /* HOST:PORT of a broker's port for clients */
    int64_t timeout_ms;  /* nothing heard of it for so long: not reachable */
    int64_t patience_ms; /* it answers, but has no room for so long; 0: 30 s */
    uint32_t window;     /* tickets unanswered at a time; 0: CLIENT_WINDOW_DEFAULT */
    client_answer_fn *answered;
    void *context;
};

/* Connects at the first send. VT_UNAVAILABLE: out of memory or sockets. */
VT_MUST_USE vt_err client_open(const struct client_options *options, struct client **client);
void client_close(struct client *client); /* NULL is fine */

/* Copies the ticket; it leaves with the next client_run(). Its limits must hold (see
 * ticket_json_check). VT_FULL: the window is full, run first. */
VT_MUST_USE vt_err client_submit(struct client *client, const struct submit *submit);

/* Sends what is due and waits until something came or `until_ms` (CLOCK_BOOTTIME) passed.
 * VT_UNAVAILABLE: nothing was heard for timeout_ms.  VT_TIMEOUT: BUSY for patience_ms. */
VT_MUST_USE vt_err client_run(struct client *client, int64_t until_ms);

/* Runs until fewer than `below` tickets are unanswered. Errors as client_run(). */
VT_MUST_USE vt_err client_drain(struct client *client, uint32_t below);

uint32_t client_pending(const struct client *client);

/* Each row of the answer; NULL: it starts again from the first row, forget what came. */
typedef void client_row_fn(void *context, const struct reply *row);

struct client_question {
    enum query_what what;
    struct ticket_id ticket; /* QUERY_TICKET */
    client_row_fn *row;
    void *context;
};

/* VT_NOT_FOUND: no such ticket.  VT_UNAVAILABLE: not reachable, or the other side cannot answer at
 * this time. */
VT_MUST_USE vt_err client_query(struct client *client, const struct client_question *question);

/* The answer is OK, DUPLICATE or REJECT. Errors as client_run(). */
VT_MUST_USE vt_err client_cancel(struct client *client,
                                 const struct cancel *cancel,
                                 struct answered *answer);
VT_MUST_USE vt_err client_note(struct client *client,
                               const struct note *note,
                               struct answered *answer);

#endif
