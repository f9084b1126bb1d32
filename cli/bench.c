/* ventanilla bench: options, and in which form the figures come out. */
#include "cli/bench.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bench_phases.h"
#include "cli/bench_plan.h"
#include "cli/bench_report.h"
#include "cli/cli.h"
#include "lib/check.h"

struct bench_arguments {
    const char *broker;
    const char *sites;
    const char *http;
    struct options_list only;
    uint64_t tickets;
    uint64_t agents;
    uint64_t window;
    uint64_t rate;
    uint64_t runs;
    bool print_plan;
    uint32_t output;
};

enum output {
    OUTPUT_TABLE,
    OUTPUT_JSON
};

#define AT(member) .offset = offsetof(struct bench_arguments, member)

static const struct options_row rows[] = {
    {.name = "only",
     .value_name = "LIST",
     .kind = OPTIONS_TEXTS,
     .help = "of intake, intake_sync, lifecycles, lifecycles_4x1, latency, fill, restart, "
             "matching; without: all",
     AT(only)},
    {.name = "tickets",
     .letter = 'n',
     .value_name = "N",
     .kind = OPTIONS_U64,
     .fallback = "200000",
     .min = 100,
     .max = 2000000,
     .help = "tickets of one run; fill takes five and a half times as many",
     AT(tickets)},
    {.name = "agents",
     .value_name = "N",
     .kind = OPTIONS_U64,
     .fallback = "500",
     .min = 1,
     .max = BENCH_PLAN_AGENTS_MAX,
     .help = "agents of capacity 4, in 10 sites",
     AT(agents)},
    {.name = "window",
     .value_name = "N",
     .kind = OPTIONS_U64,
     .fallback = "1000",
     .min = 1,
     .max = 4096,
     .help = "tickets unacknowledged at a time",
     AT(window)},
    {.name = "rate",
     .value_name = "N",
     .kind = OPTIONS_U64,
     .fallback = "1000",
     .min = 1,
     .max = 1000000,
     .help = "tickets a second while latency is measured",
     AT(rate)},
    {.name = "runs",
     .value_name = "N",
     .kind = OPTIONS_U64,
     .fallback = "5",
     .min = 1,
     .max = BENCH_RUNS_MAX,
     .help = "of each figure, whose median is taken (latency: at most 3)",
     AT(runs)},
    {.name = "broker",
     .value_name = "HOST:PORT",
     .kind = OPTIONS_ADDRESS,
     .help = "clients' port of a server that runs with the bench's plan; without: one is started",
     AT(broker)},
    {.name = "sites",
     .value_name = "HOST:PORT",
     .kind = OPTIONS_ADDRESS,
     .fallback = "127.0.0.1:7443",
     .help = "with --broker: its port for agents' sites",
     AT(sites)},
    {.name = "http",
     .value_name = "HOST:PORT",
     .kind = OPTIONS_ADDRESS,
     .fallback = "127.0.0.1:8080",
     .help = "with --broker: its /metrics",
     AT(http)},
    {.name = "print-plan",
     .kind = OPTIONS_FLAG,
     .help = "write the bench's plan and end",
     AT(print_plan)},
    {.name = "output",
     .letter = 'o',
     .kind = OPTIONS_CHOICE,
     .choices = "table|json",
     .fallback = "table",
     .help = "form of the figures",
     AT(output)},
};

static const struct options_table table = {
    .command = "ventanilla bench",
    .about = "Measures a server, over TCP, from a process of its own: how many tickets it takes\n"
             "in and completes, how soon they are offered, what one costs. Then it reads the\n"
             "store and exits with 6 if a ticket was lost or done twice. Without --broker each\n"
             "run has a server of its own in a temporary folder; with it, memory, restart and\n"
             "the store are left out.",
    .more = "Examples:\n"
            "  ventanilla bench\n"
            "  ventanilla bench --only intake,lifecycles --tickets 1000000 -o json",
    .rows = rows,
    .row_count = ARRAY_LENGTH(rows),
};

static bool find_phase(struct bytes name, uint32_t *phase)
{
    for (uint32_t i = 0; i < BENCH_PHASE_COUNT; i++) {
        if (bytes_equal_text(name, bench_phases_name((enum bench_phase) i))) {
            *phase = i;
            return true;
        }
    }
    return false;
}

static int read_only(const struct options_list *only, bool wanted[BENCH_PHASE_COUNT])
{
    for (uint32_t i = 0; i < BENCH_PHASE_COUNT; i++) {
        wanted[i] = only->count == 0;
    }
    for (uint32_t i = 0; i < only->count; i++) {
        uint32_t phase = 0;
        if (!find_phase(only->items[i], &phase)) {
            cli_error("--only %.*s: no such figure; `ventanilla bench --help` lists them",
                      (int) only->items[i].size,
                      (const char *) only->items[i].data);
            return EXIT_CODE_USAGE;
        }
        wanted[phase] = true;
    }
    return CLI_GO_ON;
}

static int measure(const struct bench_arguments *arguments)
{
    struct bench_options options = {
        .broker = arguments->broker,
        .sites = arguments->sites,
        .http = arguments->http,
        .tickets = arguments->tickets,
        .agents = arguments->agents,
        .window = arguments->window,
        .rate = arguments->rate,
        .runs = arguments->runs,
    };
    int code = read_only(&arguments->only, options.wanted);
    if (code != CLI_GO_ON) {
        return code;
    }
    struct bench_results *results = calloc(1, sizeof *results);
    if (results == NULL) {
        return EXIT_CODE_FAILED;
    }
    code = bench_phases_run(&options, results);
    if (arguments->output == OUTPUT_JSON) {
        bench_report_json(results);
    } else {
        bench_report_table(results);
    }
    if (code == EXIT_CODE_CHECK_FAILED) {
        cli_error("tickets were lost or done twice");
    }
    free(results);
    return code;
}

int bench_run(int argc, char **argv)
{
    struct cli_arguments arguments = {.argc = argc, .argv = argv};
    struct options_result result;
    struct bench_arguments values = {0};
    int code = cli_parse(&table, arguments, &values, &result);
    if (code != CLI_GO_ON) {
        return code;
    }
    if (values.print_plan) {
        bench_plan_write(stdout);
        return EXIT_CODE_OK;
    }
    return measure(&values);
}
