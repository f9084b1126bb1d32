/* What a failed CHECK does in a program. A file of its own, so that tests may bring their own. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/check.h"

void check_handler(const char *expression, const char *file, int line)
{
    fprintf(stderr, "fatal: %s:%d: check failed: %s\n", file, line, expression);
    abort();
}
