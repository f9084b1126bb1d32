#include "io/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <yaml.h>

#include "io/process.h"
#include "lib/check.h"
#include "lib/options.h"
#include "lib/text.h"

/* ---- messages ---- */

static void write_error(struct yaml *yaml, uint32_t line, uint32_t column, const char *what)
{
    /* A message that is too long is cut: its beginning says where and what. */
    int length =
        snprintf(yaml->error, sizeof yaml->error, "%s:%u:%u: %s", yaml->name, line, column, what);
    CHECK(length > 0);
}

vt_err yaml_fail(struct yaml *yaml, uint32_t node, const char *format, ...)
{
    char what[YAML_ERROR_BYTES - 64];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    write_error(yaml, yaml->nodes[node].line, yaml->nodes[node].column, what);
    return VT_INVALID;
}

/* ---- the tree, built from libyaml's events ---- */

struct builder {
    struct yaml *yaml;
    uint32_t open[YAML_DEPTH_MAX]; /* lists and maps not ended yet */
    uint32_t last[YAML_DEPTH_MAX]; /* their last child */
    uint32_t depth;
    uint32_t document_count;
};

static vt_err fail_at(struct yaml *yaml, const yaml_mark_t *mark, const char *what)
{
    write_error(yaml, (uint32_t) mark->line + 1, (uint32_t) mark->column + 1, what);
    return VT_INVALID;
}

static void link_child(struct builder *builder, uint32_t node)
{
    struct yaml *yaml = builder->yaml;
    if (builder->depth == 0) {
        yaml->root = node;
        return;
    }

    uint32_t level = builder->depth - 1;
    if (builder->last[level] == YAML_NONE) {
        yaml->nodes[builder->open[level]].first = node;
    } else {
        yaml->nodes[builder->last[level]].next = node;
    }
    builder->last[level] = node;
}

static vt_err add_node(struct builder *builder, const yaml_event_t *event, enum yaml_kind kind)
{
    struct yaml *yaml = builder->yaml;
    if (yaml->node_count == YAML_NODES_MAX) {
        (void) fail_at(yaml, &event->start_mark, "too many entries in one file");
        return VT_TOO_LARGE;
    }

    uint32_t node = yaml->node_count++;
    yaml->nodes[node] = (struct yaml_node){
        .kind = kind,
        .line = (uint32_t) event->start_mark.line + 1,
        .column = (uint32_t) event->start_mark.column + 1,
        .first = YAML_NONE,
        .next = YAML_NONE,
    };
    link_child(builder, node);
    if (kind == YAML_SCALAR) {
        struct bytes text =
            bytes_of(event->data.scalar.value, (uint32_t) event->data.scalar.length);
        yaml->nodes[node].text = bytes_copy(&yaml->arena, text);
        return VT_OK;
    }
    if (builder->depth == YAML_DEPTH_MAX) {
        (void) fail_at(yaml, &event->start_mark, "nested too deeply");
        return VT_TOO_LARGE;
    }
    builder->open[builder->depth] = node;
    builder->last[builder->depth] = YAML_NONE;
    builder->depth++;
    return VT_OK;
}

static vt_err take_event(struct builder *builder, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return add_node(builder, event, YAML_SCALAR);
    case YAML_SEQUENCE_START_EVENT:
        return add_node(builder, event, YAML_LIST);
    case YAML_MAPPING_START_EVENT:
        return add_node(builder, event, YAML_MAP);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        builder->depth--;
        return VT_OK;
    case YAML_ALIAS_EVENT:
        return fail_at(builder->yaml, &event->start_mark, "aliases (*name) are not allowed");
    case YAML_DOCUMENT_START_EVENT:
        if (builder->document_count++ > 0) {
            return fail_at(builder->yaml, &event->start_mark, "only one document in a file");
        }
        return VT_OK;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
    return VT_OK;
}

static vt_err fail_parser(struct yaml *yaml, const yaml_parser_t *parser)
{
    char what[256];
    snprintf(what,
             sizeof what,
             "%s%s%s",
             parser->problem != NULL ? parser->problem : "not valid YAML",
             parser->context != NULL ? " " : "",
             parser->context != NULL ? parser->context : "");
    return fail_at(yaml, &parser->problem_mark, what);
}

