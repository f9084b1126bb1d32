/* One load on a server, over TCP, for tests/integration: clients that keep a window full or send at
 * a fixed rate whatever is answered, and sites whose agents complete at once (those of the bench).
 *
 *   resilience_load CLIENTS TOLD SECONDS [--sites ADDRESS] [--window N] [--rate N] [--clients N]
 *                   [--deaf 1]
 *
 * --deaf: the clients send and never read an answer.
 * TOLD gets a line for everything that the server has promised: "acknowledged KEY TICKET",
 * "completed TICKET", in hex. It ends after SECONDS, or as soon as a connection breaks, and says in
 * one line what it saw. Needs the bench's plan (`ventanilla bench --print-plan`).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/bench_plan.h"
#include "cli/bench_sites.h"
#include "io/endpoint.h"
#include "io/link.h"
#include "io/loop.h"
#include "io/process.h"
#include "lib/check.h"
#include "lib/hash.h"

#define PLAN_AGENTS 500u
#define SITES 2u
#define CAPACITY 4u
#define CLIENTS_MAX 64u
#define PACK_MAX 50u
#define HIGH_WATER 4096
#define DEAF_HIGH_WATER 16
#define TIMES_MAX (UINT64_C(1) << 21)
#define TURN_MS 5
#define UP_MS 5000
#define LOST_MS 2000
#define US_PER_S 1000000
#define NS_PER_MS 1000000

struct load;

struct client {
    struct load *load;
    struct link_dialer *dialer;
    uint64_t sent;
    uint64_t answered;
    int64_t pause_ms; /* until then it was told to wait */
    int64_t heard_ms;
};

struct load {
    const char *address;
    const char *sites_address;
    uint32_t window;
    uint32_t rate;
    uint32_t client_count;
    int64_t until_ms;
    int64_t begun_us;
    FILE *told;
    struct loop *loop;
    struct bench_plan plan;
    struct bench_sites *sites;
    struct client clients[CLIENTS_MAX];
    struct submit batch[PACK_MAX];
    uint64_t keys[PACK_MAX][2];
    uint64_t seed;
    uint64_t acknowledged;
    uint64_t busy;
    uint64_t busy_without_time;
    uint64_t rejected;
    uint32_t retry_ms_max;
    int64_t longest_silence_ms; /* of any client with something unanswered */
    bool is_cut;
    bool is_deaf;
};

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void make_key(const struct load *load, uint64_t number, uint64_t key[2])
{
    key[0] = hash_pair(number, 1, load->seed);
    key[1] = hash_pair(number, 2, load->seed);
}

static void tell(FILE *told, const char *what, const uint8_t *key, struct ticket_id ticket)
{
    uint8_t id[ID_BYTES];
    id_to_bytes(ticket, id);
    (void) fputs(what, told);
    for (uint32_t i = 0; key != NULL && i < 16; i++) {
        (void) fprintf(told, "%s%02X", i == 0 ? " " : "", key[i]);
    }
    for (uint32_t i = 0; i < ID_BYTES; i++) {
        (void) fprintf(told, "%s%02X", i == 0 ? " " : "", id[i]);
    }
    (void) fputc('\n', told);
}

/* ---- what comes ---- */

static void take_answer(struct client *client, const struct submitted *answer)
{
    struct load *load = client->load;
    uint64_t key[2];
    client->answered++;
    if (answer->answer == ANSWER_BUSY) {
        load->busy++;
        load->busy_without_time += answer->retry_ms == 0 ? 1u : 0u;
        load->retry_ms_max =
            answer->retry_ms > load->retry_ms_max ? answer->retry_ms : load->retry_ms_max;
        client->pause_ms = process_now_ms() + answer->retry_ms;
    } else if (answer->answer == ANSWER_REJECT) {
        load->rejected++;
    } else {
        if (load->acknowledged++ == 0) {
            (void) puts("begun");
            (void) fflush(stdout);
        }
        make_key(load, answer->ref, key);
        tell(load->told, "acknowledged", (const uint8_t *) key, answer->ticket);
    }
}

