/* ventanilla submit: one ticket by flags, or many as JSON lines. */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/refusal.h"
#include "cli/submit_file.h"
#include "io/process.h"
#include "io/ticket_json.h"
#include "io/ticket_time.h"
#include "lib/check.h"
#include "lib/text.h"
#include "proto/message.h"

#define KEY_BYTES 16u

struct submit_arguments {
    const char *server;
    int64_t timeout_ms;
    const char *text;
    const char *queue;
    struct options_list skills;
    const char *language;
    uint32_t channel;
    uint64_t priority;
    struct options_list attributes;
    const char *key;
    const char *not_before;
    const char *client;
    const char *file;
    const char *batch;
    const char *map;
};

#define AT(member) .offset = offsetof(struct submit_arguments, member)

static const struct options_row rows[] = {
    {.name = "text",
     .letter = 't',
     .kind = OPTIONS_TEXT,
     .value_name = "TEXT",
     .help = "what the ticket says; - reads standard input",
     AT(text)},
    {.name = "queue",
     .letter = 'q',
     .kind = OPTIONS_TEXT,
     .value_name = "NAME",
     .help = "without: as the plan's rules say",
     AT(queue)},
    {.name = "skill",
     .kind = OPTIONS_TEXTS,
     .value_name = "NAME=LEVEL",
     .help = "what it takes, level 0 to 10; repeatable",
     AT(skills)},
    {.name = "language",
     .letter = 'l',
     .kind = OPTIONS_TEXT,
     .value_name = "TAG",
     .help = "es, gl, ...; only agents who speak it",
     AT(language)},
    {.name = "channel",
     .letter = 'c',
     .kind = OPTIONS_CHOICE,
     .choices = "web|chat|email|phone|api|bulk",
     .fallback = "api",
     .help = "how it came",
     AT(channel)},
    {.name = "priority",
     .letter = 'p',
     .kind = OPTIONS_U64,
     .max = PRIORITY_MAX,
     .value_name = "0..100",
     .help = "higher first; without: as the plan says",
     AT(priority)},
    {.name = "attribute",
     .letter = 'a',
     .kind = OPTIONS_TEXTS,
     .value_name = "NAME=TEXT",
     .help = "anything else that is known; repeatable",
     AT(attributes)},
    {.name = "key",
     .letter = 'k',
     .kind = OPTIONS_TEXT,
     .min = KEY_BYTES_MIN,
     .max = KEY_BYTES_MAX,
     .value_name = "TEXT",
     .help = "the same key never makes a second ticket",
     AT(key)},
    {.name = "not-before",
     .kind = OPTIONS_TEXT,
     .value_name = "TIME",
     .help = "waits until then, as 2026-01-31T08:00:00Z",
     AT(not_before)},
    {.name = "client",
     .kind = OPTIONS_TEXT,
     .max = NAME_BYTES_MAX,
     .value_name = "NAME",
     .help = "who submits; keys of two clients never clash",
     AT(client)},
    {.name = "file",
     .letter = 'f',
     .kind = OPTIONS_TEXT,
     .value_name = "FILE",
     .help = "JSON lines, - for standard input",
     AT(file)},
    {.name = "batch",
     .letter = 'b',
     .kind = OPTIONS_TEXT,
     .value_name = "NAME",
     .help = "with --file: makes its keys; without: FILE as typed",
     AT(batch)},
    {.name = "map",
     .letter = 'm',
     .kind = OPTIONS_TEXT,
     .value_name = "OURS=THEIRS,..",
     .help = "with --file: other names of its fields",
     AT(map)},
    CLI_SERVER_ROWS(struct submit_arguments),
};

