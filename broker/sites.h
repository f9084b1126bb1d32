#ifndef BROKER_SITES_H
#define BROKER_SITES_H

/* The table behind sessions.c, hello.c and announce.c; nobody else includes this. */

#include "broker/rolls.h"
#include "broker/sessions.h"
#include "lib/bits.h"
#include "lib/map.h"
#include "lib/slab.h"
#include "lib/timers.h"

#define SITES_SILENCE_MS INT64_C(15000) /* then a site is down */
#define SITES_MEMORY_MS INT64_C(600000) /* how long the session of a site that left is known */
#define SITES_AGENTS_EACH_MAX 1024u
#define SITES_HELD_EACH_MAX 16384u

enum site_state {
    SITE_HELLO,     /* its lists are coming in */
    SITE_WANTS_IDS, /* complete; the store is to be asked */
    SITE_ASKING,    /* the store is asked */
    SITE_IS_UP,
    SITE_IS_DOWN /* only remembered */
};

struct site {
    enum site_state state;
    uint32_t serial; /* of this use of the row, in batches */
    uint64_t peer;   /* while it is not down */
    struct session session;
    uint32_t id;   /* given by the store; 0: not known yet */
    uint32_t name; /* both in rolls.strings */
    uint32_t contractor;
    uint32_t agent_count; /* announced in HELLO */
    uint32_t held_count;
    struct roll roll;
    uint32_t floor; /* highest boot an owner knows; its session is refused up to it */
    int64_t heard_ms;
    int64_t retry_ms;    /* WANTS_IDS: not before */
    int64_t announce_ms; /* when routers that did not react are told again */
    int64_t again_ms;    /* HELLO_AGAIN was sent then, for its lists have aged */
    uint32_t tries_left;
    uint64_t due; /* bit per router: to be told now */
    uint64_t told;
    uint64_t acked; /* it has spoken to this session */
    bool is_welcomed;
    bool has_changed; /* it holds other tickets by now than HELLO said */
    bool is_sent_away;
};

struct sessions {
    struct site *sites;
    struct slab slab;
    struct map by_peer; /* not those that are down */
    struct map by_name;
    struct map by_id;
    struct timers timers;
    uint64_t *dirty; /* rows with something to do now */
    struct rolls rolls;
    const struct owners *owners;
    struct batches *batches;
    uint32_t sites_max;
    uint32_t serial;
    bool is_draining;
    uint32_t up_count;
    uint64_t refused_total;
    uint64_t carried_total;
    uint64_t dropped_total;
};

#define SITES_NONE UINT32_MAX

uint32_t sites_find_peer(const struct sessions *sessions, uint64_t peer);
uint32_t sites_find_name(const struct sessions *sessions, struct bytes name);
uint32_t sites_find_id(const struct sessions *sessions, uint32_t id);

struct address sites_address(const struct site *site);
void sites_set_dirty(struct sessions *sessions, uint32_t row);

/* Sets the row's timer to what it waits for next. */
void sites_set_timer(struct sessions *sessions, uint32_t row);

/* The connection is gone or given up; the routers are told if it was up. */
void sites_go_down(struct sessions *sessions, const struct turn *turn, uint32_t row);
void sites_forget(struct sessions *sessions, uint32_t row);

void sites_say_again(const struct turn *turn, struct address to, uint32_t floor);
struct header
sites_header(const struct turn *turn, const struct site *site, enum message_kind kind);

/* hello.c: false when the row waits for the store or for a later step. */
void hello_begin(struct sessions *sessions,
                 const struct turn *turn,
                 uint64_t peer,
                 const struct message *message);
void hello_go_on(struct sessions *sessions,
                 const struct turn *turn,
                 uint32_t row,
                 const struct message *message);
void hello_ask_store(struct sessions *sessions, const struct turn *turn, uint32_t row);
void hello_welcome(struct sessions *sessions, const struct turn *turn, uint32_t row);

/* announce.c: works off `due`. False: the step has no more room. */
bool announce_run(struct sessions *sessions, const struct turn *turn, uint32_t row);
void announce_to_all(struct sessions *sessions, const struct turn *turn, uint32_t row);
void announce_again(struct sessions *sessions, const struct turn *turn, uint32_t row);

#endif
