// GNU extensions: sched_setaffinity.
#define _GNU_SOURCE
#include "CBenchmark.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static uint64_t read_clock(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

uint64_t bench_now(void) { return read_clock(CLOCK_MONOTONIC); }

uint64_t bench_own_processor_time(void) { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }

typedef void thread_visitor(pid_t process, pid_t thread, void *context);

static void visit_tree(pid_t process, thread_visitor *visit, void *context);

/// A child process hangs below the thread that started it.
static void visit_children(pid_t process, pid_t thread, thread_visitor *visit, void *context) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", process, thread);
    FILE *children = fopen(path, "re");
    if (!children) return;
    int child;
    while (fscanf(children, "%d", &child) == 1) visit_tree(child, visit, context);
    fclose(children);
}

static void visit_tree(pid_t process, thread_visitor *visit, void *context) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", process);
    DIR *threads = opendir(path);
    if (!threads) return;
    struct dirent *entry;
    while ((entry = readdir(threads))) {
        pid_t thread = atoi(entry->d_name);
        if (thread <= 0) continue;
        visit(process, thread, context);
        visit_children(process, thread, visit, context);
    }
    closedir(threads);
}

static void add_processor_time(pid_t process, pid_t thread, void *context) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/schedstat", process, thread);
    FILE *statistics = fopen(path, "re");
    if (!statistics) return;
    unsigned long long nanoseconds;
    if (fscanf(statistics, "%llu", &nanoseconds) == 1) *(uint64_t *)context += nanoseconds;
    fclose(statistics);
}

uint64_t bench_processor_time(pid_t process) {
    uint64_t total = 0;
    visit_tree(process, add_processor_time, &total);
    return total;
}

static void add_resident_bytes(pid_t process, pid_t thread, void *context) {
    // The threads of a process share its memory.
    if (thread != process) return;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/statm", process);
    FILE *statistics = fopen(path, "re");
    if (!statistics) return;
    unsigned long long pages;
    if (fscanf(statistics, "%*u %llu", &pages) == 1) *(uint64_t *)context += pages * (uint64_t)sysconf(_SC_PAGESIZE);
    fclose(statistics);
}

uint64_t bench_resident_bytes(pid_t process) {
    uint64_t total = 0;
    visit_tree(process, add_resident_bytes, &total);
    return total;
}

void bench_allow_many_files(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

struct pinning {
    cpu_set_t set;
    int threads;
};

static cpu_set_t set_of(uint64_t processors) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int processor = 0; processor < 64; processor++) {
        if (processors >> processor & 1) CPU_SET(processor, &set);
    }
    return set;
}

static void pin_thread(pid_t process, pid_t thread, void *context) {
    (void)process;
    struct pinning *pinning = context;
    if (sched_setaffinity(thread, sizeof pinning->set, &pinning->set) == 0) pinning->threads++;
}

int bench_pin(pid_t process, uint64_t processors) {
    struct pinning pinning = {.set = set_of(processors)};
    visit_tree(process, pin_thread, &pinning);
    return pinning.threads;
}

void bench_pin_caller(uint64_t processors) {
    cpu_set_t set = set_of(processors);
    sched_setaffinity(0, sizeof set, &set);
}
