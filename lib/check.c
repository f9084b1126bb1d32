#include "lib/check.h"

void check_failed(const char *expression, const char *file, int line)
{
    check_handler(expression, file, line);
}
