#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

/* What every unit test shares. Including it brings cmocka with the headers it needs.
 * unit.c defines check_handler(): a failed CHECK prints where and aborts.
 */

/* cmocka wants these before itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/arena.h"

/* The seed of this run: VT_SEED of the environment (decimal or 0x...), else a fixed one. It is
 * printed at the first call, so that a failure can be replayed.
 */
uint64_t unit_seed(void);

/* A zeroed arena on the heap; unit_arena_close() frees it. */
struct arena unit_arena(uint64_t capacity_bytes);
void unit_arena_close(struct arena *arena);

/* Runs `body` in a child process and tells whether a CHECK ended it. */
_Bool unit_check_fails(void (*body)(void *), void *argument);

#endif
