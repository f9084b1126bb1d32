#include "io/store_sqlite.h"

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
