#include "keys.h"

#include <math.h>
#include <stdlib.h>

enum { SAMPLES = 1 << 20 };

/// xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled").
static uint64_t next_random(uint64_t *state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1du;
}

double next_fraction(struct key_source *source) { return (double)(next_random(&source->random) >> 11) * 0x1p-53; }

/// The power is too dear to take for each request, so a million offsets are drawn beforehand by inverting the sum.
static uint32_t *draw_zipf(struct key_source *source, double exponent) {
    double *sums = malloc(source->count * sizeof *sums);
    uint32_t *samples = malloc(SAMPLES * sizeof *samples);
    if (!sums || !samples) abort();
    double sum = 0;
    for (uint32_t rank = 0; rank < source->count; rank++) sums[rank] = sum += pow(rank + 1, -exponent);
    for (int index = 0; index < SAMPLES; index++) {
        double wanted = next_fraction(source) * sum;
        uint32_t low = 0, high = source->count - 1;
        while (low < high) {
            uint32_t middle = low + (high - low) / 2;
            if (sums[middle] > wanted) high = middle; else low = middle + 1;
        }
        samples[index] = low;
    }
    free(sums);
    return samples;
}

struct key_source make_key_source(const struct options *options) {
    struct key_source source = {
        .distribution = options->distribution, .first = options->first_key, .count = options->keys,
        .random = options->seed * 0x9e3779b97f4a7c15u,
    };
    if (source.distribution == KEYS_ZIPF) source.samples = draw_zipf(&source, options->zipf_exponent);
    return source;
}

uint32_t next_key(struct key_source *source) {
    switch (source->distribution) {
        case KEYS_ZIPF: return source->first + source->samples[source->drawn++ % SAMPLES];
        case KEYS_SEQUENTIAL: return source->first + (uint32_t)(source->drawn++ % source->count);
        case KEYS_UNIFORM: break;
    }
    // The high half of a product is uniform without a division (Lemire, "Fast random integer generation in an
    // interval").
    return source->first + (uint32_t)(((next_random(&source->random) >> 32) * source->count) >> 32);
}
