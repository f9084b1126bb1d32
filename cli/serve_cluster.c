#include "cli/serve_cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "broker/broker.h"
#include "io/process.h"
#include "io/registry.h"
#include "lib/check.h"
#include "router/router.h"

#define EPOCH_GEN_SHIFT 48
#define PATH_BYTES 1024

/* The parts in the order of draining is the reverse of this one. */
static const char *const part_names[SERVE_PART_COUNT] = {"broker", "router", "agentd"};

struct part {
    struct arena arena;
    struct trace trace;
    struct core core;
    uint64_t incarnation; /* the same in the core and in the registry */
    struct host *host;    /* NULL: this process has no such part */
};

struct serve_cluster {
    struct loop *loop;
    struct store *store;
    struct store *journal;
    struct registry *registry;
    struct part parts[SERVE_PART_COUNT];
    struct trace trace;
    char endpoints[LINK_COUNT][SERVE_ENDPOINT_BYTES];
    int64_t stop_deadline_ms;
    uint32_t stop_count;
    uint32_t draining; /* parts from here on have been asked to stop */
};

/* ---- cores ---- */

static vt_err open_broker(struct serve_cluster *cluster)
{
    struct part *part = &cluster->parts[SERVE_BROKER];
    struct broker_options options;
    broker_options_default(&options);
    options.seed = process_random_u64();
    part->incarnation = process_random_u64();
    options.incarnation = part->incarnation;
    options.name = bytes_of_text("broker");
    options.trace = &part->trace;

    struct arena measure = {0};
    (void) broker_open(&measure, &options);
    vt_err err = process_reserve(measure.used, &part->arena);
    if (err == VT_OK) {
        part->core = broker_core(broker_open(&part->arena, &options));
    }
    return err;
}

static vt_err open_router(struct serve_cluster *cluster, const struct serve_options *wanted)
{
    struct part *part = &cluster->parts[SERVE_ROUTER];
    struct router_options options = router_options_default();
    options.seed = process_random_u64();
    part->incarnation = process_random_u64();
    options.incarnation = part->incarnation;
    options.name = bytes_of_text("router");
    options.trace = &part->trace;
    if (wanted->waiting_max > 0) {
        options.tickets_max = wanted->waiting_max;
    }

    struct arena measure = {0};
    (void) router_open(&measure, &options);
    vt_err err = process_reserve(measure.used, &part->arena);
    if (err == VT_OK) {
        part->core = router_core(router_open(&part->arena, &options));
    }
    return err;
}

static vt_err open_agentd(struct serve_cluster *cluster, const struct serve_options *wanted)
{
    struct part *part = &cluster->parts[SERVE_AGENTD];
    struct agentd_options options;
    agentd_options_default(&options);
    options.seed = process_random_u64();
    options.site = bytes_of_text(wanted->site);
    options.agents = wanted->agents;
    options.agent_count = wanted->agent_count;
    options.broker_count = 1;
    options.trace = &part->trace;

    struct arena measure = {0};
    (void) agentd_open(&measure, &options);
    vt_err err = process_reserve(measure.used, &part->arena);
    if (err == VT_OK) {
        part->core = agentd_core(agentd_open(&part->arena, &options));
    }
    return err;
}

static vt_err open_host(struct serve_cluster *cluster, enum serve_part which, struct store *store)
{
    struct part *part = &cluster->parts[which];
    struct host_options options = {
        .loop = cluster->loop,
        .core = part->core,
        .name = part_names[which],
        .store = store,
        .registry = cluster->registry,
        .dialers_max = which == SERVE_BROKER ? 0 : 4,
    };
    return host_open(&options, &part->host);
}

/* ---- store and plan ---- */

/* Comes from the store's thread, so each record has a trace of its own. */
static void log_store(void *context, enum trace_level level, const char *event, const char *detail)
{
    const struct serve_cluster *cluster = context;
    struct trace trace;
    process_log_open(&trace, cluster->trace.level, "store");
    trace_event(&trace, level, event);
    trace_text(&trace, "detail", detail);
    trace_end(&trace);
}

