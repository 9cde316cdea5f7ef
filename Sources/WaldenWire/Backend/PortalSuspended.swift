/// PortalSuspended: Execute reached its row limit before the portal's end (protocol chapter, Extended Query).
public struct PortalSuspended: BackendMessage, EmptyMessage {
    public static var tagByte: UInt8 { BackendTag.portalSuspended.rawValue }

    public init() {}
}
