#include "lib/tree.h"

#include "lib/check.h"
#include "lib/hash.h"

void tree_init(struct tree *tree)
{
    *tree = (struct tree){.root = TREE_NONE, .first = TREE_NONE};
}

static uint32_t root_of(const struct tree *tree)
{
    return tree->count == 0 ? TREE_NONE : tree->root;
}

/* Ties of the hash (there are none below 2^32 rows: it is a bijection) would only cost balance. */
static uint64_t priority_of(const struct tree_kind *kind, uint32_t row)
{
    return hash_u64(row, kind->seed);
}

static int compared(const struct tree_kind *kind, uint32_t a, uint32_t b)
{
    return kind->compare(kind->context, a, b);
}

/* Takes the subtree `from` apart into the rows before and behind `row`, which become its children.
 * Two pointers walk down the seams where the next part must be hung.
 */
static void split_below(const struct tree_kind *kind, uint32_t from, uint32_t row)
{
    uint32_t *left_seam = &kind->nodes[row].left;
    uint32_t *right_seam = &kind->nodes[row].right;
    while (from != TREE_NONE) {
        int order = compared(kind, from, row);
        CHECK(order != 0);
        if (order < 0) {
            *left_seam = from;
            left_seam = &kind->nodes[from].right;
            from = *left_seam;
        } else {
            *right_seam = from;
            right_seam = &kind->nodes[from].left;
            from = *right_seam;
        }
    }
    *left_seam = TREE_NONE;
    *right_seam = TREE_NONE;
}

void tree_insert(const struct tree_kind *kind, struct tree *tree, uint32_t row)
{
    CHECK(row != TREE_NONE);
    uint64_t priority = priority_of(kind, row);
    uint32_t root = root_of(tree);
    uint32_t *hook = &root;
    bool is_first = true;
    while (*hook != TREE_NONE && priority_of(kind, *hook) > priority) {
        int order = compared(kind, *hook, row);
        CHECK(order != 0);
        if (order < 0) {
            is_first = false;
            hook = &kind->nodes[*hook].right;
        } else {
            hook = &kind->nodes[*hook].left;
        }
    }

    split_below(kind, *hook, row);
    *hook = row;
    if (is_first && kind->nodes[row].left == TREE_NONE) {
        tree->first = row;
    }
    tree->root = root;
    tree->count++;
}

/* Joins two subtrees, all of `left` before all of `right`, and hangs them at `hook`. */
static void join_at(const struct tree_kind *kind, uint32_t *hook, uint32_t left, uint32_t right)
{
    while (left != TREE_NONE && right != TREE_NONE) {
        if (priority_of(kind, left) > priority_of(kind, right)) {
            *hook = left;
            hook = &kind->nodes[left].right;
            left = *hook;
        } else {
            *hook = right;
            hook = &kind->nodes[right].left;
            right = *hook;
        }
    }
    *hook = left != TREE_NONE ? left : right;
}

static uint32_t leftmost(const struct tree_kind *kind, uint32_t row)
{
    while (row != TREE_NONE && kind->nodes[row].left != TREE_NONE) {
        row = kind->nodes[row].left;
    }
    return row;
}

void tree_remove(const struct tree_kind *kind, struct tree *tree, uint32_t row)
{
    uint32_t root = root_of(tree);
    uint32_t *hook = &root;
    uint32_t parent = TREE_NONE;
    while (*hook != row) {
        CHECK(*hook != TREE_NONE);
        parent = *hook;
        int order = compared(kind, parent, row);
        CHECK(order != 0);
        hook = order < 0 ? &kind->nodes[parent].right : &kind->nodes[parent].left;
    }

    if (tree->first == row) {
        /* It has nothing on its left, so its successor is on its right or right above it. */
        uint32_t right = kind->nodes[row].right;
        tree->first = right != TREE_NONE ? leftmost(kind, right) : parent;
    }
    join_at(kind, hook, kind->nodes[row].left, kind->nodes[row].right);
    kind->nodes[row] = (struct tree_node){.left = TREE_NONE, .right = TREE_NONE};
    tree->root = root;
    tree->count--;
}

uint32_t tree_last(const struct tree_kind *kind, const struct tree *tree)
{
    uint32_t row = root_of(tree);
    while (row != TREE_NONE && kind->nodes[row].right != TREE_NONE) {
        row = kind->nodes[row].right;
    }
    return row;
}

uint32_t tree_after(const struct tree_kind *kind, const struct tree *tree, uint32_t row)
{
    uint32_t best = TREE_NONE;
    uint32_t at = root_of(tree);
    while (at != TREE_NONE) {
        if (at != row && compared(kind, at, row) > 0) {
            best = at;
            at = kind->nodes[at].left;
        } else {
            at = kind->nodes[at].right;
        }
    }
    return best;
}

uint32_t tree_before(const struct tree_kind *kind, const struct tree *tree, uint32_t row)
{
    uint32_t best = TREE_NONE;
    uint32_t at = root_of(tree);
    while (at != TREE_NONE) {
        if (at != row && compared(kind, at, row) < 0) {
            best = at;
            at = kind->nodes[at].right;
        } else {
            at = kind->nodes[at].left;
        }
    }
    return best;
}

bool tree_contains(const struct tree_kind *kind, const struct tree *tree, uint32_t row)
{
    uint32_t at = root_of(tree);
    while (at != TREE_NONE && at != row) {
        at = compared(kind, at, row) < 0 ? kind->nodes[at].right : kind->nodes[at].left;
    }
    return at == row && row != TREE_NONE;
}
