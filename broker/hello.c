#include "lib/check.h"

#include "broker/sites.h"

#define ASK_AGAIN_MS INT64_C(20)   /* the batch was full */
#define STORE_ILL_MS INT64_C(1000) /* the store could not */

static void send_away(const struct turn *turn, uint64_t peer)
{
    struct header like = {.kind = MESSAGE_GOAWAY, .origin = turn->incarnation};
    message_send(turn->out, (struct address){.link = LINK_SITES, .peer = peer}, &like);
}

static void refuse(struct sessions *sessions, const struct turn *turn, uint64_t peer)
{
    sessions->refused_total++;
    trace_event(turn->trace, TRACE_WARN, "site.refused");
    trace_u64(turn->trace, "peer", peer);
    trace_end(turn->trace);
    send_away(turn, peer);
}

/* Two machines run under one name: an operator must act. */
static void refuse_clone(const struct turn *turn, uint64_t peer, struct bytes name)
{
    trace_event(turn->trace, TRACE_ERROR, "site.cloned");
    trace_bytes(turn->trace, "site", name);
    trace_end(turn->trace);
    struct effect *effect = effects_add(turn->out, EFFECT_HANG_UP);
    effect->hang_up = (struct address){.link = LINK_SITES, .peer = peer};
}

/* False: this HELLO is older than what is known of the site, or a copy; it was answered. */
static bool may_replace(const struct site *site,
                        const struct turn *turn,
                        uint64_t peer,
                        const struct message *message)
{
    struct session session = message->header.session;
    struct address to = {.link = LINK_SITES, .peer = peer};
    if (site->floor != 0 && session.boot <= site->floor) {
        sites_say_again(turn, to, site->floor);
        return false;
    }
    int order = session_compare(session, site->session);
    if (order < 0) {
        sites_say_again(turn, to, session.boot < site->session.boot ? site->session.boot : 0);
        return false;
    }
    if (order == 0 && session.nonce != site->session.nonce) {
        refuse_clone(turn, peer, message->hello->name);
        return false;
    }
    return true;
}

/* A site of which only the session is remembered makes room for one that is here. */
static void evict_one(struct sessions *sessions)
{
    uint32_t oldest = SITES_NONE;
    for (uint32_t row = 0; row < slab_high_water(&sessions->slab); row++) {
        const struct site *site = &sessions->sites[row];
        if (slab_is_taken(&sessions->slab, row) && site->state == SITE_IS_DOWN &&
            (oldest == SITES_NONE || site->heard_ms < sessions->sites[oldest].heard_ms)) {
            oldest = row;
        }
    }
    if (oldest != SITES_NONE) {
        sites_forget(sessions, oldest);
    }
}

static uint32_t add_site(struct sessions *sessions, const struct hello *hello)
{
    if (slab_used(&sessions->slab) == sessions->sites_max) {
        evict_one(sessions);
    }
    struct site site = {.state = SITE_IS_DOWN};
    struct shared *strings = &sessions->rolls.strings;
    if (shared_take(strings, hello->name, &site.name) != VT_OK) {
        return SITES_NONE;
    }
    uint32_t row = 0;
    bool has_contractor = shared_take(strings, hello->contractor, &site.contractor) == VT_OK;
    if (!has_contractor || slab_take(&sessions->slab, &row) != VT_OK) {
        if (has_contractor) {
            shared_give(strings, site.contractor);
        }
        shared_give(strings, site.name);
        return SITES_NONE;
    }
    sessions->sites[row] = site;
    vt_err err = map_put(&sessions->by_name, (struct map_key){.a = site.name}, row);
    CHECK(err == VT_OK);
    return row;
}

