#include "io/store_keys.h"

#include <stdlib.h>
#include <string.h>

#include "lib/check.h"
#include "lib/hash.h"

#define SEGMENT_COUNT 256U
#define SEGMENT_CAPACITY_MIN 16U
#define MARK_COUNT 516U /* those of one life, and a few for rounding */
#define MARKS_A_LIFE 512

struct entry {
    uint64_t fingerprint;
    uint64_t serial; /* 0: empty */
};

struct segment {
    struct entry *entries;
    uint32_t capacity; /* 0 or a power of two */
    uint32_t count;
};

/* Everything of a serial below this one was created before this time. */
struct mark {
    uint64_t serial;
    int64_t created_us;
};

struct store_keys {
    uint64_t seed;
    int64_t life_us;
    uint64_t keys_max;
    uint64_t count;
    uint64_t bytes;
    uint64_t serial_floor; /* below it: expired */
    uint64_t purged_floor; /* the floor at the last purge of everything */
    struct mark marks[MARK_COUNT];
    uint32_t mark_first;
    uint32_t mark_count;
    struct segment segments[SEGMENT_COUNT];
};

struct store_keys *store_keys_open(uint32_t keys_max, int64_t life_us, uint64_t seed)
{
    CHECK(keys_max > 0);
    CHECK(life_us > 0);
    struct store_keys *keys = calloc(1, sizeof *keys);
    CHECK(keys != NULL);
    keys->keys_max = keys_max;
    keys->life_us = life_us;
    keys->seed = seed;
    keys->bytes = sizeof *keys;
    return keys;
}

void store_keys_close(struct store_keys *keys)
{
    if (keys == NULL) {
        return;
    }
    for (uint32_t i = 0; i < SEGMENT_COUNT; i++) {
        free(keys->segments[i].entries);
    }
    free(keys);
}

uint64_t
store_keys_fingerprint(const struct store_keys *keys, struct bytes client, struct bytes key)
{
    /* The client's hash seeds the key's, so that no byte can move from one to the other. */
    return hash_bytes(key, hash_bytes(client, keys->seed));
}

static uint32_t home(const struct segment *segment, uint64_t fingerprint)
{
    return (uint32_t) (fingerprint >> 8) & (segment->capacity - 1U);
}

bool store_keys_next(const struct store_keys *keys,
                     struct store_keys_probe *probe,
                     uint64_t *serial)
{
    const struct segment *segment = &keys->segments[probe->fingerprint % SEGMENT_COUNT];
    if (segment->capacity == 0) {
        return false;
    }
    uint32_t mask = segment->capacity - 1U;
    uint32_t at =
        probe->is_started ? ((uint32_t) probe->at + 1U) & mask : home(segment, probe->fingerprint);
    probe->is_started = true;
    for (; segment->entries[at].serial != 0; at = (at + 1U) & mask) {
        const struct entry *entry = &segment->entries[at];
        if (entry->fingerprint == probe->fingerprint && entry->serial >= keys->serial_floor) {
            probe->at = at;
            *serial = entry->serial;
            return true;
        }
    }
    return false;
}

static void place(struct segment *segment, struct entry entry)
{
    uint32_t at = home(segment, entry.fingerprint);
    while (segment->entries[at].serial != 0) {
        at = (at + 1U) & (segment->capacity - 1U);
    }
    segment->entries[at] = entry;
    segment->count++;
}

/* Moves the live entries to a table of `capacity`; false: no memory, nothing changed. */
static bool rebuild(struct store_keys *keys, struct segment *segment, uint32_t capacity)
{
    struct segment fresh = {.capacity = capacity};
    fresh.entries = calloc(capacity, sizeof *fresh.entries);
    if (fresh.entries == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < segment->capacity; i++) {
        struct entry entry = segment->entries[i];
        if (entry.serial != 0 && entry.serial >= keys->serial_floor) {
            place(&fresh, entry);
        }
    }
    keys->count = keys->count - segment->count + fresh.count;
    keys->bytes += (uint64_t) fresh.capacity * sizeof *fresh.entries;
    keys->bytes -= (uint64_t) segment->capacity * sizeof *fresh.entries;
    free(segment->entries);
    *segment = fresh;
    return true;
}

static bool has_room(const struct segment *segment)
{
    return segment->count + 1U <= segment->capacity / 4U * 3U;
}

