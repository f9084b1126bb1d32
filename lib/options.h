#ifndef LIB_OPTIONS_H
#define LIB_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/bytes.h"
#include "lib/err.h"
#include "lib/text.h"

/* Command lines by table: one row per option drives parsing, defaults, the environment and the help
 * text. Pure: arguments in, values out. Order of force: command line, environment, row's fallback.
 *
 *     struct serve_options { const char *data; bool insecure; uint64_t workers; int64_t wait_ms; };
 *     static const struct options_row rows[] = {
 *         {.name = "data", .letter = 'd', .kind = OPTIONS_TEXT, .value_name = "DIR",
 *          .is_required = true, .help = "folder of the store",
 *          .offset = offsetof(struct serve_options, data)},
 *         ...
 *     };
 */
#define OPTIONS_LIST_MAX 16U
#define OPTIONS_POSITIONAL_MAX 64U
#define OPTIONS_ERROR_BYTES 384U

/* What the option's value is, and the C type at its offset. */
enum options_kind {
    OPTIONS_FLAG,      /* bool; no value; also --no-NAME */
    OPTIONS_TEXT,      /* const char *; min and max bound its bytes when max is not 0 */
    OPTIONS_U64,       /* uint64_t in [min, max]; max 0 is no bound */
    OPTIONS_DURATION,  /* int64_t milliseconds in [min, max]: 250ms, 20s, 5m, 2h, 1d; bare: seconds
                        */
    OPTIONS_CHOICE,    /* uint32_t index into `choices` */
    OPTIONS_ADDRESS,   /* const char *, HOST:PORT or [V6]:PORT or :PORT, port 0 to 65535 */
    OPTIONS_ADDRESSES, /* struct options_list of addresses; commas divide, repeating adds */
    OPTIONS_TEXTS      /* struct options_list of texts; commas divide, repeating adds */
};

/* Views into the command line, the environment or the row. */
struct options_list {
    struct bytes items[OPTIONS_LIST_MAX];
    uint32_t count;
};

struct options_row {
    const char *name;       /* without the hyphens */
    const char *value_name; /* in the help: "DIR"; NULL is "VALUE" */
    const char *fallback;   /* as if it was typed; NULL leaves the value as the caller set it */
    const char *help;       /* one line */
    const char *choices;    /* "table|json" for OPTIONS_CHOICE */
    uint64_t min;
    uint64_t max;
    uint32_t offset; /* offsetof() in the values struct */
    enum options_kind kind;
    char letter; /* 0: none */
    bool is_required;
};

struct options_table {
    const char *command;     /* "ventanilla serve" */
    const char *positionals; /* in the usage line: "ID..." ; NULL: none */
    const char *about;       /* one or more sentences; NULL: none */
    const char *more;        /* printed behind the options (examples); NULL: none */
    const struct options_row *rows;
    uint32_t row_count;
    uint32_t positional_min;
    uint32_t positional_max; /* at most OPTIONS_POSITIONAL_MAX */
};

/* The environment's value of `name` ("VENTANILLA_DATA" for --data), or NULL. */
typedef const char *options_environment_fn(void *context, const char *name);

struct options_input {
    const char *const *arguments; /* without the command's own words; main's argv needs the cast
                                     (const char *const *)argv */
    uint32_t argument_count;
    options_environment_fn *environment; /* NULL: not read */
    void *environment_context;
};

struct options_result {
    const char *positionals[OPTIONS_POSITIONAL_MAX]; /* borrowed from the arguments */
    uint32_t positional_count;
    bool wants_help;                 /* --help or -h was seen; nothing else was looked at then */
    char error[OPTIONS_ERROR_BYTES]; /* one line without a newline; empty unless VT_INVALID */
};

/* Fills `values` (the struct of the offsets) and `result`. Accepts `--name VALUE`, `--name=VALUE`,
 * `-n VALUE`, `-nVALUE`, joined flags `-ab`, and `--` before positionals.
 * VT_INVALID: the command line (or the environment) is wrong, and result->error says which option,
 * which value, what is allowed and the nearest known name; `values` may be half filled.
 */
VT_MUST_USE vt_err options_parse(const struct options_table *table,
                                 const struct options_input *input,
                                 void *values,
                                 struct options_result *result);

/* Usage line, text and one line per option with its default and environment name. */
void options_help(const struct options_table *table, struct text *out);

/* The name nearest to `typed` by edit distance (two neighbours swapped count as one), or NULL when
 * none is near enough to be meant. For unknown options, YAML keys, queue names.
 */
const char *options_nearest(const char *const *names, uint32_t count, struct bytes typed);

/* "250ms", "20s", "5m", "2h", "1d", or bare seconds.
 * VT_INVALID: not a duration.  VT_TOO_LARGE: does not fit.
 */
VT_MUST_USE vt_err options_parse_duration(struct bytes text, int64_t *ms);

/* VT_INVALID: not HOST:PORT, [V6]:PORT or :PORT. */
VT_MUST_USE vt_err options_check_address(struct bytes text);

#endif
