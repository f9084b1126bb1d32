#include "agentd/report.h"

#include "agentd/inside.h"
#include "lib/check.h"

/* Rows of AGENTD_AGENTS_MAX agents need less; a step that cannot spare it answers "try again". */
#define AGENTS_SCRATCH_BYTES (UINT64_C(6) << 20)

struct asker {
    struct agentd *a;
    struct address from;
    uint64_t ref;
};

static struct reply *add_row(const struct asker *asker, enum reply_row row)
{
    struct header header = {.kind = MESSAGE_REPLY};
    struct reply *reply = message_add(asker->a->out, asker->from, &header);
    reply->ref = asker->ref;
    reply->row = row;
    return reply;
}

static void add_end(const struct asker *asker, vt_err err)
{
    add_row(asker, ROW_END)->end.error = err;
}

static void add_check(const struct asker *asker, const char *name, bool is_ok, const char *text)
{
    struct check_result *check = &add_row(asker, ROW_CHECK)->check;
    check->name = bytes_of_text(name);
    check->is_ok = is_ok;
    check->text = bytes_of_text(text);
}

static void report_checks(const struct asker *asker)
{
    const struct agentd *a = asker->a;
    bool is_up = uplink_is_up(&a->uplink);
    bool is_written = !a->journal.is_failing;
    add_check(asker, "uplink", is_up, is_up ? "connected to a broker" : "no broker answers");
    add_check(asker, "journal", is_written, is_written ? "writable" : "cannot be written");
    add_end(asker, VT_OK);
}

struct metric_row {
    const char *name;
    const char *labels;
    const char *help;
    enum metric_type type;
    uint64_t value;
};

static void add_metrics(const struct asker *asker, const struct metric_row *rows, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct metric *metric = &add_row(asker, ROW_METRIC)->metric;
        metric->name = bytes_of_text(rows[i].name);
        metric->labels = bytes_of_text(rows[i].labels);
        metric->help = bytes_of_text(rows[i].help);
        metric->type = rows[i].type;
        metric->value = (int64_t) rows[i].value;
        metric->divisor = 1;
    }
}

static void add_gauges(const struct asker *asker)
{
    const struct agentd *a = asker->a;
    uint64_t waiting =
        (uint64_t) work_count(&a->work, WORK_ENDING) + work_count(&a->work, WORK_ENDED);
    const struct metric_row rows[] = {
        {"ventanilla_agentd_uplink_up",
         "",
         "1 while a broker has welcomed this site.",
         METRIC_GAUGE,
         uplink_is_up(&a->uplink) ? 1 : 0},
        {"ventanilla_agentd_slots_used",
         "",
         "Slots reserved or working.",
         METRIC_GAUGE,
         a->slots.used},
        {"ventanilla_agentd_slots_max", "", "Slots of this site.", METRIC_GAUGE, a->slots.used_max},
        {"ventanilla_agentd_work",
         "",
         "Tickets that agents have in hand.",
         METRIC_GAUGE,
         work_count(&a->work, WORK_WORKING)},
        {"ventanilla_agentd_outcomes_waiting",
         "",
         "Finished tickets whose owner has not answered yet.",
         METRIC_GAUGE,
         waiting},
        {"ventanilla_agentd_journal_failing",
         "",
         "1 while the journal cannot be written.",
         METRIC_GAUGE,
         a->journal.is_failing ? 1 : 0},
    };
    add_metrics(asker, rows, ARRAY_LENGTH(rows));
}

static void add_counters(const struct asker *asker)
{
    const struct agentd *a = asker->a;
    static const char ended_name[] = "ventanilla_agentd_outcomes_total";
    static const char ended_help[] = "Tickets that agents of this site finished, by how.";
    const uint64_t *ended = a->outcomes_total;
    const struct metric_row rows[] = {
        {"ventanilla_agentd_uplink_ups_total",
         "",
         "Times that a broker welcomed this site.",
         METRIC_COUNTER,
         a->uplink.ups_total},
        {"ventanilla_agentd_offers_accepted_total",
         "",
         "Offers that were accepted.",
         METRIC_COUNTER,
         a->accepted_total},
        {"ventanilla_agentd_offers_declined_total",
         "",
         "Offers that were declined.",
         METRIC_COUNTER,
         a->declined_total},
        {"ventanilla_agentd_reservations_expired_total",
         "",
         "Reservations that ended without an answer.",
         METRIC_COUNTER,
         a->expired_total},
        {ended_name, "what=\"complete\"", ended_help, METRIC_COUNTER, ended[OUTCOME_COMPLETE]},
        {ended_name, "what=\"park\"", ended_help, METRIC_COUNTER, ended[OUTCOME_PARK]},
        {ended_name, "what=\"handoff\"", ended_help, METRIC_COUNTER, ended[OUTCOME_HANDOFF]},
        {ended_name, "what=\"give_back\"", ended_help, METRIC_COUNTER, ended[OUTCOME_GIVE_BACK]},
    };
    add_metrics(asker, rows, ARRAY_LENGTH(rows));
}

static void report_metrics(const struct asker *asker)
{
    add_gauges(asker);
    add_counters(asker);
    add_end(asker, VT_OK);
}

static void report_agents(const struct asker *asker)
{
    const struct agentd *a = asker->a;
    if (arena_free_bytes(&a->out->scratch) < AGENTS_SCRATCH_BYTES) {
        add_end(asker, VT_UNAVAILABLE);
        return;
    }
    for (uint32_t i = 0; i < a->options.agent_count; i++) {
        const struct agentd_agent *agent = &a->options.agents[i];
        const struct slots_agent *slots = &a->slots.agents[i];
        add_row(asker, ROW_AGENT)->agent = (struct agent_figures){
            .agent = desk_id(&a->desk, i),
            .site_name = a->options.site,
            .name = agent->name,
            .is_up = uplink_is_up(&a->uplink) && slots->is_available,
            .is_person = agent->is_person,
            .capacity = agent->capacity,
            .busy = slots->working,
            .offered = slots->reserved,
            .idle_ms = a->now_ms - slots->idle_since_ms,
        };
    }
    add_end(asker, VT_OK);
}

void report_receive(struct agentd *a, struct address from, const struct message *message)
{
    if (message->header.kind != MESSAGE_QUERY) {
        return;
    }
    for (uint32_t i = 0; i < message->count; i++) {
        struct asker asker = {.a = a, .from = from, .ref = message->query[i].ref};
        if (effects_room(a->out) <= INSIDE_ROOM_MIN) {
            return;
        }
        switch (message->query[i].what) {
        case QUERY_METRICS:
            report_metrics(&asker);
            break;
        case QUERY_CHECKS:
            report_checks(&asker);
            break;
        case QUERY_AGENTS:
            report_agents(&asker);
            break;
        case QUERY_TICKET:
        case QUERY_QUEUES:
            add_end(&asker, VT_NOT_FOUND);
            break;
        }
    }
}
