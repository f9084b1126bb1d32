#include "broker/outbox.h"

#include <string.h>

#include "broker/shared.h"
#include "broker/stream.h"
#include "lib/bits.h"
#include "lib/buddy.h"
#include "lib/check.h"
#include "lib/slab.h"
#include "lib/timers.h"

#define KEEP_MS INT64_C(60000)           /* for an owner of a newer epoch */
#define SWEEP_MS INT64_C(10000)          /* how often old entries of idle streams are dropped */
#define WINDOW_MAX 4096u                 /* sent and not taken, per partition */
#define BLOBS_BYTES (UINT64_C(16) << 20) /* requirements of all entries */
#define TEXTS_BYTES (UINT64_C(16) << 20) /* of messages */

struct item {
    struct ticket_id id;
    int64_t created_us;
    int64_t queued_us; /* RESYNC: since when */
    int64_t due_us;
    int64_t at_ms;
    uint32_t queue;
    uint32_t priority;
    uint32_t attempt;
    uint32_t fails;
    uint32_t agent;
    uint32_t site;
    uint32_t msgs;
    uint32_t rev;
    uint32_t blob; /* requirements, in `blobs`; LIST_NONE: none */
    uint32_t text; /* unit in `texts`; BUDDY_NONE: none */
    uint32_t text_bytes;
    uint8_t what;
    uint8_t state;
    bool person_requested;
};

struct outbox {
    struct item *items;
    struct list_link *links;
    struct slab slab;
    struct stream *streams; /* by partition */
    struct timers retries;  /* by partition */
    uint64_t *dirty;        /* partitions with something to send */
    struct shared blobs;
    struct buddy texts;
    const struct owners *owners;
    uint32_t parts_max;
    uint32_t parts_used;
    uint32_t entries_max;
    uint32_t entries_per_part_max;
    int64_t sweep_ms;
    uint64_t resyncs_total;
};

static void init(struct outbox *outbox, struct arena *arena, const struct outbox_options *options)
{
    outbox->owners = options->owners;
    outbox->parts_max = options->parts_max;
    outbox->entries_max = options->entries_max;
    outbox->entries_per_part_max = options->entries_per_part_max;

    /* Each stream has room for one RESYNC when everything else is full. */
    uint32_t capacity = options->entries_max + options->parts_max;
    outbox->items = ARENA_ARRAY(arena, struct item, capacity);
    outbox->links = ARENA_ARRAY(arena, struct list_link, capacity);
    slab_init(&outbox->slab, arena, capacity);
    outbox->streams = ARENA_ARRAY(arena, struct stream, options->parts_max);
    timers_init(&outbox->retries, arena, options->parts_max);
    outbox->dirty = ARENA_ARRAY(arena, uint64_t, BITS_WORDS(options->parts_max));
    shared_init(&outbox->blobs,
                arena,
                &(struct intern_options){.entry_count_max = capacity,
                                         .byte_count_max = BLOBS_BYTES,
                                         .seed = options->seed});
    buddy_init(&outbox->texts, arena, TEXTS_BYTES);
}

struct outbox *outbox_open(struct arena *arena, const struct outbox_options *options)
{
    struct outbox scratch = {0};
    struct outbox *outbox = ARENA_NEW(arena, struct outbox);
    init(outbox == NULL ? &scratch : outbox, arena, options);
    return outbox;
}

static struct stream *stream_of(struct outbox *outbox, uint32_t part)
{
    CHECK(part < outbox->parts_max);
    struct stream *stream = &outbox->streams[part];
    if (!stream->is_open) {
        stream_open(stream);
    }
    if (part >= outbox->parts_used) {
        outbox->parts_used = part + 1U;
    }
    return stream;
}

static void drop_item(struct outbox *outbox, uint32_t row)
{
    const struct item *item = &outbox->items[row];
    if (item->blob != LIST_NONE) {
        shared_give(&outbox->blobs, item->blob);
    }
    if (item->text != BUDDY_NONE) {
        buddy_give(&outbox->texts, item->text);
    }
    slab_give(&outbox->slab, row);
}

static void drop_old(struct outbox *outbox, struct stream *stream, int64_t now_ms)
{
    while (stream_head_is_taken(stream) &&
           outbox->items[list_first(&stream->rows)].at_ms + KEEP_MS <= now_ms) {
        drop_item(outbox, stream_pop(stream, outbox->links));
    }
}

