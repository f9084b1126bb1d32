#include "io/store_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/check.h"

#define PATH_BYTES 1024U
#define CACHE_BYTES_DEFAULT (UINT64_C(64) << 20)
#define PAGE_BYTES 4096

#define WAL_HEADER_BYTES 32
#define WAL_FRAME_BYTES (PAGE_BYTES + 24)

/* Where the text for the operator goes, and what it is about. */
struct report {
    char *message;
    uint32_t size;
    const char *path;
};

static vt_err fail(const struct report *report, vt_err error, const char *what, const char *advice)
{
    (void) snprintf(report->message, report->size, "%s: %s; %s", report->path, what, advice);
    return error;
}

static vt_err fail_sqlite(const struct report *report, sqlite3 *db)
{
    int code = sqlite3_extended_errcode(db);
    int primary = code & 0xFF;
    if (primary == SQLITE_NOTADB) {
        return fail(report,
                    VT_CORRUPT,
                    "is not a store of ventanilla",
                    "move the file away or choose another folder");
    }
    if (primary == SQLITE_CORRUPT) {
        return fail(report,
                    VT_CORRUPT,
                    "is damaged",
                    "restore a backup; 'sqlite3 FILE .recover' may save what is left");
    }
    if (primary == SQLITE_FULL) {
        return fail(report, VT_FULL, "the disk is full", "make room and start again");
    }
    if (primary == SQLITE_READONLY || primary == SQLITE_PERM || primary == SQLITE_AUTH) {
        return fail(report, VT_DENIED, "is not writable", "check its owner and permissions");
    }
    vt_err error = primary == SQLITE_CANTOPEN ? VT_DENIED : VT_UNAVAILABLE;
    return fail(report, error, sqlite3_errmsg(db), "check the disk, its permissions and its space");
}

static vt_err fail_system(const struct report *report, int number)
{
    if (number == EACCES || number == EPERM || number == EROFS) {
        return fail(report, VT_DENIED, "is not writable", "check its owner and permissions");
    }
    if (number == ENOSPC || number == EDQUOT) {
        return fail(report, VT_FULL, "the disk is full", "make room and start again");
    }
    char text[128];
    return fail(report, VT_UNAVAILABLE, strerror_r(number, text, sizeof text), "check the path");
}

static vt_err join(char path[PATH_BYTES], const char *folder, const char *name)
{
    int length = snprintf(path, PATH_BYTES, "%s/%s", folder, name);
    return length > 0 && (uint32_t) length < PATH_BYTES ? VT_OK : VT_TOO_LARGE;
}

/* A new folder's own entry must last as well as what is in it. */
static void sync_parent(const char *folder)
{
    char path[PATH_BYTES];
    if (join(path, folder, "..") != VT_OK) {
        return;
    }
    int parent = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent >= 0) {
        (void) fsync(parent);
        close(parent);
    }
}

static vt_err make_folder(const char *folder, const struct report *report)
{
    if (mkdir(folder, 0750) == 0) {
        sync_parent(folder);
        return VT_OK;
    }
    return errno == EEXIST ? VT_OK : fail_system(report, errno);
}

static vt_err fail_locked(int fd, const struct report *report)
{
    char pid[24] = {0};
    ssize_t size = pread(fd, pid, sizeof pid - 1U, 0);
    pid[strcspn(pid, "\n")] = '\0';
    char what[80];
    (void) snprintf(
        what, sizeof what, "already used by process %s", size > 0 && pid[0] ? pid : "(unknown)");
    return fail(report, VT_CONFLICT, what, "stop that one or choose another folder");
}

static vt_err take_lock(int *out, const char *path, const struct report *report)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0) {
        return fail_system(report, errno);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        vt_err error = errno == EWOULDBLOCK ? fail_locked(fd, report) : fail_system(report, errno);
        close(fd);
        return error;
    }
    char pid[24];
    int length = snprintf(pid, sizeof pid, "%ld\n", (long) getpid());
    /* The pid is for people; the lock holds without it, on a full disk for example. */
    if (ftruncate(fd, 0) == 0) {
        ssize_t written = pwrite(fd, pid, (size_t) length, 0);
        (void) written;
    }
    *out = fd;
    return VT_OK;
}

static int execute(sqlite3 *db, const char *text)
{
    return sqlite3_exec(db, text, NULL, NULL, NULL);
}

