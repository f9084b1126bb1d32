#include "cli/table.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libsmartcols/libsmartcols.h>

#include "cli/cli.h"

#define CELL_BYTES_MAX 1024u

struct table {
    struct libscols_table *rows;
    struct libscols_line *line;
    size_t cell;
};

struct table *table_open(const struct table_column *columns, uint32_t count)
{
    struct table *table = calloc(1, sizeof *table);
    if (table == NULL) {
        return NULL;
    }
    table->rows = scols_new_table();
    if (table->rows == NULL) {
        free(table);
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        int flags = columns[i].side == TABLE_RIGHT ? SCOLS_FL_RIGHT : 0;
        (void) scols_table_new_column(table->rows, columns[i].title, 0, flags);
    }
    /* Cut off for a pipe would lose what a script reads. */
    if (isatty(STDOUT_FILENO) == 0) {
        (void) scols_table_set_termforce(table->rows, SCOLS_TERMFORCE_NEVER);
    }
    return table;
}

void table_row(struct table *table)
{
    table->line = scols_table_new_line(table->rows, NULL);
    table->cell = 0;
}

/* Lines and control characters of somebody else's text must not reach the terminal. */
void table_text(struct table *table, struct bytes text)
{
    char cell[CELL_BYTES_MAX];
    uint32_t size = text.size < CELL_BYTES_MAX - 1 ? text.size : CELL_BYTES_MAX - 1;
    for (uint32_t i = 0; i < size; i++) {
        uint8_t letter = text.data[i];
        cell[i] = (char) (letter < ' ' || letter == 0x7f ? ' ' : letter);
    }
    while (size > 0 && size < text.size && ((uint8_t) text.data[size] & 0xc0u) == 0x80u) {
        size--; /* not in the middle of a character */
    }
    cell[size] = '\0';
    if (table->line != NULL) {
        (void) scols_line_set_data(table->line, table->cell++, size > 0 ? cell : "-");
    }
}

void table_number(struct table *table, uint64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, number);
    table_text(table, bytes_of_text(text));
}

void table_duration(struct table *table, int64_t ms)
{
    char text[CLI_DURATION_BYTES];
    cli_duration_text(ms, text);
    table_text(table, bytes_of_text(text));
}

void table_close(struct table *table)
{
    if (scols_table_get_nlines(table->rows) > 0) {
        (void) scols_print_table(table->rows);
    }
    scols_unref_table(table->rows);
    free(table);
}