static void sweep(struct outbox *outbox, int64_t now_ms)
{
    for (uint32_t part = 0; part < outbox->parts_used; part++) {
        if (outbox->streams[part].is_open) {
            drop_old(outbox, &outbox->streams[part], now_ms);
        }
    }
    outbox->sweep_ms = now_ms + SWEEP_MS;
}

static bool is_full(const struct outbox *outbox, const struct stream *stream)
{
    return stream->rows.count >= outbox->entries_per_part_max ||
           slab_used(&outbox->slab) >= outbox->entries_max;
}

/* Gives up the oldest entry that was taken: a newer epoch within the minute will have to read. */
static void overwrite(struct outbox *outbox, struct stream *stream, int64_t now_ms)
{
    uint32_t row = list_first(&stream->rows);
    int64_t since_us = outbox->items[row].queued_us;
    bool is_first = stream->lost_ms == 0 || stream->lost_ms + KEEP_MS <= now_ms;
    if (is_first || since_us < stream->lost_since_us) {
        stream->lost_since_us = since_us;
    }
    stream->lost_ms = now_ms;
    drop_item(outbox, stream_pop(stream, outbox->links));
}

static bool make_room(struct outbox *outbox, struct stream *stream, int64_t now_ms)
{
    if (!is_full(outbox, stream)) {
        return true;
    }
    drop_old(outbox, stream, now_ms);
    while (is_full(outbox, stream) && stream_head_is_taken(stream)) {
        overwrite(outbox, stream, now_ms);
    }
    return !is_full(outbox, stream);
}

static void owe_resync(struct outbox *outbox, uint32_t part, int64_t since_us)
{
    struct stream *stream = stream_of(outbox, part);
    if (!stream->has_pending_resync || since_us < stream->pending_since_us) {
        stream->pending_since_us = since_us;
    }
    stream->has_pending_resync = true;
    bits_set(outbox->dirty, part);
}

static uint32_t kept_blob(struct outbox *outbox, struct bytes requirements, bool *is_kept)
{
    uint32_t blob = LIST_NONE;
    if (requirements.size > 0) {
        *is_kept = *is_kept && shared_take(&outbox->blobs, requirements, &blob) == VT_OK;
    }
    return *is_kept ? blob : LIST_NONE;
}

static uint32_t kept_text(struct outbox *outbox, struct bytes text, bool *is_kept)
{
    uint32_t unit = BUDDY_NONE;
    if (text.size > 0) {
        *is_kept = *is_kept && buddy_take(&outbox->texts, text.size, &unit) == VT_OK;
    }
    if (!*is_kept || unit == BUDDY_NONE) {
        return BUDDY_NONE;
    }
    memcpy(buddy_at(&outbox->texts, unit), text.data, text.size);
    return unit;
}

/* False: there is no room, nothing was added. */
static bool add(struct outbox *outbox,
                const struct turn *turn,
                enum forward_kind what,
                const struct ticket_row *row,
                struct bytes text)
{
    struct stream *stream = stream_of(outbox, row->part);
    uint32_t place = 0;
    if (!make_room(outbox, stream, turn->now_ms) || slab_take(&outbox->slab, &place) != VT_OK) {
        return false;
    }
    bool is_kept = true;
    struct item *item = &outbox->items[place];
    *item = (struct item){.id = row->id,
                          .created_us = row->created_us,
                          .queued_us = row->queued_us,
                          .due_us = row->due_us,
                          .at_ms = turn->now_ms,
                          .queue = row->queue,
                          .priority = row->priority,
                          .attempt = row->attempt,
                          .fails = row->fails,
                          .agent = row->agent,
                          .site = row->site,
                          .msgs = row->msgs,
                          .rev = row->rev,
                          .text_bytes = text.size,
                          .what = (uint8_t) what,
                          .state = (uint8_t) row->state,
                          .person_requested = row->person_requested};
    item->blob = kept_blob(outbox, row->requirements, &is_kept);
    item->text = kept_text(outbox, text, &is_kept);
    if (!is_kept) {
        drop_item(outbox, place);
        return false;
    }
    stream_push(stream, outbox->links, place);
    bits_set(outbox->dirty, row->part);
    return true;
}

void outbox_ticket(struct outbox *outbox, const struct turn *turn, const struct ticket_row *row)
{
    if (row->part >= outbox->parts_max) {
        return;
    }
    /* A pending RESYNC reads this row too: it is committed before the RESYNC is sent. */
    if (outbox->streams[row->part].has_pending_resync ||
        !add(outbox, turn, FORWARD_TICKET, row, (struct bytes){0})) {
        owe_resync(outbox, row->part, row->queued_us);
    }
}

