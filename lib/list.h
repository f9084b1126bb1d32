#ifndef LIB_LIST_H
#define LIB_LIST_H

#include <stdint.h>

/* Doubly linked lists of row numbers. The links are an array of the caller, one per row, and may
 * be shared by many lists as long as a row is in one of them at a time. All calls are O(1).
 *
 * An array of zeroed links and a zeroed struct list are ready for use, so a big table is not
 * touched by opening it: `first` and `last` mean nothing while `count` is 0; go through
 * list_first() and list_next().
 */
#define LIST_NONE UINT32_MAX

struct list_link {
    uint32_t next;
    uint32_t prev;
};

struct list {
    uint32_t first;
    uint32_t last;
    uint32_t count;
};

void list_init(struct list *list);
void list_push_back(struct list *list, struct list_link *links, uint32_t row);
void list_push_front(struct list *list, struct list_link *links, uint32_t row);

/* `before` is in the list; `row` is in none. */
void list_insert_before(struct list *list, struct list_link *links, uint32_t before, uint32_t row);

/* `row` is in this list. Whether it is, the list cannot know. */
void list_remove(struct list *list, struct list_link *links, uint32_t row);

/* Removes and returns the first row, or LIST_NONE. */
uint32_t list_pop_front(struct list *list, struct list_link *links);

static inline uint32_t list_first(const struct list *list)
{
    return list->count == 0 ? LIST_NONE : list->first;
}

static inline uint32_t list_last(const struct list *list)
{
    return list->count == 0 ? LIST_NONE : list->last;
}

/* The row behind (before) `row`, which is in a list; LIST_NONE at the end. */
static inline uint32_t list_next(const struct list_link *links, uint32_t row)
{
    return links[row].next;
}

static inline uint32_t list_prev(const struct list_link *links, uint32_t row)
{
    return links[row].prev;
}

#endif
