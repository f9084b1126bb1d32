#include "lib/options.h"

#include <stddef.h>
#include <string.h>

#include "lib/check.h"
#include "lib/options_value.h"

#define ROWS_MAX 64U
#define NAMES_MAX (ROWS_MAX + 1U)

/* One parse under way. */
struct parse {
    const struct options_table *table;
    const struct options_input *input;
    void *values;
    struct options_result *result;
    struct text error;
    uint32_t next; /* argument */
    uint64_t seen; /* a bit per row: given on the command line */
    uint64_t set;  /* a bit per row: given there or in the environment */
};

/* How the user wrote the option, for the messages. */
struct spelling {
    const char *hyphens;
    struct bytes name;
};

static void add_spelling(struct parse *parse, struct spelling spelling)
{
    text_add(&parse->error, spelling.hyphens);
    text_add_bytes(&parse->error, spelling.name);
}

static struct bytes shown(const char *typed)
{
    struct bytes value = bytes_of_text(typed);
    value.size = value.size > 80 ? 80 : value.size;
    return value;
}

static vt_err fail_value(struct parse *parse,
                         const struct options_row *row,
                         struct spelling spelling,
                         const char *typed)
{
    add_spelling(parse, spelling);
    text_add(&parse->error, ": ");
    text_add_json_string(&parse->error, shown(typed));
    text_add(&parse->error, " is not allowed, expected ");
    options_value_expected(row, &parse->error);
    return VT_INVALID;
}

static vt_err fail_short(struct parse *parse, struct spelling spelling, const char *reason)
{
    add_spelling(parse, spelling);
    text_add(&parse->error, reason);
    return VT_INVALID;
}

static vt_err fail_unknown(struct parse *parse, struct bytes name)
{
    const char *names[NAMES_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < parse->table->row_count; i++) {
        names[count++] = parse->table->rows[i].name;
    }
    names[count++] = "help";

    text_add(&parse->error, "unknown option --");
    text_add_bytes(&parse->error, name.size > 80 ? bytes_of(name.data, 80) : name);
    const char *nearest = options_nearest(names, count, name);
    text_add(&parse->error, nearest == NULL ? ", see --help" : ", did you mean --");
    text_add(&parse->error, nearest == NULL ? "" : nearest);
    text_add(&parse->error, nearest == NULL ? "" : "?");
    return VT_INVALID;
}

static const struct options_row *row_by_name(const struct options_table *table, struct bytes name)
{
    for (uint32_t i = 0; i < table->row_count; i++) {
        if (bytes_equal_text(name, table->rows[i].name)) {
            return &table->rows[i];
        }
    }
    return NULL;
}

static const struct options_row *row_by_letter(const struct options_table *table, char letter)
{
    for (uint32_t i = 0; i < table->row_count; i++) {
        if (letter != '\0' && table->rows[i].letter == letter) {
            return &table->rows[i];
        }
    }
    return NULL;
}

static bool is_list(const struct options_row *row)
{
    return row->kind == OPTIONS_ADDRESSES || row->kind == OPTIONS_TEXTS;
}

/* Lists collect; so they begin empty whenever a stronger source speaks. */
static void begin_value(const struct options_row *row, void *values)
{
    if (is_list(row)) {
        memset((uint8_t *) values + row->offset, 0, sizeof(struct options_list));
    }
}

static uint64_t bit_of(const struct parse *parse, const struct options_row *row)
{
    return UINT64_C(1) << (row - parse->table->rows);
}

static vt_err take_value(struct parse *parse,
                         const struct options_row *row,
                         struct spelling spelling,
                         const char *typed)
{
    uint64_t bit = bit_of(parse, row);
    if ((parse->seen & bit) != 0 && !is_list(row)) {
        return fail_short(parse, spelling, " was given twice");
    }
    if ((parse->seen & bit) == 0) {
        begin_value(row, parse->values);
    }
    parse->seen |= bit;
    parse->set |= bit;
    vt_err err = options_value_store(row, typed, parse->values);
    if (err == VT_FULL) {
        return fail_short(parse, spelling, " has too many values");
    }
    return err == VT_OK ? VT_OK : fail_value(parse, row, spelling, typed);
}

/* The value is the rest of the word, or the next word. */
static vt_err take_option(struct parse *parse,
                          const struct options_row *row,
                          struct spelling spelling,
                          const char *attached)
{
    if (attached != NULL) {
        return take_value(parse, row, spelling, attached);
    }
    if (row->kind == OPTIONS_FLAG) {
        return take_value(parse, row, spelling, "true");
    }
    if (parse->next == parse->input->argument_count) {
        return fail_short(parse, spelling, " needs a value");
    }
    const char *typed = parse->input->arguments[parse->next];
    parse->next++;
    return take_value(parse, row, spelling, typed);
}

static vt_err parse_long(struct parse *parse, const char *word)
{
    const char *equals = strchr(word, '=');
    size_t size = equals == NULL ? strlen(word) : (size_t) (equals - word);
    struct spelling spelling = {"--", bytes_of(word, (uint32_t) size)};
    const struct options_row *row = row_by_name(parse->table, spelling.name);
    if (row != NULL) {
        return take_option(parse, row, spelling, equals == NULL ? NULL : equals + 1);
    }

    if (equals == NULL && size > 3 && strncmp(word, "no-", 3) == 0) {
        row = row_by_name(parse->table, bytes_of(word + 3, (uint32_t) size - 3U));
        if (row != NULL && row->kind == OPTIONS_FLAG) {
            return take_value(parse, row, spelling, "false");
        }
    }
    return fail_unknown(parse, spelling.name);
}

