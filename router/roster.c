#include "router/roster.h"

#include <string.h>

#include "lib/arena.h"
#include "lib/bits.h"
#include "lib/check.h"

static int compare_by_rank(const void *context, uint32_t a, uint32_t b)
{
    const struct roster *roster = context;
    return rank_compare_agents(&roster->agents[a], &roster->agents[b]);
}

static struct map_key key_of_number(uint32_t id)
{
    return (struct map_key){.a = id};
}

static struct map_key key_of_agent(const void *context, uint32_t row)
{
    const struct roster *roster = context;
    return key_of_number(roster->agents[row].id);
}

static struct map_key key_of_site(const void *context, uint32_t row)
{
    const struct roster *roster = context;
    return key_of_number(roster->sites[row].id);
}

void roster_init(struct roster *roster, struct arena *arena, const struct roster_options *options)
{
    *roster = (struct roster){0};
    roster->agents = ARENA_ARRAY(arena, struct roster_agent, options->agents_max);
    slab_init(&roster->agent_slab, arena, options->agents_max);
    map_init(&roster->agents_by_id,
             arena,
             &(struct map_options){.capacity = options->agents_max,
                                   .seed = options->seed,
                                   .key_of = key_of_agent,
                                   .context = roster});
    roster->site_links = ARENA_ARRAY(arena, struct list_link, options->agents_max);
    roster->sites = ARENA_ARRAY(arena, struct roster_site, options->sites_max);
    slab_init(&roster->site_slab, arena, options->sites_max);
    map_init(&roster->sites_by_id,
             arena,
             &(struct map_options){.capacity = options->sites_max,
                                   .seed = options->seed,
                                   .key_of = key_of_site,
                                   .context = roster});
    roster->by_rank =
        (struct tree_kind){.nodes = ARENA_ARRAY(arena, struct tree_node, options->agents_max),
                           .compare = compare_by_rank,
                           .context = roster,
                           .seed = options->seed};
    roster->free_of_profile = ARENA_ARRAY(arena, struct tree, options->profiles_max);
    heads_init(&roster->heads, arena, options->profiles_max);
    roster->up_counts = ARENA_ARRAY(arena, uint32_t, options->profiles_max);
    roster->up_profiles = ARENA_ARRAY(arena, uint64_t, BITS_WORDS(options->profiles_max));
}

static bool can_take_one_more(const struct roster_agent *agent)
{
    return agent->is_up && agent->is_available && !agent->is_leaving && agent->told > 0 &&
           agent->used < agent->capacity;
}

static void put_head(struct roster *roster, uint32_t profile)
{
    uint32_t first = tree_first(&roster->free_of_profile[profile]);
    heads_set(&roster->heads,
              profile,
              first == TREE_NONE ? RANK_LAST : rank_agent(&roster->agents[first]));
}

/* Every change of an agent happens between these two: out of the set of its profile while its rank
 * changes, and back in if it still can take one more.
 */
static void detach(struct roster *roster, uint32_t row)
{
    struct roster_agent *agent = &roster->agents[row];
    if (!agent->is_free) {
        return;
    }
    struct tree *free_agents = &roster->free_of_profile[agent->profile];
    bool was_first = tree_first(free_agents) == row;
    tree_remove(&roster->by_rank, free_agents, row);
    agent->is_free = false;
    roster->free_count--;
    if (was_first) {
        put_head(roster, agent->profile);
    }
}

static void attach(struct roster *roster, uint32_t row)
{
    struct roster_agent *agent = &roster->agents[row];
    CHECK(!agent->is_free);
    if (!can_take_one_more(agent)) {
        return;
    }
    struct tree *free_agents = &roster->free_of_profile[agent->profile];
    tree_insert(&roster->by_rank, free_agents, row);
    agent->is_free = true;
    roster->free_count++;
    if (tree_first(free_agents) == row) {
        put_head(roster, agent->profile);
    }
}

static bool counts_as_up(const struct roster_agent *agent)
{
    return agent->is_up && !agent->is_leaving;
}

static void count_up(struct roster *roster, const struct roster_agent *agent)
{
    if (counts_as_up(agent)) {
        roster->up_counts[agent->profile]++;
        roster->up_count++;
        bits_set(roster->up_profiles, agent->profile);
    }
}

static void count_down(struct roster *roster, const struct roster_agent *agent)
{
    if (!counts_as_up(agent)) {
        return;
    }
    CHECK(roster->up_counts[agent->profile] > 0);
    roster->up_counts[agent->profile]--;
    roster->up_count--;
    if (roster->up_counts[agent->profile] == 0) {
        bits_clear(roster->up_profiles, agent->profile);
    }
}

