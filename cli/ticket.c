/* ventanilla ticket: show one with its history, cancel it, write on it. */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "io/process.h"
#include "io/ticket_json.h"
#include "lib/check.h"
#include "lib/id.h"
#include "proto/requirements.h"

struct ticket_arguments {
    const char *server;
    int64_t timeout_ms;
    uint32_t output;
    const char *text; /* note; cancel: reason */
    const char *author;
    bool wants_person;
};

enum output {
    OUTPUT_TABLE,
    OUTPUT_JSON
};

#define AT(member) .offset = offsetof(struct ticket_arguments, member)

static const struct options_row show_rows[] = {
    {.name = "output",
     .letter = 'o',
     .kind = OPTIONS_CHOICE,
     .choices = "table|json",
     .fallback = "table",
     .help = "form of the answer",
     AT(output)},
    CLI_SERVER_ROWS(struct ticket_arguments),
};

static const struct options_table show_table = {
    .command = "ventanilla ticket show",
    .positionals = "ID",
    .about = "Shows a ticket's state and everything that happened to it.",
    .rows = show_rows,
    .row_count = ARRAY_LENGTH(show_rows),
    .positional_min = 1,
    .positional_max = 1,
};

static const struct options_row cancel_rows[] = {
    {.name = "reason",
     .letter = 'r',
     .kind = OPTIONS_TEXT,
     .max = REASON_BYTES_MAX,
     .value_name = "TEXT",
     .help = "kept in its history",
     AT(text)},
    CLI_SERVER_ROWS(struct ticket_arguments),
};

static const struct options_table cancel_table = {
    .command = "ventanilla ticket cancel",
    .positionals = "ID",
    .about = "Cancels an open ticket; an agent who works on it is told to stop.",
    .rows = cancel_rows,
    .row_count = ARRAY_LENGTH(cancel_rows),
    .positional_min = 1,
    .positional_max = 1,
};

static const struct options_row note_rows[] = {
    {.name = "text",
     .letter = 't',
     .kind = OPTIONS_TEXT,
     .is_required = true,
     .min = 1,
     .max = BODY_BYTES_MAX,
     .value_name = "TEXT",
     .help = "what the requester writes",
     AT(text)},
    {.name = "author",
     .kind = OPTIONS_TEXT,
     .fallback = "requester",
     .max = NAME_BYTES_MAX,
     .value_name = "NAME",
     .help = "who writes it",
     AT(author)},
    {.name = "person",
     .kind = OPTIONS_FLAG,
     .help = "from now on only a person may take it",
     AT(wants_person)},
    CLI_SERVER_ROWS(struct ticket_arguments),
};

static const struct options_table note_table = {
    .command = "ventanilla ticket note",
    .positionals = "ID",
    .about = "Adds a message of the requester to an open ticket.",
    .rows = note_rows,
    .row_count = ARRAY_LENGTH(note_rows),
    .positional_min = 1,
    .positional_max = 1,
};

/* What every one of them begins with. */
struct task {
    struct ticket_arguments arguments;
    struct client *client;
    struct ticket_id ticket;
    const char *typed;
};

static int
begin(const struct options_table *table, struct cli_arguments arguments, struct task *task)
{
    struct options_result result;
    uint32_t bits = 0;
    int code = cli_parse(table, arguments, &task->arguments, &result);
    if (code != CLI_GO_ON) {
        return code;
    }
    task->typed = result.positionals[0];
    struct bytes typed = bytes_of_text(task->typed);
    if (id_from_text(typed, &task->ticket) != VT_OK) {
        cli_error(id_short_parse(typed, &bits) == VT_OK
                      ? "%s is a short form; the whole id is needed, as `ventanilla submit` "
                        "printed it"
                      : "%s is not a ticket's id, as 018f2b6e-7c1a-7000-8000-000000000000",
                  task->typed);
        return EXIT_CODE_USAGE;
    }
    struct client_options options = {.server = task->arguments.server,
                                     .timeout_ms = task->arguments.timeout_ms};
    vt_err err = client_open(&options, &task->client);
    return err == VT_OK ? CLI_GO_ON : cli_client_failed(err, task->arguments.server);
}

