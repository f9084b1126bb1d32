#ifndef TESTS_SCENARIO_STORE_TABLES_H
#define TESTS_SCENARIO_STORE_TABLES_H

/* What the files of the in-memory store share; nobody else includes this. */

#include "tests/scenario/store_memory.h"

#define STORE_BYTES (64u << 20)
#define STORE_TICKETS_MAX 4096u
#define STORE_EVENTS_MAX 65536u
#define STORE_MESSAGES_MAX 1024u
#define STORE_NAMES_MAX 1024u
#define STORE_PARTS_MAX 4096u
#define STORE_JOURNAL_MAX 4096u

struct store_message {
    struct ticket_id ticket;
    struct bytes key;
    struct bytes body;
};

struct store_name {
    uint32_t owner; /* an agent's site; 0 for sites */
    struct bytes name;
};

struct store_partition {
    uint64_t epoch;
    struct bytes owner;
};

struct store_memory {
    struct store_memory_ticket tickets[STORE_TICKETS_MAX];
    uint32_t ticket_count;
    struct store_memory_event events[STORE_EVENTS_MAX];
    uint32_t event_count;
    uint64_t seqs[STORE_PARTS_MAX];
    struct store_message messages[STORE_MESSAGES_MAX];
    uint32_t message_count;
    struct store_name sites[STORE_NAMES_MAX];
    uint32_t site_count;
    struct store_name agents[STORE_NAMES_MAX];
    uint32_t agent_count;
    struct store_partition partitions[STORE_PARTS_MAX];
    struct journal_entry journal[STORE_JOURNAL_MAX]; /* sorted by (kind, a, b) */
    uint32_t journal_count;
    enum store_memory_fault fault;
    int64_t now_us;
    struct arena arena; /* texts */
    void *memory;
};

struct store_memory_ticket *store_tables_find(struct store_memory *store, struct ticket_id id);

/* The guards of a router's move, as the table of a ticket's life has them. */
enum store_status
store_tables_judge(const struct store_request *request, const struct ticket_row *row, int64_t now);

enum store_status store_tables_put(struct store_memory *store, const struct journal_entry *entry);
enum store_status store_tables_drop(struct store_memory *store, const struct journal_entry *entry);

/* Less than, equal to or greater than 0, by kind, a, b. */
int store_tables_order(const struct journal_entry *a, const struct journal_entry *b);

#endif
