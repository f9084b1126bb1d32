#include <string.h>

#include "tests/unit/storm.h"

struct header
storm_site_header(const struct storm *storm, uint32_t site, enum message_kind kind, uint32_t part)
{
    struct header header = {.kind = kind,
                            .part = part,
                            .site = site + 1U,
                            .session = storm->sites[site].session,
                            .origin = STORM_BROKER_INCARNATION};
    if (part <= STORM_PARTS) {
        header.seq = storm->sites[site].seq[part];
        header.epoch = storm->sites[site].epoch[part];
    }
    return header;
}

static uint32_t agent_id(uint32_t site, uint32_t index)
{
    return (site + 1U) * 100U + index;
}

static uint32_t used(const struct storm_site *site, uint32_t agent)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < STORM_HELD_MAX; i++) {
        count += site->held[i].accept.agent == agent && (site->held[i].state == WORK_ACCEPTED ||
                                                         site->held[i].state == WORK_WORKING)
                     ? 1U
                     : 0U;
    }
    return count;
}

static uint32_t capacity(uint32_t index)
{
    return index + 1U;
}

static void send_avail(struct storm *storm, uint32_t site)
{
    for (uint32_t i = 0; i < STORM_AGENTS; i++) {
        struct avail avail = {.agent = agent_id(site, i), .is_available = true};
        avail.free = capacity(i) - used(&storm->sites[site], avail.agent);
        storm_receive(storm, storm_site_header(storm, site, MESSAGE_AVAIL, PART_ALL), &avail, 1);
    }
}

static uint32_t
list_held(const struct storm_site *site, uint32_t part, struct held held[STORM_HELD_MAX])
{
    static const enum held_state states[] = {
        [WORK_ACCEPTED] = HELD_ACCEPTED, [WORK_WORKING] = HELD_WORKING, [WORK_ENDED] = HELD_ENDED};
    uint32_t count = 0;
    for (uint32_t i = 0; i < STORM_HELD_MAX; i++) {
        const struct storm_held *row = &site->held[i];
        if (row->state != WORK_NONE && (part == 0 || row->part == part)) {
            held[count++] = (struct held){.part = row->part,
                                          .ticket = row->accept.ticket,
                                          .attempt = row->accept.attempt,
                                          .agent = row->accept.agent,
                                          .state = states[row->state]};
        }
    }
    return count;
}

void storm_site_send_up(struct storm *storm, uint32_t site)
{
    struct held held[STORM_HELD_MAX];
    struct agent agents[STORM_AGENTS];
    struct storm_site *model = &storm->sites[site];
    struct header header = storm_site_header(storm, site, MESSAGE_SITE_UP, 0);
    header.flags = HEADER_FIRST;
    struct site_up up = {.name = bytes_of_text("site"), .agent_count = STORM_AGENTS};
    up.held_count = list_held(model, 0, held);
    for (uint32_t i = 0; i < STORM_AGENTS; i++) {
        agents[i] = (struct agent){.index = i,
                                   .id = agent_id(site, i),
                                   .name = bytes_of_text("agent"),
                                   .is_person = i == 0,
                                   .capacity = capacity(i),
                                   .free = capacity(i) - used(model, agent_id(site, i)),
                                   .profile = bytes_of(storm->profile, storm->profile_size)};
    }
    steps_receive(&storm->steps, storm_broker, &header, &up, 1);
    storm_keep(storm);
    header.kind = MESSAGE_AGENT;
    header.flags = HEADER_FIRST | HEADER_LAST;
    steps_receive(&storm->steps, storm_broker, &header, agents, STORM_AGENTS);
    storm_keep(storm);
    header.kind = MESSAGE_HELD;
    if (up.held_count > 0) {
        steps_receive(&storm->steps, storm_broker, &header, held, up.held_count);
        storm_keep(storm);
    }
    model->is_up = true;
}

