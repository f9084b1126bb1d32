#ifndef LIB_HISTOGRAM_H
#define LIB_HISTOGRAM_H

#include <stdint.h>

/* Counts of values in log-linear buckets (after Tene's HdrHistogram): values below 128 exactly,
 * greater ones within 0.8 % (two significant digits). Negative values count as 0, values of 2^42
 * and more as 2^42 - 1; the sum and the extremes are those of what was counted. Fixed memory, and
 * two of them add up to exactly what one would have counted. Zeroed is empty.
 */
#define HISTOGRAM_VALUE_MAX ((INT64_C(1) << 42) - 1)
#define HISTOGRAM_BUCKET_COUNT                                        \
    2368U /* 64 for each doubling up to 2^42, 64 more below the first \
           */

struct histogram {
    uint64_t count;
    int64_t sum;
    int64_t min; /* these two mean nothing while count is 0 */
    int64_t max;
    uint32_t buckets[HISTOGRAM_BUCKET_COUNT];
};

void histogram_clear(struct histogram *histogram);
void histogram_add(struct histogram *histogram, int64_t value);
void histogram_add_many(struct histogram *histogram, int64_t value, uint32_t times);

/* Adds what `other` has counted. */
void histogram_merge(struct histogram *histogram, const struct histogram *other);

/* The value that `parts` of 10,000 of the counted ones do not exceed (nearest rank): 5000 is the
 * median, 9990 is p99.9. 0 to 10000; the ends are the true extremes. 0 when nothing was counted.
 */
int64_t histogram_percentile(const struct histogram *histogram, uint32_t parts);

uint64_t histogram_count(const struct histogram *histogram);
int64_t histogram_sum(const struct histogram *histogram);

/* 0 when nothing was counted. */
int64_t histogram_min(const struct histogram *histogram);
int64_t histogram_max(const struct histogram *histogram);
int64_t histogram_mean(const struct histogram *histogram);

#endif
