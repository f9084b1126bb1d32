#include "io/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/check.h"

#define EVENTS_MAX 64
#define READ_BYTES 16384u
#define DRAIN_READS_MAX 64u /* after the end: what a pipe can hold, and more */
#define TAG_MASK 3u

/* Which descriptor of a child an event is about: the low bits of its pointer. */
enum tag {
    TAG_IN,
    TAG_OUT,
    TAG_ERR,
    TAG_PID
};

struct pipes {
    int ends[3][2]; /* standard input, output, error: [0] is read from */
};

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

/* ---- starting ---- */

static void close_pipes(struct pipes *pipes)
{
    for (int i = 0; i < 3; i++) {
        close_fd(&pipes->ends[i][0]);
        close_fd(&pipes->ends[i][1]);
    }
}

static int open_pipes(struct pipes *pipes)
{
    memset(pipes, 0xff, sizeof *pipes);
    for (int i = 0; i < 3; i++) {
        if (pipe2(pipes->ends[i], O_CLOEXEC) != 0) {
            int error = errno;
            close_pipes(pipes);
            return error;
        }
    }
    /* Only our ends: the program's own must block as usual. */
    (void) fcntl(pipes->ends[0][1], F_SETFL, O_NONBLOCK);
    (void) fcntl(pipes->ends[1][0], F_SETFL, O_NONBLOCK);
    (void) fcntl(pipes->ends[2][0], F_SETFL, O_NONBLOCK);
    return 0;
}

/* The loop blocks signals and ignores SIGPIPE; a program starts with neither. */
static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    int error = posix_spawnattr_setflags(
        attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    if (error == 0) {
        error = posix_spawnattr_setpgroup(attributes, 0);
    }
    if (error == 0) {
        error = posix_spawnattr_setsigmask(attributes, &none);
    }
    return error == 0 ? posix_spawnattr_setsigdefault(attributes, &all) : error;
}

static int set_actions(posix_spawn_file_actions_t *actions, const struct pipes *pipes)
{
    int error = posix_spawn_file_actions_adddup2(actions, pipes->ends[0][0], STDIN_FILENO);
    if (error == 0) {
        error = posix_spawn_file_actions_adddup2(actions, pipes->ends[1][1], STDOUT_FILENO);
    }
    if (error == 0) {
        error = posix_spawn_file_actions_adddup2(actions, pipes->ends[2][1], STDERR_FILENO);
    }
    return error == 0 ? posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1)
                      : error;
}

static int spawn(struct child *child, char *const *run, const struct pipes *pipes)
{
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    if (posix_spawnattr_init(&attributes) != 0) {
        return ENOMEM;
    }
    if (posix_spawn_file_actions_init(&actions) != 0) {
        posix_spawnattr_destroy(&attributes);
        return ENOMEM;
    }
    int error = set_attributes(&attributes);
    if (error == 0) {
        error = set_actions(&actions, pipes);
    }
    if (error == 0) {
        error = posix_spawnp(&child->pid, run[0], &actions, &attributes, run, environ);
    }
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return error;
}

static int watch(struct child *child, int fd, enum tag tag, uint32_t events)
{
    struct epoll_event event = {.events = events};
    CHECK(((uintptr_t) child & TAG_MASK) == 0);
    event.data.u64 = (uint64_t) (uintptr_t) child | (uint64_t) tag;
    return epoll_ctl(child->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : errno;
}

static int watch_all(struct child *child)
{
    int error = watch(child, child->pidfd, TAG_PID, EPOLLIN);
    if (error == 0) {
        error = watch(child, child->in_fd, TAG_IN, EPOLLOUT);
    }
    if (error == 0) {
        error = watch(child, child->out_fd, TAG_OUT, EPOLLIN);
    }
    return error == 0 ? watch(child, child->err_fd, TAG_ERR, EPOLLIN) : error;
}

static int take_over(struct child *child, struct pipes *pipes)
{
    child->in_fd = pipes->ends[0][1];
    child->out_fd = pipes->ends[1][0];
    child->err_fd = pipes->ends[2][0];
    pipes->ends[0][1] = pipes->ends[1][0] = pipes->ends[2][0] = -1;
    child->pidfd = pidfd_open(child->pid, 0);
    return child->pidfd < 0 ? errno : watch_all(child);
}

static bool take_buffers(struct child *child, const struct child_options *options)
{
    child->input = malloc(options->input.size + 1u);
    child->output_max = options->output_max;
    child->output = malloc(options->output_max + 1u); /* one more tells a flood */
    if (child->input == NULL || child->output == NULL) {
        return false;
    }
    memcpy(child->input, options->input.data, options->input.size);
    child->input_size = options->input.size;
    return true;
}

int child_start(struct child *child, const struct child_options *options)
{
    memset(child, 0, sizeof *child);
    child->pidfd = child->in_fd = child->out_fd = child->err_fd = -1;
    child->epoll_fd = options->epoll_fd;
    struct pipes pipes;
    int error = take_buffers(child, options) ? open_pipes(&pipes) : ENOMEM;
    if (error == 0) {
        error = spawn(child, options->run, &pipes);
        if (error != 0) {
            child->pid = 0;
        } else {
            error = take_over(child, &pipes);
        }
        close_pipes(&pipes);
    }
    if (error != 0) {
        child_close(child);
    }
    return error;
}

/* ---- working ---- */

static void write_input(struct child *child)
{
    while (child->in_fd >= 0 && child->input_done < child->input_size) {
        ssize_t sent = write(
            child->in_fd, child->input + child->input_done, child->input_size - child->input_done);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent < 0 && errno == EAGAIN) {
            return;
        }
        if (sent < 0) { /* it does not want to read: its own business */
            break;
        }
        child->input_done += (uint32_t) sent;
    }
    close_fd(&child->in_fd);
}

