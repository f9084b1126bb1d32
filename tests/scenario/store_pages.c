#include <stdlib.h>
#include <string.h>

#include "lib/check.h"
#include "tests/scenario/store_tables.h"

/* Reading: pages, the journal, and what tests ask. */

/* ------------------------------------------------------------------ journal */

int store_tables_order(const struct journal_entry *a, const struct journal_entry *b)
{
    if (a->kind != b->kind) {
        return a->kind < b->kind ? -1 : 1;
    }
    if (a->a != b->a) {
        return a->a < b->a ? -1 : 1;
    }
    return (a->b > b->b) - (a->b < b->b);
}

/* The place of an entry, or where it would have to stand. */
static uint32_t journal_place(const struct store_memory *store, const struct journal_entry *entry)
{
    uint32_t at = 0;
    while (at < store->journal_count && store_tables_order(&store->journal[at], entry) < 0) {
        at++;
    }
    return at;
}

static bool is_at(const struct store_memory *store, uint32_t at, const struct journal_entry *entry)
{
    return at < store->journal_count && store_tables_order(&store->journal[at], entry) == 0;
}

enum store_status store_tables_put(struct store_memory *store, const struct journal_entry *entry)
{
    uint32_t at = journal_place(store, entry);
    struct journal_entry copy = *entry;
    copy.value = bytes_copy(&store->arena, entry->value);
    if (!is_at(store, at, entry)) {
        CHECK(store->journal_count < STORE_JOURNAL_MAX);
        memmove(&store->journal[at + 1],
                &store->journal[at],
                (store->journal_count - at) * sizeof store->journal[0]);
        store->journal_count++;
    }
    store->journal[at] = copy;
    return STORE_DONE;
}

enum store_status store_tables_drop(struct store_memory *store, const struct journal_entry *entry)
{
    uint32_t at = journal_place(store, entry);
    if (is_at(store, at, entry)) {
        store->journal_count--;
        memmove(&store->journal[at],
                &store->journal[at + 1],
                (store->journal_count - at) * sizeof store->journal[0]);
    }
    return STORE_DONE;
}

static void load_journal(const struct store_memory *store,
                         const struct load_request *request,
                         struct load_page *page,
                         struct arena *arena)
{
    struct journal_entry *found = ARENA_ARRAY(arena, struct journal_entry, request->rows_max);
    for (uint32_t i = 0; i < store->journal_count; i++) {
        bool is_after = request->from_start ||
                        store_tables_order(&store->journal[i], &request->after_journal) > 0;
        if (is_after && page->journal_count == request->rows_max) {
            page->has_more = true;
        } else if (is_after) {
            found[page->journal_count++] = store->journal[i];
        }
    }
    page->journal = found;
}

/* ------------------------------------------------------------------ rows */

static int by_id(const void *left, const void *right)
{
    const struct ticket_row *a = left;
    const struct ticket_row *b = right;
    return id_compare(a->id, b->id);
}

static int by_service(const void *left, const void *right)
{
    const struct ticket_row *a = left;
    const struct ticket_row *b = right;
    if (a->priority != b->priority) {
        return a->priority > b->priority ? -1 : 1;
    }
    if (a->created_us != b->created_us) {
        return a->created_us < b->created_us ? -1 : 1;
    }
    return id_compare(a->id, b->id);
}

static bool belongs(const struct load_request *request, const struct ticket_row *row)
{
    bool waits = row->state == TICKET_QUEUED || row->state == TICKET_SCHEDULED;
    if (row->part != request->part) {
        return false;
    }
    switch (request->kind) {
    case LOAD_HELD:
        return row->state == TICKET_ASSIGNED || row->state == TICKET_PARKED;
    case LOAD_QUEUED:
        return waits;
    case LOAD_RECENT:
        return waits && row->queued_us >= request->since_us;
    case LOAD_TICKET:
    case LOAD_JOURNAL:
        break;
    }
    return false;
}

