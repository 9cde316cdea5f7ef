/// Sync: ends a pipeline of extended queries; answered by ReadyForQuery (protocol chapter, Extended Query).
public struct Sync: FrontendMessage, EmptyMessage {
    public static var tagByte: UInt8 { FrontendTag.sync.rawValue }

    public init() {}
}