static vt_err build(struct builder *builder, yaml_parser_t *parser)
{
    bool is_done = false;
    while (!is_done) { /* every event consumes input or ends it */
        yaml_event_t event;
        if (yaml_parser_parse(parser, &event) == 0) {
            return fail_parser(builder->yaml, parser);
        }
        vt_err err = take_event(builder, &event);
        is_done = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        if (err != VT_OK) {
            return err;
        }
    }
    return VT_OK;
}

vt_err yaml_load_bytes(struct yaml *yaml, const char *name, struct bytes text)
{
    memset(yaml, 0, sizeof *yaml);
    yaml->root = YAML_NONE;
    snprintf(yaml->name, sizeof yaml->name, "%s", name);
    if (text.size > YAML_FILE_BYTES_MAX) {
        write_error(yaml, 1, 1, "the file is larger than 8 MiB");
        return VT_TOO_LARGE;
    }
    /* A text is at most as long as the file; each node adds a terminating NUL. */
    uint64_t nodes_bytes = YAML_NODES_MAX * sizeof(struct yaml_node);
    uint64_t bytes =
        nodes_bytes + 4 * (uint64_t) YAML_FILE_BYTES_MAX + UINT64_C(16) * YAML_NODES_MAX;
    if (process_reserve(bytes, &yaml->arena) != VT_OK) {
        write_error(yaml, 1, 1, "out of memory");
        return VT_UNAVAILABLE;
    }
    yaml->nodes = ARENA_ARRAY(&yaml->arena, struct yaml_node, YAML_NODES_MAX);

    yaml_parser_t parser;
    if (yaml_parser_initialize(&parser) == 0) {
        write_error(yaml, 1, 1, "out of memory");
        return VT_UNAVAILABLE;
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, text.data, text.size);
    struct builder builder = {.yaml = yaml};
    vt_err err = build(&builder, &parser);
    yaml_parser_delete(&parser);
    if (err == VT_OK && yaml->root == YAML_NONE) {
        write_error(yaml, 1, 1, "the file is empty");
        return VT_INVALID;
    }
    return err;
}

/* ---- files ---- */

static vt_err fail_file(struct yaml *yaml, const char *path, int error)
{
    snprintf(yaml->error, sizeof yaml->error, "%s: %s", path, strerrordesc_np(error));
    if (error == ENOENT || error == ENOTDIR) {
        return VT_NOT_FOUND;
    }
    return error == EACCES || error == EPERM ? VT_DENIED : VT_UNAVAILABLE;
}

static vt_err
read_all(struct yaml *yaml, const char *path, FILE *file, uint8_t **text, size_t *size)
{
    uint8_t *buffer = malloc(YAML_FILE_BYTES_MAX + 1);
    if (buffer == NULL) {
        return fail_file(yaml, path, ENOMEM);
    }
    *size = fread(buffer, 1, YAML_FILE_BYTES_MAX + 1, file);
    if (ferror(file) != 0) {
        free(buffer);
        return fail_file(yaml, path, errno);
    }
    *text = buffer;
    return VT_OK;
}

vt_err yaml_load_file(struct yaml *yaml, const char *path)
{
    memset(yaml, 0, sizeof *yaml);
    yaml->root = YAML_NONE;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return fail_file(yaml, path, errno);
    }
    uint8_t *text = NULL;
    size_t size = 0;
    vt_err err = read_all(yaml, path, file, &text, &size);
    fclose(file);
    if (err == VT_OK) {
        err = yaml_load_bytes(yaml, path, bytes_of(text, (uint32_t) size));
        free(text);
    }
    return err;
}

void yaml_close(struct yaml *yaml)
{
    process_unreserve(&yaml->arena);
}

/* ---- reading ---- */

static bool is_one_of(struct bytes text, const char *const *names, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (bytes_equal_text(text, names[i])) {
            return true;
        }
    }
    return false;
}

