#include "io/http_pages.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "io/process.h"
#include "lib/check.h"
#include "lib/core.h"
#include "lib/text.h"
#include "proto/message.h"
#include "version.h"

#define ARENA_BYTES \
    (UINT64_C(256) * 1024u * 1024u) /* of address space; used as far as there are rows */
#define METRICS_MAX 131072u
#define CHECKS_MAX 256u
#define PAGES_MAX 1024u /* questions to one core for one page */
#define US_PER_S 1000000.0

struct http_metric {
    struct metric metric;
    uint32_t order;
};

struct http_check {
    struct check_result result;
    uint32_t source;
};

/* ---- rows from the cores ---- */

static struct bytes keep(struct http_pages *pages, struct bytes text)
{
    struct bytes copy = {0};
    return bytes_try_copy(&pages->arena, text, &copy) ? copy : (struct bytes){0};
}

static void keep_metric(struct http_pages *pages, const struct metric *metric)
{
    if (pages->metric_count == METRICS_MAX) {
        return;
    }
    struct http_metric *kept = &pages->metrics[pages->metric_count];
    kept->order = pages->metric_count++;
    kept->metric = *metric;
    kept->metric.name = keep(pages, metric->name);
    kept->metric.labels = keep(pages, metric->labels);
    kept->metric.help = keep(pages, metric->help);
}

static void keep_check(struct http_pages *pages, uint32_t source, const struct check_result *result)
{
    if (pages->check_count == CHECKS_MAX) {
        return;
    }
    struct http_check *kept = &pages->checks[pages->check_count++];
    kept->source = source;
    kept->result.is_ok = result->is_ok;
    kept->result.name = keep(pages, result->name);
    kept->result.text = keep(pages, result->text);
}

static void row_came(void *context, uint64_t peer, const struct message *message)
{
    struct http_listener *listener = context;
    (void) peer;
    if (message->header.kind != MESSAGE_REPLY) {
        return;
    }
    for (uint32_t i = 0; i < message->count; i++) {
        const struct reply *reply = &message->reply[i];
        if (reply->row == ROW_METRIC) {
            keep_metric(listener->pages, &reply->metric);
        } else if (reply->row == ROW_CHECK) {
            keep_check(listener->pages, listener->source, &reply->check);
        } else if (reply->row == ROW_END) {
            listener->pages->cursor = reply->end.cursor;
        }
    }
}

static void ask_one(struct http_pages *pages, struct host *host, enum query_what what)
{
    struct query query = {.ref = 1, .what = what};
    struct address from = {.link = LINK_LOCAL, .peer = 1};
    for (uint32_t i = 0; i < PAGES_MAX; i++) {
        struct message message = {.header = {.kind = MESSAGE_QUERY}, .count = 1};
        message.query = &query;
        pages->cursor = 0;
        host_post_message(host, from, &message);
        if (pages->cursor == 0) {
            return;
        }
        query.cursor = pages->cursor;
    }
}

static void ask(struct http_pages *pages, enum query_what what)
{
    arena_reset(&pages->arena);
    pages->metrics =
        arena_take(&pages->arena, METRICS_MAX * sizeof *pages->metrics, ARENA_ALIGN_MAX);
    pages->checks = arena_take(&pages->arena, CHECKS_MAX * sizeof *pages->checks, ARENA_ALIGN_MAX);
    pages->metric_count = 0;
    pages->check_count = 0;
    for (uint32_t i = 0; i < pages->options.source_count; i++) {
        ask_one(pages, pages->options.sources[i].host, what);
    }
}

/* ---- metrics ---- */

static int compare_metrics(const void *a, const void *b)
{
    const struct http_metric *x = a;
    const struct http_metric *y = b;
    int order = bytes_compare(x->metric.name, y->metric.name);
    if (order == 0) {
        order = bytes_compare(x->metric.labels, y->metric.labels);
    }
    return order != 0 ? order : (x->order > y->order) - (x->order < y->order);
}

static void write_bytes(FILE *page, struct bytes text)
{
    fwrite(text.data, 1, text.size, page);
}

