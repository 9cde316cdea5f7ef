/// CloseComplete: answers Close, also of what did not exist (protocol chapter, Extended Query).
public struct CloseComplete: BackendMessage, EmptyMessage {
    public static var tagByte: UInt8 { BackendTag.closeComplete.rawValue }

    public init() {}
}
