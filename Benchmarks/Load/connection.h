// One client connection: what it has asked, what it expects, and whether the replies are what the protocol promises.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "options.h"
#include "request.h"

enum { INPUT_BYTES = 256 * 1024 };

/// A request on its way.
struct flight {
    uint64_t sent;
    const struct request *request;
};

struct connection {
    int socket;
    struct flight flights[DEPTH_MAX];
    unsigned first_flight, flight_count;
    /// The message whose body is being passed over, and the bytes of it still to come.
    char tag;
    uint32_t body_left;
    char header[5];
    unsigned header_size;
    /// The part of the expected reply that has not come yet.
    const char *expected;
    int rows;
    bool has_failed, is_malformed;
    /// Requests that the socket did not take at once.
    char *unsent;
    size_t unsent_size;
    /// Whether the poller is asked for room to send them.
    bool is_blocked;
};

/// What came with one read.
struct arrivals {
    unsigned replies, failed, malformed;
};

/// Connects, starts the session and prepares statements; ends the process with the reason when the server refuses.
/// Gives the socket.
int session_open(const struct options *options);
/// Sends a request and waits for its reply; ends the process with the reason when there is none, or an error.
void session_ask(int socket, const struct request *request, uint32_t key);
void session_close(int socket);

/// Opens a session for requests in flight.
void connection_open(struct connection *connection, const struct options *options);

/// Adds a request to the bytes to be sent.
void connection_enqueue(struct connection *connection, const struct request *request, uint32_t key, uint64_t now);
/// Sends what is enqueued; false when the connection is gone.
bool connection_send(struct connection *connection);

/// Follows the bytes that came; `on_reply` is called for each reply that is complete.
struct arrivals connection_receive(struct connection *connection, const char *bytes, size_t size,
                                   void (*on_reply)(const struct flight *flight, void *context), void *context);

/// Says goodbye and closes.
void connection_close(struct connection *connection);

/// The first error message that any connection got, as text, or an empty string.
extern char first_error[256];
