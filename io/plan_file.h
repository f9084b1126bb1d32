#ifndef IO_PLAN_FILE_H
#define IO_PLAN_FILE_H

/* The plan as people write it (YAML) made into the snapshot that cores read (proto/plan.h).
 *
 * pools:
 *   - name: via-publica
 *     queues:
 *       - {name: aceras, grace_s: 300, offer_ttl_s: 20, max_fails: 8, priority: 50,
 *          languages: [es]}
 * skills: [pavimento, alumbrado]     # absent: any skill name is accepted
 * intake:                            # the first rule that fits fills what a ticket leaves out
 *   - when: {service: "Desperfecto en acera"}
 *     queue: aceras
 *     skills: {pavimento: 2}
 *     language: es
 *     priority: 60
 * default_queue: aceras              # may be absent if there is one queue only
 *
 * The first language of a queue is the one of tickets that name none.
 */

#include "lib/arena.h"
#include "lib/bytes.h"
#include "lib/err.h"
#include "proto/plan.h"

#define PLAN_FILE_ERROR_BYTES 512u

struct plan_file {
    struct plan plan; /* views into `arena` */
    struct plan_pool *pools;
    struct plan_queue *queues;
    uint32_t *queues_by_id;
    struct arena arena;
    char error[PLAN_FILE_ERROR_BYTES]; /* file:line:column: what, and what is allowed */
};

/* Partition and queue numbers are left 0: the store gives them; plan_file_numbered() is called once
 * they are in. Errors as yaml_load_file(); `error` is filled; close in every case. */
VT_MUST_USE vt_err plan_file_load(struct plan_file *file, const char *path);
VT_MUST_USE vt_err plan_file_parse(struct plan_file *file, const char *name, struct bytes text);

/* One pool `default` with one queue `default`, any skill. */
VT_MUST_USE vt_err plan_file_default(struct plan_file *file);

/* Queues are found quickly by their number from now on. */
void plan_file_numbered(struct plan_file *file);

void plan_file_close(struct plan_file *file);

#endif
