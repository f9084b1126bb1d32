#ifndef ROUTER_OFFERS_H
#define ROUTER_OFFERS_H

/* Offers on their way: to whom, under which epoch, until when. An offer is memory only: it costs no
 * write until it is accepted. While its assignment is in the store it stays here without a
 * deadline.
 */

#include "lib/list.h"
#include "lib/slab.h"
#include "lib/timers.h"
#include "proto/message.h"

#define OFFERS_NONE UINT32_MAX

enum offer_end {
    OFFER_ACCEPTED,
    OFFER_DECLINED,
    OFFER_EXPIRED,
    OFFER_WITHDRAWN
};
#define OFFER_END_COUNT 4

struct offers_row {
    uint64_t number; /* with the epoch, the offer's id */
    uint64_t epoch;
    struct session session; /* of the site when the offer was made or accepted */
    uint32_t ticket;        /* row in tickets */
    uint32_t attempt;       /* the one it would be */
    uint32_t agent;         /* row in the roster, whose slot is counted as used */
    uint32_t agent_id;
    uint32_t site; /* row in sites */
    uint32_t part;
    int64_t made_ms;
    bool is_accepted; /* its assignment is in the store or about to be */
};

struct offers {
    struct offers_row *rows;
    struct list_link *links;
    struct list *by_site; /* by row in sites */
    struct slab slab;
    struct timers timers;
    uint64_t last_number;
};

struct offers_options {
    uint32_t offers_max;
    uint32_t sites_max;
};

void offers_init(struct offers *offers, struct arena *arena, const struct offers_options *options);

bool offers_is_full(const struct offers *offers);

/* Adds a copy and numbers it; its deadline is `deadline_ms`. Not when full (CHECK). */
uint32_t offers_add(struct offers *offers, const struct offers_row *offer, int64_t deadline_ms);

struct offers_row *offers_get(const struct offers *offers, uint32_t offer);

/* NULL: the offer of this number is gone. */
struct offers_row *offers_find(const struct offers *offers, uint32_t offer, uint64_t number);

/* No deadline any more: the store decides now. */
void offers_accept(struct offers *offers, uint32_t offer, struct session session);

void offers_remove(struct offers *offers, uint32_t offer);

/* The site's offers in order of making; OFFERS_NONE at the end. */
uint32_t offers_site_first(const struct offers *offers, uint32_t site);
uint32_t offers_next(const struct offers *offers, uint32_t offer);

/* Rows in ascending order at or after `from`. */
uint32_t offers_walk(const struct offers *offers, uint32_t from);

/* An offer whose time is over; it stays until it is removed, without a deadline. */
bool offers_pop_due(struct offers *offers, int64_t now_ms, uint32_t *offer);
int64_t offers_next_ms(const struct offers *offers);
uint32_t offers_count(const struct offers *offers);

#endif
