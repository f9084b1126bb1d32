#include "io/store_sqlite.h"

/* The tables, and the text of every statement. Two things shape them: what changes often is narrow
 * and apart from what is written once, and every key grows, so that inserts go to the end of a
 * table.
 *
 * A ticket has a serial number besides its id: bodies, messages and answers hang on it, since an
 * integer key costs SQLite a fraction of a 16-byte one and wide rows need the other kind of B-tree.
 * A ticket's events are a chain: the row names the last one, each event the one before, so no index
 * over events has to be kept. Event stream = partition; intake and router write to the same one,
 * for the store has a single writer. `seq` has no gaps.
 */
#define TICKET_COLUMNS                                                           \
    "id, part, queue, priority, state, attempt, fails, agent, site, msgs, rev, " \
    "person_requested, created_us, queued_us, due_us, serial, event_seq, requirements"

static const char version_1[] =
    "CREATE TABLE vt_meta(id INTEGER PRIMARY KEY CHECK (id = 1), schema_version INTEGER NOT NULL,"
    "  gen INTEGER NOT NULL);"
    "INSERT INTO vt_meta VALUES(1, 1, 1);"
    "CREATE TABLE vt_partition(part INTEGER PRIMARY KEY CHECK (part BETWEEN 0 AND 4095),"
    "  pool TEXT UNIQUE, shard INTEGER NOT NULL DEFAULT 0, epoch INTEGER NOT NULL DEFAULT 0,"
    "  owner TEXT NOT NULL DEFAULT '', claimed_us INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE vt_queue(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE vt_site(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    "  contractor TEXT NOT NULL);"
    "CREATE TABLE vt_agent(id INTEGER PRIMARY KEY, site INTEGER NOT NULL, name TEXT NOT NULL,"
    "  person INTEGER NOT NULL, UNIQUE(site, name));"
    "CREATE TABLE vt_ticket(id BLOB PRIMARY KEY NOT NULL, part INTEGER NOT NULL,"
    "  queue INTEGER NOT NULL, priority INTEGER NOT NULL, state INTEGER NOT NULL,"
    "  attempt INTEGER NOT NULL, fails INTEGER NOT NULL, agent INTEGER NOT NULL,"
    "  site INTEGER NOT NULL, msgs INTEGER NOT NULL, rev INTEGER NOT NULL,"
    "  person_requested INTEGER NOT NULL, created_us INTEGER NOT NULL,"
    "  queued_us INTEGER NOT NULL, due_us INTEGER NOT NULL, serial INTEGER NOT NULL,"
    "  event_seq INTEGER NOT NULL, requirements BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX vt_ticket_queued ON vt_ticket(part, priority DESC, created_us, id, queued_us)"
    "  WHERE state IN (1, 2);"
    "CREATE INDEX vt_ticket_held ON vt_ticket(part, id) WHERE state IN (3, 5);"
    "CREATE TABLE vt_payload(serial INTEGER PRIMARY KEY, ticket BLOB NOT NULL,"
    "  created_us INTEGER NOT NULL, client TEXT NOT NULL, idem_key BLOB NOT NULL,"
    "  digest BLOB NOT NULL, body BLOB NOT NULL);"
    "CREATE TABLE vt_message(key INTEGER PRIMARY KEY, at_us INTEGER NOT NULL,"
    "  author TEXT NOT NULL, idem_key BLOB NOT NULL, body BLOB NOT NULL);"
    "CREATE TABLE vt_outbox(key INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, body BLOB NOT NULL);"
    "CREATE TABLE vt_event(key INTEGER PRIMARY KEY, previous INTEGER NOT NULL,"
    "  ticket BLOB NOT NULL, kind INTEGER NOT NULL, attempt INTEGER NOT NULL,"
    "  agent INTEGER NOT NULL, epoch INTEGER NOT NULL, at_us INTEGER NOT NULL,"
    "  detail BLOB NOT NULL);"
    /* For people and for whoever audits the file. */
    "CREATE VIEW vt_history AS SELECT key >> 40 AS stream, key & 1099511627775 AS seq, ticket,"
    "  kind, attempt, agent, epoch, at_us, detail FROM vt_event;"
    "CREATE VIEW vt_answer AS SELECT p.ticket AS ticket, o.key & 1048575 AS n, o.at_us AS at_us,"
    "  o.body AS body FROM vt_outbox AS o JOIN vt_payload AS p ON p.serial = o.key >> 20;";

static const char *const upgrades[] = {version_1};

const struct store_file_schema store_sqlite_schema = {
    .file_name = "ventanilla.db",
    .lock_name = "lock",
    .application_id = 0x56544c4c, /* VTLL */
    .version = sizeof upgrades / sizeof upgrades[0],
    .checkpoint_pages = 4000,
    .upgrade = upgrades,
};

/* A move reads the row, is judged in C and writes it back: SQLite has one writer, and BEGIN
 * IMMEDIATE keeps it so, hence this is the compare-and-set. UPDATE .. RETURNING costs twice as much
 * and could not say why it found nothing. */
