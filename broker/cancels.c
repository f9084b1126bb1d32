#include "broker/cancels.h"

#include <string.h>

#include "broker/loads.h"
#include "lib/check.h"
#include "lib/slab.h"
#include "lib/timers.h"

#define REPEAT_MS INT64_C(1000)
#define PATIENCE_MS INT64_C(10000) /* then BUSY: the client may ask again */
#define RETRY_MS 1000u

struct cancel_row {
    uint64_t peer;
    uint64_t ref;
    struct ticket_id ticket;
    int64_t give_up_ms;
    uint32_t serial;
    bool is_loading;
    uint32_t reason_bytes;
    uint8_t reason[REASON_BYTES_MAX];
};

struct cancels {
    struct cancel_row *rows;
    struct slab slab;
    struct timers timers;
    struct outbox *outbox;
    uint32_t serial;
};

static void
init(struct cancels *cancels, struct arena *arena, const struct cancels_options *options)
{
    cancels->outbox = options->outbox;
    cancels->rows = ARENA_ARRAY(arena, struct cancel_row, options->cancels_max);
    slab_init(&cancels->slab, arena, options->cancels_max);
    timers_init(&cancels->timers, arena, options->cancels_max);
}

struct cancels *cancels_open(struct arena *arena, const struct cancels_options *options)
{
    struct cancels scratch = {0};
    struct cancels *cancels = ARENA_NEW(arena, struct cancels);
    init(cancels == NULL ? &scratch : cancels, arena, options);
    return cancels;
}

static struct answered *
answer(const struct turn *turn, uint64_t peer, uint64_t ref, struct ticket_id ticket)
{
    struct header like = {.kind = MESSAGE_CANCELLED, .origin = turn->incarnation};
    struct answered *answered =
        message_add(turn->out, (struct address){.link = LINK_CLIENTS, .peer = peer}, &like);
    answered->ref = ref;
    answered->ticket = ticket;
    return answered;
}

static void forget(struct cancels *cancels, uint32_t row)
{
    timers_clear(&cancels->timers, row);
    slab_give(&cancels->slab, row);
}

static void finish(struct cancels *cancels,
                   const struct turn *turn,
                   uint32_t row,
                   enum answer how,
                   enum reason_code reason)
{
    const struct cancel_row *cancel = &cancels->rows[row];
    struct answered *answered = answer(turn, cancel->peer, cancel->ref, cancel->ticket);
    answered->answer = how;
    answered->reason = reason;
    answered->retry_ms = how == ANSWER_BUSY ? turn_retry_ms(turn, RETRY_MS) : 0;
    forget(cancels, row);
}

static void
add(struct cancels *cancels, const struct turn *turn, uint64_t peer, const struct cancel *cancel)
{
    uint32_t row = 0;
    if (slab_take(&cancels->slab, &row) != VT_OK) {
        struct answered *answered = answer(turn, peer, cancel->ref, cancel->ticket);
        answered->answer = ANSWER_BUSY;
        answered->reason = REASON_OVERLOAD;
        answered->retry_ms = turn_retry_ms(turn, RETRY_MS);
        return;
    }
    struct cancel_row *added = &cancels->rows[row];
    *added = (struct cancel_row){.peer = peer,
                                 .ref = cancel->ref,
                                 .ticket = cancel->ticket,
                                 .give_up_ms = turn->now_ms + PATIENCE_MS,
                                 .serial = loads_serial(++cancels->serial)};
    added->reason_bytes =
        cancel->reason.size < REASON_BYTES_MAX ? cancel->reason.size : REASON_BYTES_MAX;
    if (added->reason_bytes > 0) {
        memcpy(added->reason, cancel->reason.data, added->reason_bytes);
    }
    timers_set(&cancels->timers, row, turn->now_ms);
}

void cancels_ask(struct cancels *cancels,
                 const struct turn *turn,
                 uint64_t peer,
                 const struct message *message)
{
    for (uint32_t i = 0; i < message->count; i++) {
        add(cancels, turn, peer, &message->cancel[i]);
    }
}

/* True: the row is closed and the client was told. */
static bool
judge(struct cancels *cancels, const struct turn *turn, uint32_t row, enum ticket_state state)
{
    switch (state) {
    case TICKET_CANCELLED:
        finish(cancels, turn, row, ANSWER_OK, REASON_NONE);
        return true;
    case TICKET_DONE:
    case TICKET_DEAD:
        finish(cancels, turn, row, ANSWER_REJECT, REASON_CLOSED);
        return true;
    case TICKET_NONE:
    case TICKET_QUEUED:
    case TICKET_SCHEDULED:
    case TICKET_ASSIGNED:
    case TICKET_PARKED:
        return false;
    }
    return false;
}

void cancels_update(struct cancels *cancels, const struct turn *turn, const struct update *update)
{
    if (slab_used(&cancels->slab) == 0) {
        return; /* nearly always: hints come for every change of every ticket */
    }
    for (uint32_t row = 0; row < slab_high_water(&cancels->slab); row++) {
        if (slab_is_taken(&cancels->slab, row) &&
            id_equal(cancels->rows[row].ticket, update->ticket) && turn_has_room(turn, 1)) {
            (void) judge(cancels, turn, row, update->state);
        }
    }
}

void cancels_loaded(struct cancels *cancels,
                    const struct turn *turn,
                    uint64_t token,
                    const struct event *event)
{
    struct loads_name name = loads_name_of(token);
    if (!slab_is_taken(&cancels->slab, name.row) || cancels->rows[name.row].serial != name.serial) {
        return;
    }
    struct cancel_row *cancel = &cancels->rows[name.row];
    cancel->is_loading = false;
    if (event->loaded.error != VT_OK) {
        return;
    }
    const struct load_page *page = event->loaded.page;
    if (page->row_count == 0) {
        finish(cancels, turn, name.row, ANSWER_REJECT, REASON_NO_TICKET);
        return;
    }
    if (!judge(cancels, turn, name.row, page->rows[0].state)) {
        struct bytes reason = bytes_of(cancel->reason, cancel->reason_bytes);
        outbox_cancel(cancels->outbox, turn, &page->rows[0], reason);
    }
}

void cancels_drop_client(struct cancels *cancels, uint64_t peer)
{
    for (uint32_t row = 0; row < slab_high_water(&cancels->slab); row++) {
        if (slab_is_taken(&cancels->slab, row) && cancels->rows[row].peer == peer) {
            forget(cancels, row);
        }
    }
}

void cancels_run(struct cancels *cancels, const struct turn *turn)
{
    uint32_t row = 0;
    while (turn_has_room(turn, 1) && timers_pop_due(&cancels->timers, turn->now_ms, &row)) {
        struct cancel_row *cancel = &cancels->rows[row];
        if (turn->now_ms >= cancel->give_up_ms) {
            finish(cancels, turn, row, ANSWER_BUSY, REASON_STORE);
            continue;
        }
        if (!cancel->is_loading) {
            cancel->is_loading = true;
            struct loads_name name = {.use = LOADS_CANCELS, .row = row, .serial = cancel->serial};
            loads_ask_ticket(turn, name, cancel->ticket);
        }
        timers_set(&cancels->timers, row, turn->now_ms + REPEAT_MS);
    }
}

int64_t cancels_deadline_ms(const struct cancels *cancels)
{
    return timers_next_ms(&cancels->timers);
}
