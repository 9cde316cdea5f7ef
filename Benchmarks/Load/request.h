// A request as bytes in which only the key changes, and the reply that it has to get.

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "options.h"

enum { REQUEST_BYTES_MAX = 8192 };

struct request {
    /// Before and after the key's digits.
    char head[REQUEST_BYTES_MAX], tail[REQUEST_BYTES_MAX];
    size_t head_size, tail_size;
    /// Where in the head the length of the message with the key stands, and what it is without the digits.
    size_t length_offset;
    uint32_t length;
    bool has_key;
    /// Whether the head ends with the length of the parameter.
    bool has_parameter_length;
    /// The tags of the reply's messages in their order; D stands for any number of them.
    const char *reply;
    /// DataRow messages expected, -1 for any number.
    int rows;
};

struct request make_request(const struct options *options, const char *statement, const char *name, bool is_write);

/// Writes the request for a key to a place with room for REQUEST_BYTES_MAX * 2 bytes; gives its size.
size_t request_write(const struct request *request, uint32_t key, char *to);

/// The Parse that a prepared request needs once, with a Sync; gives its size.
size_t write_preparation(const char *name, const char *statement, char *to);
/// A Query of any statement, as it stands.
size_t write_query(const char *statement, char *to);
size_t write_startup(const char *user, const char *database, char *to);
