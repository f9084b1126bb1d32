#include "io/store.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "io/store_backend.h"
#include "lib/check.h"

/* Ports, the queue and the thread, for every database alike. Group commit without a timer: while
 * one transaction runs the next one gathers in the queue.
 *
 * A job belongs to one of three parties at a time: its port's free list, the store's queue and
 * thread, or the port's list of completions. The mutex is held to move it and never longer.
 */

#define PORTS_MAX_DEFAULT 8U

struct store_job {
    struct store_job *next;
    struct store_port *port;
    bool is_load;
    uint64_t token;
    const struct store_request *requests;
    uint32_t count;
    struct load_request load;
    struct store_result *results;
    uint32_t result_capacity;
    vt_err error;
    struct load_page page;
    struct store_memory memory;
};

struct job_list {
    struct store_job *first;
    struct store_job *last;
};

struct store_port {
    struct store *store;
    int event_fd;
    struct store_job *free; /* newest first: few jobs stay warm */
    struct job_list done;
    struct store_job *lent;
    struct store_job jobs[STORE_PORT_JOBS_MAX];
};

/* A caller who waits for the thread; lives on that caller's stack. */
struct store_call {
    enum store_names kind;
    struct store_name *names;
    uint32_t count;
    vt_err result;
    bool is_done;
};

struct store {
    struct store_backend backend;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t work;      /* the thread waits for it */
    pthread_cond_t call_done; /* callers of store_intern_* wait for it */
    bool is_stopping;
    struct job_list writes;
    struct job_list loads;
    struct store_call *call;
    struct store_figures figures;
    struct store_port **ports;
    uint32_t port_count;
    uint32_t ports_max;
    struct store_item items[STORE_ITEMS_MAX]; /* the thread's alone */
};

static void list_add(struct job_list *list, struct store_job *job)
{
    job->next = NULL;
    if (list->last == NULL) {
        list->first = job;
    } else {
        list->last->next = job;
    }
    list->last = job;
}

static struct store_job *list_take(struct job_list *list)
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

static void lock(struct store *store)
{
    CHECK(pthread_mutex_lock(&store->mutex) == 0);
}

static void unlock(struct store *store)
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
    list_add(&port->done, job);
    if (was_empty) {
        uint64_t one = 1;
        ssize_t written;
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

    lock(store);
    struct store_figures *figures = &store->figures;
    figures->requests += count;
    figures->commits += outcome.wrote ? 1U : 0U;
    figures->rollbacks += outcome.has_failed ? 1U : 0U;
    figures->is_failing = outcome.has_failed;
    figures->tickets = outcome.tickets;
    figures->keys = outcome.keys;
    figures->file_bytes = outcome.file_bytes;
    if (outcome.wrote) {
        histogram_add(&figures->commit_us, took_us);
        histogram_add(&figures->commit_count, count);
    }
    unlock(store);
}

/* Runs every request of the list, in their order, in as few transactions as the bound and the
 * claims allow: a claim has a transaction of its own. */
