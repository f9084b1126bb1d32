#include "io/store_sqlite.h"

#include <inttypes.h>
#include <stdio.h>

#define LEFT_OUT_BYTES 256u

/* Names and the numbers they are known by: pools, queues, sites, agents. */

static int find_or_add(struct store_sqlite *self,
                       enum statement find,
                       enum statement add,
                       struct store_name *name)
{
    sqlite3_stmt *statement = store_sqlite_statement(self, find);
    store_file_bind_text(statement, 1, name->name);
    int code = store_file_step(statement);
    if (code == SQLITE_DONE) {
        statement = store_sqlite_statement(self, add);
        store_file_bind_text(statement, 1, name->name);
        code = store_file_step(statement);
    }
    if (code != SQLITE_ROW) {
        return code == SQLITE_DONE ? SQLITE_INTERNAL : code;
    }
    name->number = store_file_u32(statement, 0);
    return sqlite3_reset(statement);
}

static bool is_among(const struct store_name *names, uint32_t count, struct bytes name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (bytes_equal(names[i].name, name)) {
            return true;
        }
    }
    return false;
}

static void tell_left_out(const struct store_sqlite *self, struct bytes queue, uint64_t open_count)
{
    char text[LEFT_OUT_BYTES];
    snprintf(text,
             sizeof text,
             "%" PRIu64 " open tickets are of queue '%.*s', which the plan does not have: they are "
             "kept, and served when it has it again",
             open_count,
             (int) queue.size,
             (const char *) queue.data);
    self->log(self->context, TRACE_WARN, "plan.left_out", text);
}

/* A plan that lost a queue would make its tickets invisible without a word. */
static void
look_for_left_out(struct store_sqlite *self, const struct store_name *names, uint32_t count)
{
    sqlite3_stmt *statement = store_sqlite_statement(self, STATEMENT_QUEUE_COUNT);
    bool has_others =
        store_file_step(statement) == SQLITE_ROW && store_file_u32(statement, 0) > count;
    (void) sqlite3_reset(statement);
    if (!has_others) {
        return;
    }
    statement = store_sqlite_statement(self, STATEMENT_QUEUES_OPEN);
    while (store_file_step(statement) == SQLITE_ROW) {
        struct bytes queue = store_file_column(statement, 0);
        if (!is_among(names, count, queue)) {
            tell_left_out(self, queue, (uint64_t) sqlite3_column_int64(statement, 1));
        }
    }
    (void) sqlite3_reset(statement);
}

vt_err store_sqlite_names_intern(void *context,
                                 enum store_names kind,
                                 struct store_name *names,
                                 uint32_t count)
{
    struct store_sqlite *self = context;
    bool is_pool = kind == STORE_NAMES_POOLS;
    enum statement find = is_pool ? STATEMENT_POOL_FIND : STATEMENT_QUEUE_FIND;
    enum statement add = is_pool ? STATEMENT_POOL_ADD : STATEMENT_QUEUE_ADD;
    int code = store_sqlite_write_begin(self);
    for (uint32_t i = 0; i < count && code == SQLITE_OK; i++) {
        code = find_or_add(self, find, add, &names[i]);
    }
    if (code == SQLITE_OK) {
        code = store_file_run(store_sqlite_statement(self, STATEMENT_COMMIT));
    }
    if (code == SQLITE_OK) {
        if (!is_pool) {
            look_for_left_out(self, names, count);
        }
        return VT_OK;
    }
    store_sqlite_write_rollback(self);
    return (code & 0xFF) == SQLITE_CONSTRAINT ? VT_FULL : VT_UNAVAILABLE;
}

static int intern_site(struct store_sqlite *self, const struct store_request *request, uint32_t *id)
{
    sqlite3_stmt *statement = store_sqlite_statement(self, STATEMENT_SITE_ADD);
    store_file_bind_text(statement, 1, request->site.name);
    store_file_bind_text(statement, 2, request->site.contractor);
    int code = store_file_step(statement);
    if (code != SQLITE_ROW) {
        return code == SQLITE_DONE ? SQLITE_INTERNAL : code;
    }
    *id = store_file_u32(statement, 0);
    return sqlite3_reset(statement);
}

static int intern_agent(struct store_sqlite *self,
                        uint32_t site,
                        const struct store_agent_name *agent,
                        uint32_t *id)
{
    sqlite3_stmt *statement = store_sqlite_statement(self, STATEMENT_AGENT_ADD);
    store_file_bind_u64(statement, 1, site);
    store_file_bind_text(statement, 2, agent->name);
    store_file_bind_u64(statement, 3, agent->is_person ? 1U : 0U);
    int code = store_file_step(statement);
    if (code != SQLITE_ROW) {
        return code == SQLITE_DONE ? SQLITE_INTERNAL : code;
    }
    *id = store_file_u32(statement, 0);
    return sqlite3_reset(statement);
}

int store_sqlite_names_site(struct store_sqlite *self, const struct store_item *item)
{
    const struct store_request *request = item->request;
    uint32_t count = request->site.agent_count;
    int code = intern_site(self, request, &item->result->site);
    uint32_t *ids = store_memory_take(item->memory, (uint64_t) count * sizeof *ids);
    for (uint32_t i = 0; i < count && code == SQLITE_OK; i++) {
        code = intern_agent(self, item->result->site, &request->site.agents[i], &ids[i]);
    }
    item->result->agents = ids;
    item->result->agent_count = count;
    item->result->status = STORE_DONE;
    return code;
}
