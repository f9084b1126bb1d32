#include "router/lifecycle.h"

#include "lib/check.h"

static const enum ticket_state next_state[TICKET_STATE_COUNT][LIFECYCLE_MOVE_COUNT] = {
    /* what is left out is TICKET_NONE: not allowed */
    [TICKET_QUEUED] = {[LIFECYCLE_ASSIGN] = TICKET_ASSIGNED,
                       [LIFECYCLE_COMPLETE] = TICKET_DONE, /* after a loss, while nobody is newer */
                       [LIFECYCLE_CANCEL] = TICKET_CANCELLED,
                       [LIFECYCLE_DEAD] = TICKET_DEAD},
    [TICKET_SCHEDULED] = {[LIFECYCLE_DUE] = TICKET_QUEUED, [LIFECYCLE_CANCEL] = TICKET_CANCELLED},
    [TICKET_ASSIGNED] = {[LIFECYCLE_COMPLETE] = TICKET_DONE,
                         [LIFECYCLE_PARK] = TICKET_PARKED,
                         [LIFECYCLE_REQUEUE] = TICKET_QUEUED,
                         [LIFECYCLE_CANCEL] = TICKET_CANCELLED},
    [TICKET_PARKED] = {[LIFECYCLE_COMPLETE] = TICKET_DONE,
                       [LIFECYCLE_REQUEUE] = TICKET_QUEUED,
                       [LIFECYCLE_UNPARK] = TICKET_QUEUED,
                       [LIFECYCLE_CANCEL] = TICKET_CANCELLED},
};

enum ticket_state lifecycle_next(enum ticket_state state, enum lifecycle_move move)
{
    CHECK((uint32_t) state < TICKET_STATE_COUNT);
    CHECK((uint32_t) move < LIFECYCLE_MOVE_COUNT);
    return next_state[state][move];
}

bool lifecycle_is_open(enum ticket_state state)
{
    return state == TICKET_QUEUED || state == TICKET_SCHEDULED || state == TICKET_ASSIGNED ||
           state == TICKET_PARKED;
}

bool lifecycle_is_loss(enum requeue_cause cause)
{
    return cause == REQUEUE_GIVE_BACK || cause == REQUEUE_GRACE_OVER ||
           cause == REQUEUE_NEVER_CONFIRMED;
}

static void apply_requeue(const struct store_request *request, struct ticket_row *row)
{
    row->state = TICKET_QUEUED;
    if (lifecycle_is_loss(request->move.cause)) {
        row->fails++;
    }
    if (request->move.cause == REQUEUE_HANDOFF) {
        row->agent = 0;
        row->site = 0;
        row->person_requested = true;
    }
}

void lifecycle_apply(const struct store_request *request, struct ticket_row *row)
{
    row->rev++;
    switch (request->kind) {
    case STORE_DUE:
        row->state = TICKET_QUEUED;
        return;
    case STORE_ASSIGN:
        row->state = TICKET_ASSIGNED;
        row->attempt = request->move.attempt;
        row->agent = request->move.agent;
        row->site = request->move.site;
        return;
    case STORE_COMPLETE:
        row->state = TICKET_DONE;
        return;
    case STORE_PARK:
        row->state = TICKET_PARKED;
        return;
    case STORE_REQUEUE:
        apply_requeue(request, row);
        return;
    case STORE_CANCEL:
        row->state = TICKET_CANCELLED;
        return;
    case STORE_DEAD:
        row->state = TICKET_DEAD;
        return;
    case STORE_NOTE:
        row->rev--; /* an event only; the row is not written */
        return;
    case STORE_SUBMIT:
    case STORE_MESSAGE:
    case STORE_SITE:
    case STORE_CLAIM:
    case STORE_JOURNAL_PUT:
    case STORE_JOURNAL_DROP:
        break;
    }
    check_failed("a request that moves tickets", __FILE__, __LINE__);
}

