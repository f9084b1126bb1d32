#include "tests/scenario/store_tables.h"

static bool is_same_work(const struct store_request *request, const struct ticket_row *row)
{
    return row->attempt == request->move.attempt && row->agent == request->move.agent;
}

static bool may_take(const struct store_request *request, const struct ticket_row *row)
{
    return !row->person_requested || request->move.agent_is_person;
}

static enum store_status done_if(bool is_allowed)
{
    return is_allowed ? STORE_DONE : STORE_REFUSED;
}

static enum store_status judge_complete(const struct store_request *request,
                                        const struct ticket_row *row)
{
    if (row->state == TICKET_DONE && is_same_work(request, row)) {
        return STORE_DUPLICATE;
    }
    bool is_open =
        row->state == TICKET_QUEUED || row->state == TICKET_ASSIGNED || row->state == TICKET_PARKED;
    return done_if(is_open && is_same_work(request, row) && row->msgs == request->move.seen &&
                   may_take(request, row));
}

static enum store_status judge_park(const struct store_request *request,
                                    const struct ticket_row *row)
{
    if (row->state != TICKET_ASSIGNED && is_same_work(request, row)) {
        return STORE_DUPLICATE;
    }
    return done_if(row->state == TICKET_ASSIGNED && is_same_work(request, row) &&
                   row->msgs == request->move.seen);
}

static enum store_status judge_requeue(const struct store_request *request,
                                       const struct ticket_row *row)
{
    enum requeue_cause cause = request->move.cause;
    uint32_t agent_after = cause == REQUEUE_HANDOFF ? 0 : request->move.agent;
    if (row->state == TICKET_QUEUED && row->attempt == request->move.attempt &&
        row->agent == agent_after) {
        return STORE_DUPLICATE;
    }
    enum ticket_state from = cause == REQUEUE_UNPARKED ? TICKET_PARKED : TICKET_ASSIGNED;
    return done_if(row->state == from && is_same_work(request, row));
}

static enum store_status judge_cancel(const struct ticket_row *row)
{
    if (row->state == TICKET_CANCELLED) {
        return STORE_DUPLICATE;
    }
    return done_if(row->state != TICKET_DONE && row->state != TICKET_DEAD);
}

enum store_status
store_tables_judge(const struct store_request *request, const struct ticket_row *row, int64_t now)
{
    switch (request->kind) {
    case STORE_DUE:
        return done_if(row->state == TICKET_SCHEDULED && row->due_us <= now);
    case STORE_ASSIGN:
        return done_if(row->state == TICKET_QUEUED && row->attempt + 1 == request->move.attempt &&
                       may_take(request, row));
    case STORE_COMPLETE:
        return judge_complete(request, row);
    case STORE_PARK:
        return judge_park(request, row);
    case STORE_REQUEUE:
        return judge_requeue(request, row);
    case STORE_CANCEL:
        return judge_cancel(row);
    case STORE_DEAD:
        return done_if(row->state == TICKET_QUEUED && row->fails >= request->move.max_fails);
    case STORE_NOTE:
        return STORE_DONE;
    case STORE_SUBMIT:
    case STORE_MESSAGE:
    case STORE_SITE:
    case STORE_CLAIM:
    case STORE_JOURNAL_PUT:
    case STORE_JOURNAL_DROP:
        break;
    }
    return STORE_FAILED;
}
