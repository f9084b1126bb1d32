#ifndef TESTS_UNIT_BROKER_WORLD_H
#define TESTS_UNIT_BROKER_WORLD_H

/* A small broker with a plan, for the tests of its modules: they are tested where they work. */

#include "broker/broker.h"
#include "proto/plan.h"
#include "tests/unit/steps.h"

#define WORLD_INCARNATION 77u
#define WORLD_RESULTS_MAX 2048u

struct broker_world {
    struct steps steps;
    struct plan plan;
    struct store_result results[WORLD_RESULTS_MAX]; /* of the last world_store() */
    uint32_t next_rev;
};

extern const struct address world_client;
extern const struct address world_router;
extern const struct address world_site;

/* Default options made small; change them, then world_open_with(). */
void world_options(struct broker_options *options);
struct broker_world *world_open(void);
struct broker_world *world_open_with(const struct broker_options *options);
void world_close(struct broker_world *world);

/* cmocka's setup and teardown around them. */
int world_setup(void **state);
int world_teardown(void **state);

/* A ticket for queue "aceras" with this ref, text as body, and a key made of ref. */
struct submit world_submit(uint64_t ref);
void world_send_submits(struct broker_world *world, uint64_t first_ref, uint32_t count);

/* Answers the last EFFECT_STORE: every request is done as the real store would, or fails with
 * `status`. CHECKs that there is one. */
void world_store(struct broker_world *world);
void world_store_as(struct broker_world *world, enum store_status status);

/* The router of this connection owns partition 1 under `epoch`. */
void world_owns(struct broker_world *world, struct address router, uint64_t epoch);
void world_taken(struct broker_world *world, uint64_t epoch, uint64_t upto);

/* HELLO of a site with one agent and `held_count` (0 or 1) tickets; not stored yet. */
void world_hello(struct broker_world *world, struct address from, struct session session);

/* The whole way up: HELLO, ids, WELCOME. Site id 9, agent id 90. */
void world_site_up(struct broker_world *world);

#endif
