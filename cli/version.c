/* ventanilla version: what this is and what it was built with. */
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>
#include <libsmartcols/libsmartcols.h>
#include <microhttpd.h>
#include <sodium.h>
#include <sqlite3.h>
#include <zmq.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "lib/check.h"
#include "proto/message.h"
#include "version.h"

struct version_arguments {
    uint32_t output;
};

enum output {
    OUTPUT_TEXT,
    OUTPUT_JSON
};

static const struct options_row rows[] = {
    {.name = "output",
     .letter = 'o',
     .kind = OPTIONS_CHOICE,
     .choices = "text|json",
     .fallback = "text",
     .help = "form of the answer",
     .offset = offsetof(struct version_arguments, output)},
};

static const struct options_table table = {
    .command = "ventanilla version",
    .about = "Shows the version, the commit and the libraries in use.",
    .rows = rows,
    .row_count = ARRAY_LENGTH(rows),
};

int version_command(struct cli_arguments arguments)
{
    struct version_arguments values = {0};
    struct options_result result;
    int code = cli_parse(&table, arguments, &values, &result);
    if (code != CLI_GO_ON) {
        return code;
    }
    int major = 0;
    int minor = 0;
    int patch = 0;
    zmq_version(&major, &minor, &patch);
    char zmq[32];
    snprintf(zmq, sizeof zmq, "%d.%d.%d", major, minor, patch);
    const char *smartcols = NULL;
    (void) scols_get_library_version(&smartcols);
    const struct {
        const char *name;
        const char *version;
    } libraries[] = {{"libzmq", zmq},
                     {"sqlite", sqlite3_libversion()},
                     {"libmicrohttpd", MHD_get_version()},
                     {"jansson", JANSSON_VERSION},
                     {"libsodium", sodium_version_string()},
                     {"libsmartcols", smartcols}};
    if (values.output == OUTPUT_TEXT) {
        printf("ventanilla %s (commit %s, %s build, protocol %u)\n",
               VENTANILLA_VERSION,
               VENTANILLA_COMMIT,
               VENTANILLA_BUILD,
               PROTO_VERSION);
        for (uint32_t i = 0; i < ARRAY_LENGTH(libraries); i++) {
            printf("  %-14s %s\n", libraries[i].name, libraries[i].version);
        }
        return EXIT_CODE_OK;
    }
    json_t *versions = json_object();
    for (uint32_t i = 0; i < ARRAY_LENGTH(libraries); i++) {
        json_object_set_new(versions, libraries[i].name, json_string(libraries[i].version));
    }
    json_t *root = json_pack("{s:s,s:s,s:s,s:i,s:o}",
                             "version",
                             VENTANILLA_VERSION,
                             "commit",
                             VENTANILLA_COMMIT,
                             "build",
                             VENTANILLA_BUILD,
                             "protocol",
                             (int) PROTO_VERSION,
                             "libraries",
                             versions);
    int failed = json_dumpf(root, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(root);
    return failed == 0 ? EXIT_CODE_OK : EXIT_CODE_FAILED;
}
