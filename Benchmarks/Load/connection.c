#include "connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "CBenchmark.h"

enum { MESSAGE_BYTES_MAX = 1 << 30 };

char first_error[256];

static uint32_t read_32(const char *at) {
    const unsigned char *octet = (const unsigned char *)at;
    return (uint32_t)octet[0] << 24 | (uint32_t)octet[1] << 16 | (uint32_t)octet[2] << 8 | octet[3];
}

static void give_up(const char *reason) {
    fprintf(stderr, "walden-bench-load: %s\n", reason);
    exit(1);
}

/// Keeps the readable part of an ErrorResponse: its fields are separated by zeros.
static void remember_error(const char *bytes, size_t size) {
    if (first_error[0]) return;
    size_t kept = size < sizeof first_error ? size : sizeof first_error - 1;
    for (size_t index = 0; index < kept; index++) {
        first_error[index] = bytes[index] >= ' ' && bytes[index] != '"' ? bytes[index] : ' ';
    }
}

// MARK: Opening

static void receive_exactly(int socket, char *to, size_t size) {
    while (size > 0) {
        ssize_t count = recv(socket, to, size, 0);
        if (count <= 0) give_up("the server closed the connection during its startup");
        to += count;
        size -= (size_t)count;
    }
}

static void await_ready(int socket) {
    char body[64 * 1024], header[5];
    for (;;) {
        receive_exactly(socket, header, sizeof header);
        uint32_t size = read_32(header + 1) - 4;
        if (size > sizeof body) give_up("the server sent a message of impossible length during its startup");
        receive_exactly(socket, body, size);
        if (header[0] == 'E') {
            remember_error(body, size);
            give_up(first_error);
        }
        if (header[0] == 'R' && (size < 4 || read_32(body) != 0)) give_up("the server asks for a password");
        if (header[0] == 'Z') return;
    }
}

static void send_and_await(int socket, const char *bytes, size_t size) {
    if (send(socket, bytes, size, MSG_NOSIGNAL) != (ssize_t)size) give_up("cannot write to the server");
    await_ready(socket);
}

int session_open(const struct options *options) {
    int socket = bench_connect((uint16_t)options->port);
    if (socket < 0) give_up(strerror(errno));
    char bytes[REQUEST_BYTES_MAX];
    send_and_await(socket, bytes, write_startup(options->user, options->database, bytes));
    if (options->init_statement) send_and_await(socket, bytes, write_query(options->init_statement, bytes));
    if (options->protocol != PROTOCOL_PREPARED) return socket;
    send_and_await(socket, bytes, write_preparation("bench_read", options->read_statement, bytes));
    if (options->write_percent == 0) return socket;
    send_and_await(socket, bytes, write_preparation("bench_write", options->write_statement, bytes));
    return socket;
}

void session_ask(int socket, const struct request *request, uint32_t key) {
    char bytes[2 * REQUEST_BYTES_MAX];
    send_and_await(socket, bytes, request_write(request, key, bytes));
}

void session_close(int socket) {
    static const char terminate[] = {'X', 0, 0, 0, 4};
    send(socket, terminate, sizeof terminate, MSG_NOSIGNAL | MSG_DONTWAIT);
    close(socket);
}

void connection_open(struct connection *connection, const struct options *options) {
    memset(connection, 0, sizeof *connection);
    connection->socket = session_open(options);
    connection->unsent = malloc((size_t)DEPTH_MAX * 2 * REQUEST_BYTES_MAX);
    if (!connection->unsent) give_up("out of memory");
}

void connection_close(struct connection *connection) {
    session_close(connection->socket);
    free(connection->unsent);
}

// MARK: Sending

void connection_enqueue(struct connection *connection, const struct request *request, uint32_t key, uint64_t now) {
    unsigned index = (connection->first_flight + connection->flight_count) % DEPTH_MAX;
    connection->flights[index] = (struct flight){.sent = now, .request = request};
    if (connection->flight_count++ == 0) connection->expected = request->reply;
    connection->unsent_size += request_write(request, key, connection->unsent + connection->unsent_size);
}

