#ifndef TESTS_SCENARIO_STORY_H
#define TESTS_SCENARIO_STORY_H

/* What many stories say. */

#include "tests/scenario/world.h"

/* Two people and a program, all for the queue aceras. */
extern const struct world_agent story_ana; /* Spanish, pavimento 7 */
extern const struct world_agent story_ben; /* Galician, pavimento 5 */
extern const struct world_agent story_bot; /* two tickets at a time, nothing special */

/* A site with this one agent, which is up when it returns. */
uint32_t story_add_site(struct world *world, const char *name, const struct world_agent *agent);

/* A ticket for the queue aceras that asks for nothing special. */
void story_submit(struct world *world, const char *key);

/* The row of the ticket that this key made; the test fails when there is none. */
const struct ticket_row *story_row(struct world *world, const char *key);

/* DONE, once, by this agent in this attempt. */
void story_expect_done(struct world *world, const char *key, const char *agent, uint32_t attempt);

#endif
