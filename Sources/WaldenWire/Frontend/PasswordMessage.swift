import WaldenCore

/// PasswordMessage: a password, in clear or as MD5 asks (protocol chapter, Start-up; Message Formats, PasswordMessage).
///
/// It is bytes: PostgreSQL compares passwords without regard to an encoding. Its description hides them.
public struct PasswordMessage: FrontendMessage, CustomStringConvertible {
    public static var tagByte: UInt8 { FrontendTag.password.rawValue }

    /// Without the zero that ends it, and so without any zero.
    public var password: [UInt8]

    public init(_ password: [UInt8]) {
        self.password = password
    }

    /// - Throws: `unterminatedString` or `trailingBytes`.
    public init(in bytes: borrowing RawSpan, body: Range<Int>) throws(WireError) {
        var reader = BodyReader(bytes, body: body, tag: Self.tagByte)
        password = bytes.copy(try reader.takeCString(in: bytes))
        try reader.finish()
    }

    public func encodeBody(into bytes: inout [UInt8]) {
        bytes.append(contentsOf: password.prefix { $0 != 0 })
        bytes.append(0)
    }

    public var description: String { "PasswordMessage(hidden)" }
}
