#include "router/sends.h"

#include "router/inside.h"

#define HELD_ASK_MS 5000
#define SITE_ASK_MS 1000

bool sends_has_room(const struct router *router)
{
    return effects_room(router->out) > SENDS_ROOM_KEPT;
}

static bool take_room(struct router *router)
{
    if (sends_has_room(router)) {
        return true;
    }
    router->counters.sends_dropped_total++;
    return false;
}

static struct header header_for(const struct router *router, enum message_kind kind, uint32_t part)
{
    return (struct header){.kind = kind,
                           .part = part,
                           .epoch = ownership_epoch(&router->ownership, part),
                           .origin = router->options.incarnation};
}

static struct header
site_header(struct router *router, uint32_t site, uint32_t part, enum message_kind kind)
{
    const struct site *row = sites_get(&router->sites, site);
    struct header header = header_for(router, kind, part);
    header.site = row->id;
    header.session = row->session;
    struct sites_pair *pair = sites_pair(&router->sites, site, part, header.epoch);
    if (pair != NULL) {
        header.seq = ++pair->seq;
    }
    return header;
}

void *sends_to_site(struct router *router, uint32_t site, uint32_t part, enum message_kind kind)
{
    const struct site *row = sites_get(&router->sites, site);
    if (!row->has_session || !take_room(router)) {
        return NULL;
    }
    struct header header = site_header(router, site, part, kind);
    return message_add(router->out, (struct address){LINK_BROKERS, row->broker}, &header);
}

uint64_t sends_last_seq(struct router *router, uint32_t site, uint32_t part)
{
    uint64_t epoch = ownership_epoch(&router->ownership, part);
    const struct sites_pair *pair = sites_pair(&router->sites, site, part, epoch);
    return pair == NULL ? 0 : pair->seq;
}

void *sends_to_broker(struct router *router, uint64_t broker, uint32_t part, enum message_kind kind)
{
    if (!take_room(router)) {
        return NULL;
    }
    struct header header = header_for(router, kind, part);
    return message_add(router->out, (struct address){LINK_BROKERS, broker}, &header);
}

void sends_release(struct router *router,
                   uint32_t site,
                   uint32_t part,
                   const struct release *release)
{
    struct release *entry = sends_to_site(router, site, part, MESSAGE_RELEASE);
    if (entry != NULL) {
        *entry = *release;
    }
}

void sends_update(struct router *router, uint32_t part, const struct update *update)
{
    for (uint32_t i = 0; i < router->forwards.broker_count; i++) {
        struct update *entry =
            sends_to_broker(router, router->forwards.brokers[i].node, part, MESSAGE_UPDATE);
        if (entry != NULL) {
            *entry = *update;
        }
    }
}

void sends_about_session(struct router *router,
                         uint64_t broker,
                         const struct header *header,
                         enum message_kind kind)
{
    uint32_t site = sites_find(&router->sites, header->site);
    if (!take_room(router)) {
        return;
    }
    struct header answer = header_for(router, kind, header->part);
    answer.site = header->site;
    answer.session = header->session;
    if (site != SITES_NONE) {
        struct site *row = sites_get(&router->sites, site);
        if (router->now_ms - row->asked_ms < SITE_ASK_MS && kind == MESSAGE_SITE_ASK) {
            return;
        }
        row->asked_ms = router->now_ms;
    }
    struct site_up *entry =
        message_add(router->out, (struct address){LINK_BROKERS, broker}, &answer);
    if (site != SITES_NONE && kind == MESSAGE_SITE_STALE) {
        entry->floor = sites_get(&router->sites, site)->session.boot;
    }
}

void sends_held_ask(struct router *router, uint32_t site, uint32_t part)
{
    uint64_t epoch = ownership_epoch(&router->ownership, part);
    const struct site *row = sites_get(&router->sites, site);
    struct sites_pair *pair = sites_pair(&router->sites, site, part, epoch);
    if (!row->has_session || pair == NULL || router->now_ms - pair->asked_ms < HELD_ASK_MS ||
        !take_room(router)) {
        return;
    }
    pair->asked_ms = router->now_ms;
    struct header header = site_header(router, site, part, MESSAGE_HELD_ASK);
    message_send(router->out, (struct address){LINK_BROKERS, row->broker}, &header);
}

void sends_owns(struct router *router, uint64_t broker)
{
    if (!take_room(router)) {
        return;
    }
    uint32_t count = 0;
    for (uint32_t part = 0; part < router->options.parts_max; part++) {
        count += ownership_is_served(&router->ownership, part) ? 1U : 0U;
    }
    struct header header = header_for(router, MESSAGE_OWNS, PART_ALL);
    header.flags = HEADER_FIRST | HEADER_LAST;
    struct owns *list = ARENA_ARRAY(&router->out->scratch, struct owns, (uint64_t) count + 1U);
    struct message *message =
        message_send(router->out, (struct address){LINK_BROKERS, broker}, &header);
    message->owns = list;
    for (uint32_t part = 0; part < router->options.parts_max; part++) {
        if (ownership_is_served(&router->ownership, part)) {
            list[message->count++] = (struct owns){part, ownership_epoch(&router->ownership, part)};
        }
    }
}

bool sends_copy(struct router *router, struct bytes text, struct bytes *copy)
{
    const uint32_t reserve = EFFECTS_SCRATCH_RESERVE;
    uint64_t room = arena_free_bytes(&router->out->scratch);
    return room > (uint64_t) text.size + reserve &&
           bytes_try_copy(&router->out->scratch, text, copy);
}