/* A restart forgets what was only accepted; a reconnect keeps it. */
void storm_site_restart(struct storm *storm, uint32_t site)
{
    struct storm_site *model = &storm->sites[site];
    bool is_boot = model->session.boot == 0 || storm_chance(storm, 50);
    model->session.connect = is_boot ? 1U : model->session.connect + 1U;
    model->session.boot += is_boot ? 1U : 0U;
    for (uint32_t i = 0; is_boot && i < STORM_HELD_MAX; i++) {
        if (model->held[i].state == WORK_ACCEPTED) {
            model->held[i].state = WORK_NONE;
        }
    }
    memset(model->seq, 0, sizeof model->seq);
    storm_site_send_up(storm, site);
}

static struct storm_held *
find_held(struct storm_site *site, struct ticket_id ticket, uint32_t attempt)
{
    for (uint32_t i = 0; i < STORM_HELD_MAX; i++) {
        struct storm_held *row = &site->held[i];
        if (row->state != WORK_NONE && id_equal(row->accept.ticket, ticket) &&
            row->accept.attempt == attempt) {
            return row;
        }
    }
    return NULL;
}

static void got_offer(struct storm *storm,
                      uint32_t site,
                      const struct header *header,
                      const struct offer *offer)
{
    struct storm_site *model = &storm->sites[site];
    uint32_t index = offer->agent % 100U;
    struct accept accept = {.offer = offer->offer,
                            .ticket = offer->ticket,
                            .attempt = offer->attempt,
                            .agent = offer->agent,
                            .epoch = header->epoch};
    if (find_held(model, offer->ticket, offer->attempt) != NULL || storm_chance(storm, 3)) {
        return; /* nobody answers: it expires */
    }
    bool is_full = used(model, offer->agent) >= capacity(index);
    if (is_full || storm_chance(storm, 10)) {
        struct decline decline = {.offer = offer->offer,
                                  .ticket = offer->ticket,
                                  .attempt = offer->attempt,
                                  .agent = offer->agent,
                                  .epoch = header->epoch,
                                  .reason = is_full ? DECLINE_BUSY : DECLINE_REFUSED,
                                  .free = capacity(index) - used(model, offer->agent)};
        storm_receive(
            storm, storm_site_header(storm, site, MESSAGE_DECLINE, header->part), &decline, 1);
        return;
    }
    for (uint32_t i = 0; i < STORM_HELD_MAX; i++) {
        if (model->held[i].state == WORK_NONE) {
            model->held[i] =
                (struct storm_held){.state = WORK_ACCEPTED, .part = header->part, .accept = accept};
            break;
        }
    }
    storm_receive(storm, storm_site_header(storm, site, MESSAGE_ACCEPT, header->part), &accept, 1);
}

static void got_confirm(struct storm *storm, uint32_t site, const struct confirm *confirm)
{
    struct storm_held *row = find_held(&storm->sites[site], confirm->ticket, confirm->attempt);
    if (row != NULL && row->state == WORK_ACCEPTED) {
        row->state = WORK_WORKING;
        row->msgs = confirm->msgs;
    }
}

static void got_release(struct storm *storm, uint32_t site, const struct release *release)
{
    struct storm_held *row = find_held(&storm->sites[site], release->ticket, release->attempt);
    bool is_meant = row != NULL && (release->offer == 0 || release->offer == row->accept.offer) &&
                    row->accept.agent == release->agent;
    if (is_meant && row->state != WORK_ENDED &&
        (release->offer == 0 || row->state == WORK_ACCEPTED)) {
        row->state = WORK_NONE;
        send_avail(storm, site);
    }
}

static void send_held(struct storm *storm, uint32_t site, uint32_t part)
{
    struct held held[STORM_HELD_MAX];
    uint32_t count = list_held(&storm->sites[site], part, held);
    struct header header = storm_site_header(storm, site, MESSAGE_HELD, part);
    header.flags = HEADER_FIRST | HEADER_LAST;
    storm_receive(storm, header, held, count);
}

