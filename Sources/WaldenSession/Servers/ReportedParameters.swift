import WaldenWire

/// The settings that a server reports by itself, as last reported (protocol chapter, Asynchronous Operations).
///
/// Immutable and shared: sessions and servers with equal values come to hold the same one, so that comparing them
/// mostly costs nothing.
final class ReportedParameters: Sendable {
    let values: [String: String]

    static let none = ReportedParameters([:])

    init(_ values: [String: String]) {
        self.values = values
    }

    convenience init(_ statuses: [ParameterStatus]) {
        self.init(Dictionary(statuses.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 }))
    }

    subscript(name: String) -> String? { values[name] }

    /// The same with one value replaced.
    func reporting(_ name: String, _ value: String) -> ReportedParameters {
        if values[name] == value { return self }
        var values = values
        values[name] = value
        return ReportedParameters(values)
    }

    /// One object for both, if their values are equal. Always the same of the two, so that all that meet come to hold one.
    func shared(with other: ReportedParameters) -> ReportedParameters? {
        guard values == other.values else { return nil }
        return ObjectIdentifier(self) < ObjectIdentifier(other) ? self : other
    }

    /// What a client that was told `told` must be told to know these; in order of names.
    func differences(from told: ReportedParameters) -> [ParameterStatus] {
        if self === told { return [] }
        return values.filter { told.values[$0.key] != $0.value }.sorted { $0.key < $1.key }
            .map { ParameterStatus(name: $0.key, value: $0.value) }
    }
}
