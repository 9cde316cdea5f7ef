#include "histogram.h"

enum { SUBCLASS_BITS = 7 };

/// Below 128 each value is a class; above, each power of two has 128 classes.
static unsigned class_of(uint64_t value) {
    if (value < HISTOGRAM_SUBCLASSES) return (unsigned)value;
    unsigned exponent = 63 - (unsigned)__builtin_clzll(value);
    unsigned within = (unsigned)(value >> (exponent - SUBCLASS_BITS)) & (HISTOGRAM_SUBCLASSES - 1);
    return (exponent - SUBCLASS_BITS + 1) * HISTOGRAM_SUBCLASSES + within;
}

static uint64_t middle_of(unsigned class) {
    if (class < HISTOGRAM_SUBCLASSES) return class;
    unsigned shift = class / HISTOGRAM_SUBCLASSES - 1;
    uint64_t lowest = (uint64_t)(HISTOGRAM_SUBCLASSES + class % HISTOGRAM_SUBCLASSES) << shift;
    return lowest + ((uint64_t)1 << shift) / 2;
}

void histogram_add(struct histogram *histogram, uint64_t nanoseconds) {
    histogram->counts[class_of(nanoseconds)]++;
    histogram->total++;
    if (nanoseconds > histogram->highest) histogram->highest = nanoseconds;
}

uint64_t histogram_quantile(const struct histogram *histogram, double fraction) {
    uint64_t wanted = (uint64_t)((double)histogram->total * fraction), seen = 0;
    for (unsigned class = 0; class < HISTOGRAM_CLASSES; class++) {
        seen += histogram->counts[class];
        if (seen > wanted) return middle_of(class);
    }
    return histogram->highest;
}
