#ifndef TESTS_UNIT_SITE_H
#define TESTS_UNIT_SITE_H

/* An agent site's core for the unit tests of agentd: three agents, `ana` (index 0, a program,
 * capacity 2), `berta` (index 1, a person with a desk, capacity 1) and `carlos` (index 2, a
 * program, capacity 1). The broker gives them the ids 101, 102 and 103. What the core writes into
 * its journal goes through when the test says so.
 */

#include "agentd/agentd.h"
#include "tests/unit/steps.h"

#define SITE_ANA 101u
#define SITE_BERTA 102u
#define SITE_CARLOS 103u
#define SITE_PART 7u
#define SITE_EPOCH UINT64_C(50)
#define SITE_AGENTS 3u

struct site {
    struct steps steps;
    struct agentd_agent agents[SITE_AGENTS];
    struct agentd_options options;
    uint64_t seq;   /* of the owner's last message */
    uint64_t epoch; /* of the owner */
    uint64_t via;   /* the broker that carries what the owner says */
};

extern const struct address site_broker; /* the first of two */
extern const struct address site_ana;    /* her desk */

/* Options for site_open(); the test may change them in between. */
void site_init(struct site *site);
void site_open(struct site *site);
void site_close(struct site *site);

/* Of a cmocka test: a site that was opened, one that is ready for offers, and its end. */
int site_setup(void **state);
int site_setup_up(void **state);
int site_teardown(void **state);

/* First step, with this journal (one page). */
void site_load(struct site *site, const struct journal_entry *entries, uint32_t count);

/* Answers the one STORE of the last call: all done, or all with this status. */
void site_write(struct site *site);
void site_write_status(struct site *site, enum store_status status);

void site_welcome(struct site *site, struct address broker);

/* Load, write, welcome: ready for offers. */
void site_up(struct site *site);

struct ticket_id site_ticket(uint64_t n);

/* From the owner of SITE_PART. */
void site_say(struct site *site, enum message_kind kind, const void *entries, uint32_t count);
void site_offer(struct site *site, uint64_t ticket, uint32_t attempt, uint32_t agent);
void site_confirm(struct site *site, uint64_t ticket, uint32_t attempt, uint32_t agent);
void site_release(struct site *site, uint64_t ticket, uint32_t attempt, uint32_t agent);
void site_verdict(struct site *site,
                  uint64_t ticket,
                  uint32_t attempt,
                  enum outcome_kind what,
                  enum verdict_kind verdict);

/* Offer, confirm, write: the desk has it. */
void site_work(struct site *site, uint64_t ticket, uint32_t attempt, uint32_t agent);

/* The desk of the agent with this index says how it ended. */
void site_result(struct site *site,
                 uint64_t ticket,
                 uint32_t attempt,
                 uint32_t index,
                 enum outcome_kind what,
                 const char *text);

/* The first ticket that the last call declined, or NULL. */
const struct decline *site_declined(const struct site *site);

/* The nth row (from 0) of this kind that the last call answered on LINK_LOCAL, or NULL. */
const struct reply *site_reply(const struct site *site, enum reply_row row, uint32_t nth);
void site_query(struct site *site, enum query_what what);

/* The value of a metric; the test fails if there is none of that name and labels. */
int64_t site_metric(struct site *site, const char *name, const char *labels);

#endif
