/// Names a statement's shape: the statement with its constants taken out, by a hash of its parse tree. Printed and read
/// as sixteen hexadecimal digits.
public struct ShapeID: RawRepresentable, Hashable, Sendable, LosslessStringConvertible {
    public let rawValue: UInt64

    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    public init?(_ description: String) {
        guard description.utf8.count == 16, description.first != "+", let value = UInt64(description, radix: 16) else {
            return nil
        }
        rawValue = value
    }

    public var description: String {
        let digits = String(rawValue, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