static int query_i64(sqlite3 *db, const char *text, int64_t *out)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, text, -1, &statement, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
    }
    if (code == SQLITE_ROW) {
        *out = sqlite3_column_int64(statement, 0);
        code = SQLITE_OK;
    }
    sqlite3_finalize(statement);
    return code;
}

/* Exclusive before WAL: then the index of the WAL is in this process's memory, not in a file. */
static int
configure(sqlite3 *db, const struct store_file_schema *schema, const struct store_options *options)
{
    uint64_t cache = options->cache_bytes == 0 ? CACHE_BYTES_DEFAULT : options->cache_bytes;
    char text[512];
    (void) snprintf(text,
                    sizeof text,
                    "PRAGMA page_size=%d; PRAGMA locking_mode=EXCLUSIVE;"
                    "PRAGMA journal_mode=WAL; PRAGMA synchronous=%s;"
                    "PRAGMA cache_size=-%" PRIu64 "; PRAGMA temp_store=MEMORY;"
                    "PRAGMA wal_autocheckpoint=%" PRIu32 "; PRAGMA journal_size_limit=%" PRIu32,
                    PAGE_BYTES,
                    options->sync == STORE_SYNC_OFF ? "OFF" : "FULL",
                    cache / 1024U,
                    schema->checkpoint_pages,
                    schema->checkpoint_pages * PAGE_BYTES * 4U);
    return execute(db, text);
}

static int limit_pages(sqlite3 *db, uint32_t pages_max)
{
    if (pages_max == 0) {
        return SQLITE_OK;
    }
    char text[64];
    (void) snprintf(text, sizeof text, "PRAGMA max_page_count=%" PRIu32, pages_max);
    return execute(db, text);
}

static int upgrade(sqlite3 *db, const struct store_file_schema *schema, uint32_t from)
{
    int code = execute(db, "BEGIN IMMEDIATE");
    for (uint32_t i = from; i < schema->version && code == SQLITE_OK; i++) {
        code = execute(db, schema->upgrade[i]);
    }
    char text[160];
    (void) snprintf(text,
                    sizeof text,
                    "PRAGMA application_id=%" PRId32 ";"
                    "UPDATE vt_meta SET schema_version=%" PRIu32,
                    schema->application_id,
                    schema->version);
    if (code == SQLITE_OK) {
        code = execute(db, text);
    }
    if (code == SQLITE_OK) {
        code = execute(db, "COMMIT");
    }
    return code;
}

static vt_err
check_version(sqlite3 *db, const struct store_file_schema *schema, const struct report *report)
{
    int64_t version = 0;
    if (query_i64(db, "SELECT schema_version FROM vt_meta", &version) != SQLITE_OK) {
        return fail_sqlite(report, db);
    }
    if (version > (int64_t) schema->version) {
        char what[96];
        (void) snprintf(what,
                        sizeof what,
                        "written by a newer version (schema %" PRId64 ", this one knows %" PRIu32
                        ")",
                        version,
                        schema->version);
        return fail(report, VT_NEWER, what, "use that version or a later one");
    }
    if (version < (int64_t) schema->version &&
        upgrade(db, schema, (uint32_t) version) != SQLITE_OK) {
        return fail_sqlite(report, db);
    }
    return VT_OK;
}

/* An empty file becomes a store; a file of somebody else's is left alone. */
static vt_err
make_schema(sqlite3 *db, const struct store_file_schema *schema, const struct report *report)
{
    int64_t application_id = 0;
    int64_t tables = 0;
    if (query_i64(db, "PRAGMA application_id", &application_id) != SQLITE_OK ||
        query_i64(db, "SELECT count(*) FROM sqlite_schema", &tables) != SQLITE_OK) {
        return fail_sqlite(report, db);
    }
    if (application_id == schema->application_id) {
        return check_version(db, schema, report);
    }
    if (application_id != 0 || tables != 0) {
        return fail(report,
                    VT_CORRUPT,
                    "is a database of another program",
                    "move it away or choose another folder");
    }
    return upgrade(db, schema, 0) == SQLITE_OK ? VT_OK : fail_sqlite(report, db);
}

/* Gives the WAL its full length at once: a sync of a file that grows has to write the file system's
 * own books as well and takes several times as long. Zeros behind the last frame are no frame
 * (their salt is wrong), so SQLite overwrites them. Where there is no room it stays short.
 */
