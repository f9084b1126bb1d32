#include "tests/unit/flow.h"

#include <string.h>

const struct address flow_broker = {LINK_BROKERS, FLOW_BROKER};

struct ticket_id flow_ticket_id(uint32_t number)
{
    return (struct ticket_id){.hi = 0x0190000000007000U, .lo = number};
}

struct header flow_header(const struct flow *flow, enum message_kind kind)
{
    return (struct header){.kind = kind,
                           .part = FLOW_PART,
                           .site = FLOW_SITE,
                           .session = flow->session,
                           .epoch = FLOW_EPOCH,
                           .origin = FLOW_BROKER_INCARNATION};
}

void flow_members(struct flow *flow, enum node_state state, const struct ownership_key *owner)
{
    const struct node nodes[] = {{.kind = NODE_ROUTER,
                                  .state = state,
                                  .number = 1,
                                  .weight = 1,
                                  .incarnation = FLOW_ROUTER_INCARNATION,
                                  .name = bytes_of_text("r1")},
                                 {.kind = NODE_BROKER,
                                  .state = NODE_ACTIVE,
                                  .number = FLOW_BROKER,
                                  .weight = 1,
                                  .incarnation = FLOW_BROKER_INCARNATION,
                                  .name = bytes_of_text("b1")}};
    struct membership membership = {
        .nodes = nodes, .node_count = 2, .owners = owner, .owner_count = owner == NULL ? 0 : 1};
    steps_event(&flow->steps, (struct event){.kind = EVENT_MEMBERS, .members = &membership});
}

static void make_blobs(struct flow *flow)
{
    struct requirements requirements = {.channel = CHANNEL_WEB};
    struct profile profile = {.queue_count = 0};
    flow->requirements_size = requirements_write(&requirements, flow->requirements);
    flow->profile_size = profile_write(&profile, flow->profile);
}

static void open_flow(struct flow *flow)
{
    memset(flow, 0, sizeof *flow);
    steps_open(&flow->steps);
    make_blobs(flow);
    struct router_options options = {.seed = 1,
                                     .incarnation = FLOW_ROUTER_INCARNATION,
                                     .name = bytes_of_text("r1"),
                                     .tickets_max = 8000,
                                     .classes_max = 64,
                                     .profiles_max = 64,
                                     .agents_max = 64,
                                     .sites_max = 16,
                                     .offers_max = 64,
                                     .brokers_max = 4,
                                     .parts_max = 8,
                                     .queues_max = 8,
                                     .batch_requests_max = 64,
                                     .batch_texts_bytes = 1U << 20};
    flow->steps.core = router_core(router_open(&flow->steps.arena, &options));
    flow->pool = (struct plan_pool){.part = FLOW_PART, .name = bytes_of_text("pool")};
    flow->queue = (struct plan_queue){.id = FLOW_QUEUE,
                                      .part = FLOW_PART,
                                      .name = bytes_of_text("aceras"),
                                      .grace_ms = 30000,
                                      .offer_ttl_ms = 20000,
                                      .max_fails = 3};
    flow->plan = (struct plan){
        .pools = &flow->pool, .pool_count = 1, .queues = &flow->queue, .queue_count = 1};
    flow->session = (struct session){.boot = 1, .connect = 1, .nonce = 9};
    steps_plan(&flow->steps, &flow->plan);
    struct event lease = {.kind = EVENT_LEASE};
    lease.lease.deadline_ms = NO_DEADLINE;
    steps_event(&flow->steps, lease);
}

uint64_t flow_load_token(const struct flow *flow)
{
    const struct effect *load = steps_find(&flow->steps, EFFECT_LOAD, 0);
    assert_non_null(load);
    return load->load.token;
}

void flow_loaded(struct flow *flow, const struct ticket_row *rows, uint32_t count)
{
    struct load_page page = {.rows = rows, .row_count = count, .store_now_us = FLOW_STORE_US};
    steps_loaded(&flow->steps, flow_load_token(flow), VT_OK, &page);
}