static int absent(const struct task *task)
{
    cli_error("there is no ticket %s", task->typed);
    return EXIT_CODE_NOT_FOUND;
}

/* ---- show ---- */

static const char *history_text(enum history_kind kind)
{
    static const char *const names[] = {[HISTORY_SUBMITTED] = "submitted",
                                        [HISTORY_DUE] = "due",
                                        [HISTORY_ASSIGNED] = "assigned",
                                        [HISTORY_COMPLETED] = "completed",
                                        [HISTORY_REQUEUED] = "requeued",
                                        [HISTORY_PARKED] = "parked",
                                        [HISTORY_MESSAGE] = "message",
                                        [HISTORY_CANCELLED] = "cancelled",
                                        [HISTORY_DEAD] = "dead",
                                        [HISTORY_NOTE] = "note"};
    uint32_t place = (uint32_t) kind;
    return place < ARRAY_LENGTH(names) && names[place] != NULL ? names[place] : "unknown";
}

static json_t *text_of(struct bytes text)
{
    json_t *value = json_stringn(text.size > 0 ? (const char *) text.data : "", text.size);
    return value != NULL ? value : json_string("?");
}

static json_t *time_of(int64_t unix_us)
{
    char text[CLI_TIME_BYTES];
    cli_time_text(unix_us, text);
    return unix_us == 0 ? json_null() : json_string(text);
}

static void add_requirements(json_t *root, struct bytes blob)
{
    struct requirements requirements;
    json_t *skills = json_object();
    if (requirements_read(blob, &requirements) == VT_OK) {
        for (uint32_t i = 0; i < requirements.skill_count; i++) {
            struct bytes name = requirements.skills[i].name;
            char text[NAME_BYTES_MAX + 1];
            snprintf(text, sizeof text, "%.*s", (int) name.size, (const char *) name.data);
            json_object_set_new(
                skills, text, json_integer((json_int_t) requirements.skills[i].level));
        }
        json_object_set_new(root, "language", text_of(requirements.language));
        json_object_set_new(
            root, "channel", json_string(ticket_json_channel_text(requirements.channel)));
    }
    json_object_set_new(root, "skills", skills);
}

static void take_ticket(json_t *root, const struct reply *reply)
{
    const struct ticket_row *row = &reply->ticket.row;
    char id[ID_TEXT_SIZE];
    char brief[ID_SHORT_SIZE];
    id_to_text(row->id, id);
    id_to_short(row->id, brief);
    json_object_set_new(root, "id", json_string(id));
    json_object_set_new(root, "short", json_string(brief));
    json_object_set_new(root, "state", json_string(cli_state_text(row->state)));
    json_object_set_new(root, "queue", text_of(reply->ticket.queue_name));
    json_object_set_new(root, "priority", json_integer((json_int_t) row->priority));
    add_requirements(root, row->requirements);
    json_object_set_new(root, "attempt", json_integer((json_int_t) row->attempt));
    json_object_set_new(root, "failures", json_integer((json_int_t) row->fails));
    json_object_set_new(root, "agent", text_of(row->agent_name));
    json_object_set_new(root, "site", text_of(row->site_name));
    json_object_set_new(root, "messages", json_integer((json_int_t) row->msgs));
    json_object_set_new(root, "person_requested", json_boolean(row->person_requested));
    json_object_set_new(root, "created", time_of(row->created_us));
    json_object_set_new(root, "not_before", time_of(row->due_us));
    json_object_set_new(root, "answer", text_of(reply->ticket.answer));
    json_object_set_new(root,
                        "agents_able",
                        reply->ticket.agents_able == UINT32_MAX
                            ? json_null()
                            : json_integer((json_int_t) reply->ticket.agents_able));
}

