#include "router/queries.h"

#include "lib/check.h"
#include "proto/plan.h"
#include "router/inside.h"
#include "router/metrics.h"
#include "router/sends.h"

#define PAGE_ROWS 1024U

struct reply *
queries_row(struct router *router, struct address to, uint64_t ref, enum reply_row row)
{
    struct header like = {.kind = MESSAGE_REPLY, .origin = router->options.incarnation};
    if (effects_room(router->out) < 8U) {
        return NULL;
    }
    struct reply *reply = message_add(router->out, to, &like);
    reply->ref = ref;
    reply->row = row;
    return reply;
}

static void end(struct router *router, struct address to, uint64_t ref, uint64_t cursor)
{
    struct reply *reply = queries_row(router, to, ref, ROW_END);
    if (reply != NULL) {
        reply->end.cursor = cursor;
    }
}

static void
fill_queue(struct router *router, const struct plan_queue *queue, struct queue_figures *figures)
{
    const struct figures_queue *row =
        figures_get(&router->figures, figures_put(&router->figures, queue->id));
    struct matching_figures now = matching_queue_figures(&router->matching, queue->id);
    const struct plan_pool *pool = plan_find_part(router->plan, queue->part);
    figures->queue = queue->id;
    figures->name = queue->name;
    if (pool != NULL) {
        figures->pool_name = pool->name;
    }
    figures->waiting = figures_waiting(row);
    figures->scheduled = row->stages[STAGE_SCHEDULED];
    figures->offered = figures_offered(row);
    figures->assigned = figures_assigned(row);
    figures->parked = row->stages[STAGE_PARKED];
    figures->unservable = now.unservable;
    if (now.oldest_queued_us != INT64_MAX) {
        int64_t wait_ms = (inside_store_us(router) - now.oldest_queued_us) / 1000;
        figures->oldest_wait_ms = wait_ms < 0 ? 0 : wait_ms;
    }
    figures->agents_up = now.agents_up;
    figures->agents_free = now.agents_free;
    figures->entered_total = row->entered_total;
    figures->answered_total = row->answered_total;
    figures->completed_total = row->completed_total;
    figures->cancelled_total = row->cancelled_total;
    figures->requeued_total = row->requeued_total;
    figures->dead_total = row->dead_total;
    figures->wait_sum_ms = row->wait_sum_ms;
}

/* Only queues of partitions that are ours: other routers answer for theirs. */
static void answer_queues(struct router *router, struct address to, const struct query *query)
{
    uint32_t count = router->plan == NULL ? 0 : router->plan->queue_count;
    uint64_t stop = query->cursor + PAGE_ROWS;
    uint64_t i = query->cursor;
    for (; i < count && i < stop; i++) {
        const struct plan_queue *queue = &router->plan->queues[i];
        if (!ownership_is_served(&router->ownership, queue->part)) {
            continue;
        }
        struct reply *reply = queries_row(router, to, query->ref, ROW_QUEUE);
        if (reply == NULL) {
            break;
        }
        fill_queue(router, queue, &reply->queue);
    }
    end(router, to, query->ref, i < count ? i : 0);
}

static void fill_agent(struct router *router, uint32_t agent, struct agent_figures *figures)
{
    const struct roster_agent *row = roster_get(&router->matching.roster, agent);
    uint32_t site = sites_find(&router->sites, row->site);
    figures->agent = row->id;
    if (site != SITES_NONE) {
        figures->site_name = sites_name(&router->sites, site);
    }
    figures->name = bytes_of(row->name, row->name_size);
    figures->is_up = row->is_up;
    figures->is_person = row->is_person;
    figures->capacity = row->capacity;
    figures->busy = row->working;
    figures->offered = row->used - (row->working < row->used ? row->working : row->used);
    figures->completed_total = row->completed_total;
    figures->idle_ms = router->now_ms - row->idle_since_ms;
}

static void answer_agents(struct router *router, struct address to, const struct query *query)
{
    const struct roster *roster = &router->matching.roster;
    uint32_t agent =
        query->cursor < ROSTER_NONE ? roster_next(roster, (uint32_t) query->cursor) : ROSTER_NONE;
    for (uint32_t i = 0; i < PAGE_ROWS && agent != ROSTER_NONE; i++) {
        struct reply *reply = queries_row(router, to, query->ref, ROW_AGENT);
        if (reply == NULL) {
            break;
        }
        fill_agent(router, agent, &reply->agent);
        agent = roster_next(roster, agent + 1U);
    }
    end(router, to, query->ref, agent == ROSTER_NONE ? 0 : agent);
}

static void answer_ticket(struct router *router, struct address to, const struct query *query)
{
    uint32_t ticket = tickets_find(&router->matching.tickets, query->ticket);
    struct reply *reply = queries_row(router, to, query->ref, ROW_TICKET);
    if (reply != NULL && ticket != TICKETS_NONE) {
        reply->ticket.row = ledger_row_of(router, ticket);
        reply->ticket.row.requirements = (struct bytes){0};
        reply->ticket.agents_able = matching_agents_able(
            &router->matching, tickets_get(&router->matching.tickets, ticket)->class);
    } else if (reply != NULL) {
        reply->ticket.row.id = query->ticket;
        reply->ticket.agents_able = UINT32_MAX;
    }
    end(router, to, query->ref, 0);
}

static void answer_checks(struct router *router, struct address to, const struct query *query)
{
    struct reply *reply = queries_row(router, to, query->ref, ROW_CHECK);
    if (reply != NULL) {
        bool is_settled = router->plan != NULL && ownership_is_settled(&router->ownership);
        reply->check.name = bytes_of_text("partitions");
        reply->check.is_ok = is_settled;
        reply->check.text = bytes_of_text(is_settled ? "every partition of this router is served"
                                                     : "partitions are still being loaded");
    }
    reply = queries_row(router, to, query->ref, ROW_CHECK);
    if (reply != NULL) {
        bool is_healthy = commits_is_healthy(&router->commits);
        reply->check.name = bytes_of_text("assignments");
        reply->check.is_ok = is_healthy;
        reply->check.text = bytes_of_text(is_healthy ? "the store takes assignments"
                                                     : "the store failed; trying again");
    }
    end(router, to, query->ref, 0);
}

void queries_received(struct router *router, struct address from, const struct message *message)
{
    for (uint32_t i = 0; i < message->count; i++) {
        const struct query *query = &message->query[i];
        switch (query->what) {
        case QUERY_TICKET:
            answer_ticket(router, from, query);
            break;
        case QUERY_QUEUES:
            answer_queues(router, from, query);
            break;
        case QUERY_AGENTS:
            answer_agents(router, from, query);
            break;
        case QUERY_METRICS:
            metrics_answer(router, from, query->ref);
            end(router, from, query->ref, 0);
            break;
        case QUERY_CHECKS:
            answer_checks(router, from, query);
            break;
        }
    }
}
