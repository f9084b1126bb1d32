#include "cli/demo_desk.h"

#include <stdlib.h>
#include <string.h>

#include "io/process.h"
#include "lib/check.h"
#include "lib/hash.h"
#include "lib/map.h"
#include "lib/text.h"
#include "lib/timers.h"
#include "proto/body.h"

#define MS_PER_H INT64_C(3600000)
#define US_PER_MS 1000
#define FOREIGN_HANDLE_MS 2000 /* real; tickets of others, while the demo stays up */
/* Agent 0 refuses nothing: who refused a ticket is not asked again for 15 s of real time, which is
 * days of the city, and this one may be the only one with all that a ticket asks for. */
#define GENERALIST 0u
#define NUMBER_FOREIGN UINT32_MAX
#define FOREIGN_MAX 65536u
#define ANSWER_TEXT "Hemos atendido su aviso. Gracias por su colaboración."
#define GIVE_BACK_TEXT "corresponde a otra persona del equipo"

struct desk_agent {
    bool is_on_duty;
    bool is_working;
    bool has_answer; /* to an offer; goes out at the next turn */
    bool is_listed;  /* among the answering */
    bool declines;
    struct accept answer;
    struct ticket_id ticket; /* at work */
    uint32_t attempt;
    uint32_t number; /* or NUMBER_FOREIGN */
    bool gives_back;
    int64_t began_us;
    int64_t free_since_us; /* came on duty, ended its work or declined */
    int64_t counted_us;    /* busy_us and idle_us are right up to here */
};

/* A ticket as it is known before its payload: by id. */
struct offered {
    struct ticket_id ticket;
    int64_t at_us;
    int64_t free_since_us; /* of the agent it was offered to */
};

struct demo_desk {
    struct loop *loop;
    struct host *host;
    struct demo_board *board;
    const struct demo_staff *staff;
    struct desk_agent *agents;
    struct demo_desk_ticket *tickets;
    struct demo_desk_load *loads; /* pool_count + 1 of them */
    struct offered *offered;
    struct map offered_by_id;
    struct timers timers; /* by agent: end of work */
    uint32_t *answering;  /* agents with has_answer */
    uint32_t answering_count;
    int64_t next_hour_ms; /* CLOCK_BOOTTIME */
    int64_t last_arrival_us;
    bool is_working_off; /* the last ticket came: everybody helps */
    struct demo_desk_figures figures;
    struct arena arena;
};

static struct map_key offered_key(const void *context, uint32_t row)
{
    const struct offered *offered = context;
    return (struct map_key){.a = offered[row].ticket.hi, .b = offered[row].ticket.lo};
}

/* ---- time on duty and at work ---- */

static void count_time(struct demo_desk *desk, uint32_t agent, int64_t now_us)
{
    struct desk_agent *a = &desk->agents[agent];
    int64_t until_us = now_us < desk->last_arrival_us ? now_us : desk->last_arrival_us;
    if (a->counted_us > 0 && until_us > a->counted_us) {
        int64_t passed_us = until_us - a->counted_us;
        if (a->is_working) {
            desk->figures.busy_us += passed_us;
        } else if (a->is_on_duty) {
            desk->figures.idle_us += passed_us;
        }
    }
    a->counted_us = desk->last_arrival_us == INT64_MAX ? 0 : now_us;
}

static void say_available(struct demo_desk *desk, uint32_t agent)
{
    struct avail avail = {.agent = agent, .is_available = desk->agents[agent].is_on_duty};
    struct message message = {.header = {.kind = MESSAGE_AVAIL}, .count = 1};
    message.avail = &avail;
    host_post_message(desk->host, (struct address){.link = LINK_DESK, .peer = agent}, &message);
}

