#include "cli/demo.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/demo_audit.h"
#include "cli/demo_board.h"
#include "cli/demo_desk.h"
#include "cli/demo_files.h"
#include "cli/demo_replay.h"
#include "cli/demo_report.h"
#include "cli/demo_staff.h"
#include "cli/demo_table.h"
#include "cli/demo_tickets.h"
#include "cli/serve_cluster.h"
#include "io/endpoint.h"
#include "io/process.h"
#include "lib/check.h"

#define LASTS_MS 60000     /* what the default speed makes of any file */
#define WORK_OFF_MS 120000 /* after the last arrival */
#define DRAIN_MS 20000
#define SPEED_MAX 100000000u
#define PATH_BYTES DEMO_FILES_PATH_BYTES

struct demo_arguments {
    const char *tickets;
    uint64_t speed;
    uint64_t agents;
    bool serve;
    bool keep;
    uint32_t log_level;
};

#define AT(member) .offset = offsetof(struct demo_arguments, member)

static const struct options_row rows[] = {
    {.name = "tickets",
     .letter = 't',
     .value_name = "FILE",
     .kind = OPTIONS_TEXT,
     .min = 1,
     .max = 2048,
     .help = "JSON lines {\"at\",\"service\",\"kind\",\"text\"}; - is standard input "
             "[the shipped sample]",
     AT(tickets)},
    {.name = "speed",
     .value_name = "N",
     .kind = OPTIONS_U64,
     .min = 1,
     .max = SPEED_MAX,
     .help = "times real speed [what makes the file last about 60 s]",
     AT(speed)},
    {.name = "agents",
     .value_name = "N",
     .kind = OPTIONS_U64,
     .min = 1,
     .max = DEMO_STAFF_AGENTS_MAX,
     .help = "simulated agents [what the file's load takes]",
     AT(agents)},
    {.name = "serve",
     .kind = OPTIONS_FLAG,
     .help = "stay up afterwards, until SIGINT or SIGTERM",
     AT(serve)},
    {.name = "keep", .kind = OPTIONS_FLAG, .help = "keep the temporary store", AT(keep)},
    {.name = "log-level",
     .kind = OPTIONS_CHOICE,
     .choices = "error|warn|info|debug",
     .fallback = "error",
     .help = "what the cluster says on standard error",
     AT(log_level)},
};

static const struct options_table table = {
    .command = "ventanilla demo",
    .about = "Starts broker, router and simulated agents in this process on a temporary store,\n"
             "applies the example plan of a city's services, and replays real tickets through a\n"
             "TCP socket. Ends with a report and a proof read from the store: exit 6 if anything\n"
             "acknowledged was lost or doubled.",
    .more = "Examples:\n"
            "  ventanilla demo\n"
            "  ventanilla demo --agents 40 --speed 20000\n"
            "  zcat avisos.jsonl.gz | ventanilla demo --tickets -",
    .rows = rows,
    .row_count = ARRAY_LENGTH(rows),
};

struct demo {
    struct demo_arguments arguments;
    char tickets_path[PATH_BYTES];
    char folder[PATH_BYTES]; /* of the store; "": none yet */
    struct demo_tickets tickets;
    struct plan_file plan;
    struct demo_staff staff;
    struct demo_board board;
    struct arena arena;
    struct serve_cluster *cluster;
    struct demo_desk *desk;
    struct demo_table *table;
    struct demo_replay *replay;
    int signals_fd;
    int64_t limit_ms; /* CLOCK_BOOTTIME; 0: not yet known */
    bool is_late;
    bool is_interrupted;
    bool is_shown; /* the report is out: it only serves */
};

/* ---- files ---- */

static int load_tickets(struct demo *demo)
{
    const char *path = demo->arguments.tickets;
    if (path == NULL) {
        demo_files_find(
            "avisos-madrid.jsonl", "tests/data/avisos-madrid.jsonl", demo->tickets_path);
    } else {
        snprintf(demo->tickets_path, PATH_BYTES, "%s", path);
    }
    vt_err err = demo_tickets_load(&demo->tickets, demo->tickets_path);
    if (err != VT_OK) {
        return err == VT_NOT_FOUND ? EXIT_CODE_NOT_FOUND : EXIT_CODE_USAGE;
    }
    return CLI_GO_ON;
}

