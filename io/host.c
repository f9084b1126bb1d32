#include "io/host.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "io/process.h"
#include "lib/check.h"

/* Turns of the loop stay short: a core that always wants more is asked again in the next turn. */
#define STEPS_PER_TURN_MAX 64u
#define COMPLETIONS_PER_TURN_MAX 64u
#define DOWNS_MAX 128u
#define POSTPONED_FIRST 64u

struct host {
    struct core core;
    const char *name;
    struct loop *loop;
    struct store_port *port;
    struct registry *registry;
    uint32_t node;
    struct link_listener *listeners[LINK_COUNT];
    struct listener_context {
        struct host *host;
        enum link link;
    } contexts[LINK_COUNT];
    struct link_dialer **dialers;
    uint32_t dialers_max;
    struct host_local locals[LINK_COUNT];
    struct arena memory; /* effects and their scratch */
    struct effects effects;
    /* Connections found to be gone while effects were carried out; told in the next turn. A full
     * table forgets the newest: a core finds out by its own deadlines. */
    struct address downs[DOWNS_MAX];
    uint32_t down_count;
    /* STORE and LOAD that the store's queue had no room for, in order. The cores bound it: each has
     * at most one question under way for each row of its tables (queries, cancels, followers). */
    struct effect *postponed;
    uint32_t postponed_count;
    uint32_t postponed_capacity;
    bool is_stepping;
    bool is_stopped;
};

static void carry_out(struct host *host);

static void step(struct host *host, struct event *event)
{
    CHECK(!host->is_stepping);

    host->is_stepping = true;
    event->now_ms = process_now_ms();
    event->wall_us = process_wall_us();
    host->effects.count = 0;
    arena_reset(&host->effects.scratch);
    host->core.step(host->core.self, event, &host->effects);
    carry_out(host);
    host->is_stepping = false;
}

/* ---- effects ---- */

static void send(struct host *host, struct address to, const struct message *message)
{
    if (host->locals[to.link].message != NULL) {
        host->locals[to.link].message(host->locals[to.link].context, to.peer, message);
    } else if (host->listeners[to.link] != NULL) {
        link_listener_send(host->listeners[to.link], to.peer, message);
    } else if (to.link == LINK_BROKERS && to.peer < host->dialers_max &&
               host->dialers[to.peer] != NULL) {
        link_dialer_send(host->dialers[to.peer], message);
    }
}

static vt_err ask_store(struct host *host, const struct effect *effect)
{
    if (effect->kind == EFFECT_STORE) {
        return store_port_submit(
            host->port, effect->store.token, effect->store.requests, effect->store.count);
    }
    return store_port_load(host->port, effect->load.token, &effect->load.request);
}

static void postpone(struct host *host, const struct effect *effect)
{
    if (host->postponed_count == host->postponed_capacity) {
        uint32_t capacity =
            host->postponed_capacity == 0 ? POSTPONED_FIRST : 2 * host->postponed_capacity;
        void *grown = realloc(host->postponed, capacity * sizeof host->postponed[0]);
        CHECK(grown != NULL);
        host->postponed = grown;
        host->postponed_capacity = capacity;
    }
    host->postponed[host->postponed_count++] = *effect;
}

/* What is asked later must not overtake what had to wait. */
static void ask_store_in_order(struct host *host, const struct effect *effect)
{
    if (host->postponed_count > 0 || ask_store(host, effect) != VT_OK) {
        postpone(host, effect);
    }
}

static void ask_postponed(struct host *host)
{
    uint32_t done = 0;
    while (done < host->postponed_count && ask_store(host, &host->postponed[done]) == VT_OK) {
        done++;
    }
    host->postponed_count -= done;
    if (done > 0 && host->postponed_count > 0) {
        memmove(host->postponed,
                host->postponed + done,
                host->postponed_count * sizeof host->postponed[0]);
    }
}

static void hang_up(struct host *host, struct address who)
{
    if (who.link == LINK_BROKERS && who.peer < host->dialers_max &&
        host->dialers[who.peer] != NULL) {
        link_dialer_hang_up(host->dialers[who.peer]);
    }
}

static void carry_out_one(struct host *host, const struct effect *effect)
{
    switch (effect->kind) {
    case EFFECT_SEND:
        send(host, effect->send.to, effect->send.message);
        break;
    case EFFECT_STORE:
    case EFFECT_LOAD:
        ask_store_in_order(host, effect);
        break;
    case EFFECT_CLAIM:
        registry_claim(host->registry, host->node, effect->claim_part);
        break;
    case EFFECT_RELEASE:
        registry_release(host->registry, host->node, effect->release.part, effect->release.epoch);
        break;
    case EFFECT_HANG_UP:
        hang_up(host, effect->hang_up);
        break;
    case EFFECT_STOPPED:
        host->is_stopped = true;
        break;
    }
}

