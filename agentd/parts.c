#include "agentd/parts.h"

#include "lib/bits.h"
#include "lib/check.h"

void parts_init(struct parts *parts, struct arena *arena)
{
    *parts = (struct parts){
        .rows = ARENA_ARRAY(arena, struct part, PARTS_MAX),
        .asked = ARENA_ARRAY(arena, uint64_t, BITS_WORDS(PARTS_MAX)),
    };
}

static struct part *row_at(const struct parts *parts, uint32_t part)
{
    CHECK(part < PARTS_MAX);
    return &parts->rows[part];
}

enum parts_news parts_hear(struct parts *parts, const struct header *header)
{
    struct part *row = row_at(parts, header->part);
    if (header->epoch < row->epoch) {
        return PARTS_DEPOSED;
    }
    if (header->epoch > row->epoch) {
        row->epoch = header->epoch;
        row->seq = header->seq;
        return PARTS_FRESH;
    }
    if (header->seq != 0 && header->seq <= row->seq) {
        return PARTS_LATE;
    }
    row->seq = header->seq == 0 ? row->seq : header->seq;
    return PARTS_FRESH;
}

void parts_restore(struct parts *parts, uint32_t part, uint64_t epoch)
{
    struct part *row = row_at(parts, part);
    row->epoch = epoch;
    row->written = epoch;
}

bool parts_take_write(struct parts *parts, uint32_t part)
{
    struct part *row = row_at(parts, part);
    if (row->is_writing || row->written == row->epoch) {
        return false;
    }
    row->is_writing = true;
    row->written = row->epoch;
    return true;
}

void parts_written(struct parts *parts, uint32_t part)
{
    row_at(parts, part)->is_writing = false;
}

uint64_t parts_epoch(const struct parts *parts, uint32_t part)
{
    return row_at(parts, part)->epoch;
}

uint64_t parts_seq(const struct parts *parts, uint32_t part)
{
    return row_at(parts, part)->seq;
}

void parts_ask(struct parts *parts, uint32_t part)
{
    CHECK(part < PARTS_MAX);
    bits_set(parts->asked, part);
}

bool parts_has_asked(const struct parts *parts)
{
    return !bits_is_empty(parts->asked, BITS_WORDS(PARTS_MAX));
}

bool parts_pop_asked(struct parts *parts, uint32_t *part)
{
    uint32_t found = bits_next(parts->asked, BITS_WORDS(PARTS_MAX), 0);
    if (found == BITS_NONE) {
        return false;
    }
    bits_clear(parts->asked, found);
    *part = found;
    return true;
}
