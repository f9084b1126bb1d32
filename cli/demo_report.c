#include "cli/demo_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

#define US_PER_MS 1000
#define MS_PER_MIN INT64_C(60000)
#define P50 5000u
#define P99 9900u
#define MATTER_COLUMN 44

/* ---- figures ---- */

struct totals {
    uint64_t arrived;   /* acknowledged */
    uint64_t abandoned; /* cancelled before anybody had it */
    uint64_t waiting;   /* never answered, not cancelled */
};

static struct totals count_all(const struct demo_report_options *options)
{
    const struct demo_board *board = options->board;
    const struct demo_desk_ticket *tickets = demo_desk_tickets(options->desk);
    struct totals totals = {0};
    for (uint32_t i = 0; i < board->tickets->count; i++) {
        bool is_acknowledged = !id_is_zero(board->acknowledged[i]);
        totals.arrived += is_acknowledged ? 1 : 0;
        if (board->cancelled[i] && tickets[i].answers == 0) {
            totals.abandoned++;
        } else if (is_acknowledged && tickets[i].answers == 0) {
            totals.waiting++;
        }
    }
    return totals;
}

static double percent_of(uint64_t part, uint64_t whole)
{
    return whole > 0 ? 100.0 * (double) part / (double) whole : 0.0;
}

/* A mean of real microseconds, in the city's time as text. */
static void mean_text(const struct demo_board *board,
                      int64_t sum_us,
                      uint64_t count,
                      char text[CLI_DURATION_BYTES])
{
    int64_t mean_us = count > 0 ? sum_us / (int64_t) count : 0;
    cli_duration_text(demo_board_city_ms(board, mean_us), text);
}

static void print_service(const struct demo_report_options *options, const struct totals *totals)
{
    const struct demo_desk_figures *figures = demo_desk_figures(options->desk);
    char asa[CLI_DURATION_BYTES];
    char aht[CLI_DURATION_BYTES];
    char threshold[CLI_DURATION_BYTES];
    mean_text(options->board, figures->wait_us, figures->answered, asa);
    mean_text(options->board, figures->worked_us, figures->ended, aht);
    cli_duration_text(DEMO_REPORT_THRESHOLD_CITY_MS, threshold);
    int64_t available_us = figures->busy_us + figures->idle_us;

    printf("offered        %8" PRIu64 "   entries into waiting: %" PRIu64 " arrived, %" PRIu64
           " given back\n",
           totals->arrived + figures->given_back,
           totals->arrived,
           figures->given_back);
    printf("answered       %8" PRIu64 "   times an agent began work\n", figures->answered);
    printf("completed      %8" PRIu64 "   as the agents say; the store is asked below\n",
           (uint64_t) atomic_load(&options->board->done_count));
    printf("abandoned      %8" PRIu64 "   cancelled by the citizen while waiting\n",
           totals->abandoned);
    if (totals->waiting > 0) {
        printf("still waiting  %8" PRIu64 "\n", totals->waiting);
    }
    printf("service level  %7.1f %%  SL_strict: answered within T = %s / (answered + abandoned)\n",
           percent_of(figures->answered_in_time, figures->answered + totals->abandoned),
           threshold);
    printf("ASA            %-10s  wait of the answered / answered\n", asa);
    printf("AHT            %-10s  time at work / pieces of work ended\n", aht);
    printf(
        "occupancy      %7.1f %%  at work / (at work + available idle), until the last arrival\n",
        percent_of((uint64_t) figures->busy_us, (uint64_t) available_us));
}

static void print_offers(const struct demo_report_options *options)
{
    const struct demo_desk_figures *figures = demo_desk_figures(options->desk);
    printf(
        "submit to offer  p50 %.1f ms, p99 %.1f ms  real time to the first offer, the wait for a "
        "free agent included\n",
        (double) histogram_percentile(&figures->offer_us, P50) / US_PER_MS,
        (double) histogram_percentile(&figures->offer_us, P99) / US_PER_MS);
    uint64_t at_once = histogram_count(&figures->offer_at_once_us);
    printf("  agent free     p50 %.1f ms, p99 %.1f ms  the same, of the %" PRIu64
           " tickets that found an agent free as they came\n",
           (double) histogram_percentile(&figures->offer_at_once_us, P50) / US_PER_MS,
           (double) histogram_percentile(&figures->offer_at_once_us, P99) / US_PER_MS,
           at_once);
    printf("offers           %" PRIu64 " made, %" PRIu64
           " declined (the next agent gets it), %" PRIu64 " taken back\n",
           figures->offers,
           figures->declined,
           figures->dropped);
}

