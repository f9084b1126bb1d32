#ifndef BROKER_SESSIONS_H
#define BROKER_SESSIONS_H

/* Which sites are connected and under which session; tells routers of them and carries what sites
 * and owners say to each other. hello.c takes a site in, announce.c tells the routers. */

#include <stdbool.h>
#include <stdint.h>

#include "broker/batches.h"
#include "broker/owners.h"
#include "broker/turn.h"
#include "lib/arena.h"
#include "lib/store_request.h"

struct sessions;

struct sessions_options {
    uint32_t sites_max;
    uint32_t agents_max; /* of all sites */
    uint32_t held_max;   /* tickets named in HELLOs of all sites */
    uint64_t seed;
    const struct owners *owners;
    struct batches *batches;
};

struct sessions_figures {
    uint32_t sites_up;
    uint32_t agents;
    uint64_t refused_total; /* HELLOs that found no room */
    uint64_t carried_total;
    uint64_t dropped_total; /* to an unknown owner, or a site that is not connected */
};

struct sessions *sessions_open(struct arena *arena, const struct sessions_options *options);

/* A message of site connection `peer`; the caller tells HELLO, AGENT, HELD, PING and what is
 * carried apart by its kind. */
void sessions_hear_site(struct sessions *sessions,
                        const struct turn *turn,
                        uint64_t peer,
                        const struct message *message);

/* A carried message of a router, to the site its header names. */
void sessions_carry_down(struct sessions *sessions,
                         const struct turn *turn,
                         uint32_t router,
                         const struct message *message);

/* SITE_ASK and SITE_STALE of a router. */
void sessions_asked(struct sessions *sessions,
                    const struct turn *turn,
                    uint32_t router,
                    const struct message *message);

/* The store's answer to a request of ours. */
void sessions_stored(struct sessions *sessions,
                     const struct turn *turn,
                     const struct batch_entry *entry,
                     const struct store_result *result);

/* A site's connection is gone. */
void sessions_link_down(struct sessions *sessions, const struct turn *turn, uint64_t peer);

/* A router connection came or went. */
void sessions_router_up(struct sessions *sessions, uint32_t router);
void sessions_router_down(struct sessions *sessions, uint32_t router);

/* Sends every site away, and whoever says HELLO from now on. */
void sessions_drain(struct sessions *sessions);

void sessions_run(struct sessions *sessions, const struct turn *turn);
int64_t sessions_deadline_ms(const struct sessions *sessions, int64_t now_ms);

struct sessions_figures sessions_figures(const struct sessions *sessions);

#endif
