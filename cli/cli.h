#ifndef CLI_CLI_H
#define CLI_CLI_H

/* What all commands share: exit codes, messages, the command line's parsing. */

#include <stdbool.h>
#include <stdint.h>

#include "cli/client.h"
#include "lib/err.h"
#include "lib/options.h"

/* The same in every command; scripts may rely on them. */
enum cli_exit {
    EXIT_CODE_OK = 0,
    EXIT_CODE_FAILED = 1,
    EXIT_CODE_USAGE = 2,
    EXIT_CODE_NOT_FOUND = 3,
    EXIT_CODE_CONFLICT = 4,
    EXIT_CODE_NOT_REACHABLE = 5,
    EXIT_CODE_CHECK_FAILED = 6,
    EXIT_CODE_TIMED_OUT = 7,
    EXIT_CODE_NOBODY = 8 /* accepted, but nobody who is up can serve it */
};

/* As printed below each --help. */
#define CLI_EXIT_CODES                                                                 \
    "Exit codes: 0 ok, 1 failed, 2 usage, 3 not found, 4 conflict, 5 not reachable,\n" \
    "6 check failed, 7 timed out, 8 accepted but nobody can serve it.\n"

#define CLI_SERVER_DEFAULT "127.0.0.1:7441"
#define CLI_CLIENTS_PORT 7441u
#define CLI_ROUTERS_PORT 7442u
#define CLI_SITES_PORT 7443u
#define CLI_HTTP_PORT 8080u

/* "ventanilla: " and the message, with a newline, to standard error. */
__attribute__((format(printf, 1, 2))) void cli_error(const char *format, ...);

/* The code for an error of a client call, after saying it ("no answer from ..."). */
int cli_client_failed(vt_err err, const char *server);

/* A command's own arguments: argv[0] is its name. */
struct cli_arguments {
    int argc;
    char **argv;
};

#define CLI_GO_ON (-1)

/* Parses into `values`. CLI_GO_ON, or the exit code to return: help or complaint is out then. */
int cli_parse(const struct options_table *table,
              struct cli_arguments arguments,
              void *values,
              struct options_result *result);

/* The rows --server and --timeout of every client command; `type` has the members
 * `const char *server` and `int64_t timeout_ms`. */
#define CLI_SERVER_ROWS(type)                                                                \
    {.name = "server",                                                                       \
     .letter = 's',                                                                          \
     .value_name = "HOST:PORT",                                                              \
     .kind = OPTIONS_ADDRESS,                                                                \
     .fallback = CLI_SERVER_DEFAULT,                                                         \
     .help = "clients' port of `ventanilla serve`",                                          \
     .offset = offsetof(type, server)},                                                      \
    {                                                                                        \
        .name = "timeout", .value_name = "TIME", .kind = OPTIONS_DURATION, .fallback = "5s", \
        .min = 1, .max = 3600000, .help = "no answer for so long: exit 5",                   \
        .offset = offsetof(type, timeout_ms)                                                 \
    }

/* For tables and UTF-8 output: the user's locale, or at least UTF-8. */
void cli_set_locale(void);

/* "2026-01-31T08:00:00.000Z"; "-" for 0. */
#define CLI_TIME_BYTES 32u
void cli_time_text(int64_t unix_us, char text[CLI_TIME_BYTES]);

/* "850 ms", "12.3 s", "5 min 03 s", "2 h 10 min". */
#define CLI_DURATION_BYTES 32u
void cli_duration_text(int64_t ms, char text[CLI_DURATION_BYTES]);

const char *cli_state_text(enum ticket_state state);

#endif
