#ifndef TESTS_UNIT_FLOW_H
#define TESTS_UNIT_FLOW_H

/* A router with one partition and one queue, for the unit tests of its flow: what brokers, sites
 * and the store say to it, one call each. The effects are those of the last call (steps.h).
 */

#include "tests/unit/steps.h"

#include "proto/plan.h"
#include "proto/requirements.h"
#include "router/router.h"

#define FLOW_PART 3U
#define FLOW_QUEUE 7U
#define FLOW_BROKER 11U
#define FLOW_EPOCH 41U
#define FLOW_SITE 5U
#define FLOW_ANA 101U
#define FLOW_BEN 102U
#define FLOW_ROUTER_INCARNATION UINT64_C(77)
#define FLOW_BROKER_INCARNATION UINT64_C(88)
#define FLOW_STORE_US INT64_C(1700000000000000)

struct flow {
    struct steps steps;
    struct plan plan;
    struct plan_pool pool;
    struct plan_queue queue;
    uint8_t profile[PROFILE_BYTES_MAX];
    uint8_t requirements[REQUIREMENTS_BYTES_MAX];
    uint32_t profile_size;
    uint32_t requirements_size;
    struct session session;
    uint64_t forwarded;
};

extern const struct address flow_broker;

struct ticket_id flow_ticket_id(uint32_t number);
struct header flow_header(const struct flow *flow, enum message_kind kind);
void flow_members(struct flow *flow, enum node_state state, const struct ownership_key *owner);
/* Of what the last call asked for. */
uint64_t flow_load_token(const struct flow *flow);
void flow_loaded(struct flow *flow, const struct ticket_row *rows, uint32_t count);
const struct effect *flow_store_effect(const struct flow *flow);
/* Owns the partition; its first page is still to come. */
void flow_claim(struct flow *flow);
/* Owns the partition, with these rows assigned or parked, and these queued. */
void flow_serve(struct flow *flow,
                const struct ticket_row *held,
                uint32_t held_count,
                const struct ticket_row *queued,
                uint32_t queued_count);
/* A queued ticket that asks for nothing but the queue; lower numbers were created earlier. */
struct ticket_row flow_row(const struct flow *flow, uint32_t number);
void flow_forward(struct flow *flow, struct forward entry);
void flow_forward_ticket(struct flow *flow, const struct ticket_row *ticket);
struct agent flow_agent(const struct flow *flow, uint32_t id, const char *name);
/* SITE_UP of the present session, with both lists. */
void flow_site_up(struct flow *flow,
                  const struct agent *agents,
                  uint32_t agent_count,
                  const struct held *held,
                  uint32_t held_count);
void flow_ana_up(struct flow *flow);
void flow_both_up(struct flow *flow);
struct offer flow_offered(const struct flow *flow);
void flow_accept(struct flow *flow, const struct offer *offer);
/* Ana alone is there, ticket 1 comes and she accepts it: its assignment is on its way. */
void flow_accept_first(struct flow *flow);
void flow_decline(struct flow *flow, const struct offer *offer);
/* The store's answer to the one request of the batch that the last call sent. */
void flow_stored(struct flow *flow, const struct store_result *result);
struct ticket_row flow_assigned_row(const struct flow *flow, uint32_t number, uint32_t who);
/* Ticket 1 is in ana's hands. */
void flow_work(struct flow *flow);
/* What ana says of ticket 1, attempt 1, having seen one message. */
void flow_outcome(struct flow *flow, enum outcome_kind what);
/* The only verdict of the last call. */
const struct verdict *flow_verdict(const struct flow *flow);
int flow_set_up(void **state);
int flow_tear_down(void **state);

#endif
