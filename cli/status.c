/* ventanilla status: queues and agents as they are now. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "lib/check.h"

struct status_arguments {
    const char *server;
    int64_t timeout_ms;
    uint32_t output;
};

enum output {
    OUTPUT_TABLE,
    OUTPUT_JSON
};

static const struct options_row rows[] = {
    {.name = "output",
     .letter = 'o',
     .kind = OPTIONS_CHOICE,
     .choices = "table|json",
     .fallback = "table",
     .help = "form of the answer",
     .offset = offsetof(struct status_arguments, output)},
    CLI_SERVER_ROWS(struct status_arguments),
};

static const struct options_table table = {
    .command = "ventanilla status",
    .about = "Shows what waits in each queue and what each agent has in hand. \"stuck\" waits\n"
             "without any agent up who could serve it; ASA is the average wait of what was\n"
             "answered.",
    .rows = rows,
    .row_count = ARRAY_LENGTH(rows),
};

/* All rows are kept as JSON, which the tables are made from. */
struct status {
    json_t *queues;
    json_t *agents;
};

static json_t *text_of(struct bytes text)
{
    json_t *value = json_stringn(text.size > 0 ? (const char *) text.data : "", text.size);
    return value != NULL ? value : json_string("?");
}

static json_t *number_of(uint64_t number)
{
    return json_integer((json_int_t) number);
}

static json_t *queue_of(const struct queue_figures *queue)
{
    json_t *row = json_object();
    int64_t answered = (int64_t) queue->answered_total;
    json_object_set_new(row, "pool", text_of(queue->pool_name));
    json_object_set_new(row, "queue", text_of(queue->name));
    json_object_set_new(row, "waiting", number_of(queue->waiting));
    json_object_set_new(row, "oldest_wait_ms", json_integer(queue->oldest_wait_ms));
    json_object_set_new(row, "unservable", number_of(queue->unservable));
    json_object_set_new(row, "offered", number_of(queue->offered));
    json_object_set_new(row, "assigned", number_of(queue->assigned));
    json_object_set_new(row, "parked", number_of(queue->parked));
    json_object_set_new(row, "scheduled", number_of(queue->scheduled));
    json_object_set_new(row, "agents_up", number_of(queue->agents_up));
    json_object_set_new(row, "agents_free", number_of(queue->agents_free));
    json_object_set_new(row, "entered_total", number_of(queue->entered_total));
    json_object_set_new(row, "answered_total", number_of(queue->answered_total));
    json_object_set_new(row, "completed_total", number_of(queue->completed_total));
    json_object_set_new(row, "cancelled_total", number_of(queue->cancelled_total));
    json_object_set_new(row, "requeued_total", number_of(queue->requeued_total));
    json_object_set_new(row, "dead_total", number_of(queue->dead_total));
    json_object_set_new(
        row, "asa_ms", json_integer(answered > 0 ? queue->wait_sum_ms / answered : 0));
    return row;
}

static const char *activity_of(const struct agent_figures *agent)
{
    if (!agent->is_up) {
        return "away";
    }
    if (agent->busy > 0) {
        return "working";
    }
    return agent->offered > 0 ? "offered" : "free";
}

static json_t *agent_of(const struct agent_figures *agent)
{
    json_t *row = json_object();
    json_object_set_new(row, "site", text_of(agent->site_name));
    json_object_set_new(row, "agent", text_of(agent->name));
    json_object_set_new(row, "activity", json_string(activity_of(agent)));
    json_object_set_new(row, "is_up", json_boolean(agent->is_up));
    json_object_set_new(row, "is_person", json_boolean(agent->is_person));
    json_object_set_new(row, "capacity", number_of(agent->capacity));
    json_object_set_new(row, "working", number_of(agent->busy));
    json_object_set_new(row, "offered", number_of(agent->offered));
    json_object_set_new(row, "completed_total", number_of(agent->completed_total));
    json_object_set_new(row, "idle_ms", json_integer(agent->idle_ms));
    return row;
}

static void row_came(void *context, const struct reply *reply)
{
    struct status *status = context;
    if (reply == NULL) {
        return;
    }
    if (reply->row == ROW_QUEUE) {
        json_array_append_new(status->queues, queue_of(&reply->queue));
    } else if (reply->row == ROW_AGENT) {
        json_array_append_new(status->agents, agent_of(&reply->agent));
    }
}

static void queue_came(void *context, const struct reply *reply)
{
    if (reply == NULL) {
        json_array_clear(((struct status *) context)->queues);
    }
    row_came(context, reply);
}

static void agent_came(void *context, const struct reply *reply)
{
    if (reply == NULL) {
        json_array_clear(((struct status *) context)->agents);
    }
    row_came(context, reply);
}

/* ---- order and tables ---- */

static const char *string_at(const json_t *row, const char *name)
{
    return json_string_value(json_object_get(row, name));
}

static uint64_t number_at(const json_t *row, const char *name)
{
    return (uint64_t) json_integer_value(json_object_get(row, name));
}

static int compare_rows(const void *a, const void *b, const char *group, const char *name)
{
    const json_t *x = *(const json_t *const *) a;
    const json_t *y = *(const json_t *const *) b;
    int order = strcmp(string_at(x, group), string_at(y, group));
    return order != 0 ? order : strcmp(string_at(x, name), string_at(y, name));
}

static int compare_queues(const void *a, const void *b)
{
    return compare_rows(a, b, "pool", "queue");
}

static int compare_agents(const void *a, const void *b)
{
    return compare_rows(a, b, "site", "agent");
}

