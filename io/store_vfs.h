#ifndef IO_STORE_VFS_H
#define IO_STORE_VFS_H

/* A layer between SQLite and the VFS below it, for one store: it counts syncs, which nothing else
 * tells. Everything is passed on as it is.
 */

#include <stdint.h>

#include "lib/err.h"

struct store_vfs;

/* Over the VFS `below`; NULL: the system's. VT_NOT_FOUND: there is none of that name.
 * VT_UNAVAILABLE: out of memory. */
VT_MUST_USE vt_err store_vfs_open(const char *below, struct store_vfs **out);
/* When every file opened through it is closed. Accepts NULL. */
void store_vfs_close(struct store_vfs *vfs);

const char *store_vfs_name(const struct store_vfs *vfs); /* for sqlite3_open_v2() */

/* Counted since opening: fsync() and fdatasync() of all its files. From any thread. */
uint64_t store_vfs_syncs(const struct store_vfs *vfs);

#endif