static void message_came(void *context, uint64_t peer, const struct message *message)
{
    struct client *client = context;
    (void) peer;
    if (message->header.kind != MESSAGE_SUBMITTED) {
        return;
    }
    for (uint32_t i = 0; i < message->count; i++) {
        take_answer(client, &message->submitted[i]);
    }
    int64_t now_ms = process_now_ms();
    client->load->longest_silence_ms =
        larger(client->load->longest_silence_ms, now_ms - client->heard_ms);
    client->heard_ms = now_ms;
}

static void link_down(void *context, uint64_t peer)
{
    struct client *client = context;
    (void) peer;
    client->load->is_cut = true;
    loop_stop(client->load->loop);
}

/* ---- what goes ---- */

static void send_pack(struct client *client, uint32_t count)
{
    struct load *load = client->load;
    uint64_t index = (uint64_t) (client - load->clients);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t number = client->sent++ * CLIENTS_MAX + index;
        make_key(load, number, load->keys[i]);
        load->batch[i] = load->plan.classes[load->keys[i][0] % BENCH_PLAN_CLASSES];
        load->batch[i].key = bytes_of(load->keys[i], sizeof load->keys[i]);
        load->batch[i].ref = number;
    }
    struct message message = {.header = {.kind = MESSAGE_SUBMIT}, .count = count};
    message.submit = load->batch;
    link_dialer_send(client->dialer, &message);
}

static uint64_t may_send(struct client *client, int64_t now_ms)
{
    const struct load *load = client->load;
    if (load->rate > 0) { /* whatever is answered */
        uint64_t gone_us = (uint64_t) (process_now_us() - load->begun_us);
        uint64_t due = gone_us * (load->rate / load->client_count) / US_PER_S;
        return due > client->sent ? due - client->sent : 0;
    }
    if (client->sent > client->answered && now_ms - client->heard_ms > LOST_MS) {
        client->answered = client->sent; /* lost on the way; new ones go */
        client->heard_ms = now_ms;
    }
    uint64_t waiting = client->sent - client->answered;
    return now_ms < client->pause_ms || waiting >= load->window ? 0 : load->window - waiting;
}

static int64_t turn(void *context, int64_t now_ms)
{
    struct load *load = context;
    if (now_ms >= load->until_ms) {
        loop_stop(load->loop);
        return now_ms + TURN_MS;
    }
    for (uint32_t i = 0; i < load->client_count; i++) {
        struct client *client = &load->clients[i];
        if (client->sent == client->answered) {
            client->heard_ms = now_ms; /* nothing is waited for */
        }
        for (uint64_t left = may_send(client, now_ms); left > 0;) {
            uint32_t count = left < PACK_MAX ? (uint32_t) left : PACK_MAX;
            send_pack(client, count);
            left -= count;
        }
    }
    return now_ms + TURN_MS;
}

/* ---- start and end ---- */

static void read_arguments(struct load *load, int count, char **arguments)
{
    CHECK(count >= 4);
    load->address = arguments[1];
    load->told = fopen(arguments[2], "ae");
    CHECK(load->told != NULL);
    load->until_ms = process_now_ms() + (int64_t) (strtod(arguments[3], NULL) * 1000);
    load->window = 1000;
    load->client_count = 1;
    for (int i = 4; i + 1 < count; i += 2) {
        uint32_t value = (uint32_t) strtoul(arguments[i + 1], NULL, 10);
        if (strcmp(arguments[i], "--window") == 0) {
            load->window = value;
        } else if (strcmp(arguments[i], "--rate") == 0) {
            load->rate = value;
        } else if (strcmp(arguments[i], "--clients") == 0) {
            load->client_count = value;
        } else if (strcmp(arguments[i], "--deaf") == 0) {
            load->is_deaf = true;
        } else {
            CHECK(strcmp(arguments[i], "--sites") == 0);
            load->sites_address = arguments[i + 1];
        }
    }
    CHECK(load->client_count > 0 && load->client_count <= CLIENTS_MAX);
}

