#include "request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// Where the next byte goes. Statements are far shorter than the room there is; `parse_options` has no say in it.
struct cursor {
    char *start, *at;
};

static void put(struct cursor *cursor, const void *bytes, size_t size) {
    if ((size_t)(cursor->at - cursor->start) + size > REQUEST_BYTES_MAX) {
        fprintf(stderr, "the statement is too long\n");
        exit(2);
    }
    memcpy(cursor->at, bytes, size);
    cursor->at += size;
}

static void put_32_at(char *at, uint32_t value) {
    for (int index = 0; index < 4; index++) at[index] = (char)(value >> (24 - 8 * index));
}

static void put_32(struct cursor *cursor, uint32_t value) {
    char octets[4];
    put_32_at(octets, value);
    put(cursor, octets, sizeof octets);
}

static void put_16(struct cursor *cursor, uint16_t value) {
    char octets[2] = {(char)(value >> 8), (char)value};
    put(cursor, octets, sizeof octets);
}

static void put_text(struct cursor *cursor, const char *text) { put(cursor, text, strlen(text) + 1); }

/// Begins a message; gives the place of its length.
static char *begin(struct cursor *cursor, char tag) {
    put(cursor, &tag, 1);
    put_32(cursor, 0);
    return cursor->at - 4;
}

static void end(struct cursor *cursor, char *length) { put_32_at(length, (uint32_t)(cursor->at - length)); }

static void put_parse(struct cursor *cursor, const char *name, const char *statement) {
    char *length = begin(cursor, 'P');
    put_text(cursor, name);
    put_text(cursor, statement);
    put_16(cursor, 0);
    end(cursor, length);
}

static void put_sync(struct cursor *cursor) { end(cursor, begin(cursor, 'S')); }

/// Query, with the key as digits in the text.
static void build_query(struct request *request, const char *statement) {
    struct cursor head = {request->head, request->head}, tail = {request->tail, request->tail};
    const char *place = strstr(statement, "$1");
    request->has_key = place != NULL;
    char *length = begin(&head, 'Q');
    request->length_offset = (size_t)(length - head.start);
    if (place) {
        put(&head, statement, (size_t)(place - statement));
        put_text(&tail, place + 2);
    } else {
        put_text(&head, statement);
    }
    request->head_size = (size_t)(head.at - head.start);
    request->tail_size = (size_t)(tail.at - tail.start);
    request->length = (uint32_t)(head.at - length + (tail.at - tail.start));
}

/// [Parse] Bind [Describe] Execute Sync, with the key as a text parameter.
static void build_extended(struct request *request, const struct options *options, const char *statement,
                           const char *name) {
    struct cursor head = {request->head, request->head}, tail = {request->tail, request->tail};
    request->has_key = request->has_parameter_length = strstr(statement, "$1") != NULL;
    bool is_prepared = options->protocol == PROTOCOL_PREPARED;
    if (!is_prepared) put_parse(&head, "", statement);
    char *length = begin(&head, 'B');
    request->length_offset = (size_t)(length - head.start);
    put_text(&head, "");
    put_text(&head, is_prepared ? name : "");
    put_16(&head, 0);
    put_16(&head, request->has_key ? 1 : 0);
    if (request->has_key) put_32(&head, 0);
    put_16(&tail, 0);
    request->length = (uint32_t)(head.at - length + (tail.at - tail.start));
    if (options->describes) {
        char *describe = begin(&tail, 'D');
        put_text(&tail, "P");
        end(&tail, describe);
    }
    char *execute = begin(&tail, 'E');
    put_text(&tail, "");
    put_32(&tail, 0);
    end(&tail, execute);
    put_sync(&tail);
    request->head_size = (size_t)(head.at - head.start);
    request->tail_size = (size_t)(tail.at - tail.start);
}

static const char *expected_reply(const struct options *options, bool is_write) {
    switch (options->protocol) {
        case PROTOCOL_SIMPLE: return is_write ? "CZ" : "TDCZ";
        case PROTOCOL_EXTENDED:
            if (options->describes) return is_write ? "12nCZ" : "12TDCZ";
            return is_write ? "12CZ" : "12DCZ";
        case PROTOCOL_PREPARED: break;
    }
    if (options->describes) return is_write ? "2nCZ" : "2TDCZ";
    return is_write ? "2CZ" : "2DCZ";
}

struct request make_request(const struct options *options, const char *statement, const char *name, bool is_write) {
    struct request request = {
        .reply = expected_reply(options, is_write), .rows = is_write ? 0 : options->rows,
    };
    if (options->protocol == PROTOCOL_SIMPLE) {
        build_query(&request, statement);
    } else {
        build_extended(&request, options, statement, name);
    }
    return request;
}

size_t request_write(const struct request *request, uint32_t key, char *to) {
    char reversed[10];
    uint32_t digits = 0;
    if (request->has_key) {
        do {
            reversed[digits++] = (char)('0' + key % 10);
            key /= 10;
        } while (key);
    }
    memcpy(to, request->head, request->head_size);
    put_32_at(to + request->length_offset, request->length + digits);
    if (request->has_parameter_length) put_32_at(to + request->head_size - 4, digits);
    char *at = to + request->head_size;
    for (uint32_t index = digits; index > 0; index--) *at++ = reversed[index - 1];
    memcpy(at, request->tail, request->tail_size);
    return (size_t)(at - to) + request->tail_size;
}

size_t write_preparation(const char *name, const char *statement, char *to) {
    struct cursor cursor = {to, to};
    put_parse(&cursor, name, statement);
    put_sync(&cursor);
    return (size_t)(cursor.at - to);
}

size_t write_query(const char *statement, char *to) {
    struct cursor cursor = {to, to};
    char *length = begin(&cursor, 'Q');
    put_text(&cursor, statement);
    end(&cursor, length);
    return (size_t)(cursor.at - to);
}

size_t write_startup(const char *user, const char *database, char *to) {
    struct cursor cursor = {to, to};
    put_32(&cursor, 0);
    put_32(&cursor, 196608);
    put_text(&cursor, "user");
    put_text(&cursor, user);
    put_text(&cursor, "database");
    put_text(&cursor, database);
    put_text(&cursor, "");
    end(&cursor, to);
    return (size_t)(cursor.at - to);
}
