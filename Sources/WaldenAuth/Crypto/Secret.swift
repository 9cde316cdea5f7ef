/// Bytes that no log, error or dump may show.
public struct Secret: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    public let bytes: [UInt8]

    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    public init(_ text: String) {
        bytes = Array(text.utf8)
    }

    public var description: String { "(hidden)" }
    public var customMirror: Mirror { Mirror(self, children: []) }

    /// In a time that depends on the lengths alone.
    public static func == (one: Secret, other: Secret) -> Bool {
        Crypto.equals(one.bytes, other.bytes)
    }
}