static void open_clients(struct load *load)
{
    char endpoint[ENDPOINT_BYTES_MAX];
    endpoint_dial(load->address, endpoint);
    for (uint32_t i = 0; i < load->client_count; i++) {
        struct client *client = &load->clients[i];
        struct link_dialer_options options = {
            .loop = load->loop,
            .edge = EDGE_BROKER_TO_CLIENT,
            .endpoint = endpoint,
            .high_water = load->is_deaf ? DEAF_HIGH_WATER : HIGH_WATER,
            .events = {.message = message_came, .down = link_down, .context = client},
        };
        *client = (struct client){.load = load, .heard_ms = process_now_ms()};
        CHECK(link_dialer_open(&options, &client->dialer) == VT_OK);
    }
}

static void open_sites(struct load *load)
{
    struct bench_sites_options options = {
        .loop = load->loop,
        .plan = &load->plan,
        .address = load->sites_address,
        .site_count = SITES,
        .capacity = CAPACITY,
        .times_max = TIMES_MAX,
        .target = UINT64_MAX,
    };
    CHECK(bench_sites_open(&options, &load->sites) == VT_OK);
    int64_t until_ms = process_now_ms() + UP_MS;
    while (bench_sites_figures(load->sites)->up < SITES && process_now_ms() < until_ms) {
        loop_run(load->loop, process_now_ms() + TURN_MS);
    }
}

static void finish(struct load *load)
{
    uint64_t completed = 0;
    uint64_t sent = 0;
    double seconds = (double) (process_now_us() - load->begun_us) / US_PER_S;
    if (load->sites != NULL) {
        const struct bench_sites_figures *figures = bench_sites_figures(load->sites);
        completed = figures->end_count;
        for (uint64_t i = 0; i < completed; i++) {
            tell(load->told, "completed", NULL, figures->ends[i].ticket);
        }
    }
    int64_t now_ms = process_now_ms();
    for (uint32_t i = 0; i < load->client_count; i++) {
        const struct client *client = &load->clients[i];
        sent += client->sent;
        if (client->sent > client->answered) {
            load->longest_silence_ms = larger(load->longest_silence_ms, now_ms - client->heard_ms);
        }
    }
    CHECK(fclose(load->told) == 0);
    (void) printf("seconds %.2f sent %" PRIu64 " acknowledged %" PRIu64 " busy %" PRIu64
                  " untimed %" PRIu64 " retry_ms %" PRIu32 " rejected %" PRIu64
                  " completed %" PRIu64 " per_s %.0f silence_ms %" PRId64 " cut %d\n",
                  seconds,
                  sent,
                  load->acknowledged,
                  load->busy,
                  load->busy_without_time,
                  load->retry_ms_max,
                  load->rejected,
                  completed,
                  (double) load->acknowledged / seconds,
                  load->longest_silence_ms,
                  load->is_cut ? 1 : 0);
}

/* A deaf client's answers stay where they are: in the sockets, and then at the server. */
static void run(struct load *load)
{
    struct timespec time = {.tv_nsec = TURN_MS * NS_PER_MS};
    if (!load->is_deaf) {
        loop_run(load->loop, load->until_ms);
        return;
    }
    (void) turn(load, process_now_ms());
    (void) nanosleep(&time, NULL);
}

int main(int count, char **arguments)
{
    static struct load load;
    load.seed = process_random_u64();
    load.loop = loop_open();
    CHECK(load.loop != NULL && bench_plan_open(&load.plan, PLAN_AGENTS) == VT_OK);
    read_arguments(&load, count, arguments);
    if (load.sites_address != NULL) {
        open_sites(&load);
    }
    open_clients(&load);
    struct loop_turner turner = {.turn = turn, .context = &load};
    CHECK(loop_add_turner(load.loop, &turner) == VT_OK);
    load.begun_us = process_now_us();
    while (!load.is_cut && process_now_ms() < load.until_ms) {
        run(&load);
    }
    finish(&load);
    for (uint32_t i = 0; i < load.client_count; i++) {
        link_dialer_close(load.clients[i].dialer);
    }
    bench_sites_close(load.sites);
    bench_plan_close(&load.plan);
    loop_close(load.loop);
    return load.rejected > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
