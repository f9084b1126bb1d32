#ifndef BROKER_OWNERS_H
#define BROKER_OWNERS_H

/* Which router connections there are and which of them owns a partition: the one that was heard
 * under the highest epoch. Routers say so in OWNS and in the header of everything they send. */

#include <stdbool.h>
#include <stdint.h>

#include "broker/turn.h"
#include "lib/arena.h"

#define OWNERS_NONE UINT32_MAX
#define OWNERS_ROUTERS_MAX 64u          /* so that a set of them is one word */
#define OWNERS_SILENCE_MS INT64_C(5000) /* then a connection is forgotten */

struct owners;

struct owners_options {
    uint32_t routers_max; /* 1..OWNERS_ROUTERS_MAX */
    uint32_t parts_max;   /* partitions are numbered below this */
};

enum owners_news {
    OWNERS_OLD,       /* known, or older than what is known */
    OWNERS_NEW_EPOCH, /* higher than any heard before */
    OWNERS_NEW_LINK   /* the known epoch, reached over another connection than before */
};

struct owners *owners_open(struct arena *arena, const struct owners_options *options);

/* Something came from this connection. Returns its row, adding it if it is new (*is_new), or
 * OWNERS_NONE: the table is full. */
uint32_t owners_hear(struct owners *owners, const struct turn *turn, uint64_t peer, bool *is_new);

/* The row owns `part` under `epoch`. */
enum owners_news owners_learn(struct owners *owners, uint32_t part, uint64_t epoch, uint32_t row);

/* OWNS lists all partitions of a router, in one or more messages: begin, learn each, end. After the
 * end what it owned before and did not list has no known connection. */
void owners_list_begin(struct owners *owners, uint32_t row);
void owners_list_end(struct owners *owners, uint32_t row);

/* The row says it does not own `part`, and that as far as it knows it is owned under `epoch`. */
void owners_deny(struct owners *owners, uint32_t part, uint64_t epoch, uint32_t row);

/* The row of a connection, or OWNERS_NONE. */
uint32_t owners_find_row(const struct owners *owners, uint64_t peer);

/* A row whose connection has been silent too long, or OWNERS_NONE. */
uint32_t owners_find_silent(const struct owners *owners, int64_t now_ms);

/* Forgets the connection; epochs stay. */
void owners_drop(struct owners *owners, uint32_t row);

/* False: nobody is known to own it at the moment. */
bool owners_find(const struct owners *owners, uint32_t part, struct address *to);

/* Highest epoch heard; 0: none. */
uint64_t owners_epoch(const struct owners *owners, uint32_t part);

/* Bit per row of the connections there are, and of those that own something. */
uint64_t owners_routers(const struct owners *owners);
uint64_t owners_owning(const struct owners *owners);

struct address owners_address(const struct owners *owners, uint32_t row);
uint32_t owners_parts_max(const struct owners *owners);

/* When the next connection will have been silent too long. */
int64_t owners_deadline_ms(const struct owners *owners);

#endif
