#include "cli/refusal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/check.h"
#include "lib/options.h"
#include "proto/plan.h"

#define NAMES_SHOWN_MAX 6u

/* What a name that the plan does not have was meant for; the server sends the name itself, or the
 * field if the name is too long to be one. */
static const char *unknown_kind(enum reason_code reason)
{
    if (reason == REASON_QUEUE_UNKNOWN) {
        return "queue";
    }
    if (reason == REASON_POOL_UNKNOWN) {
        return "pool";
    }
    return reason == REASON_SKILL_UNKNOWN ? "skill" : NULL;
}

void refusal_text(const struct submitted *answer, char text[REFUSAL_BYTES])
{
    const char *kind = unknown_kind(answer->reason);
    const char *field = answer->field.size > 0 ? (const char *) answer->field.data : "";
    int size = (int) answer->field.size;
    if (kind != NULL && size > 0 && !bytes_equal_text(answer->field, kind)) {
        snprintf(
            text, REFUSAL_BYTES, "%s '%.*s': %s", kind, size, field, reason_text(answer->reason));
        return;
    }
    snprintf(text,
             REFUSAL_BYTES,
             "%.*s%s%s",
             size,
             field,
             size > 0 ? ": " : "",
             reason_text(answer->reason));
}

struct names {
    char *list[PLAN_QUEUES_MAX];
    uint32_t count;
};

static void forget(struct names *names)
{
    for (uint32_t i = 0; i < names->count; i++) {
        free(names->list[i]);
    }
    names->count = 0;
}

static void take_name(void *context, const struct reply *reply)
{
    struct names *names = context;
    if (reply == NULL) {
        forget(names);
        return;
    }
    if (reply->row != ROW_QUEUE || names->count == PLAN_QUEUES_MAX) {
        return;
    }
    struct bytes name = reply->queue.name;
    char *copy = strndup(name.size > 0 ? (const char *) name.data : "", name.size);
    if (copy != NULL) {
        names->list[names->count++] = copy;
    }
}

static void write_hint(const struct names *names, struct bytes queue, char *text)
{
    const char *nearest = options_nearest((const char *const *) names->list, names->count, queue);
    if (nearest != NULL) {
        snprintf(text, REFUSAL_BYTES, ", did you mean '%s'?", nearest);
        return;
    }
    if (names->count > NAMES_SHOWN_MAX) {
        snprintf(text, REFUSAL_BYTES, "; `ventanilla status` lists them");
        return;
    }
    int size = 0;
    for (uint32_t i = 0; i < names->count && size < (int) REFUSAL_BYTES; i++) {
        size += snprintf(text + size,
                         REFUSAL_BYTES - (size_t) size,
                         "%s%s",
                         i == 0 ? "; known: " : ", ",
                         names->list[i]);
    }
}

void refusal_hint(struct client *client, struct bytes queue, char text[REFUSAL_BYTES])
{
    struct names *names = calloc(1, sizeof *names);
    struct client_question question = {.what = QUERY_QUEUES, .row = take_name, .context = names};
    text[0] = '\0';
    if (names != NULL && client_query(client, &question) == VT_OK) {
        write_hint(names, queue, text);
    }
    if (names != NULL) {
        forget(names);
    }
    free(names);
}
