#ifndef CLI_BENCH_SERVER_H
#define CLI_BENCH_SERVER_H

/* A `ventanilla serve` of this very program as a child process, on free ports and a folder of its
 * own; and what can be seen of it from outside.
 */

#include <stdint.h>
#include <sys/types.h>

#include "lib/err.h"

#define BENCH_SERVER_PATH_BYTES 512u
#define BENCH_SERVER_ADDRESS_BYTES 64u

struct bench_server {
    pid_t pid; /* 0: it is not ours, or it does not run */
    int out_fd;
    char folder[BENCH_SERVER_PATH_BYTES]; /* "": not ours */
    char clients[BENCH_SERVER_ADDRESS_BYTES];
    char sites[BENCH_SERVER_ADDRESS_BYTES];
    char http[BENCH_SERVER_ADDRESS_BYTES];
};

/* Makes a temporary folder with the bench's plan in it (below $TMPDIR or /tmp). */
VT_MUST_USE vt_err bench_server_prepare(struct bench_server *server);

/* Starts it on its folder and waits until it says that it is ready. VT_UNAVAILABLE: it did not come
 * up; the reason is on standard error. */
VT_MUST_USE vt_err bench_server_start(struct bench_server *server);

/* SIGTERM, again after a while, SIGKILL at last. */
void bench_server_stop(struct bench_server *server);
void bench_server_kill(struct bench_server *server);

/* Stops it and removes its folder. */
void bench_server_close(struct bench_server *server);

/* Of our own server; 0 where that is not known. */
double bench_server_cpu_s(const struct bench_server *server);
uint64_t bench_server_pss_bytes(const struct bench_server *server);

/* The value of a metric without labels on /metrics; -1: not there. */
double bench_server_metric(const struct bench_server *server, const char *name);

#endif
