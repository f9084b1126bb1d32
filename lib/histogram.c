#include "lib/histogram.h"

#include <string.h>

#include "lib/check.h"

#define STEP_BITS 6U /* 64 steps for each doubling */
#define STEPS (1U << STEP_BITS)
#define EXACT_VALUES 128U /* two times STEPS */

/* Values below 128 have buckets of their own; above, the top seven bits choose it. */
static uint32_t bucket_of(int64_t value)
{
    uint64_t number = (uint64_t) value;
    if (number < EXACT_VALUES) {
        return (uint32_t) number;
    }
    uint32_t shift = 63U - (uint32_t) __builtin_clzll(number) - STEP_BITS;
    return shift * STEPS + (uint32_t) (number >> shift);
}

/* The middle of the bucket's values. */
static int64_t value_of(uint32_t bucket)
{
    if (bucket < EXACT_VALUES) {
        return bucket;
    }
    uint32_t shift = bucket / STEPS - 1U;
    uint64_t lowest = (uint64_t) (bucket - shift * STEPS) << shift;
    return (int64_t) (lowest + ((UINT64_C(1) << shift) >> 1));
}

void histogram_clear(struct histogram *histogram)
{
    memset(histogram, 0, sizeof *histogram);
}

void histogram_add_many(struct histogram *histogram, int64_t value, uint32_t times)
{
    if (times == 0) {
        return;
    }
    if (value < 0) {
        value = 0;
    } else if (value > HISTOGRAM_VALUE_MAX) {
        value = HISTOGRAM_VALUE_MAX;
    }

    uint32_t bucket = bucket_of(value);
    CHECK(bucket < HISTOGRAM_BUCKET_COUNT);
    CHECK(histogram->buckets[bucket] <= UINT32_MAX - times);
    histogram->buckets[bucket] += times;
    histogram->min = histogram->count == 0 || value < histogram->min ? value : histogram->min;
    histogram->max = histogram->count == 0 || value > histogram->max ? value : histogram->max;
    histogram->sum += value * (int64_t) times;
    histogram->count += times;
}

void histogram_add(struct histogram *histogram, int64_t value)
{
    histogram_add_many(histogram, value, 1);
}

void histogram_merge(struct histogram *histogram, const struct histogram *other)
{
    if (other->count == 0) {
        return;
    }
    for (uint32_t i = 0; i < HISTOGRAM_BUCKET_COUNT; i++) {
        CHECK(histogram->buckets[i] <= UINT32_MAX - other->buckets[i]);
        histogram->buckets[i] += other->buckets[i];
    }
    if (histogram->count == 0 || other->min < histogram->min) {
        histogram->min = other->min;
    }
    if (histogram->count == 0 || other->max > histogram->max) {
        histogram->max = other->max;
    }
    histogram->sum += other->sum;
    histogram->count += other->count;
}

static int64_t clamped(const struct histogram *histogram, int64_t value)
{
    if (value < histogram->min) {
        return histogram->min;
    }
    return value > histogram->max ? histogram->max : value;
}

int64_t histogram_percentile(const struct histogram *histogram, uint32_t parts)
{
    CHECK(parts <= 10000);
    if (histogram->count == 0 || parts == 0) {
        return histogram_min(histogram);
    }
    if (parts == 10000) {
        return histogram->max;
    }

    /* Split, so that the product stays in 64 bits for any count. */
    uint64_t whole = histogram->count / 10000U * parts;
    uint64_t rest = (histogram->count % 10000U * parts + 9999U) / 10000U;
    uint64_t rank = whole + rest;
    uint64_t seen = 0;
    for (uint32_t i = 0; i < HISTOGRAM_BUCKET_COUNT; i++) {
        seen += histogram->buckets[i];
        if (seen >= rank) {
            return clamped(histogram, value_of(i));
        }
    }
    return histogram->max;
}

uint64_t histogram_count(const struct histogram *histogram)
{
    return histogram->count;
}

int64_t histogram_sum(const struct histogram *histogram)
{
    return histogram->sum;
}

int64_t histogram_min(const struct histogram *histogram)
{
    return histogram->count == 0 ? 0 : histogram->min;
}

int64_t histogram_max(const struct histogram *histogram)
{
    return histogram->count == 0 ? 0 : histogram->max;
}

int64_t histogram_mean(const struct histogram *histogram)
{
    return histogram->count == 0 ? 0 : histogram->sum / (int64_t) histogram->count;
}