static int load_plan(struct demo *demo)
{
    char path[PATH_BYTES];
    demo_files_find("ciudad.yaml", "deploy/plans/ciudad.yaml", path);
    if (plan_file_load(&demo->plan, path) != VT_OK) {
        cli_error("%s", demo->plan.error);
        return EXIT_CODE_FAILED;
    }
    return CLI_GO_ON;
}

/* ---- opening ---- */

static int fail(const char *what, vt_err err)
{
    cli_error("%s: %s", what, err_text(err));
    return EXIT_CODE_FAILED;
}

static int prepare(struct demo *demo)
{
    uint64_t speed = demo->arguments.speed;
    if (speed == 0) {
        speed = (uint64_t) ((demo->tickets.span_ms + LASTS_MS - 1) / LASTS_MS);
        speed = speed > SPEED_MAX ? SPEED_MAX : speed;
    }
    demo->board.speed = speed > 0 ? speed : 1;
    demo->board.threshold_us = DEMO_REPORT_THRESHOLD_CITY_MS * 1000 / (int64_t) demo->board.speed;

    struct demo_staff_options staff = {.plan = &demo->plan,
                                       .tickets = &demo->tickets,
                                       .speed = demo->board.speed,
                                       .agents = (uint32_t) demo->arguments.agents};
    vt_err err = demo_staff_open(&demo->staff, &staff);
    if (err == VT_OK) {
        struct arena measure = {0};
        demo_board_init(&demo->board, &measure, &demo->tickets);
        err = process_reserve(measure.used, &demo->arena);
    }
    if (err != VT_OK) {
        return fail("the demo cannot be prepared", err);
    }
    demo_board_init(&demo->board, &demo->arena, &demo->tickets);
    return CLI_GO_ON;
}

static int make_folder(struct demo *demo)
{
    const char *parent = getenv("TMPDIR"); /* NOLINT(concurrency-mt-unsafe): no thread yet */
    char folder[PATH_BYTES];
    snprintf(folder,
             sizeof folder,
             "%s/ventanilla-demo-XXXXXX",
             parent == NULL || parent[0] == '\0' ? "/tmp" : parent);
    if (mkdtemp(folder) == NULL) {
        cli_error("%s: %s", folder, strerrordesc_np(errno));
        return EXIT_CODE_FAILED;
    }
    memcpy(demo->folder, folder, sizeof folder);
    return CLI_GO_ON;
}

static int open_cluster(struct demo *demo)
{
    char message[SERVE_MESSAGE_BYTES] = "";
    struct serve_options options = {
        .data = demo->folder,
        .plan = &demo->plan,
        .agents = demo->staff.agents,
        .agent_count = demo->staff.agent_count,
        .site = "demo",
        .clients = "tcp://127.0.0.1:*",
        .sites = "tcp://127.0.0.1:*",
        .log_level = (enum trace_level) demo->arguments.log_level,
    };
    vt_err err = serve_cluster_open(&options, &demo->cluster, message);
    if (err != VT_OK) {
        cli_error("%s", message[0] != '\0' ? message : err_text(err));
        return EXIT_CODE_FAILED;
    }
    return CLI_GO_ON;
}

static const char *server_of(const struct demo *demo)
{
    return endpoint_address(serve_cluster_endpoint(demo->cluster, LINK_CLIENTS));
}

/* ---- signals, and the end ---- */

static void signal_ready(void *context)
{
    struct demo *demo = context;
    while (process_signals_next(demo->signals_fd) != 0) {
        if (demo->is_shown || demo->is_interrupted) {
            serve_cluster_stop(demo->cluster, DRAIN_MS);
        }
        demo->is_interrupted = true;
        atomic_store(&demo->board.must_end, true);
    }
}

/* The citizens' thread says when all is over; work that does not end is not waited for for ever. */
static int64_t watch(void *context, int64_t now_ms)
{
    struct demo *demo = context;
    int64_t start_ms = atomic_load(&demo->board.start_ms);
    if (demo->limit_ms == 0 && start_ms > 0) {
        demo->limit_ms =
            start_ms + demo_board_real_ms(&demo->board, demo->tickets.span_ms) + WORK_OFF_MS;
    }
    if (demo->limit_ms > 0 && now_ms > demo->limit_ms && !demo->is_late) {
        demo->is_late = true;
        atomic_store(&demo->board.must_end, true);
    }
    if (atomic_load(&demo->board.is_over)) {
        loop_stop(serve_cluster_loop(demo->cluster));
    }
    return now_ms + 20;
}

