#include "broker/loads.h"

void loads_ask_ticket(const struct turn *turn, struct loads_name name, struct ticket_id ticket)
{
    struct effect *effect = effects_add(turn->out, EFFECT_LOAD);
    effect->load.token =
        ((uint64_t) name.use << 56) | ((uint64_t) loads_serial(name.serial) << 32) | name.row;
    effect->load.request.kind = LOAD_TICKET;
    effect->load.request.part = id_partition(ticket);
    effect->load.request.rows_max = LOAD_ROWS_MAX;
    effect->load.request.ticket = ticket;
    effect->load.request.from_start = true;
}

struct loads_name loads_name_of(uint64_t token)
{
    return (struct loads_name){.use = (enum loads_use)(token >> 56),
                               .row = (uint32_t) token,
                               .serial = loads_serial((uint32_t) (token >> 32))};
}
