/// CopyDone: the COPY stream has ended well, in either direction (protocol chapter, COPY Operations).
public struct CopyDone: FrontendMessage, BackendMessage, EmptyMessage {
    public static var tagByte: UInt8 { FrontendTag.copyDone.rawValue }

    public init() {}
}
