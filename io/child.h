#ifndef IO_CHILD_H
#define IO_CHILD_H

/* One program run as a child process in a process group of its own: it is given a text on standard
 * input, what it says on standard output is kept up to a bound, of standard error the end is kept.
 * Nothing here ever blocks; readiness is told by one epoll descriptor that many children share.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/bytes.h"

#define CHILD_TAIL_BYTES 4096u

struct child {
    pid_t pid;
    int pidfd;
    int in_fd; /* our ends; -1: closed */
    int out_fd;
    int err_fd;
    int epoll_fd;
    uint8_t *input;
    uint32_t input_size;
    uint32_t input_done;
    uint8_t *output;
    uint32_t output_size;
    uint32_t output_max;
    bool is_flooding; /* wrote more than output_max */
    bool is_ended;    /* and waited for; `status` is what waitpid() says */
    int status;
    uint8_t tail[CHILD_TAIL_BYTES]; /* of standard error, as a ring */
    uint64_t tail_written;
};

struct child_options {
    char *const *run; /* argv; looked for in PATH if it has no slash */
    struct bytes input;
    uint32_t output_max; /* bytes */
    int epoll_fd;        /* its events' data belong to children only */
};

/* 0, or the errno of what could not be done: EAGAIN, EMFILE, ENFILE and ENOMEM may pass, others
 * (ENOENT, EACCES, ...) say that there is no such program. *child must not move afterwards. */
int child_start(struct child *child, const struct child_options *options);

/* Works off what the epoll descriptor has, up to a bound. Children only change their fields here.
 */
void child_work(int epoll_fd);

/* Sends a signal to the whole group. */
void child_signal(const struct child *child, int number);

/* SIGKILL to the group if it has not ended, waits for it, gives everything back. A child that was
 * never started is fine if it is all zero. */
void child_close(struct child *child);

/* The end of what it wrote to standard error, oldest first. `buffer` has CHILD_TAIL_BYTES. */
struct bytes child_tail(const struct child *child, uint8_t *buffer);

#endif
