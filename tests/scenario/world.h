#ifndef TESTS_SCENARIO_WORLD_H
#define TESTS_SCENARIO_WORLD_H

/* One small world in one thread on virtual time: the real cores of brokers, routers and agent
 * sites, every message through the real codec, an in-process registry, the store of
 * store_memory.h, clients, and agents that do what the test planned. A message takes 1 ms, the
 * store 2 ms, the registry 1 ms. Same calls, same trace.
 *
 * Everything the cores trace, what clients hear and what agents do becomes one text; world_expect()
 * compares it with tests/scenario/golden/<name>.txt. VT_GOLDEN_UPDATE=1 rewrites that file instead.
 */

#include <stdint.h>

#include "lib/err.h"
#include "proto/message.h"
#include "proto/plan.h"
#include "tests/scenario/store_memory.h"

#define WORLD_AGENTS_MAX 8u /* of one site */

struct world;

struct world_agent {
    const char *name;
    const char *profile; /* "queue=aceras language=es pavimento=7", blanks between; "" serves all
                            that asks for nothing */
    uint32_t capacity;   /* 0: 1 */
    bool is_person;      /* asked at its desk; else a program that takes every offer */
};

struct world_ticket {
    const char *key;
    const char *queue; /* NULL: absent, as all of these */
    const char *language;
    const char *skill;
    const char *text;
    uint32_t level;
    uint32_t priority; /* 0: absent */
    int64_t wait_ms;   /* not before so long from now */
};

/* The example plan that the scenarios use: pool "via-publica" (aceras, calzadas; grace 30 s, offers
 * 20 s) in partition 1; pool "social" (padron) in partition 2. */
struct world *world_open(void);
void world_close(struct world *world);
struct store_memory *world_store(struct world *world);

/* ---- who is there; each returns its number and starts at once ---- */
uint32_t world_add_broker(struct world *world, const char *name);
uint32_t world_add_router(struct world *world, const char *name);
uint32_t world_add_site(struct world *world,
                        const char *name,
                        const struct world_agent *agents,
                        uint32_t agent_count);

/* Memory is lost, connections break, agents' programs die with it. The registry forgets a crashed
 * broker or router after 6 s, or when it starts again. */
void world_crash(struct world *world, uint32_t node);
void world_start(struct world *world, uint32_t node);

/* EVENT_STOP with 10 s to drain. */
void world_stop(struct world *world, uint32_t node);
bool world_has_stopped(const struct world *world, uint32_t node);

/* Nothing gets through to or from it, and nobody is told. */
void world_cut(struct world *world, uint32_t node);
void world_mend(struct world *world, uint32_t node);

/* ---- what happens ---- */
void world_run(struct world *world, int64_t ms);
int64_t world_now_ms(const struct world *world);

/* A line of the story in the trace. */
void world_say(struct world *world, const char *text);

/* The one client's words; its answers stand in the trace. Tickets are named by their key. */
void world_submit(struct world *world, const struct world_ticket *ticket);
void world_note(struct world *world, const char *key, const char *note_key, const char *text);
void world_cancel(struct world *world, const char *key);
void world_follow(struct world *world, const char *key);

/* `key` for QUERY_TICKET, else NULL. Every row of the answer is a line. */
void world_query(struct world *world, enum query_what what, const char *key);

/* The ticket that this key made; NULL: none was stored. */
const struct store_memory_ticket *world_find(struct world *world, const char *key);

/* What an agent does with its next offer (then: accepts after 100 ms), and with its next ticket
 * (then: completes it after 1 s). Plans are used up in order. */
enum world_answer {
    ANSWERS_YES,
    ANSWERS_NO,
    ANSWERS_NOTHING
};
void world_plan_offer(
    struct world *world, uint32_t site, uint32_t agent, enum world_answer answer, int64_t after_ms);
void world_plan_work(
    struct world *world, uint32_t site, uint32_t agent, enum outcome_kind what, int64_t after_ms);

/* ---- what must hold ---- */

/* Fails the test unless the trace is the golden one and the store holds no fault. */
void world_expect(struct world *world, const char *name);

/* The same without a golden trace: the store holds no fault. */
void world_expect_sound(struct world *world);

/* At the end of a story: no answer that an agent gave is lost (it completed its ticket, is kept as
 * a note, or met a message it had not seen), and no site remembers work in its journal. */
void world_expect_settled(struct world *world);

/* The whole trace, NUL-terminated, until the next call. */
const char *world_trace(const struct world *world);

#endif
