#ifndef IO_AGENTS_FILE_H
#define IO_AGENTS_FILE_H

/* The agents of a site as people write them (YAML):
 *
 * agents:
 *   - name: ana
 *     skills: {pavimento: 7, alumbrado: 3}   # level 0..10
 *     languages: [es, gl]
 *     queues: [aceras, calzadas]             # absent: every queue
 *     capacity: 3                            # [1]
 *     run: [./answer.sh, --polite]           # program that works a ticket; see io/desk_program.h
 *     timeout_s: 120                         # [300] for one ticket
 */

#include <stdint.h>

#include "lib/arena.h"
#include "lib/bytes.h"
#include "lib/err.h"

#define AGENTS_FILE_AGENTS_MAX 4096u
#define AGENTS_FILE_ARGUMENTS_MAX 32u
#define AGENTS_FILE_ERROR_BYTES 512u

struct agents_file_agent {
    struct bytes name;
    struct bytes profile; /* proto/requirements.h */
    uint32_t capacity;
    char *const *run; /* NULL-terminated argv */
    int64_t timeout_ms;
};

struct agents_file {
    struct agents_file_agent *agents;
    uint32_t agent_count;
    struct arena arena;
    char error[AGENTS_FILE_ERROR_BYTES]; /* file:line:column: what, and what is allowed */
};

/* Errors as yaml_load_file(); `error` is filled; close in every case. */
VT_MUST_USE vt_err agents_file_load(struct agents_file *file, const char *path);
VT_MUST_USE vt_err agents_file_parse(struct agents_file *file, const char *name, struct bytes text);
void agents_file_close(struct agents_file *file);

#endif
