#include "io/process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/check.h"

#define US_PER_S 1000000
#define NS_PER_US 1000

static int64_t clock_us(clockid_t clock)
{
    struct timespec now;
    CHECK(clock_gettime(clock, &now) == 0);
    return (int64_t) now.tv_sec * US_PER_S + now.tv_nsec / NS_PER_US;
}

int64_t process_now_ms(void)
{
    return clock_us(CLOCK_BOOTTIME) / 1000;
}

int64_t process_now_us(void)
{
    return clock_us(CLOCK_BOOTTIME);
}

int64_t process_wall_us(void)
{
    return clock_us(CLOCK_REALTIME);
}

uint64_t process_random_u64(void)
{
    uint64_t value = 0;
    ssize_t got = 0;
    do {
        got = getrandom(&value, sizeof value, 0);
    } while (got < 0 && errno == EINTR);
    CHECK(got == (ssize_t) sizeof value);
    return value;
}

vt_err process_reserve(uint64_t bytes, struct arena *arena)
{
    void *memory = mmap(
        NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        return VT_UNAVAILABLE;
    }
    arena_init(arena, memory, bytes);
    return VT_OK;
}

void process_unreserve(struct arena *arena)
{
    if (arena->memory != NULL) {
        munmap(arena->memory, arena->capacity);
        arena->memory = NULL;
    }
}

void process_raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int process_signals_open(void)
{
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGTERM);
    sigaddset(&wanted, SIGINT);
    sigaddset(&wanted, SIGHUP);
    if (pthread_sigmask(SIG_BLOCK, &wanted, NULL) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR) {
        return -1;
    }
    return signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC);
}

int process_signals_next(int fd)
{
    struct signalfd_siginfo info;
    if (read(fd, &info, sizeof info) != (ssize_t) sizeof info) {
        return 0;
    }
    return (int) info.ssi_signo;
}

static void write_line(void *context, enum trace_level level, const char *line, uint32_t size)
{
    const char *node = context;
    (void) level;

    int64_t wall_us = process_wall_us();
    time_t wall_s = (time_t) (wall_us / US_PER_S);
    struct tm utc;
    gmtime_r(&wall_s, &utc);
    char stamp[32];
    size_t stamp_size = strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
    CHECK(stamp_size > 0);
    fprintf(stderr,
            "%s.%03dZ %s %.*s\n",
            stamp,
            (int) (wall_us % US_PER_S / 1000),
            node,
            (int) size,
            line);
}

void process_log_open(struct trace *trace, enum trace_level level, const char *node)
{
    union {
        const char *text;
        void *context;
    } name = {.text = node}; /* trace hands the pointer back untouched */
    trace_init(trace, level, write_line, name.context);
}
