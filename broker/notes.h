#ifndef BROKER_NOTES_H
#define BROKER_NOTES_H

/* NOTE: the requester writes on a ticket. The broker stores it itself, because a requester may
 * write while no owner is there; then the owner is told. */

#include "broker/batches.h"
#include "broker/clients.h"
#include "broker/outbox.h"
#include "broker/turn.h"

struct notes {
    struct batches *batches;
    struct clients *clients;
    struct outbox *outbox;
    bool is_draining;
};

/* A NOTE of client connection `peer`. */
void notes_write(const struct notes *notes,
                 const struct turn *turn,
                 uint64_t peer,
                 const struct message *message);

/* The store's answer to a request of ours; fills in what *entry will tell the client. */
void notes_stored(const struct notes *notes,
                  const struct turn *turn,
                  const struct store_request *request,
                  const struct store_result *result,
                  struct batch_entry *entry);

#endif
