/// The number of an incident; rises with each. A proxy serves the primary of the highest term it has heard of, so an older
/// decision can never overrule a newer one.
public struct Term: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    public let number: UInt64

    public init(_ number: UInt64) {
        self.number = number
    }

    public static let first = Term(1)

    /// The one after this; stays at the last there is.
    public var next: Term { Term(number == .max ? number : number + 1) }

    public static func < (left: Term, right: Term) -> Bool { left.number < right.number }

    public init(from decoder: any Decoder) throws {
        number = try decoder.singleValueContainer().decode(UInt64.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(number)
    }

    public var description: String { String(number) }
}
