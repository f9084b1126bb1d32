#include "router/loads.h"

#include "lib/arena.h"
#include "lib/bits.h"
#include "lib/check.h"

#define RETRY_MIN_MS 100
#define RETRY_MAX_MS 5000
#define TOKEN_KIND (UINT64_C(2) << 56)
#define AGAIN_MS 8000 /* a dead broker's COMMIT may still land */
#define RECENT_MARGIN_US INT64_C(60000000)

void loads_init(struct loads *loads, struct arena *arena, const struct loads_options *options)
{
    *loads = (struct loads){.parts_max = options->parts_max,
                            .tickets_max = options->tickets_max,
                            .token = TOKEN_KIND,
                            .retry_ms = NO_DEADLINE};
    random_init(&loads->random, options->seed);
    backoff_init(&loads->backoff, RETRY_MIN_MS, RETRY_MAX_MS);
    loads->parts = ARENA_ARRAY(arena, struct loads_part, options->parts_max);
    loads->wanted = ARENA_ARRAY(arena, uint64_t, BITS_WORDS(options->parts_max));
    timers_init(&loads->again, arena, options->parts_max);
    loads->tickets = ARENA_ARRAY(arena, struct loads_ticket, options->tickets_max);
}

vt_err loads_ticket(struct loads *loads, const struct loads_ticket *ticket)
{
    if (loads->ticket_count == loads->tickets_max) {
        return VT_FULL;
    }
    loads->tickets[(loads->ticket_first + loads->ticket_count) % loads->tickets_max] = *ticket;
    loads->ticket_count++;
    return VT_OK;
}

void loads_open(struct loads *loads, uint32_t part, uint64_t epoch)
{
    loads->parts[part] = (struct loads_part){.epoch = epoch};
}

void loads_close(struct loads *loads, uint32_t part)
{
    loads->parts[part] = (struct loads_part){.epoch = 0};
    timers_clear(&loads->again, part);
    bits_clear(loads->wanted, part);
}

void loads_all(struct loads *loads, uint32_t part)
{
    struct loads_part *row = &loads->parts[part];
    row->wants_all = true;
    row->is_in_queued = false;
    row->is_begun = false;
    bits_set(loads->wanted, part);
}

void loads_check(struct loads *loads, uint32_t part)
{
    struct loads_part *row = &loads->parts[part];
    if (!row->wants_check) {
        row->wants_check = true;
        row->check_is_in_queued = false;
        row->check_is_begun = false;
        bits_set(loads->wanted, part);
    }
}

void loads_more(struct loads *loads, uint32_t part, const struct service_key *after)
{
    struct loads_part *row = &loads->parts[part];
    if (!row->wants_more) {
        row->wants_more = true;
        row->more_after = *after;
        bits_set(loads->wanted, part);
    }
}

uint32_t loads_recent(struct loads *loads, uint32_t part, int64_t since_us)
{
    struct loads_part *row = &loads->parts[part];
    since_us = since_us > RECENT_MARGIN_US ? since_us - RECENT_MARGIN_US : 0;
    bool is_at_work = loads->is_out && loads->job.what == LOADS_RECENT && loads->job.part == part;
    bool is_between_pages = row->wants_recent && row->is_begun && !row->wants_all;
    if (row->wants_recent) {
        since_us = since_us < row->since_us ? since_us : row->since_us;
    }
    if (!row->wants_recent || is_at_work || is_between_pages) {
        /* A reading that has begun may have passed the rows meant: a new one follows it. */
        row->round++;
        row->is_begun = row->wants_all ? row->is_begun : false;
    }
    row->wants_recent = true;
    row->since_us = since_us;
    row->again_us = row->again_us != 0 && row->again_us < since_us ? row->again_us : since_us + 1;
    bits_set(loads->wanted, part);
    return row->round;
}

static struct load_request request_for(uint32_t part, enum load_kind kind)
{
    return (struct load_request){.kind = kind, .part = part, .rows_max = LOAD_ROWS_MAX};
}