static void got_verdict(struct storm *storm, uint32_t site, const struct verdict *verdict)
{
    struct storm_held *row = find_held(&storm->sites[site], verdict->ticket, verdict->attempt);
    if (row != NULL && row->state == WORK_ENDED) {
        row->state = WORK_NONE;
    }
}

static void got_one(struct storm *storm, uint32_t site, const struct message *message, uint32_t i)
{
    if (message->header.kind == MESSAGE_OFFER) {
        got_offer(storm, site, &message->header, &message->offer[i]);
    } else if (message->header.kind == MESSAGE_CONFIRM) {
        got_confirm(storm, site, &message->confirm[i]);
    } else if (message->header.kind == MESSAGE_RELEASE) {
        got_release(storm, site, &message->release[i]);
    } else if (message->header.kind == MESSAGE_VERDICT) {
        got_verdict(storm, site, &message->verdict[i]);
    }
}

static void count_received(struct storm_site *model, const struct header *header)
{
    if (header->epoch > model->epoch[header->part]) {
        model->epoch[header->part] = header->epoch;
        model->seq[header->part] = 0;
    }
    if (header->epoch == model->epoch[header->part] && header->seq > model->seq[header->part]) {
        model->seq[header->part] = header->seq;
    }
}

void storm_site_receive(struct storm *storm, const struct message *message)
{
    uint32_t site = message->header.site - 1U;
    struct storm_site *model = &storm->sites[site];
    if (!model->is_up || !session_equal(model->session, message->header.session)) {
        return;
    }
    count_received(model, &message->header);
    if (message->header.kind == MESSAGE_HELD_ASK) {
        send_held(storm, site, message->header.part);
    }
    for (uint32_t i = 0; i < message->count; i++) {
        got_one(storm, site, message, i);
    }
}

/* What a site does by itself: ends work, says again what was not answered, lives. */
void storm_site_works(struct storm *storm, uint32_t site)
{
    struct storm_site *model = &storm->sites[site];
    for (uint32_t i = 0; model->is_up && i < STORM_HELD_MAX; i++) {
        struct storm_held *row = &model->held[i];
        if (row->state == WORK_ACCEPTED) {
            storm_receive(
                storm, storm_site_header(storm, site, MESSAGE_ACCEPT, row->part), &row->accept, 1);
        }
        if (row->state == WORK_WORKING && storm_chance(storm, 30)) {
            row->state = WORK_ENDED;
            row->what = storm->lost_percent > 0 && storm_chance(storm, 30)
                            ? (enum outcome_kind) storm_below(storm, 4)
                            : OUTCOME_COMPLETE;
            send_avail(storm, site);
        }
        if (row->state == WORK_ENDED) {
            struct outcome outcome = {.what = row->what,
                                      .ticket = row->accept.ticket,
                                      .attempt = row->accept.attempt,
                                      .agent = row->accept.agent,
                                      .agent_is_person = row->accept.agent % 100U == 0,
                                      .seen = row->msgs,
                                      .text = bytes_of_text("answer")};
            storm_receive(
                storm, storm_site_header(storm, site, MESSAGE_OUTCOME, row->part), &outcome, 1);
        }
    }
}

void storm_site_beats(struct storm *storm, uint32_t site)
{
    struct held held[STORM_HELD_MAX];
    if (!storm->sites[site].is_up) {
        return;
    }
    for (uint32_t part = 1; part <= STORM_PARTS; part++) {
        struct beat beat = {.held_count = list_held(&storm->sites[site], part, held)};
        for (uint32_t i = 0; i < beat.held_count; i++) {
            beat.digest += held_digest(&held[i]);
        }
        storm_receive(storm, storm_site_header(storm, site, MESSAGE_BEAT, part), &beat, 1);
    }
    send_avail(storm, site);
}
