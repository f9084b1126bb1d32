#ifndef IO_PLAN_FILE_READER_H
#define IO_PLAN_FILE_READER_H

/* Shared by plan_file.c (pools, queues) and plan_file_rules.c (skills, intake rules); internal. */

#include "io/plan_file.h"
#include "io/yaml.h"

/* One parse: the tree that is read and the snapshot that is filled. */
struct plan_reader {
    struct yaml yaml;
    struct plan_file *file;
    struct bytes *skills;
    struct plan_rule *rules;
    const char **queue_names; /* NUL-terminated, for "did you mean" */
    struct plan *plan;
};

struct bytes plan_reader_keep(struct plan_reader *reader, struct bytes text);

/* Leaves *value alone when the key is absent. */
VT_MUST_USE vt_err plan_reader_u32(struct plan_reader *reader,
                                   uint32_t map,
                                   const struct yaml_number *wanted,
                                   uint32_t *value);
VT_MUST_USE vt_err plan_reader_name(struct plan_reader *reader,
                                    uint32_t map,
                                    const char *key,
                                    uint32_t bytes_max,
                                    struct bytes *name);
/* By name, in the order that the file is in right now; NULL: none. */
const struct plan_queue *plan_reader_find_queue(const struct plan_reader *reader,
                                                struct bytes name);

/* The parts of a plan behind its pools, in this order; queues must be in their final order. */
VT_MUST_USE vt_err plan_reader_skills(struct plan_reader *reader);
VT_MUST_USE vt_err plan_reader_intake(struct plan_reader *reader);
VT_MUST_USE vt_err plan_reader_default_queue(struct plan_reader *reader);

#endif
