#include "bytes.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

void bytes_append(struct bytes *bytes, const void *more, size_t size) {
    if (bytes->capacity - bytes->size < size) {
        bytes->capacity = (bytes->size + size) * 2;
        bytes->start = realloc(bytes->start, bytes->capacity);
        if (!bytes->start) abort();
    }
    memcpy(bytes->start + bytes->size, more, size);
    bytes->size += size;
}

void bytes_append_16(struct bytes *bytes, uint16_t value) {
    uint16_t ordered = htons(value);
    bytes_append(bytes, &ordered, sizeof ordered);
}

void bytes_append_32(struct bytes *bytes, uint32_t value) {
    uint32_t ordered = htonl(value);
    bytes_append(bytes, &ordered, sizeof ordered);
}

void bytes_append_text(struct bytes *bytes, const char *text) { bytes_append(bytes, text, strlen(text) + 1); }

size_t message_begin(struct bytes *bytes, char tag) {
    bytes_append(bytes, &tag, 1);
    size_t begin = bytes->size;
    bytes_append_32(bytes, 0);
    return begin;
}

void message_end(struct bytes *bytes, size_t begin) {
    uint32_t ordered = htonl((uint32_t)(bytes->size - begin));
    memcpy(bytes->start + begin, &ordered, sizeof ordered);
}
