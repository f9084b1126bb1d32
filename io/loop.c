#include "io/loop.h"

#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "io/process.h"
#include "lib/check.h"
#include "lib/core.h"

struct loop {
    struct loop_source sources[LOOP_SOURCES_MAX];
    zmq_pollitem_t items[LOOP_SOURCES_MAX];
    uint32_t source_count;
    struct loop_turner turners[LOOP_TURNERS_MAX];
    uint32_t turner_count;
    bool is_stopping;
    int64_t longest_turn_us;
};

struct loop *loop_open(void)
{
    return calloc(1, sizeof(struct loop));
}

void loop_close(struct loop *loop)
{
    free(loop);
}

vt_err loop_add(struct loop *loop, const struct loop_source *source)
{
    CHECK(source->ready != NULL);
    if (loop->source_count == LOOP_SOURCES_MAX) {
        return VT_FULL;
    }

    uint32_t at = loop->source_count++;
    loop->sources[at] = *source;
    loop->items[at] = (zmq_pollitem_t){
        .socket = source->socket,
        .fd = source->socket != NULL ? 0 : source->fd,
        .events = ZMQ_POLLIN,
    };
    return VT_OK;
}

void loop_remove(struct loop *loop, void *socket, int fd)
{
    for (uint32_t i = 0; i < loop->source_count; i++) {
        bool is_it = socket != NULL ? loop->sources[i].socket == socket
                                    : loop->sources[i].socket == NULL && loop->sources[i].fd == fd;
        if (is_it) {
            uint32_t last = --loop->source_count;
            loop->sources[i] = loop->sources[last];
            loop->items[i] = loop->items[last];
            return;
        }
    }
}

vt_err loop_add_turner(struct loop *loop, const struct loop_turner *turner)
{
    if (loop->turner_count == LOOP_TURNERS_MAX) {
        return VT_FULL;
    }
    loop->turners[loop->turner_count++] = *turner;
    return VT_OK;
}

/* A handler may add and remove sources, so each is looked at by its place at that moment; one that
 * moved is seen again by the next turn, since readiness is level-triggered. */
static void call_ready(struct loop *loop)
{
    for (uint32_t i = 0; i < loop->source_count; i++) {
        if ((loop->items[i].revents & (ZMQ_POLLIN | ZMQ_POLLERR)) != 0) {
            loop->items[i].revents = 0;
            loop->sources[i].ready(loop->sources[i].context);
        }
    }
}

static int64_t call_turners(struct loop *loop)
{
    int64_t wanted_ms = NO_DEADLINE;
    for (uint32_t i = 0; i < loop->turner_count; i++) {
        struct loop_turner *turner = &loop->turners[i];
        int64_t next_ms = turner->turn(turner->context, process_now_ms());
        wanted_ms = next_ms < wanted_ms ? next_ms : wanted_ms;
    }
    return wanted_ms;
}

static long wait_ms(int64_t wanted_ms)
{
    if (wanted_ms == NO_DEADLINE) {
        return 1000;
    }
    int64_t wait = wanted_ms - process_now_ms();
    if (wait < 0) {
        return 0;
    }
    return wait > 1000 ? 1000 : (long) wait;
}

void loop_run(struct loop *loop, int64_t until_ms)
{
    loop->is_stopping = false;
    while (!loop->is_stopping && process_now_ms() < until_ms) {
        int64_t wanted_ms = call_turners(loop);
        if (loop->is_stopping) {
            return;
        }

        wanted_ms = until_ms < wanted_ms ? until_ms : wanted_ms;
        int ready = zmq_poll(loop->items, (int) loop->source_count, wait_ms(wanted_ms));
        int64_t started_us = process_now_us();
        if (ready > 0) {
            call_ready(loop);
        }
        int64_t took_us = process_now_us() - started_us;
        loop->longest_turn_us = took_us > loop->longest_turn_us ? took_us : loop->longest_turn_us;
    }
}

void loop_stop(struct loop *loop)
{
    loop->is_stopping = true;
}

int64_t loop_take_longest_turn_us(struct loop *loop)
{
    int64_t longest_us = loop->longest_turn_us;
    loop->longest_turn_us = 0;
    return longest_us;
}