void outbox_note(struct outbox *outbox,
                 const struct turn *turn,
                 const struct ticket_row *row,
                 struct bytes text)
{
    if (row->part >= outbox->parts_max) {
        return;
    }
    if (!add(outbox, turn, FORWARD_NOTE, row, text)) {
        owe_resync(outbox, row->part, row->queued_us);
    }
}

void outbox_cancel(struct outbox *outbox,
                   const struct turn *turn,
                   const struct ticket_row *row,
                   struct bytes reason)
{
    struct ticket_row named = {.id = row->id, .part = row->part, .queued_us = row->queued_us};
    if (row->part < outbox->parts_max) {
        (void) add(outbox, turn, FORWARD_CANCEL, &named, reason);
    }
}

void outbox_resync(struct outbox *outbox, uint32_t part, int64_t since_us)
{
    if (part < outbox->parts_max) {
        owe_resync(outbox, part, since_us);
    }
}

static void new_epoch(struct outbox *outbox, const struct turn *turn, uint32_t part, uint64_t epoch)
{
    struct stream *stream = &outbox->streams[part];
    drop_old(outbox, stream, turn->now_ms);
    stream_renumber(stream, epoch);
    if (!stream->has_contact) {
        /* What an earlier life of this broker owes is as old as its last way to this owner. */
        stream->has_contact = true;
        owe_resync(outbox, part, 0);
    } else if (stream->lost_ms != 0 && stream->lost_ms + KEEP_MS > turn->now_ms) {
        owe_resync(outbox, part, stream->lost_since_us);
    }
}

void outbox_new_owner(struct outbox *outbox, const struct turn *turn, uint32_t part)
{
    if (part >= outbox->parts_max) {
        return;
    }
    struct stream *stream = stream_of(outbox, part);
    uint64_t epoch = owners_epoch(outbox->owners, part);
    if (epoch > stream->epoch) {
        new_epoch(outbox, turn, part, epoch);
    } else {
        stream_rewind(stream, outbox->links);
    }
    backoff_reset(&stream->retry);
    timers_clear(&outbox->retries, part);
    bits_set(outbox->dirty, part);
}

static void set_retry(struct outbox *outbox, const struct turn *turn, uint32_t part)
{
    struct stream *stream = &outbox->streams[part];
    if (stream->sent > stream->taken) {
        int64_t wait_ms = backoff_next_ms(&stream->retry, turn->random);
        timers_set(&outbox->retries, part, turn->now_ms + wait_ms);
    } else {
        timers_clear(&outbox->retries, part);
    }
}

void outbox_taken(struct outbox *outbox,
                  const struct turn *turn,
                  const struct header *header,
                  uint64_t upto)
{
    if (header->part >= outbox->parts_max || !outbox->streams[header->part].is_open) {
        return;
    }
    struct stream *stream = &outbox->streams[header->part];
    if (header->epoch != stream->epoch || !stream_take(stream, outbox->links, upto)) {
        return;
    }
    backoff_reset(&stream->retry);
    set_retry(outbox, turn, header->part);
    bits_set(outbox->dirty, header->part);
}

/* A RESYNC waits until the ring has drained and the one before it is taken: one at a time. */
static void put_resync(struct outbox *outbox, const struct turn *turn, struct stream *stream)
{
    uint32_t place = 0;
    uint64_t untaken = stream_last(stream) - stream->taken;
    if (!stream->has_pending_resync || stream->resync_n > stream->taken ||
        untaken >= outbox->entries_per_part_max * 3U / 4U + 1U ||
        slab_take(&outbox->slab, &place) != VT_OK) {
        return;
    }
    outbox->items[place] = (struct item){.queued_us = stream->pending_since_us,
                                         .at_ms = turn->now_ms,
                                         .what = FORWARD_RESYNC,
                                         .blob = LIST_NONE,
                                         .text = BUDDY_NONE};
    stream_push(stream, outbox->links, place);
    stream->has_pending_resync = false;
    stream->resync_n = stream_last(stream);
    outbox->resyncs_total++;
}

static struct bytes blob_of(const struct outbox *outbox, const struct item *item)
{
    return item->blob == LIST_NONE ? (struct bytes){0} : shared_get(&outbox->blobs, item->blob);
}

static struct bytes text_of(const struct outbox *outbox, const struct item *item)
{
    if (item->text == BUDDY_NONE) {
        return (struct bytes){0};
    }
    return bytes_of(buddy_at(&outbox->texts, item->text), item->text_bytes);
}

