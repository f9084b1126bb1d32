/* Who may say what on which edge, and who answers for it. */

#include "broker/metrics.h"
#include "broker/state.h"

static void ask_store_or_routers(struct broker *broker,
                                 const struct turn *turn,
                                 struct address from,
                                 const struct query *query)
{
    if (query->what == QUERY_METRICS || query->what == QUERY_CHECKS) {
        queries_end(turn, from, query->ref, VT_DENIED);
    } else {
        queries_ask(broker->queries, turn, from, query);
    }
}

static void hear_client(struct broker *broker,
                        const struct turn *turn,
                        struct address from,
                        const struct message *message)
{
    enum message_kind kind = message->header.kind;
    if (kind == MESSAGE_SUBMIT) {
        intake_submit(broker->intake, turn, from.peer, message);
    } else if (kind == MESSAGE_NOTE) {
        notes_write(&broker->notes, turn, from.peer, message);
    } else if (kind == MESSAGE_CANCEL) {
        cancels_ask(broker->cancels, turn, from.peer, message);
    } else if (kind == MESSAGE_FOLLOW) {
        followers_follow(broker->followers, turn, from.peer, message);
    } else if (kind == MESSAGE_QUERY) {
        for (uint32_t i = 0; i < message->count; i++) {
            ask_store_or_routers(broker, turn, from, &message->query[i]);
        }
    }
}

static void drop_router(struct broker *broker, const struct turn *turn, uint32_t row)
{
    trace_event(turn->trace, TRACE_WARN, "router.lost");
    trace_u64(turn->trace, "peer", owners_address(broker->owners, row).peer);
    trace_end(turn->trace);
    sessions_router_down(broker->sessions, row);
    queries_router_down(broker->queries, row);
    owners_drop(broker->owners, row);
}

static void
learn(struct broker *broker, const struct turn *turn, const struct owns *owns, uint32_t row)
{
    if (owners_learn(broker->owners, owns->part, owns->epoch, row) == OWNERS_OLD) {
        return;
    }
    trace_event(turn->trace, TRACE_INFO, "owner.heard");
    trace_u64(turn->trace, "part", owns->part);
    trace_u64(turn->trace, "epoch", owns->epoch);
    trace_end(turn->trace);
    outbox_new_owner(broker->outbox, turn, owns->part);
}

static void hear_owns(struct broker *broker,
                      const struct turn *turn,
                      uint32_t row,
                      const struct message *message)
{
    if ((message->header.flags & HEADER_FIRST) != 0) {
        owners_list_begin(broker->owners, row);
    }
    for (uint32_t i = 0; i < message->count; i++) {
        learn(broker, turn, &message->owns[i], row);
    }
    if ((message->header.flags & HEADER_LAST) != 0) {
        owners_list_end(broker->owners, row);
    }
}

static void
hear_taken(struct broker *broker, const struct turn *turn, const struct message *message)
{
    for (uint32_t i = 0; i < message->count; i++) {
        if (message->taken[i].broker == broker->incarnation) {
            outbox_taken(broker->outbox, turn, &message->header, message->taken[i].upto);
        }
    }
}

static void
hear_updates(struct broker *broker, const struct turn *turn, const struct message *message)
{
    for (uint32_t i = 0; i < message->count; i++) {
        cancels_update(broker->cancels, turn, &message->update[i]);
        followers_update(broker->followers, turn, &message->update[i]);
    }
}

static void hear_router_kind(struct broker *broker,
                             const struct turn *turn,
                             uint32_t row,
                             const struct message *message)
{
    enum message_kind kind = message->header.kind;
    if (message_is_carried_kind(kind)) {
        sessions_carry_down(broker->sessions, turn, row, message);
    } else if (kind == MESSAGE_OWNS) {
        hear_owns(broker, turn, row, message);
    } else if (kind == MESSAGE_TAKEN) {
        hear_taken(broker, turn, message);
    } else if (kind == MESSAGE_NOT_OWNER) {
        for (uint32_t i = 0; i < message->count; i++) {
            owners_deny(broker->owners, message->owns[i].part, message->owns[i].epoch, row);
        }
    } else if (kind == MESSAGE_UPDATE) {
        hear_updates(broker, turn, message);
    } else if (kind == MESSAGE_REPLY) {
        queries_reply(broker->queries, turn, row, message);
    } else if (kind == MESSAGE_SITE_ASK || kind == MESSAGE_SITE_STALE) {
        sessions_asked(broker->sessions, turn, row, message);
    }
}

