/// What a session has assigned to settings: names in lower case, values in the server's canonical form and the
/// session's encoding.
///
/// Immutable and shared between a session and the servers that have been brought to it, so that most comparisons are
/// one of references.
public final class AssignedSettings: Sendable {
    let values: [String: [UInt8]]

    static let none = AssignedSettings([:])

    init(_ values: [String: [UInt8]]) {
        self.values = values
    }

    func isEqual(to other: AssignedSettings) -> Bool {
        self === other || values == other.values
    }

    /// The same with one value assigned, or taken back.
    func assigning(_ name: String, _ value: [UInt8]?) -> AssignedSettings {
        if values[name] == value { return self }
        var values = values
        values[name] = value
        return AssignedSettings(values)
    }
}
