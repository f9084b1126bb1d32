#include "cli/demo_files.h"

#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef VENTANILLA_SOURCE_DIR
#define VENTANILLA_SOURCE_DIR "."
#endif
#define OPEN_FOLDERS_MAX 16

void demo_files_find(const char *shared, const char *source, char path[DEMO_FILES_PATH_BYTES])
{
    char program[DEMO_FILES_PATH_BYTES - 128];
    ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
    if (size > 0) {
        program[size] = '\0';
        char *slash = strrchr(program, '/');
        *(slash == NULL ? program : slash) = '\0';
        snprintf(path, DEMO_FILES_PATH_BYTES, "%s/../share/ventanilla/%s", program, shared);
        if (access(path, R_OK) == 0) {
            return;
        }
    }
    snprintf(path, DEMO_FILES_PATH_BYTES, "%s/%s", VENTANILLA_SOURCE_DIR, source);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void) status;
    (void) kind;
    (void) walk;
    return remove(path);
}

bool demo_files_remove(const char *folder)
{
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody else changes into another folder */
    return nftw(folder, remove_one, OPEN_FOLDERS_MAX, FTW_DEPTH | FTW_PHYS) == 0;
}
