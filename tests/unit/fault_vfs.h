#ifndef TESTS_UNIT_FAULT_VFS_H
#define TESTS_UNIT_FAULT_VFS_H

/* An SQLite VFS over the system's that fails when told to; for the store's worst days. */

#include <stdatomic.h>

struct fault_vfs {
    _Atomic int syncs_left;  /* so many more succeed, then all fail; negative: none fails */
    _Atomic int writes_left; /* the same of writes */
    _Atomic int reads_left;  /* the same of reads */
    _Atomic int syncs;       /* that succeeded */
};

/* Registers it under the name "fault"; the same object at every call. */
struct fault_vfs *fault_vfs_register(void);

/* Nothing fails any more. */
void fault_vfs_heal(struct fault_vfs *healed);

#endif
