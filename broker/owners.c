#include "broker/owners.h"

#include "lib/bits.h"
#include "lib/check.h"

struct router {
    uint64_t peer;
    int64_t heard_ms;
    uint32_t list; /* number of the OWNS list being read */
};

struct part {
    uint64_t epoch;
    uint32_t row_plus_1; /* 0: no connection known */
    uint32_t list;       /* of its router, in which it was named last */
};

struct owners {
    struct router routers[OWNERS_ROUTERS_MAX];
    uint64_t taken; /* bit per row */
    struct part *parts;
    uint32_t parts_max;
    uint32_t parts_used; /* none at or above was ever heard of */
    uint32_t routers_max;
};

static void init(struct owners *owners, struct arena *arena, const struct owners_options *options)
{
    CHECK(options->routers_max >= 1);
    CHECK(options->routers_max <= OWNERS_ROUTERS_MAX);
    owners->routers_max = options->routers_max;
    owners->parts_max = options->parts_max;
    owners->parts = ARENA_ARRAY(arena, struct part, options->parts_max);
}

struct owners *owners_open(struct arena *arena, const struct owners_options *options)
{
    struct owners scratch = {0};
    struct owners *owners = ARENA_NEW(arena, struct owners);
    init(owners == NULL ? &scratch : owners, arena, options);
    return owners;
}

uint32_t owners_find_row(const struct owners *owners, uint64_t peer)
{
    for (uint64_t left = owners->taken; left != 0; left &= left - 1U) {
        uint32_t row = bits_lowest(left);
        if (owners->routers[row].peer == peer) {
            return row;
        }
    }
    return OWNERS_NONE;
}

uint32_t owners_hear(struct owners *owners, const struct turn *turn, uint64_t peer, bool *is_new)
{
    *is_new = false;
    uint32_t row = owners_find_row(owners, peer);
    if (row == OWNERS_NONE) {
        if (owners->taken == UINT64_MAX) {
            return OWNERS_NONE;
        }
        row = bits_lowest(~owners->taken);
        if (row >= owners->routers_max) {
            return OWNERS_NONE;
        }
        owners->taken |= UINT64_C(1) << row;
        owners->routers[row] = (struct router){.peer = peer};
        *is_new = true;
    }
    owners->routers[row].heard_ms = turn->now_ms;
    return row;
}

enum owners_news owners_learn(struct owners *owners, uint32_t part, uint64_t epoch, uint32_t row)
{
    if (part >= owners->parts_max || epoch == 0) {
        return OWNERS_OLD;
    }
    struct part *known = &owners->parts[part];
    if (epoch < known->epoch) {
        return OWNERS_OLD;
    }
    if (part >= owners->parts_used) {
        owners->parts_used = part + 1U;
    }
    enum owners_news news = OWNERS_OLD;
    if (epoch > known->epoch) {
        news = OWNERS_NEW_EPOCH;
    } else if (known->row_plus_1 != row + 1U) {
        news = OWNERS_NEW_LINK;
    }
    known->epoch = epoch;
    known->row_plus_1 = row + 1U;
    known->list = owners->routers[row].list;
    return news;
}

void owners_list_begin(struct owners *owners, uint32_t row)
{
    owners->routers[row].list++;
}

void owners_list_end(struct owners *owners, uint32_t row)
{
    for (uint32_t i = 0; i < owners->parts_used; i++) {
        struct part *part = &owners->parts[i];
        if (part->row_plus_1 == row + 1U && part->list != owners->routers[row].list) {
            part->row_plus_1 = 0;
        }
    }
}

void owners_deny(struct owners *owners, uint32_t part, uint64_t epoch, uint32_t row)
{
    if (part >= owners->parts_max) {
        return;
    }
    struct part *known = &owners->parts[part];
    if (epoch > known->epoch) {
        known->epoch = epoch;
        known->row_plus_1 = 0;
    } else if (known->row_plus_1 == row + 1U) {
        known->row_plus_1 = 0;
    }
}

uint32_t owners_find_silent(const struct owners *owners, int64_t now_ms)
{
    for (uint64_t left = owners->taken; left != 0; left &= left - 1U) {
        uint32_t row = bits_lowest(left);
        if (owners->routers[row].heard_ms + OWNERS_SILENCE_MS <= now_ms) {
            return row;
        }
    }
    return OWNERS_NONE;
}

void owners_drop(struct owners *owners, uint32_t row)
{
    CHECK(row < OWNERS_ROUTERS_MAX);
    for (uint32_t i = 0; i < owners->parts_used; i++) {
        if (owners->parts[i].row_plus_1 == row + 1U) {
            owners->parts[i].row_plus_1 = 0;
        }
    }
    owners->taken &= ~(UINT64_C(1) << row);
}

bool owners_find(const struct owners *owners, uint32_t part, struct address *to)
{
    if (part >= owners->parts_max || owners->parts[part].row_plus_1 == 0) {
        return false;
    }
    *to = owners_address(owners, owners->parts[part].row_plus_1 - 1U);
    return true;
}

uint64_t owners_epoch(const struct owners *owners, uint32_t part)
{
    return part < owners->parts_max ? owners->parts[part].epoch : 0;
}

uint64_t owners_routers(const struct owners *owners)
{
    return owners->taken;
}

uint64_t owners_owning(const struct owners *owners)
{
    uint64_t owning = 0;
    for (uint32_t i = 0; i < owners->parts_used; i++) {
        if (owners->parts[i].row_plus_1 != 0) {
            owning |= UINT64_C(1) << (owners->parts[i].row_plus_1 - 1U);
        }
    }
    return owning;
}

struct address owners_address(const struct owners *owners, uint32_t row)
{
    CHECK(row < OWNERS_ROUTERS_MAX);
    return (struct address){.link = LINK_ROUTERS, .peer = owners->routers[row].peer};
}

uint32_t owners_parts_max(const struct owners *owners)
{
    return owners->parts_max;
}

int64_t owners_deadline_ms(const struct owners *owners)
{
    int64_t deadline_ms = NO_DEADLINE;
    for (uint64_t left = owners->taken; left != 0; left &= left - 1U) {
        int64_t heard_ms = owners->routers[bits_lowest(left)].heard_ms;
        deadline_ms = turn_earlier(deadline_ms, heard_ms + OWNERS_SILENCE_MS);
    }
    return deadline_ms;
}