static void write_help(FILE *page, struct bytes help)
{
    for (uint32_t i = 0; i < help.size; i++) {
        if (help.data[i] == '\\') {
            fputs("\\\\", page);
        } else {
            fputc(help.data[i] == '\n' ? ' ' : help.data[i], page);
        }
    }
}

static void write_head(FILE *page, const struct metric *metric)
{
    fputs("# HELP ", page);
    write_bytes(page, metric->name);
    fputc(' ', page);
    write_help(page, metric->help);
    fputs("\n# TYPE ", page);
    write_bytes(page, metric->name);
    fputs(metric->type == METRIC_COUNTER ? " counter\n" : " gauge\n", page);
}

static uint32_t decimals_of(uint32_t divisor)
{
    uint32_t decimals = 0;
    for (; divisor >= 10; divisor /= 10) {
        decimals++;
    }
    return decimals;
}

static void write_metric(FILE *page, const struct metric *metric)
{
    char buffer[64];
    struct text value;
    text_init(&value, buffer, sizeof buffer);
    text_add_decimal(&value, metric->value, decimals_of(metric->divisor));
    write_bytes(page, metric->name);
    if (metric->labels.size > 0) {
        fputc('{', page);
        write_bytes(page, metric->labels);
        fputc('}', page);
    }
    fprintf(page, " %s\n", buffer);
}

/* Prometheus wants all rows of one name together, and none twice. */
static void write_core_metrics(struct http_pages *pages, FILE *page)
{
    qsort(pages->metrics, pages->metric_count, sizeof *pages->metrics, compare_metrics);
    for (uint32_t i = 0; i < pages->metric_count; i++) {
        const struct metric *metric = &pages->metrics[i].metric;
        const struct metric *before = i == 0 ? NULL : &pages->metrics[i - 1].metric;
        bool is_first = before == NULL || !bytes_equal(before->name, metric->name);
        if (is_first) {
            write_head(page, metric);
        }
        if (is_first || !bytes_equal(before->labels, metric->labels)) {
            write_metric(page, metric);
        }
    }
}

static void write_links(const struct http_pages *pages, FILE *page)
{
    static const struct {
        const char *name;
        const char *help;
    } rows[] = {
        {"received", "Messages that came in, refused ones included."},
        {"sent", "Messages that went out."},
        {"dropped", "Messages not sent: the peer was gone or did not read."},
        {"malformed", "Messages that did not decode and were dropped."},
    };
    for (uint32_t row = 0; row < ARRAY_LENGTH(rows); row++) {
        fprintf(page,
                "# HELP ventanilla_link_%s_total %s\n# TYPE ventanilla_link_%s_total counter\n",
                rows[row].name,
                rows[row].help,
                rows[row].name);
        for (uint32_t i = 0; i < pages->options.source_count; i++) {
            struct link_figures figures = host_link_figures(pages->options.sources[i].host);
            uint64_t values[] = {
                figures.received, figures.sent, figures.dropped, figures.malformed};
            fprintf(page,
                    "ventanilla_link_%s_total{node=\"%s\"} %" PRIu64 "\n",
                    rows[row].name,
                    pages->options.sources[i].name,
                    values[row]);
        }
    }
}

static void write_number(FILE *page, const char *type, const char *name, const char *help, double n)
{
    fprintf(page, "# HELP %s %s\n# TYPE %s %s\n%s %.15g\n", name, help, name, type, name, n);
}

static void write_commit_times(const struct store_figures *figures, FILE *page)
{
    static const uint32_t parts[] = {5000, 9000, 9900, 9990};
    const char *name = "ventanilla_db_commit_seconds";
    fprintf(page,
            "# HELP %s Time of one transaction, commit included.\n# TYPE %s summary\n",
            name,
            name);
    for (uint32_t i = 0; i < ARRAY_LENGTH(parts); i++) {
        fprintf(page,
                "%s{quantile=\"%.3g\"} %.6f\n",
                name,
                parts[i] / 10000.0,
                (double) histogram_percentile(&figures->commit_us, parts[i]) / US_PER_S);
    }
    fprintf(page,
            "%s_sum %.6f\n%s_count %" PRIu64 "\n",
            name,
            (double) histogram_sum(&figures->commit_us) / US_PER_S,
            name,
            histogram_count(&figures->commit_us));
}

