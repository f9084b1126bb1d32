#include "tests/unit/unit.h"

#include <string.h>

#include "lib/check.h"
#include "lib/options.h"

struct values {
    const char *data;
    const char *http;
    struct options_list brokers;
    struct options_list names;
    uint64_t workers;
    int64_t wait_ms;
    uint32_t output;
    bool insecure;
    bool verbose;
};

static const struct options_row rows[] = {
    {.name = "data",
     .letter = 'd',
     .kind = OPTIONS_TEXT,
     .value_name = "DIR",
     .max = 10,
     .is_required = true,
     .help = "folder of the store",
     .offset = offsetof(struct values, data)},
    {.name = "http",
     .kind = OPTIONS_ADDRESS,
     .value_name = "ADDR:PORT",
     .fallback = "127.0.0.1:8080",
     .help = "where HTTP is served",
     .offset = offsetof(struct values, http)},
    {.name = "broker",
     .kind = OPTIONS_ADDRESSES,
     .help = "brokers to dial",
     .fallback = "localhost:7443",
     .offset = offsetof(struct values, brokers)},
    {.name = "name",
     .kind = OPTIONS_TEXTS,
     .help = "names",
     .offset = offsetof(struct values, names)},
    {.name = "workers",
     .letter = 'w',
     .kind = OPTIONS_U64,
     .min = 1,
     .max = 64,
     .fallback = "4",
     .help = "how many",
     .offset = offsetof(struct values, workers)},
    {.name = "wait-at-most",
     .kind = OPTIONS_DURATION,
     .min = 100,
     .max = 3600000,
     .fallback = "20s",
     .help = "time limit",
     .offset = offsetof(struct values, wait_ms)},
    {.name = "output",
     .letter = 'o',
     .kind = OPTIONS_CHOICE,
     .choices = "table|json|csv",
     .fallback = "table",
     .help = "format",
     .offset = offsetof(struct values, output)},
    {.name = "insecure",
     .letter = 'i',
     .kind = OPTIONS_FLAG,
     .help = "without CURVE",
     .offset = offsetof(struct values, insecure)},
    {.name = "verbose",
     .letter = 'v',
     .kind = OPTIONS_FLAG,
     .help = "say more",
     .offset = offsetof(struct values, verbose)},
};

static const struct options_table table = {
    .command = "ventanilla test",
    .positionals = "ID...",
    .about = "Tries the options.",
    .rows = rows,
    .row_count = ARRAY_LENGTH(rows),
    .positional_max = 2,
};

static struct values values;
static struct options_result result;

static const char *no_environment(void *context, const char *name)
{
    (void) context;
    (void) name;
    return NULL;
}

/* The context is "NAME=VALUE". */
static const char *one_variable(void *context, const char *name)
{
    const char *variable = context;
    size_t size = strlen(name);
    return strncmp(variable, name, size) == 0 && variable[size] == '=' ? variable + size + 1 : NULL;
}

/* Parses words divided by single blanks. */
static vt_err parse_with(const char *line, char *variable)
{
    static char copy[512];
    const char *words[32];
    uint32_t count = 0;
    strcpy(copy, line);
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " ")) {
        words[count++] = word;
    }
    struct options_input input = {.arguments = words,
                                  .argument_count = count,
                                  .environment = variable ? one_variable : no_environment,
                                  .environment_context = variable};
    memset(&values, 0, sizeof values);
    return options_parse(&table, &input, &values, &result);
}

static vt_err parse(const char *line)
{
    return parse_with(line, NULL);
}

static void fallbacks_hold_until_something_is_given(void **state)
{
    (void) state;
    assert_int_equal(parse("--data d"), VT_OK);

    assert_string_equal(values.data, "d");
    assert_string_equal(values.http, "127.0.0.1:8080");
    assert_int_equal(values.brokers.count, 1);
    assert_true(bytes_equal_text(values.brokers.items[0], "localhost:7443"));
    assert_int_equal(values.names.count, 0);
    assert_int_equal(values.workers, 4);
    assert_int_equal(values.wait_ms, 20000);
    assert_int_equal(values.output, 0);
    assert_false(values.insecure);
    assert_string_equal(result.error, "");
}

