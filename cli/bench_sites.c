#include "cli/bench_sites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bench_slots.h"
#include "io/endpoint.h"
#include "io/link.h"
#include "io/process.h"
#include "lib/check.h"
#include "lib/core.h"

#define HIGH_WATER 4096
#define HELLO_MS 1000
#define BUSY_BEAT_MS 1000
#define IDLE_BEAT_MS 5000
#define AVAIL_MS 30000
#define TURN_MS 200
#define BOOT_US 100000 /* without a disk to count starts on, time does */

enum stage {
    STAGE_HELLO,
    STAGE_UP
};

struct site {
    struct bench_sites *sites;
    struct link_dialer *dialer;
    struct session session;
    enum stage stage;
    uint32_t number;
    uint32_t first_agent; /* in the plan */
    uint32_t agent_count;
    uint32_t welcomed;
    struct bench_slots slots;
    int64_t hello_ms; /* when each is due */
    int64_t ping_ms;
    int64_t beat_ms;
    int64_t life_ms;
    int64_t avail_ms;
    char name[NAME_BYTES_MAX];
};

struct bench_sites {
    struct bench_sites_options options;
    struct bench_sites_figures figures;
    struct bench_sites_time *offers;
    struct bench_sites_time *ends;
    struct site *list;
    /* Scratch for one message. */
    struct agent agents[MESSAGE_ENTRIES_MAX];
    char names[MESSAGE_ENTRIES_MAX][16];
    struct avail avails[MESSAGE_ENTRIES_MAX];
    struct bench_slots_batch batch;
    uint8_t (*profiles)[PROFILE_BYTES_MAX];
};

static void send_list(struct site *site, struct header header, void *entries, uint32_t count)
{
    header.session = site->session;
    struct message message = {.header = header, .count = count};
    message.entries = entries;
    link_dialer_send(site->dialer, &message);
}

static void send_bare(struct site *site, enum message_kind kind)
{
    send_list(site, (struct header){.kind = kind}, NULL, 0);
}

/* ---- hello ---- */

static void send_agents(struct site *site)
{
    struct bench_sites *sites = site->sites;
    for (uint32_t first = 0; first < site->agent_count; first += MESSAGE_ENTRIES_MAX) {
        uint32_t count = site->agent_count - first;
        count = count < MESSAGE_ENTRIES_MAX ? count : MESSAGE_ENTRIES_MAX;
        for (uint32_t i = 0; i < count; i++) {
            const struct profile *profile =
                &sites->options.plan->profiles[site->first_agent + first + i];
            uint32_t size = profile_write(profile, sites->profiles[i]);
            snprintf(sites->names[i], sizeof sites->names[i], "a%u", first + i);
            sites->agents[i] = (struct agent){.index = first + i,
                                              .name = bytes_of_text(sites->names[i]),
                                              .capacity = sites->options.capacity,
                                              .free = sites->options.capacity,
                                              .profile = bytes_of(sites->profiles[i], size)};
        }
        bool is_last = first + count == site->agent_count;
        struct header header = {.kind = MESSAGE_AGENT,
                                .flags = (first == 0 ? (uint32_t) HEADER_FIRST : 0U) |
                                         (is_last ? (uint32_t) HEADER_LAST : 0U)};
        send_list(site, header, sites->agents, count);
    }
}

static void send_held(struct site *site, uint32_t part)
{
    struct bench_slots_page page = {.part = part};
    do {
        uint32_t flags = page.is_begun ? 0 : HEADER_FIRST;
        bool has_more = bench_slots_held(&site->slots, &page);
        struct header header = {.kind = MESSAGE_HELD,
                                .flags = flags | (has_more ? 0U : (uint32_t) HEADER_LAST),
                                .part = part == BENCH_SLOTS_EVERY_PART ? 0 : part,
                                .epoch = bench_slots_epoch(&site->slots, part),
                                .seq = bench_slots_seq(&site->slots, part)};
        send_list(site, header, page.held, page.count);
        page.is_begun = has_more;
    } while (page.is_begun);
}

