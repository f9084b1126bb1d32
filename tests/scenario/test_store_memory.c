#include "tests/unit/unit.h"

#include <string.h>

#include "tests/scenario/store_memory.h"

/* The store that the scenarios run on keeps the promises of lib/store_request.h. */

#define PART 5u
#define EPOCH 9u

static struct store_memory *store;
static struct arena arena;
static int64_t now_us;

static struct store_result write_one(const struct store_request *request)
{
    struct store_result result;
    store_memory_write(store, request, &result, 1, ++now_us);
    return result;
}

static enum store_status claim(uint64_t epoch, const char *owner)
{
    struct store_request request = {.kind = STORE_CLAIM, .part = PART, .epoch = epoch};
    request.claim.owner = bytes_of_text(owner);
    return write_one(&request).status;
}

static struct store_result submit(uint64_t id, const char *key, uint8_t digest)
{
    struct store_request request = {.kind = STORE_SUBMIT, .part = PART, .ticket = {1, id}};
    request.submit.queue = 3;
    request.submit.priority = 50;
    request.submit.client = bytes_of_text("web");
    request.submit.key = bytes_of_text(key);
    request.submit.digest[0] = digest;
    request.submit.body = bytes_of_text("body");
    return write_one(&request);
}

static struct store_request move(enum store_kind kind, uint64_t id, uint32_t attempt)
{
    struct store_request request = {.kind = kind, .part = PART, .epoch = EPOCH, .ticket = {1, id}};
    request.move.attempt = attempt;
    request.move.agent = 7;
    request.move.site = 2;
    request.move.seen = 1;
    return request;
}

static enum store_status try_move(enum store_kind kind, uint64_t id, uint32_t attempt)
{
    struct store_request request = move(kind, id, attempt);
    return write_one(&request).status;
}

static enum store_status note(uint64_t id, const char *key, const char *body)
{
    struct store_request request = {.kind = STORE_MESSAGE, .ticket = {1, id}};
    request.message.key = bytes_of_text(key);
    request.message.body = bytes_of_text(body);
    return write_one(&request).status;
}

static const struct ticket_row *row(uint64_t id)
{
    return &store_memory_find(store, (struct ticket_id){1, id})->row;
}

static int setup(void **state)
{
    (void) state;
    store = store_memory_open();
    arena = unit_arena(1u << 20);
    now_us = 1000;
    return claim(EPOCH, "r1") == STORE_DONE ? 0 : 1;
}

static int teardown(void **state)
{
    (void) state;
    struct ticket_id ticket;
    assert_null(store_memory_fault_found(store, &ticket));
    store_memory_close(store);
    unit_arena_close(&arena);
    return 0;
}

static void a_key_makes_one_ticket(void **state)
{
    (void) state;
    assert_int_equal(submit(1, "key-0001", 1).status, STORE_DONE);
    struct store_result again = submit(2, "key-0001", 1);
    assert_int_equal(again.status, STORE_DUPLICATE);
    assert_int_equal(again.row.id.lo, 1);
    assert_int_equal(submit(3, "key-0001", 2).status, STORE_MISMATCH);
    assert_int_equal(submit(1, "key-0002", 1).status, STORE_REFUSED);
    assert_int_equal(store_memory_ticket_count(store), 1);
}

static void an_older_epoch_writes_nothing(void **state)
{
    (void) state;
    (void) submit(1, "key-0001", 1);
    assert_int_equal(claim(EPOCH, "r1"), STORE_DONE);
    assert_int_equal(claim(EPOCH, "r2"), STORE_FENCED);
    assert_int_equal(claim(EPOCH + 1, "r2"), STORE_DONE);
    assert_int_equal(claim(EPOCH, "r1"), STORE_FENCED);
    assert_int_equal(try_move(STORE_ASSIGN, 1, 1), STORE_FENCED);
    assert_int_equal(row(1)->state, TICKET_QUEUED);
}

static void a_ticket_goes_its_way_once(void **state)
{
    (void) state;
    (void) submit(1, "key-0001", 1);
    assert_int_equal(try_move(STORE_ASSIGN, 1, 2), STORE_REFUSED);
    struct store_request assign = move(STORE_ASSIGN, 1, 1);
    struct store_result assigned = write_one(&assign);
    assert_int_equal(assigned.status, STORE_DONE);
    assert_true(bytes_equal_text(assigned.body, "body"));
    assert_int_equal(try_move(STORE_ASSIGN, 1, 1), STORE_REFUSED);
    assert_int_equal(try_move(STORE_ASSIGN, 1, 2), STORE_REFUSED);
    assert_int_equal(try_move(STORE_COMPLETE, 1, 1), STORE_DONE);
    assert_int_equal(try_move(STORE_COMPLETE, 1, 1), STORE_DUPLICATE);
    assert_int_equal(try_move(STORE_CANCEL, 1, 1), STORE_REFUSED);
    assert_int_equal(try_move(STORE_ASSIGN, 9, 1), STORE_ABSENT);
    assert_int_equal(store_memory_find(store, (struct ticket_id){1, 1})->answer_count, 1);
}

