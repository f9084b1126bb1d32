#ifndef CLI_DEMO_REPORT_H
#define CLI_DEMO_REPORT_H

/* What happened, in the field's words, with the formula behind each figure: to standard output. */

#include "cli/demo_desk.h"

#define DEMO_REPORT_THRESHOLD_CITY_MS INT64_C(14400000) /* T of the service level: 4 h */
#define DEMO_REPORT_MATTERS 5u

struct demo_report_options {
    const struct demo_board *board;
    const struct demo_staff *staff;
    struct demo_desk *desk;
    const char *path; /* of the tickets */
};

void demo_report_print(const struct demo_report_options *options);

#endif
