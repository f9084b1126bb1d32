#include "agentd/restore.h"

#include "agentd/inside.h"
#include "lib/check.h"

#define RETRY_MS 1000

static void load(struct agentd *a, const struct journal_entry *after)
{
    struct effect *effect = effects_add(a->out, EFFECT_LOAD);
    effect->load.token = ++a->load_token;
    effect->load.request.kind = LOAD_JOURNAL;
    effect->load.request.rows_max = LOAD_ROWS_MAX;
    effect->load.request.from_start = after == NULL;
    if (after != NULL) {
        effect->load.request.after_journal =
            (struct journal_entry){.kind = after->kind, .a = after->a, .b = after->b};
    }
    a->load_retry_ms = NO_DEADLINE;
}

void restore_begin(struct agentd *a)
{
    a->stage = STAGE_LOADING;
    a->boot = 0;
    load(a, NULL);
}

static struct ticket_id ticket_of(const struct journal_entry *entry)
{
    return (struct ticket_id){.hi = entry->a, .lo = entry->b};
}

static vt_err restore_working(struct agentd *a, const struct journal_entry *entry)
{
    struct journal_working working;
    uint32_t row = WORK_NONE;
    vt_err err = journal_read_working(entry->value, &working);
    if (err != VT_OK) {
        return err;
    }
    if (working.part >= PARTS_MAX) {
        return VT_CORRUPT;
    }
    err = work_add(&a->work, ticket_of(entry), WORK_AWAITING, &row);
    if (err == VT_CONFLICT) {
        /* The page was read again after a failure. */
        return VT_OK;
    }
    if (err != VT_OK) {
        return err;
    }
    struct work_row *ticket = work_get(&a->work, row);
    ticket->part = working.part;
    ticket->attempt = working.attempt;
    ticket->agent_id = working.agent;
    backoff_init(&ticket->backoff, a->options.accept_min_ms, a->options.accept_max_ms);
    return VT_OK;
}

/* The row for an outcome. Entries come by kind, so WORKING of the same ticket is there already: the
 * process ended between the two writes of one batch. The outcome is what counts. */
static vt_err outcome_row(struct agentd *a, struct ticket_id ticket, uint32_t *row)
{
    *row = work_find(&a->work, ticket);
    if (*row == WORK_NONE) {
        return work_add(&a->work, ticket, WORK_ENDED, row);
    }
    if (work_get(&a->work, *row)->state == WORK_AWAITING) {
        work_set_state(&a->work, *row, WORK_ENDED);
        journal_add(&a->journal,
                    &(struct journal_item){
                        .op = JOURNAL_DROP_WORKING, .subject = WORK_NONE, .ticket = ticket});
    }
    return VT_OK;
}

static vt_err restore_outcome(struct agentd *a, const struct journal_entry *entry)
{
    struct outcome outcome;
    uint32_t part = 0;
    uint32_t row = WORK_NONE;
    vt_err err = journal_read_outcome(entry->value, &outcome, &part);
    if (err != VT_OK) {
        return err;
    }
    if (part >= PARTS_MAX || outcome.text.size > BODY_BYTES_MAX) {
        return VT_CORRUPT;
    }
    err = outcome_row(a, ticket_of(entry), &row);
    if (err != VT_OK) {
        return err;
    }
    struct work_row *ticket = work_get(&a->work, row);
    outcome.ticket = ticket->ticket;
    ticket->part = part;
    ticket->attempt = outcome.attempt;
    ticket->agent_id = outcome.agent;
    backoff_init(&ticket->backoff, a->options.outcome_min_ms, a->options.outcome_max_ms);
    work_keep_outcome(&a->work, row, &outcome);
    return VT_OK;
}

static vt_err restore_epoch(struct agentd *a, const struct journal_entry *entry)
{
    uint64_t epoch = 0;
    vt_err err = journal_read_epoch(entry->value, &epoch);
    if (err != VT_OK) {
        return err;
    }
    if (entry->a >= PARTS_MAX) {
        return VT_CORRUPT;
    }
    parts_restore(&a->parts, (uint32_t) entry->a, epoch);
    return VT_OK;
}

static vt_err restore_entry(struct agentd *a, const struct journal_entry *entry)
{
    switch (entry->kind) {
    case JOURNAL_BOOT:
        return journal_read_boot(entry->value, &a->boot);
    case JOURNAL_WORKING:
        return restore_working(a, entry);
    case JOURNAL_OUTCOME:
        return restore_outcome(a, entry);
    case JOURNAL_EPOCH:
        return restore_epoch(a, entry);
    }
    return VT_NEWER;
}

/* Everything is back: the next boot counter is written before anybody is spoken to. */
static void finish(struct agentd *a)
{
    a->stage = STAGE_READY;
    CHECK(a->boot < UINT32_MAX);
    a->boot++;
    trace_event(a->trace, TRACE_INFO, "site.restored");
    trace_bytes(a->trace, "site", a->options.site);
    trace_u64(a->trace, "boot", a->boot);
    trace_u64(a->trace, "working", work_count(&a->work, WORK_AWAITING));
    trace_u64(a->trace, "outcomes", work_count(&a->work, WORK_ENDED));
    trace_end(a->trace);

    struct journal_item item = {.op = JOURNAL_PUT_BOOT};
    item.value_size = journal_write_boot(a->boot, item.value);
    journal_add(&a->journal, &item);
}

void restore_loaded(struct agentd *a, const struct event *event)
{
    if (event->loaded.token != a->load_token || a->stage != STAGE_LOADING) {
        return;
    }
    if (event->loaded.error != VT_OK) {
        a->load_retry_ms = a->now_ms + RETRY_MS;
        trace_event(a->trace, TRACE_ERROR, "journal.unreadable");
        trace_text(a->trace, "why", err_text(event->loaded.error));
        trace_end(a->trace);
        return;
    }
    const struct load_page *page = event->loaded.page;
    for (uint32_t i = 0; i < page->journal_count; i++) {
        vt_err err = restore_entry(a, &page->journal[i]);
        if (err != VT_OK) {
            /* It stays in the journal for a later start; a person has to look at it. */
            trace_event(a->trace, TRACE_ERROR, "journal.entry_left");
            trace_u64(a->trace, "kind", (uint64_t) page->journal[i].kind);
            trace_u64(a->trace, "a", page->journal[i].a);
            trace_u64(a->trace, "b", page->journal[i].b);
            trace_text(a->trace, "why", err_text(err));
            trace_end(a->trace);
        }
    }
    if (page->has_more && page->journal_count > 0) {
        load(a, &page->journal[page->journal_count - 1]);
        return;
    }
    finish(a);
}

void restore_time(struct agentd *a)
{
    if (a->stage == STAGE_LOADING && a->now_ms >= a->load_retry_ms) {
        /* From the start: what is there already is not added twice. */
        load(a, NULL);
    }
}

int64_t restore_deadline_ms(const struct agentd *a)
{
    return a->stage == STAGE_LOADING ? a->load_retry_ms : NO_DEADLINE;
}
