#ifndef BROKER_FOLLOWERS_H
#define BROKER_FOLLOWERS_H

/* Who asked to hear about which ticket. The row in the store is what they are told: it is read when
 * somebody starts to follow, when an owner hints that it changed, and now and then besides. */

#include <stdint.h>

#include "broker/turn.h"
#include "lib/arena.h"
#include "lib/core.h"

struct followers;

struct followers_options {
    uint32_t followers_max; /* (client, ticket) pairs */
    uint64_t seed;
};

struct followers *followers_open(struct arena *arena, const struct followers_options *options);

/* A FOLLOW of client connection `peer`; each entry is answered by at least one UPDATE. */
void followers_follow(struct followers *followers,
                      const struct turn *turn,
                      uint64_t peer,
                      const struct message *message);

/* An owner's hint. */
void followers_update(struct followers *followers,
                      const struct turn *turn,
                      const struct update *update);

/* EVENT_LOADED of a load of ours. */
void followers_loaded(struct followers *followers,
                      const struct turn *turn,
                      uint64_t token,
                      const struct event *event);

void followers_drop_client(struct followers *followers, uint64_t peer);

void followers_run(struct followers *followers, const struct turn *turn);
int64_t followers_deadline_ms(const struct followers *followers);

uint32_t followers_count(const struct followers *followers);
uint64_t followers_refused_total(const struct followers *followers);

#endif
