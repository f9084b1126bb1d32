#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/check.h"
#include "tests/scenario/world_inside.h"
#include "tests/unit/unit.h"

/* The story as one text, and its comparison with the golden one. */

#define LINES_MAX 4000u
#define NAME_COLUMNS 6u

/* ------------------------------------------------------------------ writing */

static uint32_t number_of(struct world *world, struct ticket_id ticket)
{
    for (uint32_t i = 0; i < world->seen_count; i++) {
        if (id_equal(world->seen[i], ticket)) {
            return i + 1;
        }
    }
    CHECK(world->seen_count < SEEN_TICKETS_MAX);
    world->seen[world->seen_count++] = ticket;
    return world->seen_count;
}

void world_add_ticket(struct text *text, struct ticket_id ticket)
{
    char buffer[ID_TEXT_SIZE];
    id_to_text(ticket, buffer);
    text_add(text, buffer);
}

/* Ids are T1, T2, ... in the order in which the story comes across them. */
static void add_renamed(struct world *world, const char *line)
{
    size_t size = strlen(line);
    size_t at = 0;
    while (at < size) {
        struct ticket_id ticket;
        struct bytes word = bytes_of(line + at, 36);
        if (at + 36 <= size && id_from_text(word, &ticket) == VT_OK) {
            text_add(&world->trace, "T");
            text_add_u64(&world->trace, number_of(world, ticket));
            at += 36;
        } else {
            text_add_char(&world->trace, line[at]);
            at++;
        }
    }
}

void world_line(struct world *world, const char *who, const char *line)
{
    char prefix[64];
    int length = snprintf(prefix,
                          sizeof prefix,
                          "[%6lld] %-*s | ",
                          (long long) world->now_ms,
                          (int) NAME_COLUMNS,
                          who);
    CHECK(length > 0);
    text_add(&world->trace, prefix);
    add_renamed(world, line);
    text_add_char(&world->trace, '\n');
    CHECK(!world->trace.truncated);
}

void world_say(struct world *world, const char *text)
{
    text_add(&world->trace, "# ");
    text_add(&world->trace, text);
    text_add_char(&world->trace, '\n');
}

/* ------------------------------------------------------------------ comparing */

struct lines {
    char *text; /* cut apart by NULs */
    const char *list[LINES_MAX];
    uint32_t count;
};

static void cut_lines(struct lines *lines, char *text)
{
    lines->text = text;
    lines->count = 0;
    for (char *at = text; *at != 0;) {
        char *end = strchr(at, '\n');
        CHECK(lines->count < LINES_MAX);
        lines->list[lines->count++] = at;
        if (end == NULL) {
            return;
        }
        *end = 0;
        at = end + 1;
    }
}

/* Longest common subsequence: what is only in one of the two is shown. */
static void print_difference(const struct lines *golden, const struct lines *trace)
{
    uint32_t width = trace->count + 1;
    uint32_t *common = world_allocate((uint64_t) (golden->count + 1) * width * sizeof *common);
    for (uint32_t i = golden->count; i > 0; i--) {
        for (uint32_t j = trace->count; j > 0; j--) {
            uint32_t down = common[i * width + j - 1];
            uint32_t right = common[(i - 1) * width + j];
            bool is_same = strcmp(golden->list[i - 1], trace->list[j - 1]) == 0;
            common[(i - 1) * width + j - 1] =
                is_same ? common[i * width + j] + 1 : (down > right ? down : right);
        }
    }
    uint32_t i = 0;
    uint32_t j = 0;
    while (i < golden->count || j < trace->count) {
        bool has_both = i < golden->count && j < trace->count;
        if (has_both && strcmp(golden->list[i], trace->list[j]) == 0) {
            i++;
            j++;
        } else if (j == trace->count || (i < golden->count && common[(i + 1) * width + j] >=
                                                                  common[i * width + j + 1])) {
            fprintf(stderr, "- %s\n", golden->list[i++]);
        } else {
            fprintf(stderr, "+ %s\n", trace->list[j++]);
        }
    }
    free(common);
}

static char *read_whole(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = world_allocate(TRACE_BYTES + 1u);
    if (file != NULL) {
        size_t size = fread(text, 1, TRACE_BYTES, file);
        text[size] = 0;
        CHECK(fclose(file) == 0);
    }
    return text;
}

