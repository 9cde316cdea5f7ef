#include "cache.h"

#include <string.h>

enum { SLOTS = 1 << 17, ENTRIES_MAX = SLOTS / 2 };

struct slot {
    uint64_t hash;
    const struct result *result;
};

static struct slot slots[SLOTS];
static size_t entries;

/// Multiplication spreads low bits upwards, the shift brings them down again.
static uint64_t mix(uint64_t hash, uint64_t word) {
    hash = (hash ^ word) * 0x9fb21c651e98df25u;
    return hash ^ hash >> 32;
}

uint64_t hash_bytes(uint64_t hash, const char *bytes, size_t size) {
    uint64_t word;
    for (; size >= sizeof word; bytes += sizeof word, size -= sizeof word) {
        memcpy(&word, bytes, sizeof word);
        hash = mix(hash, word);
    }
    word = 0;
    memcpy(&word, bytes, size);
    return mix(hash, word << 8 | size);
}

/// Linear probing: the slot of the hash, or the empty one where it would be.
static struct slot *locate(uint64_t hash) {
    size_t index = hash % SLOTS;
    while (slots[index].result && slots[index].hash != hash) index = (index + 1) % SLOTS;
    return &slots[index];
}

const struct result *cache_find(uint64_t hash) { return locate(hash)->result; }

void cache_insert(uint64_t hash, const struct result *result) {
    if (entries == ENTRIES_MAX) {
        memset(slots, 0, sizeof slots);
        entries = 0;
    }
    *locate(hash) = (struct slot){.hash = hash, .result = result};
    entries++;
}
