#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "io/store_keys.h"
#include "lib/random.h"

#define LIFE_US 512000

static uint64_t find(const struct store_keys *keys, uint64_t fingerprint)
{
    struct store_keys_probe probe = {.fingerprint = fingerprint};
    uint64_t serial = 0;
    return store_keys_next(keys, &probe, &serial) ? serial : 0;
}

static void every_key_added_is_found_and_no_other(void **state)
{
    (void) state;
    enum {
        COUNT = 50000
    };
    struct store_keys *keys = store_keys_open(COUNT, LIFE_US, unit_seed());
    struct random random;
    random_init(&random, unit_seed());
    uint64_t *fingerprints = calloc(COUNT, sizeof *fingerprints);
    for (uint64_t i = 0; i < COUNT; i++) {
        fingerprints[i] = random_u64(&random);
        assert_int_equal(store_keys_add(keys, fingerprints[i], i + 1, 0), VT_OK);
    }

    for (uint64_t i = 0; i < COUNT; i++) {
        assert_int_equal(find(keys, fingerprints[i]), i + 1);
        assert_int_equal(find(keys, fingerprints[i] ^ 1U << 20), 0);
    }
    assert_int_equal(store_keys_count(keys), COUNT);
    assert_true(store_keys_bytes(keys) <= COUNT * UINT64_C(48));
    free(fingerprints);
    store_keys_close(keys);
}

static void keys_with_one_fingerprint_are_all_walked(void **state)
{
    (void) state;
    struct store_keys *keys = store_keys_open(100, LIFE_US, 1);
    for (uint64_t serial = 1; serial <= 3; serial++) {
        assert_int_equal(store_keys_add(keys, 77, serial, 0), VT_OK);
    }

    struct store_keys_probe probe = {.fingerprint = 77};
    uint64_t serial = 0;
    uint64_t sum = 0;
    while (store_keys_next(keys, &probe, &serial)) {
        sum += serial;
    }
    assert_int_equal(sum, 6);
    store_keys_close(keys);
}

static void a_removed_key_leaves_the_others_in_reach(void **state)
{
    (void) state;
    enum {
        COUNT = 4000
    };
    struct store_keys *keys = store_keys_open(COUNT, LIFE_US, 1);
    struct random random;
    random_init(&random, unit_seed());
    static uint64_t fingerprints[COUNT];
    for (uint64_t i = 0; i < COUNT; i++) {
        /* One segment and few homes: long runs of neighbours. */
        fingerprints[i] = (random_below(&random, 512) << 8) | (i << 40);
        assert_int_equal(store_keys_add(keys, fingerprints[i], i + 1, 0), VT_OK);
    }
    for (uint64_t i = 0; i < COUNT; i += 2) {
        store_keys_remove(keys, fingerprints[i], i + 1);
    }

    for (uint64_t i = 0; i < COUNT; i++) {
        assert_int_equal(find(keys, fingerprints[i]), i % 2 == 0 ? 0 : i + 1);
    }
    assert_int_equal(store_keys_count(keys), COUNT / 2);
    store_keys_close(keys);
}

static void a_full_table_refuses_until_keys_are_too_old(void **state)
{
    (void) state;
    struct store_keys *keys = store_keys_open(100, LIFE_US, 1);
    for (uint64_t i = 0; i < 100; i++) {
        assert_int_equal(store_keys_add(keys, i << 8, i + 1, (int64_t) i * 1000), VT_OK);
    }
    assert_int_equal(store_keys_add(keys, 12345, 101, 100000), VT_FULL);

    /* Key 49 was made at 49000, so at 49000 and a life the ones before it may go. */
    store_keys_expire(keys, 49000 + LIFE_US);
    assert_int_equal(store_keys_add(keys, 12345, 101, 49000 + LIFE_US), VT_OK);
    assert_int_equal(find(keys, 48 << 8), 0);
    assert_int_equal(find(keys, 49 << 8), 50);
    assert_int_equal(find(keys, 12345), 101);
    assert_int_equal(store_keys_count(keys), 52);
    store_keys_close(keys);
}

static void growing_for_many_lives_keeps_the_memory_of_one(void **state)
{
    (void) state;
    struct store_keys *keys = store_keys_open(20000, LIFE_US, 1);
    struct random random;
    random_init(&random, unit_seed());
    uint64_t last = 0;
    for (uint64_t i = 1; i <= 200000; i++) {
        int64_t now_us = (int64_t) i * 50; /* 10,240 keys a life */
        last = random_u64(&random);
        store_keys_expire(keys, now_us);
        assert_int_equal(store_keys_add(keys, last, i, now_us), VT_OK);
    }
    assert_int_equal(find(keys, last), 200000);
    assert_true(store_keys_bytes(keys) < UINT64_C(20000) * 48);
    store_keys_close(keys);
}

static void client_and_key_do_not_run_into_each_other(void **state)
{
    (void) state;
    struct store_keys *keys = store_keys_open(1, LIFE_US, unit_seed());
    uint64_t one = store_keys_fingerprint(keys, bytes_of_text("ab"), bytes_of_text("c"));
    uint64_t two = store_keys_fingerprint(keys, bytes_of_text("a"), bytes_of_text("bc"));
    assert_true(one != two);
    store_keys_close(keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_added_is_found_and_no_other),
        cmocka_unit_test(keys_with_one_fingerprint_are_all_walked),
        cmocka_unit_test(a_removed_key_leaves_the_others_in_reach),
        cmocka_unit_test(a_full_table_refuses_until_keys_are_too_old),
        cmocka_unit_test(growing_for_many_lives_keeps_the_memory_of_one),
        cmocka_unit_test(client_and_key_do_not_run_into_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