static vt_err open_stores(struct serve_cluster *cluster,
                          const struct serve_options *options,
                          char message[SERVE_MESSAGE_BYTES])
{
    struct store_options main_options = {
        .folder = options->data, .log = log_store, .context = cluster};
    vt_err err = store_open_sqlite(&main_options, &cluster->store, message, SERVE_MESSAGE_BYTES);
    if (err != VT_OK || options->agents == NULL) {
        return err;
    }

    char folder[PATH_BYTES];
    snprintf(folder, sizeof folder, "%s/agentd", options->data);
    struct store_options journal_options = {.folder = folder, .log = log_store, .context = cluster};
    return store_open_journal(&journal_options, &cluster->journal, message, SERVE_MESSAGE_BYTES);
}

static vt_err number_pools(struct serve_cluster *cluster, struct plan_file *plan)
{
    uint32_t count = plan->plan.pool_count;
    struct store_name *names = calloc(count, sizeof *names);
    if (names == NULL) {
        return VT_UNAVAILABLE;
    }
    for (uint32_t i = 0; i < count; i++) {
        names[i].name = plan->pools[i].name;
    }
    vt_err err = store_intern_pools(cluster->store, names, count);
    for (uint32_t i = 0; err == VT_OK && i < count; i++) {
        plan->pools[i].part = names[i].number;
    }
    for (uint32_t i = 0; err == VT_OK && i < plan->plan.queue_count; i++) {
        plan->queues[i].part = plan->pools[plan->queues[i].part].part;
    }
    free(names);
    return err;
}

static vt_err number_queues(struct serve_cluster *cluster, struct plan_file *plan)
{
    uint32_t count = plan->plan.queue_count;
    struct store_name *names = calloc(count, sizeof *names);
    if (names == NULL) {
        return VT_UNAVAILABLE;
    }
    for (uint32_t i = 0; i < count; i++) {
        names[i].name = plan->queues[i].name;
    }
    vt_err err = store_intern_queues(cluster->store, names, count);
    for (uint32_t i = 0; err == VT_OK && i < count; i++) {
        plan->queues[i].id = names[i].number;
    }
    plan_file_numbered(plan);
    free(names);
    return err;
}

/* ---- links ---- */

static const char *listen_failure(vt_err err)
{
    if (err == VT_CONFLICT) {
        return "the port is in use by another program; stop it or choose another port (0 takes a "
               "free one)";
    }
    if (err == VT_DENIED) {
        return "not allowed; ports below 1024 need special rights, choose a higher one";
    }
    return err == VT_INVALID ? "not an address of this machine" : err_text(err);
}

static vt_err listen_on(struct serve_cluster *cluster,
                        enum link link,
                        const char *endpoint,
                        char message[SERVE_MESSAGE_BYTES])
{
    if (endpoint == NULL) {
        return VT_OK;
    }
    vt_err err = host_listen(cluster->parts[SERVE_BROKER].host,
                             link,
                             endpoint,
                             cluster->endpoints[link],
                             SERVE_ENDPOINT_BYTES);
    if (err != VT_OK) {
        snprintf(
            message, SERVE_MESSAGE_BYTES, "cannot listen on %s: %s", endpoint, listen_failure(err));
    }
    return err;
}

/* Links inside the process, named so that several clusters may live in one process (tests). */
static void inproc_name(const struct serve_cluster *cluster, const char *edge, char name[64])
{
    snprintf(name, 64, "inproc://ventanilla-%s-%p", edge, (const void *) cluster);
}

