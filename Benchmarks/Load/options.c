#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: walden-bench-load --port PORT [options]\n"
    "  --connections N  --depth N (requests in flight per connection)  --protocol simple|extended|prepared\n"
    "  --idle N (further sessions that ask once before the load and once after it)\n"
    "  --keys N  --first-key N  --distribution uniform|zipf|sequential  --zipf-exponent X  --writes PERCENT\n"
    "  --seconds X  --warmup X  --requests N  --spin  --describe  --rows N (expected of each read)  --seed N\n"
    "  --read SQL  --write SQL (with $1 for the key)  --user NAME  --database NAME\n"
    "  --init-sql SQL (sent once by each connection, before all else)\n"
    "  --watch NAME=PID (report the processor time of that process tree; may be repeated)\n";

static void refuse(const char *option, const char *value) {
    fprintf(stderr, "%s: cannot use '%s'\n%s", option, value, usage);
    exit(2);
}

static double number(const char *option, const char *text, double lowest, double highest) {
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= lowest && value <= highest)) refuse(option, text);
    return value;
}

/// The index of the text among the words.
static int choice(const char *option, const char *text, const char *const *words) {
    for (int index = 0; words[index]; index++) {
        if (strcmp(text, words[index]) == 0) return index;
    }
    refuse(option, text);
    return 0;
}

static void add_watch(struct options *options, char *text) {
    char *equals = strchr(text, '=');
    if (!equals || options->watch_count == WATCHES_MAX) refuse("--watch", text);
    *equals = 0;
    options->watches[options->watch_count++] =
        (struct watch){.name = text, .process = (pid_t)number("--watch", equals + 1, 1, 1 << 30)};
}

enum option_code {
    OPTION_PORT = 1, OPTION_CONNECTIONS, OPTION_DEPTH, OPTION_PROTOCOL, OPTION_KEYS, OPTION_FIRST_KEY,
    OPTION_DISTRIBUTION, OPTION_ZIPF_EXPONENT, OPTION_WRITES, OPTION_SECONDS, OPTION_WARMUP, OPTION_REQUESTS,
    OPTION_SPIN, OPTION_DESCRIBE, OPTION_ROWS, OPTION_SEED, OPTION_READ, OPTION_WRITE, OPTION_USER, OPTION_DATABASE,
    OPTION_INIT_SQL, OPTION_WATCH, OPTION_IDLE,
};

static const struct option long_options[] = {
    {"port", required_argument, NULL, OPTION_PORT},
    {"connections", required_argument, NULL, OPTION_CONNECTIONS},
    {"idle", required_argument, NULL, OPTION_IDLE},
    {"depth", required_argument, NULL, OPTION_DEPTH},
    {"protocol", required_argument, NULL, OPTION_PROTOCOL},
    {"keys", required_argument, NULL, OPTION_KEYS},
    {"first-key", required_argument, NULL, OPTION_FIRST_KEY},
    {"distribution", required_argument, NULL, OPTION_DISTRIBUTION},
    {"zipf-exponent", required_argument, NULL, OPTION_ZIPF_EXPONENT},
    {"writes", required_argument, NULL, OPTION_WRITES},
    {"seconds", required_argument, NULL, OPTION_SECONDS},
    {"warmup", required_argument, NULL, OPTION_WARMUP},
    {"requests", required_argument, NULL, OPTION_REQUESTS},
    {"spin", no_argument, NULL, OPTION_SPIN},
    {"describe", no_argument, NULL, OPTION_DESCRIBE},
    {"rows", required_argument, NULL, OPTION_ROWS},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"read", required_argument, NULL, OPTION_READ},
    {"write", required_argument, NULL, OPTION_WRITE},
    {"user", required_argument, NULL, OPTION_USER},
    {"database", required_argument, NULL, OPTION_DATABASE},
    {"init-sql", required_argument, NULL, OPTION_INIT_SQL},
    {"watch", required_argument, NULL, OPTION_WATCH},
    {NULL, 0, NULL, 0},
};

static void apply(struct options *options, int code, const char *name, char *text) {
    static const char *const protocols[] = {"simple", "extended", "prepared", NULL};
    static const char *const distributions[] = {"uniform", "zipf", "sequential", NULL};
    switch ((enum option_code)code) {
        case OPTION_PORT: options->port = (int)number(name, text, 1, 65535); break;
        case OPTION_CONNECTIONS: options->connections = (int)number(name, text, 1, 10000); break;
        case OPTION_IDLE: options->idle = (int)number(name, text, 0, 60000); break;
        case OPTION_DEPTH: options->depth = (int)number(name, text, 1, DEPTH_MAX); break;
        case OPTION_PROTOCOL: options->protocol = (enum protocol)choice(name, text, protocols); break;
        case OPTION_KEYS: options->keys = (uint32_t)number(name, text, 1, 1e9); break;
        case OPTION_FIRST_KEY: options->first_key = (uint32_t)number(name, text, 0, 1e9); break;
        case OPTION_DISTRIBUTION: options->distribution = (enum distribution)choice(name, text, distributions); break;
        case OPTION_ZIPF_EXPONENT: options->zipf_exponent = number(name, text, 0, 10); break;
        case OPTION_WRITES: options->write_percent = number(name, text, 0, 100); break;
        case OPTION_SECONDS: options->seconds = number(name, text, 0.01, 1e6); break;
        case OPTION_WARMUP: options->warmup_seconds = number(name, text, 0, 1e6); break;
        case OPTION_REQUESTS: options->requests_max = (uint64_t)number(name, text, 1, 1e12); break;
        case OPTION_SPIN: options->spins = true; break;
        case OPTION_DESCRIBE: options->describes = true; break;
        case OPTION_ROWS: options->rows = (int)number(name, text, -1, 1e9); break;
        case OPTION_SEED: options->seed = (uint64_t)number(name, text, 1, 1e15); break;
        case OPTION_READ: options->read_statement = text; break;
        case OPTION_WRITE: options->write_statement = text; break;
        case OPTION_USER: options->user = text; break;
        case OPTION_DATABASE: options->database = text; break;
        case OPTION_INIT_SQL: options->init_statement = text; break;
        case OPTION_WATCH: add_watch(options, text); break;
    }
}

struct options parse_options(int count, char **arguments) {
    struct options options = {
        .connections = 8, .depth = 1, .keys = 1000, .first_key = 1, .zipf_exponent = 1, .seconds = 2,
        .warmup_seconds = 0.3, .rows = 1, .user = "postgres", .database = "postgres", .seed = 1,
        .read_statement = "SELECT balance FROM bench_account WHERE id = $1",
        .write_statement = "UPDATE bench_account SET balance = balance + 1 WHERE id = $1",
    };
    int code, index = 0;
    while ((code = getopt_long(count, arguments, "", long_options, &index)) != -1) {
        if (code == '?') {
            fputs(usage, stderr);
            exit(2);
        }
        apply(&options, code, long_options[index].name, optarg);
    }
    if (options.port == 0 || optind != count) {
        fputs(usage, stderr);
        exit(2);
    }
    return options;
}
