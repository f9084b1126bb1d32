#ifndef LIB_TREE_H
#define LIB_TREE_H

#include <stdbool.h>
#include <stdint.h>

/* Ordered sets of row numbers: treaps (Seidel and Aragon, "Randomized search trees") whose
 * priorities are a hash of the row number, so a row costs 8 bytes here. Many trees share one array
 * of nodes, one order and one seed (struct tree_kind); a row is in one tree of the kind at a time.
 * Insert, remove and next are O(log n) expected, the first is O(1). No recursion.
 *
 * A zeroed struct tree is an empty tree; zeroed nodes are ready for use.
 */
#define TREE_NONE UINT32_MAX

struct tree_node {
    uint32_t left;
    uint32_t right;
};

/* Less than or greater than 0: a strict total order; 0 only if a == b. Break ties by something
 * that two rows never share (an id, a serial).
 */
typedef int tree_compare_fn(const void *context, uint32_t a, uint32_t b);

struct tree_kind {
    struct tree_node *nodes; /* the caller's, one per row */
    tree_compare_fn *compare;
    const void *context;
    uint64_t seed;
};

struct tree {
    uint32_t root;  /* these three mean nothing while count is 0 */
    uint32_t first; /* the smallest row */
    uint32_t count;
};

void tree_init(struct tree *tree);

/* `row` is in no tree of this kind, and what compare() reads of it is set. It must not change
 * while the row is in: remove, change, insert.
 */
void tree_insert(const struct tree_kind *kind, struct tree *tree, uint32_t row);

/* `row` is in this tree (CHECK). */
void tree_remove(const struct tree_kind *kind, struct tree *tree, uint32_t row);

/* The smallest (greatest) row, or TREE_NONE. */
static inline uint32_t tree_first(const struct tree *tree)
{
    return tree->count == 0 ? TREE_NONE : tree->first;
}

uint32_t tree_last(const struct tree_kind *kind, const struct tree *tree);

/* The next row in order after `row`, or TREE_NONE. `row` need not be in the tree, only comparable,
 * so a walk can go on after its row was removed.
 */
uint32_t tree_after(const struct tree_kind *kind, const struct tree *tree, uint32_t row);

/* The row in order before `row`, or TREE_NONE; otherwise as tree_after(). */
uint32_t tree_before(const struct tree_kind *kind, const struct tree *tree, uint32_t row);

bool tree_contains(const struct tree_kind *kind, const struct tree *tree, uint32_t row);

static inline uint32_t tree_count(const struct tree *tree)
{
    return tree->count;
}

#endif
