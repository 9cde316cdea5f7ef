// The two results that the floor answers with.

#pragma once

#include "bytes.h"

struct result {
    /// RowDescription.
    struct bytes description;
    /// DataRow messages and CommandComplete.
    struct bytes rows;
};

/// One row of one integer.
extern struct result small_result;
/// 10,000 rows of an integer and 96 bytes of text: 1.15 MB.
extern struct result large_result;
/// The answer to a startup message: no password, the usual parameters, a key, ReadyForQuery.
extern struct bytes greeting;

void build_results(void);
