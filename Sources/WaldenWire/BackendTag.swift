/// The type byte of a message from a server (protocol chapter, Message Formats).
///
/// It wraps the byte, so that a tag nobody knows is a value and not a fault; constants are computed so that a `switch`
/// over them compiles to comparisons of bytes.
public struct BackendTag: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt8

    @inlinable
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    @inlinable
    public static func == (lhs: BackendTag, rhs: BackendTag) -> Bool {
        lhs.rawValue == rhs.rawValue
    }
}

extension BackendTag {
    @inlinable public static var authentication: BackendTag { BackendTag(rawValue: UInt8(ascii: "R")) }
    @inlinable public static var parameterStatus: BackendTag { BackendTag(rawValue: UInt8(ascii: "S")) }
    @inlinable public static var backendKeyData: BackendTag { BackendTag(rawValue: UInt8(ascii: "K")) }
    @inlinable public static var readyForQuery: BackendTag { BackendTag(rawValue: UInt8(ascii: "Z")) }
    @inlinable public static var rowDescription: BackendTag { BackendTag(rawValue: UInt8(ascii: "T")) }
    @inlinable public static var dataRow: BackendTag { BackendTag(rawValue: UInt8(ascii: "D")) }
    @inlinable public static var commandComplete: BackendTag { BackendTag(rawValue: UInt8(ascii: "C")) }
    @inlinable public static var emptyQueryResponse: BackendTag { BackendTag(rawValue: UInt8(ascii: "I")) }
    @inlinable public static var errorResponse: BackendTag { BackendTag(rawValue: UInt8(ascii: "E")) }
    @inlinable public static var noticeResponse: BackendTag { BackendTag(rawValue: UInt8(ascii: "N")) }
    @inlinable public static var parseComplete: BackendTag { BackendTag(rawValue: UInt8(ascii: "1")) }
    @inlinable public static var bindComplete: BackendTag { BackendTag(rawValue: UInt8(ascii: "2")) }
    @inlinable public static var closeComplete: BackendTag { BackendTag(rawValue: UInt8(ascii: "3")) }
    @inlinable public static var noData: BackendTag { BackendTag(rawValue: UInt8(ascii: "n")) }
    @inlinable public static var portalSuspended: BackendTag { BackendTag(rawValue: UInt8(ascii: "s")) }
    @inlinable public static var parameterDescription: BackendTag { BackendTag(rawValue: UInt8(ascii: "t")) }
    @inlinable public static var copyInResponse: BackendTag { BackendTag(rawValue: UInt8(ascii: "G")) }
    @inlinable public static var copyOutResponse: BackendTag { BackendTag(rawValue: UInt8(ascii: "H")) }
    @inlinable public static var copyBothResponse: BackendTag { BackendTag(rawValue: UInt8(ascii: "W")) }
    @inlinable public static var copyData: BackendTag { BackendTag(rawValue: UInt8(ascii: "d")) }
    @inlinable public static var copyDone: BackendTag { BackendTag(rawValue: UInt8(ascii: "c")) }
    @inlinable public static var notificationResponse: BackendTag { BackendTag(rawValue: UInt8(ascii: "A")) }
    @inlinable public static var functionCallResponse: BackendTag { BackendTag(rawValue: UInt8(ascii: "V")) }
    @inlinable public static var negotiateProtocolVersion: BackendTag { BackendTag(rawValue: UInt8(ascii: "v")) }

    /// False for a byte that no message of this direction has.
    public var isKnown: Bool {
        switch self {
        case .authentication, .parameterStatus, .backendKeyData, .readyForQuery, .rowDescription, .dataRow,
            .commandComplete, .emptyQueryResponse, .errorResponse, .noticeResponse, .parseComplete,
            .bindComplete, .closeComplete, .noData, .portalSuspended, .parameterDescription, .copyInResponse,
            .copyOutResponse, .copyBothResponse, .copyData, .copyDone, .notificationResponse,
            .functionCallResponse, .negotiateProtocolVersion:
            true
        default: false
        }
    }
}
