#ifndef AGENTD_REPORT_H
#define AGENTD_REPORT_H

/* Answers QUERY on LINK_LOCAL: METRICS, CHECKS and AGENTS; whatever else is asked gets ROW_END with
 * VT_NOT_FOUND. Complete within the step.
 */

#include "lib/core.h"
#include "proto/message.h"

struct agentd;

void report_receive(struct agentd *a, struct address from, const struct message *message);

#endif
