#include "cli/bench_trial.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "io/process.h"
#include "lib/check.h"
#include "lib/histogram.h"

#define WAITING_MAX 20000u
#define STEP_MS 100
#define STALL_MS 20000
#define UP_MS 10000
#define US_PER_S 1e6
#define US_PER_MS 1000.0
#define PLAN_AGENTS_DEFAULT 500u

/* ---- opening ---- */

static int say_memory(void)
{
    cli_error("out of memory, sockets or descriptors");
    return EXIT_CODE_FAILED;
}

static int open_server(struct bench_trial *trial)
{
    const struct bench_options *options = trial->options;
    struct bench_server *server = &trial->server;
    if (options->broker != NULL) {
        *server = (struct bench_server){.out_fd = -1};
        strncpy(server->clients, options->broker, sizeof server->clients - 1);
        strncpy(server->sites, options->sites, sizeof server->sites - 1);
        strncpy(server->http, options->http, sizeof server->http - 1);
        return EXIT_CODE_OK;
    }
    bool is_up = bench_server_prepare(server) == VT_OK && bench_server_start(server) == VT_OK;
    return is_up ? EXIT_CODE_OK : EXIT_CODE_FAILED;
}

static vt_err open_sites(struct bench_trial *trial, uint32_t count, uint32_t capacity)
{
    struct bench_sites_options options = {
        .loop = trial->loop,
        .plan = trial->plan,
        .address = trial->server.sites,
        .site_count = count,
        .capacity = capacity,
        .times_max = trial->load.rate > 0 ? trial->load.tickets : 0,
        .target = trial->load.tickets,
    };
    return bench_sites_open(&options, &trial->sites);
}

static int wait_for_sites(struct bench_trial *trial)
{
    int64_t until_ms = process_now_ms() + UP_MS;
    while (bench_sites_figures(trial->sites)->up < trial->load.sites) {
        if (process_now_ms() >= until_ms) {
            cli_error("no welcome for agents' sites at %s", trial->server.sites);
            return EXIT_CODE_NOT_REACHABLE;
        }
        loop_run(trial->loop, process_now_ms() + STEP_MS);
    }
    loop_run(trial->loop, process_now_ms() + STEP_MS); /* the router hears of the last one */
    return EXIT_CODE_OK;
}

static vt_err open_submitter(struct bench_trial *trial)
{
    const uint64_t *completed =
        trial->sites != NULL ? &bench_sites_figures(trial->sites)->completed : NULL;
    struct bench_submitter_options options = {
        .loop = trial->loop,
        .plan = trial->plan,
        .address = trial->server.clients,
        .ticket_count = trial->load.tickets,
        .window = trial->load.window,
        .rate = trial->load.rate,
        .completed = completed,
        .waiting_max = WAITING_MAX,
        .keeps_times = trial->load.rate > 0,
    };
    return bench_submitter_open(&options, &trial->submitter);
}

int bench_trial_open(struct bench_trial *trial)
{
    int code = open_server(trial);
    if (code != EXIT_CODE_OK) {
        return code;
    }
    uint32_t agents = trial->load.agents > 0 ? trial->load.agents : PLAN_AGENTS_DEFAULT;
    trial->loop = loop_open();
    trial->plan = calloc(1, sizeof *trial->plan);
    if (trial->loop == NULL || trial->plan == NULL ||
        bench_plan_open(trial->plan, agents) != VT_OK) {
        return say_memory();
    }
    if (trial->load.agents > 0) {
        if (open_sites(trial, trial->load.sites, trial->load.capacity) != VT_OK) {
            return say_memory();
        }
        code = wait_for_sites(trial);
    }
    if (code == EXIT_CODE_OK && open_submitter(trial) != VT_OK) {
        code = say_memory();
    }
    return code;
}

/* ---- running ---- */

static uint64_t progress_of(const struct bench_trial *trial)
{
    uint64_t done = bench_submitter_figures(trial->submitter)->acknowledged;
    return trial->sites == NULL ? done : done + bench_sites_figures(trial->sites)->completed;
}

