// GNU extensions: memmem.
#define _GNU_SOURCE
#include "session.h"

#include <string.h>

#include "cache.h"

enum { PROTOCOL_3_0 = 196608, SSL_REQUEST = 80877103, GSS_REQUEST = 80877104, TYPE_BYTES = 1, LENGTH_BYTES = 4 };

static const uint64_t seed = 0x243f6a8885a308d3u;

/// The large result is that of the table with this name.
static bool asks_for_large(const char *text, size_t size) { return memmem(text, size, "bench_payload", 13) != NULL; }

static void append_literal(struct session *session, const char *message, size_t size) {
    bytes_append(&session->output, message, size);
}

static void answer_query(struct session *session, const char *body, size_t size) {
    uint64_t hash = hash_bytes(seed, body, size);
    const struct result *result = cache_find(hash);
    if (!result) {
        result = asks_for_large(body, size) ? &large_result : &small_result;
        cache_insert(hash, result);
    }
    bytes_append(&session->output, result->description.start, result->description.size);
    bytes_append(&session->output, result->rows.start, result->rows.size);
    append_literal(session, "Z\0\0\0\5I", 6);
}

static const struct result *portal_result(struct session *session) {
    const struct result *result = cache_find(session->portal);
    if (!result) {
        result = session->statement_is_large ? &large_result : &small_result;
        cache_insert(session->portal, result);
    }
    return result;
}

static void answer_describe(struct session *session, char kind) {
    // A statement has one parameter of type int4.
    if (kind == 'S') append_literal(session, "t\0\0\0\12\0\1\0\0\0\27", 11);
    const struct result *result = kind == 'P' ? portal_result(session)
                                  : session->statement_is_large ? &large_result
                                                                : &small_result;
    bytes_append(&session->output, result->description.start, result->description.size);
}

static bool answer_message(struct session *session, char tag, const char *body, size_t size) {
    switch (tag) {
        case 'Q':
            answer_query(session, body, size);
            return true;
        case 'P':
            session->statement = hash_bytes(seed, body, size);
            session->statement_is_large = asks_for_large(body, size);
            append_literal(session, "1\0\0\0\4", 5);
            return true;
        case 'B':
            session->portal = hash_bytes(session->statement, body, size);
            append_literal(session, "2\0\0\0\4", 5);
            return true;
        case 'D':
            answer_describe(session, size ? body[0] : 0);
            return true;
        case 'E': {
            const struct result *result = portal_result(session);
            bytes_append(&session->output, result->rows.start, result->rows.size);
            return true;
        }
        case 'C':
            append_literal(session, "3\0\0\0\4", 5);
            return true;
        case 'S':
            append_literal(session, "Z\0\0\0\5I", 6);
            return true;
        case 'H':
            return true;
        default:
            return false;
    }
}

static bool answer_startup(struct session *session, const char *packet, size_t size) {
    uint32_t code = size >= 2 * LENGTH_BYTES ? read_32(packet + LENGTH_BYTES) : 0;
    if (code == SSL_REQUEST || code == GSS_REQUEST) {
        append_literal(session, "N", 1);
        return true;
    }
    bytes_append(&session->output, greeting.start, greeting.size);
    session->is_started = true;
    return code == PROTOCOL_3_0;
}

bool session_answer(struct session *session) {
    size_t offset = 0;
    for (;;) {
        const char *next = session->input + offset;
        size_t left = session->input_size - offset;
        size_t prefix = session->is_started ? TYPE_BYTES : 0;
        if (left < prefix + LENGTH_BYTES) break;
        uint32_t length = read_32(next + prefix);
        if (length < LENGTH_BYTES || length > INPUT_BYTES - TYPE_BYTES) return false;
        if (left < prefix + length) break;
        bool is_fine = session->is_started
                           ? answer_message(session, next[0], next + TYPE_BYTES + LENGTH_BYTES, length - LENGTH_BYTES)
                           : answer_startup(session, next, length);
        if (!is_fine) return false;
        offset += prefix + length;
    }
    session->input_size -= offset;
    memmove(session->input, session->input + offset, session->input_size);
    return true;
}