static void every_spelling_of_an_option_is_understood(void **state)
{
    (void) state;
    assert_int_equal(parse("-dx one --workers=64 -ivo json --wait-at-most 2m --http=[::1]:0 "
                           "--broker a:1,b:2 --broker=c:3 -- --two"),
                     VT_OK);

    assert_string_equal(values.data, "x");
    assert_int_equal(values.workers, 64);
    assert_true(values.insecure);
    assert_true(values.verbose);
    assert_int_equal(values.output, 1);
    assert_int_equal(values.wait_ms, 120000);
    assert_string_equal(values.http, "[::1]:0");
    assert_int_equal(values.brokers.count, 3);
    assert_true(bytes_equal_text(values.brokers.items[0], "a:1"));
    assert_true(bytes_equal_text(values.brokers.items[2], "c:3"));
    assert_int_equal(result.positional_count, 2);
    assert_string_equal(result.positionals[0], "one");
    assert_string_equal(result.positionals[1], "--two");
}

static void the_command_line_beats_the_environment_beats_the_fallback(void **state)
{
    (void) state;
    char wait[] = "VENTANILLA_WAIT_AT_MOST=5s";
    assert_int_equal(parse_with("--data d", wait), VT_OK);
    assert_int_equal(values.wait_ms, 5000);
    assert_int_equal(parse_with("--data d --wait-at-most 6s", wait), VT_OK);
    assert_int_equal(values.wait_ms, 6000);

    char data[] = "VENTANILLA_DATA=env";
    assert_int_equal(parse_with("", data), VT_OK);
    assert_string_equal(values.data, "env");

    char brokers[] = "VENTANILLA_BROKER=x:1,y:2";
    assert_int_equal(parse_with("--data d --broker z:3", brokers), VT_OK);
    assert_int_equal(values.brokers.count, 1);

    char flag[] = "VENTANILLA_INSECURE=yes";
    assert_int_equal(parse_with("--data d", flag), VT_OK);
    assert_true(values.insecure);
    assert_int_equal(parse_with("--data d --no-insecure", flag), VT_OK);
    assert_false(values.insecure);
}

struct mistake {
    const char *line;
    const char *message;
};

static void every_mistake_names_the_option_the_value_and_what_is_allowed(void **state)
{
    (void) state;
    static const struct mistake mistakes[] = {
        {"", "--data is missing"},
        {"--data", "--data needs a value"},
        {"--data a --data b", "--data was given twice"},
        {"--data 12345678901",
         "--data: \"12345678901\" is not allowed, expected a text from 0 to 10 bytes long"},
        {"--dta x", "unknown option --dta, did you mean --data?"},
        {"--hlep", "unknown option --hlep, did you mean --help?"},
        {"--colour", "unknown option --colour, see --help"},
        {"-z", "-z is not an option, see --help"},
        {"-d d --workers 65", "--workers: \"65\" is not allowed, expected a number from 1 to 64"},
        {"-d d -w0", "-w: \"0\" is not allowed, expected a number from 1 to 64"},
        {"-d d -w x", "-w: \"x\" is not allowed, expected a number from 1 to 64"},
        {"-d d --wait-at-most 20x",
         "--wait-at-most: \"20x\" is not allowed, expected a duration like 250ms, 20s, 5m or 2h "
         "from 100ms to 1h"},
        {"-d d --output xml", "--output: \"xml\" is not allowed, expected table, json or csv"},
        {"-d d --http 8080", "--http: \"8080\" is not allowed, expected HOST:PORT"},
        {"-d d --broker a:1,",
         "--broker: \"a:1,\" is not allowed, expected HOST:PORT[,HOST:PORT...]"},
        {"-d d --insecure=maybe", "--insecure: \"maybe\" is not allowed, expected true or false"},
        {"-d d a b c", "unexpected argument \"c\""},
        {"-d d --name a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q", "--name has too many values"},
        {"-d d --no-workers", "unknown option --no-workers, did you mean --workers?"},
    };
    for (uint32_t i = 0; i < ARRAY_LENGTH(mistakes); i++) {
        assert_int_equal(parse(mistakes[i].line), VT_INVALID);
        assert_string_equal(result.error, mistakes[i].message);
    }

    char variable[] = "VENTANILLA_WORKERS=many";
    assert_int_equal(parse_with("-d d", variable), VT_INVALID);
    assert_string_equal(
        result.error,
        "VENTANILLA_WORKERS: \"many\" is not allowed, expected a number from 1 to 64");
}