static void set_duty(struct demo_desk *desk, uint32_t slot)
{
    int64_t now_us = process_now_us();
    for (uint32_t i = 0; i < desk->staff->agent_count; i++) {
        bool is_on_duty = desk->is_working_off || (desk->staff->duty[i] >> slot & 1u) != 0;
        count_time(desk, i, now_us);
        if (desk->agents[i].is_on_duty != is_on_duty) {
            desk->agents[i].is_on_duty = is_on_duty;
            desk->agents[i].free_since_us = now_us;
            desk->loads[desk->staff->pools[i]].on_duty += is_on_duty ? 1u : UINT32_MAX;
            say_available(desk, i);
        }
    }
}

static void start_clock(struct demo_desk *desk, int64_t start_ms)
{
    int64_t span_ms = demo_board_real_ms(desk->board, desk->board->tickets->span_ms);
    desk->last_arrival_us = (start_ms + span_ms) * US_PER_MS;
    int64_t now_us = process_now_us();
    for (uint32_t i = 0; i < desk->staff->agent_count; i++) {
        desk->agents[i].counted_us = now_us;
    }
}

/* Agents come and go with the city's hours. At a high speed several hours may have passed. */
static void follow_clock(struct demo_desk *desk, int64_t now_ms)
{
    int64_t start_ms = atomic_load(&desk->board->start_ms);
    if (start_ms == 0 || now_ms < start_ms || desk->is_working_off) {
        return;
    }
    if (desk->last_arrival_us == INT64_MAX) {
        start_clock(desk, start_ms);
    }
    if (now_ms < desk->next_hour_ms && now_ms * US_PER_MS <= desk->last_arrival_us) {
        return;
    }
    const struct demo_tickets *tickets = desk->board->tickets;
    int64_t speed = (int64_t) desk->board->speed;
    int64_t city_ms = tickets->first_unix_ms + (now_ms - start_ms) * speed;
    desk->is_working_off = now_ms * US_PER_MS > desk->last_arrival_us;
    set_duty(desk, demo_staff_slot(city_ms));
    int64_t next_city_ms = (city_ms / MS_PER_H + 1) * MS_PER_H;
    desk->next_hour_ms = start_ms + (next_city_ms - tickets->first_unix_ms) / speed + 1;
}

/* ---- offers ---- */

static void note_offer(struct demo_desk *desk, uint32_t agent, struct ticket_id ticket)
{
    struct map_key key = {.a = ticket.hi, .b = ticket.lo};
    uint32_t row = map_count(&desk->offered_by_id);
    uint32_t found = 0;
    if (row < desk->offered_by_id.capacity && !map_find(&desk->offered_by_id, key, &found)) {
        desk->offered[row] = (struct offered){.ticket = ticket,
                                              .at_us = process_now_us(),
                                              .free_since_us = desk->agents[agent].free_since_us};
        CHECK(map_put(&desk->offered_by_id, key, row) == VT_OK);
    }
}

/* The answer waits for the next turn: nothing may be said to the core from within its step. */
static void receive_offer(struct demo_desk *desk, uint32_t agent, const struct offer *offer)
{
    struct desk_agent *a = &desk->agents[agent];
    desk->figures.offers++;
    note_offer(desk, agent, offer->ticket);
    if (!a->is_listed) {
        a->is_listed = true;
        desk->answering[desk->answering_count++] = agent;
    }
    a->has_answer = true;
    a->answer = (struct accept){
        .offer = offer->offer, .ticket = offer->ticket, .attempt = offer->attempt, .agent = agent};
    a->declines = agent != GENERALIST && !desk->is_working_off &&
                  demo_tickets_coin((uint32_t) desk->figures.offers,
                                    DEMO_SALT_DECLINE,
                                    DEMO_DESK_DECLINE_PERCENT);
    desk->figures.declined += a->declines ? 1 : 0;
}

