#ifndef CLI_BENCH_SUBMITTER_H
#define CLI_BENCH_SUBMITTER_H

/* The bench's client: as many tickets as its window lets it, packed as they come free, or a fixed
 * number a second. It remembers what was acknowledged.
 */

#include <stdbool.h>
#include <stdint.h>

#include "cli/bench_plan.h"
#include "io/link.h"
#include "io/loop.h"
#include "lib/err.h"
#include "lib/id.h"

#define BENCH_WINDOW_MAX 65536u

struct bench_submitter;

struct bench_submitter_options {
    struct loop *loop; /* stopped when the last ticket is acknowledged */
    const struct bench_plan *plan;
    const char *address; /* HOST:PORT */
    uint64_t ticket_count;
    uint32_t window;
    uint32_t rate;             /* a second, from the first turn on; 0: as fast as may be */
    const uint64_t *completed; /* NULL: nothing is completed, and waiting_max is not looked at */
    uint64_t waiting_max;
    bool keeps_times;
};

VT_MUST_USE vt_err bench_submitter_open(const struct bench_submitter_options *options,
                                        struct bench_submitter **out);
void bench_submitter_close(struct bench_submitter *submitter);

/* Sends on: more tickets may be sent than the last time, before `ticket_count` is reached. */
void bench_submitter_limit(struct bench_submitter *submitter, uint64_t ticket_count);
uint64_t bench_submitter_wanted(const struct bench_submitter *submitter); /* that number */

struct bench_submitter_figures {
    uint64_t sent;
    uint64_t acknowledged;
    uint64_t busy;
    uint64_t rejected;
    int64_t first_us; /* CLOCK_BOOTTIME: the first was sent */
    int64_t last_us;  /* the last acknowledgement came */
    bool is_cut;      /* the connection broke */
};

const struct bench_submitter_figures *
bench_submitter_figures(const struct bench_submitter *submitter);

/* Of ticket `number`: its id, if it was acknowledged, and when it was to be sent. */
bool bench_submitter_ticket(const struct bench_submitter *submitter,
                            uint64_t number,
                            struct ticket_id *id);
int64_t bench_submitter_intended_us(const struct bench_submitter *submitter, uint64_t number);

#endif