struct store_request lifecycle_outcome_request(const struct header *header,
                                               const struct outcome *outcome,
                                               bool is_person)
{
    struct store_request request = {.part = header->part, .ticket = outcome->ticket};
    request.move.attempt = outcome->attempt;
    request.move.agent = outcome->agent;
    request.move.site = header->site;
    request.move.seen = outcome->seen;
    request.move.agent_is_person = is_person;
    request.move.note = outcome->note;
    switch (outcome->what) {
    case OUTCOME_COMPLETE:
        request.kind = STORE_COMPLETE;
        request.move.text = outcome->text;
        break;
    case OUTCOME_PARK:
        request.kind = STORE_PARK;
        break;
    case OUTCOME_HANDOFF:
        request.kind = STORE_REQUEUE;
        request.move.cause = REQUEUE_HANDOFF;
        break;
    case OUTCOME_GIVE_BACK:
        request.kind = STORE_REQUEUE;
        request.move.cause = REQUEUE_GIVE_BACK;
        break;
    }
    return request;
}

/* COMPLETE and PARK of the present attempt whose guard failed: the requester wrote, or asked for a
 * person. Both mean that the ticket must be looked at again. */
static enum lifecycle_ruling judge_present(const struct ticket_row *row)
{
    return row->state == TICKET_QUEUED ? LIFECYCLE_NEW_MSGS : LIFECYCLE_REQUEUE_FIRST;
}

static enum lifecycle_ruling judge_complete(const struct store_request *request,
                                            const struct ticket_row *row)
{
    bool is_present = row->attempt == request->move.attempt && row->agent == request->move.agent;
    if (is_present && row->state == TICKET_DONE) {
        return LIFECYCLE_DONE;
    }
    if (is_present && lifecycle_is_open(row->state)) {
        return judge_present(row);
    }
    return LIFECYCLE_KEEP_TEXT;
}

static enum lifecycle_ruling judge_park(const struct store_request *request,
                                        const struct ticket_row *row)
{
    bool is_present = row->attempt == request->move.attempt && row->agent == request->move.agent;
    if (is_present && row->state == TICKET_ASSIGNED) {
        return judge_present(row);
    }
    return is_present ? LIFECYCLE_DONE : LIFECYCLE_STALE;
}

/* A repeat finds the ticket waiting under the same attempt. */
static enum lifecycle_ruling judge_requeue(const struct store_request *request,
                                           const struct ticket_row *row)
{
    bool is_repeat = row->attempt == request->move.attempt && row->state == TICKET_QUEUED;
    bool is_handoff = request->move.cause == REQUEUE_HANDOFF;
    if (is_repeat && (is_handoff ? row->agent == 0 : row->agent == request->move.agent)) {
        return LIFECYCLE_DONE;
    }
    return LIFECYCLE_STALE;
}

static enum lifecycle_ruling judge_refused(const struct store_request *request,
                                           const struct store_result *result)
{
    if (result->status == STORE_ABSENT) {
        return LIFECYCLE_STALE;
    }
    if (request->kind == STORE_COMPLETE) {
        return judge_complete(request, &result->row);
    }
    if (request->kind == STORE_PARK) {
        return judge_park(request, &result->row);
    }
    if (request->kind == STORE_REQUEUE && request->move.cause == REQUEUE_NEW_MSGS) {
        return LIFECYCLE_NEW_MSGS; /* it left the agent in some other way meanwhile */
    }
    if (request->kind == STORE_REQUEUE) {
        return judge_requeue(request, &result->row);
    }
    return LIFECYCLE_DONE; /* STORE_NOTE: nothing left to keep it at */
}

enum lifecycle_ruling lifecycle_judge(const struct store_request *request,
                                      const struct store_result *result,
                                      enum lifecycle_asker asker)
{
    switch (result->status) {
    case STORE_DONE:
    case STORE_DUPLICATE:
        return LIFECYCLE_DONE;
    case STORE_REFUSED:
    case STORE_ABSENT:
    case STORE_MISMATCH:
        return asker == LIFECYCLE_BY_AGENT ? judge_refused(request, result) : LIFECYCLE_BEHIND;
    case STORE_FENCED:
        return LIFECYCLE_SILENT;
    case STORE_FULL:
    case STORE_FAILED:
        return LIFECYCLE_RETRY;
    case STORE_UNCERTAIN:
        return LIFECYCLE_REREAD;
    }
    return LIFECYCLE_RETRY;
}