static void load_rows(const struct store_memory *store,
                      const struct load_request *request,
                      struct load_page *page,
                      struct arena *arena)
{
    struct ticket_row *rows = ARENA_ARRAY(arena, struct ticket_row, store->ticket_count);
    int (*order)(const void *, const void *) = request->kind == LOAD_QUEUED ? by_service : by_id;
    struct ticket_row after = {.id = request->after.id,
                               .priority = request->after.priority,
                               .created_us = request->after.created_us};
    uint32_t count = 0;
    for (uint32_t i = 0; i < store->ticket_count; i++) {
        const struct ticket_row *row = &store->tickets[i].row;
        if (belongs(request, row) && (request->from_start || order(row, &after) > 0)) {
            rows[count++] = *row;
        }
    }
    if (count != 0) {
        qsort(rows, count, sizeof *rows, order);
    }
    page->rows = rows;
    page->row_count = count < request->rows_max ? count : request->rows_max;
    page->has_more = page->row_count < count;
}

static struct bytes name_of(const struct store_name *names, uint32_t count, uint32_t id)
{
    return id == 0 || id > count ? (struct bytes){0} : names[id - 1].name;
}

static void load_ticket(struct store_memory *store,
                        const struct load_request *request,
                        struct load_page *page,
                        struct arena *arena)
{
    const struct store_memory_ticket *ticket = store_tables_find(store, request->ticket);
    if (ticket == NULL) {
        return;
    }
    struct ticket_row *row = ARENA_NEW(arena, struct ticket_row);
    struct history_row *history = ARENA_ARRAY(arena, struct history_row, LOAD_ROWS_MAX);
    *row = ticket->row;
    row->agent_name = name_of(store->agents, store->agent_count, row->agent);
    row->site_name = name_of(store->sites, store->site_count, row->site);
    for (uint32_t i = 0; i < store->event_count && page->history_count < LOAD_ROWS_MAX; i++) {
        const struct store_memory_event *event = &store->events[i];
        if (id_equal(event->ticket, request->ticket)) {
            history[page->history_count] = event->row;
            history[page->history_count++].agent_name =
                name_of(store->agents, store->agent_count, event->agent);
        }
    }
    page->rows = row;
    page->row_count = 1;
    page->history = history;
    page->body = ticket->body;
    page->answer = ticket->answer;
}

vt_err store_memory_load(struct store_memory *store,
                         const struct load_request *request,
                         struct load_page *page,
                         struct arena *arena,
                         int64_t now_us)
{
    *page = (struct load_page){.store_now_us = now_us};
    if (store->fault == FAULT_DOWN) {
        return VT_UNAVAILABLE;
    }
    switch (request->kind) {
    case LOAD_HELD:
    case LOAD_QUEUED:
    case LOAD_RECENT:
        load_rows(store, request, page, arena);
        break;
    case LOAD_TICKET:
        load_ticket(store, request, page, arena);
        break;
    case LOAD_JOURNAL:
        load_journal(store, request, page, arena);
        break;
    }
    return VT_OK;
}

/* ------------------------------------------------------------------ for tests */

uint32_t store_memory_ticket_count(const struct store_memory *store)
{
    return store->ticket_count;
}

const struct store_memory_ticket *store_memory_ticket_at(const struct store_memory *store,
                                                         uint32_t index)
{
    CHECK(index < store->ticket_count);
    return &store->tickets[index];
}

const struct store_memory_ticket *store_memory_find(const struct store_memory *store,
                                                    struct ticket_id id)
{
    for (uint32_t i = 0; i < store->ticket_count; i++) {
        if (id_equal(store->tickets[i].row.id, id)) {
            return &store->tickets[i];
        }
    }
    return NULL;
}

uint32_t store_memory_event_count(const struct store_memory *store)
{
    return store->event_count;
}

const struct store_memory_event *store_memory_event_at(const struct store_memory *store,
                                                       uint32_t index)
{
    CHECK(index < store->event_count);
    return &store->events[index];
}

uint32_t store_memory_journal_count(const struct store_memory *store)
{
    return store->journal_count;
}

struct bytes store_memory_agent_name(const struct store_memory *store, uint32_t agent)
{
    return name_of(store->agents, store->agent_count, agent);
}

/* ------------------------------------------------------------------ what must hold */

