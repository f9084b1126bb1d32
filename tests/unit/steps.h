#ifndef TESTS_UNIT_STEPS_H
#define TESTS_UNIT_STEPS_H

/* Feeds a core events and keeps what it asked for, for the unit tests of the three cores.
 *
 *     struct steps steps;
 *     steps_open(&steps);
 *     steps.core = broker_core(broker_open(&steps.arena, &options));
 *     steps_receive(&steps, client, &(struct header){.kind = MESSAGE_SUBMIT}, submits, 1);
 *     const struct effect *store = steps_find(&steps, EFFECT_STORE, 0);
 *     steps_stored(&steps, store->store.token, results, 1);
 *     const struct message *answer = steps_find_send(&steps, MESSAGE_SUBMITTED, 0);
 *
 * Every call below that ends in a step() also gives the core EVENT_TIME for as long as it wants it
 * now, and forgets the effects of the call before; so one call's effects are everything the core
 * does at that instant. Time only moves by steps_wait().
 */

#include "lib/core.h"
#include "proto/message.h"
#include "tests/unit/unit.h"

#define STEPS_TURNS_MAX 16u /* steps within one call; a core that wants more is not settled */

struct steps {
    struct core core;   /* set by the test */
    struct arena arena; /* to open the core on: 512 MiB, paged in when touched */
    int64_t now_ms;     /* starts at 1,000,000 */
    int64_t wall_us;    /* moves together with now_ms */
    uint32_t turns;     /* steps of the last call */
    uint32_t count;     /* effects of the last call */
    struct effect *list;
    struct arena memory; /* backs list and the scratch memory of every turn */
};

void steps_open(struct steps *steps);
void steps_close(struct steps *steps);

/* now_ms and wall_us are filled in. */
void steps_event(struct steps *steps, struct event event);

/* Lets time pass and gives the core EVENT_TIME, even if it did not ask for it. */
void steps_wait(struct steps *steps, int64_t ms);

/* One message with `count` entries of the header's kind. */
void steps_receive(struct steps *steps,
                   struct address from,
                   const struct header *header,
                   const void *entries,
                   uint32_t count);

/* One message of a carried kind, as brokers see it. */
void steps_receive_carried(struct steps *steps,
                           struct address from,
                           const struct header *header,
                           const char *carried);

void steps_link_down(struct steps *steps, struct address address);
void steps_plan(struct steps *steps, const struct plan *plan);
void steps_stored(struct steps *steps,
                  uint64_t token,
                  const struct store_result *results,
                  uint32_t count);
void steps_loaded(struct steps *steps, uint64_t token, vt_err error, const struct load_page *page);
void steps_stop(struct steps *steps, int64_t deadline_ms);

/* The nth effect of this kind (from 0) of the last call, or NULL. */
const struct effect *steps_find(const struct steps *steps, enum effect_kind kind, uint32_t nth);
uint32_t steps_count(const struct steps *steps, enum effect_kind kind);

/* The nth message of this kind that the last call sent, or NULL; with the address it went to. */
const struct message *
steps_find_send(const struct steps *steps, enum message_kind kind, uint32_t nth);
const struct message *
steps_find_send_to(const struct steps *steps, enum message_kind kind, struct address to);
uint32_t steps_count_sends(const struct steps *steps, enum message_kind kind);

/* The sum of the entries of all messages of this kind that the last call sent. */
uint32_t steps_count_entries(const struct steps *steps, enum message_kind kind);

#endif
