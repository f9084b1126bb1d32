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

void walks_serve_part(struct router *router, uint32_t part)
{
    const struct tickets *tickets = &router->matching.tickets;
    for (uint32_t ticket = tickets_next(tickets, 0); ticket != TICKETS_NONE;
         ticket = tickets_next(tickets, ticket + 1U)) {
        const struct ticket *row = tickets_get(tickets, ticket);
        if (row->part == part && row->stage == STAGE_HELD_BACK) {
            ledger_wait(router, ticket);
        }
    }
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
