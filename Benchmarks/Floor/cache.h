// A hash table from requests to results: the work with which any cache must find its entry.

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "results.h"

/// Folds bytes into a hash. Begin with any constant.
uint64_t hash_bytes(uint64_t hash, const char *bytes, size_t size);

/// The result kept under the hash, NULL when there is none.
const struct result *cache_find(uint64_t hash);
void cache_insert(uint64_t hash, const struct result *result);