static json_t *sorted(json_t *list, int (*compare)(const void *, const void *))
{
    size_t count = json_array_size(list);
    json_t **items = calloc(count + 1, sizeof(json_t *));
    json_t *result = json_array();
    for (size_t i = 0; items != NULL && i < count; i++) {
        items[i] = json_array_get(list, i);
    }
    if (items != NULL) {
        qsort(items, count, sizeof(json_t *), compare);
    }
    for (size_t i = 0; items != NULL && i < count; i++) {
        json_array_append(result, items[i]);
    }
    free(items);
    json_decref(list);
    return result;
}

static void add_text(struct table *out, const json_t *row, const char *name)
{
    table_text(out, bytes_of_text(string_at(row, name)));
}

static void print_queues(const json_t *queues)
{
    static const struct table_column columns[] = {{"POOL", TABLE_LEFT},
                                                  {"QUEUE", TABLE_LEFT},
                                                  {"WAITING", TABLE_RIGHT},
                                                  {"OLDEST", TABLE_RIGHT},
                                                  {"STUCK", TABLE_RIGHT},
                                                  {"ASSIGNED", TABLE_RIGHT},
                                                  {"PARKED", TABLE_RIGHT},
                                                  {"LATER", TABLE_RIGHT},
                                                  {"DONE", TABLE_RIGHT},
                                                  {"DEAD", TABLE_RIGHT},
                                                  {"ASA", TABLE_RIGHT},
                                                  {"AGENTS", TABLE_RIGHT},
                                                  {"FREE", TABLE_RIGHT}};
    struct table *out = table_open(columns, ARRAY_LENGTH(columns));
    size_t i = 0;
    json_t *row = NULL;
    if (out == NULL) {
        return;
    }
    json_array_foreach(queues, i, row)
    {
        table_row(out);
        add_text(out, row, "pool");
        add_text(out, row, "queue");
        table_number(out, number_at(row, "waiting"));
        table_duration(out, (int64_t) number_at(row, "oldest_wait_ms"));
        table_number(out, number_at(row, "unservable"));
        table_number(out, number_at(row, "assigned"));
        table_number(out, number_at(row, "parked"));
        table_number(out, number_at(row, "scheduled"));
        table_number(out, number_at(row, "completed_total"));
        table_number(out, number_at(row, "dead_total"));
        table_duration(out, (int64_t) number_at(row, "asa_ms"));
        table_number(out, number_at(row, "agents_up"));
        table_number(out, number_at(row, "agents_free"));
    }
    table_close(out);
}

static void print_agents(const json_t *agents)
{
    static const struct table_column columns[] = {{"SITE", TABLE_LEFT},
                                                  {"AGENT", TABLE_LEFT},
                                                  {"ACTIVITY", TABLE_LEFT},
                                                  {"WORKING", TABLE_RIGHT},
                                                  {"CAPACITY", TABLE_RIGHT},
                                                  {"DONE", TABLE_RIGHT},
                                                  {"SINCE", TABLE_RIGHT}};
    struct table *out = table_open(columns, ARRAY_LENGTH(columns));
    size_t i = 0;
    json_t *row = NULL;
    if (out == NULL) {
        return;
    }
    json_array_foreach(agents, i, row)
    {
        table_row(out);
        add_text(out, row, "site");
        add_text(out, row, "agent");
        add_text(out, row, "activity");
        table_number(out, number_at(row, "working"));
        table_number(out, number_at(row, "capacity"));
        table_number(out, number_at(row, "completed_total"));
        table_duration(out, (int64_t) number_at(row, "idle_ms"));
    }
    table_close(out);
}

static int print_status(const struct status *status, enum output output)
{
    if (output == OUTPUT_JSON) {
        json_t *root = json_pack("{s:O,s:O}", "queues", status->queues, "agents", status->agents);
        int failed = json_dumpf(root, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(root);
        return failed == 0 ? EXIT_CODE_OK : EXIT_CODE_FAILED;
    }
    cli_set_locale();
    print_queues(status->queues);
    putchar('\n');
    if (json_array_size(status->agents) == 0) {
        puts("No agents are here: start one with `ventanilla serve --agents FILE` or "
             "ventanilla-agentd.");
    }
    print_agents(status->agents);
    return EXIT_CODE_OK;
}

static vt_err ask(struct client *client, struct status *status)
{
    struct client_question queues = {.what = QUERY_QUEUES, .row = queue_came, .context = status};
    struct client_question agents = {.what = QUERY_AGENTS, .row = agent_came, .context = status};
    vt_err err = client_query(client, &queues);
    return err == VT_OK ? client_query(client, &agents) : err;
}

int status_command(struct cli_arguments arguments)
{
    struct status_arguments values = {0};
    struct options_result result;
    int code = cli_parse(&table, arguments, &values, &result);
    if (code != CLI_GO_ON) {
        return code;
    }
    struct client *client = NULL;
    struct client_options options = {.server = values.server, .timeout_ms = values.timeout_ms};
    struct status status = {.queues = json_array(), .agents = json_array()};
    vt_err err = client_open(&options, &client);
    if (err == VT_OK) {
        err = ask(client, &status);
    }
    client_close(client);
    if (err == VT_OK) {
        status.queues = sorted(status.queues, compare_queues);
        status.agents = sorted(status.agents, compare_agents);
        code = print_status(&status, (enum output) values.output);
    } else {
        code = cli_client_failed(err, values.server);
    }
    json_decref(status.queues);
    json_decref(status.agents);
    return code;
}
