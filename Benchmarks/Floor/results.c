#include "results.h"

#include <stdio.h>
#include <string.h>

enum { INTEGER_TYPE = 23, TEXT_TYPE = 25, LARGE_ROWS = 10000, LARGE_FIRST_ID = 1000, PAYLOAD_BYTES = 96 };

struct result small_result, large_result;
struct bytes greeting;

static void append_column(struct bytes *bytes, const char *name, uint16_t number, uint32_t type, uint16_t size) {
    bytes_append_text(bytes, name);
    bytes_append_32(bytes, 16384);
    bytes_append_16(bytes, number);
    bytes_append_32(bytes, type);
    bytes_append_16(bytes, size);
    bytes_append_32(bytes, (uint32_t)-1);
    bytes_append_16(bytes, 0);
}

static void append_value(struct bytes *bytes, const char *value, size_t size) {
    bytes_append_32(bytes, (uint32_t)size);
    bytes_append(bytes, value, size);
}

static void append_command_complete(struct bytes *bytes, const char *tag) {
    size_t message = message_begin(bytes, 'C');
    bytes_append_text(bytes, tag);
    message_end(bytes, message);
}

static void build_small_result(void) {
    struct result *result = &small_result;
    size_t message = message_begin(&result->description, 'T');
    bytes_append_16(&result->description, 1);
    append_column(&result->description, "balance", 2, INTEGER_TYPE, 4);
    message_end(&result->description, message);
    message = message_begin(&result->rows, 'D');
    bytes_append_16(&result->rows, 1);
    append_value(&result->rows, "0", 1);
    message_end(&result->rows, message);
    append_command_complete(&result->rows, "SELECT 1");
}

static void build_large_result(void) {
    struct result *result = &large_result;
    size_t message = message_begin(&result->description, 'T');
    bytes_append_16(&result->description, 2);
    append_column(&result->description, "id", 1, INTEGER_TYPE, 4);
    append_column(&result->description, "payload", 2, TEXT_TYPE, (uint16_t)-1);
    message_end(&result->description, message);
    char payload[PAYLOAD_BYTES];
    memset(payload, 'x', sizeof payload);
    for (int row = 0; row < LARGE_ROWS; row++) {
        char id[16];
        int digits = snprintf(id, sizeof id, "%d", LARGE_FIRST_ID + row);
        message = message_begin(&result->rows, 'D');
        bytes_append_16(&result->rows, 2);
        append_value(&result->rows, id, (size_t)digits);
        append_value(&result->rows, payload, sizeof payload);
        message_end(&result->rows, message);
    }
    append_command_complete(&result->rows, "SELECT 10000");
}

static void append_parameter(const char *name, const char *value) {
    size_t message = message_begin(&greeting, 'S');
    bytes_append_text(&greeting, name);
    bytes_append_text(&greeting, value);
    message_end(&greeting, message);
}

static void build_greeting(void) {
    size_t message = message_begin(&greeting, 'R');
    bytes_append_32(&greeting, 0);
    message_end(&greeting, message);
    append_parameter("server_version", "15.0");
    append_parameter("server_encoding", "UTF8");
    append_parameter("client_encoding", "UTF8");
    append_parameter("DateStyle", "ISO, MDY");
    append_parameter("TimeZone", "UTC");
    append_parameter("integer_datetimes", "on");
    append_parameter("standard_conforming_strings", "on");
    message = message_begin(&greeting, 'K');
    bytes_append_32(&greeting, 1);
    bytes_append_32(&greeting, 1);
    message_end(&greeting, message);
    bytes_append(&greeting, "Z\0\0\0\5I", 6);
}

void build_results(void) {
    build_small_result();
    build_large_result();
    build_greeting();
}
