#include "cli/demo_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "io/process.h"
#include "io/ticket_time.h"

#define TERMINAL_MS 250
#define PLAIN_MS 5000
#define MS_PER_S 1000
#define US_PER_MS 1000
#define POOL_COLUMN 24

struct demo_table {
    struct demo_table_options options;
    bool is_terminal;
    bool has_colour;
    bool is_finished;
    uint32_t lines; /* drawn the last time, to go up by */
    int64_t next_ms;
    uint32_t *arrived; /* by pool, of the first `counted` tickets */
    uint32_t counted;
};

struct row {
    uint32_t arrived;
    uint32_t waiting;
    uint32_t busy;
    uint32_t done;
    uint32_t on_duty;
};

static void count_arrivals(struct demo_table *table)
{
    const struct demo_board *board = table->options.board;
    uint32_t released = (uint32_t) atomic_load(&board->released);
    for (; table->counted < released; table->counted++) {
        table->arrived[board->tickets->list[table->counted].pool]++;
    }
}

static struct row row_of(const struct demo_table *table, uint32_t pool)
{
    struct demo_desk_load load = demo_desk_load(table->options.desk, pool);
    struct row row = {.busy = load.busy, .done = load.done, .on_duty = load.on_duty};
    if (pool < table->options.plan->plan.pool_count) {
        row.arrived = table->arrived[pool];
        row.waiting = row.arrived > load.answered ? row.arrived - load.answered : 0;
    }
    return row;
}

static struct row total_of(const struct demo_table *table)
{
    struct row total = {0};
    for (uint32_t pool = 0; pool <= table->options.plan->plan.pool_count; pool++) {
        struct row row = row_of(table, pool);
        total.arrived += row.arrived;
        total.waiting += row.waiting;
        total.busy += row.busy;
        total.done += row.done;
        total.on_duty += row.on_duty;
    }
    uint32_t gone = (uint32_t) atomic_load(&table->options.board->cancelled_count);
    total.waiting = total.waiting > gone ? total.waiting - gone : 0;
    return total;
}

/* "2024-01-16 09:30" of the city, and how long it runs here. */
static int64_t
city_now(const struct demo_table *table, int64_t now_ms, char text[TICKET_TIME_BYTES])
{
    const struct demo_board *board = table->options.board;
    int64_t start_ms = atomic_load(&board->start_ms);
    int64_t passed_ms = start_ms > 0 && now_ms > start_ms ? now_ms - start_ms : 0;
    int64_t city_ms = board->tickets->first_unix_ms + passed_ms * (int64_t) board->speed;
    ticket_time_write(city_ms * US_PER_MS, text);
    text[10] = ' ';
    text[16] = '\0';
    return passed_ms / MS_PER_S;
}

static void draw_plain(const struct demo_table *table, int64_t now_ms)
{
    char city[TICKET_TIME_BYTES];
    int64_t passed_s = city_now(table, now_ms, city);
    struct row total = total_of(table);
    fprintf(stderr,
            "%4" PRId64 " s  city %s  arrived %" PRIu32 "  waiting %" PRIu32 "  in work %" PRIu32
            "  done %" PRIu32 "  agents %" PRIu32 "\n",
            passed_s,
            city,
            total.arrived,
            total.waiting,
            total.busy,
            total.done,
            total.on_duty);
}

static void draw_row(const struct demo_table *table, struct bytes name, struct row row)
{
    int width = name.size > POOL_COLUMN ? POOL_COLUMN : (int) name.size;
    const char *mark = table->has_colour && row.waiting > 0 ? "\033[33m" : "";
    fprintf(stderr,
            "\033[K%.*s%*s %9" PRIu32 " %s%9" PRIu32 "%s %9" PRIu32 " %9" PRIu32 " %9" PRIu32 "\n",
            width,
            (const char *) name.data,
            POOL_COLUMN - width,
            "",
            row.arrived,
            mark,
            row.waiting,
            mark[0] != '\0' ? "\033[0m" : "",
            row.busy,
            row.done,
            row.on_duty);
}

static void draw_terminal(struct demo_table *table, int64_t now_ms)
{
    const struct plan *plan = &table->options.plan->plan;
    char city[TICKET_TIME_BYTES];
    int64_t passed_s = city_now(table, now_ms, city);
    if (table->lines > 0) {
        fprintf(stderr, "\033[%" PRIu32 "A", table->lines);
    }
    fprintf(stderr,
            "\033[Kcity's time %s UTC, %" PRId64 " s here, speed %" PRIu64 "\n",
            city,
            passed_s,
            table->options.board->speed);
    fprintf(stderr,
            "\033[K%-*s %9s %9s %9s %9s %9s\n",
            POOL_COLUMN,
            "pool",
            "arrived",
            "waiting",
            "at work",
            "done",
            "agents");
    for (uint32_t pool = 0; pool < plan->pool_count; pool++) {
        draw_row(table, plan->pools[pool].name, row_of(table, pool));
    }
    draw_row(table, bytes_of_text("every pool (generalista)"), row_of(table, plan->pool_count));
    draw_row(table, bytes_of_text("all"), total_of(table));
    table->lines = plan->pool_count + 4;
}

static void draw(struct demo_table *table, int64_t now_ms)
{
    count_arrivals(table);
    if (table->is_terminal) {
        draw_terminal(table, now_ms);
    } else {
        draw_plain(table, now_ms);
    }
}

static int64_t table_turn(void *context, int64_t now_ms)
{
    struct demo_table *table = context;
    if (table->is_finished || atomic_load(&table->options.board->start_ms) == 0) {
        return now_ms + PLAIN_MS;
    }
    if (now_ms >= table->next_ms) {
        draw(table, now_ms);
        table->next_ms = now_ms + (table->is_terminal ? TERMINAL_MS : PLAIN_MS);
    }
    return table->next_ms;
}

vt_err demo_table_open(const struct demo_table_options *options, struct demo_table **out)
{
    struct demo_table *table = calloc(1, sizeof *table);
    if (table == NULL) {
        return VT_UNAVAILABLE;
    }
    table->options = *options;
    /* NOLINTBEGIN(concurrency-mt-unsafe): nothing here ever changes the environment */
    const char *term = getenv("TERM");
    const char *no_colour = getenv("NO_COLOR");
    /* NOLINTEND(concurrency-mt-unsafe) */
    table->is_terminal = isatty(STDERR_FILENO) == 1 && term != NULL && strcmp(term, "dumb") != 0;
    table->has_colour = table->is_terminal && (no_colour == NULL || no_colour[0] == '\0');
    table->arrived = calloc(options->plan->plan.pool_count, sizeof *table->arrived);
    struct loop_turner turner = {.turn = table_turn, .context = table};
    if (table->arrived == NULL || loop_add_turner(options->loop, &turner) != VT_OK) {
        demo_table_close(table);
        return VT_UNAVAILABLE;
    }
    *out = table;
    return VT_OK;
}

void demo_table_finish(struct demo_table *table)
{
    if (!table->is_finished) {
        draw(table, process_now_ms());
        table->is_finished = true;
    }
}

void demo_table_close(struct demo_table *table)
{
    if (table != NULL) {
        free(table->arrived);
        free(table);
    }
}
