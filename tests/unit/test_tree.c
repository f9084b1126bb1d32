#include "tests/unit/unit.h"

#include <stdlib.h>

#include "lib/random.h"
#include "lib/tree.h"

enum {
    ROWS = 80,
    TREES = 3
};

/* Rows with equal keys are ordered by their number. */
static int compare(const void *context, uint32_t a, uint32_t b)
{
    const int64_t *keys = context;
    if (keys[a] != keys[b]) {
        return keys[a] < keys[b] ? -1 : 1;
    }
    return (a > b) - (a < b);
}

struct world {
    int64_t keys[ROWS];
    uint32_t tree_of[ROWS]; /* TREES: in none */
    struct tree_node nodes[ROWS];
    struct tree trees[TREES]; /* zeroed is empty */
    struct tree_kind kind;
};

/* The row of the tree nearest above (direction 1) or below (-1) `row`, the slow way. */
static uint32_t
slow_neighbour(const struct world *world, uint32_t tree, uint32_t row, int direction)
{
    uint32_t best = TREE_NONE;
    for (uint32_t i = 0; i < ROWS; i++) {
        if (world->tree_of[i] != tree || compare(world->keys, i, row) * direction <= 0) {
            continue;
        }
        if (best == TREE_NONE || compare(world->keys, i, best) * direction < 0) {
            best = i;
        }
    }
    return best;
}

static uint32_t slow_end(const struct world *world, uint32_t tree, int direction)
{
    uint32_t best = TREE_NONE;
    for (uint32_t i = 0; i < ROWS; i++) {
        if (world->tree_of[i] == tree &&
            (best == TREE_NONE || compare(world->keys, i, best) * direction < 0)) {
            best = i;
        }
    }
    return best;
}

static void assert_same(const struct world *world)
{
    for (uint32_t t = 0; t < TREES; t++) {
        const struct tree *tree = &world->trees[t];
        uint32_t count = 0;
        assert_int_equal(tree_first(tree), slow_end(world, t, 1));
        assert_int_equal(tree_last(&world->kind, tree), slow_end(world, t, -1));
        for (uint32_t i = 0; i < ROWS; i++) {
            count += world->tree_of[i] == t;
            assert_int_equal(tree_contains(&world->kind, tree, i), world->tree_of[i] == t);
            assert_int_equal(tree_after(&world->kind, tree, i), slow_neighbour(world, t, i, 1));
            assert_int_equal(tree_before(&world->kind, tree, i), slow_neighbour(world, t, i, -1));
        }
        assert_int_equal(tree_count(tree), count);
    }
}

static void change(struct world *world, struct random *random)
{
    uint32_t row = (uint32_t) random_below(random, ROWS);
    if (random_below(random, 4) == 0 && tree_first(&world->trees[0]) != TREE_NONE) {
        row = tree_first(&world->trees[0]);
    }
    if (world->tree_of[row] != TREES) {
        tree_remove(&world->kind, &world->trees[world->tree_of[row]], row);
        world->tree_of[row] = TREES;
        return;
    }
    world->keys[row] = random_range(random, 0, 20);
    world->tree_of[row] = (uint32_t) random_below(random, TREES);
    tree_insert(&world->kind, &world->trees[world->tree_of[row]], row);
}

static void any_sequence_of_changes_gives_what_sorting_gives(void **state)
{
    (void) state;
    struct random random;
    random_init(&random, unit_seed());
    static struct world world;
    world.kind = (struct tree_kind){.nodes = world.nodes,
                                    .compare = compare,
                                    .context = world.keys,
                                    .seed = random_u64(&random)};
    for (uint32_t i = 0; i < ROWS; i++) {
        world.tree_of[i] = TREES;
    }
    for (uint32_t i = 0; i < 4000; i++) {
        change(&world, &random);
        if (i % 10 == 0) {
            assert_same(&world);
        }
    }
}

static uint32_t depth_of(const struct tree_kind *kind, const struct tree *tree, uint32_t row)
{
    uint32_t depth = 0;
    uint32_t at = tree->root;
    while (at != row) {
        at = kind->compare(kind->context, at, row) < 0 ? kind->nodes[at].right
                                                       : kind->nodes[at].left;
        depth++;
    }
    return depth;
}

static void ascending_inserts_stay_balanced(void **state)
{
    (void) state;
    enum {
        COUNT = 100000
    };
    int64_t *keys = calloc(COUNT, sizeof *keys);
    struct tree_node *nodes = calloc(COUNT, sizeof *nodes);
    assert_non_null(keys);
    assert_non_null(nodes);
    struct tree_kind kind = {
        .nodes = nodes, .compare = compare, .context = keys, .seed = unit_seed()};
    struct tree tree;
    tree_init(&tree);
    for (uint32_t i = 0; i < COUNT; i++) {
        keys[i] = i;
        tree_insert(&kind, &tree, i);
    }

    uint64_t sum = 0;
    for (uint32_t i = 0; i < COUNT; i++) {
        uint32_t depth = depth_of(&kind, &tree, i);
        assert_true(depth < 70); /* log2 is 17; a treap's greatest depth is about 4.3 ln n = 50 */
        sum += depth;
    }
    assert_true(sum / COUNT < 30);
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_int_equal(tree_first(&tree), i);
        tree_remove(&kind, &tree, i);
    }
    assert_int_equal(tree_count(&tree), 0);
    free(keys);
    free(nodes);
}

static void remove_absent_row(void *argument)
{
    struct world *world = argument;
    tree_remove(&world->kind, &world->trees[0], 1);
}

static void removing_what_is_not_in_is_a_bug(void **state)
{
    (void) state;
    static struct world world;
    world.kind = (struct tree_kind){
        .nodes = world.nodes, .compare = compare, .context = world.keys, .seed = 1};
    assert_true(unit_check_fails(remove_absent_row, &world));
    tree_insert(&world.kind, &world.trees[0], 0);
    assert_true(unit_check_fails(remove_absent_row, &world));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_sequence_of_changes_gives_what_sorting_gives),
        cmocka_unit_test(ascending_inserts_stay_balanced),
        cmocka_unit_test(removing_what_is_not_in_is_a_bug),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
