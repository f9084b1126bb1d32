#ifndef LIB_HASH_H
#define LIB_HASH_H

#include <stdint.h>

#include "lib/bytes.h"

/* Keyed 64-bit hashes. Tables take the seed from the core's random numbers, so that nobody outside
 * can choose keys that collide. Not for signatures.
 */

/* SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF") with the key spread from
 * `seed`. The same on every machine.
 */
uint64_t hash_bytes(struct bytes bytes, uint64_t seed);

/* A keyed mix of one number; for a fixed seed it is a bijection. */
uint64_t hash_u64(uint64_t number, uint64_t seed);

/* A keyed mix of two numbers; for ids as table keys. */
uint64_t hash_pair(uint64_t a, uint64_t b, uint64_t seed);

/* The score of one node for one partition; equal in every process that knows the same two. */
uint64_t hash_rendezvous(uint64_t node_hash, uint32_t part);

#endif
