/* A disk whose power may fail, as a shared object for LD_PRELOAD: it becomes the VFS that SQLite
 * takes by itself, so the real programs run on it as they are. What is written stays in this
 * process's memory until xSync of that file, so kill -9 is a power cut. A sync writes in random
 * order and can be cut in its middle; now and then a sector reaches the disk early, as the kernel's
 * write-back does it. A process that ends by itself loses nothing: its machine goes on.
 *
 * CUT_SYNC=off      the store's `PRAGMA synchronous` is taken for OFF, whatever it says
 * CUT_CONTROL=FILE  how many microseconds each sync takes, read again at each; empty or absent: 0
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SECTOR 512
#define RUN_SECTORS_MAX 64
#define IMAGES_MAX 32
#define LEAK_ONE_IN 16

/* A file as this process sees it. */
struct image {
    char *path;
    uint8_t *bytes;
    uint8_t *is_dirty; /* one a sector of `room` */
    int64_t size;
    int64_t room; /* a multiple of SECTOR */
    bool is_there;
    bool is_changed; /* its end, or whether it is there */
    bool is_deleted; /* since its folder was synced: what is on the disk is another file */
    bool is_new;     /* its folder has to be synced with it, as SQLite's own VFS does */
};

struct run {
    int64_t first;
    int64_t count;
};

struct cut_file {
    sqlite3_file file; /* first */
    struct image *image;
    bool is_temporary;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct image images[IMAGES_MAX];
static uint64_t random_state;
static sqlite3_vfs *system_vfs;
static const char *control_path;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static _Noreturn void give_up(const char *what, const char *path)
{
    (void) fprintf(stderr, "cut_vfs: CHECK failed: %s: %s: %s\n", what, path, strerror(errno));
    abort();
}

/* ---- images ---- */

static void grow(struct image *image, int64_t wanted)
{
    if (wanted <= image->room) {
        return;
    }
    int64_t room = (wanted + wanted / 2 + SECTOR - 1) / SECTOR * SECTOR;
    image->bytes = realloc(image->bytes, (size_t) room);
    image->is_dirty = realloc(image->is_dirty, (size_t) (room / SECTOR));
    if (image->bytes == NULL || image->is_dirty == NULL) {
        give_up("memory", image->path);
    }
    memset(image->bytes + image->room, 0, (size_t) (room - image->room));
    memset(image->is_dirty + image->room / SECTOR, 0, (size_t) ((room - image->room) / SECTOR));
    image->room = room;
}

static void load(struct image *image)
{
    struct stat about;
    int fd = open(image->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &about) != 0) {
        return;
    }
    grow(image, about.st_size);
    for (int64_t at = 0; at < about.st_size;) {
        ssize_t got = pread(fd, image->bytes + at, (size_t) (about.st_size - at), at);
        if (got <= 0) {
            give_up("read", image->path);
        }
        at += got;
    }
    image->size = about.st_size;
    image->is_there = true;
    close(fd);
}

static struct image *find(const char *path)
{
    struct image *image = images;
    while (image < images + IMAGES_MAX && image->path != NULL) {
        if (strcmp(image->path, path) == 0) {
            return image;
        }
        image++;
    }
    if (image == images + IMAGES_MAX) {
        give_up("too many files", path);
    }
    image->path = strdup(path);
    load(image);
    return image;
}

static void touch(struct image *image, int64_t from, int64_t end)
{
    for (int64_t i = from / SECTOR; i * SECTOR < end; i++) {
        image->is_dirty[i] = 1;
    }
}

static void set_size(struct image *image, int64_t size)
{
    grow(image, size);
    if (size < image->size) {
        memset(image->bytes + size, 0, (size_t) (image->size - size));
    }
    touch(image, size < image->size ? size : image->size, size < image->size ? image->size : size);
    image->is_changed = true;
    image->size = size;
}

/* ---- what reaches the disk ---- */

static void write_run(const struct image *image, int fd, const struct run *run)
{
    int64_t at = run->first * SECTOR;
    int64_t end = (run->first + run->count) * SECTOR;
    end = end < image->size ? end : image->size;
    while (at < end) {
        ssize_t done = pwrite(fd, image->bytes + at, (size_t) (end - at), at);
        if (done <= 0) {
            give_up("write", image->path);
        }
        at += done;
    }
}

static int open_real(const struct image *image)
{
    int fd = open(image->path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0) {
        give_up("open", image->path);
    }
    return fd;
}