/* The row is this connection's from now on. */
static void
connect_row(struct sessions *sessions, const struct turn *turn, uint32_t row, uint64_t peer)
{
    struct site *site = &sessions->sites[row];
    if (site->state != SITE_IS_DOWN && site->peer != peer) {
        struct effect *effect = effects_add(turn->out, EFFECT_HANG_UP);
        effect->hang_up = sites_address(site);
    }
    if (site->state == SITE_IS_UP) {
        sessions->up_count--;
    }
    if (site->state != SITE_IS_DOWN) {
        map_remove(&sessions->by_peer, (struct map_key){.a = site->peer});
    }
    site->peer = peer;
    site->state = SITE_HELLO;
    vt_err err = map_put(&sessions->by_peer, (struct map_key){.a = peer}, row);
    CHECK(err == VT_OK);
}

static void start(struct sessions *sessions,
                  const struct turn *turn,
                  uint32_t row,
                  const struct message *message)
{
    struct site *site = &sessions->sites[row];
    rolls_clear_agents(&sessions->rolls, &site->roll);
    rolls_clear_held(&sessions->rolls, &site->roll);
    site->session = message->header.session;
    site->serial = ++sessions->serial;
    site->agent_count = message->hello->agent_count;
    site->held_count = message->hello->held_count;
    site->heard_ms = turn->now_ms;
    site->retry_ms = 0;
    site->again_ms = 0;
    site->tries_left = 0;
    site->due = 0;
    site->told = 0;
    site->acked = 0;
    site->is_welcomed = false;
    site->has_changed = false;
    site->is_sent_away = false;
    sites_set_timer(sessions, row);
}

static void complete_if_so(struct sessions *sessions, uint32_t row)
{
    struct site *site = &sessions->sites[row];
    if (site->state == SITE_HELLO && site->roll.agents.count == site->agent_count &&
        site->roll.held.count == site->held_count) {
        site->state = SITE_WANTS_IDS;
        sites_set_dirty(sessions, row);
    }
}

void hello_begin(struct sessions *sessions,
                 const struct turn *turn,
                 uint64_t peer,
                 const struct message *message)
{
    if (message->count == 0) {
        return;
    }
    const struct hello *hello = message->hello;
    if (sessions->is_draining) {
        send_away(turn, peer);
        return;
    }
    if (hello->agent_count > SITES_AGENTS_EACH_MAX || hello->held_count > SITES_HELD_EACH_MAX) {
        refuse(sessions, turn, peer);
        return;
    }
    uint32_t row = sites_find_name(sessions, hello->name);
    if (row != SITES_NONE && !may_replace(&sessions->sites[row], turn, peer, message)) {
        return;
    }
    uint32_t other = sites_find_peer(sessions, peer);
    if (other != SITES_NONE && other != row) {
        sites_go_down(sessions, turn, other); /* the connection changed its name */
    }
    if (row == SITES_NONE) {
        row = add_site(sessions, hello);
    }
    if (row == SITES_NONE) {
        refuse(sessions, turn, peer);
        return;
    }
    connect_row(sessions, turn, row, peer);
    start(sessions, turn, row, message);
    complete_if_so(sessions, row);
}

static vt_err
add_agents(struct sessions *sessions, struct site *site, const struct message *message)
{
    if ((message->header.flags & HEADER_FIRST) != 0) {
        rolls_clear_agents(&sessions->rolls, &site->roll);
    }
    for (uint32_t i = 0; i < message->count; i++) {
        if (site->roll.agents.count == site->agent_count) {
            return VT_TOO_LARGE;
        }
        vt_err err = rolls_add_agent(&sessions->rolls, &site->roll, &message->agent[i]);
        if (err != VT_OK) {
            return err;
        }
    }
    return VT_OK;
}

static vt_err add_held(struct sessions *sessions, struct site *site, const struct message *message)
{
    if ((message->header.flags & HEADER_FIRST) != 0) {
        rolls_clear_held(&sessions->rolls, &site->roll);
    }
    for (uint32_t i = 0; i < message->count; i++) {
        if (site->roll.held.count == site->held_count) {
            return VT_TOO_LARGE;
        }
        vt_err err = rolls_add_held(&sessions->rolls, &site->roll, &message->held[i]);
        if (err != VT_OK) {
            return err;
        }
    }
    return VT_OK;
}

