/// What Describe and Close name.
public enum DescribeTarget: UInt8, Hashable, Sendable {
    /// `S`
    case statement = 0x53
    /// `P`
    case portal = 0x50
}

extension BodyReader {
    mutating func readTarget(in bytes: borrowing RawSpan) throws(WireError) -> DescribeTarget {
        let byte = try read(UInt8.self, in: bytes)
        guard let target = DescribeTarget(rawValue: byte) else {
            throw WireError(.unexpectedValue(tag: tag, field: .subtype, value: Int(byte)))
        }
        return target
    }
}