static void write_store(const struct http_pages *pages, FILE *page)
{
    struct store_figures *figures = calloc(1, sizeof *figures);
    if (figures == NULL || pages->options.store == NULL) {
        free(figures);
        return;
    }
    store_figures(pages->options.store, figures);
    const struct {
        const char *type;
        const char *name;
        const char *help;
        double value;
    } rows[] = {
        {"counter",
         "ventanilla_db_commits_total",
         "Transactions that wrote something.",
         (double) figures->commits},
        {"counter",
         "ventanilla_db_syncs_total",
         "Times the store's files were synced to the disk.",
         (double) figures->syncs},
        {"counter",
         "ventanilla_db_requests_total",
         "Requests to the store that were answered.",
         (double) figures->requests},
        {"counter",
         "ventanilla_db_loads_total",
         "Pages read from the store.",
         (double) figures->loads},
        {"counter",
         "ventanilla_db_rollbacks_total",
         "Transactions that failed as a whole.",
         (double) figures->rollbacks},
        {"gauge", "ventanilla_db_tickets", "Tickets in the store.", (double) figures->tickets},
        {"gauge",
         "ventanilla_db_keys",
         "Keys of submitters that are remembered.",
         (double) figures->keys},
        {"gauge", "ventanilla_db_file_bytes", "Size of the store.", (double) figures->file_bytes},
        {"gauge",
         "ventanilla_db_queue_depth",
         "Batches and pages that wait for the store.",
         figures->queue_depth},
        {"gauge",
         "ventanilla_db_failing",
         "1 when the last transaction failed as a whole.",
         figures->is_failing ? 1 : 0},
    };
    for (uint32_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        write_number(page, rows[i].type, rows[i].name, rows[i].help, rows[i].value);
    }
    write_commit_times(figures, page);
    free(figures);
}

static double resident_bytes(void)
{
    char line[128] = "";
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL) {
        return 0;
    }
    const char *second = fgets(line, sizeof line, file) == NULL ? NULL : strchr(line, ' ');
    long pages = second == NULL ? 0 : strtol(second, NULL, 10);
    fclose(file);
    return (double) pages * (double) sysconf(_SC_PAGESIZE);
}

static double open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    double count = 0;
    if (folder == NULL) {
        return 0;
    }
    while (readdir(folder) != NULL) { /* NOLINT(concurrency-mt-unsafe): a folder of our own */
        count++;
    }
    closedir(folder);
    return count - 3; /* ".", ".." and the folder's own */
}

