#include "tests/scenario/store_memory.h"

#include <stdlib.h>
#include <string.h>

#include "lib/check.h"
#include "lib/text.h"
#include "tests/scenario/store_tables.h"

struct store_memory *store_memory_open(void)
{
    struct store_memory *store = calloc(1, sizeof *store);
    CHECK(store != NULL);
    store->memory = calloc(1, STORE_BYTES);
    CHECK(store->memory != NULL);
    arena_init(&store->arena, store->memory, STORE_BYTES);
    return store;
}

void store_memory_close(struct store_memory *store)
{
    if (store != NULL) {
        free(store->memory);
        free(store);
    }
}

void store_memory_set_fault(struct store_memory *store, enum store_memory_fault fault)
{
    store->fault = fault;
}

/* ------------------------------------------------------------------ history */

struct store_memory_ticket *store_tables_find(struct store_memory *store, struct ticket_id id)
{
    for (uint32_t i = 0; i < store->ticket_count; i++) {
        if (id_equal(store->tickets[i].row.id, id)) {
            return &store->tickets[i];
        }
    }
    return NULL;
}

static struct store_memory_event *
add_event(struct store_memory *store, const struct ticket_row *row, enum history_kind kind)
{
    CHECK(store->event_count < STORE_EVENTS_MAX);
    struct store_memory_event *event = &store->events[store->event_count++];
    *event = (struct store_memory_event){.ticket = row->id, .agent = row->agent};
    event->row = (struct history_row){.seq = ++store->seqs[row->part],
                                      .stream = row->part,
                                      .kind = kind,
                                      .attempt = row->attempt,
                                      .at_us = store->now_us};
    return event;
}

/* ------------------------------------------------------------------ brokers */

static enum store_status answer_known(const struct store_request *request,
                                      const struct store_memory_ticket *known,
                                      struct store_result *result)
{
    result->row = known->row;
    bool is_same = memcmp(known->digest, request->submit.digest, sizeof known->digest) == 0;
    return is_same ? STORE_DUPLICATE : STORE_MISMATCH;
}

static void add_ticket(struct store_memory *store, const struct store_request *request)
{
    CHECK(store->ticket_count < STORE_TICKETS_MAX);
    struct store_memory_ticket *ticket = &store->tickets[store->ticket_count++];
    int64_t due_us = request->submit.due_us;
    ticket->row = (struct ticket_row){
        .id = request->ticket,
        .part = request->part,
        .queue = request->submit.queue,
        .priority = request->submit.priority,
        .state = due_us == 0 ? TICKET_QUEUED : TICKET_SCHEDULED,
        .msgs = 1,
        .rev = 1,
        .created_us = store->now_us,
        .queued_us = store->now_us,
        .due_us = due_us,
        .requirements = bytes_copy(&store->arena, request->submit.requirements),
    };
    ticket->client = bytes_copy(&store->arena, request->submit.client);
    ticket->key = bytes_copy(&store->arena, request->submit.key);
    ticket->body = bytes_copy(&store->arena, request->submit.body);
    memcpy(ticket->digest, request->submit.digest, sizeof ticket->digest);
    (void) add_event(store, &ticket->row, HISTORY_SUBMITTED);
}

static enum store_status
submit(struct store_memory *store, const struct store_request *request, struct store_result *result)
{
    for (uint32_t i = 0; i < store->ticket_count; i++) {
        const struct store_memory_ticket *known = &store->tickets[i];
        if (bytes_equal(known->key, request->submit.key) &&
            bytes_equal(known->client, request->submit.client)) {
            return answer_known(request, known, result);
        }
    }
    const struct store_memory_ticket *same_id = store_tables_find(store, request->ticket);
    if (same_id != NULL) {
        result->row = same_id->row;
        return STORE_REFUSED;
    }
    add_ticket(store, request);
    result->row = store->tickets[store->ticket_count - 1].row;
    return STORE_DONE;
}

static const struct store_message *
find_message(const struct store_memory *store, struct ticket_id ticket, struct bytes key)
{
    for (uint32_t i = 0; i < store->message_count; i++) {
        if (id_equal(store->messages[i].ticket, ticket) &&
            bytes_equal(store->messages[i].key, key)) {
            return &store->messages[i];
        }
    }
    return NULL;
}

static bool is_open(enum ticket_state state)
{
    return state == TICKET_QUEUED || state == TICKET_SCHEDULED || state == TICKET_ASSIGNED ||
           state == TICKET_PARKED;
}