static void send_hello(struct site *site, int64_t now_ms)
{
    uint32_t held_count = bench_slots_count(&site->slots);
    struct hello hello = {.name = bytes_of_text(site->name),
                          .agent_count = site->agent_count,
                          .held_count = held_count};
    send_list(site, (struct header){.kind = MESSAGE_HELLO}, &hello, 1);
    send_agents(site);
    if (held_count > 0) {
        send_held(site, BENCH_SLOTS_EVERY_PART);
    }
    site->hello_ms = now_ms + HELLO_MS;
}

static void hello_anew(struct site *site)
{
    site->session.connect++;
    site->stage = STAGE_HELLO;
    site->welcomed = 0;
    site->hello_ms = 0;
}

static void take_welcome(struct site *site, const struct message *message)
{
    if (site->stage == STAGE_UP) {
        return;
    }
    for (uint32_t i = 0; i < message->count; i++) {
        bench_slots_set_id(&site->slots, message->welcome[i].index, message->welcome[i].agent);
        site->welcomed++;
    }
    if (site->welcomed < site->agent_count) {
        return;
    }
    site->stage = STAGE_UP;
    site->sites->figures.up++;
    site->avail_ms = 0;
    site->life_ms = 0;
    site->ping_ms = 0;
    site->beat_ms = process_now_ms() + BUSY_BEAT_MS;
}

static void take_hello_again(struct site *site, const struct message *message)
{
    uint32_t floor = message->count > 0 ? message->hello_again[0].floor : 0;
    if (floor >= site->session.boot) {
        site->session.boot = floor + 1;
        hello_anew(site);
    } else if (site->stage == STAGE_UP) {
        hello_anew(site);
    }
}

/* ---- work ---- */

static void keep_time(struct bench_sites *sites,
                      struct bench_sites_time *times,
                      uint64_t *count,
                      struct ticket_id ticket)
{
    if (*count < sites->options.times_max) {
        times[(*count)++] = (struct bench_sites_time){.ticket = ticket, .at_us = process_now_us()};
    }
}

static void take_offer(struct site *site, const struct header *header, const struct offer *offer)
{
    struct bench_sites *sites = site->sites;
    struct bench_sites_figures *figures = &sites->figures;
    switch (bench_slots_offer(&site->slots, header, offer)) {
    case BENCH_SLOTS_TAKEN:
        figures->first_offer_us =
            figures->offered++ == 0 ? process_now_us() : figures->first_offer_us;
        keep_time(sites, sites->offers, &figures->offer_count, offer->ticket);
        break;
    case BENCH_SLOTS_REFUSED:
        figures->declined++;
        break;
    case BENCH_SLOTS_REPEATED:
        figures->repeated++;
        break;
    }
}

static void take_confirm(struct site *site, const struct header *header, const struct confirm *one)
{
    if (bench_slots_confirm(&site->slots, header, one) == BENCH_SLOTS_TAKEN) {
        site->sites->figures.confirmed++;
    } else {
        site->sites->figures.repeated++;
    }
}

static void take_verdict(struct site *site, const struct verdict *verdict)
{
    struct bench_sites *sites = site->sites;
    if (!bench_slots_verdict(&site->slots, verdict)) {
        return;
    }
    if (verdict->verdict != VERDICT_ACK) {
        sites->figures.stale++;
        return;
    }
    keep_time(sites, sites->ends, &sites->figures.end_count, verdict->ticket);
    sites->figures.completed++;
}

