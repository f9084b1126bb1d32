#include <stdlib.h>
#include <string.h>

#include "lib/check.h"
#include "tests/scenario/world_inside.h"

/* Connections and frames. Whoever is no broker dials; the first message makes the connection. */

#define MESSAGE_MS 1

static enum link link_at_broker(const struct world *world, uint32_t dialer)
{
    if (dialer == CLIENT) {
        return LINK_CLIENTS;
    }
    return world->nodes[dialer].sort == SORT_ROUTER ? LINK_ROUTERS : LINK_SITES;
}

static enum codec_edge edge_to(const struct world *world, const struct connection *connection)
{
    if (connection->dialer.node == CLIENT) {
        return EDGE_BROKER_TO_CLIENT;
    }
    return world->nodes[connection->dialer.node].sort == SORT_ROUTER ? EDGE_BROKER_TO_ROUTER
                                                                     : EDGE_BROKER_TO_SITE;
}

static enum codec_edge edge_from(enum link link)
{
    if (link == LINK_CLIENTS) {
        return EDGE_CLIENT_TO_BROKER;
    }
    return link == LINK_ROUTERS ? EDGE_ROUTER_TO_BROKER : EDGE_SITE_TO_BROKER;
}

static bool is_end(const struct end *a, const struct end *b)
{
    return a->node == b->node && a->address.link == b->address.link &&
           a->address.peer == b->address.peer;
}

static struct connection *find(struct world *world, const struct end *end)
{
    for (uint32_t i = 0; i < world->connection_count; i++) {
        struct connection *connection = &world->connections[i];
        if (connection->is_open &&
            (is_end(&connection->dialer, end) || is_end(&connection->broker, end))) {
            return connection;
        }
    }
    return NULL;
}

/* A router names brokers by their number, a site by their place in its list. */
static uint32_t broker_of(const struct world *world, const struct end *dialer)
{
    bool is_site = dialer->node != CLIENT && world->nodes[dialer->node].sort == SORT_SITE;
    if (!is_site) {
        return (uint32_t) dialer->address.peer;
    }
    return dialer->address.peer < world->broker_count ? world->site_of_broker[dialer->address.peer]
                                                      : NODES_MAX;
}

static bool can_reach(const struct world *world, uint32_t node)
{
    return node == CLIENT || (world->nodes[node].is_up && !world->nodes[node].is_cut);
}

static struct connection *dial(struct world *world, const struct end *dialer)
{
    uint32_t broker = broker_of(world, dialer);
    if (broker >= world->node_count || !can_reach(world, broker) ||
        !can_reach(world, dialer->node)) {
        return NULL;
    }
    uint32_t at = 0;
    while (at < world->connection_count && world->connections[at].is_open) {
        at++;
    }
    CHECK(at < CONNECTIONS_MAX);
    world->connection_count += at == world->connection_count ? 1 : 0;
    struct connection *connection = &world->connections[at];
    connection->dialer = *dialer;
    connection->broker.node = broker;
    connection->broker.address.link = link_at_broker(world, dialer->node);
    connection->broker.address.peer = ++world->connection_number;
    connection->is_open = true;
    return connection;
}

/* ------------------------------------------------------------------ out */

static uint8_t *copy_frame(struct bytes frame)
{
    uint8_t *copy = world_allocate(frame.size + 1u);
    if (frame.size != 0) {
        memcpy(copy, frame.data, frame.size);
    }
    return copy;
}

static void put_frames(struct world *world,
                       const struct connection *connection,
                       const struct end *to,
                       const struct codec_encoded *encoded)
{
    struct pending *pending = world_add_pending(world, PENDING_MESSAGE, MESSAGE_MS);
    pending->node = to->node;
    pending->from = to->address;
    pending->connection = connection->broker.address.peer;
    pending->incarnation = to->node == CLIENT ? 0 : world->nodes[to->node].incarnation;
    pending->header = copy_frame(encoded->header);
    pending->header_bytes = encoded->header.size;
    pending->body = copy_frame(encoded->body);
    pending->body_bytes = encoded->body.size;
}