static vt_err
fail_unknown_key(struct yaml *yaml, uint32_t key, const char *const *names, uint32_t count)
{
    struct bytes text = yaml->nodes[key].text;
    int size = text.size > 64 ? 64 : (int) text.size;
    const char *nearest = options_nearest(names, count, text);
    if (nearest != NULL) {
        return yaml_fail(yaml,
                         key,
                         "unknown key '%.*s', did you mean '%s'?",
                         size,
                         (const char *) text.data,
                         nearest);
    }
    char all[256];
    struct text list;
    text_init(&list, all, sizeof all);
    for (uint32_t i = 0; i < count; i++) {
        text_add(&list, i == 0 ? "" : ", ");
        text_add(&list, names[i]);
    }
    return yaml_fail(
        yaml, key, "unknown key '%.*s'; known are: %s", size, (const char *) text.data, all);
}

/* Keys before `key` in its map are looked through; maps written by people are short. */
static bool is_repeated(const struct yaml *yaml, uint32_t map, uint32_t key)
{
    uint32_t seen = yaml->nodes[map].first;
    while (seen != key) {
        if (bytes_equal(yaml->nodes[seen].text, yaml->nodes[key].text)) {
            return true;
        }
        seen = yaml->nodes[yaml->nodes[seen].next].next;
    }
    return false;
}

vt_err yaml_check_map(struct yaml *yaml, uint32_t node, const char *const *names, uint32_t count)
{
    if (yaml->nodes[node].kind != YAML_MAP) {
        return yaml_fail(yaml, node, "expected a map of keys (%s, ...) here", names[0]);
    }
    for (uint32_t key = yaml->nodes[node].first; key != YAML_NONE;) {
        if (yaml->nodes[key].kind != YAML_SCALAR) {
            return yaml_fail(yaml, key, "a key must be plain text");
        }
        if (!is_one_of(yaml->nodes[key].text, names, count)) {
            return fail_unknown_key(yaml, key, names, count);
        }
        if (is_repeated(yaml, node, key)) {
            return yaml_fail(yaml, key, "this key stands here twice");
        }
        key = yaml->nodes[yaml->nodes[key].next].next;
    }
    return VT_OK;
}

uint32_t yaml_get(const struct yaml *yaml, uint32_t map, const char *key)
{
    for (uint32_t at = yaml->nodes[map].first; at != YAML_NONE;) {
        uint32_t value = yaml->nodes[at].next;
        if (bytes_equal_text(yaml->nodes[at].text, key)) {
            return value;
        }
        at = yaml->nodes[value].next;
    }
    return YAML_NONE;
}

vt_err yaml_items(struct yaml *yaml, uint32_t node, const char *what, uint32_t *first)
{
    if (yaml->nodes[node].kind != YAML_LIST) {
        return yaml_fail(yaml, node, "%s must be a list: [a, b]", what);
    }
    *first = yaml->nodes[node].first;
    return VT_OK;
}

vt_err yaml_u64(struct yaml *yaml, uint32_t node, const struct yaml_number *wanted, uint64_t *value)
{
    const struct yaml_node *at = &yaml->nodes[node];
    uint64_t number = 0;
    if (at->kind != YAML_SCALAR || text_parse_u64(at->text, wanted->max, &number) != VT_OK ||
        number < wanted->min) {
        return yaml_fail(yaml,
                         node,
                         "%s must be a whole number from %llu to %llu",
                         wanted->what,
                         (unsigned long long) wanted->min,
                         (unsigned long long) wanted->max);
    }
    *value = number;
    return VT_OK;
}

static bool has_control_characters(struct bytes text)
{
    for (uint32_t i = 0; i < text.size; i++) {
        if (text.data[i] < 0x20 || text.data[i] == 0x7f) {
            return true;
        }
    }
    return false;
}

vt_err yaml_name(
    struct yaml *yaml, uint32_t node, const char *what, uint32_t bytes_max, struct bytes *value)
{
    const struct yaml_node *at = &yaml->nodes[node];
    if (at->kind != YAML_SCALAR || at->text.size == 0 || at->text.size > bytes_max ||
        has_control_characters(at->text)) {
        return yaml_fail(yaml, node, "%s must be a text of 1 to %u bytes", what, bytes_max);
    }
    *value = at->text;
    return VT_OK;
}
