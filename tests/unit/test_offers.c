#include "router/offers.h"

#include "lib/core.h"
#include "tests/unit/unit.h"

struct fixture {
    struct arena arena;
    struct offers offers;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    struct fixture *f = &fixture;
    *state = f;
    f->arena = unit_arena(1U << 16);
    offers_init(&f->offers, &f->arena, &(struct offers_options){.offers_max = 3, .sites_max = 2});
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    unit_arena_close(&f->arena);
    return 0;
}

static uint32_t add(struct fixture *f, uint32_t ticket, uint32_t site, int64_t deadline_ms)
{
    return offers_add(
        &f->offers, &(struct offers_row){.ticket = ticket, .site = site}, deadline_ms);
}

static void offers_are_numbered_and_a_number_is_never_used_again(void **state)
{
    struct fixture *f = *state;
    uint32_t first = add(f, 1, 0, 100);
    uint64_t number = offers_get(&f->offers, first)->number;
    offers_remove(&f->offers, first);

    uint32_t second = add(f, 2, 0, 100);

    assert_int_equal(first, second);
    assert_null(offers_find(&f->offers, first, number));
    assert_non_null(offers_find(&f->offers, second, number + 1));
}

static void an_offer_expires_at_its_deadline_unless_it_was_accepted(void **state)
{
    uint32_t due = OFFERS_NONE;
    struct fixture *f = *state;
    uint32_t slow = add(f, 1, 0, 200);
    uint32_t accepted = add(f, 2, 0, 100);
    offers_accept(&f->offers, accepted, (struct session){.boot = 1});

    assert_false(offers_pop_due(&f->offers, 199, &due));
    assert_true(offers_pop_due(&f->offers, 200, &due));

    assert_int_equal(due, slow);
    assert_true(offers_next_ms(&f->offers) == NO_DEADLINE);
    assert_int_equal(offers_count(&f->offers), 2);
}

static void a_sites_offers_are_walked_in_order_of_making(void **state)
{
    struct fixture *f = *state;
    uint32_t a = add(f, 1, 1, 100);
    uint32_t b = add(f, 2, 0, 100);
    uint32_t c = add(f, 3, 1, 100);

    assert_true(offers_is_full(&f->offers));
    assert_int_equal(offers_site_first(&f->offers, 1), a);
    assert_int_equal(offers_next(&f->offers, a), c);
    assert_int_equal(offers_next(&f->offers, c), OFFERS_NONE);
    offers_remove(&f->offers, a);
    assert_int_equal(offers_site_first(&f->offers, 1), c);
    assert_int_equal(offers_walk(&f->offers, 0), b);
}

static void overfill(void *argument)
{
    struct fixture *f = argument;
    for (uint32_t i = 0; i < 4; i++) {
        (void) add(f, i, 0, 100);
    }
}

static void more_offers_than_there_is_room_for_are_a_bug(void **state)
{
    struct fixture *f = *state;
    assert_true(unit_check_fails(overfill, f));
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
