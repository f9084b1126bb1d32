#ifndef ROUTER_SITES_H
#define ROUTER_SITES_H

/* Sessions of agent sites as the owner sees them: which one is live, through which broker, since
 * when it is silent, and how far the list of its agents and held tickets has come in. Also the
 * tickets that are assigned to each site, and the numbering of what is sent to it per partition.
 */

#include "lib/list.h"
#include "lib/map.h"
#include "lib/slab.h"
#include "lib/timers.h"
#include "proto/message.h"

#define SITES_NONE UINT32_MAX

struct site {
    uint32_t id;
    uint64_t broker; /* node number that carries for it */
    struct session session;
    bool has_session;
    bool is_up;
    bool is_assembling; /* its SITE_UP list is not whole yet */
    bool is_complete;   /* the list of this session was whole once */
    uint32_t agents_wanted;
    uint32_t agents_got;
    uint32_t held_wanted;
    uint32_t held_got;
    uint64_t stamp; /* the caller's, of when its list began */
    int64_t begun_ms;
    int64_t heard_ms;
    int64_t asked_ms; /* last SITE_ASK; a second one at most */
    uint8_t name_size;
    uint8_t name[NAME_BYTES_MAX];
};

/* What is between this owner and one site about one partition. */
struct sites_pair {
    uint32_t site; /* row */
    uint32_t part;
    uint64_t epoch;
    uint64_t seq;        /* of the last message sent under this epoch */
    int64_t agreed_ms;   /* last digest or list that was the same on both sides */
    int64_t asked_ms;    /* last HELD_ASK */
    uint32_t beat_count; /* tickets held, by the last BEAT */
    uint32_t list_count; /* of the list that comes in */
};

struct sites {
    struct site *rows;
    struct slab slab;
    struct map by_id;
    struct timers silence;
    struct sites_pair *pairs;
    struct slab pair_slab;
    struct map pairs_by_key;
    struct list *tickets;           /* by site: tickets assigned to it */
    struct list_link *ticket_links; /* by row in tickets */
    int64_t silence_ms;
};

struct sites_options {
    uint64_t seed;
    uint32_t sites_max;
    uint32_t pairs_max;
    uint32_t tickets_max;
    int64_t silence_ms; /* a site is down after this without a word [15,000] */
};

void sites_init(struct sites *sites, struct arena *arena, const struct sites_options *options);

/* SITES_NONE: not known. */
uint32_t sites_find(const struct sites *sites, uint32_t id);

/* Makes it if needed. SITES_NONE: sites_max are in and none can be spared. */
uint32_t sites_put(struct sites *sites, uint32_t id);
struct site *sites_get(const struct sites *sites, uint32_t site);
uint32_t sites_next(const struct sites *sites, uint32_t from);

enum sites_standing {
    SITES_LIVE,    /* of the live session */
    SITES_RETURNS, /* of the live session, and the site counted as down */
    SITES_UNKNOWN, /* no such session here: ask for it */
    SITES_OLDER,   /* below the live one: not counted */
    SITES_STALE,   /* of an earlier boot count than the live one: tell its floor */
    SITES_CLONE    /* equal counters, another nonce: a second machine with this name */
};

/* Judges a message by its header and remembers that the site was heard. */
enum sites_standing
sites_hear(struct sites *sites, const struct header *header, uint64_t broker, int64_t now_ms);

/* SITE_UP. LIVE: this session is whole already. UNKNOWN: a new list begins, for a new session or
 * once more for one that is not whole or was down; *site is its row, SITES_NONE if the table is
 * full. */
enum sites_standing sites_begin(struct sites *sites,
                                const struct message *message,
                                uint64_t broker,
                                int64_t now_ms,
                                uint32_t *site);

/* An entry more; true: now the list is whole. */
bool sites_got_agents(struct sites *sites, uint32_t site, uint32_t count);
bool sites_got_held(struct sites *sites, uint32_t site, uint32_t count);
bool sites_is_whole(const struct sites *sites, uint32_t site);

void sites_set_up(struct sites *sites, uint32_t site, int64_t now_ms);
void sites_set_down(struct sites *sites, uint32_t site);

/* A site that was not heard of for too long. */
bool sites_pop_silent(struct sites *sites, int64_t now_ms, uint32_t *site);
int64_t sites_next_ms(const struct sites *sites);

/* The pair, made or begun anew if the epoch is another; NULL: the table is full. */
struct sites_pair *sites_pair(struct sites *sites, uint32_t site, uint32_t part, uint64_t epoch);

void sites_add_ticket(struct sites *sites, uint32_t site, uint32_t ticket);
void sites_remove_ticket(struct sites *sites, uint32_t site, uint32_t ticket);
uint32_t sites_first_ticket(const struct sites *sites, uint32_t site);
uint32_t sites_next_ticket(const struct sites *sites, uint32_t ticket);
struct bytes sites_name(const struct sites *sites, uint32_t site);

#endif