static void take_work(struct site *site, const struct message *message)
{
    const struct header *header = &message->header;
    uint64_t completed = site->sites->figures.completed;
    bench_slots_hear(&site->slots, header);
    if (header->kind == MESSAGE_HELD_ASK) {
        site->sites->figures.repeated++;
        send_held(site, header->part);
        return;
    }
    for (uint32_t i = 0; i < message->count; i++) {
        if (header->kind == MESSAGE_OFFER) {
            take_offer(site, header, &message->offer[i]);
        } else if (header->kind == MESSAGE_CONFIRM) {
            take_confirm(site, header, &message->confirm[i]);
        } else if (header->kind == MESSAGE_VERDICT) {
            take_verdict(site, &message->verdict[i]);
        } else if (header->kind == MESSAGE_RELEASE) {
            bench_slots_release(&site->slots, &message->release[i]);
        }
    }
    if (site->sites->figures.completed > completed) {
        site->sites->figures.last_us = process_now_us();
    }
    if (site->sites->figures.completed >= site->sites->options.target) {
        loop_stop(site->sites->options.loop);
    }
}

static void message_came(void *context, uint64_t peer, const struct message *message)
{
    struct site *site = context;
    (void) peer;
    if (message_is_carried_kind(message->header.kind)) {
        take_work(site, message);
    } else if (message->header.kind == MESSAGE_WELCOME) {
        take_welcome(site, message);
    } else if (message->header.kind == MESSAGE_HELLO_AGAIN) {
        take_hello_again(site, message);
    }
}

static void link_down(void *context, uint64_t peer)
{
    struct site *site = context;
    (void) peer;
    site->sites->figures.cuts++;
    hello_anew(site);
    site->hello_ms = process_now_ms() + HELLO_MS;
}

/* ---- what is due ---- */

static void send_batch(struct site *site, struct bench_slots_batch *batch)
{
    if (batch->accept_count > 0) {
        struct header header = {.kind = MESSAGE_ACCEPT, .part = batch->part};
        send_list(site, header, batch->accepts, batch->accept_count);
    }
    if (batch->decline_count > 0) {
        struct header header = {.kind = MESSAGE_DECLINE, .part = batch->part};
        send_list(site, header, batch->declines, batch->decline_count);
    }
    if (batch->outcome_count > 0) {
        struct header header = {.kind = MESSAGE_OUTCOME, .part = batch->part};
        send_list(site, header, batch->outcomes, batch->outcome_count);
    }
}

static void send_work(struct site *site, int64_t now_ms)
{
    struct bench_slots_batch *batch = &site->sites->batch;
    struct avail *avails = site->sites->avails;
    uint32_t count = 0;
    bench_slots_remind(&site->slots, now_ms);
    while (bench_slots_take_batch(&site->slots, batch)) {
        send_batch(site, batch);
    }
    if (now_ms >= site->avail_ms) {
        bench_slots_mark_all(&site->slots);
        site->avail_ms = now_ms + AVAIL_MS;
    }
    while ((count = bench_slots_take_avails(&site->slots, avails)) > 0) {
        struct header header = {.kind = MESSAGE_AVAIL, .part = PART_ALL};
        send_list(site, header, avails, count);
    }
}

static void send_life(struct site *site, int64_t now_ms)
{
    bool is_holding = bench_slots_count(&site->slots) > 0;
    struct bench_slots_beat beats[BENCH_SLOTS_PARTS_MAX];
    if (now_ms >= site->ping_ms) {
        send_bare(site, MESSAGE_PING);
        site->ping_ms = now_ms + (is_holding ? BUSY_BEAT_MS : IDLE_BEAT_MS);
    }
    if (now_ms >= site->life_ms) {
        struct beat life = {0};
        struct header header = {.kind = MESSAGE_BEAT, .part = PART_ALL};
        send_list(site, header, &life, 1);
        site->life_ms = now_ms + IDLE_BEAT_MS;
    }
    if (is_holding && now_ms >= site->beat_ms) {
        uint32_t count = bench_slots_beats(&site->slots, beats);
        for (uint32_t i = 0; i < count; i++) {
            struct header header = {.kind = MESSAGE_BEAT,
                                    .part = beats[i].part,
                                    .epoch = bench_slots_epoch(&site->slots, beats[i].part),
                                    .seq = bench_slots_seq(&site->slots, beats[i].part)};
            send_list(site, header, &beats[i].beat, 1);
        }
        site->beat_ms = now_ms + BUSY_BEAT_MS;
    }
}

