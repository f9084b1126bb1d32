#ifndef IO_HTTP_PAGES_H
#define IO_HTTP_PAGES_H

/* The pages behind io/http.c: asks the cores, the store and the links, and writes text. Internal to
 * io/http*.c.
 */

#include <stdbool.h>
#include <stdint.h>

#include "io/http.h"
#include "lib/arena.h"

struct http_pages {
    struct http_options options;
    struct http_listener {
        struct http_pages *pages;
        struct host *host;
        uint32_t source;
    } listeners[HTTP_SOURCES_MAX];
    struct arena arena; /* rows of the page being made */
    struct http_metric *metrics;
    uint32_t metric_count;
    struct http_check *checks;
    uint32_t check_count;
    uint64_t cursor; /* of the answer that just came */
    int64_t started_us;
};

VT_MUST_USE vt_err http_pages_open(struct http_pages *pages, const struct http_options *options);
void http_pages_close(struct http_pages *pages);

struct http_page {
    char *text; /* free() it; NULL: out of memory */
    uint64_t size;
    bool is_ready; /* readyz */
};

struct http_page http_pages_metrics(struct http_pages *pages);

enum http_detail {
    HTTP_BRIEF,
    HTTP_VERBOSE
};
struct http_page http_pages_ready(struct http_pages *pages, enum http_detail detail);

#endif
