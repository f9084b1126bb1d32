#include "lib/hash.h"

/* David Stafford's "variant 13" of the 64-bit finaliser; a bijection with full avalanche. */
static uint64_t mixed(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static uint64_t rotated(uint64_t x, uint32_t by)
{
    return (x << by) | (x >> (64U - by));
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotated(v[1], 13) ^ v[0];
    v[0] = rotated(v[0], 32);
    v[2] += v[3];
    v[3] = rotated(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotated(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotated(v[1], 17) ^ v[2];
    v[2] = rotated(v[2], 32);
}

/* Little-endian on every machine; compilers make one load of it. */
static uint64_t word_at(const uint8_t *data, uint32_t size)
{
    uint64_t word = 0;
    for (uint32_t i = 0; i < size; i++) {
        word |= (uint64_t) data[i] << (8U * i);
    }
    return word;
}

uint64_t hash_bytes(struct bytes bytes, uint64_t seed)
{
    uint64_t key_0 = mixed(seed ^ UINT64_C(0x9e3779b97f4a7c15));
    uint64_t key_1 = mixed(seed + UINT64_C(0x3c6ef372fe94f82b));
    uint64_t v[4] = {key_0 ^ UINT64_C(0x736f6d6570736575),
                     key_1 ^ UINT64_C(0x646f72616e646f6d),
                     key_0 ^ UINT64_C(0x6c7967656e657261),
                     key_1 ^ UINT64_C(0x7465646279746573)};

    uint32_t whole = bytes.size & ~7U;
    for (uint32_t i = 0; i < whole; i += 8) {
        uint64_t word = word_at(bytes.data + i, 8);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }

    uint32_t rest = bytes.size - whole;
    uint64_t last = ((uint64_t) bytes.size << 56) | (rest ? word_at(bytes.data + whole, rest) : 0);
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;

    v[2] ^= 0xFF;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t hash_u64(uint64_t number, uint64_t seed)
{
    return mixed(number + mixed(seed ^ UINT64_C(0x9e3779b97f4a7c15)));
}

uint64_t hash_pair(uint64_t a, uint64_t b, uint64_t seed)
{
    return mixed(mixed(a + seed) ^ rotated(seed, 32) ^ (b + UINT64_C(0x9e3779b97f4a7c15)));
}

uint64_t hash_rendezvous(uint64_t node_hash, uint32_t part)
{
    return hash_pair(node_hash, part, UINT64_C(0x70617274));
}
