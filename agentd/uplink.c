#include "agentd/uplink.h"

#include "agentd/held.h"
#include "agentd/inside.h"
#include "agentd/moves.h"
#include "lib/bits.h"
#include "lib/check.h"

void uplink_init(struct uplink *uplink, struct arena *arena, const struct uplink_options *options)
{
    *uplink = (struct uplink){
        .state = UPLINK_BOOTING,
        .leaving = UPLINK_NONE,
        .session = {.nonce = options->nonce},
        .welcomed = ARENA_ARRAY(arena, uint64_t, BITS_WORDS(options->agent_count)),
        .agent_count = options->agent_count,
        .next_ms = NO_DEADLINE,
    };
    backoff_init(&uplink->hello, options->hello_min_ms, options->hello_max_ms);
    backoff_init(&uplink->round, options->hello_min_ms, options->hello_max_ms);
}

bool uplink_is_up(const struct uplink *uplink)
{
    return uplink->state == UPLINK_UP;
}

static struct address address_of(uint32_t broker)
{
    return (struct address){.link = LINK_BROKERS, .peer = broker};
}

struct address uplink_address(const struct uplink *uplink)
{
    return address_of(uplink->broker);
}

bool uplink_is_ours(const struct uplink *uplink, struct address from)
{
    if (from.link != LINK_BROKERS) {
        return false;
    }
    bool is_leaving = uplink->leaving != UPLINK_NONE && from.peer == uplink->leaving;
    return is_leaving || from.peer == uplink->broker;
}

static void hang_up(struct agentd *a, uint32_t broker)
{
    effects_add(a->out, EFFECT_HANG_UP)->hang_up = address_of(broker);
}

static void leave_old(struct agentd *a)
{
    if (a->uplink.leaving != UPLINK_NONE && a->uplink.leaving != a->uplink.broker) {
        hang_up(a, a->uplink.leaving);
    }
    a->uplink.leaving = UPLINK_NONE;
}

static void
trace_uplink(struct agentd *a, enum trace_level level, const char *event, const char *why)
{
    trace_event(a->trace, level, event);
    trace_u64(a->trace, "broker", a->uplink.broker);
    trace_u64(a->trace, "boot", a->uplink.session.boot);
    trace_u64(a->trace, "connect", a->uplink.session.connect);
    if (why != NULL) {
        trace_text(a->trace, "why", why);
    }
    trace_end(a->trace);
}

static struct message *begin_agents(struct agentd *a)
{
    struct header header = {.kind = MESSAGE_AGENT, .session = a->uplink.session};
    struct message *message = message_send(a->out, uplink_address(&a->uplink), &header);
    message->agent = ARENA_ARRAY(&a->out->scratch, struct agent, MESSAGE_ENTRIES_MAX);
    return message;
}

static void send_agents(struct agentd *a)
{
    if (a->options.agent_count == 0) {
        return;
    }
    struct message *message = begin_agents(a);
    message->header.flags = HEADER_FIRST;
    for (uint32_t i = 0; i < a->options.agent_count; i++) {
        const struct agentd_agent *agent = &a->options.agents[i];
        if (message->count == MESSAGE_ENTRIES_MAX) {
            message = begin_agents(a);
        }
        message->agent[message->count++] = (struct agent){
            .index = i,
            .name = agent->name,
            .is_person = agent->is_person,
            .capacity = agent->capacity,
            .free = a->stage == STAGE_READY ? slots_free_count(&a->slots, i) : 0,
            .idle_ms = a->now_ms - a->slots.agents[i].idle_since_ms,
            .profile = agent->profile,
        };
    }
    message->header.flags |= HEADER_LAST;
}

static void send_hello(struct agentd *a)
{
    struct uplink *uplink = &a->uplink;
    uint32_t needed =
        2 + a->options.agent_count / MESSAGE_ENTRIES_MAX + held_message_count(a) + INSIDE_ROOM_MIN;
    if (effects_room(a->out) < needed) {
        uplink->next_ms = a->now_ms;
        return;
    }
    struct header header = {.kind = MESSAGE_HELLO, .session = uplink->session};
    struct hello *hello = message_add(a->out, uplink_address(uplink), &header);
    *hello = (struct hello){.name = a->options.site,
                            .contractor = a->options.contractor,
                            .agent_count = a->options.agent_count,
                            .held_count = work_held_count(&a->work)};
    send_agents(a);
    held_send_list(a, uplink_address(uplink), HELD_EVERY_PART);
    uplink->hello_count++;
    uplink->next_ms = a->now_ms + backoff_next_ms(&uplink->hello, &a->random);
}

