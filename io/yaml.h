#ifndef IO_YAML_H
#define IO_YAML_H

/* Configuration files as a small tree in which every node knows its line and column, so that each
 * complaint says where. All scalars stay text ("no" is not a boolean). One document, no anchors, no
 * aliases, no tags; bounded in size, nodes and depth. libyaml does the parsing.
 */

#include <stdint.h>

#include "lib/arena.h"
#include "lib/bytes.h"
#include "lib/err.h"

#define YAML_FILE_BYTES_MAX (8u * 1024u * 1024u)
#define YAML_NODES_MAX 500000u
#define YAML_DEPTH_MAX 12u
#define YAML_NONE UINT32_MAX
#define YAML_ERROR_BYTES 512u

enum yaml_kind {
    YAML_SCALAR,
    YAML_LIST,
    YAML_MAP
};

struct yaml_node {
    enum yaml_kind kind;
    uint32_t line;   /* from 1 */
    uint32_t column; /* from 1 */
    uint32_t first;  /* child: an item, or a key whose `next` is its value; or YAML_NONE */
    uint32_t next;
    struct bytes text; /* scalars */
};

struct yaml {
    struct arena arena; /* holds the nodes' texts */
    struct yaml_node *nodes;
    uint32_t node_count;
    uint32_t root;
    char name[256];               /* of the file, for messages */
    char error[YAML_ERROR_BYTES]; /* "plan.yaml:3:5: unknown key 'skils', did you mean 'skills'?" */
};

/* On any error `yaml->error` says what and where; yaml_close() is due in every case.
 * VT_NOT_FOUND, VT_DENIED: the file; VT_TOO_LARGE: a bound above; VT_INVALID: not such YAML. */
VT_MUST_USE vt_err yaml_load_file(struct yaml *yaml, const char *path);
VT_MUST_USE vt_err yaml_load_bytes(struct yaml *yaml, const char *name, struct bytes text);
void yaml_close(struct yaml *yaml);

/* Records "NAME:LINE:COLUMN: " and the message; always VT_INVALID. */
__attribute__((format(printf, 3, 4))) VT_MUST_USE vt_err yaml_fail(struct yaml *yaml,
                                                                   uint32_t node,
                                                                   const char *format,
                                                                   ...);

/* VT_INVALID: `node` is not a map, has a key twice, or one that is not in `names` (the nearest
 * known one is named). */
VT_MUST_USE vt_err yaml_check_map(struct yaml *yaml,
                                  uint32_t node,
                                  const char *const *names,
                                  uint32_t count);

/* Value of a key of a checked map, or YAML_NONE. */
uint32_t yaml_get(const struct yaml *yaml, uint32_t map, const char *key);

/* First item of a list. VT_INVALID: not a list; `what` names it in the message. */
VT_MUST_USE vt_err yaml_items(struct yaml *yaml, uint32_t node, const char *what, uint32_t *first);

struct yaml_number {
    const char *what;
    uint64_t min;
    uint64_t max;
};
VT_MUST_USE vt_err yaml_u64(struct yaml *yaml,
                            uint32_t node,
                            const struct yaml_number *wanted,
                            uint64_t *value);

/* UTF-8 text of 1..max_bytes bytes without control characters. */
VT_MUST_USE vt_err yaml_name(
    struct yaml *yaml, uint32_t node, const char *what, uint32_t bytes_max, struct bytes *value);

#endif
