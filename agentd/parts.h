#ifndef AGENTD_PARTS_H
#define AGENTD_PARTS_H

/* What this site remembers of each partition's owners: the highest epoch heard, so that a deposed
 * owner is not listened to, and how far its stream of messages was received.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/id.h"
#include "proto/message.h"

#define PARTS_MAX ID_PARTITIONS

struct part {
    uint64_t epoch;
    uint64_t written; /* the epoch that the journal has, or is being given */
    uint64_t seq;     /* highest received under `epoch` */
    bool is_writing;
    uint32_t held_count; /* for BEAT, see held.c */
    uint64_t digest;
};

struct parts {
    struct part *rows; /* PARTS_MAX */
    uint64_t *asked;   /* parts whose HELD list was asked for */
};

enum parts_news {
    PARTS_FRESH, /* of the newest owner, and newer than all before */
    PARTS_LATE,  /* of the newest owner, but not newer: a repeat, or it was overtaken */
    PARTS_DEPOSED
};

void parts_init(struct parts *parts, struct arena *arena);

/* Takes note of a message's part, epoch and seq; its part is below PARTS_MAX (CHECK). */
enum parts_news parts_hear(struct parts *parts, const struct header *header);

/* An epoch that the journal holds. */
void parts_restore(struct parts *parts, uint32_t part, uint64_t epoch);

/* True: `part`'s epoch is to be journalled now; it counts as being written from here on. */
bool parts_take_write(struct parts *parts, uint32_t part);
void parts_written(struct parts *parts, uint32_t part);

uint64_t parts_epoch(const struct parts *parts, uint32_t part);
uint64_t parts_seq(const struct parts *parts, uint32_t part);

void parts_ask(struct parts *parts, uint32_t part);
bool parts_has_asked(const struct parts *parts);
bool parts_pop_asked(struct parts *parts, uint32_t *part);

#endif
