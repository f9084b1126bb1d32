#include "tests/unit/fault_vfs.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/check.h"

struct fault_file {
    sqlite3_file base;
    sqlite3_file *real; /* behind this struct in the same memory */
};

static struct fault_vfs faults;
static sqlite3_vfs *system_vfs;

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct fault_file *) file)->real;
}

static bool fails(_Atomic int *left)
{
    int now = atomic_load(left);
    if (now < 0) {
        return false;
    }
    if (now > 0) {
        atomic_store(left, now - 1);
    }
    return now == 0;
}

static int file_close(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int file_read(sqlite3_file *file, void *data, int size, sqlite3_int64 offset)
{
    if (fails(&faults.reads_left)) {
        return SQLITE_IOERR_READ;
    }
    return real_of(file)->pMethods->xRead(real_of(file), data, size, offset);
}

static int file_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 offset)
{
    if (fails(&faults.writes_left)) {
        return SQLITE_IOERR_WRITE;
    }
    return real_of(file)->pMethods->xWrite(real_of(file), data, size, offset);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int file_sync(sqlite3_file *file, int flags)
{
    if (fails(&faults.syncs_left)) {
        return SQLITE_IOERR_FSYNC;
    }
    atomic_fetch_add(&faults.syncs, 1);
    return real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int file_lock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int file_unlock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int file_check_lock(sqlite3_file *file, int *result)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), result);
}

static int file_control(sqlite3_file *file, int operation, void *argument)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), operation, argument);
}

static int file_sector_size(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int file_characteristics(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
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
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_lock,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_characteristics,
};

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    (void) vfs;
    struct fault_file *fault = (struct fault_file *) file;
    fault->real = (sqlite3_file *) (fault + 1);
    fault->real->pMethods = NULL;
    int code = system_vfs->xOpen(system_vfs, name, fault->real, flags, out);
    file->pMethods = fault->real->pMethods == NULL ? NULL : &methods;
    return code;
}

struct fault_vfs *fault_vfs_register(void)
{
    static sqlite3_vfs vfs;
    if (system_vfs == NULL) {
        system_vfs = sqlite3_vfs_find(NULL);
        CHECK(system_vfs != NULL);
        vfs = *system_vfs;
        vfs.zName = "fault";
        vfs.szOsFile = (int) sizeof(struct fault_file) + system_vfs->szOsFile;
        vfs.xOpen = vfs_open;
        CHECK(sqlite3_vfs_register(&vfs, 0) == SQLITE_OK);
    }
    fault_vfs_heal(&faults);
    return &faults;
}

void fault_vfs_heal(struct fault_vfs *healed)
{
    atomic_store(&healed->syncs_left, -1);
    atomic_store(&healed->writes_left, -1);
    atomic_store(&healed->reads_left, -1);
}