static struct roster_site *find_site(const struct roster *roster, uint32_t site)
{
    uint32_t row = 0;
    bool is_known = map_find(&roster->sites_by_id, key_of_number(site), &row);
    return is_known ? &roster->sites[row] : NULL;
}

static struct roster_site *find_or_add_site(struct roster *roster, uint32_t site)
{
    struct roster_site *found = find_site(roster, site);
    uint32_t row = 0;
    if (found != NULL || slab_take(&roster->site_slab, &row) != VT_OK) {
        return found;
    }
    roster->sites[row] = (struct roster_site){.id = site, .is_up = true};
    vt_err err = map_put(&roster->sites_by_id, key_of_number(site), row);
    CHECK(err == VT_OK);
    return &roster->sites[row];
}

static vt_err find_or_add_agent(struct roster *roster, uint32_t id, struct roster_put *put)
{
    put->old_profile = ROSTER_NONE;
    if (map_find(&roster->agents_by_id, key_of_number(id), &put->agent)) {
        put->old_profile = roster->agents[put->agent].profile;
        return VT_OK;
    }
    vt_err err = slab_take(&roster->agent_slab, &put->agent);
    if (err != VT_OK) {
        return err;
    }
    roster->agents[put->agent] = (struct roster_agent){.id = id};
    err = map_put(&roster->agents_by_id, key_of_number(id), put->agent);
    CHECK(err == VT_OK);
    return VT_OK;
}

static void set_name(struct roster_agent *agent, struct bytes name)
{
    CHECK(name.size <= NAME_BYTES_MAX);
    agent->name_size = (uint8_t) name.size;
    if (name.size > 0) {
        memcpy(agent->name, name.data, name.size);
    }
}

static void later_idle(struct roster_agent *agent, int64_t since_ms)
{
    if (since_ms > agent->idle_since_ms) {
        agent->idle_since_ms = since_ms;
    }
}

vt_err roster_put(struct roster *roster,
                  const struct roster_entry *entry,
                  int64_t now_ms,
                  struct roster_put *put)
{
    struct roster_site *site = find_or_add_site(roster, entry->site);
    if (site == NULL) {
        return VT_FULL;
    }
    vt_err err = find_or_add_agent(roster, entry->id, put);
    if (err != VT_OK) {
        return err;
    }

    struct roster_agent *agent = &roster->agents[put->agent];
    if (put->old_profile == ROSTER_NONE) {
        agent->idle_since_ms = now_ms - entry->idle_ms;
    } else {
        detach(roster, put->agent);
        count_down(roster, agent);
        list_remove(&find_site(roster, agent->site)->agents, roster->site_links, put->agent);
        later_idle(agent, now_ms - entry->idle_ms);
    }
    agent->site = entry->site;
    agent->profile = entry->profile;
    agent->index = entry->index;
    agent->capacity = entry->capacity;
    agent->told = entry->free;
    agent->is_person = entry->is_person;
    agent->is_available = true;
    agent->is_up = site->is_up;
    agent->is_leaving = false;
    agent->generation = site->generation;
    set_name(agent, entry->name);
    list_push_back(&site->agents, roster->site_links, put->agent);
    count_up(roster, agent);
    attach(roster, put->agent);
    return VT_OK;
}

/* A site that comes again is made again; nothing of it needs to be kept. */
static void forget_empty_site(struct roster *roster, const struct roster_site *site)
{
    if (site->agents.count > 0) {
        return;
    }
    bool was_in = map_remove(&roster->sites_by_id, key_of_number(site->id));
    CHECK(was_in);
    slab_give(&roster->site_slab, (uint32_t) (site - roster->sites));
}

void roster_remove(struct roster *roster, uint32_t agent)
{
    struct roster_agent *row = roster_get(roster, agent);
    CHECK(row->used == 0);
    detach(roster, agent);
    count_down(roster, row);
    struct roster_site *site = find_site(roster, row->site);
    list_remove(&site->agents, roster->site_links, agent);
    forget_empty_site(roster, site);
    bool was_in = map_remove(&roster->agents_by_id, key_of_number(row->id));
    CHECK(was_in);
    slab_give(&roster->agent_slab, agent);
}

void roster_leave(struct roster *roster, uint32_t agent)
{
    struct roster_agent *row = roster_get(roster, agent);
    detach(roster, agent);
    count_down(roster, row);
    row->is_leaving = true;
    /* To the back, as if it stood in the present list: roster_site_stale() is done with it. */
    struct roster_site *site = find_site(roster, row->site);
    CHECK(site != NULL);
    list_remove(&site->agents, roster->site_links, agent);
    list_push_back(&site->agents, roster->site_links, agent);
    row->generation = site->generation;
}

