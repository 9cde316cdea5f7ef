/// What keeping a result costs, in nanoseconds of processor time. Two shared virtual cores, PostgreSQL 15
/// (docs/internals/admission.md tells which figure was measured how).
struct AdmissionCosts: Hashable, Sendable {
    /// Beyond relaying the statement: capture, key, index, recent list, completion. About once more what relaying costs.
    var fill = 15_000.0
    /// Per byte of the result, for copying it.
    var perByte = 0.1
    /// Finding and removing an entry, or a fill that came to nothing.
    var ending = 3_000.0
    /// One look at the primary, the server's part included; fills that complete at about the same time share it.
    var probe = 50_000.0
    /// What a hit saves beside the statement's time at the server: relaying costs so much more than answering.
    var relay = 8_000.0
}