/* `word` without its hyphen: flags, the last of which may be an option with its value. */
static vt_err parse_letters(struct parse *parse, const char *word)
{
    for (const char *at = word; *at != '\0'; at++) {
        struct spelling spelling = {"-", bytes_of(at, 1)};
        const struct options_row *row = row_by_letter(parse->table, *at);
        if (row == NULL) {
            spelling.name.size = bytes_utf8_length(bytes_of_text(at));
            return fail_short(parse, spelling, " is not an option, see --help");
        }
        bool has_rest = row->kind != OPTIONS_FLAG && at[1] != '\0';
        vt_err err = take_option(parse, row, spelling, has_rest ? at + 1 : NULL);
        if (err != VT_OK || row->kind != OPTIONS_FLAG) {
            return err;
        }
    }
    return VT_OK;
}

static vt_err take_positional(struct parse *parse, const char *word)
{
    CHECK(parse->table->positional_max <= OPTIONS_POSITIONAL_MAX);
    if (parse->result->positional_count == parse->table->positional_max) {
        text_add(&parse->error, "unexpected argument ");
        text_add_json_string(&parse->error, shown(word));
        return VT_INVALID;
    }
    parse->result->positionals[parse->result->positional_count] = word;
    parse->result->positional_count++;
    return VT_OK;
}

static vt_err parse_arguments(struct parse *parse)
{
    bool only_positionals = false;
    while (parse->next < parse->input->argument_count) {
        const char *word = parse->input->arguments[parse->next];
        parse->next++;
        vt_err err = VT_OK;
        if (only_positionals || word[0] != '-' || word[1] == '\0') {
            err = take_positional(parse, word);
        } else if (strcmp(word, "--") == 0) {
            only_positionals = true;
        } else if (word[1] == '-') {
            err = parse_long(parse, word + 2);
        } else {
            err = parse_letters(parse, word + 1);
        }
        if (err != VT_OK) {
            return err;
        }
    }
    return VT_OK;
}

/* Everything that is not given keeps the caller's value, unless the row has a fallback. */
static void store_fallbacks(const struct options_table *table, void *values)
{
    for (uint32_t i = 0; i < table->row_count; i++) {
        const struct options_row *row = &table->rows[i];
        if (row->fallback != NULL) {
            begin_value(row, values);
            vt_err err = options_value_store(row, row->fallback, values);
            CHECK(err == VT_OK);
        }
    }
}

static vt_err parse_environment(struct parse *parse)
{
    const struct options_input *input = parse->input;
    for (uint32_t i = 0; input->environment != NULL && i < parse->table->row_count; i++) {
        const struct options_row *row = &parse->table->rows[i];
        char buffer[96];
        struct text name;
        text_init(&name, buffer, (uint32_t) sizeof buffer);
        options_value_environment_name(row, &name);
        const char *typed = input->environment(input->environment_context, buffer);
        if (typed == NULL || typed[0] == '\0') {
            continue;
        }
        struct spelling spelling = {"", text_bytes(&name)};
        vt_err err = take_value(parse, row, spelling, typed);
        if (err != VT_OK) {
            return err;
        }
    }
    parse->seen = 0; /* the command line may say it again, and wins */
    return VT_OK;
}

static vt_err check_complete(struct parse *parse)
{
    for (uint32_t i = 0; i < parse->table->row_count; i++) {
        const struct options_row *row = &parse->table->rows[i];
        if (row->is_required && (parse->set & bit_of(parse, row)) == 0) {
            struct spelling spelling = {"--", bytes_of_text(row->name)};
            return fail_short(parse, spelling, " is missing");
        }
    }
    if (parse->result->positional_count < parse->table->positional_min) {
        text_add(&parse->error, "missing argument: expected ");
        text_add(&parse->error, parse->table->positionals);
        return VT_INVALID;
    }
    return VT_OK;
}

static bool wants_help(const struct options_table *table, const struct options_input *input)
{
    for (uint32_t i = 0; i < input->argument_count; i++) {
        const char *word = input->arguments[i];
        if (strcmp(word, "--") == 0) {
            return false;
        }
        if (strcmp(word, "--help") == 0 ||
            (strcmp(word, "-h") == 0 && row_by_letter(table, 'h') == NULL)) {
            return true;
        }
    }
    return false;
}

vt_err options_parse(const struct options_table *table,
                     const struct options_input *input,
                     void *values,
                     struct options_result *result)
{
    CHECK(table->row_count <= ROWS_MAX);
    struct parse parse = {.table = table, .input = input, .values = values, .result = result};
    *result = (struct options_result){.wants_help = wants_help(table, input)};
    text_init(&parse.error, result->error, (uint32_t) sizeof result->error);
    store_fallbacks(table, values);
    if (result->wants_help) {
        return VT_OK;
    }

    vt_err err = parse_environment(&parse);
    if (err == VT_OK) {
        err = parse_arguments(&parse);
    }
    return err == VT_OK ? check_complete(&parse) : err;
}
