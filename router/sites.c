#include "router/sites.h"

#include <string.h>

#include "lib/arena.h"
#include "lib/check.h"

/* Lists come right behind SITE_UP. After this a part of them was lost, and a broker that heard the
 * site take or end work meanwhile does not repeat them by itself. */
#define LIST_WAIT_MS 3000

static struct map_key key_of_site(const void *context, uint32_t row)
{
    const struct sites *sites = context;
    return (struct map_key){.a = sites->rows[row].id};
}

static struct map_key pair_key(uint32_t site, uint32_t part)
{
    return (struct map_key){.a = site, .b = part};
}

static struct map_key key_of_pair(const void *context, uint32_t row)
{
    const struct sites *sites = context;
    return pair_key(sites->pairs[row].site, sites->pairs[row].part);
}

void sites_init(struct sites *sites, struct arena *arena, const struct sites_options *options)
{
    *sites = (struct sites){.silence_ms = options->silence_ms};
    sites->rows = ARENA_ARRAY(arena, struct site, options->sites_max);
    sites->tickets = ARENA_ARRAY(arena, struct list, options->sites_max);
    sites->ticket_links = ARENA_ARRAY(arena, struct list_link, options->tickets_max);
    sites->pairs = ARENA_ARRAY(arena, struct sites_pair, options->pairs_max);
    slab_init(&sites->slab, arena, options->sites_max);
    slab_init(&sites->pair_slab, arena, options->pairs_max);
    timers_init(&sites->silence, arena, options->sites_max);
    map_init(&sites->by_id,
             arena,
             &(struct map_options){.capacity = options->sites_max,
                                   .seed = options->seed,
                                   .key_of = key_of_site,
                                   .context = sites});
    map_init(&sites->pairs_by_key,
             arena,
             &(struct map_options){.capacity = options->pairs_max,
                                   .seed = options->seed,
                                   .key_of = key_of_pair,
                                   .context = sites});
}

uint32_t sites_find(const struct sites *sites, uint32_t id)
{
    uint32_t row = SITES_NONE;
    return map_find(&sites->by_id, (struct map_key){.a = id}, &row) ? row : SITES_NONE;
}

uint32_t sites_put(struct sites *sites, uint32_t id)
{
    uint32_t row = sites_find(sites, id);
    if (row != SITES_NONE || slab_take(&sites->slab, &row) != VT_OK) {
        return row;
    }
    sites->rows[row] = (struct site){.id = id, .asked_ms = INT64_MIN / 2};
    vt_err error = map_put(&sites->by_id, (struct map_key){.a = id}, row);
    CHECK(error == VT_OK);
    return row;
}

struct site *sites_get(const struct sites *sites, uint32_t site)
{
    CHECK(slab_is_taken(&sites->slab, site));
    return &sites->rows[site];
}

uint32_t sites_next(const struct sites *sites, uint32_t from)
{
    for (uint32_t row = from; row < slab_high_water(&sites->slab); row++) {
        if (slab_is_taken(&sites->slab, row)) {
            return row;
        }
    }
    return SITES_NONE;
}

static enum sites_standing compare(const struct site *site, struct session session)
{
    int order = session_compare(session, site->session);
    if (order > 0) {
        return SITES_UNKNOWN;
    }
    if (order == 0) {
        return session_equal(session, site->session) ? SITES_LIVE : SITES_CLONE;
    }
    return session.boot < site->session.boot ? SITES_STALE : SITES_OLDER;
}

static void heard(struct sites *sites, uint32_t row, int64_t now_ms)
{
    sites->rows[row].heard_ms = now_ms;
    if (timers_deadline_ms(&sites->silence, row) == NO_DEADLINE) {
        timers_set(&sites->silence, row, now_ms + sites->silence_ms);
    }
}

enum sites_standing
sites_hear(struct sites *sites, const struct header *header, uint64_t broker, int64_t now_ms)
{
    uint32_t row = sites_find(sites, header->site);
    if (row == SITES_NONE || !sites->rows[row].has_session) {
        return SITES_UNKNOWN;
    }
    struct site *site = &sites->rows[row];
    enum sites_standing standing = compare(site, header->session);
    if (standing != SITES_LIVE) {
        return standing;
    }
    bool is_coming = site->is_assembling && now_ms - site->begun_ms < LIST_WAIT_MS;
    if (!site->is_complete && !is_coming) {
        return SITES_UNKNOWN;
    }
    heard(sites, row, now_ms);
    site->broker = broker;
    return site->is_complete && !site->is_up ? SITES_RETURNS : SITES_LIVE;
}

