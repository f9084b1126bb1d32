#ifndef ROUTER_BACKLOG_H
#define ROUTER_BACKLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/list.h"
#include "lib/map.h"
#include "lib/slab.h"
#include "lib/tree.h"
#include "router/heads.h"

struct arena;
struct tickets;

/* The tickets that wait, in order of service (rank.h) within each class, with the first of every
 * class in one compact array; and per queue how many wait and which waits longest.
 */
#define BACKLOG_NONE UINT32_MAX

struct backlog_queue {
    uint32_t queue;      /* id */
    struct list classes; /* its open ones */
    /* Its waiting tickets, longest waiting first: those that came in this order in the list, which
     * costs next to nothing, the others (read from the store, where the order is another) in the
     * tree. The longest waiting is the first of either. */
    struct list in_time;
    struct tree by_wait;
};

struct backlog {
    const struct tickets *tickets;
    uint64_t *ranks; /* by ticket, of those that wait */
    struct tree_kind by_rank;
    struct tree_kind by_wait;
    struct list_link *in_time_links; /* by ticket */
    struct tree *classes;            /* by class */
    uint32_t *class_queues;          /* by class: row in queues */
    struct list_link *class_links;   /* by class */
    struct heads heads;              /* by class: rank of its first */
    struct backlog_queue *queues;
    struct map queues_by_id;
    struct slab queue_slab;
    uint32_t waiting_count;
};

struct backlog_options {
    const struct tickets *tickets; /* outlives it */
    uint32_t tickets_max;
    uint32_t classes_max;
    uint32_t queues_max;
    uint64_t seed;
};

void backlog_init(struct backlog *backlog,
                  struct arena *arena,
                  const struct backlog_options *options);

/* The class exists from now on (until it goes) and is of this queue.
 * VT_FULL: a new queue, and queues_max are in. */
VT_MUST_USE vt_err backlog_open_class(struct backlog *backlog, uint32_t class, uint32_t queue);
void backlog_close_class(struct backlog *backlog, uint32_t class);

/* The ticket's class is open and the ticket is not in the backlog; remove: it is. */
void backlog_add(struct backlog *backlog, uint32_t ticket);
void backlog_remove(struct backlog *backlog, uint32_t ticket);

/* In order of service within a class; BACKLOG_NONE at the end. */
uint32_t backlog_first(const struct backlog *backlog, uint32_t class);
uint32_t backlog_after(const struct backlog *backlog, uint32_t ticket);

uint32_t backlog_class_count(const struct backlog *backlog, uint32_t class);

/* Of a queue, by its id; 0 and BACKLOG_NONE for one that nobody waits in. */
uint32_t backlog_queue_count(const struct backlog *backlog, uint32_t queue);
uint32_t backlog_queue_oldest(const struct backlog *backlog, uint32_t queue);

/* The open classes of a queue in the order they were opened; BACKLOG_NONE at the end. */
uint32_t backlog_queue_first_class(const struct backlog *backlog, uint32_t queue);
uint32_t backlog_queue_next_class(const struct backlog *backlog, uint32_t class);

uint32_t backlog_count(const struct backlog *backlog);

#endif
