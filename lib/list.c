#include "lib/list.h"

#include "lib/check.h"

void list_init(struct list *list)
{
    *list = (struct list){.first = LIST_NONE, .last = LIST_NONE};
}

static void
put_between(struct list *list, struct list_link *links, uint32_t row, struct list_link neighbours)
{
    links[row] = neighbours;
    if (neighbours.prev == LIST_NONE) {
        list->first = row;
    } else {
        links[neighbours.prev].next = row;
    }
    if (neighbours.next == LIST_NONE) {
        list->last = row;
    } else {
        links[neighbours.next].prev = row;
    }
    list->count++;
}

void list_push_back(struct list *list, struct list_link *links, uint32_t row)
{
    CHECK(row != LIST_NONE);
    put_between(list, links, row, (struct list_link){.next = LIST_NONE, .prev = list_last(list)});
}

void list_push_front(struct list *list, struct list_link *links, uint32_t row)
{
    CHECK(row != LIST_NONE);
    put_between(list, links, row, (struct list_link){.next = list_first(list), .prev = LIST_NONE});
}

void list_insert_before(struct list *list, struct list_link *links, uint32_t before, uint32_t row)
{
    CHECK(list->count > 0);
    CHECK(row != before);
    put_between(list, links, row, (struct list_link){.next = before, .prev = links[before].prev});
}

void list_remove(struct list *list, struct list_link *links, uint32_t row)
{
    CHECK(list->count > 0);
    struct list_link link = links[row];
    if (link.prev == LIST_NONE) {
        CHECK(list->first == row);
        list->first = link.next;
    } else {
        CHECK(links[link.prev].next == row);
        links[link.prev].next = link.next;
    }
    if (link.next == LIST_NONE) {
        CHECK(list->last == row);
        list->last = link.prev;
    } else {
        CHECK(links[link.next].prev == row);
        links[link.next].prev = link.prev;
    }
    links[row] = (struct list_link){.next = LIST_NONE, .prev = LIST_NONE};
    list->count--;
}

uint32_t list_pop_front(struct list *list, struct list_link *links)
{
    uint32_t row = list_first(list);
    if (row != LIST_NONE) {
        list_remove(list, links, row);
    }
    return row;
}