/* The part's most urgent reading. All rows come before recent ones, since they contain them. */
static void job_of_part(struct loads *loads, uint32_t part)
{
    struct loads_part *row = &loads->parts[part];
    struct loads_job *job = &loads->job;
    *job = (struct loads_job){.part = part, .epoch = row->epoch};
    if (row->wants_all) {
        job->what = LOADS_ALL;
        job->request = request_for(part, row->is_in_queued ? LOAD_QUEUED : LOAD_HELD);
        job->request.after = row->after;
        job->request.from_start = !row->is_begun;
        row->is_begun = true;
    } else if (row->wants_recent) {
        job->what = LOADS_RECENT;
        job->request = request_for(part, LOAD_RECENT);
        job->request.since_us = row->since_us;
        job->request.after = row->after;
        job->request.from_start = !row->is_begun;
        row->is_begun = true;
    } else if (row->wants_more) {
        job->what = LOADS_MORE;
        job->request = request_for(part, LOAD_QUEUED);
        job->request.after = row->more_after;
    } else {
        job->what = LOADS_CHECK;
        job->request = request_for(part, row->check_is_in_queued ? LOAD_QUEUED : LOAD_HELD);
        job->request.after = row->check_after;
        job->request.from_start = !row->check_is_begun;
        row->check_is_begun = true;
    }
}

static uint32_t next_part(const struct loads *loads)
{
    uint32_t words = BITS_WORDS(loads->parts_max);
    uint32_t part = bits_next(loads->wanted, words, loads->last_part + 1U);
    return part != BITS_NONE ? part : bits_next(loads->wanted, words, 0);
}

static void job_of_ticket(struct loads *loads)
{
    struct loads_ticket ticket = loads->tickets[loads->ticket_first];
    loads->ticket_first = (loads->ticket_first + 1U) % loads->tickets_max;
    loads->ticket_count--;
    loads->job = (struct loads_job){.what = LOADS_TICKET,
                                    .part = ticket.part,
                                    .epoch = ticket.epoch,
                                    .ticket = ticket.id,
                                    .wants_confirm = ticket.wants_confirm};
    loads->job.request = request_for(ticket.part, LOAD_TICKET);
    loads->job.request.ticket = ticket.id;
}

static void second_readings(struct loads *loads, int64_t now_ms)
{
    uint32_t part = 0;
    while (timers_pop_due(&loads->again, now_ms, &part)) {
        struct loads_part *row = &loads->parts[part];
        row->wants_recent = true;
        row->round++;
        row->since_us = row->again_us;
        row->is_begun = row->wants_all ? row->is_begun : false;
        row->again_us = 0;
        bits_set(loads->wanted, part);
    }
}

void loads_send(struct loads *loads, int64_t now_ms, struct effects *out)
{
    if (loads->is_out || (loads->retry_ms != NO_DEADLINE && now_ms < loads->retry_ms)) {
        return;
    }
    loads->retry_ms = NO_DEADLINE;
    second_readings(loads, now_ms);
    uint32_t part = next_part(loads);
    if (loads->ticket_count > 0 && (part == BITS_NONE || !loads->was_ticket)) {
        job_of_ticket(loads);
        loads->was_ticket = true;
    } else if (part != BITS_NONE) {
        job_of_part(loads, part);
        loads->last_part = part;
        loads->was_ticket = false;
    } else {
        return;
    }
    loads->is_out = true;
    loads->token++;
    struct effect *effect = effects_add(out, EFFECT_LOAD);
    effect->load.token = loads->token;
    effect->load.request = loads->job.request;
}

const struct loads_job *loads_begin(struct loads *loads, const struct event *event)
{
    CHECK(loads->is_out);
    CHECK(event->loaded.token == loads->token);
    loads->is_out = false;
    return &loads->job;
}

static struct service_key key_of_row(const struct ticket_row *row)
{
    return (struct service_key){
        .priority = row->priority, .created_us = row->created_us, .id = row->id};
}

