/// NoData: answers Describe of what returns no rows (protocol chapter, Extended Query).
public struct NoData: BackendMessage, EmptyMessage {
    public static var tagByte: UInt8 { BackendTag.noData.rawValue }

    public init() {}
}