/* Follows one ticket's history from its submission; NULL: it leads to its row. */
struct path {
    enum ticket_state state;
    uint32_t attempt;
    uint32_t completed;
    uint64_t epoch;
};

static enum ticket_state after_message(enum ticket_state state)
{
    return state == TICKET_PARKED ? TICKET_QUEUED : state;
}

static const char *follow_work(struct path *path, const struct history_row *event)
{
    bool is_open = path->state == TICKET_QUEUED || path->state == TICKET_ASSIGNED ||
                   path->state == TICKET_PARKED;
    if (event->kind == HISTORY_ASSIGNED) {
        if (path->state != TICKET_QUEUED || event->attempt != path->attempt + 1) {
            return "assigned from a wrong state, or an attempt was left out";
        }
        path->attempt = event->attempt;
        path->state = TICKET_ASSIGNED;
    } else if (event->kind == HISTORY_COMPLETED) {
        if (!is_open || event->attempt != path->attempt || ++path->completed > 1) {
            return "completed from a wrong state, for another attempt, or twice";
        }
        path->state = TICKET_DONE;
    } else if (event->kind == HISTORY_PARKED) {
        if (path->state != TICKET_ASSIGNED) {
            return "parked while not assigned";
        }
        path->state = TICKET_PARKED;
    } else if (event->kind == HISTORY_REQUEUED) {
        if (path->state != TICKET_ASSIGNED && path->state != TICKET_PARKED) {
            return "requeued while not assigned";
        }
        path->state = TICKET_QUEUED;
    }
    return NULL;
}

static const char *follow(struct path *path, const struct history_row *event)
{
    if (event->epoch != 0 && event->epoch < path->epoch) {
        return "an epoch fell";
    }
    path->epoch = event->epoch == 0 ? path->epoch : event->epoch;
    switch (event->kind) {
    case HISTORY_SUBMITTED:
        return "submitted twice";
    case HISTORY_DUE:
        path->state = TICKET_QUEUED;
        return NULL;
    case HISTORY_MESSAGE:
        path->state = after_message(path->state);
        return NULL;
    case HISTORY_CANCELLED:
        path->state = TICKET_CANCELLED;
        return NULL;
    case HISTORY_DEAD:
        path->state = TICKET_DEAD;
        return NULL;
    case HISTORY_NOTE:
        return NULL;
    case HISTORY_ASSIGNED:
    case HISTORY_COMPLETED:
    case HISTORY_REQUEUED:
    case HISTORY_PARKED:
        return follow_work(path, event);
    }
    return "an event of no kind";
}

static const char *check_ticket(const struct store_memory *store,
                                const struct store_memory_ticket *ticket)
{
    struct path path = {.state = TICKET_NONE};
    for (uint32_t i = 0; i < store->event_count; i++) {
        const struct store_memory_event *event = &store->events[i];
        if (!id_equal(event->ticket, ticket->row.id)) {
            continue;
        }
        if (path.state == TICKET_NONE) {
            if (event->row.kind != HISTORY_SUBMITTED) {
                return "its history does not begin with its submission";
            }
            path.state = ticket->row.due_us == 0 ? TICKET_QUEUED : TICKET_SCHEDULED;
            continue;
        }
        const char *fault = follow(&path, &event->row);
        if (fault != NULL) {
            return fault;
        }
    }
    bool is_same = path.state == ticket->row.state && path.attempt == ticket->row.attempt;
    return is_same ? NULL : "its history does not lead to its row";
}

const char *store_memory_fault_found(const struct store_memory *store, struct ticket_id *ticket)
{
    static uint64_t seqs[STORE_PARTS_MAX];
    memset(seqs, 0, sizeof seqs);
    for (uint32_t i = 0; i < store->event_count; i++) {
        const struct history_row *event = &store->events[i].row;
        *ticket = store->events[i].ticket;
        if (event->seq != ++seqs[event->stream]) {
            return "a gap in the history's numbers";
        }
    }
    for (uint32_t i = 0; i < store->ticket_count; i++) {
        *ticket = store->tickets[i].row.id;
        const char *fault = check_ticket(store, &store->tickets[i]);
        if (fault != NULL) {
            return fault;
        }
    }
    return NULL;
}
