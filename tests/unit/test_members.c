#include "tests/unit/unit.h"

#include "lib/hash.h"
#include "lib/members.h"

enum {
    PARTS = 4096
};

static void name_all(struct member *members, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        members[i] = (struct member){.node = i, .weight = 1, .active = 1};
        members[i].name_hash = hash_bytes(bytes_of(&"abcdefgh"[i], 1), MEMBERS_NAME_SEED);
    }
}

static void shares_follow_the_weights(void **state)
{
    (void) state;
    struct member members[4];
    name_all(members, 4);
    static const uint32_t weights[] = {1, 2, 5, 8};
    uint32_t owned[4] = {0};
    for (uint32_t i = 0; i < 4; i++) {
        members[i].weight = weights[i];
    }
    for (uint32_t part = 0; part < PARTS * 4; part++) {
        owned[members_owner(members, 4, part)]++;
    }
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t expected = PARTS * 4 / 16 * weights[i];
        /* five standard deviations */
        assert_in_range(owned[i], expected - 320, expected + 320);
    }
}

static void a_member_that_leaves_moves_only_its_own_partitions(void **state)
{
    (void) state;
    struct member members[5];
    name_all(members, 5);
    members[3].weight = 3;
    for (uint32_t part = 0; part < PARTS; part++) {
        members[2].active = 1;
        uint32_t before = members_owner(members, 5, part);
        members[2].active = 0;
        uint32_t after = members_owner(members, 5, part);
        assert_int_not_equal(after, 2);
        assert_true(before == after || before == 2);
    }
}

static void a_member_that_gains_weight_only_gains_partitions(void **state)
{
    (void) state;
    struct member members[5];
    name_all(members, 5);
    for (uint32_t part = 0; part < PARTS; part++) {
        members[1].weight = 2;
        uint32_t before = members_owner(members, 5, part);
        members[1].weight = 3;
        uint32_t after = members_owner(members, 5, part);
        assert_true(before == after || after == 1);
    }
}

static void the_order_of_the_members_does_not_matter(void **state)
{
    (void) state;
    struct member members[5];
    struct member reversed[5];
    name_all(members, 5);
    for (uint32_t i = 0; i < 5; i++) {
        reversed[4 - i] = members[i];
    }
    for (uint32_t part = 0; part < PARTS; part++) {
        assert_int_equal(members[members_owner(members, 5, part)].node,
                         reversed[members_owner(reversed, 5, part)].node);
    }
}

static void nobody_owns_when_nobody_is_active_or_has_weight(void **state)
{
    (void) state;
    struct member members[2];
    name_all(members, 2);
    members[0].active = 0;
    members[1].weight = 0;
    assert_int_equal(members_owner(members, 2, 7), MEMBERS_NONE);
    assert_int_equal(members_owner(NULL, 0, 7), MEMBERS_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_follow_the_weights),
        cmocka_unit_test(a_member_that_leaves_moves_only_its_own_partitions),
        cmocka_unit_test(a_member_that_gains_weight_only_gains_partitions),
        cmocka_unit_test(the_order_of_the_members_does_not_matter),
        cmocka_unit_test(nobody_owns_when_nobody_is_active_or_has_weight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
