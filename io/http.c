#include "io/http.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "io/http_pages.h"
#include "io/process.h"
#include "lib/check.h"
#include "lib/core.h"

#define CONNECTIONS_MAX 64u
#define CONNECTION_LIFE_MS 15000
#define IDLE_TIMEOUT_S 5u
#define MEMORY_BYTES_MAX ((size_t) 32 * 1024) /* of one connection: request line and headers */
#define BODY_BYTES_DISCARDED_MAX 4096u
#define RUNS_MAX 8u
#define BACKLOG 64
#define HOST_BYTES 64u
#define LOOK_MS 1000

struct connection {
    int fd; /* -1: free */
    int64_t opened_ms;
};

/* Lives from a request's first call to its end. */
struct request {
    uint32_t body_bytes;
};

struct http {
    struct MHD_Daemon *daemon;
    struct loop *loop;
    int epoll_fd;
    struct http_pages pages;
    struct connection connections[CONNECTIONS_MAX];
    int64_t looked_ms;
    bool has_answered; /* a core was asked and may want its turn */
    bool has_closed;   /* a connection ended, so there is room for another one */
    char address[HTTP_ADDRESS_BYTES];
};

/* ---- answers ---- */

static enum MHD_Result
send_response(struct MHD_Connection *connection, unsigned int status, struct MHD_Response *response)
{
    if (response == NULL) {
        return MHD_NO;
    }
    (void) MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    (void) MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (MHD_get_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE) == NULL) {
        (void) MHD_add_response_header(
            response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; charset=utf-8");
    }
    enum MHD_Result queued = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return queued;
}

static enum MHD_Result
send_text(struct MHD_Connection *connection, unsigned int status, const char *text)
{
    char *copy = strdup(text);
    if (copy == NULL) {
        return MHD_NO;
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(copy), copy, MHD_RESPMEM_MUST_FREE);
    if (response != NULL && status == MHD_HTTP_METHOD_NOT_ALLOWED) {
        (void) MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    }
    return send_response(connection, status, response);
}

/* Takes the page's text. */
static struct MHD_Response *response_of(struct http_page page)
{
    return MHD_create_response_from_buffer(page.size, page.text, MHD_RESPMEM_MUST_FREE);
}

