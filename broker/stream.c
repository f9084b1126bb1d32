#include "broker/stream.h"

#include "lib/check.h"

#define RETRY_MIN_MS 1000
#define RETRY_MAX_MS 8000

void stream_open(struct stream *stream)
{
    *stream = (struct stream){.head_n = 1, .next_row = LIST_NONE, .is_open = true};
    list_init(&stream->rows);
    backoff_init(&stream->retry, RETRY_MIN_MS, RETRY_MAX_MS);
}

uint64_t stream_last(const struct stream *stream)
{
    return stream->head_n + stream->rows.count - 1U;
}

void stream_push(struct stream *stream, struct list_link *links, uint32_t row)
{
    list_push_back(&stream->rows, links, row);
    if (stream->next_row == LIST_NONE) {
        CHECK(stream->sent + 1U == stream_last(stream));
        stream->next_row = row;
    }
}

bool stream_head_is_taken(const struct stream *stream)
{
    return stream->rows.count > 0 && stream->head_n <= stream->taken;
}

uint32_t stream_pop(struct stream *stream, struct list_link *links)
{
    CHECK(stream_head_is_taken(stream));
    stream->head_n++;
    return list_pop_front(&stream->rows, links);
}

uint32_t stream_advance(struct stream *stream, const struct list_link *links, uint64_t *n)
{
    uint32_t row = stream->next_row;
    CHECK(row != LIST_NONE);
    stream->sent++;
    if (stream->sent > stream->sent_max) {
        stream->sent_max = stream->sent;
    }
    stream->next_row = list_next(links, row);
    *n = stream->sent;
    return row;
}

void stream_rewind(struct stream *stream, const struct list_link *links)
{
    if (stream->sent == stream->taken) {
        return;
    }
    uint32_t row = list_first(&stream->rows);
    for (uint64_t n = stream->head_n; n <= stream->taken; n++) {
        row = list_next(links, row);
    }
    stream->sent = stream->taken;
    stream->next_row = row;
}

bool stream_take(struct stream *stream, const struct list_link *links, uint64_t upto)
{
    if (upto <= stream->taken || upto > stream->sent_max) {
        return false;
    }
    while (stream->sent < upto) {
        stream->next_row = list_next(links, stream->next_row);
        stream->sent++;
    }
    stream->taken = upto;
    return true;
}

void stream_renumber(struct stream *stream, uint64_t epoch)
{
    stream->resync_n =
        stream->resync_n >= stream->head_n ? stream->resync_n - stream->head_n + 1U : 0;
    stream->head_n = 1;
    stream->taken = 0;
    stream->sent = 0;
    stream->sent_max = 0;
    stream->next_row = list_first(&stream->rows);
    stream->epoch = epoch;
}
