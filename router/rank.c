#include "router/rank.h"

#include "lib/check.h"
#include "router/roster.h"
#include "router/tickets.h"

/* Microseconds since 1970 need 51 bits until the year 2041 and 56 until 4253. */
#define CREATED_BITS 56U

/* Boot times may be negative here: an agent that was idle before this machine started. */
#define IDLE_BITS 50U
#define IDLE_BIAS (INT64_C(1) << (IDLE_BITS - 1U))
#define USED_MAX ((1U << (64U - IDLE_BITS)) - 1U)

static int compared(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static uint64_t clamped(int64_t value, int64_t low, int64_t high)
{
    if (value < low) {
        return 0;
    }
    return (uint64_t) ((value > high ? high : value) - low);
}

static uint64_t rank_of(uint32_t priority, int64_t created_us)
{
    CHECK(priority <= PRIORITY_MAX);
    uint64_t created = clamped(created_us, 0, (INT64_C(1) << CREATED_BITS) - 1);
    return ((uint64_t) (PRIORITY_MAX - priority) << CREATED_BITS) | created;
}

uint64_t rank_ticket(const struct ticket *ticket)
{
    return rank_of(ticket->priority, ticket->created_us);
}

int rank_compare_tickets(const struct ticket *a, const struct ticket *b)
{
    int order = compared(rank_ticket(a), rank_ticket(b));
    return order != 0 ? order : id_compare(a->id, b->id);
}

struct service_key rank_service_key(const struct ticket *ticket)
{
    return (struct service_key){
        .priority = ticket->priority, .created_us = ticket->created_us, .id = ticket->id};
}

int rank_compare_keys(const struct service_key *a, const struct service_key *b)
{
    int order = compared(rank_of(a->priority, a->created_us), rank_of(b->priority, b->created_us));
    return order != 0 ? order : id_compare(a->id, b->id);
}

uint64_t rank_agent(const struct roster_agent *agent)
{
    uint64_t used = agent->used < USED_MAX ? agent->used : USED_MAX;
    uint64_t idle_since = clamped(agent->idle_since_ms, -IDLE_BIAS, IDLE_BIAS - 1);
    /* RANK_LAST is out of reach: nobody with that many slots in use can take one more. */
    return (used << IDLE_BITS) | idle_since;
}

int rank_compare_agents(const struct roster_agent *a, const struct roster_agent *b)
{
    int order = compared(rank_agent(a), rank_agent(b));
    return order != 0 ? order : compared(a->id, b->id);
}
