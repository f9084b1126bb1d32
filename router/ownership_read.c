/* What others ask of ownership.h's table. */
#include "router/ownership.h"

enum ownership_state ownership_state(const struct ownership *ownership, uint32_t part)
{
    return part < ownership->options.parts_max ? ownership->parts[part].state : OWNERSHIP_NONE;
}

uint64_t ownership_epoch(const struct ownership *ownership, uint32_t part)
{
    return part < ownership->options.parts_max ? ownership->parts[part].epoch : 0;
}

uint64_t ownership_known_epoch(const struct ownership *ownership, uint32_t part)
{
    return part < ownership->options.parts_max ? ownership->parts[part].known_epoch : 0;
}

bool ownership_is_served(const struct ownership *ownership, uint32_t part)
{
    enum ownership_state state = ownership_state(ownership, part);
    return state == OWNERSHIP_LOAD || state == OWNERSHIP_ACTIVE || state == OWNERSHIP_LEAVING;
}

bool ownership_is_empty(const struct ownership *ownership)
{
    for (uint32_t part = 0; part < ownership->options.parts_max; part++) {
        const struct ownership_part *row = &ownership->parts[part];
        if (row->state != OWNERSHIP_NONE || row->is_claim_out || row->is_store_claim_out ||
            row->is_key_mine) {
            return false;
        }
    }
    return true;
}

bool ownership_is_settled(const struct ownership *ownership)
{
    for (uint32_t part = 0; part < ownership->options.parts_max; part++) {
        const struct ownership_part *row = &ownership->parts[part];
        if (row->is_planned && row->is_wanted && row->state != OWNERSHIP_ACTIVE) {
            return false;
        }
    }
    return true;
}
