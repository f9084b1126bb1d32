#ifndef CLI_REFUSAL_H
#define CLI_REFUSAL_H

/* Why a ticket was refused, in words. */

#include "cli/client.h"
#include "lib/bytes.h"
#include "proto/message.h"

#define REFUSAL_BYTES 256u

/* "queue 'acera': there is no such queue". */
void refusal_text(const struct submitted *answer, char text[REFUSAL_BYTES]);

/* ", did you mean 'aceras'?", or which queues there are if they are few; empty if the server does
 * not say. Asks it, so not to be called while tickets are unanswered. */
void refusal_hint(struct client *client, struct bytes queue, char text[REFUSAL_BYTES]);

#endif
