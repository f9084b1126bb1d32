/* ventanilla serve: broker, router and agents in one process. */
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/serve_agents.h"
#include "cli/serve_cluster.h"
#include "io/desk_program.h"
#include "io/endpoint.h"
#include "io/http.h"
#include "io/process.h"
#include "lib/check.h"

struct serve_arguments {
    const char *data;
    const char *plan;
    const char *agents;
    const char *site;
    const char *clients;
    const char *sites;
    const char *routers;
    const char *http;
    bool insecure;
    int64_t drain_ms;
    uint32_t log_level;
};

#define AT(member) .offset = offsetof(struct serve_arguments, member)

static const struct options_row rows[] = {
    {.name = "data",
     .letter = 'd',
     .value_name = "DIR",
     .kind = OPTIONS_TEXT,
     .is_required = true,
     .min = 1,
     .max = 2048,
     .help = "folder of the store, created if absent",
     AT(data)},
    {.name = "plan",
     .value_name = "FILE",
     .kind = OPTIONS_TEXT,
     .help = "pools, queues, skills (YAML); without: one queue `default`",
     AT(plan)},
    {.name = "agents",
     .value_name = "FILE",
     .kind = OPTIONS_TEXT,
     .help = "agents of this process (YAML); without: none",
     AT(agents)},
    {.name = "site",
     .value_name = "NAME",
     .kind = OPTIONS_TEXT,
     .min = 1,
     .max = NAME_BYTES_MAX,
     .fallback = "local",
     .help = "what the site of these agents is called",
     AT(site)},
    {.name = "clients",
     .value_name = "HOST:PORT",
     .kind = OPTIONS_ADDRESS,
     .fallback = "127.0.0.1:7441",
     .help = "where tickets come in; port 0: any free one",
     AT(clients)},
    {.name = "sites",
     .value_name = "HOST:PORT",
     .kind = OPTIONS_ADDRESS,
     .fallback = "127.0.0.1:7443",
     .help = "where ventanilla-agentd connects",
     AT(sites)},
    {.name = "routers",
     .value_name = "HOST:PORT",
     .kind = OPTIONS_ADDRESS,
     .help = "where further routers connect; without: none",
     AT(routers)},
    {.name = "http",
     .value_name = "HOST:PORT",
     .kind = OPTIONS_ADDRESS,
     .fallback = "127.0.0.1:8080",
     .help = "/livez, /readyz, /metrics",
     AT(http)},
    {.name = "insecure",
     .kind = OPTIONS_FLAG,
     .help = "allow addresses that other machines can reach",
     AT(insecure)},
    {.name = "drain",
     .value_name = "TIME",
     .kind = OPTIONS_DURATION,
     .fallback = "120s",
     .max = 86400000,
     .help = "on SIGTERM, how long work in hand may take",
     AT(drain_ms)},
    {.name = "log-level",
     .kind = OPTIONS_CHOICE,
     .choices = "error|warn|info|debug",
     .fallback = "info",
     .help = "what goes to standard error",
     AT(log_level)},
};

static const struct options_table table = {
    .command = "ventanilla serve",
    .about = "Runs a whole ventanilla in one process: it takes tickets in, keeps them in DIR and\n"
             "gives them to agents. SIGTERM or Ctrl-C ends the work in hand first, a second one\n"
             "ends at once; nothing acknowledged is lost either way.",
    .more = "Examples:\n"
            "  ventanilla serve --data /var/lib/ventanilla --plan plan.yaml --agents agents.yaml\n"
            "  ventanilla serve --data /tmp/try --clients 127.0.0.1:0 --http 127.0.0.1:0",
    .rows = rows,
    .row_count = ARRAY_LENGTH(rows),
};

struct server {
    struct serve_arguments arguments;
    struct plan_file plan;
    struct agents_file agents_file;
    struct agentd_agent *agents;
    struct serve_cluster *cluster;
    struct desk_program *desk;
    struct http *http;
    int signals_fd;
    int64_t started_ms;
};

/* ---- before anything runs ---- */