static void write_whole(const char *path, const struct text *text)
{
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL);
    CHECK(fwrite(text->data, 1, text->size, file) == text->size);
    CHECK(fclose(file) == 0);
}

static bool is_golden(const char *path, struct text *trace)
{
    char *golden = read_whole(path);
    bool is_same = strcmp(golden, trace->data) == 0;
    if (!is_same) {
        struct lines *lines = world_allocate(2 * sizeof *lines);
        fprintf(stderr, "--- %s\n+++ this run\n", path);
        cut_lines(&lines[0], golden);
        cut_lines(&lines[1], trace->data);
        print_difference(&lines[0], &lines[1]);
        free(lines);
    }
    free(golden);
    return is_same;
}

void world_expect_sound(struct world *world)
{
    struct ticket_id ticket = {0};
    const char *fault = store_memory_fault_found(world->store, &ticket);
    if (fault != NULL) {
        char buffer[ID_TEXT_SIZE];
        id_to_text(ticket, buffer);
        fprintf(stderr, "%s\nticket %s: %s\n", world->trace.data, buffer, fault);
    }
    assert_null(fault);
}

/* A ticket that a loss had put back before keeps no trace of NEW_MSGS in its history. */
static bool was_told_of_messages(struct world *world, const struct completion *completion)
{
    char words[128];
    int length = snprintf(words,
                          sizeof words,
                          "outcome.answered ticket=T%u attempt=%u verdict=new_messages",
                          number_of(world, completion->ticket),
                          completion->attempt);
    CHECK(length > 0 && (size_t) length < sizeof words);
    return strstr(world->trace.data, words) != NULL;
}

static bool is_kept(struct world *world, const struct completion *completion)
{
    for (uint32_t i = 0; i < store_memory_event_count(world->store); i++) {
        const struct store_memory_event *event = store_memory_event_at(world->store, i);
        const struct history_row *row = &event->row;
        bool is_end =
            row->kind == HISTORY_COMPLETED || row->kind == HISTORY_NOTE ||
            (row->kind == HISTORY_REQUEUED && bytes_equal_text(row->detail, "new_messages"));
        if (is_end && row->attempt == completion->attempt &&
            id_equal(event->ticket, completion->ticket)) {
            return true;
        }
    }
    return was_told_of_messages(world, completion);
}

static bool is_journal_idle(struct world *world, const struct world_node *node)
{
    struct load_request load = {.kind = LOAD_JOURNAL, .rows_max = 1000, .from_start = true};
    struct load_page page;
    vt_err err = store_memory_load(node->journal, &load, &page, &world->scratch, 0);
    CHECK(err == VT_OK);
    for (uint32_t i = 0; i < page.journal_count; i++) {
        enum journal_kind kind = page.journal[i].kind;
        if (kind == JOURNAL_WORKING || kind == JOURNAL_OUTCOME) {
            return false;
        }
    }
    return true;
}

void world_expect_settled(struct world *world)
{
    for (uint32_t i = 0; i < world->completion_count; i++) {
        const struct completion *completion = &world->completions[i];
        bool is_safe = is_kept(world, completion);
        if (!is_safe) {
            fprintf(stderr,
                    "lost: the answer of attempt %u on T%u\n",
                    completion->attempt,
                    number_of(world, completion->ticket));
        }
        assert_true(is_safe);
    }
    for (uint32_t i = 0; i < world->node_count; i++) {
        const struct world_node *node = &world->nodes[i];
        bool is_idle = node->sort != SORT_SITE || is_journal_idle(world, node);
        if (!is_idle) {
            fprintf(stderr, "%s still has work in its journal\n", node->name);
        }
        assert_true(is_idle);
    }
}

const char *world_trace(const struct world *world)
{
    return world->trace.data;
}

void world_expect(struct world *world, const char *name)
{
    char path[256];
    int length = snprintf(path, sizeof path, "tests/scenario/golden/%s.txt", name);
    CHECK(length > 0 && (size_t) length < sizeof path);
    world_expect_sound(world);
    if (getenv("VT_GOLDEN_UPDATE") != NULL) {
        write_whole(path, &world->trace);
        return;
    }
    assert_true(is_golden(path, &world->trace));
}