/* ---- matters ---- */

struct matter {
    struct bytes service;
    uint64_t tickets;
    int64_t wait_us;
};

struct entry {
    struct bytes service;
    int64_t wait_us;
};

static int by_service(const void *left, const void *right)
{
    const struct entry *a = left;
    const struct entry *b = right;
    return bytes_compare(a->service, b->service);
}

/* Keeps `best` sorted by falling wait. */
static void place(struct matter best[DEMO_REPORT_MATTERS], struct matter matter)
{
    for (uint32_t i = 0; i < DEMO_REPORT_MATTERS; i++) {
        if (matter.wait_us > best[i].wait_us) {
            struct matter moved = best[i];
            best[i] = matter;
            matter = moved;
        }
    }
}

static void
find_worst(struct entry *entries, uint32_t count, struct matter best[DEMO_REPORT_MATTERS])
{
    qsort(entries, count, sizeof *entries, by_service);
    struct matter matter = {0};
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0 && !bytes_equal(entries[i].service, matter.service)) {
            place(best, matter);
            matter = (struct matter){0};
        }
        matter.service = entries[i].service;
        matter.tickets++;
        matter.wait_us += entries[i].wait_us;
    }
    place(best, matter);
}

/* printf counts bytes; people count letters. */
static int letters(struct bytes text)
{
    int count = 0;
    for (uint32_t i = 0; i < text.size; i++) {
        count += (text.data[i] & 0xc0u) != 0x80u ? 1 : 0;
    }
    return count;
}

static void print_matters(const struct demo_report_options *options)
{
    const struct demo_board *board = options->board;
    const struct demo_desk_ticket *tickets = demo_desk_tickets(options->desk);
    struct matter best[DEMO_REPORT_MATTERS] = {{.wait_us = 0}};
    struct entry *entries = calloc(board->tickets->count, sizeof *entries);
    if (entries == NULL) {
        return;
    }
    for (uint32_t i = 0; i < board->tickets->count; i++) {
        entries[i] = (struct entry){.service = board->tickets->list[i].service,
                                    .wait_us = tickets[i].wait_us};
    }
    find_worst(entries, board->tickets->count, best);
    free(entries);

    printf("\nmost waiting, all its tickets together        tickets   mean wait\n");
    for (uint32_t i = 0; i < DEMO_REPORT_MATTERS && best[i].wait_us > 0; i++) {
        char mean[CLI_DURATION_BYTES];
        mean_text(board, best[i].wait_us, best[i].tickets, mean);
        int width = letters(best[i].service);
        printf("%.*s%*s %8" PRIu64 "   %s\n",
               (int) best[i].service.size,
               (const char *) best[i].service.data,
               width < MATTER_COLUMN ? MATTER_COLUMN - width : 0,
               "",
               best[i].tickets,
               mean);
    }
}

/* ---- the whole ---- */

void demo_report_print(const struct demo_report_options *options)
{
    const struct demo_board *board = options->board;
    struct totals totals = count_all(options);
    const char *name = strrchr(options->path, '/');
    char span[CLI_DURATION_BYTES];
    char real[CLI_DURATION_BYTES];
    char millisecond[CLI_DURATION_BYTES];
    char median[CLI_DURATION_BYTES];
    cli_duration_text(board->tickets->span_ms, span);
    cli_duration_text(demo_board_real_ms(board, board->tickets->span_ms), real);
    cli_duration_text((int64_t) board->speed, millisecond);
    cli_duration_text(board->tickets->handle_median_ms, median);

    printf("\nReport: %" PRIu32 " tickets of %s, %s of the city in %s (speed %" PRIu64 "),\n"
           "offered load %.1f Erlang, agents %" PRIu32 ". Waits and AHT are in the city's time,\n"
           "where 1 ms of this machine counts as %s. Arrivals, matters and texts\n"
           "are real. Drawn, since the data has none (fixed seed %" PRIu64
           "): language, priority,\n"
           "channel, handle time (lognormal, median %s), patience, who declines or gives\n"
           "back.\n\n",
           board->tickets->count,
           name == NULL ? options->path : name + 1,
           span,
           real,
           board->speed,
           options->staff->erlangs,
           options->staff->agent_count,
           millisecond,
           DEMO_SEED,
           median);
    print_service(options, &totals);
    print_offers(options);
    print_matters(options);
    printf("\n");
}