static void carry_out(struct host *host)
{
    for (uint32_t i = 0; i < host->effects.count; i++) {
        carry_out_one(host, &host->effects.list[i]);
    }
}

/* ---- events ---- */

static void message_came(struct host *host, struct address from, const struct message *message)
{
    struct event event = {.kind = EVENT_MESSAGE, .received = {.from = from, .message = message}};
    step(host, &event);
}

static void listener_message(void *context, uint64_t peer, const struct message *message)
{
    struct listener_context *at = context;
    message_came(at->host, (struct address){.link = at->link, .peer = peer}, message);
}

static void dialer_message(void *context, uint64_t peer, const struct message *message)
{
    message_came(context, (struct address){.link = LINK_BROKERS, .peer = peer}, message);
}

static void note_down(struct host *host, struct address who)
{
    if (host->down_count < DOWNS_MAX) {
        host->downs[host->down_count++] = who;
    }
}

static void listener_down(void *context, uint64_t peer)
{
    struct listener_context *at = context;
    note_down(at->host, (struct address){.link = at->link, .peer = peer});
}

static void dialer_down(void *context, uint64_t peer)
{
    note_down(context, (struct address){.link = LINK_BROKERS, .peer = peer});
}

static void registry_event(void *context, struct event *event)
{
    step(context, event);
}

static void tell_downs(struct host *host)
{
    /* Steps may find more that are gone: those wait for the next turn. */
    struct address downs[DOWNS_MAX];
    uint32_t count = host->down_count;
    memcpy(downs, host->downs, count * sizeof downs[0]);
    host->down_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct event event = {.kind = EVENT_LINK_DOWN, .link_down = downs[i]};
        step(host, &event);
    }
}

static void tell_completion(struct host *host, const struct store_completion *completion)
{
    struct event event = {.kind = EVENT_STORED};
    if (completion->is_load) {
        event.kind = EVENT_LOADED;
        event.loaded.token = completion->token;
        event.loaded.error = completion->error;
        event.loaded.page = completion->page;
    } else {
        event.stored.token = completion->token;
        event.stored.results = completion->results;
        event.stored.count = completion->count;
    }
    step(host, &event);
}

static void tell_completions(struct host *host)
{
    struct store_completion completion;
    for (uint32_t i = 0; i < COMPLETIONS_PER_TURN_MAX; i++) {
        if (!store_port_next(host->port, &completion)) {
            return;
        }
        tell_completion(host, &completion);
        store_port_done(host->port);
    }
}

static int64_t host_turn(void *context, int64_t now_ms)
{
    struct host *host = context;
    (void) now_ms;
    if (host->port != NULL) {
        tell_completions(host);
        ask_postponed(host);
    }
    tell_downs(host);

    for (uint32_t i = 0; i < STEPS_PER_TURN_MAX; i++) {
        int64_t wanted_ms = host->core.deadline_ms(host->core.self);
        if (wanted_ms > process_now_ms()) {
            break;
        }
        struct event event = {.kind = EVENT_TIME};
        step(host, &event);
    }
    if (host->down_count > 0) {
        return process_now_ms();
    }
    return host->core.deadline_ms(host->core.self);
}

/* The port's descriptor only wakes the loop; the turn takes what is there. */
static void port_ready(void *context)
{
    (void) context;
}

/* ---- opening ---- */

static vt_err open_memory(struct host *host)
{
    uint64_t list_bytes = EFFECTS_MAX * sizeof(struct effect);
    vt_err err = process_reserve(list_bytes + EFFECTS_SCRATCH_BYTES + 4096, &host->memory);
    if (err != VT_OK) {
        return err;
    }
    host->effects.list = ARENA_ARRAY(&host->memory, struct effect, EFFECTS_MAX);
    uint8_t *scratch = arena_take(&host->memory, EFFECTS_SCRATCH_BYTES, 16);
    arena_init(&host->effects.scratch, scratch, EFFECTS_SCRATCH_BYTES);
    return VT_OK;
}

static vt_err join_loop(struct host *host)
{
    if (host->port != NULL) {
        struct loop_source source = {
            .fd = store_port_fd(host->port), .ready = port_ready, .context = host};
        vt_err err = loop_add(host->loop, &source);
        if (err != VT_OK) {
            return err;
        }
    }
    struct loop_turner turner = {.turn = host_turn, .context = host};
    return loop_add_turner(host->loop, &turner);
}