static const struct options_table table = {
    .command = "ventanilla submit",
    .about =
        "Hands in one ticket and prints its id, or a file of tickets, one JSON object a line:\n"
        "  {\"key\",\"queue\",\"skills\":{\"name\":level},\"language\",\"channel\",\"priority\",\n"
        "   \"attributes\":{},\"text\",\"not_before\"}      all but text may be absent\n"
        "Lines that are refused are named as FILE:LINE, the others go in; exit 1 then. A line\n"
        "without a key gets one made of batch, line number and line, so that running the same\n"
        "command again creates nothing twice.",
    .more = "Examples:\n"
            "  ventanilla submit --queue padron --skill padron=3 --language gl --text \"Alta\"\n"
            "  ventanilla submit --file tickets.jsonl --map text=body,queue=service",
    .rows = rows,
    .row_count = ARRAY_LENGTH(rows),
};

/* ---- one ticket ---- */

struct single {
    const struct submit_arguments *arguments;
    struct submit submit;
    struct attribute attributes[ATTRIBUTES_MAX];
    char *text; /* read from standard input */
    uint8_t key[KEY_BYTES];
    struct submitted answer;
    char field[NAME_BYTES_MAX + 1];
};

struct pair {
    struct bytes name;
    struct bytes value;
};

static bool split(struct bytes text, struct pair *pair)
{
    const uint8_t *sign = text.size == 0 ? NULL : memchr(text.data, '=', text.size);
    if (sign == NULL || sign == text.data) {
        return false;
    }
    uint32_t size = (uint32_t) (sign - text.data);
    pair->name = bytes_of(text.data, size);
    pair->value = bytes_of(sign + 1, text.size - size - 1);
    return true;
}

static int read_skills(struct single *single)
{
    const struct options_list *list = &single->arguments->skills;
    for (uint32_t i = 0; i < list->count; i++) {
        struct bytes typed = list->items[i];
        struct pair pair;
        uint64_t level = 0;
        if (!split(typed, &pair) || text_parse_u64(pair.value, LEVEL_MAX, &level) != VT_OK) {
            cli_error("--skill %.*s: must be NAME=LEVEL, a level is 0 to %u",
                      (int) typed.size,
                      (const char *) typed.data,
                      LEVEL_MAX);
            return EXIT_CODE_USAGE;
        }
        single->submit.skills[i] = (struct skill){.name = pair.name, .level = (uint32_t) level};
    }
    single->submit.skill_count = list->count;
    return CLI_GO_ON;
}

/* Commas divide the option's values; one inside an attribute's text belongs to it. */
static bool goes_on(const struct options_list *list, uint32_t i)
{
    const struct bytes *before = i == 0 ? NULL : &list->items[i - 1];
    return before != NULL && list->items[i].data == before->data + before->size + 1 &&
           (list->items[i].size == 0 ||
            memchr(list->items[i].data, '=', list->items[i].size) == NULL);
}

static int read_attributes(struct single *single)
{
    const struct options_list *list = &single->arguments->attributes;
    uint32_t count = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        struct pair pair;
        if (goes_on(list, i) && count > 0) {
            single->attributes[count - 1].value.size += list->items[i].size + 1;
            continue;
        }
        if (!split(list->items[i], &pair)) {
            cli_error("--attribute %.*s: must be NAME=TEXT",
                      (int) list->items[i].size,
                      (const char *) list->items[i].data);
            return EXIT_CODE_USAGE;
        }
        single->attributes[count++] = (struct attribute){.name = pair.name, .value = pair.value};
    }
    single->submit.attributes = single->attributes;
    single->submit.attribute_count = count;
    return CLI_GO_ON;
}

/* One byte more than allowed is read, so that too much is noticed. */
static int read_text(struct single *single)
{
    const char *text = single->arguments->text;
    if (text == NULL || strcmp(text, "-") != 0) {
        single->submit.text = bytes_of_text(text);
        return CLI_GO_ON;
    }
    size_t room = BODY_BYTES_MAX + 1u;
    single->text = malloc(room);
    if (single->text == NULL) {
        return EXIT_CODE_FAILED;
    }
    size_t size = fread(single->text, 1, room, stdin);
    single->submit.text = bytes_of(single->text, (uint32_t) size);
    return CLI_GO_ON;
}

