#include "router/offers.h"

#include "lib/arena.h"
#include "lib/check.h"

void offers_init(struct offers *offers, struct arena *arena, const struct offers_options *options)
{
    *offers = (struct offers){.last_number = 0};
    offers->rows = ARENA_ARRAY(arena, struct offers_row, options->offers_max);
    offers->links = ARENA_ARRAY(arena, struct list_link, options->offers_max);
    offers->by_site = ARENA_ARRAY(arena, struct list, options->sites_max);
    slab_init(&offers->slab, arena, options->offers_max);
    timers_init(&offers->timers, arena, options->offers_max);
}

bool offers_is_full(const struct offers *offers)
{
    return slab_used(&offers->slab) == offers->slab.capacity;
}

uint32_t offers_add(struct offers *offers, const struct offers_row *offer, int64_t deadline_ms)
{
    uint32_t row = OFFERS_NONE;
    vt_err error = slab_take(&offers->slab, &row);
    CHECK(error == VT_OK);
    offers->rows[row] = *offer;
    offers->rows[row].number = ++offers->last_number;
    list_push_back(&offers->by_site[offer->site], offers->links, row);
    timers_set(&offers->timers, row, deadline_ms);
    return row;
}

struct offers_row *offers_get(const struct offers *offers, uint32_t offer)
{
    CHECK(slab_is_taken(&offers->slab, offer));
    return &offers->rows[offer];
}

struct offers_row *offers_find(const struct offers *offers, uint32_t offer, uint64_t number)
{
    if (!slab_is_taken(&offers->slab, offer) || offers->rows[offer].number != number) {
        return NULL;
    }
    return &offers->rows[offer];
}

void offers_accept(struct offers *offers, uint32_t offer, struct session session)
{
    struct offers_row *row = offers_get(offers, offer);
    row->is_accepted = true;
    row->session = session;
    timers_clear(&offers->timers, offer);
}

void offers_remove(struct offers *offers, uint32_t offer)
{
    struct offers_row *row = offers_get(offers, offer);
    list_remove(&offers->by_site[row->site], offers->links, offer);
    timers_clear(&offers->timers, offer);
    slab_give(&offers->slab, offer);
}

uint32_t offers_site_first(const struct offers *offers, uint32_t site)
{
    return list_first(&offers->by_site[site]);
}

uint32_t offers_next(const struct offers *offers, uint32_t offer)
{
    return list_next(offers->links, offer);
}

uint32_t offers_walk(const struct offers *offers, uint32_t from)
{
    for (uint32_t row = from; row < slab_high_water(&offers->slab); row++) {
        if (slab_is_taken(&offers->slab, row)) {
            return row;
        }
    }
    return OFFERS_NONE;
}

bool offers_pop_due(struct offers *offers, int64_t now_ms, uint32_t *offer)
{
    return timers_pop_due(&offers->timers, now_ms, offer);
}

int64_t offers_next_ms(const struct offers *offers)
{
    return timers_next_ms(&offers->timers);
}

uint32_t offers_count(const struct offers *offers)
{
    return slab_used(&offers->slab);
}
