#include "router/metrics.h"

#include "lib/text.h"
#include "proto/message.h"
#include "proto/plan.h"
#include "router/inside.h"
#include "router/queries.h"
#include "router/sends.h"

#define LABELS_BYTES_MAX 256U

struct page {
    struct router *router;
    struct address to;
    uint64_t ref;
};

struct family {
    const char *name;
    const char *help;
    enum metric_type type;
    uint32_t divisor;
};

static void
add(const struct page *page, const struct family *family, struct text *labels, int64_t value)
{
    struct bytes copy = {0};
    if (labels != NULL && !sends_copy(page->router, text_bytes(labels), &copy)) {
        return;
    }
    struct reply *reply = queries_row(page->router, page->to, page->ref, ROW_METRIC);
    if (reply == NULL) {
        return;
    }
    reply->metric = (struct metric){.name = bytes_of_text(family->name),
                                    .labels = copy,
                                    .help = bytes_of_text(family->help),
                                    .type = family->type,
                                    .value = value,
                                    .divisor = family->divisor == 0 ? 1U : family->divisor};
}

enum queue_metric {
    QUEUE_WAITING,
    QUEUE_OLDEST,
    QUEUE_UNSERVABLE,
    QUEUE_ASSIGNED,
    QUEUE_PARKED,
    QUEUE_SCHEDULED,
    QUEUE_ANSWERED,
    QUEUE_COMPLETED,
    QUEUE_REQUEUED,
    QUEUE_DEAD
};
#define QUEUE_METRIC_COUNT 10

static const struct family queue_families[QUEUE_METRIC_COUNT] = {
    [QUEUE_WAITING] = {"ventanilla_tickets_waiting",
                       "Tickets that wait or are being offered.",
                       METRIC_GAUGE,
                       1},
    [QUEUE_OLDEST] = {"ventanilla_oldest_wait_seconds",
                      "How long the longest waiting ticket waits.",
                      METRIC_GAUGE,
                      1000},
    [QUEUE_UNSERVABLE] = {"ventanilla_tickets_unservable",
                          "Waiting tickets that no agent who is up may serve.",
                          METRIC_GAUGE,
                          1},
    [QUEUE_ASSIGNED] = {"ventanilla_tickets_assigned",
                        "Tickets in agents' hands.",
                        METRIC_GAUGE,
                        1},
    [QUEUE_PARKED] = {"ventanilla_tickets_parked",
                      "Tickets that wait for their requester.",
                      METRIC_GAUGE,
                      1},
    [QUEUE_SCHEDULED] = {"ventanilla_tickets_scheduled",
                         "Tickets whose time has not come.",
                         METRIC_GAUGE,
                         1},
    [QUEUE_ANSWERED] = {"ventanilla_answered_total", "Assignments committed.", METRIC_COUNTER, 1},
    [QUEUE_COMPLETED] = {"ventanilla_completed_total", "Tickets completed.", METRIC_COUNTER, 1},
    [QUEUE_REQUEUED] = {"ventanilla_requeued_total",
                        "Tickets that went back to their queue.",
                        METRIC_COUNTER,
                        1},
    [QUEUE_DEAD] = {"ventanilla_dead_total", "Tickets that failed too often.", METRIC_COUNTER, 1},
};

static int64_t oldest_ms(const struct router *router, uint32_t queue)
{
    uint32_t ticket = backlog_queue_oldest(&router->matching.backlog, queue);
    if (ticket == BACKLOG_NONE) {
        return 0;
    }
    int64_t queued_us = tickets_get(&router->matching.tickets, ticket)->queued_us;
    int64_t wait_ms = (inside_store_us(router) - queued_us) / 1000;
    return wait_ms < 0 ? 0 : wait_ms;
}

static void fill_queue(struct router *router,
                       const struct plan_queue *queue,
                       int64_t values[QUEUE_METRIC_COUNT])
{
    const struct figures_queue *row =
        figures_get(&router->figures, figures_put(&router->figures, queue->id));
    struct matching_figures now = matching_queue_figures(&router->matching, queue->id);
    values[QUEUE_WAITING] = (int64_t) figures_waiting(row);
    values[QUEUE_OLDEST] = oldest_ms(router, queue->id);
    values[QUEUE_UNSERVABLE] = (int64_t) now.unservable;
    values[QUEUE_ASSIGNED] = (int64_t) figures_assigned(row);
    values[QUEUE_PARKED] = row->stages[STAGE_PARKED];
    values[QUEUE_SCHEDULED] = row->stages[STAGE_SCHEDULED];
    values[QUEUE_ANSWERED] = (int64_t) row->answered_total;
    values[QUEUE_COMPLETED] = (int64_t) row->completed_total;
    values[QUEUE_REQUEUED] = (int64_t) row->requeued_total;
    values[QUEUE_DEAD] = (int64_t) row->dead_total;
}

static const struct plan_queue *served_queue(const struct router *router, uint32_t index)
{
    const struct plan_queue *queue = &router->plan->queues[index];
    return ownership_is_served(&router->ownership, queue->part) ? queue : NULL;
}

static void add_queues(const struct page *page)
{
    struct router *router = page->router;
    uint32_t count = router->plan == NULL ? 0 : router->plan->queue_count;
    char buffer[LABELS_BYTES_MAX];
    struct text labels;
    for (uint32_t i = 0; i < count; i++) {
        const struct plan_queue *queue = served_queue(router, i);
        int64_t values[QUEUE_METRIC_COUNT];
        if (queue == NULL) {
            continue;
        }
        fill_queue(router, queue, values);
        text_init(&labels, buffer, sizeof buffer);
        text_add_label(&labels, "queue", queue->name);
        for (uint32_t m = 0; m < QUEUE_METRIC_COUNT; m++) {
            add(page, &queue_families[m], &labels, values[m]);
        }
    }
}

