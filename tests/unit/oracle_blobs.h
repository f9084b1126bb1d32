#ifndef TESTS_UNIT_ORACLE_BLOBS_H
#define TESTS_UNIT_ORACLE_BLOBS_H

/* The oracle's tickets and agents as a router hears of them. */
#include "lib/bytes.h"
#include "lib/store_request.h"
#include "tests/unit/oracle.h"

/* Queue q has the id q + 100. `buffer` has REQUIREMENTS_BYTES_MAX bytes and holds the blob. */
struct ticket_row oracle_blobs_row(const struct oracle_ticket *ticket, uint8_t *buffer);

/* `buffer` has PROFILE_BYTES_MAX bytes. */
struct bytes oracle_blobs_profile(const struct oracle_agent *agent, uint8_t *buffer);

struct bytes oracle_blobs_queue(uint32_t name);

#endif
