#include "router/walks.h"

#include "router/dispatch.h"
#include "router/inside.h"

void walks_drop_part(struct router *router, uint32_t part)
{
    const struct tickets *tickets = &router->matching.tickets;
    for (uint32_t ticket = tickets_next(tickets, 0); ticket != TICKETS_NONE;
         ticket = tickets_next(tickets, ticket + 1U)) {
        const struct ticket *row = tickets_get(tickets, ticket);
        if (row->part != part) {
            continue;
        }
        if (row->stage == STAGE_OFFERED || row->stage == STAGE_ASSIGNING) {
            dispatch_forget(router, ticket);
        }
        ledger_forget(router, ticket);
    }
}

void walks_serve_begin(struct router *router)
{
    router->serve_cursor = 0;
}

bool walks_is_serving(const struct router *router)
{
    return router->serve_cursor != UINT32_MAX;
}

/* A timer says that a ticket is held back for a reason of its own. */
static bool is_held_by_load(const struct router *router, uint32_t ticket)
{
    const struct ticket *row = tickets_get(&router->matching.tickets, ticket);
    return row->stage == STAGE_HELD_BACK && router->parts[row->part].is_serving &&
           timers_deadline_ms(&router->ledger.timers, ticket) == NO_DEADLINE;
}

void walks_serve(struct router *router, uint32_t row_count)
{
    const struct tickets *tickets = &router->matching.tickets;
    uint32_t ticket = tickets_next(tickets, router->serve_cursor);
    for (uint32_t i = 0; i < row_count && ticket != TICKETS_NONE; i++) {
        if (is_held_by_load(router, ticket)) {
            ledger_wait(router, ticket);
        }
        ticket = tickets_next(tickets, ticket + 1U);
    }
    router->serve_cursor = ticket == TICKETS_NONE ? UINT32_MAX : ticket;
}

void walks_pause_part(struct router *router, uint32_t part)
{
    const struct tickets *tickets = &router->matching.tickets;
    for (uint32_t ticket = tickets_next(tickets, 0); ticket != TICKETS_NONE;
         ticket = tickets_next(tickets, ticket + 1U)) {
        const struct ticket *row = tickets_get(tickets, ticket);
        if (row->part == part && row->stage == STAGE_WAITING) {
            ledger_stage(router, ticket, STAGE_HELD_BACK);
        }
    }
}