static vt_err connect_parts(struct serve_cluster *cluster)
{
    char routers[64];
    char sites[64];
    inproc_name(cluster, "routers", routers);
    inproc_name(cluster, "sites", sites);
    struct host *broker = cluster->parts[SERVE_BROKER].host;
    struct node broker_node = {.kind = NODE_BROKER,
                               .state = NODE_ACTIVE,
                               .incarnation = cluster->parts[SERVE_BROKER].incarnation,
                               .name = bytes_of_text("broker")};
    struct node router_node = {.kind = NODE_ROUTER,
                               .state = NODE_ACTIVE,
                               .weight = 1,
                               .incarnation = cluster->parts[SERVE_ROUTER].incarnation,
                               .name = bytes_of_text("router")};

    vt_err err = host_listen(broker, LINK_ROUTERS, routers, NULL, 0);
    if (err == VT_OK) {
        err = host_listen(broker, LINK_SITES, sites, NULL, 0);
    }
    if (err == VT_OK) {
        err = host_join(broker, &broker_node);
    }
    if (err == VT_OK) {
        err = host_join(cluster->parts[SERVE_ROUTER].host, &router_node);
    }
    if (err == VT_OK) {
        struct host_dial dial = {
            .peer = broker_node.number, .endpoint = routers, .edge = EDGE_BROKER_TO_ROUTER};
        err = host_dial(cluster->parts[SERVE_ROUTER].host, &dial);
    }
    if (err == VT_OK && cluster->parts[SERVE_AGENTD].host != NULL) {
        struct host_dial dial = {.peer = 0, .endpoint = sites, .edge = EDGE_BROKER_TO_SITE};
        err = host_dial(cluster->parts[SERVE_AGENTD].host, &dial);
    }
    return err;
}

/* ---- draining ---- */

static bool part_is_stopped(const struct serve_cluster *cluster, uint32_t which)
{
    const struct host *host = cluster->parts[which].host;
    return host == NULL || host_is_stopped(host);
}

/* Agents end their work while router and broker still carry it; then the router lets go of its
 * partitions; then the broker has nobody left to serve. True: one of them was asked to stop now. */
static bool drain_next(struct serve_cluster *cluster)
{
    uint32_t before = cluster->draining;
    while (cluster->draining > 0 &&
           (cluster->draining == SERVE_PART_COUNT || part_is_stopped(cluster, cluster->draining))) {
        cluster->draining--;
        struct host *host = cluster->parts[cluster->draining].host;
        if (host != NULL) {
            host_stop(host, cluster->stop_deadline_ms);
        }
    }
    return cluster->draining != before;
}

static int64_t cluster_turn(void *context, int64_t now_ms)
{
    struct serve_cluster *cluster = context;
    int64_t wanted_ms = registry_turn(cluster->registry, now_ms);
    if (cluster->stop_count == 0) {
        return wanted_ms;
    }
    /* The hosts have had their turn: what a stop made due is not in the loop's deadline yet. */
    if (drain_next(cluster)) {
        wanted_ms = now_ms;
    }
    if (serve_cluster_is_stopped(cluster)) {
        loop_stop(cluster->loop);
    }
    return wanted_ms;
}

void serve_cluster_stop(struct serve_cluster *cluster, int64_t drain_ms)
{
    cluster->stop_count++;
    if (cluster->stop_count == 1) {
        cluster->stop_deadline_ms = process_now_ms() + drain_ms;
        return; /* the next turn begins */
    }
    for (uint32_t i = 0; i < SERVE_PART_COUNT; i++) {
        if (!part_is_stopped(cluster, i)) {
            host_stop(cluster->parts[i].host, process_now_ms());
            host_stop(cluster->parts[i].host, process_now_ms());
        }
    }
    cluster->draining = 0;
}

bool serve_cluster_is_stopping(const struct serve_cluster *cluster)
{
    return cluster->stop_count > 0;
}

bool serve_cluster_is_stopped(const struct serve_cluster *cluster)
{
    for (uint32_t i = 0; i < SERVE_PART_COUNT; i++) {
        if (!part_is_stopped(cluster, i)) {
            return false;
        }
    }
    return cluster->stop_count > 0;
}

/* ---- opening ---- */

static vt_err open_parts(struct serve_cluster *cluster, const struct serve_options *options)
{
    vt_err err = open_broker(cluster);
    if (err == VT_OK) {
        err = open_router(cluster, options);
    }
    if (err == VT_OK) {
        err = open_host(cluster, SERVE_BROKER, cluster->store);
    }
    if (err == VT_OK) {
        err = open_host(cluster, SERVE_ROUTER, cluster->store);
    }
    if (err == VT_OK && options->agents != NULL) {
        err = open_agentd(cluster, options);
        if (err == VT_OK) {
            err = open_host(cluster, SERVE_AGENTD, cluster->journal);
        }
    }
    if (err == VT_OK) {
        err = connect_parts(cluster);
    }
    return err;
}

