#ifndef AGENTD_OWNER_H
#define AGENTD_OWNER_H

/* What the owners of partitions say about tickets: OFFER, CONFIRM, RELEASE, VERDICT, NOTE_IN,
 * HELD_ASK, carried by the broker. Every entry is decided alone; all of them may come twice.
 */

#include "proto/message.h"

struct agentd;

void owner_receive(struct agentd *a, const struct message *message);

#endif
