#ifndef AGENTD_RESTORE_H
#define AGENTD_RESTORE_H

/* The start: reads the journal page by page and puts back what it says. Only when the new boot
 * counter is written does the uplink begin to speak.
 */

#include "lib/core.h"

struct agentd;

void restore_begin(struct agentd *a);
void restore_loaded(struct agentd *a, const struct event *event);

/* Asks again after a page could not be read. */
void restore_time(struct agentd *a);
int64_t restore_deadline_ms(const struct agentd *a);

#endif
