#include "lib/trace.h"

#include "lib/check.h"

static const char *const level_texts[] = {
    [TRACE_ERROR] = "error", [TRACE_WARN] = "warn", [TRACE_INFO] = "info", [TRACE_DEBUG] = "debug"};

void trace_init(struct trace *trace, enum trace_level level, trace_write_fn *write, void *context)
{
    *trace = (struct trace){.level = level, .write = write, .context = context};
    text_init(&trace->line, trace->buffer, (uint32_t) sizeof trace->buffer);
}

const char *trace_level_text(enum trace_level level)
{
    CHECK((uint32_t) level < ARRAY_LENGTH(level_texts));
    return level_texts[level];
}

vt_err trace_level_parse(struct bytes text, enum trace_level *level)
{
    for (uint32_t i = 0; i < ARRAY_LENGTH(level_texts); i++) {
        if (bytes_equal_text(text, level_texts[i])) {
            *level = (enum trace_level) i;
            return VT_OK;
        }
    }
    return VT_INVALID;
}

void trace_open_record(struct trace *trace, enum trace_level level, const char *event)
{
    CHECK(!trace->is_open);
    trace->is_open = true;
    trace->current = level;
    text_clear(&trace->line);
    text_add(&trace->line, trace_level_text(level));
    text_add_char(&trace->line, ' ');
    text_add(&trace->line, event);
}

static void add_key(struct trace *trace, const char *key, const char *unit)
{
    text_add_char(&trace->line, ' ');
    text_add(&trace->line, key);
    text_add(&trace->line, unit);
    text_add_char(&trace->line, '=');
}

void trace_add_id(struct trace *trace, const char *key, struct ticket_id id)
{
    char text[ID_TEXT_SIZE];
    id_to_text(id, text);
    add_key(trace, key, "");
    text_add(&trace->line, text);
}

/* A value that needs no quotes for a program to split the line at blanks and `=`. */
static bool is_plain(struct bytes value)
{
    for (uint32_t i = 0; i < value.size; i++) {
        uint8_t byte = value.data[i];
        if (byte <= ' ' || byte >= 0x7F || byte == '"' || byte == '=' || byte == '\\') {
            return false;
        }
    }
    return value.size > 0;
}

void trace_add_bytes(struct trace *trace, const char *key, struct bytes value)
{
    add_key(trace, key, "");
    if (is_plain(value)) {
        text_add_bytes(&trace->line, value);
    } else {
        text_add_json_string(&trace->line, value);
    }
}

void trace_add_u64(struct trace *trace, const char *key, uint64_t value)
{
    add_key(trace, key, "");
    text_add_u64(&trace->line, value);
}

void trace_add_i64(struct trace *trace, const char *key, int64_t value)
{
    add_key(trace, key, "");
    text_add_i64(&trace->line, value);
}

void trace_add_ms(struct trace *trace, const char *key, int64_t value_ms)
{
    add_key(trace, key, "_ms");
    text_add_i64(&trace->line, value_ms);
}

void trace_close_record(struct trace *trace)
{
    CHECK(trace->is_open);
    trace->is_open = false;
    trace->write(trace->context, trace->current, trace->line.data, trace->line.size);
}