static void leak(const struct image *image, int64_t at)
{
    if (!image->is_deleted && next_random() % LEAK_ONE_IN == 0) {
        struct run run = {.first = at / SECTOR, .count = 1};
        int fd = open_real(image);
        write_run(image, fd, &run);
        close(fd);
    }
}

static int64_t collect(struct image *image, struct run *runs)
{
    int64_t sectors = (image->size + SECTOR - 1) / SECTOR;
    int64_t count = 0;
    for (int64_t i = 0; i < sectors; i++) {
        if (image->is_dirty[i] == 0) {
            continue;
        }
        struct run *run = count > 0 ? &runs[count - 1] : NULL;
        bool continues = run != NULL && run->first + run->count == i;
        if (continues && run->count < RUN_SECTORS_MAX && next_random() % RUN_SECTORS_MAX != 0) {
            run->count++;
        } else {
            runs[count++] = (struct run){.first = i, .count = 1};
        }
    }
    return count;
}

static void write_out(struct image *image)
{
    struct run *runs = malloc((size_t) (image->room / SECTOR + 1) * sizeof *runs);
    if (runs == NULL) {
        give_up("memory", image->path);
    }
    int fd = open_real(image);
    for (int64_t left = collect(image, runs); left > 0; left--) {
        int64_t chosen = (int64_t) (next_random() % (uint64_t) left);
        write_run(image, fd, &runs[chosen]);
        runs[chosen] = runs[left - 1];
    }
    if (image->is_changed && ftruncate(fd, image->size) != 0) {
        give_up("truncate", image->path);
    }
    close(fd);
    free(runs);
    if (image->room > 0) {
        memset(image->is_dirty, 0, (size_t) (image->room / SECTOR));
    }
    image->is_changed = false;
}

/* All files of this process are in one folder, or two that are synced together. */
static void sync_folder(void)
{
    for (struct image *image = images; image < images + IMAGES_MAX; image++) {
        if (image->path != NULL && image->is_deleted) {
            (void) unlink(image->path);
            image->is_deleted = false;
        }
    }
}

static void make_durable(struct image *image)
{
    if (image->is_new || image->is_deleted) {
        sync_folder();
        image->is_new = false;
    }
    if (image->is_there) {
        write_out(image);
    }
}

static void take_time(void)
{
    char text[24] = {0};
    int fd = control_path == NULL ? -1 : open(control_path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return;
    }
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    long us = size > 0 ? strtol(text, NULL, 10) : 0;
    struct timespec time = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    if (us > 0) {
        (void) nanosleep(&time, NULL);
    }
}

/* ---- a file's methods ---- */

static struct image *image_of(sqlite3_file *file)
{
    return ((struct cut_file *) (void *) file)->image;
}

static int file_close(sqlite3_file *file)
{
    (void) file;
    return SQLITE_OK;
}

static int file_read(sqlite3_file *file, void *data, int size, sqlite3_int64 at)
{
    struct image *image = image_of(file);
    pthread_mutex_lock(&mutex);
    int64_t there = image->size > at ? image->size - at : 0;
    int64_t got = there < size ? there : size;
    memset(data, 0, (size_t) size);
    if (got > 0) {
        memcpy(data, image->bytes + at, (size_t) got);
    }
    pthread_mutex_unlock(&mutex);
    return got == size ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 at)
{
    struct image *image = image_of(file);
    pthread_mutex_lock(&mutex);
    if (at + size > image->size) {
        set_size(image, at + size);
    }
    memcpy(image->bytes + at, data, (size_t) size);
    touch(image, at, at + size);
    leak(image, at);
    pthread_mutex_unlock(&mutex);
    return SQLITE_OK;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    pthread_mutex_lock(&mutex);
    set_size(image_of(file), size);
    pthread_mutex_unlock(&mutex);
    return SQLITE_OK;
}

static int file_sync(sqlite3_file *file, int flags)
{
    (void) flags;
    take_time();
    pthread_mutex_lock(&mutex);
    make_durable(image_of(file));
    pthread_mutex_unlock(&mutex);
    return SQLITE_OK;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    *size = image_of(file)->size;
    return SQLITE_OK;
}

/* The store has a lock of its own (DIR/lock). */
static int file_lock(sqlite3_file *file, int level)
{
    (void) file;
    (void) level;
    return SQLITE_OK;
}

static int file_is_reserved(sqlite3_file *file, int *is_reserved)
{
    (void) file;
    *is_reserved = 0;
    return SQLITE_OK;
}

