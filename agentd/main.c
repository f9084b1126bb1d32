/* ventanilla-agentd: an agent site as a process of its own. It dials out to brokers and runs a
 * program for each ticket its agents take (io/desk_program.h).
 */
/* NOLINTBEGIN(portability-restrict-system-includes): here the core meets the outside */
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <czmq.h>
/* NOLINTEND(portability-restrict-system-includes) */

#include "agentd/agentd.h"
#include "io/agents_file.h"
#include "io/desk_program.h"
#include "io/endpoint.h"
#include "io/host.h"
#include "io/http.h"
#include "io/loop.h"
#include "io/process.h"
#include "io/store.h"
#include "lib/check.h"
#include "lib/options.h"
#include "proto/message.h"
#include "version.h"

#define HELP_BYTES 8192u
#define MESSAGE_BYTES 512u
#define GO_ON (-1)

/* As in every program of ventanilla. */
enum exit_code {
    EXIT_CODE_OK = 0,
    EXIT_CODE_FAILED = 1,
    EXIT_CODE_USAGE = 2,
    EXIT_CODE_NOT_FOUND = 3,
    EXIT_CODE_CONFLICT = 4
};

struct arguments {
    struct options_list brokers;
    const char *site;
    const char *agents;
    const char *data;
    const char *contractor;
    const char *http;
    bool insecure;
    int64_t drain_ms;
    uint32_t log_level;
};

#define AT(member) .offset = offsetof(struct arguments, member)

