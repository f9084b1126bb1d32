#include "broker/sites.h"

#define TRIES 6u
#define FIRST_REPEAT_MS INT64_C(500)
#define DOWN_REPEAT_MS INT64_C(1000)
#define SCRATCH_RESERVE ((uint64_t) (EFFECTS_SCRATCH_RESERVE))
#define HELLO_AGAIN_EACH_MS INT64_C(2000)
#define EFFECTS_EACH 4u /* SITE_UP, AGENT, HELD, and one to spare */

static int64_t repeat_ms(const struct site *site, int64_t now_ms)
{
    if (site->state == SITE_IS_DOWN) {
        return now_ms + DOWN_REPEAT_MS;
    }
    return now_ms + (FIRST_REPEAT_MS << (TRIES - site->tries_left));
}

void announce_to_all(struct sessions *sessions, const struct turn *turn, uint32_t row)
{
    struct site *site = &sessions->sites[row];
    site->due = owners_routers(sessions->owners);
    site->told = 0;
    site->acked = 0;
    site->tries_left = TRIES;
    site->announce_ms = repeat_ms(site, turn->now_ms);
    sites_set_dirty(sessions, row);
    sites_set_timer(sessions, row);
}

/* Repeats what got no reaction. SITE_DOWN never gets one, so it is simply said a few times. A site
 * that has taken or ended work since its HELLO is not announced again from that HELLO: a router
 * that missed it asks when it hears from the site. */
void announce_again(struct sessions *sessions, const struct turn *turn, uint32_t row)
{
    struct site *site = &sessions->sites[row];
    if (site->tries_left == 0 || turn->now_ms < site->announce_ms) {
        return;
    }
    site->tries_left--;
    site->announce_ms = repeat_ms(site, turn->now_ms);
    if (site->state == SITE_IS_UP && site->has_changed) {
        site->tries_left = 0;
        return;
    }
    site->due |= site->told & ~site->acked;
    if (site->due == 0 && site->state == SITE_IS_UP) {
        site->tries_left = 0;
    }
    sites_set_dirty(sessions, row);
}

static void say(const struct sessions *sessions,
                const struct turn *turn,
                const struct site *site,
                uint32_t router)
{
    struct address to = owners_address(sessions->owners, router);
    const struct shared *strings = &sessions->rolls.strings;
    bool is_up = site->state == SITE_IS_UP;
    struct header like = sites_header(turn, site, is_up ? MESSAGE_SITE_UP : MESSAGE_SITE_DOWN);
    like.flags = HEADER_FIRST;
    struct site_up *said = message_add(turn->out, to, &like);
    said->name = shared_get(strings, site->name);
    said->contractor = shared_get(strings, site->contractor);
    if (is_up) {
        said->agent_count = site->roll.agents.count;
        said->held_count = site->roll.held.count;
        rolls_send(&sessions->rolls, &site->roll, turn, to, &like);
    }
}

/* A router that comes later must not judge by lists that have aged: the site says HELLO again. */
static void ask_hello(struct sessions *sessions, const struct turn *turn, uint32_t row)
{
    struct site *site = &sessions->sites[row];
    site->due = 0;
    if (site->again_ms != 0 && turn->now_ms < site->again_ms + HELLO_AGAIN_EACH_MS) {
        return;
    }
    site->again_ms = turn->now_ms;
    sites_say_again(turn, sites_address(site), 0);
}

/* The lists of one site may be larger than what a step keeps in reserve. */
static bool fits(const struct site *site, const struct turn *turn)
{
    uint64_t lists = site->roll.agents.count * sizeof(struct agent) +
                     site->roll.held.count * sizeof(struct held);
    return turn_has_room(turn, EFFECTS_EACH) &&
           arena_free_bytes(&turn->out->scratch) >= lists + SCRATCH_RESERVE;
}

bool announce_run(struct sessions *sessions, const struct turn *turn, uint32_t row)
{
    struct site *site = &sessions->sites[row];
    if (site->state == SITE_IS_UP && site->has_changed && site->due != 0) {
        ask_hello(sessions, turn, row);
        return true;
    }
    while (site->due != 0) {
        if (!fits(site, turn)) {
            return false;
        }
        uint32_t router = bits_lowest(site->due);
        uint64_t bit = UINT64_C(1) << router;
        site->due &= ~bit;
        site->told |= bit;
        say(sessions, turn, site, router);
    }
    return true;
}

static void site_unknown(const struct sessions *sessions,
                         const struct turn *turn,
                         uint32_t router,
                         const struct message *asked)
{
    struct header like = {.kind = MESSAGE_SITE_DOWN,
                          .flags = HEADER_FIRST,
                          .site = asked->header.site,
                          .session = asked->header.session,
                          .origin = turn->incarnation};
    struct site_up *down = message_add(turn->out, owners_address(sessions->owners, router), &like);
    if (asked->count > 0) {
        down->name = turn_copy(turn, asked->site_up->name);
        down->contractor = turn_copy(turn, asked->site_up->contractor);
    }
}

static void heard_stale(struct sessions *sessions,
                        const struct turn *turn,
                        uint32_t row,
                        const struct message *message)
{
    struct site *site = &sessions->sites[row];
    uint32_t floor = message->count > 0 ? message->site_up->floor : 0;
    if (!session_equal(site->session, message->header.session) || floor < site->session.boot) {
        return; /* said of a session that is gone already */
    }
    site->floor = floor > site->floor ? floor : site->floor;
    trace_event(turn->trace, TRACE_WARN, "site.stale");
    trace_bytes(turn->trace, "site", shared_get(&sessions->rolls.strings, site->name));
    trace_u64(turn->trace, "floor", site->floor);
    trace_end(turn->trace);
    if (site->state != SITE_IS_DOWN) {
        sites_say_again(turn, sites_address(site), site->floor);
    }
}

void sessions_asked(struct sessions *sessions,
                    const struct turn *turn,
                    uint32_t router,
                    const struct message *message)
{
    uint32_t row = sites_find_id(sessions, message->header.site);
    if (message->header.kind == MESSAGE_SITE_STALE) {
        if (row != SITES_NONE) {
            heard_stale(sessions, turn, row, message);
        }
        return;
    }
    if (row == SITES_NONE || sessions->sites[row].state == SITE_IS_DOWN) {
        site_unknown(sessions, turn, router, message);
        return;
    }
    struct site *site = &sessions->sites[row];
    if (site->state == SITE_IS_UP) {
        site->due |= UINT64_C(1) << router;
        sites_set_dirty(sessions, row);
    }
}