/* First without the expired ones, then larger. */
static bool make_room(struct store_keys *keys, struct segment *segment)
{
    if (segment->capacity == 0) {
        return rebuild(keys, segment, SEGMENT_CAPACITY_MIN);
    }
    uint32_t live = 0;
    for (uint32_t i = 0; i < segment->capacity; i++) {
        uint64_t serial = segment->entries[i].serial;
        live += serial != 0 && serial >= keys->serial_floor ? 1U : 0U;
    }
    bool is_enough = live < segment->capacity / 2U;
    return rebuild(keys, segment, is_enough ? segment->capacity : segment->capacity * 2U);
}

/* Once a floor at most, for it walks through the whole table. */
static void purge(struct store_keys *keys)
{
    if (keys->purged_floor == keys->serial_floor) {
        return;
    }
    keys->purged_floor = keys->serial_floor;
    for (uint32_t i = 0; i < SEGMENT_COUNT; i++) {
        struct segment *segment = &keys->segments[i];
        if (segment->capacity != 0 && !rebuild(keys, segment, segment->capacity)) {
            return;
        }
    }
}

static void mark(struct store_keys *keys, uint64_t serial, int64_t created_us)
{
    if (keys->mark_count > 0) {
        uint32_t last = (keys->mark_first + keys->mark_count - 1U) % MARK_COUNT;
        if (created_us - keys->marks[last].created_us < keys->life_us / MARKS_A_LIFE) {
            return;
        }
    }
    if (keys->mark_count == MARK_COUNT) {
        /* It is older than a life; the next one stands for it. */
        keys->mark_first = (keys->mark_first + 1U) % MARK_COUNT;
        keys->mark_count--;
    }
    uint32_t at = (keys->mark_first + keys->mark_count) % MARK_COUNT;
    keys->marks[at] = (struct mark){.serial = serial, .created_us = created_us};
    keys->mark_count++;
}

vt_err
store_keys_add(struct store_keys *keys, uint64_t fingerprint, uint64_t serial, int64_t created_us)
{
    CHECK(serial >= 1);
    if (keys->count >= keys->keys_max) {
        purge(keys);
    }
    if (keys->count >= keys->keys_max) {
        return VT_FULL;
    }
    struct segment *segment = &keys->segments[fingerprint % SEGMENT_COUNT];
    if (!has_room(segment) && !make_room(keys, segment)) {
        return VT_FULL;
    }
    place(segment, (struct entry){.fingerprint = fingerprint, .serial = serial});
    keys->count++;
    mark(keys, serial, created_us);
    return VT_OK;
}

/* Closes the gap at `at` by moving back what would no longer be found behind it (Knuth, The Art of
 * Computer Programming, volume 3, section 6.4, algorithm R). */
static void close_gap(struct segment *segment, uint32_t at)
{
    uint32_t mask = segment->capacity - 1U;
    uint32_t gap = at;
    for (uint32_t i = (gap + 1U) & mask; segment->entries[i].serial != 0; i = (i + 1U) & mask) {
        uint32_t wanted = home(segment, segment->entries[i].fingerprint);
        if (((i - wanted) & mask) >= ((i - gap) & mask)) {
            segment->entries[gap] = segment->entries[i];
            gap = i;
        }
    }
    segment->entries[gap] = (struct entry){0};
    segment->count--;
}

void store_keys_remove(struct store_keys *keys, uint64_t fingerprint, uint64_t serial)
{
    struct segment *segment = &keys->segments[fingerprint % SEGMENT_COUNT];
    if (segment->capacity == 0) {
        return;
    }
    uint32_t mask = segment->capacity - 1U;
    for (uint32_t at = home(segment, fingerprint); segment->entries[at].serial != 0;
         at = (at + 1U) & mask) {
        if (segment->entries[at].fingerprint == fingerprint &&
            segment->entries[at].serial == serial) {
            close_gap(segment, at);
            keys->count--;
            return;
        }
    }
}

void store_keys_expire(struct store_keys *keys, int64_t now_us)
{
    /* A mark's own key may be of its very time, those before it are not younger: the floor is the
     * newest mark that is old enough. */
    while (keys->mark_count > 0) {
        struct mark oldest = keys->marks[keys->mark_first];
        if (oldest.created_us > now_us - keys->life_us) {
            return;
        }
        keys->serial_floor = oldest.serial;
        if (keys->mark_count == 1) {
            return;
        }
        struct mark next = keys->marks[(keys->mark_first + 1U) % MARK_COUNT];
        if (next.created_us > now_us - keys->life_us) {
            return;
        }
        keys->mark_first = (keys->mark_first + 1U) % MARK_COUNT;
        keys->mark_count--;
    }
}

uint64_t store_keys_count(const struct store_keys *keys)
{
    return keys->count;
}

uint64_t store_keys_bytes(const struct store_keys *keys)
{
    return keys->bytes;
}