static void send_answer(struct demo_desk *desk, uint32_t agent)
{
    struct desk_agent *a = &desk->agents[agent];
    struct decline decline = {.offer = a->answer.offer,
                              .ticket = a->answer.ticket,
                              .attempt = a->answer.attempt,
                              .agent = agent,
                              .reason = DECLINE_REFUSED};
    struct message message = {.count = 1};
    if (a->declines) {
        desk->agents[agent].free_since_us = process_now_us();
        message.header.kind = MESSAGE_DESK_DECLINE;
        message.decline = &decline;
    } else {
        message.header.kind = MESSAGE_DESK_ACCEPT;
        message.accept = &a->answer;
    }
    host_post_message(desk->host, (struct address){.link = LINK_DESK, .peer = agent}, &message);
}

static void send_answers(struct demo_desk *desk)
{
    uint32_t count = desk->answering_count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t agent = desk->answering[i];
        desk->agents[agent].is_listed = false;
        if (desk->agents[agent].has_answer) {
            desk->agents[agent].has_answer = false;
            send_answer(desk, agent);
        }
    }
    /* What came meanwhile stands behind. */
    desk->answering_count -= count;
    memmove(desk->answering,
            desk->answering + count,
            desk->answering_count * sizeof desk->answering[0]);
}

/* ---- work ---- */

/* Which of our tickets this is: it carries its number. Others' tickets may carry anything. */
static uint32_t number_of(const struct demo_desk *desk, struct bytes blob)
{
    struct body body;
    uint64_t number = 0;
    if (atomic_load(&desk->board->is_over) || body_read(blob, &body) != VT_OK) {
        return NUMBER_FOREIGN;
    }
    for (uint32_t i = 0; i < body.attribute_count; i++) {
        if (bytes_equal_text(body.attributes[i].name, "number") &&
            text_parse_u64(body.attributes[i].value, UINT32_MAX - 1, &number) == VT_OK &&
            number < atomic_load(&desk->board->released)) {
            return (uint32_t) number;
        }
    }
    return NUMBER_FOREIGN;
}

static void note_answer(struct demo_desk *desk, const struct confirm *confirm, uint32_t number)
{
    struct demo_desk_ticket *ticket = &desk->tickets[number];
    int64_t submitted_us = desk->board->submitted_us[number];
    int64_t now_us = process_now_us();
    uint32_t row = 0;
    struct map_key key = {.a = confirm->ticket.hi, .b = confirm->ticket.lo};
    if (ticket->answers == 0 && map_find(&desk->offered_by_id, key, &row)) {
        const struct offered *offered = &desk->offered[row];
        histogram_add(&desk->figures.offer_us, offered->at_us - submitted_us);
        /* The longest free is offered a ticket first: if it was not free, nobody was. */
        if (offered->free_since_us <= submitted_us) {
            histogram_add(&desk->figures.offer_at_once_us, offered->at_us - submitted_us);
        }
    }
    int64_t wait_us = now_us - (ticket->entered_us > 0 ? ticket->entered_us : submitted_us);
    ticket->answers++;
    ticket->wait_us += wait_us;
    desk->figures.answered++;
    desk->figures.wait_us += wait_us;
    desk->figures.answered_in_time += wait_us <= desk->board->threshold_us ? 1 : 0;
    if (atomic_load(&desk->board->told[number]) == DEMO_TOLD_DONE) {
        desk->figures.twice++;
    } else {
        atomic_store(&desk->board->told[number], DEMO_TOLD_WORK);
    }
    if (ticket->answers == 1) {
        desk->loads[desk->board->tickets->list[number].pool].answered++;
    }
}

static void receive_work(struct demo_desk *desk, uint32_t agent, const struct confirm *confirm)
{
    struct desk_agent *a = &desk->agents[agent];
    uint32_t number = number_of(desk, confirm->body);
    int64_t now_us = process_now_us();
    count_time(desk, agent, now_us);
    desk->figures.overbooked += a->is_working ? 1 : 0;
    desk->loads[desk->staff->pools[agent]].busy += a->is_working ? 0 : 1;
    a->is_working = true;
    a->ticket = confirm->ticket;
    a->attempt = confirm->attempt;
    a->number = number;
    a->began_us = now_us;
    a->gives_back = false;
    int64_t handle_ms = FOREIGN_HANDLE_MS;
    if (number != NUMBER_FOREIGN) {
        note_answer(desk, confirm, number);
        handle_ms = demo_board_real_ms(desk->board, desk->board->tickets->list[number].handle_ms);
        a->gives_back = agent != GENERALIST && confirm->attempt == 1 &&
                        demo_tickets_coin(number, DEMO_SALT_GIVE_BACK, DEMO_DESK_GIVE_BACK_PERCENT);
    }
    handle_ms = a->gives_back ? handle_ms / 4 : handle_ms;
    timers_set(&desk->timers, agent, now_us / US_PER_MS + handle_ms);
}