/* Agents and signals: what a life of the cluster needs beside itself. */
static int open_desk(struct demo *demo)
{
    struct loop *loop = serve_cluster_loop(demo->cluster);
    struct demo_desk_options desk = {.loop = loop,
                                     .host = serve_cluster_agentd(demo->cluster),
                                     .board = &demo->board,
                                     .staff = &demo->staff};
    struct loop_source source = {.fd = demo->signals_fd, .ready = signal_ready, .context = demo};
    vt_err err = demo_desk_open(&desk, &demo->desk);
    if (err == VT_OK) {
        err = loop_add(loop, &source);
    }
    return err == VT_OK ? CLI_GO_ON : fail("the agents cannot be started", err);
}

static int open_rest(struct demo *demo)
{
    struct loop *loop = serve_cluster_loop(demo->cluster);
    struct demo_table_options shown = {
        .loop = loop, .board = &demo->board, .desk = demo->desk, .plan = &demo->plan};
    struct loop_turner turner = {.turn = watch, .context = demo};
    struct demo_replay_options replay = {.server = server_of(demo),
                                         .path = demo->tickets_path,
                                         .board = &demo->board,
                                         .agents = demo->staff.agent_count};
    vt_err err = demo_table_open(&shown, &demo->table);
    if (err == VT_OK) {
        err = loop_add_turner(loop, &turner);
    }
    if (err == VT_OK) {
        err = demo_replay_start(&replay, &demo->replay);
    }
    return err == VT_OK ? CLI_GO_ON : fail("the demo cannot be started", err);
}

static int open_all(struct demo *demo)
{
    static int (*const steps[])(struct demo *) = {
        load_tickets, load_plan, prepare, make_folder, open_cluster, open_desk, open_rest};
    int code = CLI_GO_ON;
    for (uint32_t i = 0; code == CLI_GO_ON && i < ARRAY_LENGTH(steps); i++) {
        code = steps[i](demo);
    }
    return code;
}

/* ---- running ---- */

static void announce(const struct demo *demo)
{
    fprintf(stderr,
            "ventanilla demo: %" PRIu32 " tickets, %" PRIu32 " agents, speed %" PRIu64
            ", clients at %s\n",
            demo->tickets.count,
            demo->staff.agent_count,
            demo->board.speed,
            server_of(demo));
}

/* The end of the city's day: work in hand is ended and committed before the store is read. */
static void drain(struct demo *demo)
{
    serve_cluster_stop(demo->cluster, DRAIN_MS);
    loop_run(serve_cluster_loop(demo->cluster), process_now_ms() + DRAIN_MS + 5000);
    serve_cluster_close(demo->cluster);
    demo->cluster = NULL;
}

static void print_faults(const struct demo *demo, const struct demo_audit *audit)
{
    for (uint32_t i = 0; i < audit->fault_count; i++) {
        uint32_t number = audit->faults[i];
        char id[ID_TEXT_SIZE];
        id_to_text(demo->board.acknowledged[number], id);
        fprintf(stderr,
                "%s:%" PRIu32 ": lost or doubled: ticket %s\n",
                demo->tickets_path,
                demo->tickets.list[number].line,
                id);
    }
}

static int prove(const struct demo *demo)
{
    struct demo_audit audit;
    char error[DEMO_AUDIT_ERROR_BYTES] = "";
    char line[DEMO_AUDIT_LINE_BYTES];
    vt_err err = demo_audit_run(&demo->board, demo->folder, &audit, error);
    if (err != VT_OK) {
        cli_error("the store cannot be read: %s", error);
        return EXIT_CODE_FAILED;
    }
    const struct demo_desk_figures *figures = demo_desk_figures(demo->desk);
    print_faults(demo, &audit);
    if (figures->overbooked + figures->twice > 0) {
        fprintf(stderr,
                "agents were given a second ticket at a time %" PRIu64
                " times, and completed work again %" PRIu64 " times\n",
                figures->overbooked,
                figures->twice);
    }
    demo_audit_line(&audit, line);
    printf("%s\n", line);
    fflush(stdout);
    bool holds = demo_audit_holds(&audit) && figures->overbooked + figures->twice == 0;
    return holds ? EXIT_CODE_OK : EXIT_CODE_CHECK_FAILED;
}

