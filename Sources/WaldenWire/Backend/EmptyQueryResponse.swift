/// EmptyQueryResponse: the query text held no statement (protocol chapter, Simple Query).
public struct EmptyQueryResponse: BackendMessage, EmptyMessage {
    public static var tagByte: UInt8 { BackendTag.emptyQueryResponse.rawValue }

    public init() {}
}
