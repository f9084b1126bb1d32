#ifndef TESTS_UNIT_MATCHING_FIXTURE_H
#define TESTS_UNIT_MATCHING_FIXTURE_H

/* Small tables for the tests of the router's matching, and short ways to say what is in them. */
#include "tests/unit/unit.h"

#include "proto/plan.h"
#include "router/matching.h"

/* 8 tickets, 4 classes, 4 profiles, 12 names, 2 queues, 6 agents, 3 sites, 20 refusals. The plan
 * has the queues 1 "aceras" and 2 "calzadas". Free it by matching_fixture_close(). */
struct matching_fixture {
    struct arena arena;
    struct matching matching;
    struct plan_queue queues[2];
    struct plan plan;
};

int matching_fixture_open(void **state);
int matching_fixture_close(void **state);

/* What is left out asks for nothing. */
struct matching_wish {
    uint64_t id;
    uint32_t queue;
    uint32_t priority;
    int64_t created_us;
    int64_t queued_us;
    uint32_t agent;
    _Bool wants_person;
    const char *language;
    const char *skill; /* one name, at `level` */
    uint32_t level;
};

/* The row views memory that lives until the next call. */
struct ticket_row matching_fixture_row(const struct matching_wish *wish);
vt_err matching_fixture_add(struct matching_fixture *fixture,
                            const struct matching_wish *wish,
                            uint32_t *ticket);
uint32_t matching_fixture_wait(struct matching_fixture *fixture, const struct matching_wish *wish);

struct matching_talent {
    uint32_t id;
    uint32_t site;
    uint32_t capacity; /* 0: 1 */
    int64_t idle_ms;
    _Bool is_program;
    const char *queue;
    const char *language;
    const char *skill;
    uint32_t level;
};

/* At now_ms = 1000. */
vt_err matching_fixture_try_put(struct matching_fixture *fixture,
                                const struct matching_talent *talent,
                                uint32_t *agent);
uint32_t matching_fixture_put(struct matching_fixture *fixture,
                              const struct matching_talent *talent);

#endif
