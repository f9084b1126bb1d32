#include "broker/clients.h"

#include "lib/check.h"
#include "lib/map.h"
#include "lib/slab.h"

struct client {
    uint64_t peer;
    uint32_t unanswered;
};

struct clients {
    struct client *rows;
    struct slab slab;
    struct map by_peer;
    uint32_t window_max;
    uint64_t unanswered;
};

static struct map_key key_of(const void *context, uint32_t row)
{
    const struct clients *clients = context;
    return (struct map_key){.a = clients->rows[row].peer};
}

static void
init(struct clients *clients, struct arena *arena, const struct clients_options *options)
{
    clients->window_max = options->window_max;
    clients->rows = ARENA_ARRAY(arena, struct client, options->clients_max);
    slab_init(&clients->slab, arena, options->clients_max);
    map_init(&clients->by_peer,
             arena,
             &(struct map_options){.capacity = options->clients_max,
                                   .seed = options->seed,
                                   .key_of = key_of,
                                   .context = clients});
}

struct clients *clients_open(struct arena *arena, const struct clients_options *options)
{
    struct clients scratch = {0};
    struct clients *clients = ARENA_NEW(arena, struct clients);
    init(clients == NULL ? &scratch : clients, arena, options);
    return clients;
}

vt_err clients_charge(struct clients *clients, uint64_t peer)
{
    uint32_t row = 0;
    if (!map_find(&clients->by_peer, (struct map_key){.a = peer}, &row)) {
        vt_err err = slab_take(&clients->slab, &row);
        if (err != VT_OK) {
            return err;
        }
        clients->rows[row] = (struct client){.peer = peer};
        err = map_put(&clients->by_peer, (struct map_key){.a = peer}, row);
        CHECK(err == VT_OK);
    }
    if (clients->rows[row].unanswered >= clients->window_max) {
        return VT_FULL;
    }
    clients->rows[row].unanswered++;
    clients->unanswered++;
    return VT_OK;
}

static void forget(struct clients *clients, uint32_t row)
{
    bool was_there = map_remove(&clients->by_peer, (struct map_key){.a = clients->rows[row].peer});
    CHECK(was_there);
    clients->unanswered -= clients->rows[row].unanswered;
    slab_give(&clients->slab, row);
}

bool clients_discharge(struct clients *clients, uint64_t peer)
{
    uint32_t row = 0;
    if (!map_find(&clients->by_peer, (struct map_key){.a = peer}, &row)) {
        return false;
    }
    CHECK(clients->rows[row].unanswered > 0);
    clients->rows[row].unanswered--;
    clients->unanswered--;
    if (clients->rows[row].unanswered == 0) {
        forget(clients, row);
    }
    return true;
}

void clients_drop(struct clients *clients, uint64_t peer)
{
    uint32_t row = 0;
    if (map_find(&clients->by_peer, (struct map_key){.a = peer}, &row)) {
        forget(clients, row);
    }
}

uint64_t clients_unanswered(const struct clients *clients)
{
    return clients->unanswered;
}