/* A new session with the broker chosen. */
static void dial(struct agentd *a)
{
    struct uplink *uplink = &a->uplink;
    uplink->state = UPLINK_HELLO;
    uplink->session.connect++;
    uplink->hello_count = 0;
    bits_clear_all(uplink->welcomed, BITS_WORDS(uplink->agent_count));
    backoff_reset(&uplink->hello);
    send_hello(a);
}

static void next_broker(struct agentd *a)
{
    struct uplink *uplink = &a->uplink;
    uplink->broker = (uplink->broker + 1) % a->options.broker_count;
    uplink->failed_count++;
    if (uplink->failed_count < a->options.broker_count) {
        dial(a);
        return;
    }
    uplink->failed_count = 0;
    uplink->state = UPLINK_WAITING;
    uplink->next_ms = a->now_ms + backoff_next_ms(&uplink->round, &a->random);
}

static void fail_over(struct agentd *a, const char *why)
{
    trace_uplink(a, TRACE_WARN, "uplink.lost", why);
    hang_up(a, a->uplink.broker);
    leave_old(a);
    next_broker(a);
}

void uplink_booted(struct agentd *a)
{
    a->uplink.session.boot = a->boot;
    a->uplink.session.connect = 0;
    dial(a);
}

static void ping(struct agentd *a)
{
    struct uplink *uplink = &a->uplink;
    uplink->missed_count = uplink->is_heard ? 0 : uplink->missed_count + 1;
    uplink->is_heard = false;
    if (uplink->missed_count >= UPLINK_MISSED_MAX) {
        fail_over(a, "silent");
        return;
    }
    struct header header = {.kind = MESSAGE_PING, .session = uplink->session};
    (void) message_send(a->out, uplink_address(uplink), &header);
    bool is_holding = work_held_count(&a->work) > 0;
    uplink->next_ms = a->now_ms + (is_holding ? a->options.busy_beat_ms : a->options.idle_beat_ms);
}

void uplink_time(struct agentd *a)
{
    struct uplink *uplink = &a->uplink;
    int64_t busy_next_ms = a->now_ms + a->options.busy_beat_ms;
    if (uplink->state == UPLINK_UP && uplink->next_ms > busy_next_ms &&
        work_held_count(&a->work) > 0) {
        uplink->next_ms = busy_next_ms;
    }
    if (a->now_ms < uplink->next_ms || effects_room(a->out) <= INSIDE_ROOM_MIN) {
        return;
    }
    switch (uplink->state) {
    case UPLINK_BOOTING:
    case UPLINK_CLOSED:
        return;
    case UPLINK_WAITING:
        dial(a);
        return;
    case UPLINK_HELLO:
        if (uplink->hello_count >= UPLINK_HELLOS_MAX) {
            fail_over(a, "no welcome");
        } else {
            send_hello(a);
        }
        return;
    case UPLINK_UP:
        ping(a);
        return;
    }
}

int64_t uplink_deadline_ms(const struct uplink *uplink)
{
    bool is_timed = uplink->state != UPLINK_BOOTING && uplink->state != UPLINK_CLOSED;
    return is_timed ? uplink->next_ms : NO_DEADLINE;
}

static bool is_talking(const struct uplink *uplink)
{
    return uplink->state == UPLINK_HELLO || uplink->state == UPLINK_UP;
}

void uplink_link_down(struct agentd *a, uint64_t peer)
{
    struct uplink *uplink = &a->uplink;
    if (uplink->leaving != UPLINK_NONE && peer == uplink->leaving && peer != uplink->broker) {
        uplink->leaving = UPLINK_NONE;
        return;
    }
    if (peer == uplink->broker && is_talking(uplink)) {
        fail_over(a, "link down");
    }
}

