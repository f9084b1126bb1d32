#ifndef BROKER_STATE_H
#define BROKER_STATE_H

/* The broker's parts; for broker.c and hear.c only. */

#include "broker/batches.h"
#include "broker/broker.h"
#include "broker/cancels.h"
#include "broker/clients.h"
#include "broker/followers.h"
#include "broker/intake.h"
#include "broker/notes.h"
#include "broker/outbox.h"
#include "broker/owners.h"
#include "broker/queries.h"
#include "broker/sessions.h"
#include "broker/turn.h"
#include "lib/random.h"
#include "lib/trace.h"

enum stage {
    STAGE_WORKING,
    STAGE_DRAINING,
    STAGE_STOPPING, /* nothing new to the store */
    STAGE_STOPPED
};

struct broker {
    uint64_t incarnation;
    struct bytes name;
    struct random random;
    struct trace silence;
    struct trace *trace;
    const struct plan *plan;
    struct owners *owners;
    struct clients *clients;
    struct batches *batches;
    struct outbox *outbox;
    struct intake *intake;
    struct notes notes;
    struct cancels *cancels;
    struct sessions *sessions;
    struct followers *followers;
    struct queries *queries;
    int64_t now_ms;
    enum stage stage;
    int64_t stop_ms; /* drain no longer than this */
};

/* EVENT_MESSAGE: gives each message to the module that answers for its kind. */
void hear_message(struct broker *broker, const struct turn *turn, const struct event *event);

/* EVENT_LINK_DOWN. */
void hear_link_down(struct broker *broker, const struct turn *turn, struct address address);

/* Forgets router connections that have been silent too long. */
void hear_silence(struct broker *broker, const struct turn *turn);

#endif
