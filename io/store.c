#include "io/store.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "io/store_queue.h"
#include "lib/check.h"

/* Ports and calls, for every database alike; the thread they talk to is in store_queue.c. */

#define PORTS_MAX_DEFAULT 8U

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

    store_queue_lock(store);
    bool has_room = store->port_count < store->ports_max;
    if (has_room) {
        store->ports[store->port_count++] = port;
    }
    store_queue_unlock(store);
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
    store_queue_add(queue, job);
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

    store_queue_lock(store);
    enqueue(store, &store->writes, job);
    store_queue_unlock(store);
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

    store_queue_lock(store);
    enqueue(store, &store->loads, job);
    store_queue_unlock(store);
    return VT_OK;
}

bool store_port_next(struct store_port *port, struct store_completion *out)
{
    store_port_done(port);

    store_queue_lock(port->store);
    struct store_job *job = store_queue_take(&port->done);
    if (port->done.first == NULL) {
        /* complete() wakes again at the next one; both happen under the mutex. */
        uint64_t wakes = 0;
        ssize_t size = read(port->event_fd, &wakes, sizeof wakes);
        CHECK(size == (ssize_t) sizeof wakes || errno == EAGAIN || errno == EINTR);
    }
    store_queue_unlock(port->store);
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
    int error = pthread_create(&store->thread, NULL, store_queue_run, store);
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
    store->ports = calloc(store->ports_max, sizeof(struct store_port *));
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
    store_queue_lock(store);
    store->is_stopping = true;
    CHECK(pthread_cond_signal(&store->work) == 0);
    store_queue_unlock(store);
    CHECK(pthread_join(store->thread, NULL) == 0);
    store_free(store);
}

static vt_err
intern(struct store *store, enum store_names kind, struct store_name *names, uint32_t count)
{
    struct store_call call = {.kind = kind, .names = names, .count = count};
    store_queue_lock(store);
    while (store->call != NULL) {
        CHECK(pthread_cond_wait(&store->call_done, &store->mutex) == 0);
    }
    store->call = &call;
    CHECK(pthread_cond_signal(&store->work) == 0);
    while (!call.is_done) {
        CHECK(pthread_cond_wait(&store->call_done, &store->mutex) == 0);
    }
    store_queue_unlock(store);
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
    store_queue_lock(store);
    *out = store->figures;
    store_queue_unlock(store);
}
