// Latencies, counted in classes that are at most 0.8 % wide.

#pragma once

#include <stdint.h>

enum { HISTOGRAM_SUBCLASSES = 128, HISTOGRAM_CLASSES = 58 * HISTOGRAM_SUBCLASSES };

struct histogram {
    uint64_t counts[HISTOGRAM_CLASSES];
    uint64_t total, highest;
};

void histogram_add(struct histogram *histogram, uint64_t nanoseconds);
/// The latency that the fraction (0 to 1) of all does not exceed, in nanoseconds; 0 when there are none.
uint64_t histogram_quantile(const struct histogram *histogram, double fraction);