vt_err host_open(const struct host_options *options, struct host **out)
{
    struct host *host = calloc(1, sizeof *host);
    if (host == NULL) {
        return VT_UNAVAILABLE;
    }
    host->core = options->core;
    host->name = options->name;
    host->loop = options->loop;
    host->registry = options->registry;
    host->dialers_max = options->dialers_max;
    host->dialers = calloc(options->dialers_max + 1u, sizeof(struct link_dialer *));
    for (uint32_t i = 0; i < LINK_COUNT; i++) {
        host->contexts[i] = (struct listener_context){.host = host, .link = (enum link) i};
    }

    vt_err err = host->dialers == NULL ? VT_UNAVAILABLE : open_memory(host);
    if (err == VT_OK && options->store != NULL) {
        err = store_port_open(options->store, &host->port);
    }
    if (err == VT_OK) {
        err = join_loop(host);
    }
    if (err != VT_OK) {
        host_close(host);
        return err;
    }
    *out = host;
    return VT_OK;
}

void host_close(struct host *host)
{
    if (host == NULL) {
        return;
    }
    for (uint32_t i = 0; i < LINK_COUNT; i++) {
        link_listener_close(host->listeners[i]);
    }
    for (uint32_t i = 0; host->dialers != NULL && i < host->dialers_max; i++) {
        link_dialer_close(host->dialers[i]);
    }
    if (host->port != NULL) {
        loop_remove(host->loop, NULL, store_port_fd(host->port)); /* the store closes it */
    }
    free(host->postponed);
    free(host->dialers);
    process_unreserve(&host->memory);
    free(host);
}

/* Messages a peer may have waiting for it before it counts as not reading. */
static int send_high_water(enum link link)
{
    return link == LINK_SITES ? 256 : 1000;
}

static enum codec_edge edge_of(enum link link)
{
    switch (link) {
    case LINK_ROUTERS:
        return EDGE_ROUTER_TO_BROKER;
    case LINK_SITES:
        return EDGE_SITE_TO_BROKER;
    case LINK_CLIENTS:
    case LINK_BROKERS:
    case LINK_DESK:
    case LINK_LOCAL:
    case LINK_COUNT:
        break;
    }
    return EDGE_CLIENT_TO_BROKER;
}

vt_err host_listen(
    struct host *host, enum link link, const char *endpoint, char *bound, uint32_t bound_size)
{
    if (host->listeners[link] == NULL) {
        struct link_listener_options options = {
            .loop = host->loop,
            .edge = edge_of(link),
            .send_high_water = send_high_water(link),
            .receive_high_water = 1000,
            .events = {.message = listener_message,
                       .down = listener_down,
                       .context = &host->contexts[link]},
        };
        vt_err err = link_listener_open(&options, &host->listeners[link]);
        if (err != VT_OK) {
            return err;
        }
    }
    return link_listener_bind(host->listeners[link], endpoint, bound, bound_size);
}

vt_err host_dial(struct host *host, const struct host_dial *dial)
{
    if (dial->peer >= host->dialers_max) {
        return VT_FULL;
    }
    CHECK(host->dialers[dial->peer] == NULL);
    struct link_dialer_options options = {
        .loop = host->loop,
        .edge = dial->edge,
        .peer = dial->peer,
        .endpoint = dial->endpoint,
        .high_water = 1000,
        .events = {.message = dialer_message, .down = dialer_down, .context = host},
    };
    return link_dialer_open(&options, &host->dialers[dial->peer]);
}

void host_attach(struct host *host, enum link link, const struct host_local *local)
{
    host->locals[link] = *local;
}

vt_err host_join(struct host *host, struct node *node)
{
    struct registry_listener listener = {.event = registry_event, .context = host};
    vt_err err = registry_add_node(host->registry, node, &listener);
    host->node = node->number;
    return err;
}

void host_post(struct host *host, struct event *event)
{
    step(host, event);
}

void host_post_message(struct host *host, struct address from, const struct message *message)
{
    message_came(host, from, message);
}

void host_stop(struct host *host, int64_t deadline_ms)
{
    struct event event = {.kind = EVENT_STOP, .stop = {.deadline_ms = deadline_ms}};
    step(host, &event);
}

bool host_is_stopped(const struct host *host)
{
    return host->is_stopped;
}

static void add_figures(struct link_figures *sum, const struct link_figures *figures)
{
    sum->received += figures->received;
    sum->sent += figures->sent;
    sum->dropped += figures->dropped;
    sum->malformed += figures->malformed;
}

struct link_figures host_link_figures(const struct host *host)
{
    struct link_figures sum = {0};
    for (uint32_t i = 0; i < LINK_COUNT; i++) {
        if (host->listeners[i] != NULL) {
            add_figures(&sum, link_listener_figures(host->listeners[i]));
        }
    }
    for (uint32_t i = 0; i < host->dialers_max; i++) {
        if (host->dialers[i] != NULL) {
            add_figures(&sum, link_dialer_figures(host->dialers[i]));
        }
    }
    return sum;
}
