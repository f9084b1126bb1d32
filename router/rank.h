#ifndef ROUTER_RANK_H
#define ROUTER_RANK_H

#include <stdint.h>

#include "lib/store_request.h"

struct ticket;
struct roster_agent;

/* Who comes first. Everything about order is here and nowhere else, apart from who may at all
 * (eligibility.h): another order of service (ageing, deadlines) is another rank_ticket(), another
 * choice of agents another rank_agent(). A smaller rank is served first. Ranks are what compact
 * index arrays hold; equal ones are told apart by the compare functions, which are strict.
 */
#define RANK_LAST UINT64_MAX /* after every real one */

/* Tickets: priority falling, created rising; then id rising. */
uint64_t rank_ticket(const struct ticket *ticket);
int rank_compare_tickets(const struct ticket *a, const struct ticket *b);

/* The same order for keys as the store has them. */
struct service_key rank_service_key(const struct ticket *ticket);
int rank_compare_keys(const struct service_key *a, const struct service_key *b);

/* Agents: fewest slots used, longest without a change of load; then agent id rising. */
uint64_t rank_agent(const struct roster_agent *agent);
int rank_compare_agents(const struct roster_agent *a, const struct roster_agent *b);

#endif