/* Until links are encrypted, nobody else's machine may reach them by mistake. */
static int check_exposure(const struct serve_arguments *arguments)
{
    const struct {
        const char *option;
        const char *address;
    } listeners[] = {{"clients", arguments->clients},
                     {"sites", arguments->sites},
                     {"routers", arguments->routers},
                     {"http", arguments->http}};
    for (uint32_t i = 0; i < ARRAY_LENGTH(listeners); i++) {
        const char *address = listeners[i].address;
        if (address != NULL && !arguments->insecure && !endpoint_is_loopback(address)) {
            cli_error("--%s %s can be reached from other machines, and links are not encrypted "
                      "yet; use 127.0.0.1, or --insecure if your network is closed",
                      listeners[i].option,
                      address);
            return EXIT_CODE_USAGE;
        }
    }
    return CLI_GO_ON;
}

static int read_plan(struct server *server)
{
    const char *path = server->arguments.plan;
    vt_err err =
        path == NULL ? plan_file_default(&server->plan) : plan_file_load(&server->plan, path);
    if (err != VT_OK) {
        cli_error("%s", server->plan.error);
        return err == VT_NOT_FOUND ? EXIT_CODE_NOT_FOUND : EXIT_CODE_USAGE;
    }
    return CLI_GO_ON;
}

static int read_agents(struct server *server)
{
    if (server->arguments.agents == NULL) {
        return CLI_GO_ON;
    }
    struct agents_file *file = &server->agents_file;
    vt_err err = agents_file_load(file, server->arguments.agents);
    if (err != VT_OK) {
        cli_error("%s", file->error);
        return err == VT_NOT_FOUND ? EXIT_CODE_NOT_FOUND : EXIT_CODE_USAGE;
    }
    server->agents = calloc(file->agent_count, sizeof *server->agents);
    if (server->agents == NULL) {
        return EXIT_CODE_FAILED;
    }
    for (uint32_t i = 0; i < file->agent_count; i++) {
        server->agents[i] = (struct agentd_agent){.name = file->agents[i].name,
                                                  .profile = file->agents[i].profile,
                                                  .capacity = file->agents[i].capacity,
                                                  .answers = ANSWERS_AUTO};
    }
    (void) serve_agents_warn(file, &server->plan.plan);
    return CLI_GO_ON;
}

/* ---- opening ---- */

static int exit_of(vt_err err)
{
    if (err == VT_INVALID) {
        return EXIT_CODE_USAGE;
    }
    return err == VT_CONFLICT ? EXIT_CODE_CONFLICT : EXIT_CODE_FAILED;
}

static int open_cluster(struct server *server)
{
    const struct serve_arguments *arguments = &server->arguments;
    char clients[ENDPOINT_BYTES_MAX];
    char sites[ENDPOINT_BYTES_MAX];
    char routers[ENDPOINT_BYTES_MAX];
    char message[SERVE_MESSAGE_BYTES] = "";
    endpoint_listen(arguments->clients, clients);
    endpoint_listen(arguments->sites, sites);
    struct serve_options options = {
        .data = arguments->data,
        .plan = &server->plan,
        .agents = server->agents,
        .agent_count = server->agents_file.agent_count,
        .site = arguments->site,
        .clients = clients,
        .sites = sites,
        .log_level = (enum trace_level) arguments->log_level,
    };
    if (arguments->routers != NULL) {
        endpoint_listen(arguments->routers, routers);
        options.routers = routers;
    }
    vt_err err = serve_cluster_open(&options, &server->cluster, message);
    if (err != VT_OK) {
        cli_error("%s", message[0] != '\0' ? message : err_text(err));
        return exit_of(err);
    }
    return CLI_GO_ON;
}

static int open_desk(struct server *server)
{
    struct host *agentd = serve_cluster_agentd(server->cluster);
    if (agentd == NULL) {
        return CLI_GO_ON;
    }
    struct desk_program_options options = {
        .loop = serve_cluster_loop(server->cluster),
        .host = agentd,
        .agents = &server->agents_file,
        .trace = serve_cluster_trace(server->cluster),
    };
    vt_err err = desk_program_open(&options, &server->desk);
    if (err != VT_OK) {
        cli_error("agents cannot be run: %s", err_text(err));
        return EXIT_CODE_FAILED;
    }
    return CLI_GO_ON;
}