/* A pragma that is said to be done here is not done by SQLite. */
static int file_control(sqlite3_file *file, int what, void *argument)
{
    (void) file;
    const char *value = getenv("CUT_SYNC");
    char **pragma = argument;
    bool is_ours = what == SQLITE_FCNTL_PRAGMA && value != NULL && strcmp(value, "off") == 0;
    if (is_ours && sqlite3_stricmp(pragma[1], "synchronous") == 0 && pragma[2] != NULL &&
        sqlite3_stricmp(pragma[2], "OFF") != 0) {
        return SQLITE_OK;
    }
    return SQLITE_NOTFOUND;
}

static int file_sector_size(sqlite3_file *file)
{
    (void) file;
    return SECTOR;
}

static int file_traits(sqlite3_file *file)
{
    (void) file;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

/* Version 1 has no shared memory: a store that locks its file exclusively needs none. */
static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_lock,
    .xCheckReservedLock = file_is_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_traits,
};

/* ---- the VFS ---- */

static int
vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *flags_out)
{
    (void) vfs;
    struct cut_file *opened = (struct cut_file *) (void *) file;
    *opened = (struct cut_file){0};
    if (name == NULL) {
        return SQLITE_CANTOPEN; /* temporary files: the stores keep them in memory */
    }
    pthread_mutex_lock(&mutex);
    struct image *image = find(name);
    bool may = image->is_there || (flags & SQLITE_OPEN_CREATE) != 0;
    if (may && !image->is_there) {
        image->is_there = true;
        image->is_changed = true;
        image->is_new = true;
    }
    pthread_mutex_unlock(&mutex);
    if (!may) {
        return SQLITE_CANTOPEN;
    }
    opened->image = image;
    opened->file.pMethods = &methods;
    if (flags_out != NULL) {
        *flags_out = flags;
    }
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int must_sync)
{
    (void) vfs;
    pthread_mutex_lock(&mutex);
    struct image *image = find(name);
    bool was_there = image->is_there;
    set_size(image, 0);
    image->is_there = false;
    image->is_deleted = image->is_deleted || was_there;
    if (must_sync != 0) {
        sync_folder();
    }
    pthread_mutex_unlock(&mutex);
    return was_there ? SQLITE_OK : SQLITE_IOERR_DELETE_NOENT;
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *result)
{
    (void) vfs;
    (void) flags;
    pthread_mutex_lock(&mutex);
    const struct image *image = find(name);
    *result = image->is_there && image->size > 0 ? 1 : 0;
    pthread_mutex_unlock(&mutex);
    return SQLITE_OK;
}

/* ---- start and end ---- */

/* At each sqlite3_open(): OFF before the program says FULL, which file_control() then swallows.
 * That reads the file, and if a WAL lies beside it that takes the exclusive lock, see `methods`. */
static int turn_sync_off(sqlite3 *db, char **message, const struct sqlite3_api_routines *unused)
{
    (void) message;
    (void) unused;
    return sqlite3_exec(
        db, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA synchronous=OFF", NULL, NULL, NULL);
}

__attribute__((constructor)) static void begin(void)
{
    static sqlite3_vfs vfs;
    struct timespec now;
    (void) clock_gettime(CLOCK_MONOTONIC, &now);
    random_state = (uint64_t) now.tv_nsec * UINT64_C(2654435761) + (uint64_t) getpid() + 1;
    control_path = getenv("CUT_CONTROL");
    (void) unsetenv("LD_PRELOAD"); /* not for the programs that this one starts */
    system_vfs = sqlite3_vfs_find(NULL);
    if (system_vfs == NULL) {
        give_up("SQLite", "its VFS");
    }
    vfs = *system_vfs;
    vfs.zName = "cut";
    vfs.szOsFile = (int) sizeof(struct cut_file);
    vfs.xOpen = vfs_open;
    vfs.xDelete = vfs_delete;
    vfs.xAccess = vfs_access;
    if (sqlite3_vfs_register(&vfs, 1) != SQLITE_OK) {
        give_up("SQLite", "a new VFS");
    }
    const char *sync = getenv("CUT_SYNC");
    if (sync != NULL && strcmp(sync, "off") == 0) {
        (void) sqlite3_auto_extension((void (*)(void)) turn_sync_off);
    }
}

__attribute__((destructor)) static void end(void)
{
    sync_folder();
    for (uint32_t i = 0; i < IMAGES_MAX && images[i].path != NULL; i++) {
        make_durable(&images[i]);
    }
}