static void run_writes(struct store *store, const struct job_list *list)
{
    uint32_t count = 0;
    for (struct store_job *job = list->first; job != NULL; job = job->next) {
        make_results(job);
        for (uint32_t i = 0; i < job->count; i++) {
            bool is_claim = job->requests[i].kind == STORE_CLAIM;
            if (count == STORE_ITEMS_MAX || is_claim) {
                transact(store, count);
                count = 0;
            }
            store->items[count++] = (struct store_item){
                .request = &job->requests[i], .result = &job->results[i], .memory = &job->memory};
            if (is_claim) {
                transact(store, count);
                count = 0;
            }
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
        list_add(&taken, list_take(&store->writes));
        store->figures.queue_depth--;
    }
    return taken;
}

static void run_call(struct store *store, struct store_call *call)
{
    vt_err result =
        store->backend.intern(store->backend.self, call->kind, call->names, call->count);
    lock(store);
    call->result = result;
    call->is_done = true;
    CHECK(pthread_cond_broadcast(&store->call_done) == 0);
    unlock(store);
}

/* One group of writes, then at most one page: neither waits long for the other. */
static void turn(struct store *store, struct job_list *writes, struct store_job *load)
{
    run_writes(store, writes);
    lock(store);
    for (struct store_job *job = list_take(writes); job != NULL; job = list_take(writes)) {
        complete(job);
    }
    unlock(store);

    if (load != NULL) {
        run_load(store, load);
        lock(store);
        store->figures.loads++;
        complete(load);
        unlock(store);
    }
}

static bool has_work(const struct store *store)
{
    return store->writes.first != NULL || store->loads.first != NULL || store->call != NULL;
}

static void *run(void *argument)
{
    struct store *store = argument;
    for (;;) {
        lock(store);
        while (!has_work(store) && !store->is_stopping) {
            CHECK(pthread_cond_wait(&store->work, &store->mutex) == 0);
        }
        if (!has_work(store)) {
            unlock(store);
            return NULL;
        }
        struct job_list writes = gather(store);
        struct store_job *load = list_take(&store->loads);
        store->figures.queue_depth -= load != NULL ? 1U : 0U;
        struct store_call *call = store->call;
        store->call = NULL;
        unlock(store);

        if (call != NULL) {
            run_call(store, call);
        }
        turn(store, &writes, load);
    }
}

vt_err store_port_open(struct store *store, struct store_port **out)
{
    struct store_port *port = calloc(1, sizeof *port);
    CHECK(port != NULL);
    port->store = store;
    port->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    CHECK(port->event_fd >= 0);
    for (uint32_t i = STORE_PORT_JOBS_MAX; i-- > 0;) {
        port->jobs[i].port = port;
        port->jobs[i].next = port->free;
        port->free = &port->jobs[i];
    }

    lock(store);
    bool has_room = store->port_count < store->ports_max;
    if (has_room) {
        store->ports[store->port_count++] = port;
    }
    unlock(store);
    if (!has_room) {
        close(port->event_fd);
        free(port);
        return VT_FULL;
    }
    *out = port;
    return VT_OK;
}

static void port_close(struct store_port *port)
{
    for (uint32_t i = 0; i < STORE_PORT_JOBS_MAX; i++) {
        free(port->jobs[i].results);
        store_memory_close(&port->jobs[i].memory);
    }
    close(port->event_fd);
    free(port);
}

int store_port_fd(const struct store_port *port)
{
    return port->event_fd;
}

/* With the mutex held. */
static void enqueue(struct store *store, struct job_list *queue, struct store_job *job)
{
    list_add(queue, job);
    store->figures.queue_depth++;
    CHECK(pthread_cond_signal(&store->work) == 0);
}

static struct store_job *job_take(struct store_port *port, uint64_t token)
{
    struct store_job *job = port->free;
    if (job != NULL) {
        port->free = job->next;
        job->token = token;
    }
    return job;
}

vt_err store_port_submit(struct store_port *port,
                         uint64_t token,
                         const struct store_request *requests,
                         uint32_t count)
{
    struct store *store = port->store;
    struct store_job *job = job_take(port, token);
    if (job == NULL) {
        return VT_FULL;
    }
    job->is_load = false;
    job->requests = requests;
    job->count = count;

    lock(store);
    enqueue(store, &store->writes, job);
    unlock(store);
    return VT_OK;
}

vt_err store_port_load(struct store_port *port, uint64_t token, const struct load_request *request)
{
    struct store *store = port->store;
    struct store_job *job = job_take(port, token);
    if (job == NULL) {
        return VT_FULL;
    }
    job->is_load = true;
    job->load = *request;
    job->count = 0;

    lock(store);
    enqueue(store, &store->loads, job);
    unlock(store);
    return VT_OK;
}

bool store_port_next(struct store_port *port, struct store_completion *out)
{
    store_port_done(port);

    lock(port->store);
    struct store_job *job = list_take(&port->done);
    if (port->done.first == NULL) {
        /* complete() wakes again at the next one; both happen under the mutex. */
        uint64_t wakes;
        ssize_t size = read(port->event_fd, &wakes, sizeof wakes);
        CHECK(size == (ssize_t) sizeof wakes || errno == EAGAIN || errno == EINTR);
    }
    unlock(port->store);
    if (job == NULL) {
        return false;
    }

    port->lent = job;
    *out = (struct store_completion){.is_load = job->is_load, .token = job->token};
    if (job->is_load) {
        out->error = job->error;
        out->page = &job->page;
    } else {
        out->results = job->results;
        out->count = job->count;
    }
    return true;
}

void store_port_done(struct store_port *port)
{
    struct store_job *job = port->lent;
    if (job == NULL) {
        return;
    }
    store_memory_reset(&job->memory);
    job->next = port->free;
    port->free = job;
    port->lent = NULL;
}

static bool thread_start(struct store *store)
{
    /* Signals are the hosts' business. */
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    CHECK(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    int error = pthread_create(&store->thread, NULL, run, store);
    CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    return error == 0;
}

static void store_free(struct store *store)
{
    store->backend.close(store->backend.self);
    for (uint32_t i = 0; i < store->port_count; i++) {
        port_close(store->ports[i]);
    }
    pthread_cond_destroy(&store->call_done);
    pthread_cond_destroy(&store->work);
    pthread_mutex_destroy(&store->mutex);
    free(store->ports);
    free(store);
}

vt_err store_start(const struct store_backend *backend, uint32_t ports_max, struct store **out)
{
    struct store *store = calloc(1, sizeof *store);
    CHECK(store != NULL);
    store->backend = *backend;
    store->ports_max = ports_max == 0 ? PORTS_MAX_DEFAULT : ports_max;
    store->ports = calloc(store->ports_max, sizeof *store->ports);
    CHECK(store->ports != NULL);
    store->figures.tickets = backend->first.tickets;
    store->figures.keys = backend->first.keys;
    store->figures.file_bytes = backend->first.file_bytes;
    CHECK(pthread_mutex_init(&store->mutex, NULL) == 0);
    CHECK(pthread_cond_init(&store->work, NULL) == 0);
    CHECK(pthread_cond_init(&store->call_done, NULL) == 0);
    if (!thread_start(store)) {
        store_free(store);
        return VT_UNAVAILABLE;
    }
    *out = store;
    return VT_OK;
}

void store_close(struct store *store)
{
    if (store == NULL) {
        return;
    }
    lock(store);
    store->is_stopping = true;
    CHECK(pthread_cond_signal(&store->work) == 0);
    unlock(store);
    CHECK(pthread_join(store->thread, NULL) == 0);
    store_free(store);
}

static vt_err
intern(struct store *store, enum store_names kind, struct store_name *names, uint32_t count)
{
    struct store_call call = {.kind = kind, .names = names, .count = count};
    lock(store);
    while (store->call != NULL) {
        CHECK(pthread_cond_wait(&store->call_done, &store->mutex) == 0);
    }
    store->call = &call;
    CHECK(pthread_cond_signal(&store->work) == 0);
    while (!call.is_done) {
        CHECK(pthread_cond_wait(&store->call_done, &store->mutex) == 0);
    }
    unlock(store);
    return call.result;
}

vt_err store_intern_pools(struct store *store, struct store_name *pools, uint32_t count)
{
    return intern(store, STORE_NAMES_POOLS, pools, count);
}

vt_err store_intern_queues(struct store *store, struct store_name *queues, uint32_t count)
{
    return intern(store, STORE_NAMES_QUEUES, queues, count);
}

uint64_t store_generation(const struct store *store)
{
    return store->backend.generation;
}

uint64_t store_epoch_max(const struct store *store)
{
    return store->backend.epoch_max;
}

void store_figures(struct store *store, struct store_figures *out)
{
    lock(store);
    *out = store->figures;
    unlock(store);
}