static void write_process(const struct http_pages *pages, FILE *page)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double cpu_s = (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                   (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / US_PER_S;
    fputs("# HELP ventanilla_build_info Always 1; what runs is in the labels.\n"
          "# TYPE ventanilla_build_info gauge\n",
          page);
    fprintf(page,
            "ventanilla_build_info{version=\"%s\",commit=\"%s\",build=\"%s\"} 1\n",
            VENTANILLA_VERSION,
            VENTANILLA_COMMIT,
            VENTANILLA_BUILD);
    write_number(page,
                 "gauge",
                 "ventanilla_loop_lag_seconds",
                 "Longest turn of the event loop since the last time this was read.",
                 (double) loop_take_longest_turn_us(pages->options.loop) / US_PER_S);
    write_number(
        page, "counter", "process_cpu_seconds_total", "Processor time of this process.", cpu_s);
    write_number(page,
                 "gauge",
                 "process_resident_memory_bytes",
                 "Memory this process has in use.",
                 resident_bytes());
    write_number(page, "gauge", "process_open_fds", "Open descriptors.", open_descriptors());
    write_number(page,
                 "gauge",
                 "process_start_time_seconds",
                 "When this process started, since 1970.",
                 (double) pages->started_us / US_PER_S);
}

struct http_page http_pages_metrics(struct http_pages *pages)
{
    struct http_page made = {.is_ready = true};
    size_t size = 0;
    FILE *page = open_memstream(&made.text, &size);
    if (page == NULL) {
        return made;
    }
    ask(pages, QUERY_METRICS);
    write_core_metrics(pages, page);
    write_links(pages, page);
    write_store(pages, page);
    write_process(pages, page);
    if (fclose(page) != 0) {
        free(made.text);
        made.text = NULL;
    }
    made.size = size;
    return made;
}

/* ---- readiness ---- */

static void write_check(FILE *page,
                        const char *node,
                        const struct check_result *result,
                        enum http_detail detail)
{
    if (result->is_ok && detail == HTTP_BRIEF) {
        return;
    }
    fprintf(page, "[%c] %s ", result->is_ok ? '+' : '-', node);
    write_bytes(page, result->name);
    fputs(": ", page);
    write_bytes(page, result->text.size > 0 ? result->text : bytes_of_text("ok"));
    fputc('\n', page);
}

static bool store_is_failing(const struct http_pages *pages)
{
    struct store_figures *figures = calloc(1, sizeof *figures);
    bool is_failing = false;
    if (figures != NULL && pages->options.store != NULL) {
        store_figures(pages->options.store, figures);
        is_failing = figures->is_failing;
    }
    free(figures);
    return is_failing;
}

static bool
write_process_checks(const struct http_pages *pages, FILE *page, enum http_detail detail)
{
    struct check_result draining = {
        .name = bytes_of_text("draining"), .text = bytes_of_text("no"), .is_ok = true};
    struct check_result store = {
        .name = bytes_of_text("store"), .text = bytes_of_text("ok"), .is_ok = true};
    if (pages->options.is_draining != NULL && pages->options.is_draining(pages->options.context)) {
        draining.is_ok = false;
        draining.text = bytes_of_text("this process is stopping");
    }
    if (store_is_failing(pages)) {
        store.is_ok = false;
        store.text = bytes_of_text("the last transaction failed");
    }
    write_check(page, "process", &draining, detail);
    write_check(page, "process", &store, detail);
    return draining.is_ok && store.is_ok;
}

struct http_page http_pages_ready(struct http_pages *pages, enum http_detail detail)
{
    struct http_page made = {0};
    size_t size = 0;
    FILE *page = open_memstream(&made.text, &size);
    if (page == NULL) {
        return made;
    }
    ask(pages, QUERY_CHECKS);
    made.is_ready = write_process_checks(pages, page, detail);
    for (uint32_t i = 0; i < pages->check_count; i++) {
        const struct http_check *check = &pages->checks[i];
        made.is_ready = made.is_ready && check->result.is_ok;
        write_check(page, pages->options.sources[check->source].name, &check->result, detail);
    }
    fputs(made.is_ready ? "ready\n" : "not ready\n", page);
    if (fclose(page) != 0) {
        free(made.text);
        made.text = NULL;
    }
    made.size = size;
    return made;
}

/* ---- opening ---- */

vt_err http_pages_open(struct http_pages *pages, const struct http_options *options)
{
    CHECK(options->source_count <= HTTP_SOURCES_MAX);

    memset(pages, 0, sizeof *pages);
    pages->options = *options;
    pages->started_us = process_wall_us();
    for (uint32_t i = 0; i < options->source_count; i++) {
        pages->listeners[i] =
            (struct http_listener){.pages = pages, .host = options->sources[i].host, .source = i};
        struct host_local local = {.message = row_came, .context = &pages->listeners[i]};
        host_attach(options->sources[i].host, LINK_LOCAL, &local);
    }
    return process_reserve(ARENA_BYTES, &pages->arena);
}

void http_pages_close(struct http_pages *pages)
{
    struct host_local nobody = {0};
    for (uint32_t i = 0; i < pages->options.source_count; i++) {
        host_attach(pages->options.sources[i].host, LINK_LOCAL, &nobody);
    }
    process_unreserve(&pages->arena);
}
