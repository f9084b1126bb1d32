#include "cli/cli.h"

#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/check.h"

#define HELP_BYTES 16384u
#define US_PER_S 1000000
#define MS_PER_S 1000
#define S_PER_MIN 60
#define S_PER_H 3600

void cli_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fflush(stdout);
    fputs("ventanilla: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

int cli_client_failed(vt_err err, const char *server)
{
    if (err == VT_TIMEOUT) {
        cli_error("%s answers, but takes nothing at the moment (store down, full or stopping); "
                  "try again later",
                  server);
        return EXIT_CODE_TIMED_OUT;
    }
    if (err == VT_UNAVAILABLE) {
        cli_error("no answer from %s; is `ventanilla serve` running there? "
                  "(--server HOST:PORT names another address)",
                  server);
        return EXIT_CODE_NOT_REACHABLE;
    }
    cli_error("%s", err_text(err));
    return EXIT_CODE_FAILED;
}

static const char *environment(void *context, const char *name)
{
    (void) context;
    return getenv(name); /* NOLINT(concurrency-mt-unsafe): before any thread is there */
}

static void print_help(const struct options_table *table)
{
    static char buffer[HELP_BYTES];
    struct text text;
    text_init(&text, buffer, sizeof buffer);
    options_help(table, &text);
    CHECK(!text.truncated);
    printf("%s\n%s", buffer, CLI_EXIT_CODES);
}

int cli_parse(const struct options_table *table,
              struct cli_arguments arguments,
              void *values,
              struct options_result *result)
{
    struct options_input input = {
        .arguments = (const char *const *) (arguments.argv + 1),
        .argument_count = (uint32_t) (arguments.argc - 1),
        .environment = environment,
    };
    if (options_parse(table, &input, values, result) != VT_OK) {
        cli_error("%s", result->error);
        fprintf(stderr, "Try `%s --help`.\n", table->command);
        return EXIT_CODE_USAGE;
    }
    if (result->wants_help) {
        print_help(table);
        return EXIT_CODE_OK;
    }
    return CLI_GO_ON;
}

/* NOLINTBEGIN(concurrency-mt-unsafe): the command line's one thread */
void cli_set_locale(void)
{
    setlocale(LC_ALL, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0) {
        setlocale(LC_CTYPE, "C.UTF-8");
    }
    setlocale(LC_NUMERIC, "C");
}
/* NOLINTEND(concurrency-mt-unsafe) */

void cli_time_text(int64_t unix_us, char text[CLI_TIME_BYTES])
{
    if (unix_us == 0) {
        snprintf(text, CLI_TIME_BYTES, "-");
        return;
    }
    time_t unix_s = (time_t) (unix_us / US_PER_S);
    struct tm utc;
    char stamp[CLI_TIME_BYTES] = "";
    if (gmtime_r(&unix_s, &utc) != NULL) {
        (void) strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
    }
    snprintf(text, CLI_TIME_BYTES, "%.20s.%03dZ", stamp, (int) (unix_us % US_PER_S / 1000));
}

void cli_duration_text(int64_t ms, char text[CLI_DURATION_BYTES])
{
    int64_t s = ms / MS_PER_S;
    if (ms < MS_PER_S) {
        snprintf(text, CLI_DURATION_BYTES, "%" PRId64 " ms", ms);
    } else if (s < S_PER_MIN) {
        snprintf(text, CLI_DURATION_BYTES, "%" PRId64 ".%" PRId64 " s", s, ms % MS_PER_S / 100);
    } else if (s < S_PER_H) {
        snprintf(text,
                 CLI_DURATION_BYTES,
                 "%" PRId64 " min %02" PRId64 " s",
                 s / S_PER_MIN,
                 s % S_PER_MIN);
    } else {
        snprintf(text,
                 CLI_DURATION_BYTES,
                 "%" PRId64 " h %02" PRId64 " min",
                 s / S_PER_H,
                 s % S_PER_H / S_PER_MIN);
    }
}

const char *cli_state_text(enum ticket_state state)
{
    static const char *const names[TICKET_STATE_COUNT] = {
        [TICKET_NONE] = "none",
        [TICKET_QUEUED] = "queued",
        [TICKET_SCHEDULED] = "scheduled",
        [TICKET_ASSIGNED] = "assigned",
        [TICKET_DONE] = "done",
        [TICKET_PARKED] = "parked",
        [TICKET_CANCELLED] = "cancelled",
        [TICKET_DEAD] = "dead",
    };
    return (uint32_t) state < TICKET_STATE_COUNT ? names[state] : "unknown";
}
