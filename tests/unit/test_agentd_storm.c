/* Random owners, desks, journals and connections against one site, with what must always hold
 * checked after every event. CHECKs inside the core are part of the test.
 */

#include "lib/check.h"
#include "lib/random.h"
#include "tests/unit/site.h"

#define EVENT_COUNT 30000u
#define TICKETS 24u
#define ATTEMPTS 4u

struct storm {
    struct site site;
    struct random random;
    bool is_shown[TICKETS][ATTEMPTS]; /* the desk has it */
    bool is_written[TICKETS];         /* JOURNAL_WORKING stands in the journal */
    bool has_outcome[TICKETS];        /* JOURNAL_OUTCOME stands in the journal */
    uint32_t attempts[TICKETS];
    struct outcome ended[TICKETS]; /* the last one sent; its texts are gone */
    uint32_t holder[TICKETS];      /* index of the agent whose desk has it */
    uint64_t store_token;          /* 0: nothing is in the store */
    struct store_request requests[512];
    uint32_t request_count;
    uint32_t shown_total;
    uint32_t outcome_total;
};

static uint32_t below(struct storm *s, uint32_t bound)
{
    return (uint32_t) random_below(&s->random, bound);
}

static void watch_desk(struct storm *s, const struct effect *effect)
{
    const struct message *m = effect->send.message;
    for (uint32_t i = 0; i < m->count; i++) {
        if (m->header.kind == MESSAGE_DESK_WORK) {
            const struct confirm *confirm = &m->confirm[i];
            assert_true(s->is_written[confirm->ticket.lo]);
            s->is_shown[confirm->ticket.lo][confirm->attempt] = true;
            s->holder[confirm->ticket.lo] = (uint32_t) effect->send.to.peer;
            s->shown_total++;
        } else if (m->header.kind == MESSAGE_DESK_DROP) {
            s->is_shown[m->release[i].ticket.lo][m->release[i].attempt] = false;
        } else if (m->header.kind == MESSAGE_OUTCOME) {
            assert_true(s->has_outcome[m->outcome[i].ticket.lo]);
            s->ended[m->outcome[i].ticket.lo] = m->outcome[i];
            s->outcome_total++;
        }
    }
}

static void watch(struct storm *s)
{
    for (uint32_t i = 0; i < s->site.steps.count; i++) {
        const struct effect *effect = &s->site.steps.list[i];
        if (effect->kind == EFFECT_STORE) {
            assert_true(s->store_token == 0);
            s->store_token = effect->store.token;
            s->request_count = effect->store.count;
            for (uint32_t k = 0; k < effect->store.count; k++) {
                s->requests[k] = effect->store.requests[k];
            }
        } else if (effect->kind == EFFECT_SEND) {
            if (effect->send.to.link == LINK_BROKERS) {
                s->site.via = effect->send.to.peer;
            }
            watch_desk(s, effect);
        }
    }
    for (uint32_t agent = 0; agent < SITE_AGENTS; agent++) {
        uint32_t shown_count = 0;
        for (uint32_t t = 0; t < TICKETS; t++) {
            for (uint32_t k = 0; k < ATTEMPTS; k++) {
                shown_count += s->is_shown[t][k] && s->holder[t] == agent ? 1 : 0;
            }
        }
        assert_true(shown_count <= s->site.agents[agent].capacity);
    }
}

static void apply(struct storm *s, const struct store_request *request)
{
    bool is_put = request->kind == STORE_JOURNAL_PUT;
    if (request->journal.kind == JOURNAL_WORKING) {
        s->is_written[request->journal.b] = is_put;
    } else if (request->journal.kind == JOURNAL_OUTCOME) {
        s->has_outcome[request->journal.b] = is_put;
    }
}

static void answer_store(struct storm *s, uint32_t failures_in_100)
{
    struct store_result results[512];
    if (s->store_token == 0) {
        return;
    }
    for (uint32_t i = 0; i < s->request_count; i++) {
        bool fails = below(s, 100) < failures_in_100;
        results[i] = (struct store_result){.status = fails ? STORE_FAILED : STORE_DONE};
        if (!fails) {
            apply(s, &s->requests[i]);
        }
    }
    uint64_t token = s->store_token;
    s->store_token = 0;
    steps_stored(&s->site.steps, token, results, s->request_count);
}

