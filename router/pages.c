#include "router/pages.h"

#include "router/confirms.h"
#include "router/holding.h"
#include "router/horizon.h"
#include "router/inside.h"
#include "router/lifecycle.h"
#include "router/walks.h"

#define SAFETY_MARGIN_US INT64_C(15000000) /* younger rows may still be on their way to us */

static void loaded_all(struct router *router, uint32_t part)
{
    struct inside_part *row = &router->parts[part];
    row->check_ms = router->now_ms + router->options.check_ms;
    ownership_loaded(&router->ownership, part);
    if (ownership_state(&router->ownership, part) == OWNERSHIP_ACTIVE) {
        router->activations++;
        row->is_serving = true;
        walks_serve_begin(router);
        holding_ask_all(router, part);
    }
    trace_event(router->trace, TRACE_INFO, "partition.loaded");
    trace_u64(router->trace, "part", part);
    trace_u64(router->trace, "tickets_in_memory", tickets_count(&router->matching.tickets));
    trace_end(router->trace);
}

static void count_found(struct router *router, const struct ticket_row *row, int64_t store_now_us)
{
    bool is_old = row->queued_us < store_now_us - SAFETY_MARGIN_US;
    bool is_open = lifecycle_is_open(row->state);
    const struct inside_part *part = &router->parts[row->part];
    if (is_open && is_old && !part->has_horizon && part->in_store == 0 &&
        tickets_find(&router->matching.tickets, row->id) == TICKETS_NONE) {
        router->counters.safety_net_found_total++;
        trace_event(router->trace, TRACE_ERROR, "safety_net.found");
        trace_id(router->trace, "ticket", row->id);
        trace_end(router->trace);
    }
}

static void take_rows(struct router *router, enum loads_what what, const struct load_page *page)
{
    for (uint32_t i = 0; i < page->row_count; i++) {
        if (what == LOADS_CHECK) {
            count_found(router, &page->rows[i], page->store_now_us);
        }
        ledger_take(router, &page->rows[i]);
    }
}

void pages_loaded(struct router *router, const struct event *event)
{
    const struct loads_job job = *loads_begin(&router->loads, event);
    const struct load_page *page = event->loaded.page;
    enum loads_end end = loads_end(&router->loads, event);
    if (end == LOADS_OBSOLETE || event->loaded.error != VT_OK) {
        if (end == LOADS_ENDED && job.what == LOADS_TICKET) {
            confirms_lost(router, &job);
        }
        return;
    }
    router->store_us = page->store_now_us;
    router->store_at_ms = router->now_ms;
    if (job.what == LOADS_TICKET) {
        confirms_loaded(router, &job, page);
        return;
    }
    if (job.what == LOADS_ALL && job.request.from_start && job.request.kind == LOAD_HELD) {
        router->parts[job.part].since_us = page->store_now_us;
    }
    if (job.what == LOADS_MORE) {
        horizon_paged(router, &job, page);
    }
    take_rows(router, job.what, page);
    if (end == LOADS_ENDED && job.what == LOADS_ALL) {
        loaded_all(router, job.part);
    } else if (end == LOADS_ENDED && job.what == LOADS_RECENT) {
        forwards_read(router, job.part);
    } else if (end == LOADS_ENDED && job.what == LOADS_CHECK) {
        router->parts[job.part].check_ms = router->now_ms + router->options.check_ms;
        horizon_checked(router, job.part);
    }
}
