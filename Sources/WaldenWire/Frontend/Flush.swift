/// Flush: asks for the answers so far without ending the pipeline (protocol chapter, Extended Query).
public struct Flush: FrontendMessage, EmptyMessage {
    public static var tagByte: UInt8 { FrontendTag.flush.rawValue }

    public init() {}
}
