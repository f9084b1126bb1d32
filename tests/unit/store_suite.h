#ifndef TESTS_UNIT_STORE_SUITE_H
#define TESTS_UNIT_STORE_SUITE_H

/* A store under test: a folder of its own, one port, a clock that the test sets. Nothing here but
 * suite_start() knows which database it is.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "io/store.h"
#include "lib/id.h"

#define SUITE_PART 1U
#define SUITE_EPOCH 100U
#define SUITE_START_US INT64_C(1700000000000000)

struct suite {
    char folder[64];
    struct store_options options;
    struct store *store;
    struct store_port *port;
    struct id_source ids;
    uint64_t token;
    char message[512];
    _Atomic int64_t now_us;
};

/* Makes the folder and opens the store with `options` (folder and clock are filled in). */
struct suite *suite_open(const struct store_options *options);

/* Closes the store, keeps the folder. */
void suite_stop(struct suite *suite);
void suite_start(struct suite *suite);

/* Closes and removes everything. */
void suite_close(struct suite *suite);

/* A fresh folder under the temporary one; remove it by suite_remove_folder(). */
void suite_make_folder(char folder[64]);
void suite_remove_folder(const char *folder);

/* Waits for the next completion; lent until the next call. */
struct store_completion suite_wait(struct suite *suite);

/* Submits and waits. The views are lent until the next call. */
const struct store_result *
suite_ask_many(struct suite *suite, const struct store_request *requests, uint32_t count);
struct store_result suite_ask(struct suite *suite, const struct store_request *request);
const struct load_page *suite_load(struct suite *suite, const struct load_request *request);

/* Requests with everything filled in that a test does not vary. */
struct store_request suite_submit(struct suite *suite, const char *key, const char *body);
struct store_request suite_move(enum store_kind kind, struct ticket_id ticket, uint32_t attempt);
struct store_request suite_claim(uint64_t epoch, const char *owner);

/* Submits, CHECKs that it was done. */
struct ticket_id suite_ticket(struct suite *suite, const char *key);

/* The same, assigned to agent 5 of site 2 under attempt 1. */
struct ticket_id suite_assigned(struct suite *suite, const char *key);

/* The row as it stands; lent until the next call. */
struct ticket_row suite_row(struct suite *suite, struct ticket_id ticket);

#endif
