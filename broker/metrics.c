#include "broker/metrics.h"

#include "broker/queries.h"
#include "lib/text.h"

#define LABELS_BYTES_MAX 256u
#define EFFECTS_SPARE 2u

/* Where the rows of one answer go. */
struct page {
    const struct metrics_sources *sources;
    const struct turn *turn;
    struct address to;
    uint64_t ref;
};

static struct reply *add_row(const struct page *page, enum reply_row row)
{
    struct header like = {.kind = MESSAGE_REPLY, .origin = page->turn->incarnation};
    struct reply *reply = message_add(page->turn->out, page->to, &like);
    reply->ref = page->ref;
    reply->row = row;
    return reply;
}

struct family {
    const char *name;
    const char *help;
    enum metric_type type;
};

static void
add(const struct page *page, const struct family *family, struct bytes labels, uint64_t value)
{
    if (!turn_has_room(page->turn, EFFECTS_SPARE)) {
        return;
    }
    struct reply *reply = add_row(page, ROW_METRIC);
    reply->metric.name = bytes_of_text(family->name);
    reply->metric.help = bytes_of_text(family->help);
    reply->metric.labels = turn_copy(page->turn, labels);
    reply->metric.type = family->type;
    reply->metric.value = (int64_t) value;
    reply->metric.divisor = 1;
}

static const char *const end_texts[INTAKE_END_COUNT] = {[INTAKE_OK] = "ok",
                                                        [INTAKE_DUPLICATE] = "duplicate",
                                                        [INTAKE_REJECTED] = "rejected",
                                                        [INTAKE_BUSY] = "busy",
                                                        [INTAKE_UNKNOWN] = "unknown"};

static const char *const channel_texts[CHANNEL_COUNT] = {[CHANNEL_WEB] = "web",
                                                         [CHANNEL_CHAT] = "chat",
                                                         [CHANNEL_EMAIL] = "email",
                                                         [CHANNEL_PHONE] = "phone",
                                                         [CHANNEL_API] = "api",
                                                         [CHANNEL_BULK] = "bulk"};

static void add_intake(const struct page *page)
{
    static const struct family family = {
        "ventanilla_intake_total", "Submitted entries by how they ended.", METRIC_COUNTER};
    char buffer[LABELS_BYTES_MAX];
    struct text labels;
    for (uint32_t end = 0; end < INTAKE_END_COUNT; end++) {
        text_init(&labels, buffer, sizeof buffer);
        text_add_label(&labels, "result", bytes_of_text(end_texts[end]));
        uint64_t total = intake_total(page->sources->intake, (enum intake_end) end);
        add(page, &family, text_bytes(&labels), total);
    }
}

static void add_created_of(const struct page *page, const struct plan_queue *queue)
{
    static const struct family family = {
        "ventanilla_tickets_created_total", "Tickets taken in and stored.", METRIC_COUNTER};
    char buffer[LABELS_BYTES_MAX];
    struct text labels;
    for (uint32_t channel = 0; channel < CHANNEL_COUNT; channel++) {
        uint64_t total =
            intake_created_total(page->sources->intake, queue->id, (enum channel) channel);
        if (total > 0) {
            text_init(&labels, buffer, sizeof buffer);
            text_add_label(&labels, "queue", queue->name);
            text_add_label(&labels, "channel", bytes_of_text(channel_texts[channel]));
            add(page, &family, text_bytes(&labels), total);
        }
    }
}

static void add_created(const struct page *page)
{
    const struct plan *plan = page->turn->plan;
    for (uint32_t i = 0; plan != NULL && i < plan->queue_count; i++) {
        add_created_of(page, &plan->queues[i]);
    }
}

enum outbox_figure {
    OUTBOX_ENTRIES,
    OUTBOX_UNTAKEN
};

static void add_outbox(const struct page *page, enum outbox_figure which)
{
    static const struct family families[] = {
        [OUTBOX_ENTRIES] = {"ventanilla_outbox_entries",
                            "Entries kept for the partition's owner.",
                            METRIC_GAUGE},
        [OUTBOX_UNTAKEN] = {"ventanilla_outbox_untaken",
                            "Entries that the partition's owner has not taken.",
                            METRIC_GAUGE}};
    char buffer[LABELS_BYTES_MAX];
    struct text labels;
    for (uint32_t part = 0; part < owners_parts_max(page->sources->owners); part++) {
        struct outbox_figures figures = outbox_figures(page->sources->outbox, part);
        if (!figures.is_open) {
            continue;
        }
        text_init(&labels, buffer, sizeof buffer);
        text_add(&labels, "part=\"");
        text_add_u64(&labels, part);
        text_add_char(&labels, '"');
        uint32_t value = which == OUTBOX_ENTRIES ? figures.entries : figures.untaken;
        add(page, &families[which], text_bytes(&labels), value);
    }
}

static uint64_t count_bits(uint64_t word)
{
    uint64_t count = 0;
    for (; word != 0; word &= word - 1U) {
        count++;
    }
    return count;
}

