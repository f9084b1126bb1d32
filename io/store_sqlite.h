#ifndef IO_STORE_SQLITE_H
#define IO_STORE_SQLITE_H

/* What the files store_sqlite_*.c share: one SQLite database, used by one thread at a time.
 *
 * Every function that returns int returns an SQLite result code; SQLITE_OK means that the request
 * has its answer, anything else that the whole transaction must end (store_sqlite_write.c).
 */

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "io/store_backend.h"
#include "io/store_file.h"
#include "io/store_keys.h"

/* Streams of vt_event are partitions, and there are at most these. */
#define STORE_SQLITE_STREAMS 4096U

/* Keys of integer-keyed tables: vt_event = stream << 40 | seq; vt_message and vt_outbox =
 * serial of the ticket << 20 | n. Integer keys that grow are what SQLite is quickest at. */
#define STORE_SQLITE_SEQ_BITS 40U
#define STORE_SQLITE_N_BITS 20U

enum statement {
    STATEMENT_BEGIN,
    STATEMENT_COMMIT,
    STATEMENT_ROLLBACK,
    STATEMENT_FENCE,
    STATEMENT_CLAIM,
    STATEMENT_TICKET_FIND,
    STATEMENT_TICKET_ADD,
    STATEMENT_TICKET_MOVE,
    STATEMENT_PAYLOAD_ADD,
    STATEMENT_PAYLOAD_BODY,
    STATEMENT_PAYLOAD_KEY,
    STATEMENT_PAYLOAD_FROM,
    STATEMENT_SERIAL_LAST,
    STATEMENT_EVENT_ADD,
    STATEMENT_EVENT_GET,
    STATEMENT_EVENT_LAST,
    STATEMENT_MESSAGE_ADD,
    STATEMENT_MESSAGE_KEYS,
    STATEMENT_OUTBOX_ADD,
    STATEMENT_OUTBOX_LAST,
    STATEMENT_LOAD_HELD,
    STATEMENT_LOAD_SAME,
    STATEMENT_LOAD_LOWER,
    STATEMENT_POOL_FIND,
    STATEMENT_POOL_ADD,
    STATEMENT_QUEUE_FIND,
    STATEMENT_QUEUE_ADD,
    STATEMENT_QUEUE_COUNT,
    STATEMENT_QUEUES_OPEN,
    STATEMENT_SITE_ADD,
    STATEMENT_SITE_GET,
    STATEMENT_AGENT_ADD,
    STATEMENT_AGENT_GET,
    STATEMENT_COUNT
};

/* A key added by the running transaction, to be taken back if it fails. */
struct store_sqlite_undo {
    uint64_t fingerprint;
    uint64_t serial;
};

struct store_sqlite {
    struct store_file file;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    struct store_keys *keys;
    int64_t key_life_us;
    int64_t (*clock_us)(void *context);
    store_log_fn *log;
    void *context;

    int64_t now_us; /* of the running transaction; never falls */
    uint64_t turn;  /* counts transactions, marks what was proved in this one */
    uint64_t fence_turn[STORE_SQLITE_STREAMS];
    uint64_t fence_epoch[STORE_SQLITE_STREAMS];

    /* The next numbers, 0: read it first. They are unknown again after every rollback. */
    uint64_t next_serial;
    uint64_t next_seq[STORE_SQLITE_STREAMS];

    bool is_spoiled[STORE_ITEMS_MAX]; /* requests of this transaction that cannot be written */
    struct store_sqlite_undo undo[STORE_ITEMS_MAX];
    uint32_t undo_count;
    uint64_t tickets;       /* committed */
    uint64_t tickets_added; /* by the running transaction */
    bool is_failing;
};

/* A ticket's row with what only the store knows. */
struct store_sqlite_row {
    struct ticket_row row;
    uint64_t serial;
    uint64_t event_seq;      /* the ticket's last event in its stream */
    uint64_t event_previous; /* the one before, which that event names */
};

/* store_sqlite_event.c: numbers that grow, the history */
int store_sqlite_event_serial(struct store_sqlite *self, uint64_t *serial);
int store_sqlite_event_number(struct store_sqlite *self, struct store_sqlite_row *row);
void store_sqlite_event_give_back(struct store_sqlite *self, const struct store_sqlite_row *row);
int store_sqlite_event_write(struct store_sqlite *self,
                             const struct store_sqlite_row *row,
                             enum history_kind kind,
                             uint64_t epoch,
                             struct bytes detail);

/* store_sqlite_row.c: rows in and out */
int store_sqlite_row_find(struct store_sqlite *self,
                          struct ticket_id id,
                          struct store_memory *memory,
                          struct store_sqlite_row *row); /* SQLITE_NOTFOUND: absent */
int store_sqlite_row_add(struct store_sqlite *self, const struct store_sqlite_row *added);
int store_sqlite_row_write(struct store_sqlite *self, const struct store_sqlite_row *moved);
void store_sqlite_row_read(sqlite3_stmt *statement,
                           struct store_memory *memory,
                           struct store_sqlite_row *out);

/* store_sqlite_submit.c, store_sqlite_move.c, store_sqlite_names.c: one request each */
int store_sqlite_submit(struct store_sqlite *self, const struct store_item *item);
int store_sqlite_submit_message(struct store_sqlite *self, const struct store_item *item);
int store_sqlite_move(struct store_sqlite *self, const struct store_item *item);
int store_sqlite_names_site(struct store_sqlite *self, const struct store_item *item);

/* store_sqlite_write.c, store_sqlite_load.c, store_sqlite_names.c: the backend's calls */
void store_sqlite_write(void *context,
                        const struct store_item *items,
                        uint32_t count,
                        struct store_outcome *outcome);
vt_err store_sqlite_load(void *context,
                         const struct load_request *request,
                         struct load_page *page,
                         struct store_memory *memory);
vt_err store_sqlite_names_intern(void *context,
                                 enum store_names kind,
                                 struct store_name *names,
                                 uint32_t count);
int store_sqlite_write_begin(struct store_sqlite *self);
void store_sqlite_write_rollback(struct store_sqlite *self);

/* store_sqlite_schema.c */
extern const struct store_file_schema store_sqlite_schema;
extern const char *const store_sqlite_schema_statements[STATEMENT_COUNT];

static inline sqlite3_stmt *store_sqlite_statement(struct store_sqlite *self, enum statement which)
{
    return self->statements[which];
}

#endif
