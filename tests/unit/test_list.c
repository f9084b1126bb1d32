#include "tests/unit/unit.h"

#include <string.h>

#include "lib/list.h"
#include "lib/random.h"

enum {
    ROWS = 40
};

/* The same list as a plain array. */
struct model {
    uint32_t rows[ROWS];
    uint32_t count;
};

static void model_insert(struct model *model, uint32_t place, uint32_t row)
{
    memmove(
        model->rows + place + 1, model->rows + place, (model->count - place) * sizeof *model->rows);
    model->rows[place] = row;
    model->count++;
}

static void model_remove(struct model *model, uint32_t place)
{
    model->count--;
    memmove(
        model->rows + place, model->rows + place + 1, (model->count - place) * sizeof *model->rows);
}

static uint32_t model_place(const struct model *model, uint32_t row)
{
    for (uint32_t i = 0; i < model->count; i++) {
        if (model->rows[i] == row) {
            return i;
        }
    }
    return ROWS;
}

static void
assert_same(const struct list *list, const struct list_link *links, const struct model *model)
{
    assert_int_equal(list->count, model->count);
    uint32_t forward = list_first(list);
    uint32_t backward = list_last(list);
    for (uint32_t i = 0; i < model->count; i++) {
        assert_int_equal(forward, model->rows[i]);
        assert_int_equal(backward, model->rows[model->count - 1 - i]);
        forward = list_next(links, forward);
        backward = list_prev(links, backward);
    }
    assert_int_equal(forward, LIST_NONE);
    assert_int_equal(backward, LIST_NONE);
}

static void
change(struct random *random, struct list *list, struct list_link *links, struct model *model)
{
    uint32_t row = (uint32_t) random_below(random, ROWS);
    uint32_t place = model_place(model, row);
    uint64_t kind = random_below(random, 4);
    if (place < ROWS) {
        list_remove(list, links, row);
        model_remove(model, place);
    } else if (kind == 0) {
        list_push_front(list, links, row);
        model_insert(model, 0, row);
    } else if (kind == 1 && model->count > 0) {
        uint32_t before = (uint32_t) random_below(random, model->count);
        list_insert_before(list, links, model->rows[before], row);
        model_insert(model, before, row);
    } else if (kind == 2 && model->count > 0) {
        assert_int_equal(list_pop_front(list, links), model->rows[0]);
        model_remove(model, 0);
    } else {
        list_push_back(list, links, row);
        model_insert(model, model->count, row);
    }
}

static void any_sequence_of_changes_gives_what_an_array_gives(void **state)
{
    (void) state;
    struct random random;
    random_init(&random, unit_seed());
    struct list_link links[ROWS] = {{0}};
    struct list list = {0}; /* zeroed is empty */
    struct model model = {{0}, 0};
    for (uint32_t i = 0; i < 20000; i++) {
        change(&random, &list, links, &model);
        assert_same(&list, links, &model);
    }
}

static void an_empty_list_gives_none(void **state)
{
    (void) state;
    struct list_link links[1];
    struct list list;
    list_init(&list);

    assert_int_equal(list_first(&list), LIST_NONE);
    assert_int_equal(list_last(&list), LIST_NONE);
    assert_int_equal(list_pop_front(&list, links), LIST_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_sequence_of_changes_gives_what_an_array_gives),
        cmocka_unit_test(an_empty_list_gives_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
