#include "tests/unit/store_suite.h"

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/check.h"

static int64_t clock_us(void *context)
{
    struct suite *suite = context;
    return atomic_load(&suite->now_us);
}

void suite_make_folder(char folder[64])
{
    (void) snprintf(folder, 64, "/tmp/ventanilla-store-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
}

void suite_remove_folder(const char *folder)
{
    DIR *directory = opendir(folder);
    CHECK(directory != NULL);
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        char path[512];
        (void) snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] != '.') {
            CHECK(unlink(path) == 0);
        }
    }
    closedir(directory);
    CHECK(rmdir(folder) == 0);
}

void suite_start(struct suite *suite)
{
    vt_err error =
        store_open_sqlite(&suite->options, &suite->store, suite->message, sizeof suite->message);
    if (error != VT_OK) {
        (void) fprintf(stderr, "%s\n", suite->message);
    }
    CHECK(error == VT_OK);
    CHECK(store_port_open(suite->store, &suite->port) == VT_OK);
}

struct suite *suite_open(const struct store_options *options)
{
    struct suite *suite = calloc(1, sizeof *suite);
    CHECK(suite != NULL);
    suite_make_folder(suite->folder);
    suite->options = *options;
    suite->options.folder = suite->folder;
    suite->options.clock_us = clock_us;
    suite->options.context = suite;
    atomic_store(&suite->now_us, SUITE_START_US);
    id_source_init(&suite->ids, 1);
    suite_start(suite);

    struct store_request claim = suite_claim(SUITE_EPOCH, "router-a");
    CHECK(suite_ask(suite, &claim).status == STORE_DONE);
    return suite;
}

void suite_stop(struct suite *suite)
{
    store_close(suite->store);
    suite->store = NULL;
    suite->port = NULL;
}

void suite_close(struct suite *suite)
{
    suite_stop(suite);
    suite_remove_folder(suite->folder);
    free(suite);
}

struct store_completion suite_wait(struct suite *suite)
{
    struct store_completion done;
    while (!store_port_next(suite->port, &done)) {
        struct pollfd fd = {.fd = store_port_fd(suite->port), .events = POLLIN};
        CHECK(poll(&fd, 1, 60000) == 1);
    }
    return done;
}

const struct store_result *
suite_ask_many(struct suite *suite, const struct store_request *requests, uint32_t count)
{
    suite->token++;
    CHECK(store_port_submit(suite->port, suite->token, requests, count) == VT_OK);
    struct store_completion done = suite_wait(suite);
    CHECK(!done.is_load);
    CHECK(done.token == suite->token);
    CHECK(done.count == count);
    return done.results;
}

struct store_result suite_ask(struct suite *suite, const struct store_request *request)
{
    return suite_ask_many(suite, request, 1)[0];
}

const struct load_page *suite_load(struct suite *suite, const struct load_request *request)
{
    suite->token++;
    CHECK(store_port_load(suite->port, suite->token, request) == VT_OK);
    struct store_completion done = suite_wait(suite);
    CHECK(done.is_load);
    CHECK(done.token == suite->token);
    CHECK(done.error == VT_OK);
    return done.page;
}

struct store_request suite_submit(struct suite *suite, const char *key, const char *body)
{
    struct store_request request = {
        .kind = STORE_SUBMIT,
        .part = SUITE_PART,
        .ticket = id_next(&suite->ids, atomic_load(&suite->now_us) / 1000, SUITE_PART),
        .submit = {.queue = 3,
                   .priority = 50,
                   .client = bytes_of_text("gateway"),
                   .key = bytes_of_text(key),
                   .requirements = bytes_of_text("needs"),
                   .body = bytes_of_text(body)},
    };
    /* Good enough where the store only compares. */
    size_t size = strlen(body);
    memcpy(request.submit.digest, body, size < 16 ? size : 16);
    return request;
}

struct store_request suite_move(enum store_kind kind, struct ticket_id ticket, uint32_t attempt)
{
    return (struct store_request){
        .kind = kind,
        .part = SUITE_PART,
        .epoch = SUITE_EPOCH,
        .ticket = ticket,
        .move = {.attempt = attempt, .agent = 5, .site = 2, .seen = 1},
    };
}

struct store_request suite_claim(uint64_t epoch, const char *owner)
{
    return (struct store_request){
        .kind = STORE_CLAIM,
        .part = SUITE_PART,
        .epoch = epoch,
        .claim = {.owner = bytes_of_text(owner)},
    };
}

struct ticket_id suite_ticket(struct suite *suite, const char *key)
{
    struct store_request request = suite_submit(suite, key, "body");
    CHECK(suite_ask(suite, &request).status == STORE_DONE);
    return request.ticket;
}

struct ticket_id suite_assigned(struct suite *suite, const char *key)
{
    struct ticket_id ticket = suite_ticket(suite, key);
    struct store_request assign = suite_move(STORE_ASSIGN, ticket, 1);
    CHECK(suite_ask(suite, &assign).status == STORE_DONE);
    return ticket;
}

struct ticket_row suite_row(struct suite *suite, struct ticket_id ticket)
{
    struct load_request request = {.kind = LOAD_TICKET, .ticket = ticket};
    const struct load_page *page = suite_load(suite, &request);
    CHECK(page->row_count == 1);
    return page->rows[0];
}
