// walden-bench-load: a closed loop of PostgreSQL requests over many connections, on one thread.
//
// Each connection keeps `--depth` requests in flight; a reply is followed by the next request at once. After the
// warm-up, latencies and the processor time of the watched process trees are taken over the same stretch of time. With
// `--writes` that share of the requests changes a row, drawn from the same keys. With `--idle` that many further
// sessions are open meanwhile. The result is one line of name=value words, times in microseconds.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "CBenchmark.h"
#include "connection.h"
#include "histogram.h"
#include "keys.h"
#include "options.h"
#include "request.h"

enum { EVENTS_MAX = 256, PATIENCE_SECONDS = 30 };

/// What has been counted since the warm-up.
struct counts {
    uint64_t begin, end, replies, reads, failed, malformed, received_bytes, sent_bytes, own_time;
    uint64_t watched_time[WATCHES_MAX];
};

static struct options options;
static struct request read_request, write_request;
static struct key_source keys;
/// Of all replies, and of each kind.
static struct histogram latencies, read_latencies, write_latencies;
static struct counts counts;
static struct connection *connections;
static int *idle_sockets;
/// Resident bytes of the watched before the idle sessions, with them, and after the load.
static uint64_t resident_before[WATCHES_MAX], resident_idle[WATCHES_MAX], resident_after[WATCHES_MAX];
static int poller;
static uint64_t issued, issued_reads, now;
static bool is_measuring, is_ending;

static void begin_measurement(void) {
    is_measuring = true;
    latencies = read_latencies = write_latencies = (struct histogram){.total = 0};
    counts = (struct counts){.own_time = bench_own_processor_time()};
    for (int index = 0; index < options.watch_count; index++) {
        counts.watched_time[index] = bench_processor_time(options.watches[index].process);
    }
    counts.begin = bench_now();
}

static void end_measurement(void) {
    is_measuring = false;
    is_ending = true;
    counts.end = bench_now();
    for (int index = 0; index < options.watch_count; index++) {
        counts.watched_time[index] = bench_processor_time(options.watches[index].process) - counts.watched_time[index];
    }
    counts.own_time = bench_own_processor_time() - counts.own_time;
}

static bool may_issue(void) { return !is_ending && (!options.requests_max || issued < options.requests_max); }

static void issue(struct connection *connection) {
    bool is_write = options.write_percent > 0 && next_fraction(&keys) * 100 < options.write_percent;
    size_t before = connection->unsent_size;
    connection_enqueue(connection, is_write ? &write_request : &read_request, next_key(&keys), now);
    counts.sent_bytes += connection->unsent_size - before;
    issued++;
    if (!is_write) issued_reads++;
}

static void note_reply(const struct flight *flight, void *context) {
    (void)context;
    if (is_ending) return;
    bool is_read = flight->request == &read_request;
    if (is_read) counts.reads++;
    histogram_add(&latencies, now - flight->sent);
    histogram_add(is_read ? &read_latencies : &write_latencies, now - flight->sent);
}

static void watch(struct connection *connection, int operation) {
    uint32_t interest = EPOLLIN | (connection->is_blocked ? EPOLLOUT : 0);
    struct epoll_event event = {.events = interest, .data.ptr = connection};
    epoll_ctl(poller, operation, connection->socket, &event);
}

static void send_or_leave(struct connection *connection) {
    if (!connection_send(connection)) {
        fprintf(stderr, "walden-bench-load: the server closed the connection\n");
        exit(1);
    }
    bool is_blocked = connection->unsent_size > 0;
    if (is_blocked == connection->is_blocked) return;
    connection->is_blocked = is_blocked;
    watch(connection, EPOLL_CTL_MOD);
}

