#include "tests/unit/site.h"

#include "lib/check.h"

const struct address site_broker = {.link = LINK_BROKERS, .peer = 0};
const struct address site_ana = {.link = LINK_DESK, .peer = 0};

void site_init(struct site *site)
{
    *site = (struct site){.epoch = SITE_EPOCH};
    site->agents[0] =
        (struct agentd_agent){.name = bytes_of_text("ana"), .capacity = 2, .answers = ANSWERS_AUTO};
    site->agents[1] = (struct agentd_agent){
        .name = bytes_of_text("berta"), .capacity = 1, .is_person = true, .answers = ANSWERS_DESK};
    site->agents[2] = (struct agentd_agent){
        .name = bytes_of_text("carlos"), .capacity = 1, .answers = ANSWERS_AUTO};
    agentd_options_default(&site->options);
    site->options.seed = unit_seed();
    site->options.site = bytes_of_text("centro");
    site->options.agents = site->agents;
    site->options.agent_count = SITE_AGENTS;
    site->options.broker_count = 2;
    site->options.journal_entries_max = 64;
}

void site_open(struct site *site)
{
    steps_open(&site->steps);
    site->steps.core = agentd_core(agentd_open(&site->steps.arena, &site->options));
}

void site_close(struct site *site)
{
    steps_close(&site->steps);
}

int site_setup(void **state)
{
    static struct site site;
    site_init(&site);
    site_open(&site);
    *state = &site;
    return 0;
}

int site_setup_up(void **state)
{
    (void) site_setup(state);
    site_up(*state);
    return 0;
}

int site_teardown(void **state)
{
    site_close(*state);
    return 0;
}

const struct decline *site_declined(const struct site *site)
{
    const struct message *message = steps_find_send(&site->steps, MESSAGE_DECLINE, 0);
    return message == NULL ? NULL : &message->decline[0];
}

void site_load(struct site *site, const struct journal_entry *entries, uint32_t count)
{
    steps_wait(&site->steps, 0);
    const struct effect *load = steps_find(&site->steps, EFFECT_LOAD, 0);
    assert_non_null(load);
    struct load_page page = {.journal = entries, .journal_count = count};
    steps_loaded(&site->steps, load->load.token, VT_OK, &page);
}

void site_write_status(struct site *site, enum store_status status)
{
    struct store_result results[512];
    const struct effect *store = steps_find(&site->steps, EFFECT_STORE, 0);
    assert_non_null(store);
    CHECK(store->store.count <= ARRAY_LENGTH(results));
    for (uint32_t i = 0; i < store->store.count; i++) {
        results[i] = (struct store_result){.status = status};
    }
    steps_stored(&site->steps, store->store.token, results, store->store.count);
}

void site_write(struct site *site)
{
    site_write_status(site, STORE_DONE);
}

void site_welcome(struct site *site, struct address broker)
{
    struct welcome welcome[SITE_AGENTS];
    for (uint32_t i = 0; i < SITE_AGENTS; i++) {
        welcome[i] = (struct welcome){.index = i, .agent = SITE_ANA + i};
    }
    struct header header = {.kind = MESSAGE_WELCOME};
    steps_receive(&site->steps, broker, &header, welcome, SITE_AGENTS);
}

void site_up(struct site *site)
{
    site_load(site, NULL, 0);
    site_write(site);
    site_welcome(site, site_broker);
}

struct ticket_id site_ticket(uint64_t n)
{
    return (struct ticket_id){.hi = 0x7000, .lo = n};
}

void site_say(struct site *site, enum message_kind kind, const void *entries, uint32_t count)
{
    struct header header = {
        .kind = kind, .part = SITE_PART, .epoch = site->epoch, .seq = ++site->seq};
    struct address broker = {.link = LINK_BROKERS, .peer = site->via};
    steps_receive(&site->steps, broker, &header, entries, count);
}

void site_offer(struct site *site, uint64_t ticket, uint32_t attempt, uint32_t agent)
{
    struct offer offer = {.offer = 900 + ticket,
                          .ticket = site_ticket(ticket),
                          .attempt = attempt,
                          .agent = agent,
                          .ttl_ms = 20000,
                          .queue_name = bytes_of_text("aceras")};
    site_say(site, MESSAGE_OFFER, &offer, 1);
}

void site_confirm(struct site *site, uint64_t ticket, uint32_t attempt, uint32_t agent)
{
    struct confirm confirm = {.ticket = site_ticket(ticket),
                              .attempt = attempt,
                              .agent = agent,
                              .msgs = 1,
                              .queue_name = bytes_of_text("aceras"),
                              .body = bytes_of_text("a hole in the pavement")};
    site_say(site, MESSAGE_CONFIRM, &confirm, 1);
}

void site_release(struct site *site, uint64_t ticket, uint32_t attempt, uint32_t agent)
{
    struct release release = {.ticket = site_ticket(ticket), .attempt = attempt, .agent = agent};
    site_say(site, MESSAGE_RELEASE, &release, 1);
}

void site_verdict(struct site *site,
                  uint64_t ticket,
                  uint32_t attempt,
                  enum outcome_kind what,
                  enum verdict_kind verdict)
{
    struct verdict entry = {
        .what = what, .verdict = verdict, .ticket = site_ticket(ticket), .attempt = attempt};
    site_say(site, MESSAGE_VERDICT, &entry, 1);
}

void site_work(struct site *site, uint64_t ticket, uint32_t attempt, uint32_t agent)
{
    site_offer(site, ticket, attempt, agent);
    if (steps_find(&site->steps, EFFECT_STORE, 0) != NULL) {
        site_write(site); /* the owner's epoch */
    }
    site_confirm(site, ticket, attempt, agent);
    site_write(site);
}

void site_result(struct site *site,
                 uint64_t ticket,
                 uint32_t attempt,
                 uint32_t index,
                 enum outcome_kind what,
                 const char *text)
{
    struct address desk = {.link = LINK_DESK, .peer = index};
    struct header header = {.kind = MESSAGE_DESK_RESULT};
    struct outcome outcome = {.what = what,
                              .ticket = site_ticket(ticket),
                              .attempt = attempt,
                              .agent = index,
                              .text = bytes_of_text(text)};
    steps_receive(&site->steps, desk, &header, &outcome, 1);
}

const struct reply *site_reply(const struct site *site, enum reply_row row, uint32_t nth)
{
    for (uint32_t i = 0; steps_find_send(&site->steps, MESSAGE_REPLY, i) != NULL; i++) {
        const struct message *message = steps_find_send(&site->steps, MESSAGE_REPLY, i);
        for (uint32_t k = 0; k < message->count; k++) {
            if (message->reply[k].row == row && nth-- == 0) {
                return &message->reply[k];
            }
        }
    }
    return NULL;
}

void site_query(struct site *site, enum query_what what)
{
    struct address local = {.link = LINK_LOCAL, .peer = 1};
    struct header header = {.kind = MESSAGE_QUERY};
    struct query query = {.ref = 5, .what = what};
    steps_receive(&site->steps, local, &header, &query, 1);
}

int64_t site_metric(struct site *site, const char *name, const char *labels)
{
    site_query(site, QUERY_METRICS);
    for (uint32_t i = 0; site_reply(site, ROW_METRIC, i) != NULL; i++) {
        const struct metric *metric = &site_reply(site, ROW_METRIC, i)->metric;
        if (bytes_equal_text(metric->name, name) && bytes_equal_text(metric->labels, labels)) {
            return metric->value;
        }
    }
    fail_msg("no metric %s{%s}", name, labels);
    return -1;
}