static enum MHD_Result send_metrics(struct http *http, struct MHD_Connection *connection)
{
    struct http_page page = http_pages_metrics(&http->pages);
    if (page.text == NULL) {
        return send_text(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory\n");
    }
    struct MHD_Response *response = response_of(page);
    if (response != NULL) {
        (void) MHD_add_response_header(
            response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");
    }
    return send_response(connection, MHD_HTTP_OK, response);
}

static enum MHD_Result send_ready(struct http *http, struct MHD_Connection *connection)
{
    bool is_verbose = MHD_lookup_connection_value_n(
                          connection, MHD_GET_ARGUMENT_KIND, "verbose", 7, NULL, NULL) == MHD_YES;
    struct http_page page = http_pages_ready(&http->pages, is_verbose ? HTTP_VERBOSE : HTTP_BRIEF);
    if (page.text == NULL) {
        return send_text(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory\n");
    }
    unsigned int status = page.is_ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
    return send_response(connection, status, response_of(page));
}

static bool is_read_only(const char *method)
{
    return strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
}

static enum MHD_Result refuse_method(struct MHD_Connection *connection)
{
    return send_text(connection,
                     MHD_HTTP_METHOD_NOT_ALLOWED,
                     "method not allowed; these pages are read only: GET or HEAD\n");
}

static enum MHD_Result answer(struct http *http, struct MHD_Connection *connection, const char *url)
{
    if (strcmp(url, "/livez") == 0 || strcmp(url, "/healthz") == 0) {
        return send_text(connection, MHD_HTTP_OK, "ok\n");
    }
    http->has_answered = true;
    if (strcmp(url, "/readyz") == 0) {
        return send_ready(http, connection);
    }
    if (strcmp(url, "/metrics") == 0) {
        return send_metrics(http, connection);
    }
    return send_text(connection,
                     MHD_HTTP_NOT_FOUND,
                     "not found; there are /livez, /readyz?verbose and /metrics\n");
}

/* libmicrohttpd calls it once with the headers, then for pieces of a body, then for the answer. A
 * body means nothing here: a little of it is passed over, more ends the connection. */
/* NOLINTNEXTLINE(readability-function-size): the library's parameters */
static enum MHD_Result handle(void *context,
                              struct MHD_Connection *connection,
                              const char *url,
                              const char *method,
                              const char *version,
                              const char *upload,
                              size_t *upload_size,
                              void **place)
{
    struct http *http = context;
    struct request *request = *place;
    (void) version;
    (void) upload;
    if (request == NULL) {
        request = calloc(1, sizeof *request);
        *place = request;
        if (request != NULL && !is_read_only(method)) {
            return refuse_method(connection);
        }
        return request == NULL ? MHD_NO : MHD_YES;
    }
    if (*upload_size > 0) {
        bool is_too_much = *upload_size > BODY_BYTES_DISCARDED_MAX - request->body_bytes;
        request->body_bytes += is_too_much ? 0 : (uint32_t) *upload_size;
        *upload_size = 0;
        return is_too_much ? MHD_NO : MHD_YES;
    }
    return answer(http, connection, url);
}

static void request_ended(void *context,
                          struct MHD_Connection *connection,
                          void **place,
                          enum MHD_RequestTerminationCode code)
{
    (void) context;
    (void) connection;
    (void) code;
    free(*place);
    *place = NULL;
}

/* ---- connections ---- */

static void connection_changed(void *context,
                               struct MHD_Connection *connection,
                               void **place,
                               enum MHD_ConnectionNotificationCode code)
{
    struct http *http = context;
    struct connection *mine = *place;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        http->has_closed = true;
        if (mine != NULL) {
            mine->fd = -1;
        }
        return;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    for (uint32_t i = 0; info != NULL && i < CONNECTIONS_MAX; i++) {
        if (http->connections[i].fd < 0) {
            http->connections[i].fd = info->connect_fd;
            http->connections[i].opened_ms = process_now_ms();
            *place = &http->connections[i];
            return;
        }
    }
}

/* A peer that sends or reads a byte now and then is never idle; it ends all the same. */
static void end_old_connections(struct http *http, int64_t now_ms)
{
    for (uint32_t i = 0; i < CONNECTIONS_MAX; i++) {
        struct connection *connection = &http->connections[i];
        if (connection->fd >= 0 && now_ms - connection->opened_ms >= CONNECTION_LIFE_MS) {
            (void) shutdown(connection->fd, SHUT_RDWR);
        }
    }
}

/* ---- in the loop ---- */

static void http_ready(void *context)
{
    struct http *http = context;
    (void) MHD_run(http->daemon);
}

/* libmicrohttpd's inner epoll is edge-triggered: what it has noticed but not worked off is told by
 * a timeout of zero only. At the limit of connections it listens no more, and begins again in a run
 * after the one in which connections ended: nothing but this would wake it for that. */
static int64_t http_turn(void *context, int64_t now_ms)
{
    struct http *http = context;
    MHD_UNSIGNED_LONG_LONG wait_ms = 0;
    if (http->daemon == NULL) {
        return NO_DEADLINE;
    }
    if (now_ms - http->looked_ms >= LOOK_MS) {
        http->looked_ms = now_ms;
        end_old_connections(http, now_ms);
    }
    if (http->has_closed) {
        http->has_closed = false;
        (void) MHD_run(http->daemon);
    }
    bool has_wait = MHD_get_timeout(http->daemon, &wait_ms) == MHD_YES;
    for (uint32_t i = 0; has_wait && wait_ms == 0 && i < RUNS_MAX; i++) {
        (void) MHD_run(http->daemon);
        has_wait = MHD_get_timeout(http->daemon, &wait_ms) == MHD_YES;
    }
    if (http->has_answered) {
        http->has_answered = false;
        return now_ms;
    }
    if (!has_wait) {
        return NO_DEADLINE;
    }
    return now_ms + (wait_ms > LOOK_MS ? LOOK_MS : (int64_t) wait_ms);
}

/* ---- opening ---- */

static vt_err complain(char *message, const char *address, int error)
{
    snprintf(message,
             HTTP_MESSAGE_BYTES,
             "cannot listen on %.64s: %s%s",
             address,
             strerrordesc_np(error),
             error == EADDRINUSE ? "; stop the other program or choose another port (--http)" : "");
    if (error == EADDRINUSE) {
        return VT_CONFLICT;
    }
    return error == EACCES || error == EPERM ? VT_DENIED : VT_INVALID;
}

static struct addrinfo *resolve(const char *address)
{
    char host[HTTP_ADDRESS_BYTES];
    const char *colon = strrchr(address, ':');
    CHECK(colon != NULL);
    const char *first = address[0] == '[' ? address + 1 : address;
    size_t size = (size_t) (colon - first);
    size -= address[0] == '[' ? 1 : 0;
    if (size >= sizeof host) {
        return NULL;
    }
    memcpy(host, first, size);
    host[size] = '\0';
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    return getaddrinfo(size == 0 ? NULL : host, colon + 1, &hints, &found) == 0 ? found : NULL;
}

static int listen_on(const struct addrinfo *at)
{
    int yes = 1;
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -1;
    }
    (void) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, at->ai_addr, at->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static void note_address(struct http *http, int fd)
{
    struct sockaddr_storage at = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof at;
    char host[HOST_BYTES] = "";
    char port[16] = "";
    if (getsockname(fd, (struct sockaddr *) &at, &size) == 0) {
        (void) getnameinfo((struct sockaddr *) &at,
                           size,
                           host,
                           sizeof host,
                           port,
                           sizeof port,
                           NI_NUMERICHOST | NI_NUMERICSERV);
    }
    snprintf(http->address,
             sizeof http->address,
             at.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s",
             host,
             port);
}

static vt_err open_daemon(struct http *http, int fd)
{
    http->daemon = MHD_start_daemon(MHD_USE_EPOLL,
                                    0,
                                    NULL,
                                    NULL,
                                    handle,
                                    http,
                                    MHD_OPTION_LISTEN_SOCKET,
                                    fd,
                                    MHD_OPTION_CONNECTION_LIMIT,
                                    CONNECTIONS_MAX,
                                    MHD_OPTION_CONNECTION_TIMEOUT,
                                    IDLE_TIMEOUT_S,
                                    MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                                    MEMORY_BYTES_MAX,
                                    MHD_OPTION_NOTIFY_COMPLETED,
                                    request_ended,
                                    NULL,
                                    MHD_OPTION_NOTIFY_CONNECTION,
                                    connection_changed,
                                    http,
                                    MHD_OPTION_END);
    if (http->daemon == NULL) {
        close(fd);
        return VT_UNAVAILABLE;
    }
    http->epoll_fd = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    struct loop_source source = {.fd = http->epoll_fd, .ready = http_ready, .context = http};
    struct loop_turner turner = {.turn = http_turn, .context = http};
    vt_err err = loop_add(http->loop, &source);
    return err == VT_OK ? loop_add_turner(http->loop, &turner) : err;
}

vt_err
http_open(const struct http_options *options, struct http **out, char message[HTTP_MESSAGE_BYTES])
{
    snprintf(message, HTTP_MESSAGE_BYTES, "out of memory");
    struct addrinfo *at = resolve(options->address);
    if (at == NULL) {
        return complain(message, options->address, EADDRNOTAVAIL);
    }
    int fd = listen_on(at);
    int error = errno;
    freeaddrinfo(at);
    if (fd < 0) {
        return complain(message, options->address, error);
    }
    struct http *http = calloc(1, sizeof *http);
    if (http == NULL) {
        close(fd);
        return VT_UNAVAILABLE;
    }
    for (uint32_t i = 0; i < CONNECTIONS_MAX; i++) {
        http->connections[i].fd = -1;
    }
    http->loop = options->loop;
    http->epoll_fd = -1;
    note_address(http, fd);
    vt_err err = http_pages_open(&http->pages, options);
    if (err == VT_OK) {
        err = open_daemon(http, fd);
    } else {
        close(fd);
    }
    if (err != VT_OK) {
        http_close(http);
        return err;
    }
    *out = http;
    return VT_OK;
}

void http_close(struct http *http)
{
    if (http == NULL) {
        return;
    }
    if (http->epoll_fd >= 0) {
        loop_remove(http->loop, NULL, http->epoll_fd);
    }
    if (http->daemon != NULL) {
        MHD_stop_daemon(http->daemon);
    }
    http_pages_close(&http->pages);
    free(http);
}

const char *http_address(const struct http *http)
{
    return http->address;
}
