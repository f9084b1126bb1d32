#ifndef IO_TICKET_JSON_H
#define IO_TICKET_JSON_H

/* Tickets as JSON lines: what a submitter writes, what an agent's program is given, and what it
 * answers. jansson parses (repeated names refused), limits are those of proto/message.h.
 */

#include <stdint.h>

#include "lib/arena.h"
#include "lib/bytes.h"
#include "lib/err.h"
#include "proto/message.h"

/* 64 KiB of text, each byte escaped, and more. */
#define TICKET_JSON_LINE_BYTES_MAX 524288u
#define TICKET_JSON_MAPPINGS_MAX 16u
#define TICKET_JSON_ERROR_BYTES 256u

/* --map text=description,queue=service: our field (or an attribute) from another name. */
struct ticket_json_mapping {
    struct bytes field; /* key queue language channel priority text not_before, or an attribute */
    struct bytes name;  /* in the line */
};

struct ticket_json_options {
    struct ticket_json_mapping mappings[TICKET_JSON_MAPPINGS_MAX];
    uint32_t mapping_count;
    /* Fields of the line that are neither ours nor mapped: with mappings given they are left out,
     * without they are an error. */
};

/* One line into a submit. ref and client are the caller's, and so is the key of a line that names
 * none; body and digest are the codec's. Views point into the arena. VT_INVALID: `error` says which
 * field, what was wrong and what is allowed; *submit is untouched.
 */
VT_MUST_USE vt_err ticket_json_parse(struct bytes line,
                                     const struct ticket_json_options *options,
                                     struct arena *arena,
                                     struct submit *submit,
                                     char error[TICKET_JSON_ERROR_BYTES]);

/* The limits of a ticket that did not come as a line; sorts its skills. VT_INVALID as above. */
VT_MUST_USE vt_err ticket_json_check(struct submit *submit, char error[TICKET_JSON_ERROR_BYTES]);

/* "text=text,queue=service". VT_INVALID: not of that form, or too many. */
VT_MUST_USE vt_err ticket_json_parse_mapping(struct bytes text,
                                             struct ticket_json_options *options);

/* "web", "chat", ... VT_INVALID: none of them. */
VT_MUST_USE vt_err ticket_json_parse_channel(struct bytes text, enum channel *channel);
const char *ticket_json_channel_text(enum channel channel);

/* What an agent's program reads: one JSON line with a newline, in the arena:
 * {"id","attempt","queue","language","channel","priority","skills":{},"attributes":{},"text",
 *  "created":"2026-01-31T08:00:00Z","failures"}. VT_CORRUPT: the body is not one. */
VT_MUST_USE vt_err ticket_json_write(const struct confirm *confirm,
                                     struct arena *arena,
                                     struct bytes *line);

#define TICKET_ANSWER_BYTES_MAX (64u * 1024u)

/* What it answers: {"result","note"}, {"handoff": reason} or {"park": reason}; fills `what`, `text`
 * and `note` of *outcome, views into the arena. VT_INVALID with a reason for the operator. */
VT_MUST_USE vt_err ticket_json_parse_answer(struct bytes line,
                                            struct arena *arena,
                                            struct outcome *outcome,
                                            char error[TICKET_JSON_ERROR_BYTES]);

#endif
