/* ventanilla: the command line. One table drives dispatch and help. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <czmq.h>

#include "cli/bench.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "lib/check.h"
#include "lib/options.h"
#if __has_include("cli/demo.h")
#include "cli/demo.h"
#define HAS_DEMO 1
#else
#define HAS_DEMO 0
#endif

struct command {
    const char *name;
    int (*run)(struct cli_arguments arguments);
    const char *help;
};

#if HAS_DEMO
static int demo_command(struct cli_arguments arguments)
{
    return demo_run(arguments.argc, arguments.argv);
}
#endif

static int bench_command(struct cli_arguments arguments)
{
    return bench_run(arguments.argc, arguments.argv);
}

static const struct command commands[] = {
    {"serve", serve_command, "run a whole ventanilla in one process"},
    {"submit", submit_command, "hand in one ticket, or a file of them"},
    {"ticket", ticket_command, "show a ticket and its history, cancel it, write on it"},
    {"status", status_command, "queues and agents as they are now"},
#if HAS_DEMO
    {"demo", demo_command, "replay a city's real tickets and prove that none was lost"},
#endif
    {"bench", bench_command, "measure a server: intake, lifecycles, latency, memory, restart"},
    {"version", version_command, "version, commit and libraries"},
};

static void print_help(FILE *out)
{
    fputs("Usage: ventanilla COMMAND [OPTION...]\n\n"
          "A help-desk queue and router: takes tickets in durably and gives each to an agent\n"
          "who has the skills for it.\n\nCommands:\n",
          out);
    for (uint32_t i = 0; i < ARRAY_LENGTH(commands); i++) {
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].help);
    }
    fprintf(out, "\nventanilla COMMAND --help says more.\n\n%s", CLI_EXIT_CODES);
}

static int refuse(const char *typed)
{
    const char *names[ARRAY_LENGTH(commands)];
    for (uint32_t i = 0; i < ARRAY_LENGTH(commands); i++) {
        names[i] = commands[i].name;
    }
    const char *near = options_nearest(names, ARRAY_LENGTH(commands), bytes_of_text(typed));
    if (near != NULL) {
        cli_error("unknown command '%s', did you mean '%s'?", typed, near);
    } else {
        cli_error("unknown command '%s'; `ventanilla --help` lists them", typed);
    }
    return EXIT_CODE_USAGE;
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

/* What could not be written was not said: a full disk is not a success. */
static int conclude(int code)
{
    bool has_failed = ferror(stdout) != 0;
    if (fflush(stdout) != 0) {
        has_failed = true;
    }
    if (!has_failed) {
        return code;
    }
    fputs("ventanilla: standard output cannot be written\n", stderr);
    return code == EXIT_CODE_OK ? EXIT_CODE_FAILED : code;
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return EXIT_CODE_USAGE;
    }
    const char *typed = argv[1];
    if (strcmp(typed, "--help") == 0 || strcmp(typed, "-h") == 0 || strcmp(typed, "help") == 0) {
        print_help(stdout);
        return EXIT_CODE_OK;
    }
    struct cli_arguments arguments = {.argc = argc - 1, .argv = argv + 1};
    if (strcmp(typed, "--version") == 0) {
        arguments.argc = 1;
        return version_command(arguments);
    }
    for (uint32_t i = 0; i < ARRAY_LENGTH(commands); i++) {
        if (strcmp(typed, commands[i].name) == 0) {
            return commands[i].run(arguments);
        }
    }
    return refuse(typed);
}

int main(int argc, char **argv)
{
    open_standard_descriptors();
    zsys_handler_set(NULL); /* signals are ours, not czmq's */
    return conclude(run(argc, argv));
}
