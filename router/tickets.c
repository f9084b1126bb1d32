#include "router/tickets.h"

#include <stddef.h>

#include "lib/arena.h"
#include "lib/check.h"

_Static_assert(sizeof(struct ticket) == 64, "a ticket is one cache line");

static struct map_key key_of_id(struct ticket_id id)
{
    return (struct map_key){.a = id.hi, .b = id.lo};
}

static struct map_key key_of_row(const void *context, uint32_t row)
{
    const struct tickets *tickets = context;
    return key_of_id(tickets->rows[row].id);
}

/* A row is one cache line, which every comparison in the backlog's trees loads: it must not lie
 * across two. The arena aligns to less, so one row more is taken and the start moved up. */
static struct ticket *aligned_rows(struct arena *arena, uint32_t tickets_max)
{
    struct ticket *rows = ARENA_ARRAY(arena, struct ticket, (uint64_t) tickets_max + 1U);
    if (rows == NULL) {
        return NULL;
    }
    uintptr_t beyond = (uintptr_t) rows % sizeof *rows;
    return beyond == 0 ? rows
                       : (struct ticket *) (void *) ((uint8_t *) rows + (sizeof *rows - beyond));
}

void tickets_init(struct tickets *tickets, struct arena *arena, uint32_t tickets_max, uint64_t seed)
{
    *tickets = (struct tickets){0};
    tickets->rows = aligned_rows(arena, tickets_max);
    slab_init(&tickets->slab, arena, tickets_max);
    map_init(&tickets->by_id,
             arena,
             &(struct map_options){
                 .capacity = tickets_max, .seed = seed, .key_of = key_of_row, .context = tickets});
}

vt_err tickets_add(struct tickets *tickets, struct ticket_id id, uint32_t *ticket)
{
    if (map_find(&tickets->by_id, key_of_id(id), ticket)) {
        return VT_CONFLICT;
    }
    uint32_t row = 0;
    vt_err err = slab_take(&tickets->slab, &row);
    if (err != VT_OK) {
        return err;
    }
    tickets->rows[row] = (struct ticket){.id = id};
    err = map_put(&tickets->by_id, key_of_id(id), row);
    CHECK(err == VT_OK);
    tickets->stage_counts[STAGE_NONE]++;
    *ticket = row;
    return VT_OK;
}

uint32_t tickets_find(const struct tickets *tickets, struct ticket_id id)
{
    uint32_t row = 0;
    return map_find(&tickets->by_id, key_of_id(id), &row) ? row : TICKETS_NONE;
}

struct ticket *tickets_get(const struct tickets *tickets, uint32_t ticket)
{
    CHECK(slab_is_taken(&tickets->slab, ticket));
    return &tickets->rows[ticket];
}

void tickets_set_stage(struct tickets *tickets, uint32_t ticket, enum stage stage)
{
    struct ticket *row = tickets_get(tickets, ticket);
    CHECK(tickets->stage_counts[row->stage] > 0);
    tickets->stage_counts[row->stage]--;
    tickets->stage_counts[stage]++;
    row->stage = (uint8_t) stage;
}

void tickets_remove(struct tickets *tickets, uint32_t ticket)
{
    tickets_set_stage(tickets, ticket, STAGE_NONE);
    tickets->stage_counts[STAGE_NONE]--;
    bool was_in = map_remove(&tickets->by_id, key_of_id(tickets->rows[ticket].id));
    CHECK(was_in);
    slab_give(&tickets->slab, ticket);
}

uint32_t tickets_count(const struct tickets *tickets)
{
    return slab_used(&tickets->slab);
}

bool tickets_is_full(const struct tickets *tickets)
{
    return slab_used(&tickets->slab) == tickets->slab.capacity;
}

uint32_t tickets_next(const struct tickets *tickets, uint32_t from)
{
    uint32_t end = slab_high_water(&tickets->slab);
    for (uint32_t row = from; row < end; row++) {
        if (slab_is_taken(&tickets->slab, row)) {
            return row;
        }
    }
    return TICKETS_NONE;
}