static void
add_message(struct store_memory *store, const struct store_request *request, struct ticket_row *row)
{
    CHECK(store->message_count < STORE_MESSAGES_MAX);
    row->msgs++;
    row->rev++;
    row->queued_us = store->now_us;
    row->person_requested = row->person_requested || request->message.wants_person;
    row->state = row->state == TICKET_PARKED ? TICKET_QUEUED : row->state;
    store->messages[store->message_count++] =
        (struct store_message){.ticket = row->id,
                               .key = bytes_copy(&store->arena, request->message.key),
                               .body = bytes_copy(&store->arena, request->message.body)};
    struct store_memory_event *event = add_event(store, row, HISTORY_MESSAGE);
    event->row.detail = bytes_copy(&store->arena, request->message.author);
}

static enum store_status add_note_of_requester(struct store_memory *store,
                                               const struct store_request *request,
                                               struct store_result *result)
{
    struct store_memory_ticket *ticket = store_tables_find(store, request->ticket);
    if (ticket == NULL) {
        return STORE_ABSENT;
    }
    enum store_status status = STORE_DONE;
    const struct store_message *known = find_message(store, request->ticket, request->message.key);
    if (known != NULL) {
        status = bytes_equal(known->body, request->message.body) ? STORE_DUPLICATE : STORE_MISMATCH;
    } else if (!is_open(ticket->row.state)) {
        status = STORE_REFUSED;
    } else {
        add_message(store, request, &ticket->row);
    }
    result->row = ticket->row;
    return status;
}

/* Ids from 1, in the order of first sight, never reused. */
static uint32_t intern(struct store_memory *store, struct store_name *names, struct store_name name)
{
    uint32_t *count = names == store->sites ? &store->site_count : &store->agent_count;
    for (uint32_t i = 0; i < *count; i++) {
        if (names[i].owner == name.owner && bytes_equal(names[i].name, name.name)) {
            return i + 1;
        }
    }
    CHECK(*count < STORE_NAMES_MAX);
    name.name = bytes_copy(&store->arena, name.name);
    names[(*count)++] = name;
    return *count;
}

static enum store_status name_site(struct store_memory *store,
                                   const struct store_request *request,
                                   struct store_result *result)
{
    uint32_t count = request->site.agent_count;
    uint32_t *agents = ARENA_ARRAY(&store->arena, uint32_t, count);
    result->site = intern(store, store->sites, (struct store_name){.name = request->site.name});
    for (uint32_t i = 0; i < count; i++) {
        agents[i] = intern(
            store,
            store->agents,
            (struct store_name){.owner = result->site, .name = request->site.agents[i].name});
    }
    result->agents = agents;
    result->agent_count = count;
    return STORE_DONE;
}

/* ------------------------------------------------------------------ routers */

static enum store_status claim(struct store_memory *store, const struct store_request *request)
{
    struct store_partition *partition = &store->partitions[request->part];
    bool is_mine =
        partition->epoch == request->epoch && bytes_equal(partition->owner, request->claim.owner);
    if (partition->epoch > request->epoch || (partition->epoch == request->epoch && !is_mine)) {
        return STORE_FENCED;
    }
    partition->epoch = request->epoch;
    partition->owner = bytes_copy(&store->arena, request->claim.owner);
    return STORE_DONE;
}

/* What a move does once store_tables_judge() let it pass. */
static void
apply(struct store_memory *store, const struct store_request *request, struct ticket_row *row)
{
    enum requeue_cause cause = request->move.cause;
    row->rev++;
    switch (request->kind) {
    case STORE_DUE:
        row->state = TICKET_QUEUED;
        row->queued_us = store->now_us;
        break;
    case STORE_ASSIGN:
        row->state = TICKET_ASSIGNED;
        row->attempt = request->move.attempt;
        row->agent = request->move.agent;
        row->site = request->move.site;
        break;
    case STORE_COMPLETE:
        row->state = TICKET_DONE;
        break;
    case STORE_PARK:
        row->state = TICKET_PARKED;
        break;
    case STORE_REQUEUE:
        row->state = TICKET_QUEUED;
        row->queued_us = store->now_us;
        row->fails += cause <= REQUEUE_NEVER_CONFIRMED ? 1 : 0;
        if (cause == REQUEUE_HANDOFF) {
            row->agent = 0;
            row->site = 0;
            row->person_requested = true;
        }
        break;
    case STORE_CANCEL:
        row->state = TICKET_CANCELLED;
        break;
    case STORE_DEAD:
        row->state = TICKET_DEAD;
        break;
    case STORE_NOTE:
    case STORE_SUBMIT:
    case STORE_MESSAGE:
    case STORE_SITE:
    case STORE_CLAIM:
    case STORE_JOURNAL_PUT:
    case STORE_JOURNAL_DROP:
        break;
    }
}