void world_send(struct world *world, struct end from, const struct message *message)
{
    struct connection *connection = find(world, &from);
    bool is_broker = from.node != CLIENT && world->nodes[from.node].sort == SORT_BROKER;
    if (connection == NULL && !is_broker) {
        connection = dial(world, &from);
    }
    if (connection == NULL || !can_reach(world, connection->dialer.node) ||
        !can_reach(world, connection->broker.node)) {
        return; /* lost, silently */
    }
    const struct end *to = is_broker ? &connection->dialer : &connection->broker;
    uint32_t first = 0;
    do {
        struct codec_encoded encoded;
        uint64_t mark = arena_mark(&world->scratch);
        vt_err err = codec_encode(message, first, &world->scratch, &encoded);
        CHECK(err == VT_OK);
        put_frames(world, connection, to, &encoded);
        arena_rewind(&world->scratch, mark);
        first += encoded.packed;
    } while (message->carried.size == 0 && first < message->count);
}

/* ------------------------------------------------------------------ in */

/* The connection that this was sent on, if it still is open: a new one between the same two does
 * not deliver what the old one lost. */
static const struct connection *find_open(const struct world *world, uint64_t number)
{
    for (uint32_t i = 0; i < world->connection_count; i++) {
        const struct connection *connection = &world->connections[i];
        if (connection->is_open && connection->broker.address.peer == number) {
            return connection;
        }
    }
    return NULL;
}

void world_deliver(struct world *world, const struct pending *pending)
{
    struct end to = {.node = pending->node, .address = pending->from};
    const struct connection *connection = find_open(world, pending->connection);
    if (connection == NULL || !can_reach(world, connection->dialer.node) ||
        !can_reach(world, connection->broker.node)) {
        return;
    }
    bool is_to_broker = is_end(&connection->broker, &to);
    enum codec_edge edge = is_to_broker ? edge_from(to.address.link) : edge_to(world, connection);
    struct message message;
    vt_err err = codec_decode(edge,
                              bytes_of(pending->header, pending->header_bytes),
                              bytes_of(pending->body, pending->body_bytes),
                              &world->scratch,
                              &message);
    if (err != VT_OK) {
        world_line(world, "codec", err_text(err));
        world_line(world, "codec", message_kind_text((enum message_kind) pending->header[3]));
    }
    CHECK(err == VT_OK); /* a core sent what no core may send */
    if (to.node == CLIENT) {
        world_client_receive(world, &message);
        return;
    }
    struct event event = {.kind = EVENT_MESSAGE};
    event.received.from = to.address;
    event.received.message = &message;
    world_step(&world->nodes[to.node], &event);
}

/* ------------------------------------------------------------------ ends */

static void tell_down(struct world *world, const struct end *end)
{
    if (end->node == CLIENT || !world->nodes[end->node].is_up) {
        return;
    }
    struct pending *pending = world_add_pending(world, PENDING_LINK_DOWN, MESSAGE_MS);
    pending->node = end->node;
    pending->incarnation = world->nodes[end->node].incarnation;
    pending->from = end->address;
}

void world_break_connections(struct world *world, uint32_t node)
{
    for (uint32_t i = 0; i < world->connection_count; i++) {
        struct connection *connection = &world->connections[i];
        if (!connection->is_open) {
            continue;
        }
        if (connection->dialer.node == node) {
            tell_down(world, &connection->broker);
            connection->is_open = false;
        } else if (connection->broker.node == node) {
            tell_down(world, &connection->dialer);
            connection->is_open = false;
        }
    }
}

void world_hang_up(struct world *world, struct end from)
{
    struct connection *connection = find(world, &from);
    if (connection == NULL) {
        return;
    }
    bool is_dialer = is_end(&connection->dialer, &from);
    connection->is_open = false;
    if (can_reach(world, from.node)) {
        tell_down(world, is_dialer ? &connection->broker : &connection->dialer);
    }
}

bool world_client_end(struct world *world, struct end *end)
{
    for (uint32_t i = 0; i < world->node_count; i++) {
        if (world->nodes[i].sort == SORT_BROKER && can_reach(world, i)) {
            *end = (struct end){.node = CLIENT, .address = {.link = LINK_BROKERS, .peer = i}};
            return true;
        }
    }
    return false;
}