static void a_late_answer_is_taken_until_somebody_newer_has_it(void **state)
{
    (void) state;
    (void) submit(1, "key-0001", 1);
    (void) submit(2, "key-0002", 1);
    for (uint64_t id = 1; id <= 2; id++) {
        assert_int_equal(try_move(STORE_ASSIGN, id, 1), STORE_DONE);
        assert_int_equal(try_move(STORE_REQUEUE, id, 1), STORE_DONE);
        assert_int_equal(try_move(STORE_REQUEUE, id, 1), STORE_DUPLICATE);
        assert_int_equal(row(id)->fails, 1);
    }
    assert_int_equal(try_move(STORE_ASSIGN, 2, 2), STORE_DONE);

    assert_int_equal(try_move(STORE_COMPLETE, 1, 1), STORE_DONE);
    assert_int_equal(try_move(STORE_COMPLETE, 2, 1), STORE_REFUSED);
    struct store_request kept = move(STORE_NOTE, 2, 1);
    kept.move.text = bytes_of_text("late answer");
    uint32_t events = store_memory_event_count(store);
    assert_int_equal(write_one(&kept).status, STORE_DONE);
    assert_int_equal(write_one(&kept).status, STORE_DONE);
    assert_int_equal(store_memory_event_count(store), events + 1);
}

static void a_question_is_never_swallowed(void **state)
{
    (void) state;
    (void) submit(1, "key-0001", 1);
    (void) try_move(STORE_ASSIGN, 1, 1);
    assert_int_equal(note(1, "note-001", "more"), STORE_DONE);
    assert_int_equal(note(1, "note-001", "more"), STORE_DUPLICATE);
    assert_int_equal(note(1, "note-001", "less"), STORE_MISMATCH);
    assert_int_equal(note(9, "note-001", "more"), STORE_ABSENT);

    assert_int_equal(try_move(STORE_PARK, 1, 1), STORE_REFUSED);
    assert_int_equal(try_move(STORE_COMPLETE, 1, 1), STORE_REFUSED);
    struct store_request park = move(STORE_PARK, 1, 1);
    park.move.seen = 2;
    assert_int_equal(write_one(&park).status, STORE_DONE);
    assert_int_equal(write_one(&park).status, STORE_DUPLICATE);
    assert_int_equal(note(1, "note-002", "and?"), STORE_DONE);
    assert_int_equal(row(1)->state, TICKET_QUEUED);
    assert_int_equal(row(1)->fails, 0);
}

static void a_handoff_asks_for_a_person(void **state)
{
    (void) state;
    (void) submit(1, "key-0001", 1);
    (void) try_move(STORE_ASSIGN, 1, 1);
    struct store_request handoff = move(STORE_REQUEUE, 1, 1);
    handoff.move.cause = REQUEUE_HANDOFF;
    assert_int_equal(write_one(&handoff).status, STORE_DONE);
    assert_int_equal(write_one(&handoff).status, STORE_DUPLICATE);
    assert_int_equal(row(1)->agent, 0);

    assert_int_equal(try_move(STORE_ASSIGN, 1, 2), STORE_REFUSED);
    struct store_request person = move(STORE_ASSIGN, 1, 2);
    person.move.agent_is_person = true;
    assert_int_equal(write_one(&person).status, STORE_DONE);
}

static void only_a_ticket_that_failed_often_is_dead(void **state)
{
    (void) state;
    (void) submit(1, "key-0001", 1);
    (void) try_move(STORE_ASSIGN, 1, 1);
    (void) try_move(STORE_REQUEUE, 1, 1);
    struct store_request dead = move(STORE_DEAD, 1, 1);
    dead.move.max_fails = 2;
    assert_int_equal(write_one(&dead).status, STORE_REFUSED);
    dead.move.max_fails = 1;
    assert_int_equal(write_one(&dead).status, STORE_DONE);
    assert_int_equal(note(1, "note-001", "hello?"), STORE_REFUSED);
}