static void help_is_found_anywhere_but_behind_the_double_hyphen(void **state)
{
    (void) state;
    assert_int_equal(parse("--nonsense --help"), VT_OK);
    assert_true(result.wants_help);
    assert_int_equal(parse("-h"), VT_OK);
    assert_true(result.wants_help);
    assert_int_equal(parse("-d d -- --help"), VT_OK);
    assert_false(result.wants_help);
}

static void the_help_text_lists_every_option_with_its_default(void **state)
{
    (void) state;
    static char buffer[4096];
    struct text text;
    text_init(&text, buffer, sizeof buffer);

    options_help(&table, &text);

    assert_false(text.truncated);
    assert_non_null(strstr(buffer, "Usage: ventanilla test [OPTION...] ID...\n"));
    assert_non_null(
        strstr(buffer, "\n  -d, --data DIR            folder of the store (required)\n"));
    assert_non_null(strstr(buffer, "\n  -w, --workers VALUE       how many [4]\n"));
    assert_non_null(strstr(buffer,
                           "\n  -o, --output table|json|csv\n"
                           "                            format [table]\n"));
    assert_non_null(strstr(buffer, "--data as VENTANILLA_DATA."));
}

static void durations_and_addresses_are_checked_to_the_letter(void **state)
{
    (void) state;
    int64_t ms = -1;
    assert_int_equal(options_parse_duration(bytes_of_text("250ms"), &ms), VT_OK);
    assert_int_equal(ms, 250);
    assert_int_equal(options_parse_duration(bytes_of_text("3"), &ms), VT_OK);
    assert_int_equal(ms, 3000);
    assert_int_equal(options_parse_duration(bytes_of_text("1d"), &ms), VT_OK);
    assert_int_equal(ms, 86400000);
    assert_int_equal(options_parse_duration(bytes_of_text("9223372036854775807ms"), &ms), VT_OK);
    assert_int_equal(options_parse_duration(bytes_of_text("9223372036854775807s"), &ms),
                     VT_TOO_LARGE);
    static const char *const bad[] = {"", "s", "-1s", "1 s", "1S", "1.5s", "ms"};
    for (uint32_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        assert_int_equal(options_parse_duration(bytes_of_text(bad[i]), &ms), VT_INVALID);
    }

    static const char *const good_addresses[] = {"a:1", ":0", "*:65535", "[::1]:80", "h.x-y:7"};
    for (uint32_t i = 0; i < ARRAY_LENGTH(good_addresses); i++) {
        assert_int_equal(options_check_address(bytes_of_text(good_addresses[i])), VT_OK);
    }
    static const char *const bad_addresses[] = {
        "", "a", "a:", "a:65536", "a:-1", "a b:1", "::1", "tcp://a:1", "a:000001", "[a:1", "[]:1"};
    for (uint32_t i = 0; i < ARRAY_LENGTH(bad_addresses); i++) {
        assert_int_equal(options_check_address(bytes_of_text(bad_addresses[i])), VT_INVALID);
    }
}

static void the_nearest_name_is_offered_only_when_it_is_near(void **state)
{
    (void) state;
    static const char *const names[] = {"skills", "queue", "languages", "run"};
    assert_string_equal(options_nearest(names, 4, bytes_of_text("skils")), "skills");
    assert_string_equal(options_nearest(names, 4, bytes_of_text("sklils")), "skills");
    assert_string_equal(options_nearest(names, 4, bytes_of_text("QUEUE")), "queue");
    assert_string_equal(options_nearest(names, 4, bytes_of_text("languajes")), "languages");
    assert_string_equal(options_nearest(names, 4, bytes_of_text("rnu")), "run");
    assert_null(options_nearest(names, 4, bytes_of_text("capacity")));
    assert_null(options_nearest(names, 4, bytes_of_text("")));
    assert_null(options_nearest(names, 0, bytes_of_text("run")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fallbacks_hold_until_something_is_given),
        cmocka_unit_test(every_spelling_of_an_option_is_understood),
        cmocka_unit_test(the_command_line_beats_the_environment_beats_the_fallback),
        cmocka_unit_test(every_mistake_names_the_option_the_value_and_what_is_allowed),
        cmocka_unit_test(help_is_found_anywhere_but_behind_the_double_hyphen),
        cmocka_unit_test(the_help_text_lists_every_option_with_its_default),
        cmocka_unit_test(durations_and_addresses_are_checked_to_the_letter),
        cmocka_unit_test(the_nearest_name_is_offered_only_when_it_is_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
