/// The type byte of a message from a client (protocol chapter, Message Formats).
///
/// It wraps the byte, so that a tag nobody knows is a value and not a fault; constants are computed so that a `switch`
/// over them compiles to comparisons of bytes.
public struct FrontendTag: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt8

    @inlinable
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    @inlinable
    public static func == (lhs: FrontendTag, rhs: FrontendTag) -> Bool {
        lhs.rawValue == rhs.rawValue
    }
}

extension FrontendTag {
    @inlinable public static var query: FrontendTag { FrontendTag(rawValue: UInt8(ascii: "Q")) }
    @inlinable public static var parse: FrontendTag { FrontendTag(rawValue: UInt8(ascii: "P")) }
    @inlinable public static var bind: FrontendTag { FrontendTag(rawValue: UInt8(ascii: "B")) }
    @inlinable public static var describe: FrontendTag { FrontendTag(rawValue: UInt8(ascii: "D")) }
    @inlinable public static var execute: FrontendTag { FrontendTag(rawValue: UInt8(ascii: "E")) }
    @inlinable public static var close: FrontendTag { FrontendTag(rawValue: UInt8(ascii: "C")) }
    @inlinable public static var sync: FrontendTag { FrontendTag(rawValue: UInt8(ascii: "S")) }
    @inlinable public static var flush: FrontendTag { FrontendTag(rawValue: UInt8(ascii: "H")) }
    @inlinable public static var functionCall: FrontendTag { FrontendTag(rawValue: UInt8(ascii: "F")) }
    @inlinable public static var copyData: FrontendTag { FrontendTag(rawValue: UInt8(ascii: "d")) }
    @inlinable public static var copyDone: FrontendTag { FrontendTag(rawValue: UInt8(ascii: "c")) }
    @inlinable public static var copyFail: FrontendTag { FrontendTag(rawValue: UInt8(ascii: "f")) }
    /// PasswordMessage, SASLInitialResponse, SASLResponse and GSSResponse share this tag; the authentication under way
    /// tells which is meant.
    @inlinable public static var password: FrontendTag { FrontendTag(rawValue: UInt8(ascii: "p")) }
    @inlinable public static var terminate: FrontendTag { FrontendTag(rawValue: UInt8(ascii: "X")) }

    /// False for a byte that no message of this direction has.
    public var isKnown: Bool {
        switch self {
        case .query, .parse, .bind, .describe, .execute, .close, .sync, .flush, .functionCall, .copyData,
            .copyDone, .copyFail, .password, .terminate:
            true
        default: false
        }
    }
}