static const struct options_row rows[] = {
    {.name = "broker",
     .letter = 'b',
     .kind = OPTIONS_ADDRESSES,
     .value_name = "HOST:PORT,..",
     .fallback = "127.0.0.1:7443",
     .help = "brokers' ports for sites, tried in this order",
     AT(brokers)},
    {.name = "site",
     .letter = 's',
     .kind = OPTIONS_TEXT,
     .value_name = "NAME",
     .is_required = true,
     .min = 1,
     .max = NAME_BYTES_MAX,
     .help = "this site's name, no other may have it",
     AT(site)},
    {.name = "agents",
     .letter = 'a',
     .kind = OPTIONS_TEXT,
     .value_name = "FILE",
     .is_required = true,
     .help = "its agents and their programs (YAML)",
     AT(agents)},
    {.name = "data",
     .letter = 'd',
     .kind = OPTIONS_TEXT,
     .value_name = "DIR",
     .is_required = true,
     .min = 1,
     .max = 2048,
     .help = "folder of its journal, created if absent",
     AT(data)},
    {.name = "contractor",
     .kind = OPTIONS_TEXT,
     .value_name = "NAME",
     .max = NAME_BYTES_MAX,
     .help = "who runs this site",
     AT(contractor)},
    {.name = "http",
     .kind = OPTIONS_ADDRESS,
     .value_name = "HOST:PORT",
     .help = "/livez, /readyz, /metrics; without: none",
     AT(http)},
    {.name = "insecure",
     .kind = OPTIONS_FLAG,
     .help = "allow --http that other machines can reach",
     AT(insecure)},
    {.name = "drain",
     .kind = OPTIONS_DURATION,
     .value_name = "TIME",
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
    .command = "ventanilla-agentd",
    .about =
        "Runs an agent site: takes tickets its agents have the skills for and gives each to the\n"
        "agent's program, as one JSON line on standard input. The program answers with one line,\n"
        "{\"result\": \"...\", \"note\": \"...\"}, {\"handoff\": \"reason\"} or {\"park\": "
        "\"reason\"}, and\n"
        "exit code 0. SIGTERM or Ctrl-C ends the work in hand first, a second one ends at once.",
    .more = "Example:\n"
            "  ventanilla-agentd --broker 10.0.0.5:7443 --site acme-vigo --agents agents.yaml \\\n"
            "                    --data /var/lib/ventanilla-agentd\n"
            "\n"
            "Exit codes: 0 ok, 1 failed, 2 usage, 3 not found, 4 conflict.",
    .rows = rows,
    .row_count = ARRAY_LENGTH(rows),
};

struct site {
    struct arguments arguments;
    struct agents_file file;
    struct agentd_agent *agents;
    struct trace trace;
    struct loop *loop;
    struct store *journal;
    struct arena arena; /* of the core */
    struct host *host;
    struct desk_program *desk;
    struct http *http;
    int signals_fd;
    bool is_stopping;
};

__attribute__((format(printf, 1, 2))) static void complain(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("ventanilla-agentd: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

/* ---- arguments ---- */

static const char *environment(void *context, const char *name)
{
    (void) context;
    return getenv(name); /* NOLINT(concurrency-mt-unsafe): before any thread is there */
}

static int print_help(void)
{
    static char buffer[HELP_BYTES];
    struct text text;
    text_init(&text, buffer, sizeof buffer);
    options_help(&table, &text);
    CHECK(!text.truncated);
    fputs(buffer, stdout);
    return EXIT_CODE_OK;
}

static int read_arguments(struct site *site, int argc, char **argv)
{
    struct options_result *result = calloc(1, sizeof *result);
    struct options_input input = {
        .arguments = (const char *const *) (argv + 1),
        .argument_count = argc > 0 ? (uint32_t) argc - 1 : 0,
        .environment = environment,
    };
    int code = GO_ON;
    if (result == NULL) {
        return EXIT_CODE_FAILED;
    }
    if (options_parse(&table, &input, &site->arguments, result) != VT_OK) {
        complain("%s", result->error);
        fputs("Try `ventanilla-agentd --help`.\n", stderr);
        code = EXIT_CODE_USAGE;
    } else if (result->wants_help) {
        code = print_help();
    } else if (site->arguments.http != NULL && !site->arguments.insecure &&
               !endpoint_is_loopback(site->arguments.http)) {
        complain("--http %s can be reached from other machines; use 127.0.0.1, or --insecure if "
                 "your network is closed",
                 site->arguments.http);
        code = EXIT_CODE_USAGE;
    }
    free(result);
    return code;
}

static int read_agents(struct site *site)
{
    vt_err err = agents_file_load(&site->file, site->arguments.agents);
    if (err != VT_OK) {
        complain("%s", site->file.error);
        return err == VT_NOT_FOUND ? EXIT_CODE_NOT_FOUND : EXIT_CODE_USAGE;
    }
    site->agents = calloc(site->file.agent_count, sizeof *site->agents);
    if (site->agents == NULL) {
        return EXIT_CODE_FAILED;
    }
    for (uint32_t i = 0; i < site->file.agent_count; i++) {
        site->agents[i] = (struct agentd_agent){.name = site->file.agents[i].name,
                                                .profile = site->file.agents[i].profile,
                                                .capacity = site->file.agents[i].capacity,
                                                .answers = ANSWERS_AUTO};
    }
    return GO_ON;
}

/* ---- opening ---- */

static int open_journal(struct site *site)
{
    char message[MESSAGE_BYTES] = "";
    struct store_options options = {.folder = site->arguments.data};
    vt_err err = store_open_journal(&options, &site->journal, message, sizeof message);
    if (err != VT_OK) {
        complain("%s", message[0] != '\0' ? message : err_text(err));
        return err == VT_CONFLICT ? EXIT_CODE_CONFLICT : EXIT_CODE_FAILED;
    }
    return GO_ON;
}

static vt_err open_core(struct site *site, struct core *core)
{
    struct agentd_options options;
    agentd_options_default(&options);
    options.seed = process_random_u64();
    options.site = bytes_of_text(site->arguments.site);
    options.contractor = bytes_of_text(site->arguments.contractor);
    options.agents = site->agents;
    options.agent_count = site->file.agent_count;
    options.broker_count = site->arguments.brokers.count;
    options.trace = &site->trace;

    struct arena measure = {0};
    (void) agentd_open(&measure, &options);
    vt_err err = process_reserve(measure.used, &site->arena);
    if (err == VT_OK) {
        *core = agentd_core(agentd_open(&site->arena, &options));
    }
    return err;
}

static vt_err dial_brokers(struct site *site)
{
    vt_err err = VT_OK;
    for (uint32_t i = 0; err == VT_OK && i < site->arguments.brokers.count; i++) {
        struct bytes typed = site->arguments.brokers.items[i];
        char address[ENDPOINT_BYTES_MAX];
        char endpoint[ENDPOINT_BYTES_MAX + 16];
        snprintf(address, sizeof address, "%.*s", (int) typed.size, (const char *) typed.data);
        endpoint_dial(address, endpoint);
        struct host_dial dial = {.peer = i, .endpoint = endpoint, .edge = EDGE_BROKER_TO_SITE};
        err = host_dial(site->host, &dial);
    }
    return err;
}

static vt_err open_host(struct site *site)
{
    struct core core = {0};
    vt_err err = open_core(site, &core);
    if (err != VT_OK) {
        return err;
    }
    struct host_options options = {
        .loop = site->loop,
        .core = core,
        .name = "agentd",
        .store = site->journal,
        .dialers_max = site->arguments.brokers.count,
    };
    err = host_open(&options, &site->host);
    return err == VT_OK ? dial_brokers(site) : err;
}

static vt_err open_desk(struct site *site)
{
    struct desk_program_options options = {
        .loop = site->loop, .host = site->host, .agents = &site->file, .trace = &site->trace};
    return desk_program_open(&options, &site->desk);
}

static bool is_draining(void *context)
{
    const struct site *site = context;
    return site->is_stopping;
}

static int open_http(struct site *site)
{
    char message[HTTP_MESSAGE_BYTES];
    struct http_options options = {
        .loop = site->loop,
        .address = site->arguments.http,
        .sources = {{.name = "agentd", .host = site->host}},
        .source_count = 1,
        .store = site->journal,
        .is_draining = is_draining,
        .context = site,
    };
    if (options.address == NULL) {
        return GO_ON;
    }
    vt_err err = http_open(&options, &site->http, message);
    if (err != VT_OK) {
        complain("%s", message);
        return err == VT_CONFLICT ? EXIT_CODE_CONFLICT : EXIT_CODE_FAILED;
    }
    return GO_ON;
}

static int open_all(struct site *site)
{
    int code = read_agents(site);
    if (code == GO_ON) {
        code = open_journal(site);
    }
    if (code != GO_ON) {
        return code;
    }
    site->loop = loop_open();
    vt_err err = site->loop == NULL ? VT_UNAVAILABLE : open_host(site);
    if (err == VT_OK) {
        err = open_desk(site);
    }
    if (err != VT_OK) {
        complain("out of memory or sockets");
        return EXIT_CODE_FAILED;
    }
    return open_http(site);
}

/* ---- running ---- */

static void signal_ready(void *context)
{
    struct site *site = context;
    while (process_signals_next(site->signals_fd) != 0) {
        complain(site->is_stopping ? "stopping at once"
                                   : "stopping when the work in hand is done (again: at once)");
        site->is_stopping = true;
        host_stop(site->host, process_now_ms() + site->arguments.drain_ms);
    }
}

static int64_t site_turn(void *context, int64_t now_ms)
{
    struct site *site = context;
    (void) now_ms;
    if (host_is_stopped(site->host)) {
        loop_stop(site->loop);
    }
    return NO_DEADLINE;
}

static int run(struct site *site)
{
    struct loop_source source = {.fd = site->signals_fd, .ready = signal_ready, .context = site};
    struct loop_turner turner = {.turn = site_turn, .context = site};
    if (loop_add(site->loop, &source) != VT_OK || loop_add_turner(site->loop, &turner) != VT_OK) {
        return EXIT_CODE_FAILED;
    }
    printf("site     %s\nagents   %u\n", site->arguments.site, site->file.agent_count);
    for (uint32_t i = 0; i < site->arguments.brokers.count; i++) {
        struct bytes typed = site->arguments.brokers.items[i];
        printf("broker %u %.*s\n", i, (int) typed.size, (const char *) typed.data);
    }
    if (site->http != NULL) {
        printf("http     http://%s\n", http_address(site->http));
    }
    printf("ready\n");
    fflush(stdout);
    loop_run(site->loop, INT64_MAX);
    return EXIT_CODE_OK;
}

/* The journal's thread reads requests where the core keeps them, so it ends before the core. */
static void close_all(struct site *site)
{
    http_close(site->http);
    desk_program_close(site->desk);
    host_close(site->host);
    store_close(site->journal);
    process_unreserve(&site->arena);
    loop_close(site->loop);
    agents_file_close(&site->file);
    free(site->agents);
}

/* Whoever started us without them must not find our sockets in their place. */
static void open_standard_descriptors(void)
{
    int fd = 0;
    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO) {
        close(fd);
    }
}

int main(int argc, char **argv)
{
    open_standard_descriptors();
    zsys_handler_set(NULL); /* signals are ours, not czmq's */
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        printf("ventanilla-agentd %s (commit %s)\n", VENTANILLA_VERSION, VENTANILLA_COMMIT);
        return EXIT_CODE_OK;
    }
    struct site *site = calloc(1, sizeof *site);
    if (site == NULL) {
        return EXIT_CODE_FAILED;
    }
    int code = read_arguments(site, argc, argv);
    if (code == GO_ON) {
        process_log_open(&site->trace, (enum trace_level) site->arguments.log_level, "agentd");
        site->signals_fd = process_signals_open();
        code = site->signals_fd < 0 ? EXIT_CODE_FAILED : open_all(site);
    }
    if (code == GO_ON) {
        code = run(site);
    }
    close_all(site);
    free(site);
    return code;
}
