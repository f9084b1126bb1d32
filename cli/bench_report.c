#include "cli/bench_report.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "cli/cli.h"
#include "cli/table.h"
#include "lib/check.h"

/* ---- table ---- */

struct goal {
    enum bench_phase phase;
    const char *figure;
    const char *floor;
    const char *aim;
};

static void add_row(struct table *table, const struct goal *goal, const char *value)
{
    table_row(table);
    table_text(table, bytes_of_text(goal->figure));
    table_text(table, bytes_of_text(value));
    table_text(table, bytes_of_text(goal->floor));
    table_text(table, bytes_of_text(goal->aim));
}

static void add_rates(struct table *table, const struct bench_results *results)
{
    static const struct goal goals[] = {
        {BENCH_INTAKE, "acknowledged intake /s", ">= 120000", "250000"},
        {BENCH_INTAKE_SYNC, "intake one by one /s", ">= 2500", "4000"},
        {BENCH_LIFECYCLES, "lifecycles /s", ">= 40000", "100000"},
        {BENCH_LIFECYCLES_4X1, "lifecycles, 4 agents of 1, /s", ">= 5000", "9000"},
    };
    for (uint32_t i = 0; i < ARRAY_LENGTH(goals); i++) {
        char value[64];
        const struct bench_rate *rate = &results->rates[goals[i].phase];
        if (results->has[goals[i].phase]) {
            snprintf(value,
                     sizeof value,
                     "%.0f (%.0f..%.0f)",
                     bench_phases_median(rate),
                     rate->values[0],
                     rate->values[rate->count - 1]);
            add_row(table, &goals[i], value);
        }
    }
}

static void add_others(struct table *table, const struct bench_results *results)
{
    static const struct goal goals[] = {
        {BENCH_LATENCY, "submit to offer p99, ms", "<= 3", "1.4"},
        {BENCH_MATCHING, "decision, ticket arrives p99, us", "<= 20", "5"},
        {BENCH_MATCHING, "decision, agent frees p99, us", "<= 20", "5"},
        {BENCH_FILL, "memory per waiting ticket, B", "<= 512", "256"},
        {BENCH_RESTART, "restart, s", "<= 10", "3"},
    };
    const double values[] = {results->offer_ms.p99,
                             results->decision.arrive.p99,
                             results->decision.free.p99,
                             results->bytes_per_waiting,
                             results->restart_s};
    for (uint32_t i = 0; i < ARRAY_LENGTH(goals); i++) {
        char value[64];
        if (results->has[goals[i].phase]) {
            snprintf(value, sizeof value, "%.2f", values[i]);
            add_row(table, &goals[i], value);
        }
    }
}

void bench_report_table(const struct bench_results *results)
{
    static const struct table_column columns[] = {{"figure", TABLE_LEFT},
                                                  {"measured", TABLE_RIGHT},
                                                  {"asked", TABLE_RIGHT},
                                                  {"aim", TABLE_RIGHT}};
    cli_set_locale();
    struct table *table = table_open(columns, ARRAY_LENGTH(columns));
    if (table == NULL) {
        return;
    }
    add_rates(table, results);
    add_others(table, results);
    table_close(table);
    if (results->has[BENCH_LIFECYCLES] || results->has[BENCH_INTAKE]) {
        printf("server CPU per 100,000: intake %.2f s, lifecycles %.2f s\n",
               results->cpu_s_per_100k_intake,
               results->cpu_s_per_100k);
    }
    const struct bench_check *check = &results->check;
    printf("%llu acknowledged, %llu completed, %llu lost, %llu doubled; %llu commits, %llu syncs\n",
           (unsigned long long) check->acknowledged,
           (unsigned long long) check->completed,
           (unsigned long long) check->lost,
           (unsigned long long) check->doubled,
           (unsigned long long) results->commits,
           (unsigned long long) results->fsyncs);
}

/* ---- JSON ---- */

static void set_real(json_t *object, const char *key, double value)
{
    json_object_set_new(object, key, json_real(value));
}

static void set_count(json_t *object, const char *key, uint64_t value)
{
    json_object_set_new(object, key, json_integer((json_int_t) value));
}

static void set_quantiles(json_t *object, const char *key, const struct bench_quantiles *values)
{
    json_t *inner = json_object();
    set_real(inner, "p50", values->p50);
    set_real(inner, "p99", values->p99);
    set_real(inner, "p999", values->p999);
    json_object_set_new(object, key, inner);
}

static void set_times(json_t *object, const char *key, const struct bench_matching_times *times)
{
    json_t *inner = json_object();
    set_real(inner, "p50", times->p50);
    set_real(inner, "p99", times->p99);
    json_object_set_new(object, key, inner);
}

static void set_rates(json_t *object, const struct bench_results *results)
{
    static const struct {
        enum bench_phase phase;
        const char *key;
    } rows[] = {{BENCH_INTAKE, "intake_per_s"},
                {BENCH_LIFECYCLES, "lifecycles_per_s"},
                {BENCH_LIFECYCLES_4X1, "lifecycles_4x1_per_s"},
                {BENCH_INTAKE_SYNC, "intake_sync_per_s"}};
    for (uint32_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        if (results->has[rows[i].phase]) {
            set_real(object, rows[i].key, bench_phases_median(&results->rates[rows[i].phase]));
        }
    }
}

void bench_report_json(const struct bench_results *results)
{
    json_t *object = json_object();
    set_rates(object, results);
    if (results->has[BENCH_LATENCY]) {
        set_quantiles(object, "submit_to_offer_ms", &results->offer_ms);
        set_quantiles(object, "lifecycle_ms", &results->lifecycle_ms);
    }
    if (results->has[BENCH_MATCHING]) {
        json_t *decision = json_object();
        set_times(decision, "arrive", &results->decision.arrive);
        set_times(decision, "free", &results->decision.free);
        json_object_set_new(object, "decision_us", decision);
    }
    if (results->has[BENCH_FILL]) {
        set_real(object, "bytes_per_waiting", results->bytes_per_waiting);
    }
    if (results->has[BENCH_RESTART]) {
        set_real(object, "restart_s", results->restart_s);
    }
    if (results->has[BENCH_LIFECYCLES]) {
        set_real(object, "cpu_s_per_100k", results->cpu_s_per_100k);
    }
    set_count(object, "commits", results->commits);
    set_count(object, "fsyncs", results->fsyncs);
    set_count(object, "acknowledged", results->check.acknowledged);
    set_count(object, "completed", results->check.completed);
    set_count(object, "lost", results->check.lost);
    set_count(object, "doubled", results->check.doubled);
    json_dumpf(object, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    fputc('\n', stdout);
    json_decref(object);
}
