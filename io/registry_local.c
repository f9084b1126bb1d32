#include <stdlib.h>
#include <string.h>

#include "io/registry.h"
#include "lib/check.h"

#define NODES_MAX 64u
#define PARTS_MAX 4096u
#define CLAIMS_MAX 4096u
#define NAME_MAX_BYTES 64u

struct registered {
    struct registry_listener listener;
    char name[NAME_MAX_BYTES];
    bool knows_members; /* has heard of the newest list */
};

struct claim {
    uint32_t node;
    uint32_t part;
};

struct registry {
    struct node nodes[NODES_MAX];
    struct registered registered[NODES_MAX];
    uint32_t node_count;
    struct ownership_key owners[PARTS_MAX];
    uint32_t owner_count;
    struct claim claims[CLAIMS_MAX]; /* to be answered in the next turn, oldest first */
    uint32_t claim_count;
    uint64_t epoch;
};

vt_err registry_open_local(uint64_t epoch_floor, struct registry **out)
{
    struct registry *registry = calloc(1, sizeof *registry);
    if (registry == NULL) {
        return VT_UNAVAILABLE;
    }
    registry->epoch = epoch_floor;
    *out = registry;
    return VT_OK;
}

void registry_close(struct registry *registry)
{
    free(registry);
}

static void forget_heard(struct registry *registry)
{
    for (uint32_t i = 0; i < registry->node_count; i++) {
        registry->registered[i].knows_members = false;
    }
}

vt_err registry_add_node(struct registry *registry,
                         struct node *node,
                         const struct registry_listener *listener)
{
    CHECK(node->name.size <= NAME_MAX_BYTES);
    if (registry->node_count == NODES_MAX) {
        return VT_FULL;
    }

    uint32_t number = registry->node_count++;
    struct registered *registered = &registry->registered[number];
    memcpy(registered->name, node->name.data, node->name.size);
    registered->listener = *listener;
    node->number = number;
    registry->nodes[number] = *node;
    registry->nodes[number].name = bytes_of(registered->name, node->name.size);
    forget_heard(registry);
    return VT_OK;
}

void registry_claim(struct registry *registry, uint32_t node, uint32_t part)
{
    CHECK(registry->claim_count < CLAIMS_MAX);
    registry->claims[registry->claim_count++] = (struct claim){.node = node, .part = part};
}

static struct ownership_key *find_owner(struct registry *registry, uint32_t part)
{
    for (uint32_t i = 0; i < registry->owner_count; i++) {
        if (registry->owners[i].part == part) {
            return &registry->owners[i];
        }
    }
    return NULL;
}

void registry_release(struct registry *registry, uint32_t node, uint32_t part, uint64_t epoch)
{
    struct ownership_key *owner = find_owner(registry, part);
    if (owner == NULL || owner->node != node || owner->epoch != epoch) {
        return;
    }
    *owner = registry->owners[--registry->owner_count];
    forget_heard(registry);
}

static void answer_claim(struct registry *registry, const struct claim *claim)
{
    struct event event = {.kind = EVENT_CLAIMED};
    event.claimed.part = claim->part;
    if (find_owner(registry, claim->part) != NULL) {
        event.claimed.error = VT_CONFLICT;
    } else if (registry->owner_count == PARTS_MAX) {
        event.claimed.error = VT_UNAVAILABLE;
    } else {
        event.claimed.epoch = ++registry->epoch;
        registry->owners[registry->owner_count++] = (struct ownership_key){
            .part = claim->part, .node = claim->node, .epoch = event.claimed.epoch};
        forget_heard(registry);
    }

    const struct registry_listener *listener = &registry->registered[claim->node].listener;
    listener->event(listener->context, &event);
}

static void tell_members(struct registry *registry, uint32_t node)
{
    struct membership membership = {
        .nodes = registry->nodes,
        .node_count = registry->node_count,
        .owners = registry->owners,
        .owner_count = registry->owner_count,
    };
    const struct registry_listener *listener = &registry->registered[node].listener;
    struct event lease = {.kind = EVENT_LEASE, .lease = {.deadline_ms = NO_DEADLINE}};
    struct event members = {.kind = EVENT_MEMBERS, .members = &membership};

    registry->registered[node].knows_members = true;
    listener->event(listener->context, &lease);
    listener->event(listener->context, &members);
}

int64_t registry_turn(struct registry *registry, int64_t now_ms)
{
    uint32_t claim_count = registry->claim_count;
    for (uint32_t i = 0; i < claim_count; i++) {
        answer_claim(registry, &registry->claims[i]);
    }
    registry->claim_count -= claim_count;
    memmove(registry->claims,
            registry->claims + claim_count,
            registry->claim_count * sizeof registry->claims[0]);

    for (uint32_t i = 0; i < registry->node_count; i++) {
        if (!registry->registered[i].knows_members) {
            tell_members(registry, i);
        }
    }
    for (uint32_t i = 0; i < registry->node_count; i++) {
        if (!registry->registered[i].knows_members) {
            return now_ms; /* what a listener did changed the list again */
        }
    }
    return registry->claim_count > 0 ? now_ms : NO_DEADLINE;
}