static void send_result(struct demo_desk *desk, uint32_t agent)
{
    const struct desk_agent *a = &desk->agents[agent];
    struct outcome outcome = {.what = a->gives_back ? OUTCOME_GIVE_BACK : OUTCOME_COMPLETE,
                              .ticket = a->ticket,
                              .attempt = a->attempt,
                              .agent = agent};
    outcome.text = bytes_of_text(a->gives_back ? NULL : ANSWER_TEXT);
    outcome.note = bytes_of_text(a->gives_back ? GIVE_BACK_TEXT : NULL);
    struct message message = {.header = {.kind = MESSAGE_DESK_RESULT}, .count = 1};
    message.outcome = &outcome;
    host_post_message(desk->host, (struct address){.link = LINK_DESK, .peer = agent}, &message);
}

static void stop_work(struct demo_desk *desk, uint32_t agent)
{
    int64_t now_us = process_now_us();
    count_time(desk, agent, now_us);
    desk->agents[agent].is_working = false;
    desk->agents[agent].free_since_us = now_us;
    desk->loads[desk->staff->pools[agent]].busy--;
    timers_clear(&desk->timers, agent);
}

static void end_work(struct demo_desk *desk, uint32_t agent)
{
    struct desk_agent *a = &desk->agents[agent];
    stop_work(desk, agent);
    if (a->number != NUMBER_FOREIGN) {
        int64_t now_us = process_now_us();
        desk->figures.ended++;
        desk->figures.worked_us += now_us - a->began_us;
        if (a->gives_back) {
            desk->figures.given_back++;
            desk->tickets[a->number].entered_us = now_us;
        } else if (atomic_exchange(&desk->board->told[a->number], DEMO_TOLD_DONE) !=
                   DEMO_TOLD_DONE) {
            atomic_fetch_add(&desk->board->done_count, 1);
            desk->loads[desk->board->tickets->list[a->number].pool].done++;
        }
    }
    send_result(desk, agent);
}

static void receive_drop(struct demo_desk *desk, uint32_t agent, const struct release *release)
{
    struct desk_agent *a = &desk->agents[agent];
    desk->figures.dropped++;
    if (a->has_answer && id_equal(a->answer.ticket, release->ticket)) {
        a->has_answer = false; /* its place among the answering is skipped */
    }
    if (a->is_working && id_equal(a->ticket, release->ticket) && a->attempt == release->attempt) {
        stop_work(desk, agent);
    }
}

/* ---- the edge ---- */

static void receive(void *context, uint64_t peer, const struct message *message)
{
    struct demo_desk *desk = context;
    CHECK(peer < desk->staff->agent_count);
    uint32_t agent = (uint32_t) peer;
    for (uint32_t i = 0; i < message->count; i++) {
        if (message->header.kind == MESSAGE_DESK_OFFER) {
            receive_offer(desk, agent, &message->offer[i]);
        } else if (message->header.kind == MESSAGE_DESK_WORK) {
            receive_work(desk, agent, &message->confirm[i]);
        } else if (message->header.kind == MESSAGE_DESK_DROP) {
            receive_drop(desk, agent, &message->release[i]);
        }
    }
}

/* What is said to the core here moves its deadlines after they were asked: the loop must turn again
 * at once then. */
