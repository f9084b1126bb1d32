#ifndef IO_STORE_H
#define IO_STORE_H

/* A store: one thread of its own that takes what has gathered, proves the fences, commits and
 * answers. Its callers are the hosts of this process, each through a port of its own. A port is
 * used by one thread at a time; different ports by different threads. What requests and answers
 * mean is said in lib/store_request.h.
 *
 * Answers that lib/store_request.h leaves open:
 *   SUBMIT     an id that exists already under another key: REFUSED with that row. MISMATCH brings
 *              the row too.
 *   MESSAGE    the fence is not asked for (brokers own nothing). The ticket is found by id in any
 *              partition. Same key, other body: MISMATCH. Ticket closed: REFUSED with the row.
 *   CLAIM      a lower epoch, or the same one of another owner: FENCED.
 *   DUE        not SCHEDULED or not due yet: REFUSED with the row.
 *   ASSIGN     any guard that fails: REFUSED with the row, also when it says ASSIGNED to this very
 *              agent under this attempt.
 *   COMPLETE   DONE with this attempt and agent: DUPLICATE.
 *   PARK       any state but ASSIGNED with this attempt and agent: DUPLICATE.
 *   REQUEUE    QUEUED with this attempt and agent (HANDOFF: with this attempt and no agent):
 *              DUPLICATE. UNPARKED wants PARKED, every other cause ASSIGNED.
 *   CANCEL     CANCELLED: DUPLICATE; DONE or DEAD: REFUSED.
 *   NOTE       the same text of this attempt and agent is there already: DONE, not written again.
 *   LOAD_RECENT pages in order of service; it continues behind the row named by `after.id`.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/bytes.h"
#include "lib/err.h"
#include "lib/histogram.h"
#include "lib/store_request.h"
#include "lib/trace.h"

struct store;
struct store_port;

enum store_sync {
    STORE_SYNC_FULL, /* acknowledged means on the disk */
    STORE_SYNC_OFF   /* tests only: a power cut may lose what was acknowledged */
};

/* From the store's thread; `event` is noun.verb, `detail` a sentence for the operator. */
typedef void
store_log_fn(void *context, enum trace_level level, const char *event, const char *detail);

/* Zero means the default in brackets. */
struct store_options {
    const char *folder; /* created if absent, one process at a time (DIR/lock) */
    const char *vfs;    /* name of an SQLite VFS [the system's] */
    enum store_sync sync;
    uint64_t cache_bytes;               /* [64 MiB] */
    uint32_t keys_max;                  /* keys of submitters known at a time [8 Mi] */
    int64_t key_life_us;                /* [7 days] */
    uint32_t ports_max;                 /* [8] */
    uint32_t pages_max;                 /* bound of the file in pages of 4 KiB [none] */
    store_log_fn *log;                  /* [silence] */
    int64_t (*clock_us)(void *context); /* since 1970 UTC, any thread [CLOCK_REALTIME] */
    void *context;                      /* of log and clock_us */
};

/* Opens or creates DIR/ventanilla.db. On error *out is untouched and `message` says what, where and
 * what to do. VT_CONFLICT: another process has the folder.  VT_NEWER: written by a newer program.
 * VT_DENIED: not writable.  VT_CORRUPT: not a store, or a damaged one.  VT_FULL: disk full.
 * VT_UNAVAILABLE: anything else the system refused.
 */
VT_MUST_USE vt_err store_open_sqlite(const struct store_options *options,
                                     struct store **out,
                                     char *message,
                                     uint32_t message_size);

/* The same for agentd's journal, DIR/journal.db: takes STORE_JOURNAL_PUT, STORE_JOURNAL_DROP and
 * LOAD_JOURNAL only. Any other request is answered FAILED, any other load VT_INVALID.
 */
VT_MUST_USE vt_err store_open_journal(const struct store_options *options,
                                      struct store **out,
                                      char *message,
                                      uint32_t message_size);

/* Does what is queued, ends the thread, closes. Ports are gone with it. Accepts NULL. */
void store_close(struct store *store);

/* VT_FULL: ports_max are open. A port lives until store_close(). */
VT_MUST_USE vt_err store_port_open(struct store *store, struct store_port **out);

/* Readable (poll) while completions wait; owned by the port. */
int store_port_fd(const struct store_port *port);

/* How many submissions and loads of one port may be under way, answers not yet taken included. */
#define STORE_PORT_JOBS_MAX 256u

/* `requests` are lent until their completion was taken. Never blocks.
 * VT_FULL: STORE_PORT_JOBS_MAX are under way.
 */
VT_MUST_USE vt_err store_port_submit(struct store_port *port,
                                     uint64_t token,
                                     const struct store_request *requests,
                                     uint32_t count);

/* Copies the request. VT_FULL as above. */
VT_MUST_USE vt_err store_port_load(struct store_port *port,
                                   uint64_t token,
                                   const struct load_request *request);

struct store_completion {
    bool is_load;
    uint64_t token;
    const struct store_result *results; /* one per request, in their order */
    uint32_t count;
    vt_err error;                 /* of a load: VT_OK or VT_UNAVAILABLE */
    const struct load_page *page; /* of a load that is VT_OK */
};

/* Takes the oldest completion; false: none waits. What it points at is lent until the next call or
 * store_port_done(). A LOAD_TICKET that finds nothing is VT_OK with no row.
 */
bool store_port_next(struct store_port *port, struct store_completion *out);

/* Ends the lending of the last completion. */
void store_port_done(struct store_port *port);

/* A name and the number the store knows it by. */
struct store_name {
    struct bytes name;
    uint32_t number;
};

/* Fill in `number`, giving a new one to a name seen for the first time; numbers are never reused.
 * Partitions are 1 to 4095 (VT_FULL: used up), queues 1 and up. They wait for the store's thread,
 * so they are for start-up and reload only. VT_UNAVAILABLE: the store failed.
 */
VT_MUST_USE vt_err store_intern_pools(struct store *store,
                                      struct store_name *pools,
                                      uint32_t count);
VT_MUST_USE vt_err store_intern_queues(struct store *store,
                                       struct store_name *queues,
                                       uint32_t count);

/* gen of vt_meta, as found at opening: the top 16 bits of every epoch given out from now on. */
uint64_t store_generation(const struct store *store);

/* The highest epoch of any partition as found at opening; new ones must be above it. */
uint64_t store_epoch_max(const struct store *store);

/* Counted since opening, unless said otherwise. 19 KiB: keep it off the stack. */
struct store_figures {
    uint64_t commits;   /* transactions that wrote something */
    uint64_t requests;  /* answered */
    uint64_t loads;     /* answered */
    uint64_t rollbacks; /* transactions that failed as a whole */
    uint64_t syncs;     /* 0: not counted by this store */
    uint64_t tickets;   /* rows in the store, those found at opening included */
    uint64_t keys;      /* keys of submitters known now */
    uint64_t file_bytes;
    uint32_t queue_depth;          /* submissions and loads that wait now */
    bool is_failing;               /* the last transaction failed as a whole */
    struct histogram commit_us;    /* BEGIN to the end of COMMIT */
    struct histogram commit_count; /* requests a transaction */
};

/* From any thread. */
void store_figures(struct store *store, struct store_figures *out);

#endif