static bool is_done(const struct bench_trial *trial, uint64_t wanted)
{
    if (bench_submitter_figures(trial->submitter)->acknowledged < wanted) {
        return false;
    }
    return trial->sites == NULL ||
           bench_sites_figures(trial->sites)->completed >= trial->load.tickets;
}

static int judge(const struct bench_trial *trial, int64_t moved_ms)
{
    const struct bench_submitter_figures *client = bench_submitter_figures(trial->submitter);
    if (client->rejected > 0) {
        return EXIT_CODE_FAILED;
    }
    if (client->is_cut) {
        cli_error("the connection to %s broke", trial->server.clients);
        return EXIT_CODE_NOT_REACHABLE;
    }
    if (process_now_ms() - moved_ms < STALL_MS) {
        return EXIT_CODE_OK;
    }
    cli_error("nothing moves: %" PRIu64 " sent, %" PRIu64 " acknowledged, %" PRIu64 " completed",
              client->sent,
              client->acknowledged,
              trial->sites == NULL ? 0 : bench_sites_figures(trial->sites)->completed);
    return EXIT_CODE_TIMED_OUT;
}

int bench_trial_until_done(struct bench_trial *trial)
{
    const struct bench_submitter_figures *client = bench_submitter_figures(trial->submitter);
    uint64_t wanted = bench_submitter_wanted(trial->submitter);
    double cpu_s = bench_server_cpu_s(&trial->server);
    int64_t moved_ms = process_now_ms();
    uint64_t moved = progress_of(trial);
    int code = EXIT_CODE_OK;
    while (code == EXIT_CODE_OK && !is_done(trial, wanted)) {
        loop_run(trial->loop, process_now_ms() + STEP_MS);
        if (progress_of(trial) != moved) {
            moved = progress_of(trial);
            moved_ms = process_now_ms();
        }
        code = judge(trial, moved_ms);
    }
    int64_t last_us =
        trial->sites != NULL ? bench_sites_figures(trial->sites)->last_us : client->last_us;
    trial->seconds = (double) (last_us - client->first_us) / US_PER_S;
    trial->cpu_s = bench_server_cpu_s(&trial->server) - cpu_s;
    return code;
}

void bench_trial_idle(struct bench_trial *trial, int64_t ms)
{
    int64_t until_ms = process_now_ms() + ms;
    while (process_now_ms() < until_ms) {
        loop_run(trial->loop, until_ms);
    }
}

int bench_trial_until_serving(struct bench_trial *trial)
{
    struct bench_submitter *before = trial->submitter;
    struct loop *loop = trial->loop;
    struct bench_load load = trial->load;
    int64_t until_ms = process_now_ms() + 3 * (int64_t) STALL_MS;
    trial->load.tickets = 1;
    trial->loop = loop_open();
    int code = EXIT_CODE_OK;
    if (trial->loop == NULL || open_submitter(trial) != VT_OK || open_sites(trial, 1, 1) != VT_OK) {
        code = say_memory();
    }
    while (code == EXIT_CODE_OK && (bench_submitter_figures(trial->submitter)->acknowledged == 0 ||
                                    bench_sites_figures(trial->sites)->offered == 0)) {
        loop_run(trial->loop, process_now_ms() + 1);
        if (process_now_ms() >= until_ms) {
            cli_error("after its restart the server does not serve");
            code = EXIT_CODE_TIMED_OUT;
        }
    }
    if (trial->submitter != before) {
        trial->tickets_extra += bench_submitter_figures(trial->submitter)->sent;
        bench_submitter_close(trial->submitter);
    }
    bench_sites_close(trial->sites);
    loop_close(trial->loop);
    trial->sites = NULL;
    trial->submitter = before;
    trial->loop = loop;
    trial->load = load;
    return code;
}

/* ---- the end ---- */

void bench_trial_take_commits(const struct bench_trial *trial, struct bench_results *results)
{
    double commits = bench_server_metric(&trial->server, "ventanilla_db_commits_total");
    double syncs = bench_server_metric(&trial->server, "ventanilla_db_syncs_total");
    results->commits += commits > 0 ? (uint64_t) commits : 0;
    results->fsyncs += syncs > 0 ? (uint64_t) syncs : 0;
}

