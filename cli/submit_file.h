#ifndef CLI_SUBMIT_FILE_H
#define CLI_SUBMIT_FILE_H

/* Many tickets as JSON lines, from a file or standard input, through one client's window. */

#include <stdint.h>

#include "io/ticket_json.h"

struct submit_file_options {
    const char *path;  /* "-": standard input */
    const char *batch; /* name of the batch; NULL: the path */
    const char *server;
    int64_t timeout_ms;
    struct bytes client;
    struct ticket_json_options json;
};

/* Returns the exit code: refused lines were named on standard error, the others went in. */
int submit_file_run(const struct submit_file_options *options);

/* The key of a line that names none: the first 16 bytes of SHA-256 over the batch's name, a zero
 * byte, the line's number in decimal, a zero byte, and the line without its end. */
#define SUBMIT_FILE_KEY_BYTES 16u
void submit_file_key(const char *batch,
                     uint64_t number,
                     struct bytes line,
                     uint8_t key[SUBMIT_FILE_KEY_BYTES]);

#endif
