// A growing run of bytes, and integers in the order of the network.

#pragma once

#include <stddef.h>
#include <stdint.h>

struct bytes {
    char *start;
    size_t size, capacity;
};

void bytes_append(struct bytes *bytes, const void *more, size_t size);
void bytes_append_16(struct bytes *bytes, uint16_t value);
void bytes_append_32(struct bytes *bytes, uint32_t value);
/// With the terminating zero.
void bytes_append_text(struct bytes *bytes, const char *text);

/// Begins a protocol message; gives what `message_end` needs to fill in its length.
size_t message_begin(struct bytes *bytes, char tag);
void message_end(struct bytes *bytes, size_t begin);

static inline uint32_t read_32(const char *at) {
    const unsigned char *octet = (const unsigned char *)at;
    return (uint32_t)octet[0] << 24 | (uint32_t)octet[1] << 16 | (uint32_t)octet[2] << 8 | octet[3];
}