static struct bytes detail_of(struct store_memory *store, const struct store_request *request)
{
    static const char *const causes[] = {
        "given_back", "grace_over", "never_confirmed", "handoff", "new_messages", "unparked"};
    if (request->kind == STORE_NOTE) {
        return bytes_copy(&store->arena, request->move.text);
    }
    if (request->kind != STORE_REQUEUE) {
        return bytes_copy(&store->arena, request->move.note);
    }
    char buffer[512];
    struct text text;
    text_init(&text, buffer, sizeof buffer);
    text_add(&text, causes[request->move.cause]);
    if (request->move.note.size != 0) {
        text_add(&text, ": ");
        text_add_bytes(&text, request->move.note);
    }
    return bytes_copy(&store->arena, text_bytes(&text));
}

static enum history_kind history_of(enum store_kind kind)
{
    static const enum history_kind kinds[] = {
        [STORE_DUE] = HISTORY_DUE,
        [STORE_ASSIGN] = HISTORY_ASSIGNED,
        [STORE_COMPLETE] = HISTORY_COMPLETED,
        [STORE_PARK] = HISTORY_PARKED,
        [STORE_REQUEUE] = HISTORY_REQUEUED,
        [STORE_CANCEL] = HISTORY_CANCELLED,
        [STORE_DEAD] = HISTORY_DEAD,
        [STORE_NOTE] = HISTORY_NOTE,
    };
    CHECK((uint32_t) kind < ARRAY_LENGTH(kinds));
    return kinds[kind];
}

static void write_move(struct store_memory *store,
                       const struct store_request *request,
                       struct store_memory_ticket *ticket)
{
    apply(store, request, &ticket->row);
    struct store_memory_event *event = add_event(store, &ticket->row, history_of(request->kind));
    event->row.epoch = request->epoch;
    event->row.detail = detail_of(store, request);
    if (request->kind == STORE_NOTE) {
        event->row.attempt = request->move.attempt;
    }
    if (request->kind == STORE_NOTE || request->kind == STORE_REQUEUE) {
        event->agent = request->move.agent;
    }
    if (request->kind == STORE_COMPLETE) {
        ticket->answer = bytes_copy(&store->arena, request->move.text);
        ticket->answer_count++;
    }
}

static bool has_note(const struct store_memory *store, const struct store_request *request)
{
    for (uint32_t i = 0; i < store->event_count; i++) {
        const struct store_memory_event *event = &store->events[i];
        if (event->row.kind == HISTORY_NOTE && id_equal(event->ticket, request->ticket) &&
            event->row.attempt == request->move.attempt && event->agent == request->move.agent &&
            bytes_equal(event->row.detail, request->move.text)) {
            return true;
        }
    }
    return false;
}

static enum store_status
move(struct store_memory *store, const struct store_request *request, struct store_result *result)
{
    if (store->partitions[request->part].epoch != request->epoch) {
        return STORE_FENCED;
    }
    struct store_memory_ticket *ticket = store_tables_find(store, request->ticket);
    if (ticket == NULL || ticket->row.part != request->part) {
        return STORE_ABSENT;
    }
    enum store_status status = store_tables_judge(request, &ticket->row, store->now_us);
    bool is_repeat = request->kind == STORE_NOTE && has_note(store, request);
    if (status == STORE_DONE && !is_repeat) {
        write_move(store, request, ticket);
    }
    if (status == STORE_DONE && request->kind == STORE_ASSIGN) {
        result->body = ticket->body;
    }
    result->row = ticket->row;
    return status;
}

/* ------------------------------------------------------------------ all */

static enum store_status write_one(struct store_memory *store,
                                   const struct store_request *request,
                                   struct store_result *result)
{
    switch (request->kind) {
    case STORE_SUBMIT:
        return submit(store, request, result);
    case STORE_MESSAGE:
        return add_note_of_requester(store, request, result);
    case STORE_SITE:
        return name_site(store, request, result);
    case STORE_CLAIM:
        return claim(store, request);
    case STORE_DUE:
    case STORE_ASSIGN:
    case STORE_COMPLETE:
    case STORE_PARK:
    case STORE_REQUEUE:
    case STORE_CANCEL:
    case STORE_DEAD:
    case STORE_NOTE:
        return move(store, request, result);
    case STORE_JOURNAL_PUT:
        return store_tables_put(store, &request->journal);
    case STORE_JOURNAL_DROP:
        return store_tables_drop(store, &request->journal);
    }
    return STORE_FAILED;
}

void store_memory_write(struct store_memory *store,
                        const struct store_request *requests,
                        struct store_result *results,
                        uint32_t count,
                        int64_t now_us)
{
    store->now_us = now_us;
    for (uint32_t i = 0; i < count; i++) {
        results[i] = (struct store_result){.status = STORE_FAILED};
        if (store->fault == FAULT_DOWN) {
            continue;
        }
        CHECK(requests[i].part < STORE_PARTS_MAX);
        enum store_status status = write_one(store, &requests[i], &results[i]);
        if (store->fault == FAULT_UNCERTAIN) {
            results[i] = (struct store_result){0};
            status = STORE_UNCERTAIN;
        }
        results[i].status = status;
    }
}
