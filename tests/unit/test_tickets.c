#include "tests/unit/unit.h"

#include "router/tickets.h"

#define TICKETS_MAX 3u

static struct ticket_id id_of(uint64_t number)
{
    return (struct ticket_id){.hi = number, .lo = ~number};
}

static int open_tickets(void **state)
{
    static struct tickets tickets;
    static struct arena arena;
    unit_arena_close(&arena);
    arena = unit_arena(1u << 16);
    tickets_init(&tickets, &arena, TICKETS_MAX, 9);
    *state = &tickets;
    return 0;
}

static uint32_t add(struct tickets *tickets, uint64_t number)
{
    uint32_t ticket = TICKETS_NONE;
    assert_int_equal(tickets_add(tickets, id_of(number), &ticket), VT_OK);
    return ticket;
}

static void a_ticket_is_found_by_its_id_until_it_is_removed(void **state)
{
    struct tickets *tickets = *state;
    uint32_t ticket = add(tickets, 7);

    assert_int_equal(tickets_find(tickets, id_of(7)), ticket);
    assert_int_equal(tickets_find(tickets, id_of(8)), TICKETS_NONE);
    assert_true(id_equal(tickets_get(tickets, ticket)->id, id_of(7)));

    tickets_remove(tickets, ticket);
    assert_int_equal(tickets_find(tickets, id_of(7)), TICKETS_NONE);
    assert_int_equal(tickets_count(tickets), 0);
}

static void a_second_ticket_with_the_same_id_is_a_conflict_and_says_where_the_first_is(void **state)
{
    struct tickets *tickets = *state;
    uint32_t first = add(tickets, 7);

    uint32_t second = TICKETS_NONE;
    assert_int_equal(tickets_add(tickets, id_of(7), &second), VT_CONFLICT);
    assert_int_equal(second, first);
    assert_int_equal(tickets_count(tickets), 1);
}

static void a_full_table_says_so_and_takes_again_after_a_removal(void **state)
{
    struct tickets *tickets = *state;
    for (uint32_t i = 0; i < TICKETS_MAX; i++) {
        assert_false(tickets_is_full(tickets));
        add(tickets, i);
    }

    uint32_t ticket = 77;
    assert_true(tickets_is_full(tickets));
    assert_int_equal(tickets_add(tickets, id_of(50), &ticket), VT_FULL);
    assert_int_equal(ticket, 77);

    tickets_remove(tickets, tickets_find(tickets, id_of(1)));
    add(tickets, 50);
}

static void a_reused_row_begins_empty(void **state)
{
    struct tickets *tickets = *state;
    uint32_t ticket = add(tickets, 1);
    tickets_get(tickets, ticket)->flags = TICKETS_CANCEL_ASKED;
    tickets_set_stage(tickets, ticket, STAGE_PARKED);
    tickets_remove(tickets, ticket);

    uint32_t again = add(tickets, 2);
    assert_int_equal(again, ticket);
    assert_int_equal(tickets_get(tickets, again)->flags, 0);
    assert_int_equal(tickets_get(tickets, again)->stage, STAGE_NONE);
}

static void stages_are_counted(void **state)
{
    struct tickets *tickets = *state;
    uint32_t first = add(tickets, 1);
    uint32_t second = add(tickets, 2);
    tickets_set_stage(tickets, first, STAGE_PARKED);
    tickets_set_stage(tickets, second, STAGE_PARKED);
    assert_int_equal(tickets->stage_counts[STAGE_PARKED], 2);

    tickets_set_stage(tickets, first, STAGE_MOVING);
    tickets_remove(tickets, second);
    assert_int_equal(tickets->stage_counts[STAGE_PARKED], 0);
    assert_int_equal(tickets->stage_counts[STAGE_MOVING], 1);
    assert_int_equal(tickets->stage_counts[STAGE_NONE], 0);
}

static void a_walk_sees_every_ticket_in_row_order(void **state)
{
    struct tickets *tickets = *state;
    for (uint32_t i = 0; i < TICKETS_MAX; i++) {
        add(tickets, i);
    }
    tickets_remove(tickets, 1);

    assert_int_equal(tickets_next(tickets, 0), 0);
    assert_int_equal(tickets_next(tickets, 1), 2);
    assert_int_equal(tickets_next(tickets, 3), TICKETS_NONE);
}

static void get_a_row_that_is_not_in(void *argument)
{
    (void) tickets_get(argument, 1);
}

static void a_row_that_is_not_in_is_a_bug(void **state)
{
    assert_true(unit_check_fails(get_a_row_that_is_not_in, *state));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_ticket_is_found_by_its_id_until_it_is_removed, open_tickets),
        cmocka_unit_test_setup(
            a_second_ticket_with_the_same_id_is_a_conflict_and_says_where_the_first_is,
            open_tickets),
        cmocka_unit_test_setup(a_full_table_says_so_and_takes_again_after_a_removal, open_tickets),
        cmocka_unit_test_setup(a_reused_row_begins_empty, open_tickets),
        cmocka_unit_test_setup(stages_are_counted, open_tickets),
        cmocka_unit_test_setup(a_walk_sees_every_ticket_in_row_order, open_tickets),
        cmocka_unit_test_setup(a_row_that_is_not_in_is_a_bug, open_tickets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
