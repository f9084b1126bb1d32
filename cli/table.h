#ifndef CLI_TABLE_H
#define CLI_TABLE_H

/* A table for people, on standard output (libsmartcols). */

#include <stdint.h>

#include "lib/bytes.h"

struct table;

enum table_side {
    TABLE_LEFT,
    TABLE_RIGHT
};

struct table_column {
    const char *title;
    enum table_side side;
};

/* NULL: out of memory. */
struct table *table_open(const struct table_column *columns, uint32_t count);

/* A new row; its cells come from left to right. Each text is copied. */
void table_row(struct table *table);
void table_text(struct table *table, struct bytes text);
void table_number(struct table *table, uint64_t number);
void table_duration(struct table *table, int64_t ms);

/* Prints it and gives it back. */
void table_close(struct table *table);

#endif
