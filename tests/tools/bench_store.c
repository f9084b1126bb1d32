/* Measures the SQLite store alone, without sockets and cores: bench_store FOLDER [TICKETS]
 *
 * For batches of 1, 64 and 1000 requests it prints intakes, assigns and completes a second, with
 * two batches under way as a broker has them.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "io/store.h"
#include "lib/check.h"
#include "lib/id.h"

#define BATCH_MAX 2000U
#define BODY_BYTES 512U
#define PARTS 4U
#define EPOCH 7U

struct bench {
    struct store *store;
    struct store_port *port;
    struct id_source ids;
    struct store_request requests[2][BATCH_MAX];
    char keys[2][BATCH_MAX][24];
    struct ticket_id *tickets;
    uint8_t body[BODY_BYTES];
    uint64_t key_count;
};

static const char requirements[] = "\1\2\2es\1\3\012pavimento1";

_Noreturn void check_handler(const char *expression, const char *file, int line)
{
    (void) fprintf(stderr, "%s:%d: CHECK failed: %s\n", file, line, expression);
    abort();
}

static double now_s(void)
{
    struct timespec now;
    (void) clock_gettime(CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

/* Of the whole process: the store's thread and the little that this program does. */
static double cpu_s(void)
{
    struct rusage usage;
    (void) getrusage(RUSAGE_SELF, &usage);
    return (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void wait_one(struct bench *bench)
{
    struct store_completion done;
    while (!store_port_next(bench->port, &done)) {
        struct pollfd fd = {.fd = store_port_fd(bench->port), .events = POLLIN};
        (void) poll(&fd, 1, -1);
    }
    for (uint32_t i = 0; i < done.count; i++) {
        CHECK(done.results[i].status == STORE_DONE);
    }
    store_port_done(bench->port);
}

static void fill(struct bench *bench, enum store_kind kind, uint32_t side, uint32_t n, uint32_t at)
{
    struct store_request *request = &bench->requests[side][n];
    uint32_t part = 1U + at % PARTS;
    if (kind == STORE_SUBMIT) {
        struct timespec now;
        (void) clock_gettime(CLOCK_REALTIME, &now);
        int64_t unix_ms = (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
        bench->tickets[at] = id_next(&bench->ids, unix_ms, part);
        char *key = bench->keys[side][n];
        int length = snprintf(key, sizeof bench->keys[0][0], "key-%" PRIu64, bench->key_count++);
        *request = (struct store_request){
            .kind = kind,
            .submit = {.queue = 1,
                       .priority = 50,
                       .client = bytes_of_text("bench"),
                       .key = bytes_of(key, (uint32_t) length),
                       .requirements = bytes_of(requirements, sizeof requirements - 1U),
                       .body = bytes_of(bench->body, BODY_BYTES)}};
    } else {
        *request = (struct store_request){
            .kind = kind,
            .move = {.attempt = 1,
                     .agent = 1 + at % 100U,
                     .site = 1,
                     .seen = 1,
                     .text = bytes_of(bench->body, 100)},
        };
    }
    request->part = part;
    request->epoch = EPOCH;
    request->ticket = bench->tickets[at];
}

static void run(struct bench *bench, enum store_kind kind, uint32_t batch, uint32_t total)
{
    uint32_t under_way = 0;
    uint32_t side = 0;
    double start = now_s();
    double cpu_start = cpu_s();
    for (uint32_t at = 0; at < total;) {
        uint32_t count = total - at < batch ? total - at : batch;
        for (uint32_t n = 0; n < count; n++) {
            fill(bench, kind, side, n, at + n);
        }
        at += count;
        CHECK(store_port_submit(bench->port, side, bench->requests[side], count) == VT_OK);
        side = 1U - side;
        under_way++;
        if (under_way == 2) {
            wait_one(bench);
            under_way--;
        }
    }
    while (under_way-- > 0) {
        wait_one(bench);
    }
    double took = now_s() - start;
    const char *name = kind == STORE_SUBMIT   ? "intake"
                       : kind == STORE_ASSIGN ? "assign"
                                              : "complete";
    printf("%-9s batch %4" PRIu32 " %9.0f/s  %6.2f us each, %6.2f us of CPU\n",
           name,
           batch,
           total / took,
           took / total * 1e6,
           (cpu_s() - cpu_start) / total * 1e6);
}

static void claim(struct bench *bench)
{
    struct store_request requests[PARTS];
    memset(requests, 0, sizeof requests);
    for (uint32_t i = 0; i < PARTS; i++) {
        requests[i].kind = STORE_CLAIM;
        requests[i].part = i + 1U;
        requests[i].epoch = EPOCH;
        requests[i].claim.owner = bytes_of_text("bench");
    }
    CHECK(store_port_submit(bench->port, 0, requests, PARTS) == VT_OK);
    wait_one(bench);
}

int main(int argc, char **argv)
{
    uint32_t total = argc > 2 ? (uint32_t) strtoul(argv[2], NULL, 10) : 200000U;
    struct bench *bench = calloc(1, sizeof *bench);
    char message[512] = "usage: bench_store FOLDER [TICKETS]";
    struct store_options options = {.folder = argc > 1 ? argv[1] : NULL};
    if (bench == NULL || argc < 2 ||
        store_open_sqlite(&options, &bench->store, message, sizeof message) != VT_OK) {
        (void) fprintf(stderr, "%s\n", message);
        free(bench);
        return 1;
    }
    bench->tickets = calloc(total, sizeof *bench->tickets);
    memset(bench->body, 'x', sizeof bench->body);
    id_source_init(&bench->ids, (uint64_t) time(NULL));
    bench->key_count = (uint64_t) time(NULL) << 24;
    CHECK(store_port_open(bench->store, &bench->port) == VT_OK);
    claim(bench);
    static const uint32_t batches[] = {1, 64, 1000};
    for (uint32_t i = 0; i < ARRAY_LENGTH(batches); i++) {
        uint32_t count = batches[i] == 1 ? total / 20U : total;
        run(bench, STORE_SUBMIT, batches[i], count);
        run(bench, STORE_ASSIGN, batches[i], count);
        run(bench, STORE_COMPLETE, batches[i], count);
    }
    double start = now_s();
    store_close(bench->store);
    printf("closed in %.1f ms\n", (now_s() - start) * 1000);
    free(bench->tickets);
    free(bench);
    return 0;
}
