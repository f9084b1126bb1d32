#ifndef CLI_DEMO_AUDIT_H
#define CLI_DEMO_AUDIT_H

/* The proof: reads the store's file with SQL of its own, through a connection of its own, and holds
 * it against what the citizens were told (acknowledged ids) and what the agents said (done). Knows
 * nothing of how the store works but its tables.
 */

#include <stdint.h>

#include "cli/demo_board.h"
#include "lib/err.h"

#define DEMO_AUDIT_ERROR_BYTES 256u
#define DEMO_AUDIT_FAULTS_MAX 10u

struct demo_audit {
    uint64_t acknowledged;
    uint64_t completed; /* DONE, once, with one answer, and an agent said so */
    uint64_t cancelled; /* CANCELLED, and a citizen was told so */
    uint64_t dead;
    uint64_t open;    /* in a queue, parked or assigned */
    uint64_t lost;    /* acknowledged, but not there as acknowledged, or with a history that does
                         not lead where its row says it is */
    uint64_t doubled; /* two tickets for one key, completed twice, or answered twice */
    uint32_t faults[DEMO_AUDIT_FAULTS_MAX]; /* numbers of the first lost or doubled tickets */
    uint32_t fault_count;
};

/* Opens FOLDER/ventanilla.db read-only. VT_UNAVAILABLE, VT_CORRUPT: `error` says what failed. */
VT_MUST_USE vt_err demo_audit_run(const struct demo_board *board,
                                  const char *folder,
                                  struct demo_audit *audit,
                                  char error[DEMO_AUDIT_ERROR_BYTES]);

/* Everything acknowledged is completed or cancelled, nothing lost or doubled. */
bool demo_audit_holds(const struct demo_audit *audit);

/* "acknowledged N, completed N, lost 0, doubled 0", with the other counts where they are not 0. */
#define DEMO_AUDIT_LINE_BYTES 256u
void demo_audit_line(const struct demo_audit *audit, char line[DEMO_AUDIT_LINE_BYTES]);

#endif
