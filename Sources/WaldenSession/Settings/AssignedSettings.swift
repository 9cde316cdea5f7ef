/// What a session has assigned to settings: names in lower case, values in the server's canonical form and the
/// session's encoding.
///
/// Immutable and shared between a session and the servers that have been brought to it, so that most comparisons are
/// one of references.
public final class AssignedSettings: Sendable {
    let values: [String: [UInt8]]
    /// The custom settings among them (`app.tenant`). One that was ever assigned is the empty string ever after
    /// (PostgreSQL `guc.c`, placeholders), so a session that has none of that name cannot be made of one that has.
    let customNames: Set<String>

    static let none = AssignedSettings([:])

    init(_ values: [String: [UInt8]]) {
        self.values = values
        customNames = Set(values.keys.filter { $0.contains(".") })
    }

    func isEqual(to other: AssignedSettings) -> Bool {
        self === other || values == other.values
    }

    /// The same with what is left of another session's custom settings once they are taken back.
    func keeping(_ names: Set<String>) -> AssignedSettings {
        let left = names.subtracting(customNames)
        if left.isEmpty { return self }
        return AssignedSettings(values.merging(left.map { ($0, []) }) { value, _ in value })
    }

    /// The same with one value assigned, or taken back.
    func assigning(_ name: String, _ value: [UInt8]?) -> AssignedSettings {
        if values[name] == value { return self }
        var values = values
        values[name] = value
        return AssignedSettings(values)
    }
}
