// What the load generator was asked to do.

#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum protocol { PROTOCOL_SIMPLE, PROTOCOL_EXTENDED, PROTOCOL_PREPARED };
enum distribution { KEYS_UNIFORM, KEYS_ZIPF, KEYS_SEQUENTIAL };

enum { WATCHES_MAX = 8, DEPTH_MAX = 256 };

/// A process whose tree's processor time, and growth by idle sessions, is reported under a name.
struct watch {
    const char *name;
    pid_t process;
};

struct options {
    int port, connections, depth;
    /// Further sessions that ask once and are silent then.
    int idle;
    enum protocol protocol;
    enum distribution distribution;
    /// Keys first_key ... first_key + keys - 1 are asked for.
    uint32_t keys, first_key;
    double zipf_exponent;
    /// Of requests, 0 to 100.
    double write_percent;
    double seconds, warmup_seconds;
    /// Ends the run before its time; 0 is no limit.
    uint64_t requests_max;
    /// Whether to poll without ever sleeping, so that the server's writes have nobody to wake. Needs a processor of its
    /// own.
    bool spins;
    /// Whether each Bind is followed by a Describe of the portal, as libpq does.
    bool describes;
    /// DataRow messages that each read has to bring; -1 is any number.
    int rows;
    /// With $1 for the key; without, the statement has no parameter.
    const char *read_statement, *write_statement;
    /// Sent once by every connection after its startup, e.g. a SET; NULL is nothing.
    const char *init_statement;
    const char *user, *database;
    uint64_t seed;
    struct watch watches[WATCHES_MAX];
    int watch_count;
};

/// Ends the process with an explanation when the arguments are wrong.
struct options parse_options(int count, char **arguments);
