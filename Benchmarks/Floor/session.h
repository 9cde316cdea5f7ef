// One client of the floor: its protocol state, what it sent and what waits to be sent to it.

#pragma once

#include <stdbool.h>

#include "bytes.h"

enum { INPUT_BYTES = 64 * 1024 };

struct session {
    int socket;
    bool is_started;
    /// Whether the poller is asked for room to write instead of bytes to read.
    bool is_blocked;
    /// The text of the last Parse, and the last Bind under it.
    uint64_t statement, portal;
    bool statement_is_large;
    size_t input_size;
    char input[INPUT_BYTES];
    struct bytes output;
    size_t output_offset;
};

/// Answers all complete messages of the input; false when the client left or broke the protocol.
bool session_answer(struct session *session);