static int64_t desk_turn(void *context, int64_t now_ms)
{
    struct demo_desk *desk = context;
    bool has_spoken = desk->answering_count > 0;
    send_answers(desk);
    uint32_t agent = 0;
    while (timers_pop_due(&desk->timers, now_ms, &agent)) {
        end_work(desk, agent);
        has_spoken = true;
    }
    follow_clock(desk, now_ms);
    if (has_spoken || desk->answering_count > 0) {
        return now_ms;
    }
    int64_t next_ms = timers_next_ms(&desk->timers);
    int64_t clock_ms = now_ms + 100;
    if (desk->next_hour_ms > now_ms && desk->next_hour_ms < clock_ms) {
        clock_ms = desk->next_hour_ms;
    }
    return next_ms < clock_ms ? next_ms : clock_ms;
}

/* ---- opening ---- */

static void cut_tables(struct demo_desk *desk, struct arena *arena)
{
    uint32_t tickets = desk->board->tickets->count;
    uint32_t agents = desk->staff->agent_count;
    struct map_options options = {
        .capacity = tickets + FOREIGN_MAX, .seed = DEMO_SEED, .key_of = offered_key};
    desk->agents = ARENA_ARRAY(arena, struct desk_agent, agents);
    desk->tickets = ARENA_ARRAY(arena, struct demo_desk_ticket, tickets);
    desk->loads = ARENA_ARRAY(arena, struct demo_desk_load, desk->staff->pool_count + 1);
    desk->offered = ARENA_ARRAY(arena, struct offered, tickets + FOREIGN_MAX);
    desk->answering = ARENA_ARRAY(arena, uint32_t, agents * UINT64_C(2));
    options.context = desk->offered;
    map_init(&desk->offered_by_id, arena, &options);
    timers_init(&desk->timers, arena, agents);
}

static void begin(struct demo_desk *desk)
{
    const struct demo_tickets *tickets = desk->board->tickets;
    desk->last_arrival_us = INT64_MAX;
    uint32_t slot = demo_staff_slot(tickets->first_unix_ms);
    for (uint32_t i = 0; i < desk->staff->agent_count; i++) {
        desk->agents[i].is_on_duty = true; /* as the core begins */
        desk->loads[desk->staff->pools[i]].on_duty++;
    }
    set_duty(desk, slot);
}

vt_err demo_desk_open(const struct demo_desk_options *options, struct demo_desk **out)
{
    struct demo_desk *desk = calloc(1, sizeof *desk);
    if (desk == NULL) {
        return VT_UNAVAILABLE;
    }
    desk->loop = options->loop;
    desk->host = options->host;
    desk->board = options->board;
    desk->staff = options->staff;
    struct arena measure = {0};
    cut_tables(desk, &measure);
    vt_err err = process_reserve(measure.used, &desk->arena);
    if (err == VT_OK) {
        cut_tables(desk, &desk->arena);
        struct host_local local = {.message = receive, .context = desk};
        host_attach(desk->host, LINK_DESK, &local);
        struct loop_turner turner = {.turn = desk_turn, .context = desk};
        err = loop_add_turner(desk->loop, &turner);
    }
    if (err != VT_OK) {
        demo_desk_close(desk);
        return err;
    }
    begin(desk);
    *out = desk;
    return VT_OK;
}

void demo_desk_close(struct demo_desk *desk)
{
    if (desk != NULL) {
        process_unreserve(&desk->arena);
        free(desk);
    }
}

const struct demo_desk_figures *demo_desk_figures(struct demo_desk *desk)
{
    int64_t now_us = process_now_us();
    for (uint32_t i = 0; i < desk->staff->agent_count; i++) {
        count_time(desk, i, now_us);
    }
    return &desk->figures;
}

const struct demo_desk_ticket *demo_desk_tickets(const struct demo_desk *desk)
{
    return desk->tickets;
}

struct demo_desk_load demo_desk_load(const struct demo_desk *desk, uint32_t pool)
{
    return desk->loads[pool];
}