const struct effect *flow_store_effect(const struct flow *flow)
{
    const struct effect *store = steps_find(&flow->steps, EFFECT_STORE, 0);
    assert_non_null(store);
    return store;
}

void flow_claim(struct flow *flow)
{
    flow_members(flow, NODE_ACTIVE, NULL);
    assert_int_equal(steps_count(&flow->steps, EFFECT_CLAIM), 1);
    struct event claimed = {.kind = EVENT_CLAIMED};
    claimed.claimed.part = FLOW_PART;
    claimed.claimed.epoch = FLOW_EPOCH;
    steps_event(&flow->steps, claimed);
    const struct effect *store = flow_store_effect(flow);
    assert_int_equal(store->store.count, 1);
    assert_int_equal(store->store.requests[0].kind, STORE_CLAIM);
    struct store_result result = {.status = STORE_DONE};
    steps_stored(&flow->steps, store->store.token, &result, 1);
}

void flow_serve(struct flow *flow,
                const struct ticket_row *held,
                uint32_t held_count,
                const struct ticket_row *queued,
                uint32_t queued_count)
{
    flow_claim(flow);
    const struct effect *load = steps_find(&flow->steps, EFFECT_LOAD, 0);
    assert_int_equal(load->load.request.kind, LOAD_HELD);
    flow_loaded(flow, held, held_count);
    load = steps_find(&flow->steps, EFFECT_LOAD, 0);
    assert_int_equal(load->load.request.kind, LOAD_QUEUED);
    flow_loaded(flow, queued, queued_count);
}

struct ticket_row flow_row(const struct flow *flow, uint32_t number)
{
    return (struct ticket_row){.id = flow_ticket_id(number),
                               .part = FLOW_PART,
                               .queue = FLOW_QUEUE,
                               .priority = 50,
                               .state = TICKET_QUEUED,
                               .msgs = 1,
                               .rev = 1,
                               .created_us = FLOW_STORE_US + number,
                               .queued_us = FLOW_STORE_US + number,
                               .requirements =
                                   bytes_of(flow->requirements, flow->requirements_size)};
}

void flow_forward(struct flow *flow, struct forward entry)
{
    entry.n = ++flow->forwarded;
    struct header like = flow_header(flow, MESSAGE_FORWARD);
    steps_receive(&flow->steps, flow_broker, &like, &entry, 1);
}

void flow_forward_ticket(struct flow *flow, const struct ticket_row *ticket)
{
    flow_forward(flow, (struct forward){.what = FORWARD_TICKET, .row = *ticket});
}

struct agent flow_agent(const struct flow *flow, uint32_t id, const char *name)
{
    return (struct agent){.id = id,
                          .name = bytes_of_text(name),
                          .capacity = 1,
                          .free = 1,
                          .profile = bytes_of(flow->profile, flow->profile_size)};
}

void flow_site_up(struct flow *flow,
                  const struct agent *agents,
                  uint32_t agent_count,
                  const struct held *held,
                  uint32_t held_count)
{
    struct site_up up = {
        .name = bytes_of_text("oficina"), .agent_count = agent_count, .held_count = held_count};
    struct header like = flow_header(flow, MESSAGE_SITE_UP);
    like.part = 0;
    like.epoch = 0;
    like.flags = HEADER_FIRST;
    steps_receive(&flow->steps, flow_broker, &like, &up, 1);
    like.kind = MESSAGE_AGENT;
    like.flags = HEADER_FIRST | HEADER_LAST;
    if (held_count > 0) {
        steps_receive(&flow->steps, flow_broker, &like, agents, agent_count);
        like.kind = MESSAGE_HELD;
        steps_receive(&flow->steps, flow_broker, &like, held, held_count);
    } else {
        steps_receive(&flow->steps, flow_broker, &like, agents, agent_count);
    }
}

