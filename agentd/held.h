#ifndef AGENTD_HELD_H
#define AGENTD_HELD_H

/* What the site tells owners unasked or asked about its own state: AVAIL, BEAT, HELD. All of it is
 * repeated or asked for again, so each call says what fits this step and leaves the rest.
 */

#include <stdint.h>

#include "lib/core.h"

struct agentd;

/* For held_send_list(). */
#define HELD_EVERY_PART UINT32_MAX

/* Messages that held_send_list() of every part needs at most. */
uint32_t held_message_count(const struct agentd *a);

/* The whole HELD list of a part, or of all parts for HELLO (then nothing if nothing is held). */
void held_send_list(struct agentd *a, struct address to, uint32_t part);

/* The lists that were asked for, AVAIL of agents that changed, and the BEATs that are due. */
void held_send_due(struct agentd *a);

/* When held_send_due() has something to do. */
int64_t held_deadline_ms(const struct agentd *a);

#endif