static void say_owner(struct storm *s)
{
    uint64_t ticket = below(s, TICKETS);
    uint32_t attempt = s->attempts[ticket];
    if (below(s, 10) == 0) {
        attempt = below(s, ATTEMPTS);
    }
    uint32_t agent =
        SITE_ANA + (below(s, 10) == 0 ? below(s, SITE_AGENTS) : (uint32_t) ticket % SITE_AGENTS);
    switch (below(s, 6)) {
    case 0:
    case 1:
        site_offer(&s->site, ticket, attempt, agent);
        return;
    case 2:
    case 3:
        site_confirm(&s->site, ticket, attempt, agent);
        return;
    case 4:
        site_release(&s->site, ticket, attempt, agent);
        return;
    default:
        site_verdict(
            &s->site, ticket, s->ended[ticket].attempt, s->ended[ticket].what, VERDICT_ACK);
        s->attempts[ticket] = (s->attempts[ticket] + below(s, 2)) % ATTEMPTS;
        return;
    }
}

static void say_desk(struct storm *s)
{
    uint32_t n = below(s, TICKETS * ATTEMPTS);
    for (uint32_t i = 0; i < TICKETS * ATTEMPTS && !s->is_shown[n / ATTEMPTS][n % ATTEMPTS]; i++) {
        n = (n + 1) % (TICKETS * ATTEMPTS);
    }
    uint32_t ticket = n / ATTEMPTS;
    uint32_t attempt = n % ATTEMPTS;
    uint64_t asked = 1 + SITE_AGENTS * (uint64_t) below(s, TICKETS / SITE_AGENTS); /* mostly hers */
    struct accept accept = {.ticket = site_ticket(asked), .attempt = s->attempts[asked]};
    struct address desk = {.link = LINK_DESK, .peer = 1};
    if (below(s, 3) == 0) {
        struct header header = {.kind = MESSAGE_DESK_ACCEPT};
        steps_receive(&s->site.steps, desk, &header, &accept, 1);
    } else if (s->is_shown[ticket][attempt]) {
        s->is_shown[ticket][attempt] = false;
        site_result(&s->site, ticket, attempt, s->holder[ticket], OUTCOME_COMPLETE, "done");
    }
}

static void lose_desk(struct storm *s)
{
    uint32_t agent = below(s, SITE_AGENTS);
    struct address desk = {.link = LINK_DESK, .peer = agent};
    struct avail avail = {.agent = agent, .is_available = true};
    for (uint32_t t = 0; t < TICKETS; t++) {
        for (uint32_t k = 0; k < ATTEMPTS && s->holder[t] == agent; k++) {
            s->is_shown[t][k] = false;
        }
    }
    steps_link_down(&s->site.steps, desk);
    watch(s);
    steps_receive(&s->site.steps, desk, &(struct header){.kind = MESSAGE_AVAIL}, &avail, 1);
}

static void welcome_both(struct storm *s)
{
    site_welcome(&s->site, site_broker);
    watch(s);
    site_welcome(&s->site, (struct address){.link = LINK_BROKERS, .peer = 1});
}

static void blow(struct storm *s)
{
    uint32_t dice = below(s, 100);
    if (dice < 50) {
        say_owner(s);
    } else if (dice < 65) {
        say_desk(s);
    } else if (dice < 85) {
        answer_store(s, 10);
    } else if (dice < 95) {
        steps_wait(&s->site.steps, below(s, 3000));
    } else if (dice < 96) {
        struct address broker = {.link = LINK_BROKERS, .peer = below(s, 2)};
        steps_link_down(&s->site.steps, broker);
    } else if (dice < 97) {
        lose_desk(s);
    } else {
        welcome_both(s);
    }
}

static void slots_and_journal_hold_in_any_order_of_events(void **state)
{
    (void) state;
    static struct storm storm;
    struct storm *s = &storm;
    site_init(&s->site);
    s->site.options.journal_entries_max = 12; /* so that it is full at times */
    site_open(&s->site);
    random_init(&s->random, unit_seed());
    site_up(&s->site);

    for (uint32_t i = 0; i < EVENT_COUNT; i++) {
        s->site.steps.count = 0;
        blow(s);
        watch(s);
    }

    assert_true(s->shown_total > 300);
    assert_true(s->outcome_total > 200);
    site_close(&s->site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_and_journal_hold_in_any_order_of_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
