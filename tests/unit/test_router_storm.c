#include "tests/unit/storm.h"

/* Whatever happened, once it is calm every ticket is closed, none twice, with small tables. */

#define STORMS 20U

static void trouble(struct storm *storm)
{
    uint32_t site = storm_below(storm, STORM_SITES);
    switch (storm_below(storm, 12)) {
    case 0:
        storm_site_restart(storm, site);
        break;
    case 1: {
        struct site_up down = {.name = bytes_of_text("site")};
        storm_receive(storm, storm_site_header(storm, site, MESSAGE_SITE_DOWN, 0), &down, 1);
        storm->sites[site].is_up = storm_chance(storm, 50);
        break;
    }
    case 2:
        storm_depose(storm);
        break;
    case 3:
        storm_end_lease(storm);
        break;
    default:
        storm_disturb(storm);
        break;
    }
}

static void turn(struct storm *storm)
{
    for (uint32_t site = 0; site < STORM_SITES; site++) {
        storm_site_works(storm, site);
        storm_site_beats(storm, site);
    }
    storm_forward(storm);
    storm_drain(storm);
    steps_wait(&storm->steps, storm_below(storm, 900));
    storm_keep(storm);
    storm_drain(storm);
    arena_reset(&storm->arena);
}

static uint32_t open_tickets(const struct storm *storm)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < storm->submitted; i++) {
        enum ticket_state state = store_memory_ticket_at(storm->store, i)->row.state;
        count +=
            state == TICKET_QUEUED || state == TICKET_ASSIGNED || state == TICKET_PARKED ? 1U : 0U;
    }
    return count;
}

static void wake_parked(struct storm *storm)
{
    for (uint32_t i = 0; i < storm->submitted; i++) {
        const struct store_memory_ticket *ticket = store_memory_ticket_at(storm->store, i);
        if (ticket->row.state == TICKET_PARKED) {
            storm_message(storm, &ticket->row);
        }
    }
}

/* Below `busy` tickets come a turn: with 9, far more wait than memory holds. */
static void weather(uint64_t seed, uint32_t busy)
{
    static struct storm storm;
    struct ticket_id at = {0};
    storm_open(&storm, seed);
    storm.lost_percent = 6;
    for (uint32_t i = 0; i < 400; i++) {
        for (uint32_t n = storm_below(&storm, busy); n > 0; n--) {
            storm_submit(&storm);
        }
        if (storm_chance(&storm, 30)) {
            trouble(&storm);
        }
        turn(&storm);
    }

    storm.lost_percent = 0;
    for (uint32_t site = 0; site < STORM_SITES; site++) {
        storm_site_restart(&storm, site);
    }
    uint32_t turns = 0;
    while (open_tickets(&storm) > 0 && turns < 1500) {
        wake_parked(&storm);
        turn(&storm);
        turns++;
    }

    const char *fault = store_memory_fault_found(storm.store, &at);
    if (fault != NULL || open_tickets(&storm) > 0) {
        print_error("seed %llu: %s, ticket %llu, %u of %u open\n",
                    (unsigned long long) seed,
                    fault == NULL ? "no fault" : fault,
                    (unsigned long long) at.lo,
                    open_tickets(&storm),
                    storm.submitted);
    }
    assert_null(fault);
    assert_int_equal(open_tickets(&storm), 0);
    storm_close(&storm);
}

static void after_any_storm_every_ticket_is_closed_once(void **state)
{
    (void) state;
    uint64_t seed = unit_seed();
    for (uint32_t i = 0; i < STORMS; i++) {
        weather(seed + i, i % 2U == 0 ? 3 : 9);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_any_storm_every_ticket_is_closed_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
