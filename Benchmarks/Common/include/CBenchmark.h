// What the benchmark's programs share: the clock, loopback sockets, and the processor time of other processes.

#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Nanoseconds of the monotonic clock.
uint64_t bench_now(void);

/// A non-blocking socket that listens on 127.0.0.1. Ends the process when the port cannot be had.
int bench_listen(uint16_t port);

/// A blocking connection to 127.0.0.1, without Nagle's delay; -1 (and errno) when refused.
int bench_connect(uint16_t port);

/// The next waiting client of a listening socket, non-blocking and without Nagle's delay; -1 when there is none.
int bench_accept(int listener);

/// Nanoseconds that all threads of a process and of its descendants have spent on a processor (/proc/PID/schedstat).
/// A thread or process that has ended is no longer counted: measure while the set does not change.
uint64_t bench_processor_time(pid_t process);

/// Bytes of a process and of its descendants that are in memory (/proc/PID/statm). What they share is counted for each.
uint64_t bench_resident_bytes(pid_t process);

/// Lets this process have as many open files as the system allows it.
void bench_allow_many_files(void);

/// Binds all threads of a process and of its descendants to the processors of the mask (bit 0 is processor 0). What
/// they start later inherits that. Gives the number of threads bound.
int bench_pin(pid_t process, uint64_t processors);

/// Binds the calling thread, and what it starts from now on.
void bench_pin_caller(uint64_t processors);

/// Nanoseconds this process has spent on a processor.
uint64_t bench_own_processor_time(void);
