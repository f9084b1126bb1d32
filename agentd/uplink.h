#ifndef AGENTD_UPLINK_H
#define AGENTD_UPLINK_H

/* The site's standing with one broker of its list: hello, resume, heartbeat, fail over. Owners are
 * spoken to only while it is up; what is repeated towards them waits in work.h meanwhile.
 *
 *     BOOTING (the boot counter is being journalled) -> HELLO -> UP
 *     any -> WAITING (a whole round of brokers failed) -> HELLO
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/backoff.h"
#include "lib/core.h"
#include "proto/message.h"

#define UPLINK_NONE UINT32_MAX
#define UPLINK_HELLOS_MAX 4u /* without a WELCOME: the next broker is tried */
#define UPLINK_MISSED_MAX 3u /* PINGs without any message in between */

struct agentd;

enum uplink_state {
    UPLINK_BOOTING,
    UPLINK_WAITING,
    UPLINK_HELLO,
    UPLINK_UP,
    UPLINK_CLOSED
};

struct uplink {
    enum uplink_state state;
    uint32_t broker;
    uint32_t leaving; /* broker that said GOAWAY, until another one says WELCOME; UPLINK_NONE */
    struct session session;
    uint64_t *welcomed; /* agents that WELCOME named in this session */
    uint32_t agent_count;
    uint32_t failed_count; /* brokers tried in vain since one was up */
    uint32_t hello_count;
    uint32_t missed_count;
    bool is_heard; /* anything came since the last PING */
    int64_t next_ms;
    struct backoff hello;
    struct backoff round;
    uint64_t ups_total;
};

struct uplink_options {
    uint32_t agent_count;
    uint64_t nonce;
    int64_t hello_min_ms;
    int64_t hello_max_ms;
};

void uplink_init(struct uplink *uplink, struct arena *arena, const struct uplink_options *options);

bool uplink_is_up(const struct uplink *uplink);
struct address uplink_address(const struct uplink *uplink);

/* True for the broker in use, and for the one that is being left: what it still carries counts. */
bool uplink_is_ours(const struct uplink *uplink, struct address from);

/* The boot counter in a->boot is in the journal: HELLO. */
void uplink_booted(struct agentd *a);

/* Does what is due: HELLO, PING, fail over. */
void uplink_time(struct agentd *a);
int64_t uplink_deadline_ms(const struct uplink *uplink);

void uplink_link_down(struct agentd *a, uint64_t peer);

/* WELCOME, HELLO_AGAIN, GOAWAY, PING; any message at all is a sign of life. */
void uplink_receive(struct agentd *a, uint64_t peer, const struct message *message);

/* Hangs up for good. */
void uplink_close(struct agentd *a);

#endif