static void fill(struct forward *forward, const struct outbox *outbox, const struct item *item)
{
    forward->what = (enum forward_kind) item->what;
    if (forward->what == FORWARD_RESYNC) {
        forward->since_us = item->queued_us;
        return;
    }
    forward->text = text_of(outbox, item);
    forward->row.id = item->id;
    forward->row.queue = item->queue;
    forward->row.priority = item->priority;
    forward->row.state = (enum ticket_state) item->state;
    forward->row.attempt = item->attempt;
    forward->row.fails = item->fails;
    forward->row.agent = item->agent;
    forward->row.site = item->site;
    forward->row.msgs = item->msgs;
    forward->row.rev = item->rev;
    forward->row.person_requested = item->person_requested;
    forward->row.created_us = item->created_us;
    forward->row.queued_us = item->queued_us;
    forward->row.due_us = item->due_us;
    forward->row.requirements = blob_of(outbox, item);
}

static bool may_send(const struct stream *stream)
{
    return stream->next_row != LIST_NONE && stream->sent - stream->taken < WINDOW_MAX;
}

/* False: the step has no more room. */
static bool send_stream(struct outbox *outbox, const struct turn *turn, uint32_t part)
{
    struct stream *stream = stream_of(outbox, part);
    struct address to = {0};
    put_resync(outbox, turn, stream);
    if (!owners_find(outbox->owners, part, &to) || !may_send(stream)) {
        return true;
    }
    struct header like = {
        .kind = MESSAGE_FORWARD, .part = part, .epoch = stream->epoch, .origin = turn->incarnation};
    bool has_room = turn_has_room(turn, 1);
    while (has_room && may_send(stream)) {
        uint64_t n = 0;
        const struct item *item = &outbox->items[stream_advance(stream, outbox->links, &n)];
        struct forward *forward = message_add(turn->out, to, &like);
        forward->n = n;
        forward->row.part = part;
        fill(forward, outbox, item);
        has_room = turn_has_room(turn, 1);
    }
    if (timers_deadline_ms(&outbox->retries, part) == NO_DEADLINE) {
        set_retry(outbox, turn, part);
    }
    return has_room;
}

void outbox_run(struct outbox *outbox, const struct turn *turn)
{
    uint32_t part = 0;
    while (timers_pop_due(&outbox->retries, turn->now_ms, &part)) {
        stream_rewind(&outbox->streams[part], outbox->links);
        bits_set(outbox->dirty, part);
    }
    if (slab_used(&outbox->slab) > 0 && turn->now_ms >= outbox->sweep_ms) {
        sweep(outbox, turn->now_ms);
    }
    uint32_t words = BITS_WORDS(outbox->parts_max);
    for (part = bits_next(outbox->dirty, words, 0); part != BITS_NONE;
         part = bits_next(outbox->dirty, words, part + 1U)) {
        if (!send_stream(outbox, turn, part)) {
            return;
        }
        bits_clear(outbox->dirty, part);
    }
}

int64_t outbox_deadline_ms(const struct outbox *outbox, int64_t now_ms)
{
    if (!bits_is_empty(outbox->dirty, BITS_WORDS(outbox->parts_max))) {
        return now_ms;
    }
    int64_t sweep_ms = slab_used(&outbox->slab) > 0 ? outbox->sweep_ms : NO_DEADLINE;
    return turn_earlier(timers_next_ms(&outbox->retries), sweep_ms);
}

struct outbox_figures outbox_figures(const struct outbox *outbox, uint32_t part)
{
    const struct stream *stream = &outbox->streams[part];
    if (part >= outbox->parts_used || !stream->is_open) {
        return (struct outbox_figures){0};
    }
    return (struct outbox_figures){.is_open = true,
                                   .entries = stream->rows.count,
                                   .untaken = (uint32_t) (stream_last(stream) - stream->taken),
                                   .has_pending_resync = stream->has_pending_resync};
}

uint64_t outbox_resyncs_total(const struct outbox *outbox)
{
    return outbox->resyncs_total;
}

uint64_t outbox_untaken(const struct outbox *outbox)
{
    uint64_t untaken = 0;
    struct address to;
    for (uint32_t part = 0; part < outbox->parts_used; part++) {
        if (owners_find(outbox->owners, part, &to)) {
            untaken += outbox_figures(outbox, part).untaken;
        }
    }
    return untaken;
}