static json_t *history_of(const struct history_row *row)
{
    json_t *made = json_object();
    json_object_set_new(made, "at", time_of(row->at_us));
    json_object_set_new(made, "event", json_string(history_text(row->kind)));
    json_object_set_new(made, "attempt", json_integer((json_int_t) row->attempt));
    json_object_set_new(made, "agent", text_of(row->agent_name));
    json_object_set_new(made, "detail", text_of(row->detail));
    return made;
}

static void row_came(void *context, const struct reply *reply)
{
    json_t *root = context;
    if (reply == NULL) {
        json_object_clear(root);
        json_object_set_new(root, "history", json_array());
    } else if (reply->row == ROW_TICKET) {
        take_ticket(root, reply);
    } else if (reply->row == ROW_HISTORY) {
        json_array_append_new(json_object_get(root, "history"), history_of(&reply->history));
    }
}

static void print_line(const json_t *root, const char *title, const char *name)
{
    const char *text = json_string_value(json_object_get(root, name));
    if (text != NULL && text[0] != '\0') {
        printf("%-10s %s\n", title, text);
    }
}

static void print_number(const json_t *root, const char *title, const char *name)
{
    printf(
        "%-10s %" JSON_INTEGER_FORMAT "\n", title, json_integer_value(json_object_get(root, name)));
}

static void print_skills(const json_t *root)
{
    const char *name = NULL;
    json_t *level = NULL;
    const char *before = "skills     ";
    json_object_foreach(json_object_get(root, "skills"), name, level)
    {
        printf("%s%s=%" JSON_INTEGER_FORMAT, before, name, json_integer_value(level));
        before = ", ";
    }
    if (before[0] == ',') {
        putchar('\n');
    }
}

static void print_history(const json_t *history)
{
    static const struct table_column columns[] = {{"TIME", TABLE_LEFT},
                                                  {"EVENT", TABLE_LEFT},
                                                  {"ATTEMPT", TABLE_RIGHT},
                                                  {"AGENT", TABLE_LEFT},
                                                  {"DETAIL", TABLE_LEFT}};
    struct table *out = table_open(columns, ARRAY_LENGTH(columns));
    size_t i = 0;
    json_t *row = NULL;
    if (out == NULL) {
        return;
    }
    json_array_foreach(history, i, row)
    {
        table_row(out);
        table_text(out, bytes_of_text(json_string_value(json_object_get(row, "at"))));
        table_text(out, bytes_of_text(json_string_value(json_object_get(row, "event"))));
        table_number(out, (uint64_t) json_integer_value(json_object_get(row, "attempt")));
        table_text(out, bytes_of_text(json_string_value(json_object_get(row, "agent"))));
        table_text(out, bytes_of_text(json_string_value(json_object_get(row, "detail"))));
    }
    table_close(out);
}

static void print_ticket(const json_t *root)
{
    const json_t *able = json_object_get(root, "agents_able");
    cli_set_locale();
    print_line(root, "id", "id");
    print_line(root, "short", "short");
    print_line(root, "state", "state");
    print_line(root, "queue", "queue");
    print_number(root, "priority", "priority");
    print_line(root, "language", "language");
    print_skills(root);
    print_line(root, "channel", "channel");
    print_line(root, "created", "created");
    print_line(root, "not before", "not_before");
    print_line(root, "agent", "agent");
    print_line(root, "site", "site");
    print_number(root, "attempts", "attempt");
    print_number(root, "failures", "failures");
    if (json_is_true(json_object_get(root, "person_requested"))) {
        printf("%-10s %s\n", "person", "asked for, so programs do not get it");
    }
    print_line(root, "answer", "answer");
    if (json_is_integer(able)) {
        printf("%-10s %" JSON_INTEGER_FORMAT " agents who are up could serve it\n",
               "agents",
               json_integer_value(able));
    }
    putchar('\n');
    print_history(json_object_get(root, "history"));
}

