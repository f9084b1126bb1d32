/* Gives each file of a corpus to a fuzz target once, in builds without libFuzzer: what was ever
 * found, and each form of valid input, stays tested by both compilers and every sanitizer.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum {
    INPUT_BYTES_MAX = 4 * 1024 * 1024,
    PATH_BYTES_MAX = 1024
};

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = malloc(INPUT_BYTES_MAX);
    size_t length = 0;
    uint8_t *exact = NULL;

    if (file == NULL || bytes == NULL) {
        fprintf(stderr, "replay: cannot read %s\n", path);
        exit(1);
    }
    length = fread(bytes, 1, INPUT_BYTES_MAX, file);
    (void) fclose(file);
    /* A block of exactly this size lets the address sanitizer see a read past the end. */
    exact = malloc(length > 0 ? length : 1);
    if (exact == NULL) {
        exit(1);
    }
    memcpy(exact, bytes, length);
    free(bytes);
    (void) LLVMFuzzerTestOneInput(exact, length);
    free(exact);
    return 1;
}

static int replay_folder(const char *folder)
{
    char path[PATH_BYTES_MAX];
    int count = 0;
    DIR *entries = opendir(folder);
    const struct dirent *entry = NULL;

    if (entries == NULL) {
        fprintf(stderr, "replay: no such folder: %s\n", folder);
        exit(1);
    }
    while ((entry = readdir(entries)) != NULL) {
        if (entry->d_name[0] != '.') {
            (void) snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
            count += replay_file(path);
        }
    }
    (void) closedir(entries);
    return count;
}

int main(int argc, char **argv)
{
    int count = 0;

    for (int i = 1; i < argc; i++) {
        count += replay_folder(argv[i]);
    }
    printf("%d inputs replayed\n", count);
    return count > 0 ? 0 : 1;
}