bool connection_send(struct connection *connection) {
    if (connection->unsent_size == 0) return true;
    ssize_t count =
        send(connection->socket, connection->unsent, connection->unsent_size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    connection->unsent_size -= (size_t)count;
    memmove(connection->unsent, connection->unsent + count, connection->unsent_size);
    return true;
}

// MARK: Receiving

/// Judges a message by its tag. Notices, parameters and notifications may come at any place.
static void follow(struct connection *connection) {
    char tag = connection->tag;
    if (tag == 'N' || tag == 'S' || tag == 'A') return;
    if (tag == 'E') {
        connection->has_failed = true;
        return;
    }
    if (connection->has_failed && tag != 'Z') {
        connection->is_malformed = true;
        return;
    }
    if (tag == 'D') connection->rows++;
    if (*connection->expected == 'D') {
        if (tag == 'D') return;
        connection->expected++;
    }
    if (tag == *connection->expected) {
        connection->expected++;
    } else if (!(connection->has_failed && tag == 'Z')) {
        connection->is_malformed = true;
    }
}

/// Closes the account of the oldest request; false when there was none.
static bool settle(struct connection *connection, struct arrivals *arrivals, struct flight *flight) {
    if (connection->flight_count == 0) return false;
    *flight = connection->flights[connection->first_flight];
    connection->first_flight = (connection->first_flight + 1) % DEPTH_MAX;
    connection->flight_count--;
    bool has_wrong_rows = flight->request->rows >= 0 && connection->rows != flight->request->rows;
    arrivals->replies++;
    if (connection->has_failed) {
        arrivals->failed++;
    } else if (connection->is_malformed || has_wrong_rows) {
        arrivals->malformed++;
    }
    connection->has_failed = connection->is_malformed = false;
    connection->rows = 0;
    connection->expected =
        connection->flight_count ? connection->flights[connection->first_flight].request->reply : "";
    return true;
}

/// Takes a header's bytes; true when it is complete and the body follows.
static bool take_header(struct connection *connection, const char **bytes, size_t *size) {
    size_t wanted = sizeof connection->header - connection->header_size;
    size_t taken = *size < wanted ? *size : wanted;
    memcpy(connection->header + connection->header_size, *bytes, taken);
    connection->header_size += (unsigned)taken;
    *bytes += taken;
    *size -= taken;
    if (connection->header_size < sizeof connection->header) return false;
    uint32_t length = read_32(connection->header + 1);
    if (length < 4 || length > MESSAGE_BYTES_MAX) give_up("a message of impossible length");
    connection->header_size = 0;
    connection->tag = connection->header[0];
    connection->body_left = length - 4;
    if (connection->tag == 'Z' && length != 5) give_up("a ReadyForQuery of impossible length");
    follow(connection);
    return true;
}

struct arrivals connection_receive(struct connection *connection, const char *bytes, size_t size,
                                   void (*on_reply)(const struct flight *flight, void *context), void *context) {
    struct arrivals arrivals = {0, 0, 0};
    while (size > 0) {
        if (connection->body_left == 0 && !take_header(connection, &bytes, &size)) break;
        size_t taken = size < connection->body_left ? size : connection->body_left;
        if (connection->tag == 'E') remember_error(bytes, taken);
        bool ends_reply = connection->tag == 'Z' && taken == 1;
        if (ends_reply && bytes[0] != 'I') connection->is_malformed = true;
        bytes += taken;
        size -= taken;
        connection->body_left -= (uint32_t)taken;
        struct flight flight;
        if (!ends_reply) continue;
        if (!settle(connection, &arrivals, &flight)) give_up("a reply that nobody asked for");
        on_reply(&flight, context);
    }
    return arrivals;
}
