#include "io/store_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/check.h"

void store_queue_add(struct job_list *list, struct store_job *job)
{
    job->next = NULL;
    if (list->last == NULL) {
        list->first = job;
    } else {
        list->last->next = job;
    }
    list->last = job;
}

struct store_job *store_queue_take(struct job_list *list)
{
    struct store_job *job = list->first;
    if (job != NULL) {
        list->first = job->next;
        if (list->first == NULL) {
            list->last = NULL;
        }
    }
    return job;
}

void store_queue_lock(struct store *store)
{
    CHECK(pthread_mutex_lock(&store->mutex) == 0);
}

void store_queue_unlock(struct store *store)
{
    CHECK(pthread_mutex_unlock(&store->mutex) == 0);
}

static int64_t monotonic_us(void)
{
    struct timespec now;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* With the mutex held. */
static void complete(struct store_job *job)
{
    struct store_port *port = job->port;
    bool was_empty = port->done.first == NULL;
    store_queue_add(&port->done, job);
    if (was_empty) {
        uint64_t one = 1;
        ssize_t written = 0;
        do {
            written = write(port->event_fd, &one, sizeof one);
        } while (written < 0 && errno == EINTR);
        CHECK(written == (ssize_t) sizeof one || errno == EAGAIN);
    }
}

static void make_results(struct store_job *job)
{
    if (job->count > job->result_capacity) {
        free(job->results);
        job->results = malloc((size_t) job->count * sizeof *job->results);
        CHECK(job->results != NULL);
        job->result_capacity = job->count;
    }
    if (job->count > 0) {
        memset(job->results, 0, (size_t) job->count * sizeof *job->results);
    }
}

static void transact(struct store *store, uint32_t count)
{
    if (count == 0) {
        return;
    }
    struct store_outcome outcome = {0};
    int64_t start_us = monotonic_us();
    store->backend.write(store->backend.self, store->items, count, &outcome);
    int64_t took_us = monotonic_us() - start_us;

    store_queue_lock(store);
    struct store_figures *figures = &store->figures;
    figures->requests += count;
    figures->commits += outcome.wrote ? 1U : 0U;
    figures->rollbacks += outcome.has_failed ? 1U : 0U;
    figures->is_failing = outcome.has_failed;
    figures->tickets = outcome.tickets;
    figures->keys = outcome.keys;
    figures->file_bytes = outcome.file_bytes;
    figures->syncs = outcome.syncs;
    if (outcome.wrote) {
        histogram_add(&figures->commit_us, took_us);
        histogram_add(&figures->commit_count, count);
    }
    store_queue_unlock(store);
}

/* A claim has a transaction of its own. Returns how many wait for the next one. */
static uint32_t add_item(struct store *store, struct store_job *job, uint32_t index, uint32_t count)
{
    const struct store_request *request = &job->requests[index];
    bool is_claim = request->kind == STORE_CLAIM;
    if (count == STORE_ITEMS_MAX || is_claim) {
        transact(store, count);
        count = 0;
    }
    store->items[count++] = (struct store_item){
        .request = request, .result = &job->results[index], .memory = &job->memory};
    if (is_claim) {
        transact(store, count);
        count = 0;
    }
    return count;
}

/* Runs every request of the list, in their order, in as few transactions as may be. */
static void run_writes(struct store *store, const struct job_list *list)
{
    uint32_t count = 0;
    for (struct store_job *job = list->first; job != NULL; job = job->next) {
        make_results(job);
        for (uint32_t i = 0; i < job->count; i++) {
            count = add_item(store, job, i, count);
        }
    }
    transact(store, count);
}

static void run_load(struct store *store, struct store_job *job)
{
    job->page = (struct load_page){0};
    job->error = store->backend.load(store->backend.self, &job->load, &job->page, &job->memory);
}

/* With the mutex held: what goes into the next group. */
static struct job_list gather(struct store *store)
{
    struct job_list taken = {0};
    uint64_t count = 0;
    while (store->writes.first != NULL) {
        count += store->writes.first->count;
        if (taken.first != NULL && count > STORE_ITEMS_MAX) {
            break;
        }
        store_queue_add(&taken, store_queue_take(&store->writes));
        store->figures.queue_depth--;
    }
    return taken;
}

static void run_call(struct store *store, struct store_call *call)
{
    vt_err result =
        store->backend.intern(store->backend.self, call->kind, call->names, call->count);
    store_queue_lock(store);
    call->result = result;
    call->is_done = true;
    CHECK(pthread_cond_broadcast(&store->call_done) == 0);
    store_queue_unlock(store);
}

/* One group of writes, then at most one page: neither waits long for the other. */
static void turn(struct store *store, struct job_list *writes, struct store_job *load)
{
    run_writes(store, writes);
    store_queue_lock(store);
    for (struct store_job *job = store_queue_take(writes); job != NULL;
         job = store_queue_take(writes)) {
        complete(job);
    }
    store_queue_unlock(store);

    if (load != NULL) {
        run_load(store, load);
        store_queue_lock(store);
        store->figures.loads++;
        complete(load);
        store_queue_unlock(store);
    }
}

static bool has_work(const struct store *store)
{
    return store->writes.first != NULL || store->loads.first != NULL || store->call != NULL;
}

void *store_queue_run(void *argument)
{
    struct store *store = argument;
    for (;;) {
        store_queue_lock(store);
        while (!has_work(store) && !store->is_stopping) {
            CHECK(pthread_cond_wait(&store->work, &store->mutex) == 0);
        }
        if (!has_work(store)) {
            store_queue_unlock(store);
            return NULL;
        }
        struct job_list writes = gather(store);
        struct store_job *load = store_queue_take(&store->loads);
        store->figures.queue_depth -= load != NULL ? 1U : 0U;
        struct store_call *call = store->call;
        store->call = NULL;
        store_queue_unlock(store);

        if (call != NULL) {
            run_call(store, call);
        }
        turn(store, &writes, load);
    }
}
