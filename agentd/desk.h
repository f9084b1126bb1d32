#ifndef AGENTD_DESK_H
#define AGENTD_DESK_H

/* The agents' side. Everywhere inside this core an agent is its index in the options; on the wire
 * it is the id that the broker gave in WELCOME. On LINK_DESK the peer and every `agent` field are
 * the index. This file and the edges that call desk_find() and desk_id() translate.
 *
 * What the desk may say, to be answered on the same link:
 *   DESK_ACCEPT, DESK_DECLINE   to DESK_OFFER (ANSWERS_DESK only)
 *   DESK_RESULT                 to DESK_WORK; `seen` is the number of the last message the agent
 *                               read, 0: all that was shown; text and note at most 64 KiB together
 *   AVAIL                       the agent begins or ends taking offers (`is_available` alone)
 * Results of a ticket or attempt that is not in hand are ignored.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/map.h"
#include "proto/message.h"

struct agentd;

struct desk {
    uint32_t *ids;  /* by index; 0: the broker gave none */
    uint64_t *lost; /* agents whose desk is gone */
    struct map by_id;
    uint32_t agent_count;
};

/* `desk` must not move afterwards. */
void desk_init(struct desk *desk, struct arena *arena, uint32_t agent_count, uint64_t seed);

/* id 0: this agent may not work here now. An id that another agent has goes over to this one. */
void desk_set_id(struct desk *desk, uint32_t agent, uint32_t id);

/* The index, or WORK_AGENT_NONE. */
uint32_t desk_find(const struct desk *desk, uint32_t id);
uint32_t desk_id(const struct desk *desk, uint32_t agent);

bool desk_is_lost(const struct desk *desk, uint32_t agent);

/* Ask, show, stop; `row` is one of work.h. */
void desk_send_offer(struct agentd *a, const struct offer *offer, uint32_t agent);
void desk_send_work(struct agentd *a, uint32_t row);
void desk_send_drop(struct agentd *a, uint32_t row, enum release_why why);
void desk_send_note(struct agentd *a, uint32_t row, const struct note_in *note);

/* A message from LINK_DESK. Other kinds than the above are ignored. */
void desk_receive(struct agentd *a, uint64_t peer, const struct message *message);

/* The desk of this agent is gone: it takes no offers until it says AVAIL, its questions are
 * declined, its work is kept and shown again when it is back. */
void desk_lost(struct agentd *a, uint64_t peer);

#endif