static void extend_wal(sqlite3 *db, uint32_t pages)
{
    static const uint8_t zeros[64 * 1024];
    sqlite3_file *wal = NULL;
    sqlite3_int64 before = 0;
    sqlite3_int64 wanted = WAL_HEADER_BYTES + (sqlite3_int64) pages * WAL_FRAME_BYTES;
    int code = sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal);
    if (code != SQLITE_OK || wal == NULL || wal->pMethods == NULL) {
        return;
    }
    code = wal->pMethods->xFileSize(wal, &before);
    for (sqlite3_int64 at = before; at < wanted && code == SQLITE_OK;
         at += (sqlite3_int64) sizeof zeros) {
        sqlite3_int64 left = wanted - at;
        int size = left < (sqlite3_int64) sizeof zeros ? (int) left : (int) sizeof zeros;
        code = wal->pMethods->xWrite(wal, zeros, size, at);
    }
    if (code == SQLITE_OK) {
        code = wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL);
    }
    if (code != SQLITE_OK) {
        (void) wal->pMethods->xTruncate(wal, before);
    }
}

/* Citizens' texts are in it, so it is not for everybody to read; the WAL takes after the file. */
static void create_private(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (fd >= 0) {
        close(fd); /* SQLite says better what is wrong */
    }
}

static vt_err open_database(struct store_file *file,
                            const struct store_file_schema *schema,
                            const struct store_options *options,
                            const struct report *report)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    create_private(report->path);
    vt_err error = store_vfs_open(options->vfs, &file->vfs);
    if (error != VT_OK) {
        return fail(report, VT_UNAVAILABLE, "no such VFS, or out of memory", "start again");
    }
    int code = sqlite3_open_v2(report->path, &file->db, flags, store_vfs_name(file->vfs));
    if (file->db == NULL) {
        return fail(report, VT_UNAVAILABLE, "out of memory", "free some and start again");
    }
    sqlite3_extended_result_codes(file->db, 1);
    if (code != SQLITE_OK) {
        return fail_sqlite(report, file->db);
    }
    if (sqlite3_db_readonly(file->db, "main") == 1) {
        return fail(report, VT_DENIED, "is not writable", "check its owner and permissions");
    }
    if (configure(file->db, schema, options) != SQLITE_OK) {
        return fail_sqlite(report, file->db);
    }
    error = make_schema(file->db, schema, report);
    if (error == VT_OK && limit_pages(file->db, options->pages_max) != SQLITE_OK) {
        error = fail_sqlite(report, file->db);
    }
    if (error == VT_OK && options->sync == STORE_SYNC_FULL) {
        extend_wal(file->db, schema->checkpoint_pages);
    }
    return error;
}

vt_err store_file_open(struct store_file *file,
                       const struct store_file_schema *schema,
                       const struct store_options *options,
                       char *message,
                       uint32_t message_size)
{
    CHECK(options->folder != NULL);
    CHECK(message_size > 0);
    char lock_path[PATH_BYTES];
    char path[PATH_BYTES];
    struct report report = {.message = message, .size = message_size, .path = options->folder};
    message[0] = '\0';
    if (join(lock_path, options->folder, schema->lock_name) != VT_OK ||
        join(path, options->folder, schema->file_name) != VT_OK) {
        return fail(&report, VT_TOO_LARGE, "the path is too long", "choose a shorter one");
    }

    /* SQLite's count of its memory costs a lock at every allocation. Refused, and then of no
     * consequence, where SQLite runs already. */
    (void) sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    *file = (struct store_file){.lock_fd = -1};
    vt_err error = make_folder(options->folder, &report);
    if (error == VT_OK) {
        error = take_lock(&file->lock_fd, lock_path, &report);
    }
    if (error == VT_OK) {
        report.path = path;
        error = open_database(file, schema, options, &report);
    }
    if (error != VT_OK) {
        store_file_close(file);
    }
    return error;
}

void store_file_close(struct store_file *file)
{
    if (file->db != NULL) {
        (void) sqlite3_close_v2(file->db);
        file->db = NULL;
    }
    store_vfs_close(file->vfs);
    file->vfs = NULL;
    if (file->lock_fd >= 0) {
        close(file->lock_fd); /* the lock goes with it */
        file->lock_fd = -1;
    }
}
