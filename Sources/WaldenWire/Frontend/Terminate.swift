/// Terminate: the client leaves in good order (protocol chapter, Termination).
public struct Terminate: FrontendMessage, EmptyMessage {
    public static var tagByte: UInt8 { FrontendTag.terminate.rawValue }

    public init() {}
}
