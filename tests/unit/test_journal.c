#include <string.h>

#include "agentd/journal.h"
#include "tests/unit/steps.h"
#include "tests/unit/unit.h"

struct fixture {
    struct arena arena;
    struct journal journal;
    struct random random;
    struct effect list[EFFECTS_MAX];
    struct effects out;
};

static struct fixture *open_fixture(void)
{
    static struct fixture fixture;
    memset(&fixture, 0, sizeof fixture);
    fixture.arena = unit_arena(4 << 20);
    journal_init(&fixture.journal, &fixture.arena, 600);
    random_init(&fixture.random, unit_seed());
    fixture.out.list = fixture.list;
    return &fixture;
}

static void add(struct fixture *f, enum journal_op op, uint64_t n)
{
    journal_add(&f->journal,
                &(struct journal_item){.op = op, .subject = (uint32_t) n, .ticket = {.lo = n}});
}

/* Gives the store what waits; returns the batch, or NULL. */
static const struct effect *send(struct fixture *f, int64_t now_ms)
{
    f->out.count = 0;
    journal_send(&f->journal, now_ms, &f->out);
    return f->out.count == 0 ? NULL : &f->list[0];
}

static void answer(struct fixture *f, const enum store_status *statuses, int64_t now_ms)
{
    static struct store_result results[2 * JOURNAL_BATCH_MAX];
    for (uint32_t i = 0; i < f->journal.request_count; i++) {
        results[i] = (struct store_result){.status = statuses == NULL ? STORE_DONE : statuses[i]};
    }
    struct event event = {.kind = EVENT_STORED, .now_ms = now_ms};
    event.stored.token = f->journal.token;
    event.stored.results = results;
    event.stored.count = f->journal.request_count;
    journal_stored(&f->journal, &event, &f->random);
}

static uint32_t pop_all(struct fixture *f)
{
    struct journal_item item;
    uint32_t count = 0;
    while (journal_pop_done(&f->journal, &item)) {
        count++;
    }
    return count;
}

static void values_come_back_as_they_were_written(void **state)
{
    (void) state;
    uint8_t buffer[256];
    uint32_t boot = 0;
    uint64_t epoch = 0;
    uint32_t part = 0;
    struct journal_working working;
    struct outcome outcome;

    uint32_t size = journal_write_boot(70000, buffer);
    assert_int_equal(journal_read_boot(bytes_of(buffer, size), &boot), VT_OK);
    assert_int_equal(boot, 70000);

    size = journal_write_epoch(UINT64_C(0x0123456789abcdef), buffer);
    assert_int_equal(journal_read_epoch(bytes_of(buffer, size), &epoch), VT_OK);
    assert_true(epoch == UINT64_C(0x0123456789abcdef));

    struct journal_working wanted = {.part = 4, .attempt = 5, .agent = 60000};
    size = journal_write_working(&wanted, buffer);
    assert_int_equal(journal_read_working(bytes_of(buffer, size), &working), VT_OK);
    assert_memory_equal(&working, &wanted, sizeof wanted);

    struct outcome said = {.what = OUTCOME_PARK,
                           .attempt = 2,
                           .agent = 9,
                           .seen = 3,
                           .agent_is_person = true,
                           .text = bytes_of_text("text"),
                           .note = bytes_of_text("a note")};
    size = journal_write_outcome(&said, 11, buffer);
    assert_int_equal(size, JOURNAL_OUTCOME_HEAD_BYTES + 10);
    assert_int_equal(journal_read_outcome(bytes_of(buffer, size), &outcome, &part), VT_OK);
    assert_int_equal(part, 11);
    assert_int_equal(outcome.what, OUTCOME_PARK);
    assert_int_equal(outcome.seen, 3);
    assert_true(outcome.agent_is_person);
    assert_true(bytes_equal_text(outcome.text, "text"));
    assert_true(bytes_equal_text(outcome.note, "a note"));
}

static void a_cut_or_newer_value_is_told_apart(void **state)
{
    (void) state;
    uint8_t buffer[64];
    struct outcome outcome;
    uint32_t part = 0;
    struct outcome said = {.text = bytes_of_text("text")};
    uint32_t size = journal_write_outcome(&said, 1, buffer);

    for (uint32_t cut = 0; cut < size; cut++) {
        assert_int_equal(journal_read_outcome(bytes_of(buffer, cut), &outcome, &part), VT_CORRUPT);
    }
    buffer[1] = 9; /* no such outcome */
    assert_int_equal(journal_read_outcome(bytes_of(buffer, size), &outcome, &part), VT_CORRUPT);
    buffer[0] = 2;
    assert_int_equal(journal_read_outcome(bytes_of(buffer, size), &outcome, &part), VT_NEWER);
}

