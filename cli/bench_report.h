#ifndef CLI_BENCH_REPORT_H
#define CLI_BENCH_REPORT_H

#include "cli/bench_phases.h"

/* What was measured, to standard output; nothing of phases that were not run. */
void bench_report_table(const struct bench_results *results);
void bench_report_json(const struct bench_results *results);

#endif