void flow_ana_up(struct flow *flow)
{
    struct agent ana = flow_agent(flow, FLOW_ANA, "ana");
    flow_site_up(flow, &ana, 1, NULL, 0);
}

void flow_both_up(struct flow *flow)
{
    struct agent both[] = {flow_agent(flow, FLOW_ANA, "ana"), flow_agent(flow, FLOW_BEN, "ben")};
    flow_site_up(flow, both, 2, NULL, 0);
}

struct offer flow_offered(const struct flow *flow)
{
    const struct message *offers = steps_find_send(&flow->steps, MESSAGE_OFFER, 0);
    assert_non_null(offers);
    return offers->offer[0];
}

void flow_accept(struct flow *flow, const struct offer *offer)
{
    struct accept entry = {.offer = offer->offer,
                           .ticket = offer->ticket,
                           .attempt = offer->attempt,
                           .agent = offer->agent,
                           .epoch = FLOW_EPOCH};
    struct header like = flow_header(flow, MESSAGE_ACCEPT);
    steps_receive(&flow->steps, flow_broker, &like, &entry, 1);
}

void flow_decline(struct flow *flow, const struct offer *offer)
{
    struct decline entry = {.offer = offer->offer,
                            .ticket = offer->ticket,
                            .attempt = offer->attempt,
                            .agent = offer->agent,
                            .epoch = FLOW_EPOCH,
                            .reason = DECLINE_REFUSED,
                            .free = 1};
    struct header like = flow_header(flow, MESSAGE_DECLINE);
    steps_receive(&flow->steps, flow_broker, &like, &entry, 1);
}

void flow_stored(struct flow *flow, const struct store_result *result)
{
    const struct effect *store = flow_store_effect(flow);
    assert_int_equal(store->store.count, 1);
    steps_stored(&flow->steps, store->store.token, result, 1);
}

struct ticket_row flow_assigned_row(const struct flow *flow, uint32_t number, uint32_t who)
{
    struct ticket_row ticket = flow_row(flow, number);
    ticket.state = TICKET_ASSIGNED;
    ticket.attempt = 1;
    ticket.agent = who;
    ticket.site = FLOW_SITE;
    ticket.rev = 2;
    return ticket;
}

void flow_accept_first(struct flow *flow)
{
    flow_serve(flow, NULL, 0, NULL, 0);
    flow_ana_up(flow);
    struct ticket_row ticket = flow_row(flow, 1);
    flow_forward_ticket(flow, &ticket);
    struct offer offer = flow_offered(flow);
    flow_accept(flow, &offer);
}

void flow_work(struct flow *flow)
{
    flow_accept_first(flow);
    struct store_result result = {.status = STORE_DONE,
                                  .row = flow_assigned_row(flow, 1, FLOW_ANA),
                                  .body = bytes_of_text("body")};
    flow_stored(flow, &result);
    assert_int_equal(steps_count_entries(&flow->steps, MESSAGE_CONFIRM), 1);
}

void flow_outcome(struct flow *flow, enum outcome_kind what)
{
    struct outcome entry = {.what = what,
                            .ticket = flow_ticket_id(1),
                            .attempt = 1,
                            .agent = FLOW_ANA,
                            .seen = 1,
                            .text = bytes_of_text("answer")};
    struct header like = flow_header(flow, MESSAGE_OUTCOME);
    steps_receive(&flow->steps, flow_broker, &like, &entry, 1);
}

const struct verdict *flow_verdict(const struct flow *flow)
{
    const struct message *message = steps_find_send(&flow->steps, MESSAGE_VERDICT, 0);
    assert_non_null(message);
    assert_int_equal(message->count, 1);
    return &message->verdict[0];
}

int flow_set_up(void **state)
{
    static struct flow flow;
    open_flow(&flow);
    *state = &flow;
    return 0;
}

int flow_tear_down(void **state)
{
    struct flow *flow = *state;
    steps_close(&flow->steps);
    return 0;
}