static void add_offers(const struct page *page)
{
    static const struct family family = {
        "ventanilla_offers_total", "Offers by how they ended.", METRIC_COUNTER, 1};
    static const char *const ends[OFFER_END_COUNT] = {[OFFER_ACCEPTED] = "accepted",
                                                      [OFFER_DECLINED] = "declined",
                                                      [OFFER_EXPIRED] = "expired",
                                                      [OFFER_WITHDRAWN] = "withdrawn"};
    struct router *router = page->router;
    uint32_t count = router->plan == NULL ? 0 : router->plan->queue_count;
    char buffer[LABELS_BYTES_MAX];
    struct text labels;
    for (uint32_t i = 0; i < count; i++) {
        const struct plan_queue *queue = served_queue(router, i);
        for (uint32_t e = 0; queue != NULL && e < OFFER_END_COUNT; e++) {
            const struct figures_queue *row =
                figures_get(&router->figures, figures_put(&router->figures, queue->id));
            text_init(&labels, buffer, sizeof buffer);
            text_add_label(&labels, "queue", queue->name);
            text_add_label(&labels, "result", bytes_of_text(ends[e]));
            add(page, &family, &labels, (int64_t) row->offers_total[e]);
        }
    }
}

static void add_parts(const struct page *page)
{
    static const struct family epoch = {"ventanilla_router_epoch",
                                        "Epoch under which this router owns the partition.",
                                        METRIC_GAUGE,
                                        1};
    static const struct family in_store = {"ventanilla_tickets_in_store",
                                           "About how many open tickets are in the store only.",
                                           METRIC_GAUGE,
                                           1};
    struct router *router = page->router;
    char buffer[LABELS_BYTES_MAX];
    struct text labels;
    for (uint32_t part = 0; part < router->options.parts_max; part++) {
        if (!ownership_is_served(&router->ownership, part)) {
            continue;
        }
        text_init(&labels, buffer, sizeof buffer);
        text_add(&labels, "part=\"");
        text_add_u64(&labels, part);
        text_add_char(&labels, '"');
        add(page, &epoch, &labels, (int64_t) ownership_epoch(&router->ownership, part));
        add(page, &in_store, &labels, (int64_t) router->parts[part].in_store);
    }
}

static void add_counter(const struct page *page, const char *name, const char *help, uint64_t value)
{
    struct family family = {name, help, METRIC_COUNTER, 1};
    add(page, &family, NULL, (int64_t) value);
}

static void add_gauge(const struct page *page, const char *name, const char *help, uint64_t value)
{
    struct family family = {name, help, METRIC_GAUGE, 1};
    add(page, &family, NULL, (int64_t) value);
}

/* Made-up names in agents' profiles use up room; those of the plan have theirs. */
static void add_names(const struct page *page)
{
    const struct matching *matching = &page->router->matching;
    add_gauge(page,
              "ventanilla_router_names",
              "Queues, languages and skills known by name, of plan, tickets and agents.",
              intern_count(&matching->terms.names));
    add_counter(page,
                "ventanilla_router_agents_refused_total",
                "Agents left out because profiles or the names in them found no room.",
                matching->profiles.refused_total);
    add_counter(page,
                "ventanilla_router_classes_refused_total",
                "Tickets left in the store because their requirements found no room.",
                matching->classes.refused_total);
}

void metrics_answer(struct router *router, struct address to, uint64_t ref)
{
    struct page page = {.router = router, .to = to, .ref = ref};
    const struct inside_counters *counters = &router->counters;
    add_queues(&page);
    add_offers(&page);
    add_parts(&page);
    add_gauge(&page,
              "ventanilla_router_tickets",
              "Open tickets in memory.",
              tickets_count(&router->matching.tickets));
    add_gauge(&page,
              "ventanilla_router_agents_up",
              "Agents whose site is up.",
              router->matching.roster.up_count);
    add_gauge(
        &page, "ventanilla_offers_open", "Offers on their way.", offers_count(&router->offers));
    add_names(&page);
    add_counter(&page,
                "ventanilla_safety_net_found_total",
                "Tickets that only the slow reading found; must stay 0.",
                counters->safety_net_found_total);
    add_counter(&page,
                "ventanilla_router_sends_dropped_total",
                "Messages left out for want of room in a step.",
                counters->sends_dropped_total);
    add_counter(&page,
                "ventanilla_router_fenced_total",
                "Writes refused because somebody newer owns the partition.",
                counters->fenced_total);
    add_counter(&page,
                "ventanilla_router_uncertain_total",
                "Writes whose outcome had to be read.",
                counters->uncertain_total);
    add_counter(&page,
                "ventanilla_router_assigns_refused_total",
                "Accepted offers whose ticket had changed.",
                counters->refused_assigns_total);
    add_counter(&page,
                "ventanilla_router_retried_total",
                "Writes tried again.",
                router->commits.retried_total);
    add_counter(&page,
                "ventanilla_router_rows_corrupt_total",
                "Rows that cannot be read.",
                counters->corrupt_rows_total);
    add_counter(&page,
                "ventanilla_sites_cloned_total",
                "Messages of a second machine with a site's name.",
                counters->clones_total);
    add_counter(&page,
                "ventanilla_router_forward_gaps_total",
                "Forwarded entries that came before one that is missing.",
                counters->forward_gaps_total);
}
