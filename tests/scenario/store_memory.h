#ifndef TESTS_SCENARIO_STORE_MEMORY_H
#define TESTS_SCENARIO_STORE_MEMORY_H

/* The store as an array: exactly what lib/store_request.h and io/store.h promise, written apart
 * from the SQLite store, with nothing that lasts. It never forgets, so views of its rows, bodies
 * and texts stay valid until it is closed. Also an agent site's journal.
 */

#include <stdbool.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "lib/store_request.h"

struct store_memory;

enum store_memory_fault {
    FAULT_NONE,
    FAULT_DOWN,     /* nothing is written: FAILED, loads are VT_UNAVAILABLE */
    FAULT_UNCERTAIN /* everything is written, and nobody is told: UNCERTAIN */
};

/* What a ticket became, for tests. */
struct store_memory_ticket {
    struct ticket_row row;
    struct bytes client;
    struct bytes key;
    uint8_t digest[16];
    struct bytes body;
    struct bytes answer;
    uint32_t answer_count; /* COMPLETED events: more than one is a fault */
};

struct store_memory_event {
    struct ticket_id ticket;
    uint32_t agent;
    struct history_row row;
};

struct store_memory *store_memory_open(void);
void store_memory_close(struct store_memory *store);

void store_memory_set_fault(struct store_memory *store, enum store_memory_fault fault);

/* Executes the requests one by one at `now_us`; results[i] is zeroed first. */
void store_memory_write(struct store_memory *store,
                        const struct store_request *requests,
                        struct store_result *results,
                        uint32_t count,
                        int64_t now_us);

/* Rows of the page come from the arena. */
VT_MUST_USE vt_err store_memory_load(struct store_memory *store,
                                     const struct load_request *request,
                                     struct load_page *page,
                                     struct arena *arena,
                                     int64_t now_us);

uint32_t store_memory_ticket_count(const struct store_memory *store);
const struct store_memory_ticket *store_memory_ticket_at(const struct store_memory *store,
                                                         uint32_t index);
const struct store_memory_ticket *store_memory_find(const struct store_memory *store,
                                                    struct ticket_id id);
uint32_t store_memory_event_count(const struct store_memory *store);
const struct store_memory_event *store_memory_event_at(const struct store_memory *store,
                                                       uint32_t index);
uint32_t store_memory_journal_count(const struct store_memory *store);

/* "ana", or empty. */
struct bytes store_memory_agent_name(const struct store_memory *store, uint32_t agent);

/* NULL, or what is wrong with it: gaps in a stream, an attempt left out, a ticket completed twice,
 * a row that its own history does not lead to, an epoch that fell. `*ticket` says where. */
const char *store_memory_fault_found(const struct store_memory *store, struct ticket_id *ticket);

#endif