static int read_time(struct single *single)
{
    const char *typed = single->arguments->not_before;
    if (typed != NULL &&
        ticket_time_parse(bytes_of_text(typed), &single->submit.not_before_us) != VT_OK) {
        cli_error("--not-before %s: must be a time as 2026-01-31T08:00:00Z", typed);
        return EXIT_CODE_USAGE;
    }
    return CLI_GO_ON;
}

static void read_key(struct single *single)
{
    single->submit.key = bytes_of_text(single->arguments->key);
    if (single->arguments->key == NULL) {
        uint64_t words[] = {process_random_u64(), process_random_u64()};
        memcpy(single->key, words, sizeof single->key);
        single->submit.key = bytes_of(single->key, sizeof single->key);
    }
}

static int read_single(struct single *single)
{
    const struct submit_arguments *arguments = single->arguments;
    char error[TICKET_JSON_ERROR_BYTES];
    single->submit.queue = bytes_of_text(arguments->queue);
    single->submit.language = bytes_of_text(arguments->language);
    single->submit.client = bytes_of_text(arguments->client);
    single->submit.channel = (enum channel) arguments->channel;
    single->submit.priority = (uint32_t) arguments->priority;
    read_key(single);
    int code = read_text(single);
    if (code == CLI_GO_ON) {
        code = read_skills(single);
    }
    if (code == CLI_GO_ON) {
        code = read_attributes(single);
    }
    if (code == CLI_GO_ON) {
        code = read_time(single);
    }
    if (code == CLI_GO_ON && ticket_json_check(&single->submit, error) != VT_OK) {
        cli_error("%s", error);
        code = EXIT_CODE_USAGE;
    }
    return code;
}

static void answered(void *context, const struct submitted *answer)
{
    struct single *single = context;
    single->answer = *answer;
    uint32_t size = answer->field.size < NAME_BYTES_MAX ? answer->field.size : NAME_BYTES_MAX;
    if (size > 0) {
        memcpy(single->field, answer->field.data, size);
    }
}

static int refused(struct single *single, struct client *client)
{
    enum reason_code reason = single->answer.reason;
    char text[REFUSAL_BYTES];
    char hint[REFUSAL_BYTES] = "";
    single->answer.field = bytes_of_text(single->field);
    refusal_text(&single->answer, text);
    if (reason == REASON_QUEUE_UNKNOWN) {
        refusal_hint(client, single->submit.queue, hint);
    }
    cli_error("refused: %s%s", text, hint);
    if (reason == REASON_QUEUE_UNKNOWN || reason == REASON_POOL_UNKNOWN ||
        reason == REASON_SKILL_UNKNOWN) {
        return EXIT_CODE_NOT_FOUND;
    }
    return reason == REASON_MISMATCH ? EXIT_CODE_CONFLICT : EXIT_CODE_USAGE;
}

static void ticket_row(void *context, const struct reply *row)
{
    uint32_t *agents_able = context;
    if (row != NULL && row->row == ROW_TICKET) {
        *agents_able = row->ticket.agents_able;
        if (row->ticket.row.state != TICKET_QUEUED && row->ticket.row.state != TICKET_SCHEDULED) {
            *agents_able = UINT32_MAX; /* somebody has it already */
        }
    }
}

/* Whether anybody who is up could serve it: the router says so once it has it. */
static int check_servable(struct client *client, struct ticket_id ticket)
{
    uint32_t agents_able = UINT32_MAX;
    struct client_question question = {
        .what = QUERY_TICKET, .ticket = ticket, .row = ticket_row, .context = &agents_able};
    vt_err err = client_query(client, &question);
    if (err == VT_OK && agents_able == 0) {
        cli_error("accepted, and kept until it is served, but no agent who is up has the queue, "
                  "skills and language for it");
        return EXIT_CODE_NOBODY;
    }
    return EXIT_CODE_OK;
}