static int show(struct task *task)
{
    json_t *root = json_object();
    struct client_question question = {
        .what = QUERY_TICKET, .ticket = task->ticket, .row = row_came, .context = root};
    vt_err err = client_query(task->client, &question);
    int code = EXIT_CODE_OK;
    if (err == VT_NOT_FOUND) {
        code = absent(task);
    } else if (err != VT_OK) {
        code = cli_client_failed(err, task->arguments.server);
    } else if (task->arguments.output == OUTPUT_JSON) {
        (void) json_dumpf(root, stdout, JSON_INDENT(2));
        putchar('\n');
    } else {
        print_ticket(root);
    }
    json_decref(root);
    return code;
}

/* ---- cancel and note ---- */

static int conclude(const struct task *task, vt_err err, const struct answered *answer)
{
    if (err != VT_OK) {
        return cli_client_failed(err, task->arguments.server);
    }
    if (answer->answer != ANSWER_REJECT) {
        return EXIT_CODE_OK;
    }
    if (answer->reason == REASON_NO_TICKET) {
        return absent(task);
    }
    cli_error("%s: %s", task->typed, reason_text(answer->reason));
    return answer->reason == REASON_CLOSED || answer->reason == REASON_MISMATCH ? EXIT_CODE_CONFLICT
                                                                                : EXIT_CODE_FAILED;
}

static int cancel(struct task *task)
{
    struct answered answer = {0};
    struct cancel request = {.ticket = task->ticket, .reason = bytes_of_text(task->arguments.text)};
    return conclude(task, client_cancel(task->client, &request, &answer), &answer);
}

static int note(struct task *task)
{
    struct answered answer = {0};
    uint64_t key[] = {process_random_u64(), process_random_u64()};
    struct note request = {.ticket = task->ticket,
                           .author = bytes_of_text(task->arguments.author),
                           .key = bytes_of(key, sizeof key),
                           .text = bytes_of_text(task->arguments.text),
                           .wants_person = task->arguments.wants_person};
    if (!bytes_is_utf8(request.text) || !bytes_is_utf8(request.author)) {
        cli_error("the text is not valid UTF-8");
        return EXIT_CODE_USAGE;
    }
    return conclude(task, client_note(task->client, &request, &answer), &answer);
}

/* ---- which one ---- */

static const struct {
    const char *name;
    const struct options_table *table;
    int (*run)(struct task *task);
    const char *help;
} verbs[] = {
    {"show", &show_table, show, "state and history"},
    {"cancel", &cancel_table, cancel, "close it unserved"},
    {"note", &note_table, note, "a message of the requester"},
};

static int help(FILE *out, int code)
{
    fputs("Usage: ventanilla ticket VERB ID [OPTION...]\n\nVerbs:\n", out);
    for (uint32_t i = 0; i < ARRAY_LENGTH(verbs); i++) {
        fprintf(out, "  %-8s %s\n", verbs[i].name, verbs[i].help);
    }
    fprintf(out, "\nventanilla ticket VERB --help says more.\n\n%s", CLI_EXIT_CODES);
    return code;
}

int ticket_command(struct cli_arguments arguments)
{
    if (arguments.argc < 2) {
        return help(stderr, EXIT_CODE_USAGE);
    }
    const char *typed = arguments.argv[1];
    if (strcmp(typed, "--help") == 0 || strcmp(typed, "-h") == 0) {
        return help(stdout, EXIT_CODE_OK);
    }
    for (uint32_t i = 0; i < ARRAY_LENGTH(verbs); i++) {
        if (strcmp(typed, verbs[i].name) == 0) {
            struct cli_arguments rest = {.argc = arguments.argc - 1, .argv = arguments.argv + 1};
            struct task task = {0};
            int code = begin(verbs[i].table, rest, &task);
            code = code == CLI_GO_ON ? verbs[i].run(&task) : code;
            client_close(task.client);
            return code;
        }
    }
    cli_error("unknown verb '%s'; known are show, cancel, note", typed);
    return EXIT_CODE_USAGE;
}
