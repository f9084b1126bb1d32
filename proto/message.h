#ifndef PROTO_MESSAGE_H
#define PROTO_MESSAGE_H

/* Every message of the protocol as bounded structs: all that a core ever sees of the wire.
 * A message is a header and a list of entries of one kind; every entry is answered on its own.
 * codec.c turns frames into these and back and has checked every limit below: nobody checks again.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/bytes.h"
#include "lib/core.h"
#include "lib/id.h"
#include "lib/store_request.h"
#include "proto/message_client.h"
#include "proto/message_kinds.h"
#include "proto/message_site.h"

struct message {
    struct header header;
    uint32_t count;    /* entries; 0 for header-only kinds and carried messages */
    uint32_t capacity; /* of the list, while a core builds it */
    union {
        void *entries; /* of message_entry_size(kind) each */
        struct submit *submit;
        struct submitted *submitted;
        struct note *note;
        struct cancel *cancel;
        struct answered *answered;
        struct follow *follow;
        struct update *update;
        struct query *query;
        struct reply *reply;
        struct owns *owns;
        struct forward *forward;
        struct taken *taken;
        struct site_up *site_up;
        struct hello *hello;
        struct agent *agent;
        struct held *held;
        struct welcome *welcome;
        struct hello_again *hello_again;
        struct avail *avail;
        struct offer *offer;
        struct accept *accept;
        struct decline *decline;
        struct confirm *confirm;
        struct release *release;
        struct outcome *outcome;
        struct verdict *verdict;
        struct note_in *note_in;
        struct beat *beat;
    };
    struct bytes carried; /* not decoded: the received body frame, to be sent on as it is. A broker
                             gets kinds 60..79 like this; sending a message with `carried` set puts
                             these bytes behind the (re-stamped) header. */
    uint32_t carried_count; /* entries in it, as its header says */
};

uint32_t message_entry_size(enum message_kind kind);   /* 0: header only */
const char *message_kind_text(enum message_kind kind); /* "SUBMIT" */
static inline bool message_is_carried_kind(enum message_kind kind)
{
    return kind >= MESSAGE_AVAIL && kind <= MESSAGE_HELD_ASK;
}

/* Adds one zeroed entry to what this step sends: to the open SEND effect of the same address, kind,
 * part, site and session if there is one with room, else to a new one. `like` gives the header of
 * a new message (kind set by its .kind). Needs effects_room(); see EFFECTS_MAX. */
void *message_add(struct effects *out, struct address to, const struct header *like);

/* A header-only message, or one whose list the caller fills: always a new effect. */
struct message *message_send(struct effects *out, struct address to, const struct header *like);

#endif
