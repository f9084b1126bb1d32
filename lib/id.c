#include "lib/id.h"

#include "lib/check.h"

#define COUNTER_BITS 22U
#define RANDOM_BITS 40U
#define SHORT_BITS 30U
#define UNIX_MS_MAX ((INT64_C(1) << 48) - 1)

void id_source_init(struct id_source *source, uint64_t seed)
{
    *source = (struct id_source){.last_unix_ms = -1};
    random_init(&source->random, seed);
}

/* RFC 9562 section 6.2, method 1: a counter that starts anew each millisecond at a random number
 * with a clear top bit, so that two million ids have room before it is used up; then the time is
 * pushed ahead of the clock.
 */
static void advance(struct id_source *source, int64_t unix_ms)
{
    if (unix_ms > source->last_unix_ms) {
        source->last_unix_ms = unix_ms;
        source->counter = (uint32_t) random_below(&source->random, 1U << (COUNTER_BITS - 1U));
        return;
    }
    source->counter++;
    if (source->counter == 1U << COUNTER_BITS) {
        source->last_unix_ms++;
        source->counter = 0;
    }
}

struct ticket_id id_next(struct id_source *source, int64_t unix_ms, uint32_t partition)
{
    CHECK(unix_ms >= 0);
    CHECK(partition < ID_PARTITIONS);
    advance(source, unix_ms);
    CHECK(source->last_unix_ms <= UNIX_MS_MAX);

    uint64_t random = random_u64(&source->random) >> (64U - RANDOM_BITS);
    return (struct ticket_id){
        .hi = ((uint64_t) source->last_unix_ms << 16) | UINT64_C(0x7000) | partition,
        .lo = (UINT64_C(2) << 62) | ((uint64_t) source->counter << RANDOM_BITS) | random,
    };
}

uint32_t id_partition(struct ticket_id id)
{
    return (uint32_t) (id.hi & 0x0FFF);
}

int64_t id_unix_ms(struct ticket_id id)
{
    return (int64_t) (id.hi >> 16);
}

int id_compare(struct ticket_id a, struct ticket_id b)
{
    if (a.hi != b.hi) {
        return a.hi < b.hi ? -1 : 1;
    }
    return (a.lo > b.lo) - (a.lo < b.lo);
}

bool id_equal(struct ticket_id a, struct ticket_id b)
{
    return a.hi == b.hi && a.lo == b.lo;
}

bool id_is_zero(struct ticket_id id)
{
    return id.hi == 0 && id.lo == 0;
}

void id_to_bytes(struct ticket_id id, uint8_t bytes[ID_BYTES])
{
    for (uint32_t i = 0; i < 8; i++) {
        bytes[i] = (uint8_t) (id.hi >> (56U - 8U * i));
        bytes[8U + i] = (uint8_t) (id.lo >> (56U - 8U * i));
    }
}

struct ticket_id id_from_bytes(const uint8_t bytes[ID_BYTES])
{
    struct ticket_id id = {0};
    for (uint32_t i = 0; i < 8; i++) {
        id.hi = (id.hi << 8) | bytes[i];
        id.lo = (id.lo << 8) | bytes[8U + i];
    }
    return id;
}

static bool is_hyphen_place(uint32_t place)
{
    return place == 8 || place == 13 || place == 18 || place == 23;
}

