#include "router/router.h"

#include <string.h>

#include "lib/trace.h"
#include "proto/plan.h"
#include "proto/requirements.h"
#include "tests/unit/steps.h"

#define PART 3U
#define QUEUE 7U
#define BROKER 11U
#define EPOCH 41U
#define SITE 5U
#define ANA 101U
#define BEN 102U
#define ROUTER_INCARNATION UINT64_C(77)
#define BROKER_INCARNATION UINT64_C(88)
#define STORE_US INT64_C(1700000000000000)

struct world {
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

static const struct address broker = {LINK_BROKERS, BROKER};

static struct ticket_id ticket_id(uint32_t number)
{
    return (struct ticket_id){.hi = 0x0190000000007000U, .lo = number};
}

static struct header header(const struct world *world, enum message_kind kind)
{
    return (struct header){.kind = kind,
                           .part = PART,
                           .site = SITE,
                           .session = world->session,
                           .epoch = EPOCH,
                           .origin = BROKER_INCARNATION};
}

static void members(struct world *world, enum node_state state, const struct ownership_key *owner)
{
    const struct node nodes[] = {{.kind = NODE_ROUTER,
                                  .state = state,
                                  .number = 1,
                                  .weight = 1,
                                  .incarnation = ROUTER_INCARNATION,
                                  .name = bytes_of_text("r1")},
                                 {.kind = NODE_BROKER,
                                  .state = NODE_ACTIVE,
                                  .number = BROKER,
                                  .weight = 1,
                                  .incarnation = BROKER_INCARNATION,
                                  .name = bytes_of_text("b1")}};
    struct membership membership = {
        .nodes = nodes, .node_count = 2, .owners = owner, .owner_count = owner == NULL ? 0 : 1};
    steps_event(&world->steps, (struct event){.kind = EVENT_MEMBERS, .members = &membership});
}

static void make_blobs(struct world *world)
{
    struct requirements requirements = {.channel = CHANNEL_WEB};
    struct profile profile = {.queue_count = 0};
    world->requirements_size = requirements_write(&requirements, world->requirements);
    world->profile_size = profile_write(&profile, world->profile);
}

static void open_world(struct world *world)
{
    memset(world, 0, sizeof *world);
    steps_open(&world->steps);
    make_blobs(world);
    struct router_options options = {.seed = 1,
                                     .incarnation = ROUTER_INCARNATION,
                                     .name = bytes_of_text("r1"),
                                     .tickets_max = 1000,
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
    world->steps.core = router_core(router_open(&world->steps.arena, &options));
    world->pool = (struct plan_pool){.part = PART, .name = bytes_of_text("pool")};
    world->queue = (struct plan_queue){.id = QUEUE,
                                       .part = PART,
                                       .name = bytes_of_text("aceras"),
                                       .grace_ms = 30000,
                                       .offer_ttl_ms = 20000,
                                       .max_fails = 3};
    world->plan = (struct plan){
        .pools = &world->pool, .pool_count = 1, .queues = &world->queue, .queue_count = 1};
    world->session = (struct session){.boot = 1, .connect = 1, .nonce = 9};
    steps_plan(&world->steps, &world->plan);
    struct event lease = {.kind = EVENT_LEASE};
    lease.lease.deadline_ms = NO_DEADLINE;
    steps_event(&world->steps, lease);
}

static uint64_t load_token(const struct world *world)
{
    const struct effect *load = steps_find(&world->steps, EFFECT_LOAD, 0);
    assert_non_null(load);
    return load->load.token;
}

static void loaded(struct world *world, const struct ticket_row *rows, uint32_t count)
{
    struct load_page page = {.rows = rows, .row_count = count, .store_now_us = STORE_US};
    steps_loaded(&world->steps, load_token(world), VT_OK, &page);
}

static const struct effect *store_effect(const struct world *world)
{
    const struct effect *store = steps_find(&world->steps, EFFECT_STORE, 0);
    assert_non_null(store);
    return store;
}

static void claim(struct world *world)
{
    members(world, NODE_ACTIVE, NULL);
    assert_int_equal(steps_count(&world->steps, EFFECT_CLAIM), 1);
    struct event claimed = {.kind = EVENT_CLAIMED};
    claimed.claimed.part = PART;
    claimed.claimed.epoch = EPOCH;
    steps_event(&world->steps, claimed);
    const struct effect *store = store_effect(world);
    assert_int_equal(store->store.count, 1);
    assert_int_equal(store->store.requests[0].kind, STORE_CLAIM);
    struct store_result result = {.status = STORE_DONE};
    steps_stored(&world->steps, store->store.token, &result, 1);
}

/* Owns the partition, with these rows assigned or parked, and these queued. */
static void serve(struct world *world,
                  const struct ticket_row *held,
                  uint32_t held_count,
                  const struct ticket_row *queued,
                  uint32_t queued_count)
{
    claim(world);
    const struct effect *load = steps_find(&world->steps, EFFECT_LOAD, 0);
    assert_int_equal(load->load.request.kind, LOAD_HELD);
    loaded(world, held, held_count);
    load = steps_find(&world->steps, EFFECT_LOAD, 0);
    assert_int_equal(load->load.request.kind, LOAD_QUEUED);
    loaded(world, queued, queued_count);
}

static struct ticket_row row(const struct world *world, uint32_t number)
{
    return (struct ticket_row){.id = ticket_id(number),
                               .part = PART,
                               .queue = QUEUE,
                               .priority = 50,
                               .state = TICKET_QUEUED,
                               .msgs = 1,
                               .rev = 1,
                               .created_us = STORE_US + number,
                               .queued_us = STORE_US + number,
                               .requirements =
                                   bytes_of(world->requirements, world->requirements_size)};
}

static void forward(struct world *world, struct forward entry)
{
    entry.n = ++world->forwarded;
    struct header like = header(world, MESSAGE_FORWARD);
    steps_receive(&world->steps, broker, &like, &entry, 1);
}

static void forward_ticket(struct world *world, const struct ticket_row *ticket)
{
    forward(world, (struct forward){.what = FORWARD_TICKET, .row = *ticket});
}

static struct agent agent(const struct world *world, uint32_t id, const char *name)
{
    return (struct agent){.id = id,
                          .name = bytes_of_text(name),
                          .capacity = 1,
                          .free = 1,
                          .profile = bytes_of(world->profile, world->profile_size)};
}

static void site_up(struct world *world,
                    const struct agent *agents,
                    uint32_t agent_count,
                    const struct held *held,
                    uint32_t held_count)
{
    struct site_up up = {
        .name = bytes_of_text("oficina"), .agent_count = agent_count, .held_count = held_count};
    struct header like = header(world, MESSAGE_SITE_UP);
    like.part = 0;
    like.epoch = 0;
    like.flags = HEADER_FIRST;
    steps_receive(&world->steps, broker, &like, &up, 1);
    like.kind = MESSAGE_AGENT;
    like.flags = HEADER_FIRST | HEADER_LAST;
    if (held_count > 0) {
        steps_receive(&world->steps, broker, &like, agents, agent_count);
        like.kind = MESSAGE_HELD;
        steps_receive(&world->steps, broker, &like, held, held_count);
    } else {
        steps_receive(&world->steps, broker, &like, agents, agent_count);
    }
}

static void ana_up(struct world *world)
{
    struct agent ana = agent(world, ANA, "ana");
    site_up(world, &ana, 1, NULL, 0);
}

static void both_up(struct world *world)
{
    struct agent both[] = {agent(world, ANA, "ana"), agent(world, BEN, "ben")};
    site_up(world, both, 2, NULL, 0);
}

static struct offer offered(const struct world *world)
{
    const struct message *offers = steps_find_send(&world->steps, MESSAGE_OFFER, 0);
    assert_non_null(offers);
    return offers->offer[0];
}

static void accept(struct world *world, const struct offer *offer)
{
    struct accept entry = {.offer = offer->offer,
                           .ticket = offer->ticket,
                           .attempt = offer->attempt,
                           .agent = offer->agent,
                           .epoch = EPOCH};
    struct header like = header(world, MESSAGE_ACCEPT);
    steps_receive(&world->steps, broker, &like, &entry, 1);
}

static void decline(struct world *world, const struct offer *offer)
{
    struct decline entry = {.offer = offer->offer,
                            .ticket = offer->ticket,
                            .attempt = offer->attempt,
                            .agent = offer->agent,
                            .epoch = EPOCH,
                            .reason = DECLINE_REFUSED,
                            .free = 1};
    struct header like = header(world, MESSAGE_DECLINE);
    steps_receive(&world->steps, broker, &like, &entry, 1);
}

/* The store's answer to the one request of the batch that the last call sent. */
static void stored(struct world *world, const struct store_result *result)
{
    const struct effect *store = store_effect(world);
    assert_int_equal(store->store.count, 1);
    steps_stored(&world->steps, store->store.token, result, 1);
}

static struct ticket_row assigned_row(const struct world *world, uint32_t number, uint32_t who)
{
    struct ticket_row ticket = row(world, number);
    ticket.state = TICKET_ASSIGNED;
    ticket.attempt = 1;
    ticket.agent = who;
    ticket.site = SITE;
    ticket.rev = 2;
    return ticket;
}

/* Ticket 1 is in ana's hands. */
static void work(struct world *world)
{
    serve(world, NULL, 0, NULL, 0);
    ana_up(world);
    struct ticket_row ticket = row(world, 1);
    forward_ticket(world, &ticket);
    struct offer offer = offered(world);
    accept(world, &offer);
    struct store_result result = {
        .status = STORE_DONE, .row = assigned_row(world, 1, ANA), .body = bytes_of_text("body")};
    stored(world, &result);
    assert_int_equal(steps_count_entries(&world->steps, MESSAGE_CONFIRM), 1);
}

static void outcome(struct world *world, enum outcome_kind what)
{
    struct outcome entry = {.what = what,
                            .ticket = ticket_id(1),
                            .attempt = 1,
                            .agent = ANA,
                            .seen = 1,
                            .text = bytes_of_text("answer")};
    struct header like = header(world, MESSAGE_OUTCOME);
    steps_receive(&world->steps, broker, &like, &entry, 1);
}

static const struct verdict *the_verdict(const struct world *world)
{
    const struct message *message = steps_find_send(&world->steps, MESSAGE_VERDICT, 0);
    assert_non_null(message);
    assert_int_equal(message->count, 1);
    return &message->verdict[0];
}

static int set_up(void **state)
{
    static struct world world;
    open_world(&world);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    steps_close(&world->steps);
    return 0;
}

static void a_forwarded_ticket_reaches_an_agent_and_is_completed(void **state)
{
    struct world *world = *state;
    serve(world, NULL, 0, NULL, 0);
    ana_up(world);
    struct ticket_row ticket = row(world, 1);

    forward_ticket(world, &ticket);

    const struct message *taken = steps_find_send_to(&world->steps, MESSAGE_TAKEN, broker);
    assert_non_null(taken);
    assert_int_equal(taken->taken[0].upto, 1);
    assert_true(taken->taken[0].broker == BROKER_INCARNATION);
    struct offer offer = offered(world);
    assert_true(id_equal(offer.ticket, ticket_id(1)));
    assert_int_equal(offer.attempt, 1);
    assert_int_equal(offer.agent, ANA);
    assert_int_equal(offer.ttl_ms, 20000);
    assert_int_equal(steps_count(&world->steps, EFFECT_STORE), 0);

    accept(world, &offer);

    const struct effect *store = store_effect(world);
    const struct store_request *request = &store->store.requests[0];
    assert_int_equal(request->kind, STORE_ASSIGN);
    assert_int_equal(request->move.attempt, 1);
    assert_int_equal(request->move.agent, ANA);
    assert_int_equal(request->move.site, SITE);
    assert_int_equal(request->epoch, EPOCH);
    assert_int_equal(steps_count_sends(&world->steps, MESSAGE_CONFIRM), 0);

    struct store_result result = {
        .status = STORE_DONE, .row = assigned_row(world, 1, ANA), .body = bytes_of_text("body")};
    stored(world, &result);

    const struct message *confirm = steps_find_send(&world->steps, MESSAGE_CONFIRM, 0);
    assert_non_null(confirm);
    assert_true(bytes_equal_text(confirm->confirm[0].body, "body"));
    assert_int_equal(confirm->header.site, SITE);
    const struct message *update = steps_find_send(&world->steps, MESSAGE_UPDATE, 0);
    assert_non_null(update);
    assert_int_equal(update->update[0].state, TICKET_ASSIGNED);

    outcome(world, OUTCOME_COMPLETE);
    request = &store_effect(world)->store.requests[0];
    assert_int_equal(request->kind, STORE_COMPLETE);
    assert_true(bytes_equal_text(request->move.text, "answer"));
    stored(world, &(struct store_result){.status = STORE_DONE});

    assert_int_equal(the_verdict(world)->verdict, VERDICT_ACK);
    update = steps_find_send(&world->steps, MESSAGE_UPDATE, 0);
    assert_int_equal(update->update[0].state, TICKET_DONE);
}

static void no_offer_is_made_before_the_queued_rows_are_read(void **state)
{
    struct world *world = *state;
    struct ticket_row rows[] = {row(world, 1), row(world, 2)};
    rows[1].priority = 90;
    claim(world);
    ana_up(world);
    assert_int_equal(steps_count_sends(&world->steps, MESSAGE_OFFER), 0);
    members(world, NODE_ACTIVE, NULL);
    assert_int_equal(steps_count_sends(&world->steps, MESSAGE_OFFER), 0);
    (void) rows;
}

static void the_highest_priority_is_offered_first_after_a_restart(void **state)
{
    struct world *world = *state;
    struct ticket_row rows[] = {row(world, 1), row(world, 2)};
    rows[1].priority = 90;
    serve(world, NULL, 0, rows, 2);

    ana_up(world);

    assert_true(id_equal(offered(world).ticket, ticket_id(2)));
    assert_int_equal(steps_count_entries(&world->steps, MESSAGE_OFFER), 1);
}

static void a_declined_offer_goes_to_the_next_agent(void **state)
{
    struct world *world = *state;
    serve(world, NULL, 0, NULL, 0);
    both_up(world);
    struct ticket_row ticket = row(world, 1);
    forward_ticket(world, &ticket);
    struct offer first = offered(world);

    decline(world, &first);

    struct offer second = offered(world);
    assert_true(id_equal(second.ticket, ticket_id(1)));
    assert_int_not_equal(second.agent, first.agent);
    assert_int_equal(second.attempt, 1);
    assert_int_equal(steps_count(&world->steps, EFFECT_STORE), 0);
}

static void an_expired_offer_is_withdrawn_and_goes_to_the_next_agent(void **state)
{
    struct world *world = *state;
    serve(world, NULL, 0, NULL, 0);
    both_up(world);
    struct ticket_row ticket = row(world, 1);
    forward_ticket(world, &ticket);
    struct offer first = offered(world);

    for (uint32_t i = 0; i < 4; i++) {
        struct beat beat = {0};
        struct header like = header(world, MESSAGE_BEAT);
        like.part = PART_ALL;
        steps_wait(&world->steps, 4900);
        steps_receive(&world->steps, broker, &like, &beat, 1);
    }
    steps_wait(&world->steps, 399);
    assert_int_equal(steps_count_sends(&world->steps, MESSAGE_RELEASE), 0);
    steps_wait(&world->steps, 1);

    const struct message *release = steps_find_send(&world->steps, MESSAGE_RELEASE, 0);
    assert_non_null(release);
    assert_int_equal(release->release[0].why, RELEASE_WITHDRAWN);
    assert_true(release->release[0].offer == first.offer);
    assert_int_not_equal(offered(world).agent, first.agent);

    accept(world, &first);
    assert_int_equal(steps_count(&world->steps, EFFECT_STORE), 0);
    assert_int_equal(steps_count_entries(&world->steps, MESSAGE_RELEASE), 1);
}

static void a_repeated_outcome_is_acknowledged_from_the_row(void **state)
{
    struct world *world = *state;
    work(world);
    outcome(world, OUTCOME_COMPLETE);
    stored(world, &(struct store_result){.status = STORE_DONE});

    outcome(world, OUTCOME_COMPLETE);
    struct ticket_row done = assigned_row(world, 1, ANA);
    done.state = TICKET_DONE;
    done.rev = 3;
    stored(world, &(struct store_result){.status = STORE_DUPLICATE, .row = done});

    assert_int_equal(the_verdict(world)->verdict, VERDICT_ACK);
}

static void a_ticket_given_back_goes_to_another_agent_first(void **state)
{
    struct world *world = *state;
    serve(world, NULL, 0, NULL, 0);
    both_up(world);
    struct ticket_row ticket = row(world, 1);
    forward_ticket(world, &ticket);
    struct offer offer = offered(world);
    assert_int_equal(offer.agent, ANA);
    accept(world, &offer);
    stored(world, &(struct store_result){.status = STORE_DONE, .row = assigned_row(world, 1, ANA)});

    outcome(world, OUTCOME_GIVE_BACK);
    const struct store_request *request = &store_effect(world)->store.requests[0];
    assert_int_equal(request->kind, STORE_REQUEUE);
    assert_int_equal(request->move.cause, REQUEUE_GIVE_BACK);
    stored(world, &(struct store_result){.status = STORE_DONE});

    assert_int_equal(the_verdict(world)->verdict, VERDICT_ACK);
    assert_int_equal(offered(world).agent, BEN);
    assert_int_equal(offered(world).attempt, 2);
}

static void a_late_completion_of_an_older_attempt_keeps_its_text_and_is_stale(void **state)
{
    struct world *world = *state;
    work(world);
    outcome(world, OUTCOME_COMPLETE);
    struct ticket_row newer = assigned_row(world, 1, BEN);
    newer.attempt = 2;
    newer.rev = 5;

    stored(world, &(struct store_result){.status = STORE_REFUSED, .row = newer});

    assert_int_equal(steps_count_sends(&world->steps, MESSAGE_VERDICT), 0);
    const struct store_request *request = &store_effect(world)->store.requests[0];
    assert_int_equal(request->kind, STORE_NOTE);
    assert_true(bytes_equal_text(request->move.text, "answer"));
    stored(world, &(struct store_result){.status = STORE_DONE});
    assert_int_equal(the_verdict(world)->verdict, VERDICT_STALE);
}

static void a_message_that_the_agent_did_not_see_requeues_the_ticket(void **state)
{
    struct world *world = *state;
    work(world);
    outcome(world, OUTCOME_COMPLETE);
    struct ticket_row unseen = assigned_row(world, 1, ANA);
    unseen.msgs = 2;
    unseen.rev = 3;

    stored(world, &(struct store_result){.status = STORE_REFUSED, .row = unseen});

    assert_int_equal(steps_count_sends(&world->steps, MESSAGE_VERDICT), 0);
    const struct store_request *request = &store_effect(world)->store.requests[0];
    assert_int_equal(request->kind, STORE_REQUEUE);
    assert_int_equal(request->move.cause, REQUEUE_NEW_MSGS);
    stored(world, &(struct store_result){.status = STORE_DONE});
    assert_int_equal(the_verdict(world)->verdict, VERDICT_NEW_MSGS);
    assert_int_equal(offered(world).agent, ANA);
}

static void a_fenced_write_is_answered_to_nobody(void **state)
{
    struct world *world = *state;
    work(world);
    outcome(world, OUTCOME_COMPLETE);

    stored(world, &(struct store_result){.status = STORE_FENCED});

    assert_int_equal(steps_count_sends(&world->steps, MESSAGE_VERDICT), 0);
    outcome(world, OUTCOME_COMPLETE);
    assert_int_equal(steps_count_sends(&world->steps, MESSAGE_NOT_OWNER), 1);
}

static void a_failed_write_is_tried_again_with_its_text(void **state)
{
    struct world *world = *state;
    work(world);
    outcome(world, OUTCOME_COMPLETE);

    stored(world, &(struct store_result){.status = STORE_FAILED});
    assert_int_equal(steps_count(&world->steps, EFFECT_STORE), 0);
    assert_int_equal(steps_count_sends(&world->steps, MESSAGE_VERDICT), 0);
    steps_wait(&world->steps, 200);

    assert_true(bytes_equal_text(store_effect(world)->store.requests[0].move.text, "answer"));
    stored(world, &(struct store_result){.status = STORE_DONE});
    assert_int_equal(the_verdict(world)->verdict, VERDICT_ACK);
}

static void an_assignment_of_unknown_outcome_is_decided_by_its_row(void **state)
{
    struct world *world = *state;
    serve(world, NULL, 0, NULL, 0);
    ana_up(world);
    struct ticket_row ticket = row(world, 1);
    forward_ticket(world, &ticket);
    struct offer offer = offered(world);
    accept(world, &offer);

    stored(world, &(struct store_result){.status = STORE_UNCERTAIN});
    assert_int_equal(steps_count_sends(&world->steps, MESSAGE_CONFIRM), 0);
    const struct effect *load = steps_find(&world->steps, EFFECT_LOAD, 0);
    assert_int_equal(load->load.request.kind, LOAD_TICKET);
    struct ticket_row found = assigned_row(world, 1, ANA);
    struct load_page page = {
        .rows = &found, .row_count = 1, .body = bytes_of_text("body"), .store_now_us = STORE_US};
    steps_loaded(&world->steps, load->load.token, VT_OK, &page);

    const struct message *confirm = steps_find_send(&world->steps, MESSAGE_CONFIRM, 0);
    assert_non_null(confirm);
    assert_true(bytes_equal_text(confirm->confirm[0].body, "body"));
}

static void a_repeated_acceptance_is_confirmed_again_with_the_body(void **state)
{
    struct world *world = *state;
    work(world);
    struct offer offer = {.offer = 1, .ticket = ticket_id(1), .attempt = 1, .agent = ANA};

    accept(world, &offer);
    accept(world, &offer);
    assert_int_equal(steps_count(&world->steps, EFFECT_LOAD), 0);
    (void) offer;
}

static void a_refused_assignment_releases_the_agent(void **state)
{
    struct world *world = *state;
    serve(world, NULL, 0, NULL, 0);
    ana_up(world);
    struct ticket_row ticket = row(world, 1);
    forward_ticket(world, &ticket);
    struct offer offer = offered(world);
    accept(world, &offer);
    struct ticket_row cancelled = row(world, 1);
    cancelled.state = TICKET_CANCELLED;
    cancelled.rev = 2;

    stored(world, &(struct store_result){.status = STORE_REFUSED, .row = cancelled});

    assert_int_equal(steps_count_entries(&world->steps, MESSAGE_RELEASE), 1);
    assert_int_equal(steps_count_sends(&world->steps, MESSAGE_OFFER), 0);
}

static void a_site_that_stays_away_loses_its_ticket_after_grace(void **state)
{
    struct world *world = *state;
    work(world);
    struct site_up down = {.name = bytes_of_text("oficina")};
    struct header like = header(world, MESSAGE_SITE_DOWN);
    steps_receive(&world->steps, broker, &like, &down, 1);

    steps_wait(&world->steps, 29999);
    assert_int_equal(steps_count(&world->steps, EFFECT_STORE), 0);
    steps_wait(&world->steps, 1);

    const struct store_request *request = &store_effect(world)->store.requests[0];
    assert_int_equal(request->kind, STORE_REQUEUE);
    assert_int_equal(request->move.cause, REQUEUE_GRACE_OVER);
    assert_int_equal(request->move.attempt, 1);
}

static void a_silent_site_is_down_after_fifteen_seconds(void **state)
{
    struct world *world = *state;
    work(world);

    steps_wait(&world->steps, 15000);
    steps_wait(&world->steps, 30000);

    assert_int_equal(store_effect(world)->store.requests[0].move.cause, REQUEUE_GRACE_OVER);
}

static void a_site_that_returns_within_grace_keeps_its_ticket(void **state)
{
    struct world *world = *state;
    work(world);
    struct site_up down = {.name = bytes_of_text("oficina")};
    struct header like = header(world, MESSAGE_SITE_DOWN);
    steps_receive(&world->steps, broker, &like, &down, 1);
    struct held held = {
        .part = PART, .ticket = ticket_id(1), .attempt = 1, .agent = ANA, .state = HELD_WORKING};
    steps_wait(&world->steps, 20000);
    world->session.connect = 2;
    struct agent ana = agent(world, ANA, "ana");
    ana.free = 0;

    site_up(world, &ana, 1, &held, 1);
    steps_wait(&world->steps, 10001);

    assert_int_equal(steps_count(&world->steps, EFFECT_STORE), 0);
    outcome(world, OUTCOME_COMPLETE);
    assert_int_equal(store_effect(world)->store.requests[0].kind, STORE_COMPLETE);
}

static void a_new_session_that_does_not_hold_the_ticket_gives_it_back_to_the_queue(void **state)
{
    struct world *world = *state;
    work(world);
    world->session.boot = 2;

    ana_up(world);

    const struct store_request *request = &store_effect(world)->store.requests[0];
    assert_int_equal(request->kind, STORE_REQUEUE);
    assert_int_equal(request->move.cause, REQUEUE_NEVER_CONFIRMED);
}

static void a_held_ticket_that_is_not_the_sites_is_released(void **state)
{
    struct world *world = *state;
    serve(world, NULL, 0, NULL, 0);
    struct held held[] = {
        {.part = PART, .ticket = ticket_id(1), .attempt = 1, .agent = ANA},
        {.part = PART, .ticket = ticket_id(2), .attempt = 1, .agent = ANA, .state = HELD_ENDED}};
    struct agent ana = agent(world, ANA, "ana");

    site_up(world, &ana, 1, held, 2);

    assert_int_equal(steps_count_entries(&world->steps, MESSAGE_RELEASE), 1);
    const struct message *release = steps_find_send(&world->steps, MESSAGE_RELEASE, 0);
    assert_int_equal(release->release[0].why, RELEASE_NOT_YOURS);
    assert_true(id_equal(release->release[0].ticket, ticket_id(1)));
}

static void a_session_that_is_not_known_is_asked_for(void **state)
{
    struct world *world = *state;
    serve(world, NULL, 0, NULL, 0);

    outcome(world, OUTCOME_COMPLETE);

    assert_int_equal(steps_count_sends(&world->steps, MESSAGE_SITE_ASK), 1);
    assert_int_equal(steps_count(&world->steps, EFFECT_STORE), 0);
}

static void a_session_of_an_older_boot_is_told_the_floor(void **state)
{
    struct world *world = *state;
    world->session.boot = 7;
    work(world);
    world->session.boot = 3;

    outcome(world, OUTCOME_COMPLETE);

    const struct message *stale = steps_find_send(&world->steps, MESSAGE_SITE_STALE, 0);
    assert_non_null(stale);
    assert_int_equal(stale->site_up[0].floor, 7);
    assert_int_equal(steps_count(&world->steps, EFFECT_STORE), 0);
}

static void a_digest_that_differs_asks_for_the_list_and_judges_it(void **state)
{
    struct world *world = *state;
    work(world);
    uint64_t seq = steps_find_send(&world->steps, MESSAGE_CONFIRM, 0)->header.seq;
    struct beat beat = {.held_count = 0};
    struct header like = header(world, MESSAGE_BEAT);
    steps_wait(&world->steps, 10000);

    steps_receive(&world->steps, broker, &like, &beat, 1);
    assert_int_equal(steps_count_sends(&world->steps, MESSAGE_HELD_ASK), 1);
    like.kind = MESSAGE_HELD;
    like.flags = HEADER_FIRST | HEADER_LAST;
    like.seq = seq - 1;
    steps_receive(&world->steps, broker, &like, NULL, 0);
    assert_int_equal(steps_count(&world->steps, EFFECT_STORE), 0);
    like.seq = seq;
    steps_receive(&world->steps, broker, &like, NULL, 0);

    const struct store_request *request = &store_effect(world)->store.requests[0];
    assert_int_equal(request->move.cause, REQUEUE_NEVER_CONFIRMED);
}

static void forwarded_entries_behind_a_gap_are_not_taken(void **state)
{
    struct world *world = *state;
    serve(world, NULL, 0, NULL, 0);
    struct ticket_row first = row(world, 1);
    forward_ticket(world, &first);
    struct ticket_row third = row(world, 3);
    world->forwarded++;

    forward_ticket(world, &third);

    const struct message *taken = steps_find_send(&world->steps, MESSAGE_TAKEN, 0);
    assert_int_equal(taken->taken[0].upto, 1);
}

static void a_forward_of_another_epoch_is_answered_with_ours(void **state)
{
    struct world *world = *state;
    serve(world, NULL, 0, NULL, 0);
    struct forward entry = {.n = 1, .what = FORWARD_TICKET, .row = row(world, 1)};
    struct header like = header(world, MESSAGE_FORWARD);
    like.epoch = EPOCH - 1;

    steps_receive(&world->steps, broker, &like, &entry, 1);

    const struct message *answer = steps_find_send(&world->steps, MESSAGE_NOT_OWNER, 0);
    assert_non_null(answer);
    assert_int_equal(answer->owns[0].epoch, EPOCH);
    assert_int_equal(steps_count_sends(&world->steps, MESSAGE_TAKEN), 0);
}

static void a_resync_is_taken_only_after_its_reading(void **state)
{
    struct world *world = *state;
    serve(world, NULL, 0, NULL, 0);
    struct ticket_row first = row(world, 1);
    forward_ticket(world, &first);

    forward(world, (struct forward){.what = FORWARD_RESYNC, .since_us = STORE_US});
    assert_int_equal(steps_find_send(&world->steps, MESSAGE_TAKEN, 0)->taken[0].upto, 1);
    const struct effect *load = steps_find(&world->steps, EFFECT_LOAD, 0);
    assert_int_equal(load->load.request.kind, LOAD_RECENT);
    assert_true(load->load.request.since_us == STORE_US - 60000000);
    struct ticket_row found = row(world, 2);
    loaded(world, &found, 1);

    assert_int_equal(steps_find_send(&world->steps, MESSAGE_TAKEN, 0)->taken[0].upto, 2);
    steps_wait(&world->steps, 8000);
    load = steps_find(&world->steps, EFFECT_LOAD, 0);
    assert_non_null(load);
    assert_int_equal(load->load.request.kind, LOAD_RECENT);
}

static void a_cancelled_ticket_is_taken_from_its_agent(void **state)
{
    struct world *world = *state;
    work(world);

    forward(world, (struct forward){.what = FORWARD_CANCEL, .row = {.id = ticket_id(1)}});
    assert_int_equal(store_effect(world)->store.requests[0].kind, STORE_CANCEL);
    stored(world, &(struct store_result){.status = STORE_DONE});

    const struct message *release = steps_find_send(&world->steps, MESSAGE_RELEASE, 0);
    assert_non_null(release);
    assert_int_equal(release->release[0].why, RELEASE_CANCELLED);
    assert_int_equal(steps_find_send(&world->steps, MESSAGE_UPDATE, 0)->update[0].state,
                     TICKET_CANCELLED);
}

static void a_message_reaches_the_agent_who_works_on_the_ticket(void **state)
{
    struct world *world = *state;
    work(world);
    struct ticket_row noted = assigned_row(world, 1, ANA);
    noted.msgs = 2;
    noted.rev = 3;

    forward(world,
            (struct forward){.what = FORWARD_NOTE, .row = noted, .text = bytes_of_text("hello")});

    const struct message *note = steps_find_send(&world->steps, MESSAGE_NOTE_IN, 0);
    assert_non_null(note);
    assert_int_equal(note->note_in[0].msgs, 2);
    assert_true(bytes_equal_text(note->note_in[0].text, "hello"));
}

static void a_message_wakes_a_parked_ticket_for_the_same_agent(void **state)
{
    struct world *world = *state;
    work(world);
    outcome(world, OUTCOME_PARK);
    stored(world, &(struct store_result){.status = STORE_DONE});
    assert_int_equal(the_verdict(world)->verdict, VERDICT_ACK);
    struct ticket_row woken = assigned_row(world, 1, ANA);
    woken.state = TICKET_QUEUED;
    woken.msgs = 2;
    woken.rev = 4;

    forward(world, (struct forward){.what = FORWARD_NOTE, .row = woken});

    assert_int_equal(offered(world).agent, ANA);
    assert_int_equal(offered(world).attempt, 2);
}

static void a_ticket_handed_off_waits_for_a_person(void **state)
{
    struct world *world = *state;
    serve(world, NULL, 0, NULL, 0);
    struct agent both[] = {agent(world, ANA, "ana"), agent(world, BEN, "ben")};
    both[1].is_person = true;
    site_up(world, both, 2, NULL, 0);
    struct ticket_row ticket = row(world, 1);
    forward_ticket(world, &ticket);
    struct offer offer = offered(world);
    if (offer.agent != ANA) {
        decline(world, &offer);
        offer = offered(world);
    }
    accept(world, &offer);
    stored(world, &(struct store_result){.status = STORE_DONE, .row = assigned_row(world, 1, ANA)});

    outcome(world, OUTCOME_HANDOFF);
    assert_int_equal(store_effect(world)->store.requests[0].move.cause, REQUEUE_HANDOFF);
    stored(world, &(struct store_result){.status = STORE_DONE});

    assert_int_equal(offered(world).agent, BEN);
}

static void a_ticket_that_failed_too_often_dies(void **state)
{
    struct world *world = *state;
    struct ticket_row lost = row(world, 1);
    lost.fails = 3;
    lost.attempt = 3;
    lost.agent = ANA;

    serve(world, NULL, 0, &lost, 1);

    const struct store_request *request = &store_effect(world)->store.requests[0];
    assert_int_equal(request->kind, STORE_DEAD);
    assert_int_equal(request->move.max_fails, 3);
    stored(world, &(struct store_result){.status = STORE_DONE});
    assert_int_equal(steps_find_send(&world->steps, MESSAGE_UPDATE, 0)->update[0].state,
                     TICKET_DEAD);
}

static void a_scheduled_ticket_is_offered_when_its_time_has_come(void **state)
{
    struct world *world = *state;
    struct ticket_row later = row(world, 1);
    later.state = TICKET_SCHEDULED;
    later.due_us = STORE_US + 5000000;
    serve(world, NULL, 0, &later, 1);
    ana_up(world);
    steps_wait(&world->steps, 4900);
    assert_int_equal(steps_count(&world->steps, EFFECT_STORE), 0);

    steps_wait(&world->steps, 101);
    assert_int_equal(store_effect(world)->store.requests[0].kind, STORE_DUE);
    stored(world, &(struct store_result){.status = STORE_DONE});

    assert_int_equal(steps_count_entries(&world->steps, MESSAGE_OFFER), 1);
}

static void rows_assigned_before_a_restart_are_verified_with_a_fresh_grace(void **state)
{
    struct world *world = *state;
    struct ticket_row rows[] = {assigned_row(world, 1, ANA)};
    serve(world, rows, 1, NULL, 0);

    steps_wait(&world->steps, 29999);
    assert_int_equal(steps_count(&world->steps, EFFECT_STORE), 0);
    steps_wait(&world->steps, 1);

    assert_int_equal(store_effect(world)->store.requests[0].move.cause, REQUEUE_GRACE_OVER);
}

static void after_a_restart_an_accepted_ticket_is_confirmed_again(void **state)
{
    struct world *world = *state;
    struct ticket_row rows[] = {assigned_row(world, 1, ANA)};
    serve(world, rows, 1, NULL, 0);
    struct held held = {.part = PART, .ticket = ticket_id(1), .attempt = 1, .agent = ANA};
    struct agent ana = agent(world, ANA, "ana");
    ana.free = 0;
    site_up(world, &ana, 1, &held, 1);

    struct load_page page = {
        .rows = rows, .row_count = 1, .body = bytes_of_text("body"), .store_now_us = STORE_US};
    steps_loaded(&world->steps, load_token(world), VT_OK, &page);

    assert_int_equal(steps_count_entries(&world->steps, MESSAGE_CONFIRM), 1);
    steps_wait(&world->steps, 14000);
    assert_int_equal(steps_count(&world->steps, EFFECT_STORE), 0);
}

static void a_late_completion_drops_the_ticket_that_waits_again(void **state)
{
    struct world *world = *state;
    struct ticket_row lost = assigned_row(world, 1, ANA);
    lost.state = TICKET_QUEUED;
    lost.fails = 1;
    serve(world, NULL, 0, &lost, 1);
    struct agent ana = agent(world, ANA, "ana");
    ana.free = 0;
    site_up(world, &ana, 1, NULL, 0);

    outcome(world, OUTCOME_COMPLETE);
    stored(world, &(struct store_result){.status = STORE_DONE});
    assert_int_equal(the_verdict(world)->verdict, VERDICT_ACK);
    struct avail free = {.agent = ANA, .free = 1, .is_available = true};
    struct header like = header(world, MESSAGE_AVAIL);
    like.part = PART_ALL;
    steps_receive(&world->steps, broker, &like, &free, 1);

    assert_int_equal(steps_count_sends(&world->steps, MESSAGE_OFFER), 0);
}

static void an_accepted_offer_whose_site_came_back_anew_is_verified(void **state)
{
    struct world *world = *state;
    serve(world, NULL, 0, NULL, 0);
    ana_up(world);
    struct ticket_row ticket = row(world, 1);
    forward_ticket(world, &ticket);
    struct offer offer = offered(world);
    accept(world, &offer);
    uint64_t token = store_effect(world)->store.token;
    world->session.boot = 2;
    ana_up(world);

    struct store_result result = {.status = STORE_DONE, .row = assigned_row(world, 1, ANA)};
    steps_stored(&world->steps, token, &result, 1);

    assert_int_equal(steps_count_sends(&world->steps, MESSAGE_CONFIRM), 0);
    steps_wait(&world->steps, 10000);
    struct beat beat = {0};
    struct header like = header(world, MESSAGE_BEAT);
    like.part = PART_ALL;
    steps_receive(&world->steps, broker, &like, &beat, 1);
    steps_wait(&world->steps, 10000);
    steps_receive(&world->steps, broker, &like, &beat, 1);
    steps_wait(&world->steps, 10000);
    assert_int_equal(store_effect(world)->store.requests[0].kind, STORE_REQUEUE);
}

static void past_its_lease_a_router_neither_offers_nor_writes(void **state)
{
    struct world *world = *state;
    work(world);
    struct event lease = {.kind = EVENT_LEASE};
    lease.lease.deadline_ms = world->steps.now_ms + 1000;
    steps_event(&world->steps, lease);
    steps_wait(&world->steps, 1000);

    outcome(world, OUTCOME_COMPLETE);

    assert_int_equal(steps_count(&world->steps, EFFECT_STORE), 0);
    assert_int_equal(steps_count_sends(&world->steps, MESSAGE_NOT_OWNER), 1);
}

static void a_stopped_router_withdraws_offers_and_gives_its_partitions_back(void **state)
{
    struct world *world = *state;
    serve(world, NULL, 0, NULL, 0);
    ana_up(world);
    struct ticket_row ticket = row(world, 1);
    forward_ticket(world, &ticket);

    steps_stop(&world->steps, world->steps.now_ms + 5000);

    assert_int_equal(steps_count_entries(&world->steps, MESSAGE_RELEASE), 1);
    assert_int_equal(steps_count(&world->steps, EFFECT_RELEASE), 1);
    assert_int_equal(steps_count(&world->steps, EFFECT_STOPPED), 1);
}

static void a_stopping_router_waits_for_what_is_in_the_store(void **state)
{
    struct world *world = *state;
    work(world);
    outcome(world, OUTCOME_COMPLETE);
    uint64_t token = store_effect(world)->store.token;

    steps_stop(&world->steps, world->steps.now_ms + 5000);
    assert_int_equal(steps_count(&world->steps, EFFECT_STOPPED), 0);
    struct store_result result = {.status = STORE_DONE};
    steps_stored(&world->steps, token, &result, 1);
    assert_int_equal(the_verdict(world)->verdict, VERDICT_ACK);
    steps_wait(&world->steps, 10);

    assert_int_equal(steps_count(&world->steps, EFFECT_RELEASE), 1);
    assert_int_equal(steps_count(&world->steps, EFFECT_STOPPED), 1);
}

static void figures_of_queues_and_agents_are_told(void **state)
{
    struct world *world = *state;
    work(world);
    struct query query = {.ref = 4, .what = QUERY_QUEUES};
    struct header like = {.kind = MESSAGE_QUERY};

    steps_receive(&world->steps, broker, &like, &query, 1);
    const struct message *reply = steps_find_send(&world->steps, MESSAGE_REPLY, 0);
    assert_int_equal(reply->count, 2);
    assert_int_equal(reply->reply[0].row, ROW_QUEUE);
    assert_int_equal(reply->reply[0].queue.assigned, 1);
    assert_int_equal(reply->reply[0].queue.waiting, 0);
    assert_int_equal(reply->reply[0].queue.answered_total, 1);
    assert_int_equal(reply->reply[0].queue.entered_total, 1);
    assert_int_equal(reply->reply[0].queue.agents_up, 1);
    assert_int_equal(reply->reply[0].queue.agents_free, 0);
    assert_int_equal(reply->reply[1].row, ROW_END);

    query.what = QUERY_AGENTS;
    steps_receive(&world->steps, broker, &like, &query, 1);
    reply = steps_find_send(&world->steps, MESSAGE_REPLY, 0);
    assert_int_equal(reply->reply[0].row, ROW_AGENT);
    assert_int_equal(reply->reply[0].agent.busy, 1);
    assert_int_equal(reply->reply[0].agent.offered, 0);
}

static void metrics_and_checks_are_told_to_the_process_around(void **state)
{
    struct world *world = *state;
    struct address local = {LINK_LOCAL, 0};
    struct query query = {.ref = 4, .what = QUERY_CHECKS};
    struct header like = {.kind = MESSAGE_QUERY};
    claim(world);
    steps_receive(&world->steps, local, &like, &query, 1);
    const struct message *reply = steps_find_send(&world->steps, MESSAGE_REPLY, 0);
    assert_false(reply->reply[0].check.is_ok);
    query.what = QUERY_METRICS;
    steps_receive(&world->steps, local, &like, &query, 1);
    uint32_t found = 0;
    reply = steps_find_send(&world->steps, MESSAGE_REPLY, 0);
    for (uint32_t i = 0; i < reply->count; i++) {
        found += reply->reply[i].row == ROW_METRIC &&
                         bytes_equal_text(reply->reply[i].metric.name, "ventanilla_tickets_waiting")
                     ? 1U
                     : 0U;
    }
    assert_int_equal(found, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_forwarded_ticket_reaches_an_agent_and_is_completed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            no_offer_is_made_before_the_queued_rows_are_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            the_highest_priority_is_offered_first_after_a_restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_declined_offer_goes_to_the_next_agent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            an_expired_offer_is_withdrawn_and_goes_to_the_next_agent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_repeated_outcome_is_acknowledged_from_the_row, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_ticket_given_back_goes_to_another_agent_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_late_completion_of_an_older_attempt_keeps_its_text_and_is_stale, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_message_that_the_agent_did_not_see_requeues_the_ticket, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_fenced_write_is_answered_to_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_failed_write_is_tried_again_with_its_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            an_assignment_of_unknown_outcome_is_decided_by_its_row, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_repeated_acceptance_is_confirmed_again_with_the_body, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refused_assignment_releases_the_agent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_site_that_stays_away_loses_its_ticket_after_grace, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_silent_site_is_down_after_fifteen_seconds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_site_that_returns_within_grace_keeps_its_ticket, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_new_session_that_does_not_hold_the_ticket_gives_it_back_to_the_queue,
            set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(
            a_held_ticket_that_is_not_the_sites_is_released, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_session_that_is_not_known_is_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_session_of_an_older_boot_is_told_the_floor, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_digest_that_differs_asks_for_the_list_and_judges_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            forwarded_entries_behind_a_gap_are_not_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_forward_of_another_epoch_is_answered_with_ours, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_resync_is_taken_only_after_its_reading, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_cancelled_ticket_is_taken_from_its_agent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_message_reaches_the_agent_who_works_on_the_ticket, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_message_wakes_a_parked_ticket_for_the_same_agent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_ticket_handed_off_waits_for_a_person, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_ticket_that_failed_too_often_dies, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_scheduled_ticket_is_offered_when_its_time_has_come, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            rows_assigned_before_a_restart_are_verified_with_a_fresh_grace, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            after_a_restart_an_accepted_ticket_is_confirmed_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_late_completion_drops_the_ticket_that_waits_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            an_accepted_offer_whose_site_came_back_anew_is_verified, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            past_its_lease_a_router_neither_offers_nor_writes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_stopped_router_withdraws_offers_and_gives_its_partitions_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_stopping_router_waits_for_what_is_in_the_store, set_up, tear_down),
        cmocka_unit_test_setup_teardown(figures_of_queues_and_agents_are_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            metrics_and_checks_are_told_to_the_process_around, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