static bool is_draining(void *context)
{
    return serve_cluster_is_stopping(context);
}

static int open_http(struct server *server)
{
    static const char *const names[SERVE_PART_COUNT] = {"broker", "router", "agentd"};
    char message[HTTP_MESSAGE_BYTES];
    struct http_options options = {
        .loop = serve_cluster_loop(server->cluster),
        .address = server->arguments.http,
        .store = serve_cluster_store(server->cluster),
        .is_draining = is_draining,
        .context = server->cluster,
    };
    for (uint32_t i = 0; i < SERVE_PART_COUNT; i++) {
        struct host *host = serve_cluster_host(server->cluster, (enum serve_part) i);
        if (host != NULL) {
            options.sources[options.source_count++] =
                (struct http_source){.name = names[i], .host = host};
        }
    }
    vt_err err = http_open(&options, &server->http, message);
    if (err != VT_OK) {
        cli_error("%s", message);
        return exit_of(err);
    }
    return CLI_GO_ON;
}

/* ---- running ---- */

static void signal_ready(void *context)
{
    struct server *server = context;
    while (process_signals_next(server->signals_fd) != 0) {
        if (serve_cluster_is_stopping(server->cluster)) {
            fprintf(stderr, "ventanilla: stopping at once\n");
        } else {
            fprintf(stderr,
                    "ventanilla: stopping; work in hand may take %lld s more (again: at once)\n",
                    (long long) (server->arguments.drain_ms / 1000));
        }
        serve_cluster_stop(server->cluster, server->arguments.drain_ms);
    }
}

static void print_address(const struct server *server, const char *name, enum link link)
{
    const char *endpoint = serve_cluster_endpoint(server->cluster, link);
    if (endpoint[0] != '\0') {
        printf("%-8s %s\n", name, endpoint_address(endpoint));
    }
}

static void print_ready(const struct server *server)
{
    printf("data     %s\n", server->arguments.data);
    print_address(server, "clients", LINK_CLIENTS);
    print_address(server, "sites", LINK_SITES);
    print_address(server, "routers", LINK_ROUTERS);
    printf("http     http://%s\n", http_address(server->http));
    printf("ready in %lld ms\n", (long long) (process_now_ms() - server->started_ms));
    fflush(stdout);
}

static int open_all(struct server *server)
{
    int code = check_exposure(&server->arguments);
    if (code == CLI_GO_ON) {
        code = read_plan(server);
    }
    if (code == CLI_GO_ON) {
        code = read_agents(server);
    }
    if (code == CLI_GO_ON) {
        code = open_cluster(server);
    }
    if (code == CLI_GO_ON) {
        code = open_desk(server);
    }
    return code == CLI_GO_ON ? open_http(server) : code;
}

static int run(struct server *server)
{
    struct loop_source source = {
        .fd = server->signals_fd, .ready = signal_ready, .context = server};
    if (loop_add(serve_cluster_loop(server->cluster), &source) != VT_OK) {
        return EXIT_CODE_FAILED;
    }
    print_ready(server);
    loop_run(serve_cluster_loop(server->cluster), INT64_MAX);
    loop_remove(serve_cluster_loop(server->cluster), NULL, server->signals_fd);
    return EXIT_CODE_OK;
}

static void close_all(struct server *server)
{
    http_close(server->http);
    desk_program_close(server->desk);
    serve_cluster_close(server->cluster);
    agents_file_close(&server->agents_file);
    plan_file_close(&server->plan);
    free(server->agents);
    close(server->signals_fd);
}

int serve_command(struct cli_arguments arguments)
{
    struct server server = {.started_ms = process_now_ms()};
    struct options_result result;
    int code = cli_parse(&table, arguments, &server.arguments, &result);
    if (code != CLI_GO_ON) {
        return code;
    }
    process_raise_descriptors();
    server.signals_fd = process_signals_open();
    if (server.signals_fd < 0) {
        cli_error("signals cannot be received");
        return EXIT_CODE_FAILED;
    }
    code = open_all(&server);
    if (code == CLI_GO_ON) {
        code = run(&server);
    }
    close_all(&server);
    return code;
}
