/* When memory is full: which of the waiting tickets stay, see matching_horizon() in matching.h. */
#include "router/matching.h"

#include "lib/check.h"

#define SAMPLE_MAX 512U
#define SAMPLE_WANTED 64U

struct sample {
    uint32_t tickets[SAMPLE_MAX];
    uint32_t count;
};

static void sample_every(const struct matching *matching, uint32_t stride, struct sample *sample)
{
    const struct tickets *tickets = &matching->tickets;
    sample->count = 0;
    for (uint32_t row = tickets_next(tickets, 0); row != TICKETS_NONE && sample->count < SAMPLE_MAX;
         row = tickets_next(tickets, row + stride)) {
        if (tickets->rows[row].stage == STAGE_WAITING) {
            sample->tickets[sample->count++] = row;
        }
    }
}

/* Insertion sort of at most SAMPLE_MAX, best first. */
static void sort_sample(const struct tickets *tickets, struct sample *sample)
{
    for (uint32_t i = 1; i < sample->count; i++) {
        uint32_t ticket = sample->tickets[i];
        uint32_t at = i;
        while (at > 0 && rank_compare_tickets(&tickets->rows[ticket],
                                              &tickets->rows[sample->tickets[at - 1U]]) < 0) {
            sample->tickets[at] = sample->tickets[at - 1U];
            at--;
        }
        sample->tickets[at] = ticket;
    }
}

bool matching_horizon(const struct matching *matching,
                      uint32_t keep_percent,
                      struct service_key *horizon)
{
    CHECK(keep_percent >= 1);
    CHECK(keep_percent <= 99);
    struct sample sample;
    uint32_t stride = slab_high_water(&matching->tickets.slab) / SAMPLE_MAX + 1U;
    sample_every(matching, stride, &sample);
    if (sample.count < SAMPLE_WANTED) {
        /* Few of the tickets wait: look at all of them. */
        sample_every(matching, 1, &sample);
    }
    if (sample.count < 2U) {
        return false;
    }
    sort_sample(&matching->tickets, &sample);
    uint32_t kept = sample.count * keep_percent / 100U;
    kept = kept < 1U ? 1U : kept;
    kept = kept > sample.count - 1U ? sample.count - 1U : kept;
    *horizon = rank_service_key(&matching->tickets.rows[sample.tickets[kept - 1U]]);
    return true;
}

uint32_t matching_evict(struct matching *matching,
                        const struct service_key *horizon,
                        uint32_t *cursor,
                        uint32_t row_count)
{
    const struct tickets *tickets = &matching->tickets;
    uint32_t removed = 0;
    for (uint32_t i = 0; i < row_count && *cursor != UINT32_MAX; i++) {
        uint32_t row = tickets_next(tickets, *cursor);
        if (row == TICKETS_NONE) {
            *cursor = UINT32_MAX;
            break;
        }
        *cursor = row + 1U;
        struct service_key key = rank_service_key(&tickets->rows[row]);
        if (tickets->rows[row].stage == STAGE_WAITING && rank_compare_keys(&key, horizon) > 0) {
            matching_ticket_remove(matching, row);
            removed++;
        }
    }
    return removed;
}
