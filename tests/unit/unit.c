#define _DEFAULT_SOURCE 1 /* MAP_ANONYMOUS */

#include "tests/unit/unit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/check.h"

void check_handler(const char *expression, const char *file, int line)
{
    fprintf(stderr, "%s:%d: CHECK failed: %s\n", file, line, expression);
    fflush(stderr);
    abort();
}

uint64_t unit_seed(void)
{
    static uint64_t seed;
    static int is_known;
    if (!is_known) {
        const char *wanted = getenv("VT_SEED");
        seed = wanted == NULL ? 20240229U : strtoull(wanted, NULL, 0);
        is_known = 1;
        fprintf(stderr, "replay with VT_SEED=%llu\n", (unsigned long long) seed);
    }
    return seed;
}

/* A large arena is mostly never touched, but the sanitizers would prepare all of its shadow if it
 * came from the heap; small ones stay there, where a byte too far is noticed. */
#define HEAP_BYTES_MAX (UINT64_C(4) * 1024u * 1024u)

struct arena unit_arena(uint64_t capacity_bytes)
{
    struct arena arena;
    void *memory = NULL;
    if (capacity_bytes <= HEAP_BYTES_MAX) {
        memory = calloc(1, (size_t) capacity_bytes);
        CHECK(memory != NULL);
    } else {
        const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
        memory = mmap(NULL, (size_t) capacity_bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
        CHECK(memory != MAP_FAILED);
    }
    arena_init(&arena, memory, capacity_bytes);
    return arena;
}

void unit_arena_close(struct arena *arena)
{
    if (arena->capacity <= HEAP_BYTES_MAX) {
        free(arena->memory);
    } else {
        munmap(arena->memory, arena->capacity);
    }
    *arena = (struct arena){0};
}

_Bool unit_check_fails(void (*body)(void *), void *argument)
{
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        /* The message is expected; cmocka's handlers and the sanitizers' report are not. */
        if (freopen("/dev/null", "w", stderr) == NULL) {
            _exit(3);
        }
        signal(SIGABRT, SIG_DFL);
        body(argument);
        _exit(0);
    }

    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}
