#pragma once
#include <stringprep.h>

// The profile is an array of unspecified length, which Swift does not import.
static inline int waldenSASLPrep(char *text, size_t capacity) {
    return stringprep(text, capacity, STRINGPREP_NO_UNASSIGNED, stringprep_saslprep);
}