static void handle(struct connection *connection) {
    static char input[INPUT_BYTES];
    ssize_t size = recv(connection->socket, input, sizeof input, MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return send_or_leave(connection);
    if (size <= 0) {
        fprintf(stderr, "walden-bench-load: the server closed the connection %s\n", first_error);
        exit(1);
    }
    now = bench_now();
    counts.received_bytes += (uint64_t)size;
    struct arrivals arrivals = connection_receive(connection, input, (size_t)size, note_reply, NULL);
    counts.replies += arrivals.replies;
    counts.failed += arrivals.failed;
    counts.malformed += arrivals.malformed;
    for (unsigned index = 0; index < arrivals.replies && may_issue(); index++) issue(connection);
    send_or_leave(connection);
}

/// Waits for events; gives their number, 0 after a long time without any.
static int await_events(struct epoll_event *events) {
    if (!options.spins) return epoll_wait(poller, events, EVENTS_MAX, PATIENCE_SECONDS * 1000);
    uint64_t last = now + PATIENCE_SECONDS * 1000000000ull;
    int ready;
    do {
        ready = epoll_wait(poller, events, EVENTS_MAX, 0);
    } while (ready == 0 && bench_now() < last);
    return ready;
}

/// Handles what is ready; false when nothing came for a long time.
static bool turn(void) {
    struct epoll_event events[EVENTS_MAX];
    int ready = await_events(events);
    for (int index = 0; index < ready; index++) handle(events[index].data.ptr);
    now = bench_now();
    return ready != 0;
}

static bool is_anything_in_flight(void) {
    for (int index = 0; index < options.connections; index++) {
        if (connections[index].flight_count) return true;
    }
    return false;
}

static void open_all(void) {
    poller = epoll_create1(EPOLL_CLOEXEC);
    connections = calloc((size_t)options.connections, sizeof *connections);
    if (!connections) exit(1);
    for (int index = 0; index < options.connections; index++) {
        connection_open(&connections[index], &options);
        watch(&connections[index], EPOLL_CTL_ADD);
    }
}

static void note_resident(uint64_t *resident) {
    for (int index = 0; index < options.watch_count; index++) {
        resident[index] = bench_resident_bytes(options.watches[index].process);
    }
}


static void open_idle(void) {
    if (!options.idle) return;
    idle_sockets = calloc((size_t)options.idle, sizeof *idle_sockets);
    if (!idle_sockets) exit(1);
    note_resident(resident_before);
    for (int index = 0; index < options.idle; index++) {
        idle_sockets[index] = session_open(&options);
        session_ask(idle_sockets[index], &read_request, next_key(&keys));
    }
    note_resident(resident_idle);
}

/// They must be served as before.
static void close_idle(void) {
    note_resident(resident_after);
    for (int index = 0; index < options.idle; index++) {
        session_ask(idle_sockets[index], &read_request, next_key(&keys));
        session_close(idle_sockets[index]);
    }
}

static void run(void) {
    now = bench_now();
    uint64_t warm = now + (uint64_t)(options.warmup_seconds * 1e9), last = warm + (uint64_t)(options.seconds * 1e9);
    if (options.warmup_seconds == 0) begin_measurement();
    for (int index = 0; index < options.connections; index++) {
        // Requests of one connection leave together, as a pipeline does.
        for (int depth = 0; depth < options.depth && may_issue(); depth++) issue(&connections[index]);
        send_or_leave(&connections[index]);
    }
    bool is_alive = true;
    while (is_alive && now < last && (may_issue() || is_anything_in_flight())) {
        is_alive = turn();
        if (!is_measuring && now >= warm) begin_measurement();
    }
    end_measurement();
    struct counts measured = counts;
    while (is_alive && is_anything_in_flight()) is_alive = turn();
    counts = measured;
    if (!is_alive) {
        fprintf(stderr, "walden-bench-load: no reply for %d s\n", PATIENCE_SECONDS);
        exit(1);
    }
}

static void report_latencies(const char *prefix, const struct histogram *histogram) {
    printf(" %sp50=%.2f %sp99=%.2f %sp999=%.2f %smax=%.2f", prefix, (double)histogram_quantile(histogram, 0.5) / 1e3,
           prefix, (double)histogram_quantile(histogram, 0.99) / 1e3, prefix,
           (double)histogram_quantile(histogram, 0.999) / 1e3, prefix, (double)histogram->highest / 1e3);
}

static void report(void) {
    double seconds = (double)(counts.end - counts.begin) / 1e9;
    double replies = counts.replies ? (double)counts.replies : 1;
    printf("issued=%llu issued_reads=%llu requests=%llu seconds=%.4f rps=%.1f reads_per_second=%.1f",
           (unsigned long long)issued, (unsigned long long)issued_reads, (unsigned long long)counts.replies, seconds,
           (double)counts.replies / seconds, (double)counts.reads / seconds);
    report_latencies("", &latencies);
    if (options.write_percent > 0) {
        report_latencies("read_", &read_latencies);
        report_latencies("write_", &write_latencies);
    }
    printf(" own_cpu=%.3f request_bytes=%.1f reply_bytes=%.1f", (double)counts.own_time / 1e3 / replies,
           (double)counts.sent_bytes / replies, (double)counts.received_bytes / replies);
    for (int index = 0; index < options.watch_count; index++) {
        printf(" cpu.%s=%.3f", options.watches[index].name, (double)counts.watched_time[index] / 1e3 / replies);
    }
    for (int index = 0; options.idle && index < options.watch_count; index++) {
        const char *name = options.watches[index].name;
        printf(" idle_bytes.%s=%.0f idle_bytes_after.%s=%.0f", name,
               ((double)resident_idle[index] - (double)resident_before[index]) / options.idle, name,
               ((double)resident_after[index] - (double)resident_before[index]) / options.idle);
    }
    printf(" errors=%llu malformed=%llu", (unsigned long long)counts.failed, (unsigned long long)counts.malformed);
    if (first_error[0]) printf(" first_error=\"%s\"", first_error);
    printf("\n");
}

int main(int count, char **arguments) {
    options = parse_options(count, arguments);
    read_request = make_request(&options, options.read_statement, "bench_read", false);
    write_request = make_request(&options, options.write_statement, "bench_write", true);
    keys = make_key_source(&options);
    bench_allow_many_files();
    open_all();
    open_idle();
    run();
    close_idle();
    report();
    for (int index = 0; index < options.connections; index++) connection_close(&connections[index]);
    return counts.failed || counts.malformed ? 3 : 0;
}
