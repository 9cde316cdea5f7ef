#pragma once
#include <libpq-fe.h>
#include <pthread.h>

// The prototype is hidden behind _GNU_SOURCE, which the Swift overlay of the C library does not set.
int pthread_setname_np(pthread_t thread, const char *name);

static inline void waldenNameThread(pthread_t thread, const char *name) { pthread_setname_np(thread, name); }
