#ifndef TESTS_UNIT_STORM_H
#define TESTS_UNIT_STORM_H

/* One router between a store, a broker that loses messages, and sites that come, go and forget.
 * storm.c is the store, the broker and the registry; storm_site.c the sites.
 */

#include "lib/random.h"
#include "proto/plan.h"
#include "proto/requirements.h"
#include "tests/scenario/store_memory.h"
#include "tests/unit/steps.h"

#define STORM_BROKER_INCARNATION UINT64_C(88)
#define STORM_PARTS 2U
#define STORM_SITES 3U
#define STORM_AGENTS 3U /* of a site */
#define STORM_HELD_MAX 64U
#define STORM_TICKETS_MAX 4000U
#define STORM_INBOX_MAX 4096U

enum storm_work {
    WORK_NONE,
    WORK_ACCEPTED,
    WORK_WORKING,
    WORK_ENDED
};

struct storm_held {
    enum storm_work state;
    uint32_t part;
    struct accept accept;
    uint32_t msgs;
    enum outcome_kind what;
};

struct storm_site {
    struct session session;
    bool is_up;
    struct storm_held held[STORM_HELD_MAX];
    uint64_t seq[STORM_PARTS + 1]; /* highest received, by part */
    uint64_t epoch[STORM_PARTS + 1];
};

struct storm_stream {
    uint64_t epoch;
    uint64_t taken;
    struct forward *entries;
    uint32_t count;
};

struct storm {
    struct steps steps;
    struct random random;
    struct store_memory *store;
    struct arena arena;
    struct arena pages;
    struct plan_pool pools[STORM_PARTS];
    struct plan_queue queues[STORM_PARTS];
    struct plan plan;
    uint8_t requirements[REQUIREMENTS_BYTES_MAX];
    uint8_t profile[PROFILE_BYTES_MAX];
    uint32_t requirements_size;
    uint32_t profile_size;
    struct storm_site sites[STORM_SITES];
    struct storm_stream streams[STORM_PARTS + 1];
    struct ownership_key keys[STORM_PARTS];
    uint32_t key_count;
    uint64_t last_epoch;
    uint32_t submitted;
    uint32_t lost_percent;
    struct effect inbox[STORM_INBOX_MAX];
    uint32_t inbox_first;
    uint32_t inbox_count;
};

extern const struct address storm_broker;

void storm_open(struct storm *storm, uint64_t seed);
void storm_close(struct storm *storm);
/* Uniform below `bound`. */
uint32_t storm_below(struct storm *storm, uint32_t bound);
/* True in so many of 100. */
bool storm_chance(struct storm *storm, uint32_t percent);
/* Takes what the last call of steps.h asked for; storm_drain() does it. */
void storm_keep(struct storm *storm);
/* From the broker to the router, unless it is lost. */
void storm_receive(struct storm *storm, struct header header, const void *entries, uint32_t count);
void storm_members(struct storm *storm);
void storm_submit(struct storm *storm);
void storm_message(struct storm *storm, const struct ticket_row *row);
/* A message or a cancellation for any ticket. */
void storm_disturb(struct storm *storm);
/* What is stored and not TAKEN, again. */
void storm_forward(struct storm *storm);
/* Does all that the router asked for, and what follows from it. */
void storm_drain(struct storm *storm);
/* Somebody else claims a partition, and goes again. */
void storm_depose(struct storm *storm);
void storm_end_lease(struct storm *storm);
struct header
storm_site_header(const struct storm *storm, uint32_t site, enum message_kind kind, uint32_t part);
/* A restart forgets what was only accepted; a reconnect keeps it. */
void storm_site_restart(struct storm *storm, uint32_t site);
void storm_site_send_up(struct storm *storm, uint32_t site);
void storm_site_receive(struct storm *storm, const struct message *message);
/* What a site does by itself: ends work, says again what was not answered. */
void storm_site_works(struct storm *storm, uint32_t site);
/* ... and lives. */
void storm_site_beats(struct storm *storm, uint32_t site);

#endif