void id_to_text(struct ticket_id id, char text[ID_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    uint32_t nibble = 0;
    for (uint32_t i = 0; i < ID_TEXT_SIZE - 1U; i++) {
        if (is_hyphen_place(i)) {
            text[i] = '-';
            continue;
        }
        uint64_t half = nibble < 16 ? id.hi : id.lo;
        text[i] = digits[(half >> (60U - 4U * (nibble % 16U))) & 0x0F];
        nibble++;
    }
    text[ID_TEXT_SIZE - 1U] = '\0';
}

/* 0 to 15, or 16 for what is no hexadecimal digit. */
static uint32_t nibble_of(uint8_t letter)
{
    if (letter >= '0' && letter <= '9') {
        return (uint32_t) (letter - '0');
    }
    uint8_t lower = letter | 0x20;
    return lower >= 'a' && lower <= 'f' ? (uint32_t) (lower - 'a') + 10U : 16U;
}

vt_err id_from_text(struct bytes text, struct ticket_id *out)
{
    if (text.size != ID_TEXT_SIZE - 1U) {
        return VT_INVALID;
    }

    struct ticket_id id = {0};
    for (uint32_t i = 0; i < text.size; i++) {
        if (is_hyphen_place(i) && text.data[i] == '-') {
            continue;
        }
        uint32_t nibble = nibble_of(text.data[i]);
        if (nibble == 16 || is_hyphen_place(i)) {
            return VT_INVALID;
        }
        id.hi = (id.hi << 4) | (id.lo >> 60);
        id.lo = (id.lo << 4) | nibble;
    }
    *out = id;
    return VT_OK;
}

#define SHORT_DIGITS (SHORT_BITS / 5U)

static const char crockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* The check digit makes the sum of digit[i] * 2^(i+1) in GF(32) vanish. All factors differ and none
 * is 0, so that one wrong digit or two swapped neighbours never go unnoticed.
 */
static uint32_t doubled_gf32(uint32_t element)
{
    uint32_t twice = element << 1;
    return (twice & 0x20U) != 0 ? twice ^ 0x25U : twice; /* x^5 + x^2 + 1 */
}

static uint32_t check_digit(uint32_t bits)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < SHORT_DIGITS; i++) {
        /* Horner's rule: the first digit is doubled most often, the last one once. */
        sum = doubled_gf32(sum ^ ((bits >> (SHORT_BITS - 5U * (i + 1U))) & 0x1FU));
    }
    return sum;
}

void id_to_short(struct ticket_id id, char text[ID_SHORT_SIZE])
{
    uint32_t bits = id_short_bits(id);
    uint32_t place = 0;
    for (uint32_t i = 0; i < SHORT_DIGITS; i++) {
        if (i == 4) {
            text[place++] = '-';
        }
        text[place++] = crockford[(bits >> (SHORT_BITS - 5U * (i + 1U))) & 0x1FU];
    }
    text[place++] = crockford[check_digit(bits)];
    text[place] = '\0';
    CHECK(place + 1U == ID_SHORT_SIZE);
}

/* 0 to 31, or 32 for a letter that Crockford's alphabet does not have. */
static uint32_t crockford_digit(uint8_t letter)
{
    uint8_t upper = letter >= 'a' && letter <= 'z' ? (uint8_t) (letter - 0x20) : letter;
    if (upper == 'O') {
        return 0;
    }
    if (upper == 'I' || upper == 'L') {
        return 1;
    }
    for (uint32_t i = 0; i < 32; i++) {
        if (crockford[i] == (char) upper) {
            return i;
        }
    }
    return 32;
}

vt_err id_short_parse(struct bytes text, uint32_t *bits)
{
    uint64_t digits = 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < text.size; i++) {
        if (text.data[i] == '-' || text.data[i] == ' ') {
            continue;
        }
        uint32_t digit = crockford_digit(text.data[i]);
        if (digit == 32 || count == SHORT_DIGITS + 1U) {
            return VT_INVALID;
        }
        digits = (digits << 5) | digit;
        count++;
    }

    uint32_t found = (uint32_t) (digits >> 5);
    if (count != SHORT_DIGITS + 1U || check_digit(found) != (digits & 0x1FU)) {
        return VT_INVALID;
    }
    *bits = found;
    return VT_OK;
}

uint32_t id_short_bits(struct ticket_id id)
{
    return (uint32_t) (id.lo & ((1U << SHORT_BITS) - 1U));
}

bool id_short_matches(struct ticket_id id, uint32_t bits)
{
    return id_short_bits(id) == bits;
}
