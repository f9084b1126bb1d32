#include "router/horizon.h"

#include "router/inside.h"
#include "router/rank.h"

#define KEEP_PERCENT 90U
#define PAGE_IN_PERCENT 75U

static struct service_key key_of(const struct ticket_row *row)
{
    return (struct service_key){
        .priority = row->priority, .created_us = row->created_us, .id = row->id};
}

static bool is_worse(const struct router *router, const struct ticket_row *row)
{
    const struct inside_part *part = &router->parts[row->part];
    struct service_key key = key_of(row);
    return row->state == TICKET_QUEUED && part->has_horizon &&
           rank_compare_keys(&key, &part->horizon) > 0;
}

bool horizon_admits(struct router *router, const struct ticket_row *row)
{
    if (!is_worse(router, row)) {
        return true;
    }
    struct inside_part *part = &router->parts[row->part];
    struct service_key key = key_of(row);
    part->in_store++;
    if (!part->has_passed || rank_compare_keys(&key, &part->passed) < 0) {
        part->has_passed = true;
        part->passed = key;
    }
    return false;
}

static void lower(struct inside_part *part, const struct service_key *proposal)
{
    if (!part->has_horizon || rank_compare_keys(proposal, &part->horizon) < 0) {
        part->horizon = *proposal;
        part->has_horizon = true;
    }
}

/* Everything that is better than `key` may stay, but nothing else. */
static void lower_before(struct inside_part *part, struct service_key key)
{
    key.id.hi -= key.id.lo == 0 ? 1U : 0U;
    key.id.lo--;
    lower(part, &key);
}

bool horizon_make_room(struct router *router, const struct ticket_row *row)
{
    struct service_key proposal;
    if (!matching_horizon(&router->matching, KEEP_PERCENT, &proposal)) {
        return false;
    }
    for (uint32_t part = 0; part < router->options.parts_max; part++) {
        if (ownership_is_served(&router->ownership, part)) {
            lower(&router->parts[part], &proposal);
        }
    }
    router->evict_cursor = 0;
    while (tickets_is_full(&router->matching.tickets) && horizon_is_evicting(router)) {
        horizon_evict(router, 4096);
    }
    return !tickets_is_full(&router->matching.tickets) && !is_worse(router, row);
}

void horizon_left_out(struct router *router, const struct ticket_row *row, vt_err error)
{
    struct inside_part *part = &router->parts[row->part];
    if (error == VT_CORRUPT) {
        router->counters.corrupt_rows_total++;
        trace_event(router->trace, TRACE_ERROR, "row.refused");
        trace_id(router->trace, "ticket", row->id);
        trace_text(router->trace, "reason", "its requirements cannot be read");
        trace_end(router->trace);
        return;
    }
    part->in_store++;
    if (error == VT_UNAVAILABLE || row->state != TICKET_QUEUED) {
        part->is_short = true; /* only a whole reading finds it again */
        return;
    }
    lower_before(part, key_of(row));
}

bool horizon_is_evicting(const struct router *router)
{
    return router->evict_cursor != UINT32_MAX;
}

bool horizon_drops(struct router *router, uint32_t ticket)
{
    const struct ticket *row = tickets_get(&router->matching.tickets, ticket);
    struct inside_part *part = &router->parts[row->part];
    struct service_key key = rank_service_key(row);
    if (row->stage != STAGE_WAITING || !part->has_horizon ||
        rank_compare_keys(&key, &part->horizon) <= 0) {
        return false;
    }
    part->in_store++;
    ledger_forget(router, ticket);
    return true;
}

void horizon_evict(struct router *router, uint32_t row_count)
{
    const struct tickets *tickets = &router->matching.tickets;
    uint32_t end = router->evict_cursor + row_count;
    uint32_t ticket = tickets_next(tickets, router->evict_cursor);
    for (; ticket != TICKETS_NONE && ticket < end; ticket = tickets_next(tickets, ticket + 1U)) {
        (void) horizon_drops(router, ticket);
    }
    router->evict_cursor = ticket == TICKETS_NONE ? UINT32_MAX : ticket;
}

/* Under 75 %, or when nobody waits in memory: what fills it may be parked for weeks. */
static bool has_room(const struct router *router)
{
    const struct tickets *tickets = &router->matching.tickets;
    uint64_t used = tickets_count(tickets);
    bool is_low = used * 100U < (uint64_t) router->options.tickets_max * PAGE_IN_PERCENT;
    bool is_idle = backlog_count(&router->matching.backlog) == 0 && !tickets_is_full(tickets);
    return !horizon_is_evicting(router) && (is_low || is_idle);
}

static void ask_more(struct router *router, uint32_t part)
{
    struct inside_part *row = &router->parts[part];
    if (!router->loads.parts[part].wants_more) {
        row->has_passed = false;
        loads_more(&router->loads, part, &row->horizon);
    }
}

void horizon_page_in(struct router *router)
{
    if (!has_room(router)) {
        return;
    }
    bool has_classes = classes_take_freed(&router->matching.classes);
    for (uint32_t part = 0; part < router->options.parts_max; part++) {
        struct inside_part *row = &router->parts[part];
        if (!row->is_serving) {
            continue;
        }
        if (row->has_horizon) {
            ask_more(router, part);
        }
        if (row->is_short && has_classes) {
            row->is_short = false;
            loads_check(&router->loads, part);
        }
    }
}

void horizon_paged(struct router *router, const struct loads_job *job, const struct load_page *page)
{
    struct inside_part *row = &router->parts[job->part];
    router->next_parts_ms = router->now_ms; /* there may be room for another page */
    if (!row->has_horizon || rank_compare_keys(&job->request.after, &row->horizon) != 0) {
        return; /* lowered meanwhile: what left memory since stands before this page */
    }
    if (!page->has_more || page->row_count == 0) {
        row->has_horizon = false;
        row->in_store = 0;
    } else {
        row->horizon = key_of(&page->rows[page->row_count - 1U]);
        row->in_store -= page->row_count < row->in_store ? page->row_count : row->in_store;
    }
    if (row->has_passed) {
        lower_before(row, row->passed);
    }
}

void horizon_checked(struct router *router, uint32_t part)
{
    struct inside_part *row = &router->parts[part];
    if (!row->has_horizon && !row->is_short) {
        row->in_store = 0;
    }
}