static int64_t turn(void *context, int64_t now_ms)
{
    struct bench_sites *sites = context;
    for (uint32_t i = 0; i < sites->options.site_count; i++) {
        struct site *site = &sites->list[i];
        if (site->stage == STAGE_UP) {
            send_work(site, now_ms);
            send_life(site, now_ms);
        } else if (now_ms >= site->hello_ms) {
            send_hello(site, now_ms);
        }
    }
    return now_ms + TURN_MS;
}

/* ---- opening ---- */

static vt_err open_site(struct bench_sites *sites, uint32_t number)
{
    struct site *site = &sites->list[number];
    uint32_t agents = sites->options.plan->agent_count;
    uint32_t first = agents * number / sites->options.site_count;
    uint32_t end = agents * (number + 1) / sites->options.site_count;
    *site = (struct site){
        .sites = sites,
        .number = number,
        .first_agent = first,
        .agent_count = end - first,
        .session = {.boot = (uint32_t) (process_wall_us() / BOOT_US),
                    .connect = 1,
                    .nonce = process_random_u64()},
    };
    snprintf(site->name, sizeof site->name, "bench-%u", number);
    vt_err err = bench_slots_open(&site->slots, site->agent_count, sites->options.capacity);
    if (err != VT_OK) {
        return err;
    }
    char endpoint[ENDPOINT_BYTES_MAX];
    endpoint_dial(sites->options.address, endpoint);
    struct link_dialer_options options = {
        .loop = sites->options.loop,
        .edge = EDGE_BROKER_TO_SITE,
        .peer = number,
        .endpoint = endpoint,
        .high_water = HIGH_WATER,
        .events = {.message = message_came, .down = link_down, .context = site},
    };
    return link_dialer_open(&options, &site->dialer);
}

static vt_err open_tables(struct bench_sites *sites)
{
    uint64_t times = sites->options.times_max + 1;
    sites->list = calloc(sites->options.site_count, sizeof *sites->list);
    sites->offers = calloc(times, sizeof *sites->offers);
    sites->ends = calloc(times, sizeof *sites->ends);
    sites->profiles = calloc(MESSAGE_ENTRIES_MAX, sizeof *sites->profiles);
    sites->figures.offers = sites->offers;
    sites->figures.ends = sites->ends;
    bool has_all = sites->list != NULL && sites->offers != NULL && sites->ends != NULL &&
                   sites->profiles != NULL;
    return has_all ? VT_OK : VT_UNAVAILABLE;
}

vt_err bench_sites_open(const struct bench_sites_options *options, struct bench_sites **out)
{
    CHECK(options->site_count > 0 && options->site_count <= BENCH_SITES_MAX);
    CHECK(options->site_count <= options->plan->agent_count);

    struct bench_sites *sites = calloc(1, sizeof *sites);
    if (sites == NULL) {
        return VT_UNAVAILABLE;
    }
    sites->options = *options;
    vt_err err = open_tables(sites);
    for (uint32_t i = 0; err == VT_OK && i < options->site_count; i++) {
        err = open_site(sites, i);
    }
    if (err == VT_OK) {
        struct loop_turner turner = {.turn = turn, .context = sites};
        err = loop_add_turner(options->loop, &turner);
    }
    if (err != VT_OK) {
        bench_sites_close(sites);
        return err;
    }
    *out = sites;
    return VT_OK;
}

void bench_sites_close(struct bench_sites *sites)
{
    if (sites == NULL) {
        return;
    }
    for (uint32_t i = 0; sites->list != NULL && i < sites->options.site_count; i++) {
        link_dialer_close(sites->list[i].dialer);
        bench_slots_close(&sites->list[i].slots);
    }
    free(sites->list);
    free(sites->offers);
    free(sites->ends);
    free(sites->profiles);
    free(sites);
}

const struct bench_sites_figures *bench_sites_figures(const struct bench_sites *sites)
{
    return &sites->figures;
}