static void add_refused(const struct page *page, const struct sessions_figures *sessions)
{
    static const struct family family = {"ventanilla_refused_total",
                                         "Sites and followers refused for a full table.",
                                         METRIC_COUNTER};
    char buffer[LABELS_BYTES_MAX];
    struct text labels;
    text_init(&labels, buffer, sizeof buffer);
    text_add_label(&labels, "table", bytes_of_text("sites"));
    add(page, &family, text_bytes(&labels), sessions->refused_total);
    text_init(&labels, buffer, sizeof buffer);
    text_add_label(&labels, "table", bytes_of_text("followers"));
    add(page, &family, text_bytes(&labels), followers_refused_total(page->sources->followers));
}

static void add_plain(const struct page *page, const struct sessions_figures *sessions)
{
    const struct metrics_sources *sources = page->sources;
    const struct {
        struct family family;
        uint64_t value;
    } rows[] = {
        {{"ventanilla_store_batches_total", "Batches sent to the store.", METRIC_COUNTER},
         batches_sent_total(sources->batches)},
        {{"ventanilla_store_requests_total", "Requests in those batches.", METRIC_COUNTER},
         batches_requests_total(sources->batches)},
        {{"ventanilla_resyncs_total", "Times an owner was told to read instead.", METRIC_COUNTER},
         outbox_resyncs_total(sources->outbox)},
        {{"ventanilla_clients_unacknowledged", "Entries waiting for an answer.", METRIC_GAUGE},
         clients_unanswered(sources->clients)},
        {{"ventanilla_sites_up", "Agent sites connected here.", METRIC_GAUGE}, sessions->sites_up},
        {{"ventanilla_site_agents", "Agents of the sites connected here.", METRIC_GAUGE},
         sessions->agents},
        {{"ventanilla_routers_up", "Router connections heard of lately.", METRIC_GAUGE},
         count_bits(owners_routers(sources->owners))},
        {{"ventanilla_followers", "Followed tickets, by client.", METRIC_GAUGE},
         followers_count(sources->followers)},
        {{"ventanilla_carried_total", "Messages between sites and routers.", METRIC_COUNTER},
         sessions->carried_total},
        {{"ventanilla_carried_lost_total", "The same, with nobody to go to.", METRIC_COUNTER},
         sessions->dropped_total},
        {{"ventanilla_plan_revision", "Revision of the plan in use.", METRIC_GAUGE},
         page->turn->plan == NULL ? 0 : page->turn->plan->revision},
    };
    for (uint32_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        add(page, &rows[i].family, (struct bytes){0}, rows[i].value);
    }
}

void metrics_reply(const struct metrics_sources *sources,
                   const struct turn *turn,
                   struct address to,
                   uint64_t ref)
{
    struct page page = {.sources = sources, .turn = turn, .to = to, .ref = ref};
    struct sessions_figures sessions = sessions_figures(sources->sessions);
    add_plain(&page, &sessions);
    add_refused(&page, &sessions);
    add_intake(&page);
    add_outbox(&page, OUTBOX_ENTRIES);
    add_outbox(&page, OUTBOX_UNTAKEN);
    add_created(&page);
    queries_end(turn, to, ref, VT_OK);
}

enum verdict_on {
    CHECK_BAD,
    CHECK_GOOD
};

static void
add_check(const struct page *page, const char *name, enum verdict_on verdict, const char *text)
{
    struct reply *reply = add_row(page, ROW_CHECK);
    reply->check.name = bytes_of_text(name);
    reply->check.is_ok = verdict == CHECK_GOOD;
    reply->check.text = bytes_of_text(text);
}

static bool all_owned(const struct page *page)
{
    const struct plan *plan = page->turn->plan;
    struct address owner;
    for (uint32_t i = 0; plan != NULL && i < plan->pool_count; i++) {
        if (!owners_find(page->sources->owners, plan->pools[i].part, &owner)) {
            return false;
        }
    }
    return true;
}

void metrics_check(const struct metrics_sources *sources,
                   const struct turn *turn,
                   struct address to,
                   uint64_t ref)
{
    struct page page = {.sources = sources, .turn = turn, .to = to, .ref = ref};
    if (turn->plan != NULL) {
        add_check(&page, "plan", CHECK_GOOD, "a plan is in use");
    } else {
        add_check(&page, "plan", CHECK_BAD, "no plan was applied yet");
    }
    if (intake_store_is_well(sources->intake)) {
        add_check(&page, "store", CHECK_GOOD, "the last batch was written");
    } else {
        add_check(&page, "store", CHECK_BAD, "the last batch could not be written");
    }
    if (all_owned(&page)) {
        add_check(&page, "owners", CHECK_GOOD, "every pool has a router");
    } else {
        add_check(&page, "owners", CHECK_BAD, "a pool of the plan has no router at the moment");
    }
    queries_end(turn, to, ref, VT_OK);
}
