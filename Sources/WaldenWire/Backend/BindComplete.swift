/// BindComplete: answers Bind (protocol chapter, Extended Query).
public struct BindComplete: BackendMessage, EmptyMessage {
    public static var tagByte: UInt8 { BackendTag.bindComplete.rawValue }

    public init() {}
}
