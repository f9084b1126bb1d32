#ifndef ROUTER_DISPATCH_H
#define ROUTER_DISPATCH_H

/* From a waiting ticket and a free agent to an assignment: works off what ledger.h marked, makes
 * offers, and takes their answers, expiries and withdrawals.
 */

#include "proto/message.h"
#include "router/offers.h"

struct router;

/* Makes offers as far as effects, offers and the store allow. */
void dispatch_run(struct router *router);

/* There is work that dispatch_run() could do now. */
bool dispatch_has_work(const struct router *router);

void dispatch_accept(struct router *router, uint32_t site, const struct message *message);
void dispatch_decline(struct router *router, uint32_t site, const struct message *message);
void dispatch_expire(struct router *router);

/* Ends the ticket's offer; the ticket is HELD_BACK afterwards. */
void dispatch_withdraw(struct router *router, uint32_t ticket, enum release_why why);

/* The same without a word to the site: the partition is not ours any more. */
void dispatch_forget(struct router *router, uint32_t ticket);

/* All offers of a site that were not accepted; their tickets wait again. */
void dispatch_withdraw_site(struct router *router, uint32_t site);

/* All offers of a partition that were not accepted. */
void dispatch_withdraw_part(struct router *router, uint32_t part);

/* Whether the ticket's offer may stand if (not) only persons may take it. */
bool dispatch_offer_allows(const struct router *router, uint32_t ticket, bool person_requested);

#endif