uint32_t roster_find(const struct roster *roster, uint32_t agent_id)
{
    uint32_t row = 0;
    return map_find(&roster->agents_by_id, key_of_number(agent_id), &row) ? row : ROSTER_NONE;
}

struct roster_agent *roster_get(const struct roster *roster, uint32_t agent)
{
    CHECK(slab_is_taken(&roster->agent_slab, agent));
    return &roster->agents[agent];
}

void roster_take(struct roster *roster, uint32_t agent, int64_t now_ms)
{
    struct roster_agent *row = roster_get(roster, agent);
    detach(roster, agent);
    row->used++;
    row->told -= row->told > 0;
    row->idle_since_ms = now_ms;
    attach(roster, agent);
}

void roster_give(struct roster *roster, uint32_t agent, int64_t now_ms)
{
    struct roster_agent *row = roster_get(roster, agent);
    CHECK(row->used > 0);
    detach(roster, agent);
    row->used--;
    row->told += row->told < row->capacity;
    row->idle_since_ms = now_ms;
    attach(roster, agent);
}

void roster_hint(struct roster *roster,
                 uint32_t agent,
                 const struct roster_hint *hint,
                 int64_t now_ms)
{
    struct roster_agent *row = roster_get(roster, agent);
    detach(roster, agent);
    row->told = hint->free;
    row->is_available = hint->is_available;
    if (hint->idle_ms >= 0) {
        later_idle(row, now_ms - hint->idle_ms);
    }
    attach(roster, agent);
}

static void set_up(struct roster *roster, struct roster_site *site)
{
    for (uint32_t agent = list_first(&site->agents); agent != LIST_NONE;
         agent = list_next(roster->site_links, agent)) {
        struct roster_agent *row = &roster->agents[agent];
        detach(roster, agent);
        count_down(roster, row);
        row->is_up = site->is_up;
        count_up(roster, row);
        attach(roster, agent);
    }
}

void roster_site_up(struct roster *roster, uint32_t site)
{
    struct roster_site *row = find_or_add_site(roster, site);
    if (row != NULL && !row->is_up) {
        row->is_up = true;
        set_up(roster, row);
    }
}

void roster_site_down(struct roster *roster, uint32_t site)
{
    struct roster_site *row = find_site(roster, site);
    if (row != NULL && row->is_up) {
        row->is_up = false;
        set_up(roster, row);
        forget_empty_site(roster, row);
    }
}

void roster_site_begin(struct roster *roster, uint32_t site)
{
    struct roster_site *row = find_or_add_site(roster, site);
    if (row != NULL) {
        row->generation++;
    }
}

uint32_t roster_site_stale(const struct roster *roster, uint32_t site)
{
    const struct roster_site *row = find_site(roster, site);
    uint32_t first = row == NULL ? LIST_NONE : list_first(&row->agents);
    bool is_stale = first != LIST_NONE && roster->agents[first].generation != row->generation;
    return is_stale ? first : ROSTER_NONE;
}

uint32_t roster_site_first(const struct roster *roster, uint32_t site)
{
    const struct roster_site *row = find_site(roster, site);
    return row == NULL ? ROSTER_NONE : list_first(&row->agents);
}

uint32_t roster_site_next(const struct roster *roster, uint32_t agent)
{
    return list_next(roster->site_links, agent);
}

uint32_t roster_next(const struct roster *roster, uint32_t from)
{
    uint32_t end = slab_high_water(&roster->agent_slab);
    for (uint32_t row = from; row < end; row++) {
        if (slab_is_taken(&roster->agent_slab, row)) {
            return row;
        }
    }
    return ROSTER_NONE;
}

uint32_t roster_next_free(const struct roster *roster, uint32_t from)
{
    uint32_t row = roster_next(roster, from);
    while (row != ROSTER_NONE && !roster->agents[row].is_free) {
        row = roster_next(roster, row + 1U);
    }
    return row;
}

uint32_t roster_count(const struct roster *roster)
{
    return slab_used(&roster->agent_slab);
}

uint32_t roster_first_free(const struct roster *roster, uint32_t profile)
{
    return tree_first(&roster->free_of_profile[profile]);
}

uint32_t roster_after_free(const struct roster *roster, uint32_t agent)
{
    const struct tree *free_agents = &roster->free_of_profile[roster_get(roster, agent)->profile];
    return tree_after(&roster->by_rank, free_agents, agent);
}
