#ifndef IO_STORE_QUEUE_H
#define IO_STORE_QUEUE_H

/* What store.c (ports) and store_queue.c (the thread) share; nobody else includes this. Group
 * commit without a timer: while one transaction runs the next one gathers in the queue.
 *
 * A job belongs to one of three parties at a time: its port's free list, the store's queue and
 * thread, or the port's list of completions. The mutex is held to move it and never longer.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "io/store_backend.h"

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

/* The thread's body; `argument` is the store. Returns when it is stopping and nothing is left. */
void *store_queue_run(void *argument);

void store_queue_add(struct job_list *list, struct store_job *job);

/* NULL: the list is empty. */
struct store_job *store_queue_take(struct job_list *list);

void store_queue_lock(struct store *store);
void store_queue_unlock(struct store *store);

#endif
