#include "router/offers.h"

#include "lib/core.h"
#include "tests/unit/unit.h"

static struct arena arena;
static struct offers offers;

static int set_up(void **state)
{
    (void) state;
    arena = unit_arena(1U << 16);
    offers_init(&offers, &arena, &(struct offers_options){.offers_max = 3, .sites_max = 2});
    return 0;
}

static int tear_down(void **state)
{
    (void) state;
    unit_arena_close(&arena);
    return 0;
}

static uint32_t add(uint32_t ticket, uint32_t site, int64_t deadline_ms)
{
    return offers_add(&offers, &(struct offers_row){.ticket = ticket, .site = site}, deadline_ms);
}

static void offers_are_numbered_and_a_number_is_never_used_again(void **state)
{
    (void) state;
    uint32_t first = add(1, 0, 100);
    uint64_t number = offers_get(&offers, first)->number;
    offers_remove(&offers, first);

    uint32_t second = add(2, 0, 100);

    assert_int_equal(first, second);
    assert_null(offers_find(&offers, first, number));
    assert_non_null(offers_find(&offers, second, number + 1));
}

static void an_offer_expires_at_its_deadline_unless_it_was_accepted(void **state)
{
    uint32_t due = OFFERS_NONE;
    (void) state;
    uint32_t slow = add(1, 0, 200);
    uint32_t accepted = add(2, 0, 100);
    offers_accept(&offers, accepted, (struct session){.boot = 1});

    assert_false(offers_pop_due(&offers, 199, &due));
    assert_true(offers_pop_due(&offers, 200, &due));

    assert_int_equal(due, slow);
    assert_true(offers_next_ms(&offers) == NO_DEADLINE);
    assert_int_equal(offers_count(&offers), 2);
}

static void a_sites_offers_are_walked_in_order_of_making(void **state)
{
    (void) state;
    uint32_t a = add(1, 1, 100);
    uint32_t b = add(2, 0, 100);
    uint32_t c = add(3, 1, 100);

    assert_true(offers_is_full(&offers));
    assert_int_equal(offers_site_first(&offers, 1), a);
    assert_int_equal(offers_next(&offers, a), c);
    assert_int_equal(offers_next(&offers, c), OFFERS_NONE);
    offers_remove(&offers, a);
    assert_int_equal(offers_site_first(&offers, 1), c);
    assert_int_equal(offers_walk(&offers, 0), b);
}

static void overfill(void *argument)
{
    (void) argument;
    for (uint32_t i = 0; i < 4; i++) {
        (void) add(i, 0, 100);
    }
}

static void more_offers_than_there_is_room_for_are_a_bug(void **state)
{
    (void) state;
    assert_true(unit_check_fails(overfill, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            offers_are_numbered_and_a_number_is_never_used_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            an_offer_expires_at_its_deadline_unless_it_was_accepted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_sites_offers_are_walked_in_order_of_making, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            more_offers_than_there_is_room_for_are_a_bug, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