static int check_store(struct bench_trial *trial, struct bench_results *results)
{
    uint64_t completed = trial->sites == NULL ? 0 : bench_sites_figures(trial->sites)->completed;
    if (trial->server.pid == 0) { /* not ours: what we were told is all there is */
        results->check.acknowledged += bench_submitter_figures(trial->submitter)->acknowledged;
        results->check.completed += completed;
        return EXIT_CODE_OK;
    }
    bench_trial_take_commits(trial, results);
    bench_server_stop(&trial->server);
    struct bench_check_told told = {.submitter = trial->submitter,
                                    .completed = completed,
                                    .tickets_extra = trial->tickets_extra};
    vt_err err = bench_check_store(trial->server.folder, &told, &results->check);
    return err == VT_OK ? EXIT_CODE_OK : EXIT_CODE_FAILED;
}

int bench_trial_close(struct bench_trial *trial, struct bench_results *results, int code)
{
    if (trial->submitter != NULL) {
        int checked = check_store(trial, results);
        code = code == EXIT_CODE_OK ? checked : code;
    }
    bench_submitter_close(trial->submitter);
    bench_sites_close(trial->sites);
    if (trial->plan != NULL) {
        bench_plan_close(trial->plan);
        free(trial->plan);
    }
    loop_close(trial->loop);
    bench_server_close(&trial->server);
    return code;
}

/* ---- latency ---- */

struct intended {
    struct ticket_id ticket;
    int64_t at_us;
};

static int compare_intended(const void *a, const void *b)
{
    const struct intended *x = a;
    const struct intended *y = b;
    if (x->ticket.hi != y->ticket.hi) {
        return x->ticket.hi < y->ticket.hi ? -1 : 1;
    }
    return (x->ticket.lo > y->ticket.lo) - (x->ticket.lo < y->ticket.lo);
}

struct join {
    struct intended *list;
    uint64_t count;
    struct histogram *histogram;
};

static struct bench_quantiles
quantiles(const struct join *join, const struct bench_sites_time *times, uint64_t count)
{
    histogram_clear(join->histogram);
    for (uint64_t i = 0; i < count; i++) {
        struct intended key = {.ticket = times[i].ticket};
        const struct intended *found =
            bsearch(&key, join->list, join->count, sizeof key, compare_intended);
        if (found != NULL) {
            histogram_add(join->histogram, times[i].at_us - found->at_us);
        }
    }
    return (struct bench_quantiles){
        .p50 = (double) histogram_percentile(join->histogram, 5000) / US_PER_MS,
        .p99 = (double) histogram_percentile(join->histogram, 9900) / US_PER_MS,
        .p999 = (double) histogram_percentile(join->histogram, 9990) / US_PER_MS,
    };
}

vt_err bench_trial_latency(const struct bench_trial *trial, struct bench_latency *latency)
{
    const struct bench_sites_figures *sites = bench_sites_figures(trial->sites);
    struct join join = {.list = calloc(trial->load.tickets, sizeof *join.list),
                        .histogram = calloc(1, sizeof *join.histogram)};
    vt_err err = join.list == NULL || join.histogram == NULL ? VT_UNAVAILABLE : VT_OK;
    for (uint64_t i = 0; err == VT_OK && i < trial->load.tickets; i++) {
        struct intended *one = &join.list[join.count];
        if (bench_submitter_ticket(trial->submitter, i, &one->ticket)) {
            one->at_us = bench_submitter_intended_us(trial->submitter, i);
            join.count++;
        }
    }
    if (err == VT_OK) {
        qsort(join.list, join.count, sizeof *join.list, compare_intended);
        latency->offer_ms = quantiles(&join, sites->offers, sites->offer_count);
        latency->lifecycle_ms = quantiles(&join, sites->ends, sites->end_count);
    }
    free(join.list);
    free(join.histogram);
    return err;
}
