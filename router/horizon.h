#ifndef ROUTER_HORIZON_H
#define ROUTER_HORIZON_H

/* What happens when memory is full: the better tickets by order of service are kept, the others
 * stay in the store and are paged in when there is room again. matching.h says what a horizon is.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/store_request.h"

struct loads_job;
struct router;

/* False: it is worse than its partition's horizon and stays in the store (counted). */
bool horizon_admits(struct router *router, const struct ticket_row *row);

/* The table is full. True: there is room now, and the row is good enough for it. */
bool horizon_make_room(struct router *router, const struct ticket_row *row);

/* The row stays in the store although it was admitted; `error` is matching_ticket_add()'s. */
void horizon_left_out(struct router *router, const struct ticket_row *row, vt_err error);

/* A slice of what is worse than the horizon leaves memory. */
void horizon_evict(struct router *router, uint32_t row_count);
bool horizon_is_evicting(const struct router *router);

/* Asks for pages where the store holds more and there is room. */
void horizon_page_in(struct router *router);

/* A page behind the horizon came: its rows are within it from now on. Before they are taken. */
void horizon_paged(struct router *router,
                   const struct loads_job *job,
                   const struct load_page *page);

/* A waiting ticket in memory that is worse than the horizon leaves it: the store may hold better
 * ones. False: it is good enough and still there. */
bool horizon_drops(struct router *router, uint32_t ticket);

/* A whole reading of the partition ended. */
void horizon_checked(struct router *router, uint32_t part);

#endif