/* The header of what an owner sends names its partition and epoch; of these three it does not. */
static bool names_owner(const struct header *header)
{
    return header->kind != MESSAGE_OWNS && header->kind != MESSAGE_NOT_OWNER &&
           header->kind != MESSAGE_REPLY && header->part != PART_ALL && header->epoch != 0;
}

static void hear_router(struct broker *broker, const struct turn *turn, const struct event *event)
{
    const struct message *message = event->received.message;
    bool is_new = false;
    uint32_t row = owners_hear(broker->owners, turn, event->received.from.peer, &is_new);
    if (row == OWNERS_NONE) {
        trace_event(turn->trace, TRACE_WARN, "router.refused");
        trace_end(turn->trace);
        return;
    }
    if (is_new) {
        sessions_router_up(broker->sessions, row);
    }
    if (names_owner(&message->header)) {
        struct owns owns = {.part = message->header.part, .epoch = message->header.epoch};
        learn(broker, turn, &owns, row);
    }
    hear_router_kind(broker, turn, row, message);
}

static void ask_here(struct broker *broker,
                     const struct turn *turn,
                     struct address from,
                     const struct message *message)
{
    struct metrics_sources sources = {.intake = broker->intake,
                                      .batches = broker->batches,
                                      .clients = broker->clients,
                                      .outbox = broker->outbox,
                                      .owners = broker->owners,
                                      .sessions = broker->sessions,
                                      .followers = broker->followers};
    for (uint32_t i = 0; message->header.kind == MESSAGE_QUERY && i < message->count; i++) {
        const struct query *query = &message->query[i];
        switch (query->what) {
        case QUERY_METRICS:
            metrics_reply(&sources, turn, from, query->ref);
            break;
        case QUERY_CHECKS:
            metrics_check(&sources, turn, from, query->ref);
            break;
        case QUERY_TICKET:
        case QUERY_QUEUES:
        case QUERY_AGENTS:
            queries_ask(broker->queries, turn, from, query);
            break;
        }
    }
}

void hear_link_down(struct broker *broker, const struct turn *turn, struct address address)
{
    if (address.link == LINK_CLIENTS) {
        clients_drop(broker->clients, address.peer);
        cancels_drop_client(broker->cancels, address.peer);
        followers_drop_client(broker->followers, address.peer);
        queries_drop_client(broker->queries, address.peer);
    } else if (address.link == LINK_SITES) {
        sessions_link_down(broker->sessions, turn, address.peer);
    } else if (address.link == LINK_ROUTERS) {
        uint32_t row = owners_find_row(broker->owners, address.peer);
        if (row != OWNERS_NONE) {
            drop_router(broker, turn, row);
        }
    }
}

void hear_message(struct broker *broker, const struct turn *turn, const struct event *event)
{
    struct address from = event->received.from;
    const struct message *message = event->received.message;
    switch (from.link) {
    case LINK_CLIENTS:
        hear_client(broker, turn, from, message);
        return;
    case LINK_ROUTERS:
        hear_router(broker, turn, event);
        return;
    case LINK_SITES:
        sessions_hear_site(broker->sessions, turn, from.peer, message);
        return;
    case LINK_LOCAL:
        ask_here(broker, turn, from, message);
        return;
    case LINK_BROKERS:
    case LINK_DESK:
    case LINK_COUNT:
        return;
    }
}

void hear_silence(struct broker *broker, const struct turn *turn)
{
    uint32_t silent = owners_find_silent(broker->owners, turn->now_ms);
    while (silent != OWNERS_NONE) {
        drop_router(broker, turn, silent);
        silent = owners_find_silent(broker->owners, turn->now_ms);
    }
}
