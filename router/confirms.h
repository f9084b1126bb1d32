#ifndef ROUTER_CONFIRMS_H
#define ROUTER_CONFIRMS_H

/* From a committed assignment to CONFIRM, the first moment a ticket's body leaves; once more when
 * the holder asks again, from a reading of the row.
 */

#include "lib/store_request.h"

struct commit;
struct load_page;
struct loads_job;
struct router;

/* STORE_ASSIGN is done: the row as committed, and its body. */
void confirms_assigned(struct router *router,
                       const struct commit *commit,
                       const struct ticket_row *row,
                       struct bytes body);

/* It was not: nobody's but the row's. */
void confirms_refused(struct router *router, const struct commit *commit);

/* The body of a ticket in a site's hands is wanted again. */
void confirms_again(struct router *router, uint32_t ticket);

/* Reads one row to decide from it. */
void confirms_read(struct router *router, struct ticket_id id, uint32_t part);

/* The row came. */
void confirms_loaded(struct router *router,
                     const struct loads_job *job,
                     const struct load_page *page);

/* It will not come: the store failed, and there was no room to keep the wish. */
void confirms_lost(struct router *router, const struct loads_job *job);

#endif