static void one_batch_is_in_the_store_while_the_next_one_gathers(void **state)
{
    (void) state;
    struct fixture *f = open_fixture();

    add(f, JOURNAL_PUT_WORKING, 1);
    assert_int_equal(send(f, 100)->store.count, 1);
    add(f, JOURNAL_PUT_WORKING, 2);
    add(f, JOURNAL_DROP_OUTCOME, 3);
    assert_null(send(f, 101));

    answer(f, NULL, 102);
    assert_int_equal(pop_all(f), 1);
    assert_int_equal(send(f, 102)->store.count, 2);
    unit_arena_close(&f->arena);
}

static void an_outcome_and_the_end_of_its_work_go_in_one_batch(void **state)
{
    (void) state;
    struct fixture *f = open_fixture();

    add(f, JOURNAL_PUT_OUTCOME, 5);
    const struct effect *batch = send(f, 100);

    assert_int_equal(batch->store.count, 2);
    assert_int_equal(batch->store.requests[0].kind, STORE_JOURNAL_PUT);
    assert_int_equal(batch->store.requests[0].journal.kind, JOURNAL_OUTCOME);
    assert_int_equal(batch->store.requests[1].kind, STORE_JOURNAL_DROP);
    assert_int_equal(batch->store.requests[1].journal.kind, JOURNAL_WORKING);
    assert_int_equal(batch->store.requests[1].journal.b, 5);
    unit_arena_close(&f->arena);
}

static void what_failed_and_all_behind_it_is_written_again_in_order_after_a_pause(void **state)
{
    (void) state;
    struct fixture *f = open_fixture();
    const enum store_status statuses[] = {STORE_DONE, STORE_FAILED, STORE_DONE};
    add(f, JOURNAL_PUT_WORKING, 1);
    add(f, JOURNAL_DROP_OUTCOME, 2);
    add(f, JOURNAL_PUT_WORKING, 3);
    assert_non_null(send(f, 100));

    answer(f, statuses, 110);

    assert_int_equal(pop_all(f), 1);
    assert_true(f->journal.is_failing);
    assert_null(send(f, 111));
    int64_t retry_ms = journal_deadline_ms(&f->journal);
    assert_true(retry_ms > 110);
    const struct effect *batch = send(f, retry_ms);
    assert_int_equal(batch->store.count, 2);
    assert_int_equal(batch->store.requests[0].journal.b, 2);
    assert_int_equal(batch->store.requests[1].journal.b, 3);
    answer(f, NULL, retry_ms);
    assert_int_equal(pop_all(f), 2);
    assert_false(f->journal.is_failing);
    assert_true(journal_is_idle(&f->journal));
    unit_arena_close(&f->arena);
}

static void half_an_outcome_is_not_written(void **state)
{
    (void) state;
    struct fixture *f = open_fixture();
    const enum store_status statuses[] = {STORE_DONE, STORE_FULL};
    add(f, JOURNAL_PUT_OUTCOME, 1);
    assert_non_null(send(f, 100));

    answer(f, statuses, 110);

    assert_int_equal(pop_all(f), 0);
    assert_int_equal(send(f, journal_deadline_ms(&f->journal))->store.count, 2);
    unit_arena_close(&f->arena);
}

static void dropping_what_is_not_there_is_success(void **state)
{
    (void) state;
    struct fixture *f = open_fixture();
    const enum store_status statuses[] = {STORE_ABSENT};
    add(f, JOURNAL_DROP_WORKING, 1);
    assert_non_null(send(f, 100));

    answer(f, statuses, 110);

    assert_int_equal(pop_all(f), 1);
    unit_arena_close(&f->arena);
}

static void a_long_queue_goes_in_batches(void **state)
{
    (void) state;
    struct fixture *f = open_fixture();
    for (uint32_t i = 0; i < JOURNAL_BATCH_MAX + 10; i++) {
        add(f, JOURNAL_PUT_WORKING, i);
    }

    assert_int_equal(send(f, 100)->store.count, JOURNAL_BATCH_MAX);
    answer(f, NULL, 101);
    assert_int_equal(pop_all(f), JOURNAL_BATCH_MAX);
    assert_int_equal(send(f, 101)->store.count, 10);
    unit_arena_close(&f->arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_back_as_they_were_written),
        cmocka_unit_test(a_cut_or_newer_value_is_told_apart),
        cmocka_unit_test(one_batch_is_in_the_store_while_the_next_one_gathers),
        cmocka_unit_test(an_outcome_and_the_end_of_its_work_go_in_one_batch),
        cmocka_unit_test(what_failed_and_all_behind_it_is_written_again_in_order_after_a_pause),
        cmocka_unit_test(half_an_outcome_is_not_written),
        cmocka_unit_test(dropping_what_is_not_there_is_success),
        cmocka_unit_test(a_long_queue_goes_in_batches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