static int send_single(struct single *single, struct client *client)
{
    vt_err err = client_submit(client, &single->submit);
    if (err == VT_OK) {
        err = client_drain(client, 1);
    }
    if (err != VT_OK) {
        return cli_client_failed(err, single->arguments->server);
    }
    if (single->answer.answer == ANSWER_REJECT) {
        return refused(single, client);
    }
    char id[ID_TEXT_SIZE];
    id_to_text(single->answer.ticket, id);
    printf("%s\n", id);
    if (single->answer.answer == ANSWER_DUPLICATE) {
        fprintf(stderr, "ventanilla: this key was handed in before; it is the same ticket\n");
        return EXIT_CODE_OK;
    }
    return check_servable(client, single->answer.ticket);
}

static int submit_single(const struct submit_arguments *arguments)
{
    struct single *single = calloc(1, sizeof *single);
    struct client *client = NULL;
    if (single == NULL) {
        return EXIT_CODE_FAILED;
    }
    single->arguments = arguments;
    int code = read_single(single);
    if (code == CLI_GO_ON) {
        struct client_options options = {
            .server = arguments->server,
            .timeout_ms = arguments->timeout_ms,
            .window = 1,
            .answered = answered,
            .context = single,
        };
        vt_err err = client_open(&options, &client);
        code =
            err == VT_OK ? send_single(single, client) : cli_client_failed(err, arguments->server);
    }
    client_close(client);
    free(single->text);
    free(single);
    return code;
}

/* ---- a file of them ---- */

static int submit_many(const struct submit_arguments *arguments)
{
    struct submit_file_options options = {
        .path = arguments->file,
        .batch = arguments->batch,
        .server = arguments->server,
        .timeout_ms = arguments->timeout_ms,
        .client = bytes_of_text(arguments->client),
    };
    if (arguments->map != NULL &&
        ticket_json_parse_mapping(bytes_of_text(arguments->map), &options.json) != VT_OK) {
        cli_error("--map %s: must be OURS=THEIRS,... with at most %u different names of ours",
                  arguments->map,
                  TICKET_JSON_MAPPINGS_MAX);
        return EXIT_CODE_USAGE;
    }
    return submit_file_run(&options);
}

/* With --file the tickets say everything themselves. */
static const char *misplaced(const struct submit_arguments *arguments)
{
    bool has_single = arguments->text != NULL || arguments->queue != NULL ||
                      arguments->skills.count > 0 || arguments->language != NULL ||
                      arguments->attributes.count > 0 || arguments->key != NULL ||
                      arguments->not_before != NULL || arguments->priority != PRIORITY_ABSENT;
    bool has_file = arguments->file != NULL;
    if (has_file && has_single) {
        return "--file takes everything from its lines; leave out --text, --queue, --skill, "
               "--language, --priority, --attribute, --key and --not-before";
    }
    if (!has_file && (arguments->map != NULL || arguments->batch != NULL)) {
        return "--map and --batch go with --file";
    }
    if (!has_file && arguments->text == NULL) {
        return "what is the ticket? --text TEXT, or --file FILE for many";
    }
    return NULL;
}

int submit_command(struct cli_arguments arguments)
{
    struct submit_arguments *values = calloc(1, sizeof *values);
    struct options_result result;
    if (values == NULL) {
        return EXIT_CODE_FAILED;
    }
    values->priority = PRIORITY_ABSENT;
    int code = cli_parse(&table, arguments, values, &result);
    if (code == CLI_GO_ON) {
        const char *wrong = misplaced(values);
        if (wrong != NULL) {
            cli_error("%s", wrong);
            code = EXIT_CODE_USAGE;
        } else {
            code = values->file != NULL ? submit_many(values) : submit_single(values);
        }
    }
    free(values);
    return code;
}
