#ifndef AGENTD_MOVES_H
#define AGENTD_MOVES_H

/* One ticket's moves at this site: each changes the row's state, its slot, what the journal is to
 * write and what is said about it, together. `row` is one of work.h in the state named.
 */

#include <stdint.h>

#include "agentd/journal.h"
#include "proto/message.h"

struct agentd;

/* ASKED or new -> ACCEPTED: the owner is told, again and again until it answers. */
void moves_accept(struct agentd *a, uint32_t row);

/* ACCEPTED -> JOURNALLING; the row keeps its CONFIRM already. */
void moves_journal(struct agentd *a, uint32_t row);

/* JOURNALLING or AWAITING -> WORKING: the desk gets it. */
void moves_start(struct agentd *a, uint32_t row);

/* WORKING -> AWAITING: the desk is gone and has to be given it again. */
void moves_await(struct agentd *a, uint32_t row);

/* Any state before ENDING -> ENDING: the outcome is journalled, then told. */
void moves_finish(struct agentd *a, uint32_t row, const struct outcome *outcome);
void moves_give_back(struct agentd *a, uint32_t row, const char *reason);

/* ASKED or ACCEPTED -> gone, without a word. */
void moves_forget(struct agentd *a, uint32_t row);

/* AWAITING or WORKING -> DROPPING; ENDED -> DROPPING. */
void moves_drop(struct agentd *a, uint32_t row);

/* DECLINE of a row's offer; the row stays. */
void moves_decline(struct agentd *a, uint32_t row, enum decline_reason reason);

/* The row's timer is due. */
void moves_due(struct agentd *a, uint32_t row);

/* Journals the epoch of this part if it is news. */
void moves_write_epoch(struct agentd *a, uint32_t part);

/* The journal has written this. */
void moves_written(struct agentd *a, const struct journal_item *item);

/* The uplink stands again and agents' ids are known: restored rows find their agents, and
 * whatever waits for an owner's answer is said at once. */
void moves_resume(struct agentd *a);

#endif
