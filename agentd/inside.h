#ifndef AGENTD_INSIDE_H
#define AGENTD_INSIDE_H

/* The core's state as its own files see it; nobody outside agentd/ includes this. */

#include <stdbool.h>
#include <stdint.h>

#include "agentd/agentd.h"
#include "agentd/desk.h"
#include "agentd/journal.h"
#include "agentd/parts.h"
#include "agentd/slots.h"
#include "agentd/uplink.h"
#include "agentd/work.h"
#include "lib/core.h"
#include "lib/random.h"
#include "lib/trace.h"

enum agentd_stage {
    STAGE_NEW,     /* not a step yet */
    STAGE_LOADING, /* reads its journal */
    STAGE_READY,   /* the uplink has the rest of the story */
    STAGE_STOPPING,
    STAGE_STOPPED
};

struct agentd {
    struct agentd_options options; /* with its own copies */
    enum agentd_stage stage;
    struct trace *trace;
    struct trace silent;
    struct random random;
    struct slots slots;
    struct work work;
    struct journal journal;
    struct parts parts;
    struct uplink uplink;
    struct desk desk;

    int64_t now_ms;      /* of this step's event */
    struct effects *out; /* of this step */
    uint32_t boot;       /* as counted by the journal */
    uint64_t load_token; /* 0: no page is on its way */
    int64_t load_retry_ms;
    int64_t next_beat_ms; /* BEAT per part */
    int64_t next_life_ms; /* BEAT to every owner */
    int64_t next_avail_ms;
    uint32_t beat_part; /* where a round of BEATs goes on */
    bool is_beating;
    int64_t stop_deadline_ms;
    int64_t verdicts_until_ms; /* NO_DEADLINE: there is still work in hand */
    bool must_stop;            /* a second EVENT_STOP came */

    uint64_t accepted_total;
    uint64_t declined_total;
    uint64_t expired_total;
    uint64_t outcomes_total[OUTCOME_GIVE_BACK + 1];
};

/* Effects that a helper may add without asking again. A step's event adds at most three per entry
 * of a message; what is periodic stops when less than this is left. */
#define INSIDE_ROOM_MIN 64u

#endif
