#include "tests/unit/unit.h"

#include "lib/hash.h"
#include "lib/random.h"

/* Counts over 2^14 trials how often each output bit flips when one input bit does. */
static void assert_avalanche(uint64_t (*hash)(uint64_t number, uint64_t seed))
{
    enum {
        TRIALS = 4096
    };
    struct random random;
    random_init(&random, unit_seed());
    for (uint32_t bit = 0; bit < 64; bit++) {
        uint32_t flips[64] = {0};
        for (uint32_t i = 0; i < TRIALS; i++) {
            uint64_t number = random_u64(&random);
            uint64_t change = hash(number, 1) ^ hash(number ^ (UINT64_C(1) << bit), 1);
            for (uint32_t j = 0; j < 64; j++) {
                flips[j] += (uint32_t) (change >> j) & 1U;
            }
        }
        for (uint32_t j = 0; j < 64; j++) {
            /* six standard deviations around the half */
            assert_in_range(flips[j], TRIALS / 2 - 192, TRIALS / 2 + 192);
        }
    }
}

static uint64_t hash_eight_bytes(uint64_t number, uint64_t seed)
{
    return hash_bytes(bytes_of(&number, sizeof number), seed);
}

static uint64_t hash_second(uint64_t number, uint64_t seed)
{
    return hash_pair(7, number, seed);
}

static uint64_t hash_first(uint64_t number, uint64_t seed)
{
    return hash_pair(number, 7, seed);
}

static void one_changed_bit_flips_each_bit_of_the_hash_half_the_time(void **state)
{
    (void) state;
    assert_avalanche(hash_u64);
    assert_avalanche(hash_eight_bytes);
    assert_avalanche(hash_first);
    assert_avalanche(hash_second);
}

static void the_seed_and_the_length_matter(void **state)
{
    (void) state;
    static const uint8_t zeros[80];
    for (uint32_t size = 0; size < 79; size++) {
        uint64_t hash = hash_bytes(bytes_of(zeros, size), 1);
        assert_true(hash != hash_bytes(bytes_of(zeros, size + 1), 1));
        assert_true(hash != hash_bytes(bytes_of(zeros, size), 2));
        assert_true(hash == hash_bytes(bytes_of(zeros, size), 1));
    }
    assert_true(hash_u64(5, 1) != hash_u64(5, 2));
    assert_true(hash_pair(1, 2, 3) != hash_pair(2, 1, 3));
}

/* Known answers: the golden traces and the choice of owners depend on them on every machine. */
static void hashes_are_the_same_on_every_machine(void **state)
{
    (void) state;
    assert_true(hash_bytes(bytes_of_text("ventanilla"), 42) == UINT64_C(0xcf8106a0ed3073ee));
    assert_true(hash_u64(42, 42) == UINT64_C(0x608b0eeb4397212e));
    assert_true(hash_pair(1, 2, 3) == UINT64_C(0x5d743c607c655a25));
    assert_true(hash_rendezvous(1, 2) == UINT64_C(0x7806f21fd386c60b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_changed_bit_flips_each_bit_of_the_hash_half_the_time),
        cmocka_unit_test(the_seed_and_the_length_matter),
        cmocka_unit_test(hashes_are_the_same_on_every_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