static void come_up(struct agentd *a)
{
    struct uplink *uplink = &a->uplink;
    bool was_up = uplink->state == UPLINK_UP;
    if (was_up) {
        return;
    }
    uplink->state = UPLINK_UP;
    uplink->failed_count = 0;
    uplink->missed_count = 0;
    uplink->is_heard = true;
    uplink->next_ms = a->now_ms;
    uplink->ups_total++;
    backoff_reset(&uplink->round);
    leave_old(a);
    trace_uplink(a, TRACE_INFO, "uplink.up", NULL);
    slots_mark_all(&a->slots);
    a->next_avail_ms = a->now_ms;
    a->next_life_ms = a->now_ms;
    a->next_beat_ms = a->now_ms;
    moves_resume(a);
}

static void receive_welcome(struct agentd *a, const struct message *message)
{
    struct uplink *uplink = &a->uplink;
    if (!is_talking(uplink)) {
        return;
    }
    for (uint32_t i = 0; i < message->count; i++) {
        const struct welcome *welcome = &message->welcome[i];
        if (welcome->index >= uplink->agent_count) {
            continue;
        }
        desk_set_id(&a->desk, welcome->index, welcome->error == VT_OK ? welcome->agent : 0);
        bits_set(uplink->welcomed, welcome->index);
        if (welcome->error != VT_OK) {
            trace_event(a->trace, TRACE_WARN, "agent.denied");
            trace_bytes(a->trace, "agent", a->options.agents[welcome->index].name);
            trace_text(a->trace, "why", err_text(welcome->error));
            trace_end(a->trace);
        }
    }
    if (bits_count(uplink->welcomed, BITS_WORDS(uplink->agent_count)) == uplink->agent_count) {
        come_up(a);
    }
}

static void receive_hello_again(struct agentd *a, const struct message *message)
{
    struct uplink *uplink = &a->uplink;
    uint32_t floor = message->count == 0 ? 0 : message->hello_again[0].floor;
    if (!is_talking(uplink)) {
        return;
    }
    if (floor >= uplink->session.boot) {
        /* Somebody knows a later boot than this disk does: it was lost, or copied. */
        a->boot = floor + 1;
        uplink->state = UPLINK_BOOTING;
        trace_uplink(a,
                     TRACE_WARN,
                     "site.reboot",
                     "the broker knows a later start of this site: "
                     "its folder was lost, or another one runs under its name");
        struct journal_item item = {.op = JOURNAL_PUT_BOOT};
        item.value_size = journal_write_boot(a->boot, item.value);
        journal_add(&a->journal, &item);
    } else if (uplink->state == UPLINK_UP) {
        /* The broker started anew and does not know this session. While HELLO is on its way,
         * this is the answer to what was said before it. */
        trace_uplink(a, TRACE_INFO, "uplink.again", NULL);
        dial(a);
    }
}

static void receive_goaway(struct agentd *a)
{
    struct uplink *uplink = &a->uplink;
    if (a->options.broker_count == 1) {
        trace_uplink(a, TRACE_INFO, "uplink.stays", "there is no other broker");
        return;
    }
    trace_uplink(a, TRACE_INFO, "uplink.leaves", "the broker stops");
    leave_old(a);
    uplink->leaving = uplink->broker;
    next_broker(a);
}

void uplink_receive(struct agentd *a, uint64_t peer, const struct message *message)
{
    struct uplink *uplink = &a->uplink;
    struct session said = message->header.session;
    if (peer != uplink->broker) {
        return;
    }
    uplink->is_heard = true;
    /* An answer to an earlier session says nothing about this one. */
    bool is_old = (said.boot != 0 || said.connect != 0) && !session_equal(said, uplink->session);
    if (is_old) {
        return;
    }
    if (message->header.kind == MESSAGE_WELCOME) {
        receive_welcome(a, message);
    } else if (message->header.kind == MESSAGE_HELLO_AGAIN) {
        receive_hello_again(a, message);
    } else if (message->header.kind == MESSAGE_GOAWAY && uplink_is_up(uplink)) {
        receive_goaway(a);
    }
}

void uplink_close(struct agentd *a)
{
    struct uplink *uplink = &a->uplink;
    if (is_talking(uplink)) {
        hang_up(a, uplink->broker);
    }
    leave_old(a);
    uplink->state = UPLINK_CLOSED;
    uplink->next_ms = NO_DEADLINE;
}