void hello_go_on(struct sessions *sessions,
                 const struct turn *turn,
                 uint32_t row,
                 const struct message *message)
{
    struct site *site = &sessions->sites[row];
    if (site->state != SITE_HELLO) {
        return;
    }
    vt_err err = message->header.kind == MESSAGE_AGENT ? add_agents(sessions, site, message)
                                                       : add_held(sessions, site, message);
    if (err != VT_OK) {
        uint64_t peer = site->peer;
        sites_go_down(sessions, turn, row);
        refuse(sessions, turn, peer);
        return;
    }
    complete_if_so(sessions, row);
}

static uint64_t request_bytes(const struct site *site)
{
    uint64_t each = sizeof(struct store_agent_name) + NAME_BYTES_MAX + ARENA_ALIGN_MAX;
    return (site->roll.agents.count + 2U) * each;
}

void hello_ask_store(struct sessions *sessions, const struct turn *turn, uint32_t row)
{
    struct site *site = &sessions->sites[row];
    if (turn->now_ms < site->retry_ms) {
        return;
    }
    if (!batches_has_room(sessions->batches, BATCH_SITE, request_bytes(site))) {
        site->retry_ms = turn->now_ms + ASK_AGAIN_MS;
        sites_set_timer(sessions, row);
        return;
    }
    struct batch_entry entry = {.use = BATCH_SITE, .session = row, .serial = site->serial};
    struct store_request *request = batches_add(sessions->batches, &entry);
    struct shared *strings = &sessions->rolls.strings;
    struct arena *bytes = batches_bytes(sessions->batches);
    request->kind = STORE_SITE;
    request->site.name = bytes_copy(bytes, shared_get(strings, site->name));
    request->site.contractor = bytes_copy(bytes, shared_get(strings, site->contractor));
    request->site.agents = rolls_names(&sessions->rolls, &site->roll, bytes);
    request->site.agent_count = site->roll.agents.count;
    site->state = SITE_ASKING;
}

static void set_id(struct sessions *sessions, uint32_t row, uint32_t id)
{
    struct site *site = &sessions->sites[row];
    if (site->id == id) {
        return;
    }
    if (site->id != 0) {
        map_remove(&sessions->by_id, (struct map_key){.a = site->id});
    }
    site->id = id;
    vt_err err = map_put(&sessions->by_id, (struct map_key){.a = id}, row);
    CHECK(err == VT_OK);
}

void hello_welcome(struct sessions *sessions, const struct turn *turn, uint32_t row)
{
    struct site *site = &sessions->sites[row];
    struct header like = sites_header(turn, site, MESSAGE_WELCOME);
    like.flags = HEADER_FIRST | HEADER_LAST;
    rolls_welcome(&sessions->rolls, &site->roll, turn, sites_address(site), &like);
    site->is_welcomed = true;
}

void sessions_stored(struct sessions *sessions,
                     const struct turn *turn,
                     const struct batch_entry *entry,
                     const struct store_result *result)
{
    uint32_t row = entry->session;
    struct site *site = &sessions->sites[row];
    if (!slab_is_taken(&sessions->slab, row) || site->serial != entry->serial ||
        site->state != SITE_ASKING) {
        return;
    }
    if (result->status != STORE_DONE && result->status != STORE_DUPLICATE) {
        site->state = SITE_WANTS_IDS;
        site->retry_ms = turn->now_ms + STORE_ILL_MS;
        sites_set_timer(sessions, row);
        return;
    }
    CHECK(result->agent_count == site->roll.agents.count);
    rolls_set_ids(&sessions->rolls, &site->roll, result->agents);
    set_id(sessions, row, result->site);
    site->state = SITE_IS_UP;
    sessions->up_count++;
    trace_event(turn->trace, TRACE_INFO, "site.up");
    trace_bytes(turn->trace, "site", shared_get(&sessions->rolls.strings, site->name));
    trace_u64(turn->trace, "id", site->id);
    trace_u64(turn->trace, "agents", site->roll.agents.count);
    trace_u64(turn->trace, "held", site->roll.held.count);
    trace_end(turn->trace);
    announce_to_all(sessions, turn, row);
}