/* False: nothing more now. */
static bool read_output(struct child *child)
{
    uint32_t room = child->output_max + 1u - child->output_size;
    ssize_t got = read(child->out_fd, child->output + child->output_size, room);
    if (got < 0) {
        return errno == EINTR;
    }
    child->output_size += (uint32_t) got;
    if (child->output_size > child->output_max) {
        child->is_flooding = true;
    }
    if (got == 0 || child->is_flooding) {
        close_fd(&child->out_fd);
    }
    return child->out_fd >= 0;
}

static bool read_error(struct child *child)
{
    uint8_t bytes[READ_BYTES / 8];
    ssize_t got = read(child->err_fd, bytes, sizeof bytes);
    if (got < 0) {
        return errno == EINTR;
    }
    for (ssize_t i = 0; i < got; i++) {
        child->tail[child->tail_written++ % CHILD_TAIL_BYTES] = bytes[i];
    }
    if (got == 0) {
        close_fd(&child->err_fd);
    }
    return got > 0;
}

/* Whoever is left of the group ends with its first process, before that one is waited for, so the
 * group's number cannot be somebody else's yet. What they had written is read first. */
static void take_end(struct child *child)
{
    child_signal(child, SIGKILL);
    for (uint32_t i = 0; i < DRAIN_READS_MAX && child->out_fd >= 0; i++) {
        if (!read_output(child)) {
            break;
        }
    }
    for (uint32_t i = 0; i < DRAIN_READS_MAX && child->err_fd >= 0; i++) {
        if (!read_error(child)) {
            break;
        }
    }
    pid_t waited = 0;
    do {
        waited = waitpid(child->pid, &child->status, 0);
    } while (waited < 0 && errno == EINTR);
    child->is_ended = true;
    close_fd(&child->in_fd);
    close_fd(&child->out_fd);
    close_fd(&child->err_fd);
    close_fd(&child->pidfd);
}

static void work_event(struct child *child, enum tag tag)
{
    switch (tag) {
    case TAG_IN:
        if (child->in_fd >= 0) {
            write_input(child);
        }
        break;
    case TAG_OUT:
        if (child->out_fd >= 0) {
            (void) read_output(child);
        }
        break;
    case TAG_ERR:
        if (child->err_fd >= 0) {
            (void) read_error(child);
        }
        break;
    case TAG_PID:
        if (child->pidfd >= 0) {
            take_end(child);
        }
        break;
    }
}

void child_work(int epoll_fd)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(epoll_fd, events, EVENTS_MAX, 0);
    for (int i = 0; i < count; i++) {
        uint64_t data = events[i].data.u64;
        uintptr_t place = (uintptr_t) (data & ~(uint64_t) TAG_MASK);
        struct child *child = (struct child *) place; /* NOLINT(performance-no-int-to-ptr) */
        work_event(child, (enum tag)(data & TAG_MASK));
    }
}

void child_signal(const struct child *child, int number)
{
    if (child->pid > 0 && !child->is_ended && kill(-child->pid, number) != 0) {
        (void) kill(child->pid, number); /* it left its group */
    }
}

void child_close(struct child *child)
{
    if (child->pid > 0 && !child->is_ended) {
        take_end(child);
    }
    free(child->input);
    free(child->output);
    if (child->output_max > 0) { /* was started: descriptors are -1 where there is none */
        close_fd(&child->in_fd);
        close_fd(&child->out_fd);
        close_fd(&child->err_fd);
        close_fd(&child->pidfd);
    }
    child->input = child->output = NULL;
    child->pid = 0;
}

struct bytes child_tail(const struct child *child, uint8_t *buffer)
{
    uint64_t kept = child->tail_written < CHILD_TAIL_BYTES ? child->tail_written : CHILD_TAIL_BYTES;
    for (uint64_t i = 0; i < kept; i++) {
        buffer[i] = child->tail[(child->tail_written - kept + i) % CHILD_TAIL_BYTES];
    }
    return bytes_of(buffer, (uint32_t) kept);
}
