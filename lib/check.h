#ifndef LIB_CHECK_H
#define LIB_CHECK_H

/* CHECK(condition) states what only a bug can break. It is on in every build. One condition per
 * CHECK, so that the message says which one it was. An expression, so that it adds no nesting.
 */
#define CHECK(condition) ((condition) ? (void) 0 : check_failed(#condition, __FILE__, __LINE__))

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* Called by CHECK only. */
_Noreturn void check_failed(const char *expression, const char *file, int line);

/* Declared here and DEFINED by whoever links a program: io/ for the daemons, tests/unit/unit.c for
 * the unit tests. It reports the failure and ends the process; so lib/ needs no stdio.
 */
_Noreturn void check_handler(const char *expression, const char *file, int line);

#endif