enum sites_standing sites_begin(struct sites *sites,
                                const struct message *message,
                                uint64_t broker,
                                int64_t now_ms,
                                uint32_t *site)
{
    const struct site_up *up = &message->site_up[0];
    *site = sites_put(sites, message->header.site);
    if (*site == SITES_NONE) {
        return SITES_UNKNOWN;
    }
    struct site *row = &sites->rows[*site];
    if (row->has_session) {
        enum sites_standing standing = compare(row, message->header.session);
        if (standing != SITES_UNKNOWN && standing != SITES_LIVE) {
            return standing;
        }
        if (standing == SITES_LIVE && row->is_complete && row->is_up) {
            row->broker = broker;
            heard(sites, *site, now_ms);
            return SITES_LIVE;
        }
        row->is_complete = row->is_complete && standing == SITES_LIVE;
    }
    row->session = message->header.session;
    row->has_session = true;
    row->is_assembling = true;
    row->begun_ms = now_ms;
    row->broker = broker;
    row->agents_wanted = up->agent_count;
    row->held_wanted = up->held_count;
    row->agents_got = 0;
    row->held_got = 0;
    row->name_size = (uint8_t) (up->name.size < NAME_BYTES_MAX ? up->name.size : NAME_BYTES_MAX);
    if (row->name_size > 0) {
        memcpy(row->name, up->name.data, row->name_size);
    }
    heard(sites, *site, now_ms);
    return SITES_UNKNOWN;
}

bool sites_is_whole(const struct sites *sites, uint32_t site)
{
    const struct site *row = &sites->rows[site];
    return row->is_assembling && row->agents_got >= row->agents_wanted &&
           row->held_got >= row->held_wanted;
}

bool sites_got_agents(struct sites *sites, uint32_t site, uint32_t count)
{
    sites->rows[site].agents_got += count;
    return sites_is_whole(sites, site);
}

bool sites_got_held(struct sites *sites, uint32_t site, uint32_t count)
{
    sites->rows[site].held_got += count;
    return sites_is_whole(sites, site);
}

void sites_set_up(struct sites *sites, uint32_t site, int64_t now_ms)
{
    struct site *row = sites_get(sites, site);
    row->is_assembling = false;
    row->is_complete = true;
    row->is_up = true;
    heard(sites, site, now_ms);
}

void sites_set_down(struct sites *sites, uint32_t site)
{
    struct site *row = sites_get(sites, site);
    row->is_up = false;
    row->is_assembling = false;
    timers_clear(&sites->silence, site);
}

bool sites_pop_silent(struct sites *sites, int64_t now_ms, uint32_t *site)
{
    uint32_t row = SITES_NONE;
    while (timers_pop_due(&sites->silence, now_ms, &row)) {
        int64_t due_ms = sites->rows[row].heard_ms + sites->silence_ms;
        if (due_ms <= now_ms) {
            *site = row;
            return true;
        }
        timers_set(&sites->silence, row, due_ms);
    }
    return false;
}

int64_t sites_next_ms(const struct sites *sites)
{
    return timers_next_ms(&sites->silence);
}

struct sites_pair *sites_pair(struct sites *sites, uint32_t site, uint32_t part, uint64_t epoch)
{
    uint32_t row = SITES_NONE;
    if (!map_find(&sites->pairs_by_key, pair_key(site, part), &row)) {
        if (slab_take(&sites->pair_slab, &row) != VT_OK) {
            return NULL;
        }
        sites->pairs[row] = (struct sites_pair){.site = site, .part = part};
        vt_err error = map_put(&sites->pairs_by_key, pair_key(site, part), row);
        CHECK(error == VT_OK);
    }
    struct sites_pair *pair = &sites->pairs[row];
    if (pair->epoch != epoch) {
        *pair = (struct sites_pair){.site = site,
                                    .part = part,
                                    .epoch = epoch,
                                    .asked_ms = INT64_MIN / 2,
                                    .agreed_ms = INT64_MIN / 2};
    }
    return pair;
}

void sites_add_ticket(struct sites *sites, uint32_t site, uint32_t ticket)
{
    list_push_back(&sites->tickets[site], sites->ticket_links, ticket);
}

void sites_remove_ticket(struct sites *sites, uint32_t site, uint32_t ticket)
{
    list_remove(&sites->tickets[site], sites->ticket_links, ticket);
}

uint32_t sites_first_ticket(const struct sites *sites, uint32_t site)
{
    return list_first(&sites->tickets[site]);
}

uint32_t sites_next_ticket(const struct sites *sites, uint32_t ticket)
{
    return list_next(sites->ticket_links, ticket);
}

struct bytes sites_name(const struct sites *sites, uint32_t site)
{
    const struct site *row = sites_get(sites, site);
    return bytes_of(row->name, row->name_size);
}
