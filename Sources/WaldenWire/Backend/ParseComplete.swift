/// ParseComplete: answers Parse (protocol chapter, Extended Query).
public struct ParseComplete: BackendMessage, EmptyMessage {
    public static var tagByte: UInt8 { BackendTag.parseComplete.rawValue }

    public init() {}
}