static void forget_if_idle(struct loads *loads, uint32_t part)
{
    const struct loads_part *row = &loads->parts[part];
    if (!row->wants_all && !row->wants_recent && !row->wants_more && !row->wants_check) {
        bits_clear(loads->wanted, part);
    }
}

static enum loads_end next_page(struct loads *loads, const struct load_page *page)
{
    struct loads_part *row = &loads->parts[loads->job.part];
    struct service_key last = {0};
    if (page->row_count > 0) {
        last = key_of_row(&page->rows[page->row_count - 1U]);
    }
    switch (loads->job.what) {
    case LOADS_ALL:
    case LOADS_RECENT:
        row->after = last;
        return LOADS_GOES_ON;
    case LOADS_MORE:
        row->more_after = last;
        row->wants_more = false; /* one page at a time: the owner looks at its room first */
        return LOADS_GOES_ON;
    case LOADS_CHECK:
        row->check_after = last;
        return LOADS_GOES_ON;
    case LOADS_TICKET:
        break;
    }
    return LOADS_ENDED;
}

static enum loads_end end_of_reading(struct loads *loads, int64_t now_ms)
{
    struct loads_part *row = &loads->parts[loads->job.part];
    switch (loads->job.what) {
    case LOADS_ALL:
        row->is_begun = false;
        if (!row->is_in_queued) {
            row->is_in_queued = true;
            return LOADS_GOES_ON;
        }
        row->wants_all = false;
        break;
    case LOADS_RECENT:
        row->rounds_done = row->is_begun ? row->round : row->round - 1U;
        row->wants_recent = !row->is_begun; /* another one was asked for meanwhile */
        row->is_begun = false;
        if (!row->wants_recent && row->again_us != 0) {
            timers_set(&loads->again, loads->job.part, now_ms + AGAIN_MS);
        }
        break;
    case LOADS_MORE:
        row->wants_more = false;
        break;
    case LOADS_CHECK:
        row->check_is_begun = false;
        if (!row->check_is_in_queued) {
            row->check_is_in_queued = true;
            return LOADS_GOES_ON;
        }
        row->wants_check = false;
        break;
    case LOADS_TICKET:
        break;
    }
    return LOADS_ENDED;
}

enum loads_end loads_end(struct loads *loads, const struct event *event)
{
    const struct loads_job *job = &loads->job;
    if (job->epoch == 0 || loads->parts[job->part].epoch != job->epoch) {
        return LOADS_OBSOLETE;
    }
    if (event->loaded.error != VT_OK) {
        loads->retry_ms = event->now_ms + backoff_next_ms(&loads->backoff, &loads->random);
        if (job->what == LOADS_TICKET) {
            struct loads_ticket again = {.id = job->ticket,
                                         .part = job->part,
                                         .epoch = job->epoch,
                                         .wants_confirm = job->wants_confirm};
            vt_err error = loads_ticket(loads, &again);
            return error == VT_OK ? LOADS_FAILED : LOADS_ENDED;
        }
        if (job->request.from_start && job->what != LOADS_CHECK) {
            loads->parts[job->part].is_begun = false;
        } else if (job->request.from_start) {
            loads->parts[job->part].check_is_begun = false;
        }
        return LOADS_FAILED;
    }
    backoff_reset(&loads->backoff);
    enum loads_end end = event->loaded.page->has_more && job->what != LOADS_TICKET
                             ? next_page(loads, event->loaded.page)
                             : end_of_reading(loads, event->now_ms);
    forget_if_idle(loads, job->part);
    return end;
}

int64_t loads_deadline_ms(const struct loads *loads)
{
    if (loads->is_out) {
        return NO_DEADLINE;
    }
    if (loads->retry_ms != NO_DEADLINE) {
        return loads->retry_ms;
    }
    if (loads->ticket_count > 0 || !bits_is_empty(loads->wanted, BITS_WORDS(loads->parts_max))) {
        return 0;
    }
    return timers_next_ms(&loads->again);
}
