// Which key comes next.

#pragma once

#include <stdint.h>

#include "options.h"

struct key_source {
    enum distribution distribution;
    uint32_t first, count;
    uint64_t random;
    uint64_t drawn;
    /// Offsets drawn beforehand from the Zipf distribution, NULL for the others.
    uint32_t *samples;
};

struct key_source make_key_source(const struct options *options);
uint32_t next_key(struct key_source *source);
/// A number in [0, 1).
double next_fraction(struct key_source *source);