static int show(struct demo *demo)
{
    struct demo_report_options report = {.board = &demo->board,
                                         .staff = &demo->staff,
                                         .desk = demo->desk,
                                         .path = demo->tickets_path};
    demo_table_finish(demo->table);
    if (demo->is_late) {
        fprintf(stderr,
                "ventanilla: %d s after the last arrival work was still left; more agents "
                "(--agents) or a lower --speed would have ended it\n",
                WORK_OFF_MS / 1000);
    } else if (demo->is_interrupted) {
        fprintf(stderr, "ventanilla: interrupted; what there is so far\n");
    }
    demo_report_print(&report);
    return prove(demo);
}

/* A second life of the same store, with the same agents and nothing left to do: the proof wants the
 * file for itself, so the first one had to end. */
static int reopen(struct demo *demo)
{
    demo_desk_close(demo->desk);
    demo->desk = NULL;
    plan_file_close(&demo->plan); /* it has the numbers of the first life */
    int code = load_plan(demo);
    if (code == CLI_GO_ON) {
        code = open_cluster(demo);
    }
    return code == CLI_GO_ON ? open_desk(demo) : code;
}

static void serve_on(struct demo *demo)
{
    if (reopen(demo) != CLI_GO_ON) {
        return;
    }
    printf("\nstill up, until Ctrl-C; try `ventanilla status --server %s`\n", server_of(demo));
    printf("data     %s\n", demo->folder);
    printf("clients  %s\n", server_of(demo));
    printf("sites    %s\n", endpoint_address(serve_cluster_endpoint(demo->cluster, LINK_SITES)));
    fflush(stdout);
    loop_run(serve_cluster_loop(demo->cluster), INT64_MAX);
}

static int run(struct demo *demo)
{
    char error[DEMO_REPLAY_ERROR_BYTES];
    announce(demo);
    loop_run(serve_cluster_loop(demo->cluster), INT64_MAX);
    demo_replay_join(demo->replay, error);
    demo->replay = NULL;
    if (error[0] != '\0') {
        cli_error("the citizens' side failed, %s", error);
    }
    drain(demo);
    int code = show(demo);
    if (code == EXIT_CODE_OK && error[0] != '\0') {
        code = EXIT_CODE_FAILED;
    }
    demo->is_shown = true;
    if (demo->arguments.serve && !demo->is_interrupted) {
        serve_on(demo);
    }
    return code;
}

/* ---- closing ---- */

static void remove_folder(const struct demo *demo)
{
    if (demo->folder[0] == '\0') {
        return;
    }
    if (demo->arguments.keep) {
        fprintf(stderr, "ventanilla: the store is kept in %s\n", demo->folder);
    } else if (!demo_files_remove(demo->folder)) {
        cli_error("%s could not be removed: %s", demo->folder, strerrordesc_np(errno));
    }
}

static void close_all(struct demo *demo)
{
    char error[DEMO_REPLAY_ERROR_BYTES];
    atomic_store(&demo->board.must_end, true);
    demo_replay_join(demo->replay, error);
    serve_cluster_close(demo->cluster);
    demo_desk_close(demo->desk);
    demo_table_close(demo->table);
    demo_staff_close(&demo->staff);
    process_unreserve(&demo->arena);
    plan_file_close(&demo->plan);
    demo_tickets_close(&demo->tickets);
    remove_folder(demo);
    close(demo->signals_fd);
}

int demo_run(int argc, char **argv)
{
    struct demo *demo = calloc(1, sizeof *demo);
    if (demo == NULL) {
        return EXIT_CODE_FAILED;
    }
    struct options_result result;
    struct cli_arguments arguments = {.argc = argc, .argv = argv};
    int code = cli_parse(&table, arguments, &demo->arguments, &result);
    if (code != CLI_GO_ON) {
        free(demo);
        return code;
    }
    cli_set_locale();
    demo->signals_fd = process_signals_open();
    code = demo->signals_fd < 0 ? EXIT_CODE_FAILED : open_all(demo);
    if (code == CLI_GO_ON) {
        code = run(demo);
    }
    close_all(demo);
    free(demo);
    return code;
}