static vt_err listen_outside(struct serve_cluster *cluster,
                             const struct serve_options *options,
                             char message[SERVE_MESSAGE_BYTES])
{
    vt_err err = listen_on(cluster, LINK_CLIENTS, options->clients, message);
    if (err == VT_OK) {
        err = listen_on(cluster, LINK_SITES, options->sites, message);
    }
    if (err == VT_OK) {
        err = listen_on(cluster, LINK_ROUTERS, options->routers, message);
    }
    return err;
}

static void post_plan(struct serve_cluster *cluster, const struct plan_file *plan)
{
    for (uint32_t i = SERVE_BROKER; i <= SERVE_ROUTER; i++) {
        struct event event = {.kind = EVENT_PLAN, .plan = &plan->plan};
        host_post(cluster->parts[i].host, &event);
    }
}

static vt_err start(struct serve_cluster *cluster,
                    const struct serve_options *options,
                    char message[SERVE_MESSAGE_BYTES])
{
    vt_err err = open_stores(cluster, options, message);
    if (err != VT_OK) {
        return err;
    }
    snprintf(message, SERVE_MESSAGE_BYTES, "out of memory or sockets");
    uint64_t floor = store_generation(cluster->store) << EPOCH_GEN_SHIFT;
    uint64_t epoch_max = store_epoch_max(cluster->store);
    err = registry_open_local(epoch_max > floor ? epoch_max : floor, &cluster->registry);
    if (err == VT_OK) {
        err = number_pools(cluster, options->plan);
    }
    if (err == VT_OK) {
        err = number_queues(cluster, options->plan);
    }
    if (err == VT_OK) {
        err = open_parts(cluster, options);
    }
    if (err == VT_OK) {
        err = listen_outside(cluster, options, message);
    }
    if (err == VT_OK) {
        struct loop_turner turner = {.turn = cluster_turn, .context = cluster};
        err = loop_add_turner(cluster->loop, &turner);
    }
    if (err == VT_OK) {
        post_plan(cluster, options->plan);
    }
    return err;
}

vt_err serve_cluster_open(const struct serve_options *options,
                          struct serve_cluster **out,
                          char message[SERVE_MESSAGE_BYTES])
{
    struct serve_cluster *cluster = calloc(1, sizeof *cluster);
    if (cluster == NULL) {
        return VT_UNAVAILABLE;
    }
    cluster->draining = SERVE_PART_COUNT;
    cluster->loop = loop_open();
    process_log_open(&cluster->trace, options->log_level, "serve");
    for (uint32_t i = 0; i < SERVE_PART_COUNT; i++) {
        process_log_open(&cluster->parts[i].trace, options->log_level, part_names[i]);
    }
    vt_err err = cluster->loop == NULL ? VT_UNAVAILABLE : start(cluster, options, message);
    if (err != VT_OK) {
        serve_cluster_close(cluster);
        return err;
    }
    *out = cluster;
    return VT_OK;
}

struct loop *serve_cluster_loop(struct serve_cluster *cluster)
{
    return cluster->loop;
}

struct store *serve_cluster_store(struct serve_cluster *cluster)
{
    return cluster->store;
}

struct trace *serve_cluster_trace(struct serve_cluster *cluster)
{
    return &cluster->trace;
}

struct host *serve_cluster_agentd(struct serve_cluster *cluster)
{
    return cluster->parts[SERVE_AGENTD].host;
}

struct host *serve_cluster_host(struct serve_cluster *cluster, enum serve_part part)
{
    return cluster->parts[part].host;
}

const char *serve_cluster_endpoint(const struct serve_cluster *cluster, enum link link)
{
    return cluster->endpoints[link];
}

/* The stores' threads read requests where the cores keep them, so they end before the cores do. */
void serve_cluster_close(struct serve_cluster *cluster)
{
    if (cluster == NULL) {
        return;
    }
    for (uint32_t i = 0; i < SERVE_PART_COUNT; i++) {
        host_close(cluster->parts[i].host);
    }
    store_close(cluster->journal);
    store_close(cluster->store);
    for (uint32_t i = 0; i < SERVE_PART_COUNT; i++) {
        process_unreserve(&cluster->parts[i].arena);
    }
    registry_close(cluster->registry);
    loop_close(cluster->loop);
    free(cluster);
}
