#ifndef ROUTER_PAGES_H
#define ROUTER_PAGES_H

/* What a page of rows means: taken into memory, and when a reading has ended, what waited for it.
 */

struct event;
struct router;

/* EVENT_LOADED. */
void pages_loaded(struct router *router, const struct event *event);

#endif
