#include <string.h>

#include "agentd/work.h"
#include "tests/unit/unit.h"

struct table {
    struct arena arena;
    struct work work;
};

static struct work *open_table(struct table *table, uint32_t capacity)
{
    table->arena = unit_arena(8 << 20);
    work_init(&table->work, &table->arena, capacity, unit_seed());
    return &table->work;
}

static struct ticket_id ticket(uint64_t n)
{
    return (struct ticket_id){.hi = 1, .lo = n};
}

static void a_ticket_has_one_row(void **state)
{
    (void) state;
    struct table table;
    struct work *work = open_table(&table, 4);
    uint32_t row = WORK_NONE;
    uint32_t other = WORK_NONE;

    assert_int_equal(work_add(work, ticket(1), WORK_ASKED, &row), VT_OK);

    assert_int_equal(work_add(work, ticket(1), WORK_ASKED, &other), VT_CONFLICT);
    assert_int_equal(work_find(work, ticket(1)), row);
    assert_int_equal(work_find(work, ticket(2)), WORK_NONE);
    unit_arena_close(&table.arena);
}

static void a_full_table_refuses_and_serves_again_after_a_removal(void **state)
{
    (void) state;
    struct table table;
    struct work *work = open_table(&table, 2);
    uint32_t row = WORK_NONE;
    assert_int_equal(work_add(work, ticket(1), WORK_ACCEPTED, &row), VT_OK);
    assert_int_equal(work_add(work, ticket(2), WORK_ACCEPTED, &row), VT_OK);

    assert_int_equal(work_add(work, ticket(3), WORK_ACCEPTED, &row), VT_FULL);

    work_remove(work, row);
    assert_int_equal(work_add(work, ticket(3), WORK_ACCEPTED, &row), VT_OK);
    assert_int_equal(work_count(work, WORK_ACCEPTED), 2);
    unit_arena_close(&table.arena);
}

static void a_dropping_row_makes_way_for_its_ticket(void **state)
{
    (void) state;
    struct table table;
    struct work *work = open_table(&table, 4);
    uint32_t row = WORK_NONE;
    uint32_t next = WORK_NONE;
    assert_int_equal(work_add(work, ticket(1), WORK_ENDED, &row), VT_OK);

    work_set_state(work, row, WORK_DROPPING);

    assert_int_equal(work_find(work, ticket(1)), WORK_NONE);
    assert_int_equal(work_add(work, ticket(1), WORK_ACCEPTED, &next), VT_OK);
    work_remove(work, row);
    assert_int_equal(work_find(work, ticket(1)), next);
    unit_arena_close(&table.arena);
}

static void held_is_everything_from_accepted_on(void **state)
{
    (void) state;
    static const int wanted[WORK_STATE_COUNT] = {
        [WORK_ASKED] = -1,
        [WORK_ACCEPTED] = HELD_ACCEPTED,
        [WORK_JOURNALLING] = HELD_WORKING,
        [WORK_AWAITING] = HELD_ACCEPTED,
        [WORK_WORKING] = HELD_WORKING,
        [WORK_ENDING] = HELD_WORKING,
        [WORK_ENDED] = HELD_ENDED,
        [WORK_DROPPING] = -1,
    };
    for (uint32_t i = 0; i < WORK_STATE_COUNT; i++) {
        struct work_row row = {.state = (enum work_state) i, .attempt = 3, .agent_id = 8};
        struct held held = {0};
        bool is_held = work_is_held(&row, &held);

        assert_int_equal(is_held, wanted[i] >= 0);
        if (is_held) {
            assert_int_equal(held.state, wanted[i]);
            assert_int_equal(held.agent, 8);
            assert_int_equal(held.attempt, 3);
        }
    }
}

static void a_kept_confirm_does_not_need_the_message_it_came_in(void **state)
{
    (void) state;
    struct table table;
    struct work *work = open_table(&table, 4);
    uint32_t row = WORK_NONE;
    char body[] = "a hole";
    assert_int_equal(work_add(work, ticket(1), WORK_ACCEPTED, &row), VT_OK);

    struct confirm confirm = {.msgs = 2, .body = bytes_of_text(body)};
    assert_true(work_keep_confirm(work, row, &confirm));
    memset(body, 'x', sizeof body - 1);

    assert_true(bytes_equal_text(work_get(work, row)->confirm.body, "a hole"));
    assert_int_equal(work_get(work, row)->seen, 2);
    unit_arena_close(&table.arena);
}

static void a_note_is_cut_between_characters_when_the_answer_leaves_no_room(void **state)
{
    (void) state;
    static uint8_t text[BODY_BYTES_MAX - 3];
    struct table table;
    struct work *work = open_table(&table, 4);
    uint32_t row = WORK_NONE;
    memset(text, 't', sizeof text);
    assert_int_equal(work_add(work, ticket(1), WORK_WORKING, &row), VT_OK);

    struct outcome outcome = {.ticket = ticket(1),
                              .text = bytes_of(text, sizeof text),
                              .note = bytes_of_text("a\xc3\xb1\xc3\xb1")};
    work_keep_outcome(work, row, &outcome);

    const struct work_row *kept = work_get(work, row);
    assert_int_equal(kept->outcome.text.size, sizeof text);
    assert_true(bytes_equal_text(kept->outcome.note, "a\xc3\xb1"));
    assert_int_equal(kept->blob.size, JOURNAL_OUTCOME_HEAD_BYTES + sizeof text + 3);
    unit_arena_close(&table.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ticket_has_one_row),
        cmocka_unit_test(a_full_table_refuses_and_serves_again_after_a_removal),
        cmocka_unit_test(a_dropping_row_makes_way_for_its_ticket),
        cmocka_unit_test(held_is_everything_from_accepted_on),
        cmocka_unit_test(a_kept_confirm_does_not_need_the_message_it_came_in),
        cmocka_unit_test(a_note_is_cut_between_characters_when_the_answer_leaves_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
