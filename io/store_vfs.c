#include "io/store_vfs.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/check.h"

#define NAME_BYTES 48u

struct store_vfs {
    sqlite3_vfs vfs; /* first: SQLite knows no other part of it */
    sqlite3_vfs *below;
    _Atomic uint64_t syncs;
    char name[NAME_BYTES];
};

/* The file of the VFS below lies right behind it. */
struct layer {
    sqlite3_file file; /* first */
    struct store_vfs *owner;
};

static struct layer *layer_of(sqlite3_file *file)
{
    return (struct layer *) (void *) file;
}

static sqlite3_file *below(sqlite3_file *file)
{
    return (sqlite3_file *) (void *) (layer_of(file) + 1);
}

/* ---- a file's methods ---- */

static int file_close(sqlite3_file *file)
{
    return below(file)->pMethods->xClose(below(file));
}

static int file_read(sqlite3_file *file, void *data, int size, sqlite3_int64 at)
{
    return below(file)->pMethods->xRead(below(file), data, size, at);
}

static int file_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 at)
{
    return below(file)->pMethods->xWrite(below(file), data, size, at);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return below(file)->pMethods->xTruncate(below(file), size);
}

static int file_sync(sqlite3_file *file, int flags)
{
    atomic_fetch_add_explicit(&layer_of(file)->owner->syncs, 1, memory_order_relaxed);
    return below(file)->pMethods->xSync(below(file), flags);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return below(file)->pMethods->xFileSize(below(file), size);
}

static int file_lock(sqlite3_file *file, int level)
{
    return below(file)->pMethods->xLock(below(file), level);
}

static int file_unlock(sqlite3_file *file, int level)
{
    return below(file)->pMethods->xUnlock(below(file), level);
}

static int file_is_reserved(sqlite3_file *file, int *is_reserved)
{
    return below(file)->pMethods->xCheckReservedLock(below(file), is_reserved);
}

static int file_control(sqlite3_file *file, int what, void *argument)
{
    return below(file)->pMethods->xFileControl(below(file), what, argument);
}

static int file_sector_size(sqlite3_file *file)
{
    return below(file)->pMethods->xSectorSize(below(file));
}

static int file_traits(sqlite3_file *file)
{
    return below(file)->pMethods->xDeviceCharacteristics(below(file));
}

/* Version 1: no shared memory, since a store's file is held exclusively, and no mapped one. */
static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_is_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_traits,
};

/* ---- the VFS ---- */

static struct store_vfs *vfs_of(sqlite3_vfs *vfs)
{
    return (struct store_vfs *) (void *) vfs;
}

static int
vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *flags_out)
{
    struct layer *layer = layer_of(file);
    sqlite3_vfs *real = vfs_of(vfs)->below;
    *layer = (struct layer){.owner = vfs_of(vfs)};
    int code = real->xOpen(real, name, below(file), flags, flags_out);
    if (code != SQLITE_OK) {
        return code; /* without methods SQLite does not close it */
    }
    layer->file.pMethods = &methods;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
    return vfs_of(vfs)->below->xDelete(vfs_of(vfs)->below, name, sync_folder);
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *result)
{
    return vfs_of(vfs)->below->xAccess(vfs_of(vfs)->below, name, flags, result);
}

static int vfs_full_name(sqlite3_vfs *vfs, const char *name, int size, char *full)
{
    return vfs_of(vfs)->below->xFullPathname(vfs_of(vfs)->below, name, size, full);
}

static int vfs_random(sqlite3_vfs *vfs, int size, char *bytes)
{
    return vfs_of(vfs)->below->xRandomness(vfs_of(vfs)->below, size, bytes);
}

static int vfs_sleep(sqlite3_vfs *vfs, int us)
{
    return vfs_of(vfs)->below->xSleep(vfs_of(vfs)->below, us);
}

static int vfs_time(sqlite3_vfs *vfs, double *now)
{
    return vfs_of(vfs)->below->xCurrentTime(vfs_of(vfs)->below, now);
}

static int vfs_last_error(sqlite3_vfs *vfs, int size, char *text)
{
    return vfs_of(vfs)->below->xGetLastError(vfs_of(vfs)->below, size, text);
}

vt_err store_vfs_open(const char *below_name, struct store_vfs **out)
{
    sqlite3_vfs *real = sqlite3_vfs_find(below_name);
    struct store_vfs *made = real == NULL ? NULL : calloc(1, sizeof *made);
    if (made == NULL) {
        return real == NULL ? VT_NOT_FOUND : VT_UNAVAILABLE;
    }
    (void) snprintf(made->name, sizeof made->name, "store-%p", (void *) made);
    made->below = real;
    made->vfs = (sqlite3_vfs){
        .iVersion = 1,
        .szOsFile = (int) sizeof(struct layer) + real->szOsFile,
        .mxPathname = real->mxPathname,
        .zName = made->name,
        .xOpen = vfs_open,
        .xDelete = vfs_delete,
        .xAccess = vfs_access,
        .xFullPathname = vfs_full_name,
        .xRandomness = vfs_random,
        .xSleep = vfs_sleep,
        .xCurrentTime = vfs_time,
        .xGetLastError = vfs_last_error,
    };
    if (sqlite3_vfs_register(&made->vfs, 0) != SQLITE_OK) {
        free(made);
        return VT_UNAVAILABLE;
    }
    *out = made;
    return VT_OK;
}

void store_vfs_close(struct store_vfs *vfs)
{
    if (vfs != NULL) {
        (void) sqlite3_vfs_unregister(&vfs->vfs);
        free(vfs);
    }
}

const char *store_vfs_name(const struct store_vfs *vfs)
{
    return vfs->name;
}

uint64_t store_vfs_syncs(const struct store_vfs *vfs)
{
    return atomic_load_explicit(&vfs->syncs, memory_order_relaxed);
}
