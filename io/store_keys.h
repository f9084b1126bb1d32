#ifndef IO_STORE_KEYS_H
#define IO_STORE_KEYS_H

/* Which (client, key) pairs were used lately, in memory: from a keyed 64-bit fingerprint to the
 * serial numbers of the rows that may hold it. The rows decide; a fingerprint that two pairs share
 * costs one more look and never a wrong answer.
 *
 * 256 segments by the fingerprint's low byte, each an open-addressing table with linear probing
 * that doubles on its own, so growing never stops the store's thread for longer than one segment
 * takes. 16 bytes an entry at a load of 3/8 to 3/4: 22 to 43 bytes a key.
 */

#include <stdbool.h>
#include <stdint.h>

#include "lib/bytes.h"
#include "lib/err.h"

struct store_keys;

/* `seed` from entropy. A key may be forgotten when it is older than `life_us`; reckoned in steps
 * of 1/512 of that.
 */
struct store_keys *store_keys_open(uint32_t keys_max, int64_t life_us, uint64_t seed);
void store_keys_close(struct store_keys *keys);

uint64_t
store_keys_fingerprint(const struct store_keys *keys, struct bytes client, struct bytes key);

struct store_keys_probe {
    uint64_t fingerprint;
    uint64_t at;
    bool is_started;
};

/* Walks the serials under probe->fingerprint; start with the other members zero and change nothing
 * in between. False: no more.
 */
bool store_keys_next(const struct store_keys *keys,
                     struct store_keys_probe *probe,
                     uint64_t *serial);

/* `serial` is at least 1; serials and times never fall from one call to the next but for what was
 * removed. VT_FULL: keys_max live ones, or no memory.
 */
VT_MUST_USE vt_err store_keys_add(struct store_keys *keys,
                                  uint64_t fingerprint,
                                  uint64_t serial,
                                  int64_t created_us);

/* Takes back an addition. */
void store_keys_remove(struct store_keys *keys, uint64_t fingerprint, uint64_t serial);

/* Lets go of what is too old; cheap, memory is reused as additions need it. */
void store_keys_expire(struct store_keys *keys, int64_t now_us);

/* Entries held, expired ones included that no addition has pushed out yet. */
uint64_t store_keys_count(const struct store_keys *keys);
uint64_t store_keys_bytes(const struct store_keys *keys);

#endif
