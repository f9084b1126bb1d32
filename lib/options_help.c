#include <stddef.h>
#include <string.h>

#include "lib/check.h"
#include "lib/options.h"
#include "lib/options_value.h"

#define HELP_COLUMN 28U
#define NEAREST_BYTES_MAX 64U

static void add_usage(const struct options_table *table, struct text *out)
{
    text_add(out, "Usage: ");
    text_add(out, table->command);
    text_add(out, table->row_count > 0 ? " [OPTION...]" : "");
    if (table->positionals != NULL) {
        text_add_char(out, ' ');
        text_add(out, table->positionals);
    }
    text_add(out, "\n");
    if (table->about != NULL) {
        text_add(out, "\n");
        text_add(out, table->about);
        text_add(out, "\n");
    }
}

static void add_value_name(const struct options_row *row, struct text *out)
{
    if (row->kind == OPTIONS_FLAG) {
        return;
    }
    text_add_char(out, ' ');
    if (row->value_name != NULL) {
        text_add(out, row->value_name);
    } else if (row->kind == OPTIONS_CHOICE) {
        text_add(out, row->choices);
    } else {
        text_add(out, "VALUE");
    }
}

static void add_row(const struct options_row *row, struct text *out)
{
    uint32_t start = out->size;
    text_add(out, "  ");
    if (row->letter != '\0') {
        char letter[] = {'-', row->letter, ',', ' ', '\0'};
        text_add(out, letter);
    } else {
        text_add(out, "    ");
    }
    text_add(out, "--");
    text_add(out, row->name);
    add_value_name(row, out);
    if (out->size - start >= HELP_COLUMN) {
        text_add(out, "\n");
        start = out->size;
    }
    text_add_spaces_to(out, start + HELP_COLUMN);
    text_add(out, row->help);
    if (row->is_required) {
        text_add(out, " (required)");
    } else if (row->fallback != NULL && row->kind != OPTIONS_FLAG && row->fallback[0] != '\0') {
        text_add(out, " [");
        text_add(out, row->fallback);
        text_add(out, "]");
    }
    text_add(out, "\n");
}

void options_help(const struct options_table *table, struct text *out)
{
    static const struct options_row help_row = {
        .name = "help", .help = "show this text", .kind = OPTIONS_FLAG};

    add_usage(table, out);
    text_add(out, "\nOptions:\n");
    for (uint32_t i = 0; i < table->row_count; i++) {
        add_row(&table->rows[i], out);
    }
    add_row(&help_row, out);
    if (table->row_count > 0) {
        text_add(out, "\nEach option can be given in the environment: --");
        text_add(out, table->rows[0].name);
        text_add(out, " as ");
        options_value_environment_name(&table->rows[0], out);
        text_add(out, ".\n");
    }
    if (table->more != NULL) {
        text_add(out, "\n");
        text_add(out, table->more);
        text_add(out, "\n");
    }
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint8_t lowered(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t) (byte + 0x20) : byte;
}

struct distance_table {
    uint32_t rows[3][NEAREST_BYTES_MAX + 1U]; /* three rows of the whole table are enough */
};

/* The cheapest way to make the first `i` letters of `a` the first `j` of `b`; both at least 1. */
static uint32_t
cell(const struct distance_table *table, struct bytes a, struct bytes b, uint32_t i, uint32_t j)
{
    const uint32_t *row = table->rows[i % 3U];
    const uint32_t *above = table->rows[(i - 1U) % 3U];
    uint8_t x = lowered(a.data[i - 1U]);
    uint8_t y = lowered(b.data[j - 1U]);
    uint32_t best = smaller(smaller(above[j], row[j - 1U]) + 1U, above[j - 1U] + (x != y));
    if (i > 1 && j > 1 && x == lowered(b.data[j - 2U]) && y == lowered(a.data[i - 2U])) {
        best = smaller(best, table->rows[(i - 2U) % 3U][j - 2U] + 1U);
    }
    return best;
}

/* Edit distance with swapped neighbours as one edit (optimal string alignment), without case. */
static uint32_t distance(struct bytes a, struct bytes b)
{
    struct distance_table table;
    for (uint32_t j = 0; j <= b.size; j++) {
        table.rows[0][j] = j;
    }
    for (uint32_t i = 1; i <= a.size; i++) {
        table.rows[i % 3U][0] = i;
        for (uint32_t j = 1; j <= b.size; j++) {
            table.rows[i % 3U][j] = cell(&table, a, b, i, j);
        }
    }
    return table.rows[a.size % 3U][b.size];
}

const char *options_nearest(const char *const *names, uint32_t count, struct bytes typed)
{
    const char *nearest = NULL;
    /* A third of the letters may be wrong, and always one of two. */
    uint32_t limit = typed.size / 3U + 2U;
    for (uint32_t i = 0; typed.size > 0 && i < count; i++) {
        struct bytes name = bytes_of_text(names[i]);
        if (name.size > NEAREST_BYTES_MAX || typed.size > NEAREST_BYTES_MAX) {
            continue;
        }
        uint32_t found = distance(typed, name);
        if (found < limit && found < smaller(name.size, typed.size)) {
            nearest = names[i];
            limit = found;
        }
    }
    return nearest;
}
