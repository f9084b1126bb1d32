#ifndef CLI_BENCH_SLOTS_H
#define CLI_BENCH_SLOTS_H

/* What one site of the bench holds: its agents' slots, the tickets in them or waiting for their
 * verdict, and the answers that go out with the next turn, packed by partition.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "lib/map.h"
#include "proto/message.h"

#define BENCH_SLOTS_PARTS_MAX 64u
#define BENCH_SLOTS_EVERY_PART UINT32_MAX

enum bench_slots_taken {
    BENCH_SLOTS_TAKEN,
    BENCH_SLOTS_REFUSED,
    BENCH_SLOTS_REPEATED
};

struct bench_slots_part {
    uint32_t part;
    uint64_t epoch;
    uint64_t seq;
};

struct bench_slots_agent {
    uint32_t id; /* 0: not welcomed */
    uint32_t used;
    bool is_changed;
};

struct bench_slots {
    struct arena arena;
    struct bench_slots_agent *agents;
    uint32_t agent_count;
    uint32_t capacity; /* slots of one agent */
    uint32_t *changed; /* agents whose AVAIL is due */
    uint32_t changed_count;
    uint32_t *agent_of_id;
    struct bench_slots_row *rows;
    struct map map; /* ticket to row */
    uint32_t row_count;
    uint32_t *free_rows;
    uint32_t free_count;
    uint32_t held_count;
    struct bench_slots_answer *answers;
    uint32_t answer_count;
    uint32_t answers_max;
    struct bench_slots_part parts[BENCH_SLOTS_PARTS_MAX];
    uint32_t part_count;
    int64_t remind_ms;
};

VT_MUST_USE vt_err bench_slots_open(struct bench_slots *slots,
                                    uint32_t agent_count,
                                    uint32_t capacity);
void bench_slots_close(struct bench_slots *slots);

void bench_slots_set_id(struct bench_slots *slots, uint32_t agent, uint32_t id);
uint32_t bench_slots_count(const struct bench_slots *slots); /* tickets held */

/* The owner's epoch and number of this message. */
void bench_slots_hear(struct bench_slots *slots, const struct header *header);
uint64_t bench_slots_epoch(const struct bench_slots *slots, uint32_t part);
uint64_t bench_slots_seq(const struct bench_slots *slots, uint32_t part);

enum bench_slots_taken bench_slots_offer(struct bench_slots *slots,
                                         const struct header *header,
                                         const struct offer *offer);
enum bench_slots_taken bench_slots_confirm(struct bench_slots *slots,
                                           const struct header *header,
                                           const struct confirm *confirm);
void bench_slots_release(struct bench_slots *slots, const struct release *release);
/* False: nothing waited for it. */
bool bench_slots_verdict(struct bench_slots *slots, const struct verdict *verdict);

/* What has waited too long for its answer is said again. */
void bench_slots_remind(struct bench_slots *slots, int64_t now_ms);

struct bench_slots_batch {
    uint32_t part;
    uint32_t accept_count;
    uint32_t decline_count;
    uint32_t outcome_count;
    struct accept accepts[MESSAGE_ENTRIES_MAX];
    struct decline declines[MESSAGE_ENTRIES_MAX];
    struct outcome outcomes[MESSAGE_ENTRIES_MAX];
};

/* False: there is nothing (more) to say. */
bool bench_slots_take_batch(struct bench_slots *slots, struct bench_slots_batch *batch);

void bench_slots_mark_all(struct bench_slots *slots);
/* Up to MESSAGE_ENTRIES_MAX; 0: none (any more). */
uint32_t bench_slots_take_avails(struct bench_slots *slots, struct avail *avails);

struct bench_slots_beat {
    uint32_t part;
    struct beat beat;
};
/* One for each part of which something is held. */
uint32_t bench_slots_beats(const struct bench_slots *slots,
                           struct bench_slots_beat beats[BENCH_SLOTS_PARTS_MAX]);

struct bench_slots_page {
    uint32_t part; /* or BENCH_SLOTS_EVERY_PART */
    bool is_begun;
    uint32_t next_row;
    uint32_t count;
    struct held held[MESSAGE_ENTRIES_MAX / 4u];
};
/* Fills the next page; true: there may be more. */
bool bench_slots_held(const struct bench_slots *slots, struct bench_slots_page *page);

#endif
