#ifndef LIB_MEMBERS_H
#define LIB_MEMBERS_H

#include <stdbool.h>
#include <stdint.h>

/* Who should own a partition: weighted rendezvous hashing (Thaler and Ravishankar; weights after
 * Schindelhauer and Schomaker's logarithmic method), in whole numbers, so that every process on
 * every machine computes the same. A member that joins or leaves moves only the partitions that
 * become or were its own.
 */
#define MEMBERS_NONE UINT32_MAX
#define MEMBERS_WEIGHT_MAX 65535U

struct member {
    uint64_t name_hash; /* hash_bytes(name, MEMBERS_NAME_SEED): the same in every process */
    uint32_t node;
    uint32_t weight; /* share of the partitions; 0 owns nothing; at most MEMBERS_WEIGHT_MAX */
    bool active;
};

/* For the hash of a node's name; fixed, since all processes must agree. */
#define MEMBERS_NAME_SEED UINT64_C(0x76656e74616e696c)

/* The index in `members` of the owner, or MEMBERS_NONE when nobody active has weight. The order of
 * the array does not matter, except that equal name hashes are a bug of the caller's.
 */
uint32_t members_owner(const struct member *members, uint32_t count, uint32_t part);

#endif
