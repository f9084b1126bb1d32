#include "tests/unit/unit.h"

#include <string.h>

#include "lib/check.h"
#include "lib/id.h"

static void an_id_is_a_version_7_uuid_with_its_time_and_partition(void **state)
{
    (void) state;
    struct id_source source;
    id_source_init(&source, unit_seed());
    struct ticket_id id = id_next(&source, 1700000000123, 4095);

    assert_int_equal(id_unix_ms(id), 1700000000123);
    assert_int_equal(id_partition(id), 4095);
    assert_int_equal((id.hi >> 12) & 0xF, 7);
    assert_int_equal(id.lo >> 62, 2);
    assert_false(id_is_zero(id));
    assert_true(id_is_zero((struct ticket_id){0}));
}

static void ids_of_a_partition_ascend_whatever_the_clock_does(void **state)
{
    (void) state;
    struct random random;
    random_init(&random, unit_seed());
    struct id_source source;
    id_source_init(&source, unit_seed());
    struct ticket_id last[4] = {{0}};
    int64_t now_ms = 1700000000000;
    for (uint32_t i = 0; i < 100000; i++) {
        now_ms += random_range(&random, -3, 3);
        if (random_below(&random, 1000) == 0) {
            now_ms -= 3600000;
        }
        uint32_t partition = (uint32_t) random_below(&random, 4);
        struct ticket_id id = id_next(&source, now_ms < 0 ? 0 : now_ms, partition);
        assert_true(id_compare(last[partition], id) < 0);
        assert_int_equal(id_partition(id), partition);
        last[partition] = id;
    }
}

static void a_used_up_counter_pushes_the_time_ahead(void **state)
{
    (void) state;
    struct id_source source;
    id_source_init(&source, 1);
    struct ticket_id first = id_next(&source, 1000, 1);
    source.counter = (1U << 22) - 2U;
    struct ticket_id last_of_ms = id_next(&source, 1000, 1);
    struct ticket_id next = id_next(&source, 1000, 1);
    struct ticket_id after = id_next(&source, 1001, 1);

    assert_int_equal(id_unix_ms(last_of_ms), 1000);
    assert_int_equal(id_unix_ms(next), 1001);
    assert_true(id_compare(first, last_of_ms) < 0);
    assert_true(id_compare(last_of_ms, next) < 0);
    assert_true(id_compare(next, after) < 0);
}

static void bytes_and_text_come_back_as_the_same_id_in_the_same_order(void **state)
{
    (void) state;
    struct random random;
    random_init(&random, unit_seed());
    struct ticket_id before = {0};
    for (uint32_t i = 0; i < 1000; i++) {
        struct ticket_id id = {random_u64(&random), random_u64(&random)};
        uint8_t bytes[2][ID_BYTES];
        char text[2][ID_TEXT_SIZE];
        struct ticket_id parsed;
        id_to_bytes(before, bytes[0]);
        id_to_bytes(id, bytes[1]);
        id_to_text(before, text[0]);
        id_to_text(id, text[1]);

        assert_true(id_equal(id_from_bytes(bytes[1]), id));
        assert_int_equal(id_from_text(bytes_of_text(text[1]), &parsed), VT_OK);
        assert_true(id_equal(parsed, id));
        assert_int_equal(memcmp(bytes[0], bytes[1], ID_BYTES) < 0, id_compare(before, id) < 0);
        assert_int_equal(strcmp(text[0], text[1]) < 0, id_compare(before, id) < 0);
        before = id;
    }
}

static void only_the_canonical_form_is_read(void **state)
{
    (void) state;
    struct ticket_id id = {1, 2};
    static const char *const bad[] = {
        "",
        "018bcfe5-687b-7fff-8000-00000000000",
        "018bcfe5-687b-7fff-8000-0000000000000",
        "018bcfe5x687b-7fff-8000-000000000000",
        "018bcfe5-687b-7fff-8000-00000000000g",
        "018bcfe5-687b-7fff-8000-00000000000\xC3",
        "{18bcfe5-687b-7fff-8000-000000000000",
        "018bcfe5-687b7-fff-8000-000000000000",
    };
    for (uint32_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        assert_int_equal(id_from_text(bytes_of_text(bad[i]), &id), VT_INVALID);
    }
    assert_int_equal(id.hi, 1);
    assert_int_equal(id_from_text(bytes_of_text("018BCFE5-687b-7fFF-8000-0123456789aB"), &id),
                     VT_OK);
    assert_true(id.hi == UINT64_C(0x018bcfe5687b7fff));
    assert_true(id.lo == UINT64_C(0x80000123456789ab));
}

static void a_short_form_is_read_back_however_it_is_typed(void **state)
{
    (void) state;
    struct ticket_id id = {0, UINT64_C(0x8000000000000000) | (1U << 5) | 0};
    char text[ID_SHORT_SIZE];
    id_to_short(id, text);
    uint32_t bits = 0;

    assert_int_equal(strlen(text), 8);
    assert_int_equal(text[4], '-');
    assert_memory_equal(text, "0000-10", 7);
    char typed[] = "oOo0l o ";
    typed[7] = text[7];
    assert_int_equal(id_short_parse(bytes_of_text(typed), &bits), VT_OK);
    assert_true(id_short_matches(id, bits));
    assert_false(id_short_matches((struct ticket_id){0}, bits));
    assert_int_equal(id_short_parse(bytes_of_text("0000-10"), &bits), VT_INVALID);
    assert_int_equal(id_short_parse(bytes_of_text("0000-1000"), &bits), VT_INVALID);
    assert_int_equal(id_short_parse(bytes_of_text("U000-100"), &bits), VT_INVALID);
    assert_int_equal(id_short_parse(bytes_of_text(""), &bits), VT_INVALID);
}

static void one_wrong_or_two_swapped_characters_are_always_found(void **state)
{
    (void) state;
    static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    struct random random;
    random_init(&random, unit_seed());
    for (uint32_t round = 0; round < 200; round++) {
        char text[ID_SHORT_SIZE];
        uint32_t bits = 0;
        id_to_short((struct ticket_id){0, random_u64(&random)}, text);
        assert_int_equal(id_short_parse(bytes_of_text(text), &bits), VT_OK);
        memmove(text + 4, text + 5, 4); /* without the hyphen */
        for (uint32_t place = 0; place < 7; place++) {
            char right = text[place];
            for (uint32_t i = 0; i < 32; i++) {
                text[place] = alphabet[i];
                assert_int_equal(id_short_parse(bytes_of_text(text), &bits),
                                 alphabet[i] == right ? VT_OK : VT_INVALID);
            }
            text[place] = right;
            if (place < 6 && text[place] != text[place + 1]) {
                text[place] = text[place + 1];
                text[place + 1] = right;
                assert_int_equal(id_short_parse(bytes_of_text(text), &bits), VT_INVALID);
                text[place + 1] = text[place];
                text[place] = right;
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_is_a_version_7_uuid_with_its_time_and_partition),
        cmocka_unit_test(ids_of_a_partition_ascend_whatever_the_clock_does),
        cmocka_unit_test(a_used_up_counter_pushes_the_time_ahead),
        cmocka_unit_test(bytes_and_text_come_back_as_the_same_id_in_the_same_order),
        cmocka_unit_test(only_the_canonical_form_is_read),
        cmocka_unit_test(a_short_form_is_read_back_however_it_is_typed),
        cmocka_unit_test(one_wrong_or_two_swapped_characters_are_always_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