static void pages_come_in_order_of_service(void **state)
{
    (void) state;
    struct store_request request = {.kind = STORE_SUBMIT, .part = PART};
    static const uint32_t priorities[] = {50, 90, 50, 10};
    request.submit.client = bytes_of_text("web");
    for (uint64_t i = 0; i < 4; i++) {
        char key[9] = "key-000x";
        key[7] = (char) ('0' + i);
        request.ticket = (struct ticket_id){1, 10 - i};
        request.submit.key = bytes_of_text(key);
        request.submit.priority = priorities[i];
        assert_int_equal(write_one(&request).status, STORE_DONE);
    }
    struct load_request load = {
        .kind = LOAD_QUEUED, .part = PART, .rows_max = 3, .from_start = true};
    struct load_page page;
    assert_int_equal(store_memory_load(store, &load, &page, &arena, now_us), VT_OK);
    assert_int_equal(page.row_count, 3);
    assert_true(page.has_more);
    assert_int_equal(page.rows[0].id.lo, 9);
    assert_int_equal(page.rows[1].id.lo, 10);
    assert_int_equal(page.rows[2].id.lo, 8);

    load.from_start = false;
    load.after = (struct service_key){.priority = page.rows[2].priority,
                                      .created_us = page.rows[2].created_us,
                                      .id = page.rows[2].id};
    assert_int_equal(store_memory_load(store, &load, &page, &arena, now_us), VT_OK);
    assert_int_equal(page.row_count, 1);
    assert_false(page.has_more);
    assert_int_equal(page.rows[0].priority, 10);
}

static void a_journal_keeps_one_value_a_key_in_order(void **state)
{
    (void) state;
    struct store_request put = {.kind = STORE_JOURNAL_PUT};
    static const uint64_t keys[] = {3, 1, 2, 1};
    for (uint32_t i = 0; i < 4; i++) {
        put.journal = (struct journal_entry){
            .kind = JOURNAL_WORKING, .a = keys[i], .value = bytes_of_text(i == 3 ? "new" : "old")};
        assert_int_equal(write_one(&put).status, STORE_DONE);
    }
    put.kind = STORE_JOURNAL_DROP;
    put.journal.a = 3;
    assert_int_equal(write_one(&put).status, STORE_DONE);
    assert_int_equal(write_one(&put).status, STORE_DONE);

    struct load_request load = {.kind = LOAD_JOURNAL, .rows_max = 10, .from_start = true};
    struct load_page page;
    assert_int_equal(store_memory_load(store, &load, &page, &arena, now_us), VT_OK);
    assert_int_equal(page.journal_count, 2);
    assert_true(bytes_equal_text(page.journal[0].value, "new"));
    assert_int_equal(page.journal[1].a, 2);
}

static void faults_say_so(void **state)
{
    (void) state;
    struct load_request load = {.kind = LOAD_QUEUED, .part = PART, .rows_max = 10};
    struct load_page page;
    store_memory_set_fault(store, FAULT_DOWN);
    assert_int_equal(submit(1, "key-0001", 1).status, STORE_FAILED);
    assert_int_equal(store_memory_load(store, &load, &page, &arena, now_us), VT_UNAVAILABLE);
    assert_int_equal(store_memory_ticket_count(store), 0);
    store_memory_set_fault(store, FAULT_UNCERTAIN);
    assert_int_equal(submit(1, "key-0001", 1).status, STORE_UNCERTAIN);
    assert_int_equal(store_memory_ticket_count(store), 1);
}

static void names_keep_their_numbers(void **state)
{
    (void) state;
    struct store_agent_name names[2] = {{.name = bytes_of_text("ana")},
                                        {.name = bytes_of_text("ben")}};
    struct store_request request = {.kind = STORE_SITE};
    request.site.name = bytes_of_text("north");
    request.site.agents = names;
    request.site.agent_count = 2;
    struct store_result first = write_one(&request);
    request.site.name = bytes_of_text("south");
    struct store_result second = write_one(&request);
    request.site.name = bytes_of_text("north");
    struct store_result again = write_one(&request);

    assert_int_equal(first.site, again.site);
    assert_memory_equal(first.agents, again.agents, 2 * sizeof(uint32_t));
    assert_true(first.agents[0] != second.agents[0]);
    assert_true(bytes_equal_text(store_memory_agent_name(store, first.agents[1]), "ben"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_key_makes_one_ticket),
        TEST(an_older_epoch_writes_nothing),
        TEST(a_ticket_goes_its_way_once),
        TEST(a_late_answer_is_taken_until_somebody_newer_has_it),
        TEST(a_question_is_never_swallowed),
        TEST(a_handoff_asks_for_a_person),
        TEST(only_a_ticket_that_failed_often_is_dead),
        TEST(pages_come_in_order_of_service),
        TEST(a_journal_keeps_one_value_a_key_in_order),
        TEST(faults_say_so),
        TEST(names_keep_their_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
