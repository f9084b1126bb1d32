#ifndef CLI_DEMO_FILES_H
#define CLI_DEMO_FILES_H

/* Where the demo's plan and tickets lie, and the end of its temporary store. */

#include <stdbool.h>

#define DEMO_FILES_PATH_BYTES 2304u

/* `shared` beside the installed program (share/ventanilla), else `source` in the source tree that
 * it was built from. */
void demo_files_find(const char *shared, const char *source, char path[DEMO_FILES_PATH_BYTES]);

/* With all that is in it. False leaves errno. */
bool demo_files_remove(const char *folder);

#endif
