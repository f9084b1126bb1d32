#ifndef CLI_DEMO_TABLE_H
#define CLI_DEMO_TABLE_H

/* What is going on while the demo runs, on standard error: a table that redraws itself on a
 * terminal, a line every few seconds otherwise. Standard output is for the report.
 */

#include "cli/demo_desk.h"
#include "io/plan_file.h"

struct demo_table;

struct demo_table_options {
    struct loop *loop;
    const struct demo_board *board;
    const struct demo_desk *desk;
    const struct plan_file *plan;
};

VT_MUST_USE vt_err demo_table_open(const struct demo_table_options *options,
                                   struct demo_table **table);
/* Shows it once more and stops showing. */
void demo_table_finish(struct demo_table *table);
void demo_table_close(struct demo_table *table);

#endif