const char *const store_sqlite_schema_statements[STATEMENT_COUNT] = {
    [STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
    [STATEMENT_COMMIT] = "COMMIT",
    [STATEMENT_ROLLBACK] = "ROLLBACK",
    [STATEMENT_FENCE] = "SELECT epoch, owner FROM vt_partition WHERE part = ?1",
    [STATEMENT_CLAIM] = "INSERT INTO vt_partition(part, epoch, owner, claimed_us)"
                        " VALUES(?1, ?2, ?3, ?4) ON CONFLICT(part) DO UPDATE SET"
                        " epoch = ?2, owner = ?3, claimed_us = ?4",
    [STATEMENT_TICKET_FIND] = "SELECT " TICKET_COLUMNS " FROM vt_ticket WHERE id = ?1",
    [STATEMENT_TICKET_ADD] = "INSERT INTO vt_ticket(" TICKET_COLUMNS ") VALUES(?1, ?2, ?3, ?4, ?5,"
                             " ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
    [STATEMENT_TICKET_MOVE] =
        "UPDATE vt_ticket SET state = ?2, attempt = ?3, fails = ?4, agent = ?5, site = ?6,"
        " msgs = ?7, rev = ?8, person_requested = ?9, queued_us = ?10, event_seq = ?11"
        " WHERE id = ?1",
    [STATEMENT_PAYLOAD_ADD] = "INSERT INTO vt_payload(serial, ticket, created_us, client,"
                              " idem_key, digest, body) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [STATEMENT_PAYLOAD_BODY] = "SELECT body FROM vt_payload WHERE serial = ?1",
    [STATEMENT_PAYLOAD_KEY] = "SELECT ticket, created_us, client, idem_key, digest FROM vt_payload"
                              " WHERE serial = ?1",
    [STATEMENT_PAYLOAD_FROM] = "SELECT serial, created_us, client, idem_key FROM vt_payload"
                               " WHERE serial >= ?1 ORDER BY serial",
    [STATEMENT_SERIAL_LAST] = "SELECT coalesce(max(serial), 0) FROM vt_payload",
    [STATEMENT_EVENT_ADD] = "INSERT INTO vt_event(key, previous, ticket, kind, attempt, agent,"
                            " epoch, at_us, detail) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [STATEMENT_EVENT_GET] = "SELECT e.previous, e.kind, e.attempt, e.agent, e.epoch, e.at_us,"
                            " e.detail, a.name FROM vt_event AS e"
                            " LEFT JOIN vt_agent AS a ON a.id = e.agent WHERE e.key = ?1",
    [STATEMENT_EVENT_LAST] = "SELECT key, at_us FROM vt_event WHERE key < ?1"
                             " ORDER BY key DESC LIMIT 1",
    [STATEMENT_MESSAGE_ADD] = "INSERT INTO vt_message(key, at_us, author, idem_key, body)"
                              " VALUES(?1, ?2, ?3, ?4, ?5)",
    [STATEMENT_MESSAGE_KEYS] = "SELECT idem_key, body FROM vt_message"
                               " WHERE key BETWEEN ?1 AND ?2",
    [STATEMENT_OUTBOX_ADD] = "INSERT INTO vt_outbox(key, at_us, body) VALUES(?1, ?2, ?3)",
    [STATEMENT_OUTBOX_LAST] = "SELECT key, body FROM vt_outbox WHERE key BETWEEN ?1 AND ?2"
                              " ORDER BY key DESC LIMIT 1",
    [STATEMENT_LOAD_HELD] = "SELECT " TICKET_COLUMNS " FROM vt_ticket INDEXED BY vt_ticket_held"
                            " WHERE part = ?1 AND state IN (3, 5) AND id > ?2 ORDER BY id LIMIT ?3",
    /* Order of service behind a row is two ranges of the index: the rest of its priority, and the
     * lower ones. One condition for both would be a scan of the whole priority for each page. */
    [STATEMENT_LOAD_SAME] =
        "SELECT " TICKET_COLUMNS " FROM vt_ticket INDEXED BY vt_ticket_queued WHERE part = ?1"
        " AND state IN (1, 2) AND priority = ?2 AND (created_us, id) > (?3, ?4)"
        " AND queued_us >= ?5 ORDER BY created_us, id LIMIT ?6",
    [STATEMENT_LOAD_LOWER] =
        "SELECT " TICKET_COLUMNS " FROM vt_ticket INDEXED BY vt_ticket_queued WHERE part = ?1"
        " AND state IN (1, 2) AND priority < ?2 AND queued_us >= ?3"
        " ORDER BY priority DESC, created_us, id LIMIT ?4",
    [STATEMENT_POOL_FIND] = "SELECT part FROM vt_partition WHERE pool = ?1",
    [STATEMENT_POOL_ADD] = "INSERT INTO vt_partition(part, pool)"
                           " SELECT coalesce(max(part), 0) + 1, ?1 FROM vt_partition"
                           " RETURNING part",
    [STATEMENT_QUEUE_FIND] = "SELECT id FROM vt_queue WHERE name = ?1",
    [STATEMENT_QUEUE_ADD] = "INSERT INTO vt_queue(name) VALUES(?1) RETURNING id",
    [STATEMENT_QUEUE_COUNT] = "SELECT count(*) FROM vt_queue",
    /* Two halves, so that each has its index. */
    [STATEMENT_QUEUES_OPEN] =
        "SELECT q.name, sum(o.n) FROM ("
        "  SELECT queue, count(*) AS n FROM vt_ticket WHERE state IN (1, 2) GROUP BY queue"
        "  UNION ALL"
        "  SELECT queue, count(*) FROM vt_ticket WHERE state IN (3, 5) GROUP BY queue"
        ") AS o JOIN vt_queue AS q ON q.id = o.queue GROUP BY q.id ORDER BY q.name",
    [STATEMENT_SITE_ADD] = "INSERT INTO vt_site(name, contractor) VALUES(?1, ?2)"
                           " ON CONFLICT(name) DO UPDATE SET contractor = ?2 RETURNING id",
    [STATEMENT_SITE_GET] = "SELECT name FROM vt_site WHERE id = ?1",
    [STATEMENT_AGENT_ADD] = "INSERT INTO vt_agent(site, name, person) VALUES(?1, ?2, ?3)"
                            " ON CONFLICT(site, name) DO UPDATE SET person = ?3 RETURNING id",
    [STATEMENT_AGENT_GET] = "SELECT name FROM vt_agent WHERE id = ?1",
};
